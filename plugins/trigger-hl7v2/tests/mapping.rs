//! Sites that tell facts in places of their own: Z-segments, OBX, NTE, repetitions and components.

use trigger_hl7v2::types::Meaning;

use crate::told::{header, meaning, message, read, tell};

const PID: &str = "PID|1||12^^^MR1^MR||Ng^Ann||1980||||||(626)555-1234";
const RF1: &str = "RF1|P|R|GEN^General|||R1^A";

/// The line of an order that says this.
fn line(settings: &str, segments: &[&str], beginning: &str) -> String {
    let lines: Vec<&str> = [RF1, PID].iter().chain(segments).copied().collect();
    let told = meaning("REF^I12", &lines, settings);
    told.lines().find(|line| line.trim_start().starts_with(beginning)).unwrap_or(&told).trim().to_owned()
}

#[test]
fn the_urgency_stands_where_the_site_says() {
    let coded = r#"{"map": {"urgency": {"from": "ZRF-2.1", "codes": {"U": "urgent", "E&M": "stat"}}}}"#;
    let lenient =
        r#"{"map": {"urgency": {"from": ["ZRF-2.1", "ZRX-1"], "codes": {"U": "urgent"}, "default": "stat"}}}"#;
    let bare = r#"{"map": {"urgency": "NTE[1=9]-3"}}"#;
    let rows = [
        (coded, "ZRF|1|U^Soon", "ordered [order R1@A | appointment  | patient ] Urgent"),
        (coded, "ZRF|1|u", "ordered [order R1@A | appointment  | patient ] Urgent"),
        // An escape sequence is the character that it stands for.
        (coded, r"ZRF|1|E\T\M", "ordered [order R1@A | appointment  | patient ] Stat"),
        // Empty and null are nothing: RF1-2 counts.
        (coded, "ZRF|1", "ordered [order R1@A | appointment  | patient ] Routine"),
        (coded, "ZRF|1|\"\"", "ordered [order R1@A | appointment  | patient ] Routine"),
        (coded, "ZRF|1|\"\"^x", "ordered [order R1@A | appointment  | patient ] Routine"),
        (
            coded,
            "ZRF|1|X9",
            "unreadable at ZRF-2.1: the settings do not say which urgency the code here means; list the code under \
             `map.urgency.codes` of the trigger's settings as routine, urgent, stat, or set `map.urgency.default`",
        ),
        (lenient, "ZRX|U", "ordered [order R1@A | appointment  | patient ] Urgent"),
        (lenient, "ZRF||?\rZRX|U", "ordered [order R1@A | appointment  | patient ] Stat"),
        (lenient, "ZQQ|1", "ordered [order R1@A | appointment  | patient ] Stat"),
        (bare, "NTE|9||URGENT", "ordered [order R1@A | appointment  | patient ] Urgent"),
    ];
    for (settings, segment, expected) in rows {
        assert_eq!(line(settings, &[segment], "ordered ["), expected, "{settings} {segment}");
    }
}

#[test]
fn each_fact_goes_where_the_contract_has_it() {
    let settings = r#"{"map": {
        "specialty": {"from": "OBX[OBX-3.1=SPEC]-5", "codes": {"CARD": {"code": "394579002", "display": "Cardiology", "system": "SCT"}}},
        "visit_type": "ZRF-3",
        "diagnosis": "ZDX-1.1",
        "referral_number": {"from": "ZRF-4", "system": "SITE"},
        "authorization": "PV1-50(2).1",
        "reason": "NTE-3",
        "category": "ZRF-5.2.1",
        "consent": {"from": "OBX[3=TEXTOK]-5", "codes": {"Y": "granted", "N": "denied"}},
        "language": {"from": "ZLG-1", "codes": {"7": "vi"}},
        "mobile": "ZPH-1",
        "email": "ZPH-2",
        "preferred_channel": {"from": "ZPH-3", "codes": {"T": "sms"}},
        "specialist": "PV1-9",
        "plan": "ZIN-1"
    }}"#;
    let segments = [
        &format!("PV1||||||||1^Ref|1003000126^Chu^Ed~7^Other{}X1~AUTH9^x", "|".repeat(41)),
        r"NTE|1||Chest\F\pain & dizzy",
        "NTE|2||Since May",
        "OBX|1|CE|SPEC||CARD^Heart",
        "OBX|2|CE|TEXTOK||N",
        r"ZRF|||CONS^Consult \T\ treat^L|77~88^^urn:x|a^b1&b2",
        "ZDX|I20.0^Angina~E11.9",
        "ZLG|7",
        "ZPH|626.555.9876|ann@mail.example|T",
        "ZIN|P5^Plan five",
    ];
    let expected = [
        ("ordered [", "ordered [order 77@SITE 88@urn:x R1@A | appointment  | patient ] Routine"),
        (
            "specialty",
            r##"specialty SCT#394579002 Cardiology services ["L#CONS Consult & treat"] diagnoses ["I10#I20.0 ", "I10#E11.9 "]"##,
        ),
        (
            "coverages",
            r#"coverages ["P5 /  /  / "] authorization Some("AUTH9") extras ["referral-reason=Chest|pain & dizzy Since May", "referral-category=b1", "consent=denied"]"#,
        ),
        ("patient", r#"patient 12@MR1:MR "Ann" "Ng" born 1980 speaks vi"#),
        (
            "reached",
            r#"reached by ["+16265559876 mobile", "+16265551234"] ["ann@mail.example"] Some(ChannelKind::Sms)"#,
        ),
        ("referred to", "referred to 1003000126 / Ed Chu /  /  /"),
    ];
    for (beginning, expected) in expected {
        assert_eq!(line(settings, &segments, beginning), expected, "{beginning}");
    }
}

#[test]
fn each_order_of_a_message_has_its_own_segments() {
    let settings = r#"{"orders": "all", "map": {"urgency": {"from": "ZRF-1", "codes": {"U": "urgent", "S": "stat"}}, "diagnosis": "ZDX-1"}}"#;
    let lines = [
        PID,
        "ZDX|A1",
        "ORC|NW|P1",
        "OBR|1|||X",
        "ZRF|U",
        "DG1|1||B2",
        "ORC|NW|P2",
        "OBR|2|||X",
        "ZRF|S",
        "ORC|NW|P3",
        "OBR|3|||X",
    ];
    let told = meaning("ORM^O01", &lines, settings);
    let of = |beginning: &str| {
        told.lines().filter(|line| line.trim_start().starts_with(beginning)).map(str::trim).collect::<Vec<_>>()
    };
    assert_eq!(
        of("ordered ["),
        [
            "ordered [order P1 | appointment  | patient ] Urgent",
            "ordered [order P2 | appointment  | patient ] Stat",
            "ordered [order P3 | appointment  | patient ] Routine",
        ]
    );
    let diagnoses: Vec<&str> = of("specialty").iter().filter_map(|line| line.split("diagnoses ").nth(1)).collect();
    assert_eq!(diagnoses, [r##"["I10#A1 ", "#B2 "]"##, r##"["I10#A1 "]"##, r##"["I10#A1 "]"##]);
}

#[test]
fn visits_notes_and_patients_are_found_by_the_sites_own_numbers_and_words() {
    let settings = r#"{"map": {"referral_number": "ZRF-1", "visit_status": {"from": "ZVS-1", "codes": {"KEPT": "completed", "DNA": "no-show"}},
        "mobile": "ZPH-1"}}"#;
    let sch = format!("SCH|A1{}Booked", "|".repeat(24));
    let visit = [&sch, PID, "ZRF|R7", "ZVS|DNA"];
    assert_eq!(
        meaning("SIU^S14", &visit, settings).split(" at ").next(),
        Some("appointment NoShow [order R7 | appointment A1 | patient ]")
    );
    let note =
        [PID, "ORC|RE", "OBR|1||D1|11488-4^Consult note^LN|||||||||||||||||||||F", "OBX|1|TX|||Seen||||||F", "ZRF|R7"];
    assert!(meaning("ORU^R01", &note, settings).starts_with("note [order R7 D1 | appointment"));
    let updated = meaning("ADT^A08", &[PID, "ZPH|6265559876"], settings);
    assert!(updated.contains(r#"["+16265559876 mobile", "+16265551234"]"#), "{updated}");
    // An order's visit type may stand elsewhere than in OBR-4, and says what is ordered.
    let typed = r#"{"map": {"visit_type": {"from": "ZVT-1", "codes": {"C": "Consultation", "L": "Lab panel"}}}}"#;
    let rows = [
        ("ZVT|C", "ordered [order P1 | appointment  | patient ] Routine"),
        ("ZVT|L", "not for us: an order for a test, an image or a medicine, not a referral"),
        ("ZVT", "unreadable at OBR-4: nothing says whether this order is a referral"),
    ];
    for (segment, expected) in rows {
        let told = meaning("ORM^O01", &[PID, "ORC|NW|P1", "OBR|1|||77", segment], typed);
        assert!(told.starts_with(expected), "{segment}: {told}");
    }
}

#[test]
fn an_unknown_code_is_told_to_the_sender_with_its_place() {
    let settings = r#"{"map": {"urgency": {"from": "ZRF-2.1", "codes": {"U": "urgent"}}}}"#;
    let reading = read(&message(&[&header("REF^I12"), RF1, PID, "ZRF||SECRET"]), settings);
    let answer = String::from_utf8_lossy(&reading.accepted.body).into_owned();
    assert!(answer.contains("\rERR||ZRF^1^2|103^Table value not found^HL70357|E|||"), "{answer}");
    assert!(!answer.contains("SECRET") && !tell(&reading).contains("SECRET"));
}

#[test]
fn a_wrong_map_is_told_with_its_key_before_any_message() {
    let rows = [
        (
            r#"{"map": {"urgency": "ZRF_2"}}"#,
            "unreadable at settings.map.urgency: this is no place in a message: at character 4, `-` is missing; a `-` and the \
             field's number follow the segment, such as `ZRF-2`",
        ),
        (
            r#"{"map": {"urgancy": "ZRF-2"}}"#,
            "unreadable at settings.map.urgancy: this is no fact that can be mapped; write one of: ",
        ),
        (
            r#"{"map": {"urgency": {"from": "ZRF-2", "codes": {"U": "soon"}}}}"#,
            "unreadable at settings.map.urgency.codes.U: this is no urgency; write routine, urgent, stat",
        ),
    ];
    for (settings, expected) in rows {
        for body in [b"".as_slice(), &message(&[&header("REF^I12"), RF1, PID])] {
            let reading = read(body, settings);
            assert!(tell(&reading).starts_with(expected), "{settings}: {}", tell(&reading));
            assert!(matches!(reading.meaning, Meaning::Unreadable(_)));
            assert_eq!(reading.accepted.status, 503, "its sender tries again: {settings}");
        }
    }
}
