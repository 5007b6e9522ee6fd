//! Data types that resources are made of: codings, identifiers, names, references to clinicians.

use serde_json::Value;

use super::bundle::{self, Bundle, list, local, name};
use crate::about::push_number;
use crate::types::{Code, Identifier, Number, Provider};
use crate::words;

const NPI: &str = "http://hl7.org/fhir/sid/us-npi";

pub fn text(value: &Value) -> String {
    words::clean(value.as_str().unwrap_or_default())
}

/// A CodeableConcept's first coding, with its text where the coding has no display.
pub fn code(concept: &Value) -> Option<Code> {
    let coding = &concept["coding"][0];
    let display = [text(&coding["display"]), text(&concept["text"])]
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    let code = Code { system: text(&coding["system"]), code: text(&coding["code"]), display };
    (!code.code.is_empty() || !code.display.is_empty()).then_some(code)
}

pub fn codes(concepts: &Value) -> Vec<Code> {
    list(concepts).filter_map(code).collect()
}

pub fn identifiers(resource: &Value) -> Vec<Identifier> {
    list(&resource["identifier"])
        .map(|identifier| Identifier {
            value: text(&identifier["value"]),
            authority: text(&identifier["system"]),
            kind: text(&identifier["type"]["coding"][0]["code"]),
        })
        .filter(|identifier| !identifier.value.is_empty())
        .collect()
}

/// An Identifier as a number: its system is who gave it out.
pub fn number(identifier: &Value) -> Number {
    Number { value: text(&identifier["value"]), authority: text(&identifier["system"]) }
}

/// The names by which others refer to this resource: its business identifiers, then `Type/id` at its server.
pub fn numbers(bundle: &Bundle<'_>, resource: &Value) -> Vec<Number> {
    let mut numbers = Vec::new();
    for identifier in list(&resource["identifier"]) {
        push_number(&mut numbers, number(identifier));
    }
    let id = name(resource).map(|name| words::clean(&name)).unwrap_or_default();
    push_number(&mut numbers, Number { value: id, authority: words::clean(bundle.base(resource)) });
    numbers
}

/// The names of what these References point at, whether it is here or not; only those of one type.
pub fn referred<'a>(bundle: &Bundle<'a>, from: &'a Value, references: &Value, kind: &str) -> Vec<Number> {
    let mut found = Vec::new();
    let single = references.is_object().then_some(references);
    for reference in single.into_iter().chain(list(references)) {
        let literal = reference["reference"].as_str();
        let target = literal.and_then(local).filter(|target| target.starts_with(&format!("{kind}/")));
        let resolved = bundle.resolve(from, reference).filter(|resource| resource["resourceType"] == kind);
        let declared = reference["type"].as_str();
        // A logical reference without a type is to the order: that is what a business identifier is sent for.
        let logical = declared.map_or(kind == "ServiceRequest", |declared| declared == kind);
        if (resolved.is_some() || target.is_some() || literal.is_none()) && logical {
            push_number(&mut found, number(&reference["identifier"]));
        }
        for number in resolved.map(|resource| numbers(bundle, resource)).unwrap_or_default() {
            push_number(&mut found, number);
        }
        // A relative reference is to the server that has the resource it stands in.
        let base = literal.map(bundle::base).filter(|base| !base.is_empty()).unwrap_or_else(|| bundle.base(from));
        let value = words::clean(target.unwrap_or_default());
        push_number(&mut found, Number { value, authority: words::clean(base) });
    }
    found
}

/// As a person would read a HumanName.
pub fn full_name(name: &Value) -> String {
    let written = text(&name["text"]);
    if !written.is_empty() {
        return written;
    }
    let words = |part: &str| list(&name[part]).map(text).collect::<Vec<_>>().join(" ");
    [words("prefix"), words("given"), text(&name["family"]), words("suffix")]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The clinician or place that a Reference points at: Practitioner, PractitionerRole or Organization, here or by name.
pub fn provider<'a>(bundle: &Bundle<'a>, from: &'a Value, reference: &Value) -> Option<Provider> {
    if !reference.is_object() {
        return None;
    }
    let resource = bundle.resolve(from, reference);
    let role = resource.filter(|resource| resource["resourceType"] == "PractitionerRole");
    let Some(role) = role else { return Some(person_or_place(reference, resource)) };
    // One step only: a role that names a role, or itself, ends here.
    let part = |name: &str| person_or_place(&role[name], bundle.resolve(from, &role[name]));
    let (person, place, own) = (part("practitioner"), part("organization"), contact(role));
    Some(Provider {
        id: first([person.id, own.id]),
        name: first([person.name, text(&reference["display"])]),
        organization: first([place.organization, place.name]),
        phone: first([own.phone, person.phone, place.phone]),
        specialty: code(&role["specialty"][0]).map(|code| code.display).unwrap_or_default(),
    })
}

/// From a Reference and the Practitioner or Organization that it points at, if that is here.
fn person_or_place(reference: &Value, resource: Option<&Value>) -> Provider {
    let display = text(&reference["display"]);
    let logical = text(&reference["identifier"]["value"]);
    let target = reference["reference"].as_str().and_then(local).unwrap_or_default().to_owned();
    let outer = Provider { id: if logical.is_empty() { target } else { logical }, name: display, ..words::nobody() };
    let Some(resource) = resource else { return outer };
    let told = match resource["resourceType"].as_str() {
        Some("Practitioner") => Provider { name: full_name(&resource["name"][0]), ..contact(resource) },
        Some("Organization") => Provider { organization: text(&resource["name"]), ..contact(resource) },
        _ => words::nobody(),
    };
    Provider { id: first([told.id, outer.id]), name: first([told.name, outer.name]), ..told }
}

/// Number and phone; the NPI before any other number.
fn contact(resource: &Value) -> Provider {
    let identifiers = identifiers(resource);
    let npi = identifiers.iter().find(|identifier| identifier.authority == NPI).or_else(|| identifiers.first());
    let phone =
        list(&resource["telecom"]).find(|telecom| telecom["system"] == "phone").map(|telecom| text(&telecom["value"]));
    Provider {
        id: npi.map(|identifier| identifier.value.clone()).unwrap_or_default(),
        phone: phone.map(|text| phone::e164(&text).unwrap_or(text)).unwrap_or_default(),
        ..words::nobody()
    }
}

fn first<const N: usize>(choices: [String; N]) -> String {
    choices.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}
