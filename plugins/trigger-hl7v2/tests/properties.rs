//! Any bytes: nothing panics, everything is answered, and what was read can be written again as it came.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use trigger_hl7v2::message::Message;
use trigger_hl7v2::types::{Event, Happening, Identifier, Meaning, NoteStatus, Number, Patient, Provider, Reading};

use crate::told::{header, message, read, tell};

const SEEDS: [&[u8]; 13] = [
    b"MSH|^~\\&|A|B|C|D|2026||ORM^O01|1|P|2.4\rPID|1||7\rORC|NW|P1\rOBR|1|||C^Consult\rORC|NW|P2\rOBR|2|||77\rORC|CA|P3\rOBR|3|||C^Consult\r",
    include_bytes!("data/REF-I12-01.hl7"),
    include_bytes!("data/SIU-S12-01.hl7"),
    include_bytes!("data/MDM-T02-01.hl7"),
    include_bytes!("data/ORM-O01-03.hl7"),
    include_bytes!("data/field/01-pdf-in-pieces.hl7"),
    include_bytes!("data/field/04-hex-escape-utf16.hl7"),
    include_bytes!("data/field/13d-charset-unknown.hl7"),
    include_bytes!("data/field/19-unescaped-in-text.hl7"),
    include_bytes!("data/field/23a-iso-time.hl7"),
    include_bytes!("data/field/09-number-in-orc4.hl7"),
    include_bytes!("data/field/10b-merge-a40.hl7"),
    include_bytes!("data/ADT-A08-01.hl7"),
];

/// Nothing set, everything set otherwise, and a line that no settings are.
const SETTINGS: [&str; 3] = [
    "{}",
    r#"{"default_offset": "-05:00", "zone": "America/New_York", "charset": "BIG-5", "orders": "all", "results": "all",
        "referral_services": ["X"], "other_services": ["Y"], "identity_changes": "ignore", "match_patient": "always", "test_messages": "take",
        "dedupe": "control-id", "map": {"urgency": {"from": ["OBX[3=A]-5(1).1", "PID-3"], "codes": {"A": "stat"}, "default": "urgent"},
        "referral_number": "RF1-6", "mobile": "PID-13", "diagnosis": {"from": "OBX-5", "codes": {"A": "B"}}, "reason": "NTE-3",
        "visit_type": "OBR-4", "visit_status": {"from": "SCH-25.1", "default": "booked"}}}"#,
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
    let line = "[ ]{0,2}(PID|SCH|ORC|OBR|OBX|NTE|TXA|RF1|MSH|PRD|TQ1|IN1|AIP|AIS|MRG|MSA)([|~&^#\\\\][A-Z0-9.\\+\\-:\"=XFMC\\\\]{0,6}){0,40}[\r\n]{1,2}";
    let kind =
        "(REF|RRI|ORM|OMG|ORR|OSU|SIU|ORU|MDM|ADT)[\\^_](I12|I14|O01|O19|O51|S12|S26|R01|T02|T09|T11|A08|A40|A47)";
    let charset = "(|ASCII|8859/[0-9]|UNICODE UTF-(8|16)|GB 18030-2000|BIG-5|~ISO IR87|KS X 1001|X)";
    (kind, charset, prop::collection::vec(line, 0..8)).prop_map(|(kind, charset, lines)| {
        format!("MSH|^~\\&|A|B|C|D|2026||{kind}|1|P|2.4||||||{charset}\r{}", lines.concat()).into_bytes()
    })
}

/// Every text of a reading that is no document's content.
fn texts(reading: &Reading) -> Vec<String> {
    let mut texts = vec![reading.kind.clone(), reading.sender.clone()];
    let Meaning::Events(events) = &reading.meaning else { return texts };
    for Event { about, as_of: _, what } in events {
        for numbers in [&about.referral, &about.appointment, &about.document, &about.group] {
            texts.extend(numbers.iter().flat_map(|number| [number.value.clone(), number.authority.clone()]));
        }
        if let Some(patient) = &about.patient {
            texts.extend(identifiers(&patient.identifiers));
            texts.extend([patient.given.clone(), patient.family.clone(), patient.birth_date.clone()]);
        }
        texts.extend(match what {
            Happening::Ordered(order) => {
                let providers = [Some(&order.referring), order.referred_to.as_ref()].into_iter().flatten();
                let services = order.services.iter().chain(&order.diagnoses).chain([&order.specialty]);
                let coded = services.flat_map(|code| [code.system.clone(), code.code.clone(), code.display.clone()]);
                let plans =
                    order.coverages.iter().flat_map(|it| [it.plan_id.clone(), it.payer.clone(), it.member_id.clone()]);
                providers.flat_map(provider).chain(coded).chain(plans).chain(of_patient(&order.patient)).collect()
            }
            Happening::Declined(why) => vec![why.clone()],
            Happening::Appointment(notice) => {
                notice.with.iter().flat_map(provider).chain([notice.place.clone()]).collect::<Vec<_>>()
            }
            Happening::Note(note) => {
                let heads = note.documents.iter().flat_map(|it| [it.media_type.clone(), it.title.clone()]);
                note.author.iter().flat_map(provider).chain([note.kind.display.clone()]).chain(heads).collect()
            }
            Happening::PatientUpdated(patient) => of_patient(patient),
            Happening::PatientMerged(retired) => identifiers(retired),
            Happening::Withdrawn | Happening::NoteRetracted | Happening::PatientDied => Vec::new(),
        });
    }
    texts
}

fn of_patient(patient: &Patient) -> Vec<String> {
    let address = &patient.address;
    let texts = [&patient.given, &patient.family, &patient.birth_date, &address.line, &address.city, &address.state];
    let phones = patient.phones.iter().map(|phone| phone.number.clone());
    texts
        .into_iter()
        .cloned()
        .chain(identifiers(&patient.identifiers))
        .chain(phones)
        .chain(patient.emails.clone())
        .collect()
}

fn provider(provider: &Provider) -> Vec<String> {
    [&provider.id, &provider.name, &provider.organization, &provider.phone, &provider.specialty]
        .map(Clone::clone)
        .into()
}

fn identifiers(list: &[Identifier]) -> Vec<String> {
    list.iter().flat_map(|it| [it.value.clone(), it.authority.clone(), it.kind.clone()]).collect()
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
        if let Meaning::Parts(bodies) = &reading.meaning {
            prop_assert!(bodies.len() > 1, "one thing is no several");
            let again = bodies.iter().any(|body| matches!(read(body, settings).meaning, Meaning::Parts(_)));
            prop_assert!(!again, "a part is cut again");
        }
        if let Meaning::Events(events) = &reading.meaning {
            prop_assert!(!events.is_empty());
            for event in events {
                let numbered = [&event.about.referral, &event.about.appointment, &event.about.group];
                let is_named = event.about.patient.as_ref().is_some_and(|patient| !patient.identifiers.is_empty());
                let is_found = matches!(event.what, Happening::NoteRetracted) && !event.about.document.is_empty();
                prop_assert!(is_named || is_found || numbered.iter().any(|numbers| !numbers.is_empty()));
                let Happening::Note(note) = &event.what else { continue };
                prop_assert!(note.status == NoteStatus::Preliminary || !note.documents.is_empty());
                prop_assert!(note.documents.iter().all(|document| STANDARD.decode(&document.content).is_ok()));
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
        let [Event { what: Happening::Note(note), .. }] = events.as_slice() else { panic!("{}", tell(&reading)) };
        let [document] = note.documents.as_slice() else { panic!("{}", tell(&reading)) };
        prop_assert_eq!(STANDARD.decode(&document.content).ok(), Some(file));
    }

    #[test]
    fn a_number_keeps_its_authority_wherever_it_stands(
        value in "[A-Z0-9.-]{1,12}",
        namespace in "[A-Z][A-Z ]{0,8}[A-Z]",
        universal in "[0-9]\\.[0-9]{1,4}",
        form in 0..5_usize,
        place in 0..8_usize,
    ) {
        let (written, authority) = match form {
            0 => (format!("{value}^{namespace}"), namespace),
            1 => (format!("{value}^{namespace}^{universal}^ISO"), namespace),
            2 => (format!("{value}^^{universal}^ISO"), format!("urn:oid:{universal}")),
            3 => (format!("{value}^&{universal}&ISO"), format!("urn:oid:{universal}")),
            _ => (format!("{value}&{namespace}"), namespace),
        };
        let number = Number { value, authority };
        let obx = "OBX|1|TX|C||Seen.||||||F";
        let txa = |field: usize| format!("TXA|1|CN{}{written}", "|".repeat(field - 2));
        let (kind, lines): (&str, Vec<String>) = match place {
            0 => ("REF^I12", vec![format!("RF1|P|R||||{written}"), "PID|1||12||Ng^Ann".to_owned()]),
            1 => ("REF^I14", vec![format!("RF1|P|R|||||||||{written}")]),
            2 => ("ORM^O01", vec![format!("ORC|CA|{written}")]),
            3 => ("ORU^R01", vec![format!("ORC|RE|P1||{written}"), "OBR|1|P1||C^Consult|||||||||||||||||||||F".to_owned(), obx.to_owned()]),
            4 => ("ORU^R01", vec![format!("OBR|1||{written}|C^Consult|||||||||||||||||||||F"), obx.to_owned()]),
            5 => ("SIU^S15", vec![format!("SCH|A1|{written}")]),
            6 => ("SIU^S15", vec![format!("SCH|A1{}{written}", "|".repeat(25))]),
            _ => ("MDM^T11", vec![format!("{}||P1", txa(12)), "ORC|RE|P1".to_owned()]),
        };
        let header = header(kind);
        let lines: Vec<&str> = [header.as_str()].into_iter().chain(lines.iter().map(String::as_str)).collect();
        let reading = read(&message(&lines), "{}");
        let Meaning::Events(events) = &reading.meaning else { panic!("{}", tell(&reading)) };
        let about = &events[0].about;
        let lists = match place {
            0 | 1 | 2 | 6 => vec![&about.referral],
            3 => vec![&about.group],
            4 => vec![&about.referral, &about.document],
            5 => vec![&about.appointment],
            _ => vec![&about.document],
        };
        prop_assert!(lists.iter().all(|list| list.contains(&number)), "{:?} is not in {:?}", number, about);
        // The named number is there once: its value stands in no list without whoever gave it out.
        for list in [&about.referral, &about.appointment, &about.document, &about.group] {
            prop_assert!(list.iter().all(|it| it.value != number.value || it.authority == number.authority || it.value == "P1" || it.value == "A1"));
        }
    }

    #[test]
    fn any_text_in_a_times_place_is_read_or_refused(text in "[-+0-9TZ:. /]{0,30}") {
        let told = tell(&read(&message(&[&header("SIU^S12"), &format!("SCH|A1||||||||||^^^{text}")]), "{}"));
        prop_assert!(told.starts_with("appointment Booked") || told.starts_with("unreadable at SCH-11: "), "{}", told);
        prop_assert!(!told.contains("at ? for"), "{}", told);
    }
}
