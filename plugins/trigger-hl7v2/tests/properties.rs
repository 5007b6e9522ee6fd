//! Any bytes: nothing panics, everything is answered, and what was read can be written again as it came.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use trigger_hl7v2::message::Message;
use trigger_hl7v2::types::{Event, Meaning, Reading};

use crate::told::{header, message, read, tell};

const SEEDS: [&[u8]; 9] = [
    include_bytes!("data/REF-I12-01.hl7"),
    include_bytes!("data/SIU-S12-01.hl7"),
    include_bytes!("data/MDM-T02-01.hl7"),
    include_bytes!("data/ORM-O01-03.hl7"),
    include_bytes!("data/field/01-pdf-in-pieces.hl7"),
    include_bytes!("data/field/04-hex-escape-utf16.hl7"),
    include_bytes!("data/field/13d-charset-unknown.hl7"),
    include_bytes!("data/field/19-unescaped-in-text.hl7"),
    include_bytes!("data/field/23a-iso-time.hl7"),
];

/// Nothing set, everything set otherwise, and a line that no settings are.
const SETTINGS: [&str; 3] = [
    "{}",
    r#"{"default_offset": "-05:00", "zone": "America/New_York", "charset": "BIG-5", "orders": "all", "results": "all",
        "referral_services": ["X"], "other_services": ["Y"], "identity_changes": "ignore", "match_patient": "always",
        "dedupe": "control-id"}"#,
    r#"{"dedupe": "never"}"#,
];

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..40);
    (0..SEEDS.len(), edits).prop_map(|(seed, edits)| {
        let mut bytes = SEEDS[seed].to_vec();
        for (at, byte, edit) in edits {
            let at = at.index(bytes.len());
            match edit {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 if bytes.len() > 1 => drop(bytes.remove(at)),
                _ => bytes[at] = b"|^~\\&\r\n\""[usize::from(byte) % 8],
            }
        }
        bytes
    })
}

fn shaped() -> impl Strategy<Value = Vec<u8>> {
    let line = "[ ]{0,2}(PID|SCH|ORC|OBR|OBX|NTE|TXA|RF1|MSH|PRD|TQ1|IN1|AIP|AIS)([|~&^#\\\\][A-Z0-9.\\+\\-:\"=XFMC\\\\]{0,6}){0,40}[\r\n]{1,2}";
    let kind = "(REF|RRI|ORM|OMG|ORR|OSU|SIU|ORU|MDM|ADT)[\\^_](I12|I14|O01|O19|O51|S12|S26|R01|T02|A40)";
    let charset = "(|ASCII|8859/[0-9]|UNICODE UTF-(8|16)|GB 18030-2000|BIG-5|~ISO IR87|KS X 1001|X)";
    (kind, charset, prop::collection::vec(line, 0..8)).prop_map(|(kind, charset, lines)| {
        format!("MSH|^~\\&|A|B|C|D|2026||{kind}|1|P|2.4||||||{charset}\r{}", lines.concat()).into_bytes()
    })
}

/// Every text of an event that is no document.
fn texts(reading: &Reading) -> Vec<String> {
    let mut texts = vec![reading.kind.clone()];
    let Meaning::Events(events) = &reading.meaning else { return texts };
    for event in events {
        match event {
            Event::Ordered(order) => {
                let patient = &order.patient;
                texts.extend(order.reference.referral.iter().cloned());
                texts.extend(
                    [&patient.given, &patient.family, &patient.address.line, &order.referring.name].map(Clone::clone),
                );
                texts.extend(patient.identifiers.iter().map(|identifier| identifier.value.clone()));
                texts.extend(patient.phones.iter().map(|phone| phone.number.clone()));
            }
            Event::Withdrawn(reference) => texts.extend(reference.referral.iter().cloned()),
            Event::Appointment(notice) => {
                texts.extend(notice.reference.appointment.iter().cloned());
                texts.extend(notice.with.iter().flat_map(|with| [with.id.clone(), with.name.clone()]));
                texts.push(notice.place.clone());
            }
            Event::Note(note) => texts.extend([note.document_id.clone(), note.kind.display.clone()]),
        }
    }
    texts
}

proptest! {
    #[test]
    fn any_bytes_are_answered(
        bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..300), mutated(), shaped()],
        settings in prop::sample::select(SETTINGS.to_vec()),
    ) {
        let reading = read(&bytes, settings);
        prop_assert!(!reading.dedupe_key.is_empty() && !reading.kind.is_empty());
        prop_assert_eq!(&reading, &read(&bytes, settings));
        prop_assert!(texts(&reading).iter().all(|text| !text.chars().any(char::is_control)), "{}", tell(&reading));
        if let Meaning::Events(events) = &reading.meaning {
            prop_assert!(!events.is_empty());
            for event in events {
                let Event::Note(note) = event else { continue };
                prop_assert!(!note.final_ || !note.content.is_empty());
                prop_assert!(STANDARD.decode(&note.content).is_ok());
            }
        }
    }

    #[test]
    fn a_parsed_message_is_written_as_it_came(bytes in prop_oneof![mutated(), shaped()]) {
        if let Ok(message) = Message::parse(&bytes) {
            prop_assert_eq!(message.encode(), bytes);
        }
    }

    #[test]
    fn any_header_can_be_answered_and_the_answer_read(tail in "[ -~]{0,120}", mark in "[!-/:-@]{1,6}") {
        let reading = read(format!("MSH{mark}{tail}\rPID|1").as_bytes(), "{}");
        let body = reading.accepted.body;
        prop_assert!(body.is_empty() || Message::parse(&body).is_ok());
    }

    #[test]
    fn a_file_is_the_same_wherever_it_was_cut(
        bytes in prop::collection::vec(any::<u8>(), 8..400),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        form in 0..3_usize,
    ) {
        let file = [b"%PDF-1.4 ".as_slice(), &bytes, b" %%EOF"].concat();
        let data = STANDARD.encode(&file);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(data.len() - 8) + 8).chain([data.len()]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut from = 0;
        let pieces: Vec<String> =
            cuts.iter().map(|&to| data[std::mem::replace(&mut from, to)..to].to_owned()).collect();
        let obx = |number: usize, data: &str| format!("OBX|{number}|ED|C^Note|{number}|^application^pdf^Base64^{data}||||||F");
        let lines: Vec<String> = match form {
            0 => pieces.iter().zip(1..).map(|(piece, number)| obx(number, piece)).collect(),
            1 => vec![obx(1, &pieces.join("~"))],
            _ => vec![obx(1, &pieces.join("\r\n"))],
        };
        let start = [header("ORU^R01"), "OBR|1|P1||C^Consult|||||||||||||||||||||F".to_owned()];
        let lines: Vec<&str> = start.iter().chain(&lines).map(String::as_str).collect();
        let reading = read(&message(&lines), "{}");
        let Meaning::Events(events) = &reading.meaning else { panic!("{}", tell(&reading)) };
        let [Event::Note(note)] = events.as_slice() else { panic!("{}", tell(&reading)) };
        prop_assert_eq!(STANDARD.decode(&note.content).ok(), Some(file));
    }

    #[test]
    fn any_text_in_a_times_place_is_read_or_refused(text in "[-+0-9TZ:. /]{0,30}") {
        let told = tell(&read(&message(&[&header("SIU^S12"), &format!("SCH|A1||||||||||^^^{text}")]), "{}"));
        prop_assert!(told.starts_with("appointment Booked") || told.starts_with("unreadable at SCH-11: "), "{}", told);
        prop_assert!(!told.contains("at ? for"), "{}", told);
    }
}
