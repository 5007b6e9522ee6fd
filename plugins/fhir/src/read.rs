//! Reading bundles and resources without tripping over what is missing.

use serde_json::Value;

/// The resources of one type in a searchset; a server may add an OperationOutcome or included resources.
pub fn resources<'a>(bundle: &'a Value, resource: &'a str) -> impl Iterator<Item = &'a Value> {
    list(&bundle["entry"]).map(|entry| &entry["resource"]).filter(move |found| found["resourceType"] == resource)
}

/// The elements of an array; nothing for anything else.
pub fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The codes of a CodeableConcept.
pub fn codes(concept: &Value) -> impl Iterator<Item = &str> {
    list(&concept["coding"]).filter_map(|coding| coding["code"].as_str())
}

/// The one resource of this type, by its id (as the server sent it, or its token).
pub fn only<'a>(bundle: &'a Value, resource: &'a str) -> Only<'a> {
    let mut ids: Vec<(&str, &Value)> =
        resources(bundle, resource).filter_map(|found| Some((found["id"].as_str()?, found))).collect();
    ids.sort_by_key(|(id, _)| *id);
    ids.dedup_by_key(|(id, _)| *id);
    match ids[..] {
        [] => Only::None,
        [(id, found)] => Only::One { id, resource: found },
        _ => Only::Several,
    }
}

pub enum Only<'a> {
    None,
    One { id: &'a str, resource: &'a Value },
    Several,
}

/// Whether the server holds results back for another page; reveal `link[].relation`.
pub fn has_next_page(bundle: &Value) -> bool {
    list(&bundle["link"]).any(|link| link["relation"] == "next")
}

/// FHIR R4, `id`: up to 64 letters, digits, hyphens and dots.
pub fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}
