//! Messages as they were met in the field, a file for each kind of trouble, and what each must come to.

use std::path::Path;

use trigger_hl7v2::message::Message;
use trigger_hl7v2::types::{Event, Meaning};

use crate::told::{read, tell};

fn message(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/field").join(format!("{name}.hl7"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The message means this (its beginning), and says each of these.
fn check(name: &str, begins: &str, says: &[&str]) {
    let told = tell(&read(&message(name), "{}"));
    assert!(told.starts_with(begins), "{name}: {told}");
    for said in says {
        assert!(told.contains(said), "{name} does not say {said}: {told}");
    }
}

fn answer(name: &str) -> String {
    String::from_utf8_lossy(&read(&message(name), "{}").accepted.body).into_owned()
}

#[test]
fn times_are_in_the_messages_zone_and_in_any_form_that_means_one_thing() {
    for name in ["05-msh7-zone-default", "23a-iso-time", "23b-z-time", "16b-s12"] {
        check(name, "appointment Booked", &["at 2027-01-12T19:30:00.000Z for 30 min"]);
    }
    check("16c-s14-no-time", "appointment Changed", &["at ? for 30 min"]);
}

#[test]
fn characters_are_the_senders() {
    let rows = [
        ("04-hex-escape-utf16", "\"Rosalba\" \"Nicolà\""),
        ("13a-charset-8859-2", "\"Bożena\" \"Wiśniewska-Żółć\""),
        ("13b-charset-8859-9", "\"Gülşen\" \"Yıldız\""),
        ("13c-charset-8859-15", "\"Žofia\" \"Lefœuvre\""),
        ("13d-charset-unknown", "\"明\" \"欧阳\""),
    ];
    for (name, said) in rows {
        check(name, "ordered ", &[said]);
    }
}

#[test]
fn the_delimiters_are_those_of_msh_2() {
    check("25-three-encoding-chars", "ordered [order R5025", &["Smith & Sons Plan"]);
    check("25b-xml-ampersand", "unreadable at MSH-2: ", &["went through XML"]);
    let answer = answer("25b-xml-ampersand");
    assert!(answer.contains("\rMSA|AR|H25b\r"), "{answer}");
}

#[test]
fn a_repeated_control_id_with_other_content_is_another_message() {
    let keys = ["06a-constant-control-id", "06b-constant-control-id"].map(|name| read(&message(name), "{}").dedupe_key);
    assert_ne!(keys[0], keys[1]);
    let other_line_ends: Vec<u8> = message("06a-constant-control-id")
        .iter()
        .flat_map(|&b| if b == b'\r' { vec![b'\r', b'\n'] } else { vec![b] })
        .collect();
    assert_eq!(read(&other_line_ends, "{}").dedupe_key, keys[0]);
}

#[test]
fn an_appointment_is_with_the_physician_and_lasts_as_long_as_the_visit() {
    check(
        "07-siu-no-rgs",
        "appointment Booked [order  | appointment 880123 | patient 70011@CEDAR:MR]",
        &["at 2027-01-12T14:30:00.000Z for 60 min with 1003000126 "],
    );
    check("27-several-aip", "appointment Booked [order K2", &["with 1003000126 / Paul McWilliams"]);
    check(
        "22b-dental-siu",
        "appointment Booked",
        &["with 4455667788 / Petra Hale /  /  / Dentist in \"Brightside Dental\""],
    );
}

#[test]
fn only_a_referral_is_a_referral() {
    check("14b-other-patient-same-number", "not for us: results of a laboratory", &[]);
    check("30-cancel-other-patient", "not for us: an order for a test", &[]);
    check("14a-order", "ordered [order 1101", &[]);
}

#[test]
fn a_changed_order_comes_again_and_says_so() {
    check(
        "17b-i13-modified",
        "ordered [order R5017 | appointment  | patient ] Stat",
        &["order-control=modified", "+15555559999", "Ana Ruiz"],
    );
    check(
        "17c-orm-xo",
        "ordered [order R5017 | appointment  | patient ] Stat",
        &["order-control=modified", "+15555559999"],
    );
    check("17a-order", "ordered [order R5017 | appointment  | patient ] Routine", &["extras []"]);
}

#[test]
fn what_nobody_can_take_over_yet_is_put_before_a_person() {
    let rows = [
        ("10b-merge-a40", "MSH-9", "two patient numbers become one"),
        ("18b-entered-in-error", "OBX-11", "a note is taken back"),
        ("24a-rri-rejected", "RF1-1", "does not take the patient"),
        ("24b-orm-ua", "ORC-1", "does not take the patient"),
        ("24c-ref-rejected", "RF1-1", "does not take the patient"),
        ("28-no-status", "OBR-25", "neither OBR-25 nor OBX-11 says whether the note is final"),
    ];
    for (name, place, said) in rows {
        check(name, &format!("unreadable at {place}: "), &[said]);
        assert!(answer(name).contains("\rMSA|AE|"), "{name}: {}", answer(name));
    }
}

#[test]
fn a_number_that_the_filler_replaced_is_looked_for_last() {
    check("09-number-in-orc4", "note SL-F771 [order SL-771 SL-F771 R5001 ", &["final=true"]);
}

#[test]
fn notes_say_who_wrote_them_and_whether_they_are_final() {
    check("18a-final-note", "note F9018 [order R5018 F9018", &["final=true"]);
    check("18c-corrected", "note F9018 [order R5018 F9018", &["final=true"]);
    check(
        "22c-pcp-own-note",
        "note DOC22 [order  | appointment  | patient 70221@CEDAR:MR]",
        &["LN#34746-8 Nurse progress note", "by 1999000111 / Ines Marsh"],
    );
    check(
        "29-note-two-open",
        "note D45 [order  | appointment  | patient 71004@CEDAR:MR]",
        &["by 1003000126 / Paul McWilliams"],
    );
}

#[test]
fn indented_segments_are_segments() {
    check("31-indented-segments", "ordered [order R5016", &["\"Ada\" \"Thistlewood\"", "I20.9"]);
}

#[test]
fn every_one_is_written_again_as_it_came_and_read_twice_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/field");
    for entry in std::fs::read_dir(folder).expect("the field's messages are part of this crate") {
        let path = entry.expect("a message can be listed").path();
        let bytes = std::fs::read(&path).expect("a message can be read");
        if let Ok(message) = Message::parse(&bytes) {
            assert_eq!(message.encode(), bytes, "{}", path.display());
        }
        let reading = read(&bytes, "{}");
        assert_eq!(reading, read(&bytes, "{}"), "{}", path.display());
        let Meaning::Events(events) = &reading.meaning else { continue };
        let is_final_and_empty =
            |event: &Event| matches!(event, Event::Note(note) if note.final_ && note.content.is_empty());
        assert!(!events.iter().any(is_final_and_empty), "{}", path.display());
    }
}
