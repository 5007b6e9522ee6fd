//! Writes the HL7 v2.5.1 segments that several messages share.

use chrono::{DateTime, Duration, Utc};

use crate::hours::PRACTICE_ZONE;
use crate::mess::as_people_write;
use crate::people::{PatientLanguage, SimulatedPatient};
use crate::specialists::Specialist;

/// Referrals are valid for a quarter.
pub(crate) const VALID_DAYS: i64 = 90;

pub(crate) const REFERRING: &str = "1730155900^Whitlock^Josephine^^^Dr.^MD";

pub(crate) fn msh(sender: &str, at: DateTime<Utc>, kind: &str, control_id: &str) -> String {
    // MSH-1 and MSH-2 are the delimiters themselves.
    format!("MSH|^~\\&|{sender}|NPC|HANDOFF|NPC|{}||{kind}|{control_id}|P|2.5.1||||||UNICODE UTF-8", stamp(at))
}

pub(crate) fn rf1(person: &SimulatedPatient, status: &str) -> String {
    let referral = &person.referral;
    let specialty = referral.specialty;
    segment(
        "RF1",
        &[
            (1, status),
            (2, if referral.urgent { "A^ASAP^HL70280" } else { "R^Routine^HL70280" }),
            (3, &format!("{}^{}^NUCC", specialty.code, escaped(specialty.name))),
            (4, "WR^Send written report^HL70282"),
            (5, "O^Outpatient^HL70284"),
            (6, &format!("{}^NPC-EHR", referral.number)),
            (7, &stamp(referral.ordered_at)),
            (8, &stamp(referral.ordered_at + Duration::days(VALID_DAYS))),
            (9, &stamp(referral.ordered_at)),
            (10, &format!("{}^{}^I10", specialty.diagnosis.0, escaped(specialty.diagnosis.1))),
        ],
    )
}

pub(crate) fn providers(person: &SimulatedPatient, specialist: &Specialist) -> [String; 2] {
    let specialty = person.referral.specialty;
    [
        segment(
            "PRD",
            &[
                (1, "RP^Referring Provider^HL70286"),
                (2, "Whitlock^Josephine^^^Dr.^MD"),
                (3, "1 Practice Way^^Evanston^IL^60201"),
                (4, "^^^^^^^^Northside Primary Care"),
                (5, "^WPN^PH^^1^847^5550100"),
                (7, "1730155900^NPI"),
            ],
        ),
        segment(
            "PRD",
            &[
                (1, &format!("RT^Referred to Provider^HL70286~{}^{}^NUCC", specialty.code, escaped(specialty.name))),
                (2, &format!("{}^{}^^^Dr.^MD", specialist.family(), specialist.given())),
                (3, "200 Consult Avenue^^Chicago^IL^60611"),
                (4, &place(specialist)),
                (5, &telephone(specialist.phone)),
                (7, &format!("{}^NPI", specialist.id)),
            ],
        ),
    ]
}

pub(crate) fn pid(person: &SimulatedPatient) -> String {
    let mobile = if person.is_spelled_nationally {
        format!("{}^PRN^CP", as_people_write(&person.mobile))
    } else {
        mobile(&person.mobile)
    };
    let mail = if person.referral.tells_email { format!("~^NET^Internet^{}", person.email) } else { String::new() };
    let home = person.home;
    segment(
        "PID",
        &[
            (1, "1"),
            (3, &format!("{}^^^NPC^MR", person.record_number)),
            (5, &format!("{}^{}^^^^^L", escaped(&person.family), escaped(&person.given))),
            (7, &person.born.format("%Y%m%d").to_string()),
            (8, &person.sex.to_string()),
            (11, &format!("{}^^{}^{}^{}^USA^H", escaped(&person.street), home.city, home.state, home.postal_code)),
            (13, &format!("{mobile}{mail}")),
            (15, if person.referral.tells_language { coded(person.language) } else { "" }),
            (30, if person.annals.dead { "Y" } else { "" }),
        ],
    )
}

pub(crate) fn outpatient(specialist: &Specialist) -> String {
    segment("PV1", &[(1, "1"), (2, "O"), (3, &place(specialist)), (7, &doctor(specialist)), (8, REFERRING)])
}

/// PL-9, the description: PL-4 is a code of at most 20 characters.
pub(crate) fn place(specialist: &Specialist) -> String {
    format!("^^^^^^^^{}", escaped(specialist.organization))
}

pub(crate) fn doctor(specialist: &Specialist) -> String {
    format!("{}^{}^{}^^^Dr.", specialist.id, specialist.family(), specialist.given())
}

/// CPT, which HL7 table 0396 calls C4.
pub(crate) fn coded_service(person: &SimulatedPatient) -> String {
    let (code, words) = person.referral.specialty.service;
    format!("{code}^{}^C4", escaped(words))
}

/// PID-15, HL7 table 0296: senders use ISO 639-1 and 639-2 as they please.
fn coded(language: PatientLanguage) -> &'static str {
    match language {
        PatientLanguage::English => "EN^English^HL70296",
        PatientLanguage::Spanish => "spa^Spanish^HL70296",
        PatientLanguage::Chinese => "zh^Chinese^HL70296",
        PatientLanguage::Vietnamese => "VIE^Vietnamese^HL70296",
    }
}

/// XTN from E.164: area code and number in XTN-6 and XTN-7.
pub(crate) fn telephone(number: &str) -> String {
    let digits = number.trim_start_matches("+1");
    format!("^WPN^PH^^1^{}^{}", &digits[..3], &digits[3..])
}

/// The same of a handset at home.
pub(crate) fn mobile(number: &str) -> String {
    telephone(number).replace("^WPN^PH^", "^PRN^CP^")
}

pub(crate) fn stamp(at: DateTime<Utc>) -> String {
    at.with_timezone(&PRACTICE_ZONE).format("%Y%m%d%H%M%S%z").to_string()
}

pub(crate) fn date(at: DateTime<Utc>) -> String {
    at.with_timezone(&PRACTICE_ZONE).format("%Y%m%d").to_string()
}

/// HL7 v2.5.1 section 2.7.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => escaped.push_str("\\E\\"),
            '|' => escaped.push_str("\\F\\"),
            '^' => escaped.push_str("\\S\\"),
            '&' => escaped.push_str("\\T\\"),
            '~' => escaped.push_str("\\R\\"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Fields by their HL7 number, ascending; the rest stays empty.
pub(crate) fn segment(name: &str, fields: &[(usize, &str)]) -> String {
    let mut segment = name.to_string();
    let mut last = 0;
    for (number, value) in fields {
        segment.extend(std::iter::repeat_n('|', number - last));
        segment.push_str(value);
        last = *number;
    }
    segment.truncate(segment.trim_end_matches('|').len());
    segment
}

pub(crate) fn joined(segments: Vec<String>) -> String {
    segments.iter().flat_map(|segment| [segment.as_str(), "\r"]).collect()
}
