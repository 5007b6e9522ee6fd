//! Any bytes as an HL7 v2 delivery: read without a panic, twice the same, and answered so that the sender knows which
//! message is meant.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trigger_hl7v2::interpret;
use trigger_hl7v2::message::Message;
use trigger_hl7v2::types::{Answer, Delivery, Meaning, Transport};

/// What a practice sets changes what is read: nothing set, everything set, and a line that no settings are.
const SETTINGS: [&str; 4] = [
    "",
    r#"{"orders": "all", "map": {"urgency": {"from": ["OBX[OBX-3.1=A]-5", "ZRF-2(2).1.2"], "codes": {"U": "urgent"}}, "diagnosis": "PID-3",
        "referral_number": "PID-3[5=MR]", "mobile": "PID-13", "specialist": "PV1-8", "reason": "NTE-3", "visit_status": {"from": "SCH-25", "default": "booked"}}}"#,
    r#"{"default_offset": "-05:00", "orders": "by-service", "match_patient": "always", "dedupe": "content"}"#,
    r#"{"dedupe": "never"}"#,
];

/// 2026-07-06T08:01:00Z.
const NOW: i64 = 1_783_324_860_000;

fuzz_target!(|body: &[u8]| {
    let transport = if can_be_framed(body) { Transport::Mllp } else { Transport::Http };
    let delivery =
        Delivery { source: "ehr".to_owned(), transport, headers: Vec::new(), body: body.to_vec(), too_long: None, received_at: NOW };
    for settings in SETTINGS {
        let reading = interpret(&delivery, settings);
        assert_eq!(reading, interpret(&delivery, settings), "the same bytes read differently");
        assert!(!reading.dedupe_key.is_empty() && !reading.kind.is_empty());
        let status = match &reading.meaning {
            Meaning::Events(_) | Meaning::NotForUs(_) => [200, 200],
            Meaning::Parts(bodies) => {
                let again = |body: &Vec<u8>| {
                    let part = Delivery { body: body.clone(), ..delivery.clone() };
                    matches!(interpret(&part, settings).meaning, Meaning::Parts(_))
                };
                assert!(bodies.len() > 1 && !bodies.iter().any(again), "a part is cut again");
                [200, 200]
            }
            Meaning::Unreadable(_) => [400, 503],
        };
        assert!(status.contains(&reading.accepted.status), "{}", reading.accepted.status);
        assert_eq!(reading.unavailable.status, 503);
        for answer in [&reading.accepted, &reading.unavailable] {
            check(body, answer);
        }
    }
});

/// MLLP's start and end blocks end a frame wherever they stand, so a message that came in one holds neither.
fn can_be_framed(bytes: &[u8]) -> bool {
    !bytes.iter().any(|byte| matches!(byte, 0x0B | 0x1C))
}

/// An acknowledgement is MSH, MSA and perhaps ERR, one for each fault, in the sender's own delimiters. It is empty where none was asked for.
fn check(body: &[u8], answer: &Answer) {
    if answer.body.is_empty() {
        return;
    }
    assert!(!can_be_framed(body) || can_be_framed(&answer.body), "the answer breaks its frame");
    let Ok(read) = Message::parse(&answer.body) else { panic!("the answer cannot be read") };
    let names: Vec<&[u8]> = read.segments().iter().map(|segment| segment.name()).collect();
    let is_err = |name: &&[u8]| *name == b"ERR";
    assert!(matches!(&names[..], [b"MSH", b"MSA", errors @ ..] if errors.iter().all(is_err)), "{names:?}");
    if let Ok(message) = Message::parse(body) {
        assert_eq!(message.encode(), body, "what was read is not written again as it came");
        let (named, sent) = (read.segments()[1].field(2).raw(), message.header().field(10).raw());
        assert_eq!(trimmed(named), trimmed(sent), "the answer names another message");
    }
}

/// Blanks and NULs at a message's end are left over from its framing, and MSA-2 stands at the end of most answers.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| !b"\x1C\x1A\r\n \t\0".contains(byte)).map_or(0, |last| last + 1);
    &bytes[..end]
}
