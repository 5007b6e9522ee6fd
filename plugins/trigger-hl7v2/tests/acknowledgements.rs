//! What goes back to the sender.

use expect_test::{Expect, expect};

use crate::told::{message, read};

fn check(lines: &[&str], expected: &Expect) {
    let reading = read(&message(lines), "{}");
    let answers = [&reading.accepted, &reading.unavailable].map(|answer| {
        format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body).replace('\r', "\n    ").trim_end())
    });
    expected.assert_eq(&answers.join("\n"));
}

#[test]
fn original_mode_of_each_age() {
    check(
        &["MSH|^~\\&|EHR|CLINIC|HO|HERE|2026||ADT^A01^ADT_A01|77|T|2.8"],
        &expect![[r#"
        200 MSH|^~\&|HO|HERE|EHR|CLINIC|20260706080100+0000||ACK^A01^ACK|H4b9fc641ac624f01a99|T|2.8
            MSA|AA|77
        503 MSH|^~\&|HO|HERE|EHR|CLINIC|20260706080100+0000||ACK^A01^ACK|H2cd199817821ab5efcc|T|2.8
            MSA|AE|77
            ERR|||207^Application internal error^HL70357|E|||Send it again later|The message could not be stored"#]],
    );
    check(
        &["MSH|^~\\&|EHR|CLINIC|HO|HERE|2026||ADT^A01|77|P|2.3"],
        &expect![[r#"
        200 MSH|^~\&|HO|HERE|EHR|CLINIC|20260706080100+0000||ACK^A01|H4b9fc641ac624f01a99|P|2.3
            MSA|AA|77
        503 MSH|^~\&|HO|HERE|EHR|CLINIC|20260706080100+0000||ACK^A01|H2cd199817821ab5efcc|P|2.3
            MSA|AE|77|The message could not be stored
            ERR|^^^207&Application internal error&HL70357"#]],
    );
    check(
        &["MSH|^~\\&|EHR|CLINIC|HO|HERE|2026||ADT|77|P|2.1"],
        &expect![[r#"
            200 MSH|^~\&|HO|HERE|EHR|CLINIC|20260706080100||ACK|H4b9fc641ac624f01a99|P|2.1
                MSA|AA|77
            503 MSH|^~\&|HO|HERE|EHR|CLINIC|20260706080100||ACK|H2cd199817821ab5efcc|P|2.1
                MSA|AE|77|The message could not be stored
                ERR|^^^207"#]],
    );
}

#[test]
fn faults_name_their_place_in_each_age() {
    check(
        &["MSH|^~\\&|EHR||HO||2026||REF^I12|77|P|2.5.1", "RF1|P"],
        &expect![[r#"
        400 MSH|^~\&|HO||EHR||20260706080100+0000||ACK^I12^ACK|Hb52d125a4932626455b|P|2.5.1
            MSA|AE|77
            ERR||PID^1|100^Segment sequence error^HL70357|E|||send the patient in PID|the message has no PID segment
        503 MSH|^~\&|HO||EHR||20260706080100+0000||ACK^I12^ACK|Hb52d125a4932626455b|P|2.5.1
            MSA|AE|77
            ERR|||207^Application internal error^HL70357|E|||Send it again later|The message could not be stored"#]],
    );
    check(
        &["MSH|^~\\&|EHR||HO||2026||REF^I12|77|P|2.4", "RF1|P", "PID|1"],
        &expect![[r#"
        400 MSH|^~\&|HO||EHR||20260706080100+0000||ACK^I12^ACK|Hb52d125a4932626455b|P|2.4
            MSA|AE|77|PID-3 is empty
            ERR|PID^1^3^101&Required field missing&HL70357
        503 MSH|^~\&|HO||EHR||20260706080100+0000||ACK^I12^ACK|Hb52d125a4932626455b|P|2.4
            MSA|AE|77|The message could not be stored
            ERR|^^^207&Application internal error&HL70357"#]],
    );
    check(
        &["hello"],
        &expect![[r#"
            400 MSH|^~\&|HANDOFF||||20260706080100+0000||ACK^^ACK|Hc0bd0f8c9c611af1566|P|2.5.1
                MSA|AR|
                ERR|||100^Segment sequence error^HL70357|E|||send an HL7 v2 message that starts with MSH\F\\S\\R\\E\\T\\F\|this is not HL7 v2: it does not start with MSH
            503 MSH|^~\&|HANDOFF||||20260706080100+0000||ACK^^ACK|H1dbf118b77c9e4cfe93|P|2.5.1
                MSA|AE|
                ERR|||207^Application internal error^HL70357|E|||Send it again later|The message could not be stored"#]],
    );
}

#[test]
fn the_senders_delimiters_and_bytes_are_kept() {
    check(
        &["MSH#*+!%#EHR*1#CLI!F!NIC#HO#HERE#2026##ADT*A01#7 7#P#2.5"],
        &expect![[r#"
        200 MSH#*+!%#HO#HERE#EHR*1#CLI!F!NIC#20260706080100+0000##ACK*A01*ACK#H04e570cdacddd545f7f#P#2.5
            MSA#AA#7 7
        503 MSH#*+!%#HO#HERE#EHR*1#CLI!F!NIC#20260706080100+0000##ACK*A01*ACK#H2006b3b45ada6073f3e#P#2.5
            MSA#AE#7 7
            ERR###207*Application internal error*HL70357#E###Send it again later#The message could not be stored"#]],
    );
}

#[test]
fn enhanced_mode_answers_as_asked() {
    let rows = [
        ("AL", "NE", "CA", "CE"),
        ("AL", "AL", "CA", "CE"),
        ("NE", "AL", "AA", "AE"),
        ("ER", "NE", "", "CE"),
        ("SU", "NE", "CA", ""),
        ("NE", "NE", "", ""),
        ("", "ER", "", "AE"),
        ("", "SU", "AA", ""),
        ("", "", "AA", "AE"),
        (" ", "", "AA", "AE"),
    ];
    for (accept, application, accepted, unavailable) in rows {
        let header = format!("MSH|^~\\&|EHR||HO||2026||ADT^A01|77|P|2.5|||{accept}|{application}");
        let reading = read(&message(&[&header]), "{}");
        let code = |body: &[u8]| {
            let text = String::from_utf8_lossy(body).into_owned();
            text.split("\rMSA|").nth(1).and_then(|msa| msa.get(..2)).unwrap_or_default().to_owned()
        };
        assert_eq!(
            (code(&reading.accepted.body), code(&reading.unavailable.body)),
            (accepted.to_owned(), unavailable.to_owned()),
            "{accept} {application}"
        );
    }
}

#[test]
fn the_whole_cure_reaches_the_sender() {
    let lines = ["MSH|^~\\&|EHR||HO||2026||ORM^O01|77|P|2.5.1", "PID|1||12", "ORC|NW|P1", "OBR|1|P1||77^Something^L"];
    check(
        &lines,
        &expect![[r#"
        400 MSH|^~\&|HO||EHR||20260706080100+0000||ACK^O01^ACK|Hb52d125a4932626455b|P|2.5.1
            MSA|AE|77
            ERR||OBR^1^4|102^Data type error^HL70357|E|||send Referral or Consultation in OBR-4.2 or a section in OBR-24, or list OBR-4 in the trigger's settings|nothing says whether this order is a referral
        503 MSH|^~\&|HO||EHR||20260706080100+0000||ACK^O01^ACK|Hb52d125a4932626455b|P|2.5.1
            MSA|AE|77
            ERR|||207^Application internal error^HL70357|E|||Send it again later|The message could not be stored"#]],
    );
}
