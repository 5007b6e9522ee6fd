//! What a practice may set for a webhook.

use mapping::{Fact, Mapping, SettingFault};
use serde::Deserialize;

use crate::answer::Fault;
use crate::fhir::mapped::Map;
use crate::fhir::path::Path;
use crate::types::{Algorithm, Encoding};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Absent: the listener's own authentication is trusted.
    pub signature: Option<Signature>,
    pub orders: Orders,
    /// The `identifier_system` of what the chart stage writes: a server that tells of every change tells of that too.
    pub own_system: String,
    /// Where this site tells what in its FHIR resources, as it is written.
    #[serde(rename = "map")]
    written_map: serde_json::Value,
    /// The same, read.
    #[serde(skip)]
    pub map: Map,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            signature: None,
            orders: Orders::default(),
            own_system: "urn:x-handoff:chart-entry".to_owned(),
            written_map: serde_json::Value::Null,
            map: Map::default(),
        }
    }
}

/// Which ServiceRequests are referrals.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Orders {
    /// All but those that their category or code calls laboratory, imaging or another diagnostic procedure.
    #[default]
    ByService,
    /// Every one: nothing else is sent.
    All,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    pub algorithm: SignatureAlgorithm,
    /// The header that carries the signature: `x-signature`.
    pub header: String,
    /// The secret's or public key's name in the configuration.
    pub secret: String,
    /// What stands before the signature in its header: `sha256=`.
    #[serde(default)]
    pub prefix: String,
    #[serde(default)]
    pub encoding: SignatureEncoding,
    /// The header with the time of signing. Where it is set, the time and the body are signed, else the body.
    pub timestamp_header: Option<String>,
    /// What stands between the two: `.` when absent.
    #[serde(default = "timestamp_separator")]
    pub timestamp_separator: String,
    #[serde(default = "max_age_seconds")]
    pub max_age_seconds: u32,
}

fn timestamp_separator() -> String {
    ".".to_owned()
}

/// Five minutes, as vendors recommend: long enough for clocks that are apart, too short to be of use to who overhears.
fn max_age_seconds() -> u32 {
    300
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureAlgorithm {
    HmacSha1,
    HmacSha256,
    Ed25519,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureEncoding {
    #[default]
    Hex,
    Base64,
}

impl Settings {
    /// The error says which key is wrong.
    pub fn read(json: &str) -> Result<Settings, Fault> {
        let json = if json.trim().is_empty() { "{}" } else { json };
        let mut settings: Settings = serde_json::from_str(json).map_err(|error| Fault::settings(error.to_string()))?;
        settings.map = Mapping::read(&settings.written_map, &Fact::ALL, Path::parse).map_err(first_of)?;
        Ok(settings)
    }
}

/// The sender is told of one; `handoff workflow check` finds them all.
fn first_of(faults: Vec<SettingFault>) -> Fault {
    let SettingFault { place, message, help } = faults.into_iter().next().unwrap_or_default();
    Fault::setting(&format!("settings.{place}"), message, &help)
}

impl From<SignatureAlgorithm> for Algorithm {
    fn from(algorithm: SignatureAlgorithm) -> Algorithm {
        match algorithm {
            SignatureAlgorithm::HmacSha1 => Algorithm::HmacSha1,
            SignatureAlgorithm::HmacSha256 => Algorithm::HmacSha256,
            SignatureAlgorithm::Ed25519 => Algorithm::Ed25519,
        }
    }
}

impl From<SignatureEncoding> for Encoding {
    fn from(encoding: SignatureEncoding) -> Encoding {
        match encoding {
            SignatureEncoding::Hex => Encoding::Hex,
            SignatureEncoding::Base64 => Encoding::Base64,
        }
    }
}
