//! Rules, a row each: which message means what.

use trigger_hl7v2::types::Meaning;

use crate::told::{meaning, message, read, tell};

const PID: &str = "PID|1||12^^^MR1^MR||Ng^Ann||1980";

fn first_line(kind: &str, lines: &[&str], settings: &str) -> String {
    meaning(kind, lines, settings).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn referrals() {
    let numbered = |status: &str, priority: &str| format!("RF1|{status}|{priority}|CAR^Cardiology|||R1^A");
    let rows = [
        ("REF^I12", numbered("P", "R"), "ordered [order R1@A | appointment  | patient ] Routine"),
        ("REF^I12", numbered("A", "S"), "ordered [order R1@A | appointment  | patient ] Stat"),
        ("REF^I13", numbered("", "A"), "ordered [order R1@A | appointment  | patient ] Urgent"),
        ("REF^I12", numbered("CA^Cancelled", "R"), "withdrawn [order R1@A | appointment  | patient ]"),
        ("REF^I13", numbered("X^Cancelled", "R"), "withdrawn [order R1@A | appointment  | patient ]"),
        ("REF^I14", numbered("P", "R"), "withdrawn [order R1@A | appointment  | patient ]"),
        ("REF^I14", "RF1|P".to_owned(), "withdrawn [order  | appointment  | patient 12@MR1:MR]"),
        ("REF^I15", numbered("P", "R"), "not for us: REF^I15 asks about a referral and orders none"),
        ("REF^I12", numbered("E^Expired", "R"), "withdrawn [order R1@A | appointment  | patient ]"),
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
    let rows: [(&[&str], &str); 7] = [
        (&["SCH|A1||||||||||^^^202607101400+0000", "TQ1|||||||20260711"], "at 2026-07-10T14:00:00.000Z for ?"),
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
    let pdf = "OBX|1|ED|11488-4^Consultation note^LN||^application^pdf^Base64^JVBERi0xLjQlJUVPRg==||||||F";
    let text = "OBX|1|TX|11488-4^Consultation note^LN||Seen\\.br\\today||||||F";
    let file = "application/pdf \"Consultation note\" 20 bytes of base64";
    let words = "text/plain; charset=utf-8 \"\" 16 bytes of base64";
    let consult = "LN#11488-4 Consultation note";
    let july = "2026-07-01T05:00:00.000Z";
    let of_p1 = "[order P1 | appointment  | patient  | document P1]";
    let of_d7 = "[order P1 | appointment  | patient  | document D7]";
    let rows: [(&str, &[&str], String); 17] = [
        (
            "ORU^R01",
            &["ORC|RE|P1|F1", "OBR|1|P1|F1|11488-4^Consult^LN|||20260701||||||||||||||||||F", pdf],
            format!("note [order P1 F1 | appointment  | patient  | document F1] {consult} final by nobody visited {july} written ?: {file}"),
        ),
        (
            "ORU^R01",
            &["OBR|1|P1||||||||||||||||||||202607020900", text],
            format!("note {of_p1} {consult} final by nobody visited ? written 2026-07-02T14:00:00.000Z: {words}"),
        ),
        (
            "ORU^R01",
            &["OBR|1|P1|||||||||||||||||||||||P", text],
            format!("note {of_p1} {consult} preliminary by nobody visited ? written ?: {words}"),
        ),
        (
            "ORU^R01",
            &["OBR|1|P1|||||||||||||||||||||||C", text],
            format!("note {of_p1} {consult} corrected by nobody visited ? written ?: {words}"),
        ),
        (
            "ORU^R01",
            &["OBR|1|||77", text],
            format!("note [order  | appointment  | patient 12@MR1:MR] {consult} final by nobody visited ? written ?: {words}"),
        ),
        (
            "ORU^R01",
            &["OBR|1|P1|||||||||||||||||||||||F", text, pdf],
            format!("note {of_p1} {consult} final by nobody visited ? written ?: {words}, {file}"),
        ),
        (
            "ORU^R01",
            &["OBR|1|P1|||||||||||||||||||||||X"],
            format!("declined {of_p1} the specialist's office does not take the patient (OBR-25)"),
        ),
        (
            "MDM^T02",
            &["TXA|1|CN|TX|20260701|||202607020900||9^Who^Doc|||D7||P1|||LA", pdf],
            format!("note {of_d7} {consult} final by 9 / Doc Who /  /  /  visited {july} written 2026-07-02T14:00:00.000Z: {file}"),
        ),
        (
            "MDM^T02",
            &["TXA|1|CN||||||||||D7||P1|||DI", pdf],
            format!("note {of_d7} {consult} preliminary by nobody visited ? written ?: {file}"),
        ),
        (
            "MDM^T08",
            &["TXA|1|CN||||||||||D7||P1|||AU", pdf],
            format!("note {of_d7} {consult} corrected by nobody visited ? written ?: {file}"),
        ),
        (
            "MDM^T10",
            &["TXA|1|CN||||||||||D8^EHR|D7^EHR|P1|||AU", pdf],
            format!("note [order P1 | appointment  | patient  | document D8@EHR D7@EHR] {consult} corrected by nobody visited ? written ?: {file}"),
        ),
        (
            "MDM^T09",
            &["TXA|1|CN^Consultation||||||||||D8|D7|P1|||AU"],
            format!("note taken back {of_d7}\nnote [order P1 | appointment  | patient  | document D8] #CN Consultation preliminary by nobody visited ? written ?: "),
        ),
        (
            "MDM^T01",
            &["TXA|1|CN^Consultation||||||||||D7||P1|||AU"],
            format!("note {of_d7} #CN Consultation preliminary by nobody visited ? written ?: "),
        ),
        ("MDM^T02", &["TXA|1|CN||||||||||D7||P1|||AU||CA", pdf], format!("note taken back {of_d7}")),
        ("MDM^T11", &["TXA|1|CN||||||||||D7|D6|P1"], format!("note taken back {of_d7}")),
        ("MDM^T11", &["PID|2", "TXA|1|CN||||||||||D7"], "note taken back [order  | appointment  | patient 12@MR1:MR | document D7]".to_owned()),
        (
            "MDM^T02",
            &["TXA|1|CN||||||||||D7||P1|||AU", "OBX|1|ED|||^application^pdf^Base64^{oops}||||||F"],
            "unreadable at OBX-5: the document is not Base64, as ED-4 says or leaves open; send the document's bytes in ED-5, in the encoding that ED-4 names: Base64, Hex or A".to_owned(),
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
        (r#"{"zone": "EST"}"#, "unreadable at settings: zone is no zone of the United States that is known"),
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

#[test]
fn times_are_read_in_every_form_that_means_one_thing() {
    let read = [
        "202701121430-0500",
        "20270112143000.000-0500",
        "2027011214-0530",
        "202701121930Z",
        "20270112T1930Z",
        "20270112T193000z",
        "2027-01-12T14:30:00-05:00",
        "2027-01-12T14:30-0500",
        "2027-01-12 14:30:00.250 -0500",
        "2027-01-12 14:30",
        "2027/01/12 14:30",
        "20270112 1430",
        "20270112 14:30:00",
    ];
    for sent in read {
        let told = meaning("SIU^S12", &[&format!("SCH|A1||||||||||^^^{sent}")], "{}");
        assert!(
            told.contains(" at 2027-01-12T19:30:00.") || told.contains("at 2027-01-12T19:30:00.250Z"),
            "{sent}: {told}"
        );
    }
    let unread = [
        "01/12/2027 14:30",
        "1/12/27",
        "202701121430EST",
        "20270112-1430",
        "2027-13-12T14:30",
        "202713121430",
        "2027-01-12T24:30",
        "2027-01-12TT14:30",
        "2027-0112T14:30",
        "202701 1430",
        "1736692200",
        "00010101000000",
        "tomorrow",
        "2027-01-12T14:30:00-05:00:00",
        "+",
        "-",
    ];
    for sent in unread {
        let told = meaning("SIU^S12", &[&format!("SCH|A1||||||||||^^^{sent}")], "{}");
        assert!(
            told.starts_with("unreadable at SCH-11: SCH-11 is no time that HL7 knows; send it as"),
            "{sent}: {told}"
        );
    }
}

#[test]
fn a_time_that_cannot_be_read_is_named_by_its_place() {
    let rows: [(&str, &[&str], &str); 9] = [
        ("SIU^S12", &["SCH|A1", "TQ1|||||||noon"], "TQ1-7"),
        ("SIU^S13", &["SCH|A1", "AIS|1||X|noon"], "AIS-4"),
        ("SIU^S14", &["SCH|A1", "AIG|1|||||||noon"], "AIG-8"),
        ("SIU^S12", &["SCH|A1"], "SCH-11"),
        ("REF^I12", &["RF1|P|R||||R1||soon"], "RF1-8"),
        ("REF^I12", &["RF1|P|R||||R1|soon"], "RF1-7"),
        ("ORM^O01", &["ORC|NW|P1|||||||soon", "OBR|1|P1||C^Consult"], "ORC-9"),
        ("ORU^R01", &["OBR|1|P1||C^Consult|||soon", "OBX|1|TX|C||Seen||||||F"], "OBR-7"),
        ("MDM^T02", &["TXA|1|CN||soon||||||||D7||P1|||LA", "OBX|1|TX|C||Seen||||||F"], "TXA-4"),
    ];
    for (kind, lines, place) in rows {
        let lines: Vec<&str> = std::iter::once(PID).chain(lines.iter().copied()).collect();
        let told = meaning(kind, &lines, "{}");
        assert!(told.starts_with(&format!("unreadable at {place}: ")), "{kind} {lines:?}: {told}");
    }
    // What ends needs no time, and zeros are none.
    for (kind, sch) in
        [("SIU^S15", "SCH|A1||||||||||^^^noon"), ("SIU^S26", "SCH|A1"), ("SIU^S14", "SCH|A1||||||||||^^^00000000")]
    {
        assert!(meaning(kind, &[PID, sch], "{}").starts_with("appointment "), "{kind} {sch}");
    }
}

#[test]
fn the_settings_offset_counts_only_where_msh_7_has_none() {
    let rows =
        [("20261125", "15:30"), ("20261125090000-0600", "20:30"), ("2026-11-25T09:00:00Z", "14:30"), ("", "15:30")];
    for (sent, expected) in rows {
        let header = format!("MSH|^~\\&|EHR|CLINIC|HANDOFF|HERE|{sent}||SIU^S12|77|P|2.5.1");
        let told =
            tell(&read(&message(&[&header, "SCH|A1||||||||||^^^202701121430"]), r#"{"default_offset": "-01:00"}"#));
        assert!(told.contains(&format!("at 2027-01-12T{expected}:00.000Z")), "{sent}: {told}");
    }
}

#[test]
fn a_practice_that_names_its_zone_has_its_summer_visits_at_the_right_hour() {
    let rows = [
        // Sent in winter, from there: the offset is that of the zone.
        ("20261125090000-0500", "202707121430", "2027-07-12T18:30"),
        ("20261125090000-0500", "202701121430", "2027-01-12T19:30"),
        ("20261125090000", "202707121430", "2027-07-12T18:30"),
        // Sent from elsewhere, or by a machine that keeps UTC.
        ("20261125090000-0600", "202707121430", "2027-07-12T20:30"),
        ("20261125140000Z", "202707121430", "2027-07-12T14:30"),
        // What a time says itself counts.
        ("20261125090000-0500", "202707121430-0500", "2027-07-12T19:30"),
        // The days on which clocks change.
        ("20261125090000", "202703140159", "2027-03-14T06:59"),
        ("20261125090000", "202703140300", "2027-03-14T07:00"),
        ("20261125090000", "202711070159", "2027-11-07T05:59"),
        ("20261125090000", "202711070200", "2027-11-07T07:00"),
    ];
    for (sent, starts, expected) in rows {
        let header = format!("MSH|^~\\&|EHR|CLINIC|HANDOFF|HERE|{sent}||SIU^S12|77|P|2.5.1");
        let sch = format!("SCH|A1||||||||||^^^{starts}");
        let told = tell(&read(&message(&[&header, &sch]), r#"{"zone": "America/New_York"}"#));
        assert!(told.contains(&format!("at {expected}:00.000Z")), "{sent} {starts}: {told}");
    }
    let told = meaning("SIU^S12", &["SCH|A1||||||||||^^^202707121430"], r#"{"zone": "America/Phoenix"}"#);
    assert!(told.contains("at 2027-07-12T19:30"), "MSH-7 says -0500, which Phoenix never has: {told}");
}

#[test]
fn services_say_whether_an_order_is_a_referral() {
    let referral = "ordered [order P1";
    let other = "not for us: an order for a test, an image or a medicine, not a referral";
    let unsaid = "unreadable at OBR-4: nothing says whether this order is a referral";
    let rows = [
        ("OBR|1|P1||183519002^Referral to cardiology^SCT", referral),
        ("OBR|1|P1||AMB REF CARD^Ambulatory referral to Cardiology^L", referral),
        ("OBR|1|P1||57133-1^Referral note^LN", referral),
        ("OBR|1|P1||C7^Consultation for imaging^L||||||||||||||||||||RAD", referral),
        ("OBR|1|P1||X^^L^11429006^Consultation^SCT", referral),
        ("OBR|1|P1||CBC^Complete Blood Count^L", other),
        ("OBR|1|P1||77^XR Chest^L", other),
        ("OBR|1|P1||77^US Abdomen^L", other),
        ("OBR|1|P1||77^Chest^L||||||||||||||||||||RAD", other),
        ("OBR|1|P1||2345-7^^LN", other),
        ("OBR|1|P1||77^Something^L|||||||||||BLD", other),
        ("RXO|1", other),
        ("OBR|1|P1||77^Cardiology^L", unsaid),
        ("", unsaid),
    ];
    for (obr, expected) in rows {
        let told = meaning("ORM^O01", &[PID, "ORC|NW|P1", obr], "{}");
        assert!(told.starts_with(expected), "{obr}: {told}");
    }
    let settings = r#"{"referral_services": ["cardiology"], "other_services": ["C7"]}"#;
    let told = |obr: &str| first_line("ORM^O01", &[PID, "ORC|NW|P1", obr], settings);
    assert!(told("OBR|1|P1||77^Cardiology^L").starts_with(referral));
    assert!(told("OBR|1|P1||C7^Consultation^L").starts_with(other));
    let sent = first_line("ORM^O01", &[PID, "ORC|NW|P1", "OBR|1|P1||77^Cardiology^L", "PRD|RT|Who^Doc"], "{}");
    assert!(sent.starts_with(referral), "{sent}");
}

#[test]
fn only_a_consultations_results_are_notes() {
    let rows = [
        ("OBR|1|P1||24317-0^Hemogram^LN|||||||||||||||||||||F", "OBX|1|TX|X||Fine.||||||F", "not for us: "),
        ("OBR|1|P1||77^Thing^L||||||||||||||||||||LAB|F", "OBX|1|TX|X||Fine.||||||F", "not for us: "),
        ("OBR|1|P1||77^Thing^L|||||||||||||||||||||F", "OBX|1|NM|X||7||||||F", "not for us: "),
        ("OBR|1|P1||77^Thing^L|||||||||||||||||||||F", "OBX|1|TX|X||Fine.||||||F", "note [order P1 "),
        ("OBR|1|P1||77^Cardiology letter^L|||||||||||||||||||||F", "OBX|1|TX|X||Fine.||||||F", "note [order P1 "),
        ("OBR|1|P1||34795-5^^LN|||||||||||||||||||||F", "OBX|1|TX|X||Fine.||||||F", "note [order P1 "),
        ("OBR|1|P1||2345-7^^LN|||||||||||||||||||||F", "OBX|1|NM|X||7||||||F", "not for us: "),
        ("OBR|1|P1||34099-2^^LN|||||||||||||||||||||F", "OBX|1|TX|X||Fine.||||||F", "note [order P1 "),
    ];
    for (obr, obx, expected) in rows {
        let told = meaning("ORU^R01", &[PID, obr, obx], "{}");
        assert!(told.starts_with(expected), "{obr}: {told}");
        assert!(meaning("ORU^R01", &[PID, obr, obx], r#"{"results": "all"}"#).starts_with("note [order P1 "), "{obr}");
    }
}

#[test]
fn orders_begin_change_and_end_by_orc_1() {
    let obr = "OBR|1|P1||C^Consult";
    let declined =
        "declined [order P1 | appointment  | patient ] the specialist's office does not take the patient (ORC-1)";
    let rows = [
        ("ORM^O01", "ORC|RO|P1", "ordered [order P1"),
        ("ORM^O01", "ORC|XO|P1", "ordered [order P1"),
        ("ORM^O01", "ORC|XO|P1|||CA", "withdrawn [order P1"),
        ("OMG^O19", "ORC|RP|P1", "withdrawn [order P1"),
        ("ORM^O01", "ORC|OC|P1", "withdrawn [order P1"),
        ("OSU^O51", "ORC|OC|P1", declined),
        ("OSU^O51", "ORC|UA|P1|||CA", declined),
        ("ORM^O01", "ORC|UA|P1", declined),
        ("ORR^O02", "ORC|UA|P1", declined),
        ("ORG^O20", "ORC|OK|P1", "not for us: an answer to an order that changes nothing"),
        ("ORM^O01", "ORC|NW|||G1", "unreadable at ORC-2: ORC-2 is empty"),
    ];
    for (kind, orc, expected) in rows {
        let obr = if orc.contains("G1") { obr.replace("|P1|", "||") } else { obr.to_owned() };
        let told = meaning(kind, &[PID, orc, &obr], "{}");
        assert!(told.starts_with(expected), "{kind} {orc}: {told}");
    }
}

#[test]
fn a_number_is_named_once_within_each_authority() {
    let rows = [
        ("ORC|CA|P1^EHR|F1", "OBR|1|P1|F1^OFFICE|C^Consult", "P1@EHR F1@OFFICE"),
        ("ORC|CA|1^EHR|1^OFFICE", "OBR|1|1^EHR|1^OFFICE|C^Consult", "1@EHR 1@OFFICE"),
        ("ORC|CA|P1^^1.2.3^ISO", "OBR|1|P1^^6F9619FF^GUID||C^Consult", "P1@urn:oid:1.2.3 P1@urn:uuid:6f9619ff"),
        ("ORC|CA|P1^^ehr.example^DNS~P2", "OBR|1|||C^Consult", "P1@ehr.example^DNS P2"),
    ];
    for (orc, obr, expected) in rows {
        let told = meaning("ORM^O01", &[orc, obr], "{}");
        assert_eq!(told, format!("withdrawn [order {expected} | appointment  | patient ]"), "{orc} {obr}");
    }
}

#[test]
fn an_answer_to_a_referral_takes_it_or_does_not() {
    let declined =
        "declined [order R1@EHR | appointment  | patient ] the specialist's office does not take the patient";
    let nothing = "not for us: an answer to a referral that changes nothing";
    let rows: [(&str, &str, &str, String); 9] = [
        ("RRI^I13", "MSA|AA|1", "D^Declined by office", format!("{declined} (RF1-1)")),
        ("RRI^I12", "MSA|AR|1", "R", format!("{declined} (RF1-1)")),
        ("RRI^I12", "MSA|AA|1", "E", format!("{declined} (RF1-1)")),
        ("RRI^I12", "MSA|AR|1", "P", format!("{declined} (MSA-1)")),
        ("RRI^I12", "MSA|AE|1", "R", format!("{declined} (RF1-1)")),
        ("RRI^I12", "MSA|AE|1", "", "unreadable at MSA-1: the other side could not read the referral that was sent to it; see its ERR segment, have the referral sent again, then dismiss the dead letter".to_owned()),
        ("RRI^I12", "MSA|AE|1", "A^Accepted", nothing.to_owned()),
        ("RRI^I12", "MSA|AA|1", "P", nothing.to_owned()),
        ("RRI^I14", "MSA|AR|1", "R", nothing.to_owned()),
    ];
    for (kind, msa, status, expected) in rows {
        let told = meaning(kind, &[msa, &format!("RF1|{status}|R||||R1^EHR"), PID], "{}");
        assert_eq!(told, expected, "{kind} {msa} {status}");
    }
    let told = meaning("RRI^I12", &["MSA|AR|1"], "{}");
    assert!(told.starts_with("unreadable at RF1-6: RF1-6 is empty"), "{told}");
    let several =
        meaning("ORR^O02", &[PID, "ORC|OK|P1", "ORC|UA|P2^EHR||G1^EHR", "ORC|UA|P3", "OBR|1|P3||CBC^CBC^L"], "{}");
    assert!(several.starts_with("declined [order P2@EHR | appointment  | patient  | group G1@EHR]"), "{several}");
    assert_eq!(several.lines().count(), 1, "{several}");
}

#[test]
fn patient_administration_tells_who_patients_are() {
    let dead = format!("{PID}{}|Y", "|".repeat(22));
    let alive = format!("{PID}{}20260701|N", "|".repeat(22));
    let died_then = format!("{PID}{}20260701", "|".repeat(22));
    let died_when = format!("{PID}{}soon", "|".repeat(22));
    let (apply, refuse, ignore) = ("{}", r#"{"identity_changes": "refuse"}"#, r#"{"identity_changes": "ignore"}"#);
    let mrg = "MRG|11^^^MR1^MR~10^^^MR1^MR";
    let who = "[order  | appointment  | patient 12@MR1:MR]";
    let nothing = "not for us: patient administration: nothing new of a patient in it";
    let elsewhere = "not for us: another system takes care of who patients are";
    let merged = format!("patient merged {who} was 11@MR1:MR 10@MR1:MR");
    let updated = format!("patient updated {who}\n  patient 12@MR1:MR \"Ann\" \"Ng\" born 1980 speaks ?");
    let died = format!("patient died {who}");
    let rows: [(&str, &[&str], &str, &str); 29] = [
        ("ADT^A40", &[PID, mrg], apply, &merged),
        ("ADT^A18", &[PID, mrg], apply, &merged),
        ("ADT^A34", &[PID, mrg], apply, &merged),
        ("ADT^A47", &[PID, mrg], apply, &merged),
        ("ADT^A30", &[PID, "MRG||||11^^^MR1^MR"], apply, &format!("patient merged {who} was 11@MR1:MR")),
        ("ADT^A40", &[PID, "MRG|12^^^MR1^MR~11^^^MR1^MR"], apply, &format!("patient merged {who} was 11@MR1:MR")),
        ("ADT^A40", &[PID, "MRG|12^^^MR1^MR"], apply, "unreadable at MRG-1: MRG-1 is empty"),
        ("ADT^A40", &["PID|1||", mrg], apply, "unreadable at PID-3: PID-3 is empty"),
        ("ADT^A40", &[mrg], apply, "unreadable at PID: the message has no PID segment"),
        ("ADT^A40", &[PID], apply, "unreadable at MSH-9: two patient numbers become one"),
        ("ADT^A24", &[PID, PID], apply, "unreadable at MSH-9: two patient numbers become one"),
        ("ADT^A40", &[PID, mrg], refuse, "unreadable at MSH-9: two patient numbers become one"),
        ("ADT^A40", &[PID, mrg], ignore, elsewhere),
        ("ADT^A43", &[PID, mrg], apply, "unreadable at MSH-9: numbers or visits go from one patient to another"),
        ("ADT^A37", &[PID, PID], apply, "unreadable at MSH-9: numbers or visits go"),
        ("ADT^A45", &[PID, mrg], apply, "unreadable at MSH-9: numbers or visits go"),
        ("ADT^A45", &[PID, mrg], ignore, elsewhere),
        ("ADT^A41", &[PID, mrg], apply, nothing),
        ("ADT^A08", &[PID], apply, &updated),
        ("ADT^A28", &[PID], apply, &updated),
        ("ADT^A31", &[PID], ignore, &updated),
        ("ADT^A08", &["PID|1||||Ng^Ann"], apply, nothing),
        ("ADT^A08", &[&dead], apply, &died),
        ("ADT^A04", &[&died_then], apply, &died),
        ("ADT^A08", &[&alive], apply, &updated),
        ("ADT^A08", &[&died_when], apply, "unreadable at PID-29: PID-29 is no time that HL7 knows"),
        ("ADT^A08", &[&dead], refuse, "unreadable at PID-30: the patient has died"),
        ("ADT^A08", &[&dead], ignore, elsewhere),
        ("ADT^A11", &[&dead], apply, nothing),
    ];
    for (kind, lines, settings, expected) in rows {
        let told = meaning(kind, lines, settings);
        assert!(told.starts_with(expected), "{kind} {lines:?} {settings}: {told}");
    }
    let told = meaning("CCQ^I19", &[PID], "{}");
    assert!(told.starts_with("unreadable at MSH-9: MSH-9 names a message type that is not known here"), "{told}");
    let two = meaning("ADT^A40", &[PID, "MRG|11^^^MR1^MR", "PID|2||22^^^MR1^MR", "MRG|21^^^MR1^MR"], "{}");
    assert_eq!(two.lines().nth(1), Some("patient merged [order  | appointment  | patient 22@MR1:MR] was 21@MR1:MR"));
}

#[test]
fn training_and_debugging_are_not_for_us() {
    let read_as = |processing: &str, settings: &str| {
        let header = format!("MSH|^~\\&|EHR|CLINIC|HANDOFF|HERE|20260706||SIU^S15|77|{processing}|2.5.1");
        tell(&read(&message(&[&header, "SCH|A1"]), settings))
    };
    for processing in ["T", "D", "t", "T^T"] {
        assert_eq!(read_as(processing, "{}"), "not for us: a message for training or debugging, as MSH-11 says");
        assert!(read_as(processing, r#"{"test_messages": "take"}"#).starts_with("appointment Cancelled"));
    }
    for processing in ["P", "", "P^T"] {
        assert!(read_as(processing, "{}").starts_with("appointment Cancelled"), "{processing}");
    }
}

#[test]
fn every_event_says_when_and_by_whom() {
    let rows = [
        ("20260706070100-0500", "EHR|CLINIC", "EHR|CLINIC", Some("2026-07-06T12:01:00.000Z")),
        ("20260706070100", "EHR|", "EHR|", Some("2026-07-06T07:01:00.000Z")),
        ("20260706070100Z", "^1.2.3^ISO|CLINIC", "1.2.3|CLINIC", Some("2026-07-06T07:01:00.000Z")),
        // A day says nothing of two messages on it, and nobody speaks from the day after tomorrow.
        ("20260706", "|", "", None),
        ("20260709070100-0500", "EHR|CLINIC", "EHR|CLINIC", None),
        ("soon", "EHR|CLINIC", "EHR|CLINIC", None),
    ];
    for (sent, from, sender, expected) in rows {
        let header = format!("MSH|^~\\&|{from}|HANDOFF|HERE|{sent}||SIU^S15|77|P|2.5.1");
        let reading = read(&message(&[&header, "SCH|A1", PID]), "{}");
        let Meaning::Events(events) = &reading.meaning else { panic!("{sent}: {}", tell(&reading)) };
        assert_eq!(reading.sender, sender, "{from}");
        assert_eq!(events[0].as_of.map(moment::rfc3339).as_deref(), expected, "{sent}");
    }
}

#[test]
fn the_physician_is_found_among_several() {
    let when = "SCH|A1||||||||||^^^202701121430";
    let rows: [(&[&str], &str); 7] = [
        (&["AIP|1|A|1^One^Ann|RN^Nurse", "AIP|2|A|2^Two^Bo|CAR^Cardiologist"], "with 2 / Bo Two"),
        (&["AIP|1|A|1^One^Ann|CAR^Cardiologist", "AIP|2|A|2^Two^Bo|MA^Medical assistant"], "with 1 / Ann One"),
        (&["AIP|1|A|1^One^Ann", "AIP|2|A|1003000126^Two^Bo"], "with 1003000126 / Bo Two"),
        (&["PV1|1|O|||||2^Two^Bo", "AIP|1|A|1^One^Ann|MD^Physician", "AIP|2|A|2^Two^Bo"], "with 2 / Bo Two"),
        (&["AIP|1|D|1^One^Ann|ATT^Attending", "AIP|2|A|2^Two^Bo"], "with 2 / Bo Two"),
        (&["AIP|1|A|1^One^Ann|FNP^Nurse practitioner", "AIP|2|A|2^Two^Bo|RN^Nurse"], "with 1 / Ann One"),
        (&["PV1|1|O|||||2^Two^Bo"], "with 2 / Bo Two"),
    ];
    for (lines, expected) in rows {
        let lines: Vec<&str> = [when].into_iter().chain(lines.iter().copied()).collect();
        let told = meaning("SIU^S12", &lines, "{}");
        assert!(told.contains(expected), "{lines:?}: {told}");
    }
    // Whoever rooms the patient sees no referral.
    let told = meaning("SIU^S12", &[when, "AIP|1|A|1^One^Ann|MA^Medical assistant"], "{}");
    assert!(!told.contains("Ann One"), "{told}");
    let told = meaning(
        "REF^I12",
        &[
            "RF1|P|R||||R1",
            "PRD|RT|||^^^Heart Clinic|||99^L",
            "PRD|RT~MA^Medical assistant|Aide^Pat",
            "PRD|RT|Ruiz^Ana",
            PID,
        ],
        "{}",
    );
    assert!(told.contains("referred to  / Ana Ruiz"), "{told}");
}

#[test]
fn the_visits_length_is_the_visits_own() {
    let rows: [(&[&str], &str); 6] = [
        (&["SCH|A1||||||||60|min|^^^202701121430", "AIG|1||||||||||15|min"], "for 60 min"),
        (
            &["SCH|A1||||||||||^^^202701121430", "AIG|1||||||||||15|min", "AIL|1||||||||90|min", "AIS|1||X||||45|min"],
            "for 45 min",
        ),
        (&["SCH|A1||||||||||^^M40^202701121430"], "for 40 min"),
        (&["SCH|A1||||||||||^^^202701121430", "TQ1||||||2^hr"], "for 120 min"),
        (&["SCH|A1||||||||||^^^202701121430^202701121450"], "for 20 min"),
        (&["SCH|A1||||||||||^^^202701121430"], "for ?"),
    ];
    for (lines, expected) in rows {
        let told = meaning("SIU^S12", lines, "{}");
        assert!(told.contains(expected), "{lines:?}: {told}");
    }
}

#[test]
fn one_orc_before_several_obr_orders_each() {
    let told = meaning(
        "ORM^O01",
        &[PID, "ORC|NW|P1", "OBR|1|P1||CBC^CBC^L", "OBR|2|P2||C^Consult^L", "OBR|3|P3||D^Referral^L"],
        "{}",
    );
    let orders: Vec<&str> = told.lines().filter(|line| line.starts_with("ordered [")).collect();
    assert_eq!(
        orders,
        [
            "ordered [order P2 | appointment  | patient ] Routine",
            "ordered [order P3 | appointment  | patient ] Routine"
        ]
    );
}

#[test]
fn a_start_in_another_component_is_found_and_a_group_of_patients_is_not_cut() {
    let told = meaning("SIU^S12", &["SCH|A1||||||||||20270112143000", PID], "{}");
    assert!(told.contains("at 2027-01-12T19:30:00.000Z"), "{told}");
    let group = ["SCH|A1||||||||||^^^202701121430", PID, "PID|2||13^^^MR1^MR||Lee^Bo"];
    assert!(meaning("SIU^S12", &group, "{}").starts_with("unreadable at PID[2]-3: several patients"));
    assert!(meaning("SIU^S12", &[group[0], PID, PID], "{}").starts_with("appointment Booked"));
}
