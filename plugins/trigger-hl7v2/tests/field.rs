//! Messages as they were met in the field, a file for each kind of trouble, and what each must come to.

use std::path::Path;

use trigger_hl7v2::message::Message;
use trigger_hl7v2::types::{Event, Happening, Meaning, NoteStatus};

use crate::told::{delivery, read, tell};

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
    check("25-three-encoding-chars", "ordered [order R5025@NORTHEHR", &["Smith & Sons Plan"]);
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
    check(
        "27-several-aip",
        "appointment Booked [order K2 | appointment AP27@SCHED AP27F@SCHED | patient ]",
        &["with 1003000126 / Paul McWilliams"],
    );
    check(
        "22b-dental-siu",
        "appointment Booked [order  | appointment DEN22@SCHED DEN22F@SCHED | patient 70221@CEDAR:MR]",
        &["with 4455667788 / Petra Hale /  /  / Dentist in \"Brightside Dental\""],
    );
}

#[test]
fn only_a_referral_is_a_referral() {
    check("14b-other-patient-same-number", "not for us: results of a laboratory", &[]);
    check("30-cancel-other-patient", "not for us: an order for a test", &[]);
    for (name, number) in
        [("14a-order", "1101"), ("16a-order", "R5016"), ("21a-order", "R5021"), ("22a-order", "R5022")]
    {
        check(name, &format!("ordered [order {number}@NORTHEHR | appointment  | patient ] Routine"), &[]);
    }
}

/// The number of somebody else's system is another number, and its patient is named beside it.
#[test]
fn a_number_has_its_authority_and_its_patient() {
    let all = r#"{"results": "all", "orders": "all"}"#;
    let rows = [
        (
            "14b-other-patient-same-number",
            "note [order 77120@RADLAB 1101@RADLAB | ",
            "RADLAB|IMAGING",
            "88888",
            "Oakenshaw",
        ),
        ("30-cancel-other-patient", "withdrawn [order 2001@RADLAB ", "RADLAB|IMAGING", "5512", "Yarrow"),
        ("14a-order", "ordered [order 1101@NORTHEHR | ", "NORTHEHR|CEDAR", "70141", "Fennimore"),
        (
            "16b-s12",
            "appointment Booked [order R5016 | appointment AP16@SCHED AP16F@SCHED",
            "SCHED|CEDAR",
            "70161",
            "Thistlewood",
        ),
    ];
    for (name, told, sender, number, family) in rows {
        let reading = read(&message(name), all);
        assert!(tell(&reading).starts_with(told), "{name}: {}", tell(&reading));
        assert_eq!(reading.sender, sender, "{name}");
        let Meaning::Events(events) = &reading.meaning else { panic!("{name}") };
        let patient = events[0].about.patient.as_ref().unwrap_or_else(|| panic!("{name}"));
        assert_eq!((patient.identifiers[0].value.as_str(), patient.family.as_str()), (number, family), "{name}");
        assert_eq!(patient.birth_date.len(), "YYYY-MM-DD".len(), "{name}");
    }
}

#[test]
fn a_changed_order_comes_again_whole() {
    let number = "ordered [order R5017@NORTHEHR | appointment  | patient ]";
    check(
        "17a-order",
        &format!("{number} Routine"),
        &["+15555550154", "1003000126 / Dr. Paul McWilliams", "extras []"],
    );
    check("17b-i13-modified", &format!("{number} Stat"), &["+15555559999", "1003000134 / Dr. Ana Ruiz", "extras []"]);
    check("17c-orm-xo", &format!("{number} Stat"), &["+15555559999", "extras []"]);
}

#[test]
fn news_is_as_of_when_it_was_sent() {
    let rows = [
        ("21a-order", "2026-11-25T14:00:00.000Z"),
        ("21b-s15-newer", "2026-11-26T16:00:00.000Z"),
        ("21c-s12-older-late", "2026-11-26T14:00:00.000Z"),
        ("21d-s13-newer", "2026-11-27T16:00:00.000Z"),
        ("21e-s13-older-late", "2026-11-27T15:00:00.000Z"),
    ];
    for (name, expected) in rows {
        let mut later = delivery(&message(name));
        later.received_at = 1_796_000_000_000;
        let reading = trigger_hl7v2::interpret(&later, "{}");
        let Meaning::Events(events) = &reading.meaning else { panic!("{name}") };
        let as_of: Vec<Option<i64>> = events.iter().map(|event| event.as_of).collect();
        assert_eq!(as_of, [moment::read_rfc3339(expected)], "{name}");
    }
    check("21b-s15-newer", "appointment Cancelled [order R5021 | appointment AP21@SCHED AP21F@SCHED", &[]);
    check("21e-s13-older-late", "appointment Moved [order R5021 ", &["at 2027-01-20T13:00:00.000Z"]);
}

#[test]
fn a_merge_retires_the_number_that_the_patient_had() {
    let merged = "patient merged [order  | appointment  | patient 70199@CEDAR:MR] was 70101@CEDAR:MR";
    check("10b-merge-a40", merged, &[]);
    check("10a-order", "ordered [order R5010@NORTHEHR ", &["patient 70101@CEDAR:MR "]);
    check(
        "10c-siu-surviving-mrn",
        "appointment Booked [order  | appointment AP10@SCHED AP10F@SCHED | patient 70199@CEDAR:MR]",
        &[],
    );
}

#[test]
fn the_specialists_office_declines() {
    let declined = "declined [order R5001@NORTHEHR | appointment  | patient ] the specialist's office does not take";
    for name in ["24a-rri-rejected", "24b-orm-ua", "24c-ref-rejected"] {
        check(name, declined, &[]);
        assert!(answer(name).contains("\rMSA|AA|"), "{name}: {}", answer(name));
    }
    // What was written by hand may speak of the patient.
    assert!(!tell(&read(&message("24b-orm-ua"), "{}")).contains("condition"));
}

#[test]
fn a_note_that_does_not_say_whether_it_is_final_is_put_before_a_person() {
    let said = "neither OBR-25 nor OBX-11 says whether the note is final";
    check("28-no-status", "unreadable at OBR-25: ", &[said]);
    assert!(answer("28-no-status").contains("\rMSA|AE|"), "{}", answer("28-no-status"));
}

#[test]
fn the_number_of_a_group_is_named_as_one() {
    check(
        "09-number-in-orc4",
        "note [order SL-771@STATELAB SL-F771@STATELAB | appointment  | patient  | group R5001@NORTHEHR | document SL-F771@STATELAB]",
        &[" final by "],
    );
}

#[test]
fn notes_say_who_wrote_them_and_how_far_they_have_come() {
    let about = "[order R5018 F9018 | appointment  | patient  | document F9018]";
    check("18a-final-note", &format!("note {about} LN#11488-4 Consultation note final by"), &[]);
    check("18b-entered-in-error", &format!("note taken back {about}"), &[]);
    check("18c-corrected", &format!("note {about} LN#11488-4 Consultation note corrected by"), &[]);
    check(
        "22c-pcp-own-note",
        "note [order  | appointment  | patient 70221@CEDAR:MR | document DOC22]",
        &["LN#34746-8 Nurse progress note final", "by 1999000111 / Ines Marsh", "written 2026-11-26T05:00:00.000Z"],
    );
    check(
        "29-note-two-open",
        "note [order  | appointment  | patient 71004@CEDAR:MR | document D45]",
        &["by 1003000126 / Paul McWilliams"],
    );
}

#[test]
fn indented_segments_are_segments() {
    check("31-indented-segments", "ordered [order R5016@NORTHEHR", &["\"Ada\" \"Thistlewood\"", "I20.9"]);
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
        let is_final_and_empty = |event: &Event| matches!(&event.what, Happening::Note(note) if note.status != NoteStatus::Preliminary && note.documents.is_empty());
        assert!(!events.iter().any(is_final_and_empty), "{}", path.display());
    }
}

#[test]
fn what_is_too_long_is_refused_for_good_and_whatever_it_began_to_say() {
    for name in ["18a-final-note", "10a-order"] {
        let mut cut = delivery(&message(name)[..200]);
        cut.too_long = Some(90_000_000);
        let reading = trigger_hl7v2::interpret(&cut, "{}");
        let Meaning::Unreadable(problem) = &reading.meaning else { panic!("{name}") };
        assert_eq!(
            (problem.location.as_str(), &*problem.message),
            ("message", "the message has 90000000 bytes, more than are taken")
        );
        let answer = String::from_utf8_lossy(&reading.accepted.body).into_owned();
        assert!(answer.contains("\rMSA|AR|"), "{answer}");
    }
}
