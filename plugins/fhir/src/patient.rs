//! Finding the patient by a business identifier.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::ask::Identifier;
use crate::wit::types::Failure;

/// Which FHIR identifier system an authority's numbers are under: `GHH: http://ghh.example/mrn`. An authority that is a
/// URI or an OID needs no entry.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Systems(BTreeMap<String, String>);

impl Systems {
    fn of(&self, authority: &str) -> Option<String> {
        let is_oid = authority.contains('.') && authority.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        match self.0.get(authority) {
            Some(system) => Some(system.clone()),
            None if is_oid => Some(format!("urn:oid:{authority}")),
            None => authority.contains(':').then(|| authority.to_owned()),
        }
    }
}

/// A patient's number as the contract's records have it: value (a token), authority, kind (HL7 table 0203).
pub type Number<'a> = (&'a str, &'a str, &'a str);

/// Numbers that are no business of a search: social security, driver's licence, passport.
const UNASKED_KINDS: [&str; 3] = ["SS", "DL", "PPN"];

/// The value of `identifier=`: every usable number, any of which may match.
///
/// Never a value without its system: two hospitals give out the same number.
pub fn identifier_parameter(numbers: &[Number], systems: &Systems) -> Result<String, Failure> {
    let usable: Vec<String> = numbers
        .iter()
        .filter(|(_, _, kind)| !UNASKED_KINDS.contains(kind))
        .filter_map(|(value, authority, _)| {
            let system = systems.of(authority)?;
            Some(Identifier { system: &system, value }.as_token_parameter())
        })
        .collect();
    if !usable.is_empty() {
        return Ok(usable.join(","));
    }
    let mut authorities: Vec<&str> = numbers.iter().map(|(_, authority, _)| *authority).collect();
    authorities.sort_unstable();
    authorities.dedup();
    Err(Failure::Misconfigured(format!(
        "identifier_systems: write the FHIR system of one of the patient's authorities: {authorities:?}"
    )))
}
