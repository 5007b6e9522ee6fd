//! Numbers and who gave them out: entity identifiers (EI; HL7 v2.8, 2.A.28). A number is one only within its authority.

use crate::message::{Segment, Value};
use crate::types::Number;

/// Every repetition of these fields, in order, each once. A number that is named with its authority is not listed again without.
pub fn numbers<'a>(fields: impl IntoIterator<Item = (Option<Segment<'a>>, usize)>) -> Vec<Number> {
    let mut numbers: Vec<Number> = Vec::new();
    for (segment, field) in fields {
        let Some(segment) = segment else { continue };
        for number in segment.field(field).repetitions().filter_map(number) {
            let alike = |known: &&mut Number| {
                known.value == number.value
                    && (known.authority.is_empty()
                        || number.authority.is_empty()
                        || known.authority == number.authority)
            };
            match numbers.iter_mut().find(alike) {
                Some(known) if known.authority.is_empty() => known.authority = number.authority,
                Some(_) => {}
                None => numbers.push(number),
            }
        }
    }
    numbers
}

/// One repetition of such a field.
pub fn number(identifier: Value<'_>) -> Option<Number> {
    let value = identifier.part(1);
    (!value.is_empty()).then(|| Number { value, authority: authority(identifier) })
}

/// EI-2 to EI-4: the namespace, else the universal id with its type. Some write all of an authority (HD) into the second
/// component, others the whole identifier into the first.
fn authority(identifier: Value<'_>) -> String {
    let sub = |component: usize, number: usize| identifier.component(component).subcomponent(number).line();
    let written = [
        [identifier.part(2), identifier.part(3), identifier.part(4)],
        [sub(2, 1), sub(2, 2), sub(2, 3)],
        [sub(1, 2), sub(1, 3), sub(1, 4)],
    ];
    let named = written.into_iter().find(|[namespace, universal, _]| !namespace.is_empty() || !universal.is_empty());
    match named {
        Some([namespace, universal, kind]) if namespace.is_empty() => universal_id(&universal, &kind),
        Some([namespace, _, _]) => namespace,
        None => String::new(),
    }
}

/// As FHIR writes the same authority in `Identifier.system` (FHIR R4, identifier registry: OIDs and UUIDs as URNs); other types
/// stand behind the id.
fn universal_id(id: &str, kind: &str) -> String {
    match kind.to_uppercase().as_str() {
        "ISO" => format!("urn:oid:{}", id.trim_start_matches("urn:oid:")),
        "UUID" | "GUID" => format!("urn:uuid:{}", id.trim_start_matches("urn:uuid:").to_lowercase()),
        "" | "URI" | "URL" => id.to_owned(),
        kind => format!("{id}^{kind}"),
    }
}
