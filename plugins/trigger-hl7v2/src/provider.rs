//! Clinicians and places: PRD, XCN, NDL, XPN and PL as the contract's `provider`.

use crate::message::{Message, Segment, Value};
use crate::telecom;
use crate::types::Provider;

/// The National Provider Identifier's object identifier.
const NPI_OID: &str = "2.16.840.1.113883.4.6";

pub fn nobody() -> Provider {
    Provider {
        id: String::new(),
        name: String::new(),
        organization: String::new(),
        phone: String::new(),
        specialty: String::new(),
    }
}

/// From a field of type XCN or CN (HL7 v2.8, 2.A.86): the repetition with an NPI, else the first.
pub fn from_xcn(field: Value<'_>) -> Option<Provider> {
    let npi = |xcn: &Value<'_>| {
        let authority = xcn.component(9);
        xcn.part(13) == "NPI"
            || xcn.part(8) == "NPI"
            || authority.subcomponent(1).line() == "NPI"
            || authority.subcomponent(2).line() == NPI_OID
    };
    let xcn = field.repetitions().find(npi).or_else(|| field.repetitions().find(|xcn| !xcn.is_empty()))?;
    let (id, family) = (xcn.part(1), xcn.part(2));
    // An interface that knows only a name puts it first: no identifier is all letters.
    if family.is_empty() && !id.bytes().any(|byte| byte.is_ascii_digit()) {
        return (!id.is_empty()).then(|| Provider { name: id, ..nobody() });
    }
    let name = full_name(&xcn.part(6), &xcn.part(3), &family, &xcn.part(5));
    Some(Provider { id, name, ..nobody() })
}

/// From a field of type NDL (HL7 v2.8, 2.A.47): the name is one component, cut into subcomponents.
pub fn from_ndl(field: Value<'_>) -> Option<Provider> {
    let cnn = field.component(1);
    let part = |number: usize| cnn.subcomponent(number).line();
    let named = !part(2).is_empty();
    if named {
        return Some(Provider { id: part(1), name: full_name(&part(6), &part(3), &part(2), &part(5)), ..nobody() });
    }
    from_xcn(field)
}

/// PRD-1 (table 0286) says who is who; the first role asked for that someone has. Of several, the physician.
pub fn by_role<'a>(message: &Message<'a>, roles: &[&str]) -> Option<Segment<'a>> {
    let has =
        |prd: &Segment<'_>, role: &str| prd.field(1).repetitions().any(|cwe| cwe.part(1).eq_ignore_ascii_case(role));
    roles.iter().find_map(|role| {
        let able = message.segments().iter().filter(|prd| prd.is("PRD") && has(prd, role)).copied();
        first_best(able, |prd| {
            let roles = prd.field(1).repetitions().filter(|cwe| !cwe.part(1).eq_ignore_ascii_case(role));
            let roles = roles.map(|cwe| format!("{} {}", cwe.part(1), cwe.part(2)));
            let words = roles.chain([prd.text(2, 6)]).collect::<Vec<_>>().join(" ");
            (!prd.field(2).is_empty(), !prd.field(7).is_empty(), standing(&words))
        })
    })
}

/// How likely a role's words are those of whom the patient is sent to: an assistant, anybody, the one who attends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Assisting,
    Unsaid,
    Treating,
    Attending,
}

/// From a role's code and text, as in AIP-4 (table 0182, user-defined).
pub fn standing(role: &str) -> Standing {
    let role = role.to_lowercase();
    let words: Vec<&str> = role.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is = |known: &[&str]| words.iter().any(|word| known.contains(word));
    let begins = |known: &[&str]| words.iter().any(|word| known.iter().any(|known| word.starts_with(known)));
    if is(&["np", "practitioner"]) {
        Standing::Treating
    } else if is(&ASSISTING) || begins(&ASSISTING_BEGINNINGS) {
        Standing::Assisting
    } else if is(&["att", "at", "attn", "pprf"]) || begins(&["attend", "primary", "principal"]) {
        Standing::Attending
    } else if is(&TREATING) || begins(&TREATING_BEGINNINGS) || words.iter().any(|word| word.ends_with("ologist")) {
        Standing::Treating
    } else {
        Standing::Unsaid
    }
}

const ASSISTING: [&str; 15] =
    ["ma", "cma", "rma", "rn", "lpn", "lvn", "cna", "aide", "tech", "aa", "sprf", "pct", "sa", "scribe", "clerk"];
const ASSISTING_BEGINNINGS: [&str; 13] = [
    "assist",
    "nurs",
    "technic",
    "technol",
    "anesth",
    "student",
    "resident",
    "interpret",
    "translat",
    "schedul",
    "recept",
    "educat",
    "coordinat",
];
const TREATING: [&str; 7] = ["md", "do", "dr", "doc", "mbbs", "dpm", "dds"];
const TREATING_BEGINNINGS: [&str; 8] =
    ["physician", "doctor", "surg", "specialist", "consult", "provider", "dentist", "perform"];

/// The first of those that rank highest.
pub fn first_best<T, R: Ord>(of: impl IntoIterator<Item = T>, rank: impl Fn(&T) -> R) -> Option<T> {
    of.into_iter().fold(None, |best, next| match best {
        Some(best) if rank(&next) <= rank(&best) => Some(best),
        Some(_) | None => Some(next),
    })
}

/// A National Provider Identifier by its looks.
pub fn has_npi(provider: &Provider) -> bool {
    provider.id.len() == 10 && provider.id.bytes().all(|byte| byte.is_ascii_digit())
}

/// Two ids of one person, or the same name where one of them has no id.
pub fn is_same(one: &Provider, other: &Provider) -> bool {
    if one.id.is_empty() || other.id.is_empty() {
        one.name == other.name && !one.name.is_empty()
    } else {
        one.id == other.id
    }
}

/// From PRD (HL7 v2.8, 11.6.3), of which a referral has one for each role.
pub fn from_prd(prd: Segment<'_>) -> Provider {
    let name = prd.field(2);
    let identifiers = prd.field(7);
    let identifier = identifiers
        .repetitions()
        .find(|pln| pln.part(2).eq_ignore_ascii_case("NPI"))
        .or_else(|| identifiers.repetitions().find(|pln| !pln.is_empty()));
    let place = prd.field(4);
    let organization =
        [prd.text(10, 1), place.part(9), place.part(4)].into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    Provider {
        id: identifier.map(|pln| pln.part(1)).unwrap_or_default(),
        name: full_name(&name.part(5), &name.part(2), &name.part(1), &name.part(4)),
        organization,
        phone: telecom::first_phone(prd.field(5)),
        specialty: String::new(),
    }
}

/// As a person would read it: `Dr. Paul McWilliams`.
fn full_name(prefix: &str, given: &str, family: &str, suffix: &str) -> String {
    let prefix = match prefix.trim_end_matches('.').to_uppercase().as_str() {
        "DR" | "MR" | "MRS" | "MS" | "PROF" => format!("{}.", mended(prefix.trim_end_matches('.'))),
        _ => mended(prefix),
    };
    let words = [prefix, mended(given), mended(family), suffix.to_owned()];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// `POWELL` as `Powell`, `McWILLIAMS` as `McWilliams`; what has its own case keeps it.
fn mended(name: &str) -> String {
    let shout = name.strip_prefix("Mc").or_else(|| name.strip_prefix("Mac")).unwrap_or(name);
    let letters = shout.chars().filter(|c| c.is_alphabetic()).count();
    if letters < 2 || shout.chars().any(char::is_lowercase) {
        return name.to_owned();
    }
    let lead = name.get(..name.len() - shout.len()).unwrap_or_default();
    let mut start = true;
    let word = shout.chars().flat_map(|c| {
        let cased: Vec<char> = if start { c.to_uppercase().collect() } else { c.to_lowercase().collect() };
        start = !c.is_alphabetic();
        cased
    });
    lead.chars().chain(word).collect()
}
