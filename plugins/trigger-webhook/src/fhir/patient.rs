//! Patient and Coverage as the contract's `patient` and `coverage`.

use serde_json::Value;

use super::bundle::{Bundle, list};
use super::elements::{identifiers, text};
use crate::types::{Address, Coverage, Identifier, NamedPatient, Patient};
use crate::words;

/// The patient that a Reference points at; what is known of one who is not here is the reference itself.
pub fn patient<'a>(bundle: &Bundle<'a>, from: &'a Value, reference: &Value) -> Patient {
    let resource = bundle.resolve(from, reference).or_else(|| bundle.first("Patient").filter(|_| reference.is_null()));
    match resource {
        Some(resource) => described(resource, reference),
        None => Patient { identifiers: logical(reference), ..words::unknown_patient() },
    }
}

/// What a Patient says; the reference to it may say the number.
pub fn described(resource: &Value, reference: &Value) -> Patient {
    let name = in_use(&resource["name"], &["official", "usual"]);
    let mut phones = Vec::new();
    let mut emails = Vec::new();
    let mut telecoms: Vec<&Value> = list(&resource["telecom"]).filter(|telecom| telecom["use"] != "old").collect();
    telecoms.sort_by_key(|telecom| telecom["rank"].as_u64().unwrap_or(u64::MAX));
    for telecom in telecoms {
        match telecom["system"].as_str() {
            Some("phone" | "sms") => {
                let mobile = telecom["use"] == "mobile" || telecom["system"] == "sms";
                phones.extend(words::phone(&text(&telecom["value"]), mobile));
            }
            Some("email") => words::push_new(&mut emails, text(&telecom["value"])),
            _ => {}
        }
    }
    let mut numbers = identifiers(resource);
    if numbers.is_empty() {
        numbers = logical(reference);
    }
    Patient {
        identifiers: numbers,
        given: name["given"].get(0).map(text).unwrap_or_default(),
        family: text(&name["family"]),
        birth_date: text(&resource["birthDate"]),
        language: language(resource),
        phones,
        emails,
        address: address(in_use(&resource["address"], &["home"])),
        preferred_channel: None,
    }
}

/// Whom a Reference points at; nobody where it says neither a number nor a name.
pub fn named<'a>(bundle: &Bundle<'a>, from: &'a Value, reference: &Value) -> Option<NamedPatient> {
    let patient = match bundle.resolve(from, reference) {
        Some(resource) => described(resource, reference),
        None => Patient { identifiers: logical(reference), ..words::unknown_patient() },
    };
    words::named(&patient)
}

pub fn coverages<'a>(bundle: &Bundle<'a>, from: &'a Value, references: &Value) -> Vec<Coverage> {
    let named = list(references).filter_map(|reference| bundle.resolve(from, reference));
    named.filter(|resource| resource["resourceType"] == "Coverage").map(|resource| coverage(bundle, resource)).collect()
}

fn coverage<'a>(bundle: &Bundle<'a>, resource: &'a Value) -> Coverage {
    let class = |kind: &str| list(&resource["class"]).find(move |class| class["type"]["coding"][0]["code"] == kind);
    let plan = class("plan").or_else(|| class("group"));
    let payor = &resource["payor"][0];
    let organization = bundle.resolve(resource, payor).map(|organization| text(&organization["name"]));
    let member = text(&resource["subscriberId"]);
    let number = || identifiers(resource).into_iter().next().map(|identifier| identifier.value).unwrap_or_default();
    Coverage {
        plan_id: plan.map(|plan| text(&plan["value"])).unwrap_or_default(),
        plan_name: plan.map(|plan| text(&plan["name"])).unwrap_or_default(),
        payer: organization.filter(|name| !name.is_empty()).unwrap_or_else(|| text(&payor["display"])),
        member_id: if member.is_empty() { number() } else { member },
    }
}

fn logical(reference: &Value) -> Vec<Identifier> {
    let identifier = &reference["identifier"];
    let value = text(&identifier["value"]);
    if value.is_empty() {
        return Vec::new();
    }
    vec![Identifier {
        value,
        authority: text(&identifier["system"]),
        kind: text(&identifier["type"]["coding"][0]["code"]),
    }]
}

/// The first of the uses asked for, else the first that is not old.
fn in_use<'a>(values: &'a Value, uses: &[&str]) -> &'a Value {
    let wanted = uses.iter().find_map(|kind| list(values).find(|value| value["use"] == *kind));
    wanted.or_else(|| list(values).find(|value| value["use"] != "old")).unwrap_or(&Value::Null)
}

/// The preferred language, else the first: a BCP 47 tag (FHIR R4, Patient.communication), or what the sender writes there.
fn language(patient: &Value) -> Option<String> {
    let spoken = || list(&patient["communication"]);
    let preferred = spoken().find(|communication| communication["preferred"] == true).or_else(|| spoken().next())?;
    let said = [text(&preferred["language"]["coding"][0]["code"]), text(&preferred["language"]["text"])];
    said.into_iter().find(|said| !said.is_empty())
}

fn address(address: &Value) -> Address {
    Address {
        line: list(&address["line"]).map(text).collect::<Vec<_>>().join(" "),
        city: text(&address["city"]),
        state: text(&address["state"]),
        postal_code: text(&address["postalCode"]),
        country: text(&address["country"]),
    }
}
