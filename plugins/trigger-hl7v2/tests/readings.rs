//! Rules, a row each: which message means what.

use crate::told::{meaning, message, read, tell};

const PID: &str = "PID|1||12^^^MR1^MR||Ng^Ann||1980";

fn first_line(kind: &str, lines: &[&str], settings: &str) -> String {
    meaning(kind, lines, settings).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn referrals() {
    let numbered = |status: &str, priority: &str| format!("RF1|{status}|{priority}|CAR^Cardiology|||R1^A");
    let rows = [
        ("REF^I12", numbered("P", "R"), "ordered [order R1 | appointment  | patient ] Routine"),
        ("REF^I12", numbered("A", "S"), "ordered [order R1 | appointment  | patient ] Stat"),
        ("REF^I13", numbered("", "A"), "ordered [order R1 | appointment  | patient ] Urgent"),
        ("REF^I12", numbered("CA^Cancelled", "R"), "withdrawn [order R1 | appointment  | patient ]"),
        ("REF^I13", numbered("X^Cancelled", "R"), "withdrawn [order R1 | appointment  | patient ]"),
        ("REF^I14", numbered("P", "R"), "withdrawn [order R1 | appointment  | patient ]"),
        ("REF^I14", "RF1|P".to_owned(), "withdrawn [order  | appointment  | patient 12@MR1:MR]"),
        ("REF^I15", numbered("P", "R"), "not for us: REF^I15 asks about a referral and orders none"),
        ("REF^I12", numbered("E^Expired", "R"), "withdrawn [order R1 | appointment  | patient ]"),
        ("RRI^I12", numbered("A", "R"), "not for us: an answer to a referral that changes nothing"),
        ("RRI^I14", numbered("R", "R"), "not for us: an answer to a referral that changes nothing"),
    ];
    for (kind, rf1, expected) in rows {
        assert_eq!(first_line(kind, &[&rf1, PID], "{}"), expected, "{kind} {rf1}");
    }
}

#[test]
fn orders() {
    let referral = "OBR|1|||306206005^Referral to service^SCT";
    let blood = "OBR|1|||24317-0^Hemogram^LN";
    let by_service = "{}";
    let all = r#"{"orders": "referrals"}"#;
    let rows = [
        ("ORM^O01", "ORC|NW|P1|F1", blood, all, "ordered [order P1 F1 | appointment  | patient ] Routine"),
        ("ORM", "ORC|NW|P1", blood, r#"{"orders": "all"}"#, "ordered [order P1 | appointment  | patient ] Routine"),
        (
            "OMG^O19^OMG_O19",
            "ORC|NW|P1||||||^^^^^S",
            blood,
            all,
            "ordered [order P1 | appointment  | patient ] Routine",
        ),
        ("OMG^O19", "ORC|NW|P1|||||^^^^^S", blood, all, "ordered [order P1 | appointment  | patient ] Stat"),
        (
            "ORM^O01",
            "ORC|NW|P1",
            blood,
            by_service,
            "not for us: an order for a test, an image or a medicine, not a referral",
        ),
        ("ORM^O01", "ORC|NW|P1", referral, by_service, "ordered [order P1 | appointment  | patient ] Routine"),
        (
            "ORM^O01",
            "ORC|NW|P1",
            "OBR|1|||77^Cardiology Consult^L",
            by_service,
            "ordered [order P1 | appointment  | patient ] Routine",
        ),
        (
            "ORM^O01",
            "ORC|NW|P1",
            "OBR|1|||77^Chest^L||||||||||||||||||||RAD",
            by_service,
            "not for us: an order for a test, an image or a medicine, not a referral",
        ),
        ("ORM^O01", "ORC|CA|P1", referral, "{}", "withdrawn [order P1 | appointment  | patient ]"),
        ("OMG^O19", "ORC|DC|P1", referral, "{}", "withdrawn [order P1 | appointment  | patient ]"),
        ("ORM^O01", "ORC|SC|P1|||CA", referral, "{}", "withdrawn [order P1 | appointment  | patient ]"),
        (
            "ORM^O01",
            "ORC|SC|P1|||HD",
            referral,
            "{}",
            "not for us: ORM^O01 with an order control that changes nothing for the patient",
        ),
        (
            "OSU^O51",
            "ORC|SC|P1|||CM",
            "",
            "{}",
            "appointment Completed [order P1 | appointment  | patient ] at ? for ? with nobody in \"\"",
        ),
        ("OSU^O51", "ORC|SC|P1|||CA", "", "{}", "withdrawn [order P1 | appointment  | patient ]"),
        (
            "OSU^O51",
            "ORC|SC|P1|||SC",
            "TQ1|||||||202607101400-0500",
            "{}",
            "appointment Booked [order P1 | appointment  | patient ] at 2026-07-10T19:00:00.000Z for ? with nobody in \"\"",
        ),
        (
            "OSU^O51",
            "ORC|SC|P1|||SC",
            "",
            "{}",
            "not for us: scheduled, but no time is given; the SIU message will tell it",
        ),
        ("OSU^O51", "ORC|SC|P1|||IP", "", "{}", "not for us: an order status that changes nothing for the patient"),
    ];
    for (kind, orc, obr, settings, expected) in rows {
        assert_eq!(first_line(kind, &[PID, orc, obr], settings), expected, "{kind} {orc} {obr} {settings}");
    }
}

#[test]
fn appointments() {
    let sch = |status: &str, order: &str| {
        format!("SCH|A1|A2|||||||30|min|^^^202607101400^202607101430||||||||||||||{status}|{order}")
    };
    let rows = [
        ("SIU^S12", sch("Booked", "P1"), "Booked [order P1 | appointment A1 A2 | patient ]"),
        ("SIU^S12", sch("Booked", ""), "Booked [order  | appointment A1 A2 | patient 12@MR1:MR]"),
        ("SIU^S13^SIU_S12", sch("", "P1"), "Moved [order P1 | appointment A1 A2 | patient ]"),
        ("SIU^S14", sch("Arrived", "P1"), "Arrived [order P1 | appointment A1 A2 | patient ]"),
        ("SIU^S14", sch("Started", "P1"), "Arrived [order P1 | appointment A1 A2 | patient ]"),
        ("SIU^S14", sch("Complete", "P1"), "Completed [order P1 | appointment A1 A2 | patient ]"),
        ("SIU^S14", sch("No Show", "P1"), "NoShow [order P1 | appointment A1 A2 | patient ]"),
        ("SIU^S14", sch("Cancelled", "P1"), "Cancelled [order P1 | appointment A1 A2 | patient ]"),
        ("SIU^S20", sch("Booked", "P1"), "Changed [order P1 | appointment A1 A2 | patient ]"),
        ("SIU^S15", sch("Booked", "P1"), "Cancelled [order P1 | appointment A1 A2 | patient ]"),
        ("SIU^S15", sch("Noshow", "P1"), "NoShow [order P1 | appointment A1 A2 | patient ]"),
        ("SIU^S17", sch("Cancelled", "P1"), "Deleted [order P1 | appointment A1 A2 | patient ]"),
        ("SIU_S26", sch("Booked", "P1"), "NoShow [order P1 | appointment A1 A2 | patient ]"),
    ];
    for (kind, sch, expected) in rows {
        let expected = format!("appointment {expected} at 2026-07-10T19:00:00.000Z for 30 min with nobody in \"\"");
        assert_eq!(meaning(kind, &[&sch, PID], r#"{"default_offset": "-05:00"}"#), expected, "{kind} {sch}");
    }
    let none = [("SIU^S23", "Blocked"), ("SIU^S12", "Waitlist"), ("SIU^S27", "")];
    for (kind, status) in none {
        assert!(meaning(kind, &[&sch(status, "P1"), PID], "{}").starts_with("not for us: "), "{kind} {status}");
    }
}

#[test]
fn appointment_times_come_from_the_best_place() {
    let rows: [(&[&str], &str); 6] = [
        (&["SCH|A1||||||||60|s|^^^202607101400+0000"], "at 2026-07-10T14:00:00.000Z for 1 min"),
        (
            &["SCH|A1||||||||2|hr|^^^202607101400+0000", "TQ1|||||||202607111400+0000"],
            "at 2026-07-11T14:00:00.000Z for 120 min",
        ),
        (&["SCH|A1", "RGS|1", "AIS|1||X|202607101400+0000|||45|min"], "at 2026-07-10T14:00:00.000Z for 45 min"),
        (&["SCH|A1", "AIP|1||D^Dent|||202607101400+0000"], "at 2026-07-10T14:00:00.000Z for ?"),
        (&["SCH|A1||||||||||^^^20260710"], "unreadable at SCH-11: SCH-11 names a day and no hour; "),
        (&["SCH|A1||||||||||^^^20260231140000"], "unreadable at SCH-11: SCH-11 is no time that HL7 knows; "),
    ];
    for (lines, expected) in rows {
        let told = meaning("SIU^S12", lines, "{}");
        assert!(told.contains(expected), "{lines:?}: {told}");
    }
}

#[test]
fn notes() {
    let pdf = "OBX|1|ED|11488-4^Consultation note^LN||^application^pdf^Base64^JVBERi0xLjQ=||||||F";
    let text = "OBX|1|TX|11488-4^Consultation note^LN||Seen\\.br\\today||||||F";
    let rows: [(&str, &[&str], &str); 11] = [
        (
            "ORU^R01",
            &["ORC|RE|P1|F1", "OBR|1|P1|F1|11488-4^Consult^LN|||20260701||||||||||||||||||F", pdf],
            "note F1 [order P1 F1 | appointment  | patient ] LN#11488-4 Consultation note final=true by nobody visited 2026-07-01T05:00:00.000Z application/pdf 12 bytes of base64",
        ),
        (
            "ORU^R01",
            &["OBR|1|P1", text],
            "note P1 [order P1 | appointment  | patient ] LN#11488-4 Consultation note final=true by nobody visited ? text/plain; charset=utf-8 16 bytes of base64",
        ),
        (
            "ORU^R01",
            &["OBR|1|P1|||||||||||||||||||||||P", text],
            "note P1 [order P1 | appointment  | patient ] LN#11488-4 Consultation note final=false by nobody visited ? text/plain; charset=utf-8 16 bytes of base64",
        ),
        (
            "ORU^R01",
            &["OBR|1|||77", text],
            "note 77 [order  | appointment  | patient 12@MR1:MR] LN#11488-4 Consultation note final=true by nobody visited ? text/plain; charset=utf-8 16 bytes of base64",
        ),
        (
            "ORU^R01",
            &["OBR|1|P1|||||||||||||||||||||||X"],
            "unreadable at OBR-25: the specialist's office does not take the patient, and this cannot be taken over yet; refer the patient to somebody else and withdraw this referral; then dismiss this letter",
        ),
        (
            "MDM^T02",
            &["TXA|1|CN|TX|20260701|||||9^Who^Doc|||D7||P1|||LA", pdf],
            "note D7 [order P1 | appointment  | patient ] LN#11488-4 Consultation note final=true by 9 / Doc Who /  /  /  visited 2026-07-01T05:00:00.000Z application/pdf 12 bytes of base64",
        ),
        (
            "MDM^T02",
            &["TXA|1|CN||||||||||D7||P1|||DI", pdf],
            "note D7 [order P1 | appointment  | patient ] LN#11488-4 Consultation note final=false by nobody visited ? application/pdf 12 bytes of base64",
        ),
        (
            "MDM^T01",
            &["TXA|1|CN^Consultation||||||||||D7||P1|||AU"],
            "note D7 [order P1 | appointment  | patient ] #CN Consultation final=false by nobody visited ?  0 bytes of base64",
        ),
        (
            "MDM^T02",
            &["TXA|1|CN||||||||||D7||P1|||AU||CA", pdf],
            "unreadable at TXA-19: a note is taken back, and this cannot be taken over yet; look whether its referral was closed with it; mend the chart, then dismiss this letter",
        ),
        (
            "MDM^T11",
            &["TXA|1|CN||||||||||D7||P1"],
            "unreadable at MSH-9: a note is taken back, and this cannot be taken over yet; look whether its referral was closed with it; mend the chart, then dismiss this letter",
        ),
        (
            "MDM^T02",
            &["TXA|1|CN||||||||||D7||P1|||AU", "OBX|1|ED|||^application^pdf^Base64^{oops}||||||F"],
            "unreadable at OBX-5: the document is not Base64, as ED-4 says or leaves open; send the document's bytes in ED-5, in the encoding that ED-4 names: Base64, Hex or A",
        ),
    ];
    for (kind, lines, expected) in rows {
        let lines: Vec<&str> = std::iter::once(PID).chain(lines.iter().copied()).collect();
        assert_eq!(meaning(kind, &lines, "{}"), expected, "{kind} {lines:?}");
    }
}

#[test]
fn patients() {
    let rows = [
        ("PID|1||12||Ng^Ann||1980||||||^PRN^PH^^^626^5551234||spa", "speaks es", "+16265551234\"]"),
        (
            "PID|1||12||Ng^Ann||1980||||||(626)555-1234^PRN^CP~^NET^Internet^ann@example.org||es_MX",
            "speaks es-MX",
            "+16265551234 mobile\"] [\"ann@example.org\"]",
        ),
        (
            "PID|1||12||Ng^Ann||198002||||||6265551234^PRN^PH~(626)555-1234^PRS^PH||VIE^Vietnamese",
            "born 1980-02 speaks vi",
            "+16265551234 mobile\"]",
        ),
        (
            "PID|1||12||Ng^Ann||19800229||||||^PRN^FX^^^626^5551234||^Mandarin",
            "born 1980-02-29 speaks zh",
            "reached by []",
        ),
        ("PID|1||12||Ng^Ann||19810229||||||+44 20 7946 0018||zzz", "born  speaks ?", "+442079460018"),
        ("PID|1||12||Ng^Ann||\"\"||||||\"\"||\"\"", "born  speaks ?", "reached by []"),
    ];
    for (pid, language, reach) in rows {
        let told = meaning("REF^I12", &["RF1|P|R|CAR|||R1", pid, "PD1|||||||||||T^Text message"], "{}");
        assert!(
            told.contains(language) && told.contains(reach) && told.contains("Some(ChannelKind::Sms)"),
            "{pid}: {told}"
        );
    }
}

#[test]
fn faults_say_where_and_how_to_mend() {
    let rows: [(&str, &[&str], &str); 9] = [
        ("", &[], "unreadable at MSH-9: MSH-9 is empty; "),
        ("REF", &[PID], "unreadable at MSH-9: MSH-9 is empty; "),
        ("REF^I12", &[PID], "unreadable at RF1: the message has no RF1 segment; "),
        ("REF^I12", &["RF1|P"], "unreadable at PID: the message has no PID segment; "),
        ("REF^I12", &["RF1|P", "PID|1"], "unreadable at PID-3: PID-3 is empty; "),
        ("ORM^O01", &[PID], "unreadable at ORC: the message has no ORC segment; "),
        ("SIU^S12", &[PID], "unreadable at SCH: the message has no SCH segment; "),
        ("MDM^T02", &[PID], "unreadable at TXA: the message has no TXA segment; "),
        ("ORU^R01", &[PID], "unreadable at OBR: the message has no OBR segment; "),
    ];
    for (kind, lines, expected) in rows {
        let told = meaning(kind, lines, "{}");
        let same_place = told.split(": ").next() == expected.split(": ").next();
        assert!(same_place && told.contains("; "), "{kind} {lines:?}: {told}");
    }
    let no_control_id = message(&["MSH|^~\\&|A|B|C|D|2026||ADT^A01||P|2.5"]);
    assert!(tell(&read(&no_control_id, "{}")).starts_with("unreadable at MSH-10: "));
    let two = message(&["MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5", "MSH|^~\\&|A|B|C|D|2026||ADT^A01|2|P|2.5"]);
    assert!(tell(&read(&two, "{}")).starts_with("unreadable at MSH[2]: "));
}

#[test]
fn settings_are_checked() {
    let rows = [
        (r#"{"default_offset": "EST"}"#, "unreadable at settings: default_offset is no offset from UTC"),
        (r#"{"orders": "some"}"#, "unreadable at settings: unknown variant `some`"),
        (r#"{"order": "referrals"}"#, "unreadable at settings: unknown field `order`"),
        (r#"{"charset": "8859/77"}"#, "unreadable at settings: charset is no character set that is read"),
        (r#"{"referral_services": [" "]}"#, "unreadable at settings: referral_services and other_services hold codes"),
        (
            r#"{"referral_services": ["CAR"], "other_services": ["car"]}"#,
            "unreadable at settings: a service stands both",
        ),
        ("{", "unreadable at settings: EOF"),
    ];
    for (settings, expected) in rows {
        let told = meaning("ADT^A01", &[PID], settings);
        assert!(told.starts_with(expected), "{settings}: {told}");
    }
    let keys = ["{}", r#"{"dedupe": "control-id"}"#]
        .map(|settings| read(&message(&[&crate::told::header("ADT^A01")]), settings).dedupe_key);
    assert_eq!(keys[1], "EHR|CLINIC|77");
    assert!(keys[0].starts_with("EHR|CLINIC|77|") && keys[0].len() == 14 + 32);
    let sch = "SCH|A1||||||||||^^^202607101400|||||||||||||||P1";
    let told = meaning("SIU^S12", &[sch, PID], r#"{"match_patient": "always"}"#);
    assert!(told.contains("[order P1 | appointment A1 | patient 12@MR1:MR]"), "{told}");
    let told = meaning("SIU^S12", &["SCH|A1||||||||||^^^202607101400", PID], r#"{"match_patient": "never"}"#);
    assert!(told.contains("[order  | appointment A1 | patient ]"), "{told}");
}
