//! The patient: PID and PD1 as the contract's `patient`.

use crate::language;
use crate::message::{Message, Segment, Value};
use crate::telecom::Telecoms;
use crate::timestamp::Timestamp;
use crate::types::{Address, ChannelKind, Identifier, NamedPatient, Patient};

/// XPN-7 (table 0200) of names a patient is called by: legal, display, current, unspecified.
const NAME_KINDS: [&str; 5] = ["", "L", "D", "C", "U"];
/// XAD-7 (table 0190) of where nobody lives: bad address, birth (delivery) place, place of birth.
const NOT_A_HOME: [&str; 4] = ["BA", "BDL", "BR", "N"];

pub fn patient(message: &Message<'_>, pid: Segment<'_>) -> Patient {
    let name = name(pid.field(5));
    let mut telecoms = Telecoms::default();
    // PID-40 replaces PID-13 and PID-14 since 2.8; home comes before work.
    for field in [13, 14, 40] {
        telecoms.add(pid.field(field));
    }
    Patient {
        identifiers: identifiers(pid),
        given: name.map(|name| name.part(2)).unwrap_or_default(),
        family: name.map(|name| name.part(1)).unwrap_or_default(),
        // Nothing is sent at a birth date, so one that cannot be read holds up no referral.
        birth_date: Timestamp::parse(&pid.text(7, 1)).map(|date| date.date()).unwrap_or_default(),
        language: language::language(pid.field(15)),
        phones: telecoms.phones,
        emails: telecoms.emails,
        address: address(pid.field(11)),
        preferred_channel: message.segment("PD1").and_then(|pd1| preferred_channel(pd1.field(11))),
    }
}

/// What every message says of its patient; nothing where it says neither a number nor a name.
pub fn named(pid: Segment<'_>) -> Option<NamedPatient> {
    let name = name(pid.field(5));
    let birth_date = Timestamp::parse(&pid.text(7, 1)).map(|date| date.date()).unwrap_or_default();
    let named = NamedPatient {
        identifiers: identifiers(pid),
        given: name.map(|name| name.part(2)).unwrap_or_default(),
        family: name.map(|name| name.part(1)).unwrap_or_default(),
        birth_date: if birth_date.len() == WHOLE_DATE { birth_date } else { String::new() },
    };
    (!named.identifiers.is_empty() || !named.family.is_empty() || !named.given.is_empty()).then_some(named)
}

/// `YYYY-MM-DD`: a year alone tells nobody apart.
const WHOLE_DATE: usize = 10;

/// PID-3, or PID-2 of a sender that speaks 2.2 or earlier.
pub fn identifiers(pid: Segment<'_>) -> Vec<Identifier> {
    let list = pid.field(3);
    let list = if list.is_empty() { pid.field(2) } else { list };
    listed(list)
}

/// Each identifier of a field of type CX.
pub fn listed(field: Value<'_>) -> Vec<Identifier> {
    field.repetitions().filter_map(identifier).collect()
}

fn identifier(cx: Value<'_>) -> Option<Identifier> {
    let value = cx.part(1);
    let authority = cx.component(4);
    let [namespace, universal] = [1, 2].map(|number| authority.subcomponent(number).line());
    let authority = if namespace.is_empty() { universal } else { namespace };
    (!value.is_empty()).then(|| Identifier { value, authority, kind: cx.part(5) })
}

fn name(names: Value<'_>) -> Option<Value<'_>> {
    let in_use = |xpn: &Value<'_>| NAME_KINDS.contains(&xpn.part(7).as_str());
    let whole = |xpn: &Value<'_>| !xpn.part(1).is_empty() && !xpn.part(2).is_empty();
    names
        .repetitions()
        .find(|xpn| in_use(xpn) && whole(xpn))
        .or_else(|| names.repetitions().find(|xpn| !xpn.is_empty()))
}

fn address(field: Value<'_>) -> Address {
    let home = field.repetitions().find(|xad| !xad.is_empty() && !NOT_A_HOME.contains(&xad.part(7).as_str()));
    let part = |component: usize| home.map(|xad| xad.part(component)).unwrap_or_default();
    let street = home.map(|xad| {
        let sad = xad.component(1);
        [sad.subcomponent(1), sad.subcomponent(2), xad.component(2).subcomponent(1)]
            .map(|value| value.line())
            .into_iter()
            .filter(|text| !text.is_empty() && text != "\"\"")
            .collect::<Vec<_>>()
            .join(" ")
    });
    Address {
        line: street.unwrap_or_default(),
        city: part(3),
        state: state(&part(4)),
        postal_code: part(5),
        country: part(6),
    }
}

/// The USPS code where the sender wrote one or the state's full name; else as sent.
fn state(text: &str) -> String {
    if text.len() == 2 {
        return text.to_ascii_uppercase();
    }
    let known = STATES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    known.map_or(text, |(_, code)| code).to_owned()
}

/// PD1-11 (table 0215) is user-defined; senders that fill it in say the channel in words.
fn preferred_channel(field: Value<'_>) -> Option<ChannelKind> {
    let words = format!("{} {}", field.part(1), field.part(2)).to_lowercase();
    let says = |needles: &[&str]| needles.iter().any(|needle| words.contains(needle));
    if says(&["sms", "text"]) {
        Some(ChannelKind::Sms)
    } else if says(&["mail", "internet"]) && !says(&["postal", "letter", "us mail"]) {
        Some(ChannelKind::Email)
    } else if says(&["portal", "mychart"]) {
        Some(ChannelKind::Portal)
    } else {
        None
    }
}

const STATES: [(&str, &str); 52] = [
    ("Alabama", "AL"),
    ("Alaska", "AK"),
    ("Arizona", "AZ"),
    ("Arkansas", "AR"),
    ("California", "CA"),
    ("Colorado", "CO"),
    ("Connecticut", "CT"),
    ("Delaware", "DE"),
    ("District of Columbia", "DC"),
    ("Florida", "FL"),
    ("Georgia", "GA"),
    ("Hawaii", "HI"),
    ("Idaho", "ID"),
    ("Illinois", "IL"),
    ("Indiana", "IN"),
    ("Iowa", "IA"),
    ("Kansas", "KS"),
    ("Kentucky", "KY"),
    ("Louisiana", "LA"),
    ("Maine", "ME"),
    ("Maryland", "MD"),
    ("Massachusetts", "MA"),
    ("Michigan", "MI"),
    ("Minnesota", "MN"),
    ("Mississippi", "MS"),
    ("Missouri", "MO"),
    ("Montana", "MT"),
    ("Nebraska", "NE"),
    ("Nevada", "NV"),
    ("New Hampshire", "NH"),
    ("New Jersey", "NJ"),
    ("New Mexico", "NM"),
    ("New York", "NY"),
    ("North Carolina", "NC"),
    ("North Dakota", "ND"),
    ("Ohio", "OH"),
    ("Oklahoma", "OK"),
    ("Oregon", "OR"),
    ("Pennsylvania", "PA"),
    ("Puerto Rico", "PR"),
    ("Rhode Island", "RI"),
    ("South Carolina", "SC"),
    ("South Dakota", "SD"),
    ("Tennessee", "TN"),
    ("Texas", "TX"),
    ("Utah", "UT"),
    ("Vermont", "VT"),
    ("Virginia", "VA"),
    ("Washington", "WA"),
    ("West Virginia", "WV"),
    ("Wisconsin", "WI"),
    ("Wyoming", "WY"),
];
