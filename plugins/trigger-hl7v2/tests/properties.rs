//! Any bytes: nothing panics, everything is answered, and what was read can be written again as it came.

use proptest::prelude::*;
use trigger_hl7v2::message::Message;

use crate::told::read;

const SEEDS: [&[u8]; 4] = [
    include_bytes!("data/REF-I12-01.hl7"),
    include_bytes!("data/SIU-S12-01.hl7"),
    include_bytes!("data/MDM-T02-01.hl7"),
    include_bytes!("data/ORM-O01-03.hl7"),
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
    let line =
        "(PID|SCH|ORC|OBR|OBX|TXA|RF1|MSH|PRD|TQ1|IN1)([|~&^#\\\\][A-Z0-9.\\+\\-\"XF\\\\]{0,6}){0,40}[\r\n]{1,2}";
    let kind = "(REF|ORM|OMG|OSU|SIU|ORU|MDM|ADT)[\\^_](I12|I14|O01|O19|O51|S12|S26|R01|T02)";
    (kind, prop::collection::vec(line, 0..8))
        .prop_map(|(kind, lines)| format!("MSH|^~\\&|A|B|C|D|2026||{kind}|1|P|2.4\r{}", lines.concat()).into_bytes())
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..300), mutated(), shaped()]) {
        let reading = read(&bytes, "{}");
        prop_assert!(!reading.dedupe_key.is_empty());
        prop_assert_eq!(&reading, &read(&bytes, "{}"));
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
}
