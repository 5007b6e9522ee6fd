//! Several orders or results in one message, one of which is bad: the others do not wait for it.

use trigger_hl7v2::types::Meaning;

use crate::told::{header, message, read, tell};

const PID: &str = "PID|1||12^^^MR1^MR||Ng^Ann||1980";

/// What each part means when it is read alone, and the answer to the whole.
fn parts(kind: &str, lines: &[&str], settings: &str) -> (Vec<String>, String) {
    let header = header(kind);
    let all: Vec<&str> = std::iter::once(header.as_str()).chain(lines.iter().copied()).collect();
    let reading = read(&message(&all), settings);
    let Meaning::Parts(bodies) = &reading.meaning else { panic!("{}", tell(&reading)) };
    let told = bodies.iter().map(|body| tell(&read(body, settings)).lines().next().unwrap_or_default().to_owned());
    (told.collect(), String::from_utf8_lossy(&reading.accepted.body).into_owned())
}

#[test]
fn the_good_orders_of_a_message_do_not_wait_for_the_bad_one() {
    let lines = [
        PID,
        "IN1|1|P",
        "ORC|NW|P1",
        "OBR|1|P1||C^Consult",
        "DG1|1||A1",
        "ORC|NW|P2",
        "OBR|2|P2||77^Procedure 77",
        "ORC|NW|P3",
        "OBR|3|P3||C^Consult",
        "ORC|NW|P4",
        "OBR|4|P4||CBC^Blood count",
    ];
    let (told, answer) = parts("ORM^O01", &lines, "{}");
    let unsaid = "unreadable at OBR-4: nothing says whether this order is a referral; send Referral or Consultation in OBR-4.2 \
                  or a section in OBR-24, or list OBR-4 in the trigger's settings";
    assert_eq!(
        told,
        [
            "ordered [order P1 | appointment  | patient ] Routine",
            unsaid,
            "ordered [order P3 | appointment  | patient ] Routine",
        ]
    );
    assert!(answer.contains("\rMSA|AE|77\r"), "{answer}");
    assert!(
        answer.contains("\rERR||OBR^2^4|102^Data type error^HL70357|E|"),
        "its place in the whole message: {answer}"
    );
    assert!(answer.contains("nothing says whether this order is a referral; the rest was taken"), "{answer}");
}

#[test]
fn each_bad_order_is_told_and_all_may_be_bad() {
    let lines = [PID, "ORC|NW|P1", "OBR|1|||77", "ORC||P2", "OBR|2|||C^Consult"];
    let (told, answer) = parts("OMG^O19", &lines, "{}");
    assert_eq!(told.len(), 2);
    assert!(told[0].starts_with("unreadable at OBR-4: ") && told[1].starts_with("unreadable at ORC-1: "), "{told:?}");
    assert_eq!(answer.matches("\rERR|").count(), 2, "{answer}");
    // Before 2.5, ERR is one segment whose field repeats.
    let lines: Vec<String> = std::iter::once(header("ORM^O01").replace("2.5.1", "2.3"))
        .chain(lines.iter().map(|line| (*line).to_owned()))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let answer = String::from_utf8_lossy(&read(&message(&lines), "{}").accepted.body).into_owned();
    assert_eq!(answer.matches("\rERR|").count(), 1, "{answer}");
    assert!(answer.contains("\rERR|OBR^1^4^102&Data type error&HL70357~ORC^1^1^101&"), "{answer}");
}

#[test]
fn one_bad_order_among_tests_is_refused_as_it_is() {
    let lines = [PID, "ORC|NW|P1", "OBR|1|||77", "ORC|NW|P2", "OBR|2|||CBC^Blood count"];
    let all: Vec<String> =
        std::iter::once(header("ORM^O01")).chain(lines.iter().map(|line| (*line).to_owned())).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    assert!(tell(&read(&message(&all), "{}")).starts_with("unreadable at OBR-4"));
}

#[test]
fn the_good_notes_of_a_message_do_not_wait_for_the_bad_one() {
    let second = "PID|2||13^^^MR1^MR||Wu^Bo||1990";
    let note = |number: &str| format!("OBR|1|{number}|D{number}|11488-4^Consult note^LN|||||||||||||||||||||F");
    let (first, third) = (note("P1"), note("P3"));
    let bad = "OBR|2|P2|DP2|11488-4^Consult note^LN|||||||||||||||||||||F";
    let lines = [PID, &first, "OBX|1|TX|||Seen||||||F", bad, second, &third, "OBX|1|TX|||Seen too||||||F"];
    let (told, answer) = parts("ORU^R01", &lines, "{}");
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("note [order P1 DP1 "), "{}", told[0]);
    assert!(told[1].starts_with("unreadable at OBX-5: "), "{}", told[1]);
    assert!(told[2].starts_with("note [order P3 DP3 "), "{}", told[2]);
    assert!(answer.contains("\rMSA|AE|77\r"), "{answer}");
    // The second patient's note is still the second patient's.
    let header = header("ORU^R01");
    let all: Vec<&str> = std::iter::once(header.as_str()).chain(lines.iter().copied()).collect();
    let Meaning::Parts(bodies) = read(&message(&all), "{}").meaning else { panic!("parts") };
    let Meaning::Events(events) = read(&bodies[2], "{}").meaning else { panic!("a note") };
    assert_eq!(events[0].about.patient.as_ref().map(|patient| patient.family.as_str()), Some("Wu"));
}

#[test]
fn what_cannot_be_cut_is_refused_whole() {
    let lines = [
        header("ORM^O01").replace("|P|2.5.1", "|P|2.5.1||||||GB 18030-2000").into_bytes(),
        PID.as_bytes().to_vec(),
        b"ORC|NW|P1".to_vec(),
        [b"OBR|1|||C^Consult ".as_slice(), b"\x81\x7c"].concat(),
        b"ORC|NW|P2".to_vec(),
        b"OBR|2|||77".to_vec(),
    ];
    let body: Vec<u8> = lines.into_iter().flat_map(|line| [line, b"\r".to_vec()].concat()).collect();
    let told = tell(&read(&body, "{}"));
    assert!(told.starts_with("unreadable at OBR[2]-4: "), "{told}");
}
