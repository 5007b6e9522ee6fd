//! What the settings of a map may say, and every fault with its key.

use mapping::{Coded, Fact, Mapping, NotInTable, PathFault, Told};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A place is a letter here.
fn path(text: &str) -> Result<String, PathFault> {
    match text.len() {
        1 => Ok(text.to_owned()),
        _ => Err(PathFault { at: 2, message: "it is too long".to_owned(), help: "write one letter".to_owned() }),
    }
}

fn read(map: &Value) -> Result<Mapping<String>, Vec<String>> {
    let told = |faults: Vec<mapping::SettingFault>| {
        faults.into_iter().map(|fault| format!("{}: {}; {}", fault.place, fault.message, fault.help)).collect()
    };
    Mapping::read(map, &Fact::ALL, path).map_err(told)
}

/// What a message says in which place, and what comes of it.
fn told(map: &Value, fact: Fact, message: &[(&str, &str)]) -> Result<Vec<Told<String>>, String> {
    let mapping = read(map).expect("the map can be read");
    let find = |place: &String| {
        let there = message.iter().filter(|(at, _)| at == place);
        there.map(|(_, value)| (*value).to_owned()).collect()
    };
    let rule = mapping.rule(fact).expect("the fact is mapped");
    rule.told(find, String::clone).map_err(|NotInTable { fact, place }| format!("{fact} at {place}"))
}

fn written(text: &str) -> Told<String> {
    Told::Written(text.to_owned())
}

fn meant(code: &str) -> Told<String> {
    Told::Meant(Coded { code: code.to_owned(), ..Coded::default() })
}

/// A map, a fact, what stands in which place, and what is told.
type Row<'a> = (&'a Value, Fact, &'a [(&'a str, &'a str)], Result<Vec<Told<String>>, String>);

#[test]
fn a_fact_is_what_its_place_its_table_and_its_default_say() {
    let urgency =
        json!({ "urgency": { "from": ["a", "b"], "codes": { "U": "urgent", "3": "stat" }, "default": "routine" } });
    let strict = json!({ "urgency": { "from": "a", "codes": { "U": "urgent" } } });
    let bare = json!({ "urgency": "a", "reason": "r", "diagnosis": ["d"] });
    let rows: [Row<'_>; 11] = [
        (&urgency, Fact::Urgency, &[("a", "U"), ("b", "3")], Ok(vec![meant("urgent")])),
        (&urgency, Fact::Urgency, &[("b", "3")], Ok(vec![meant("stat")])),
        (&urgency, Fact::Urgency, &[("a", "u")], Ok(vec![meant("urgent")])),
        (&urgency, Fact::Urgency, &[("a", "X")], Ok(vec![meant("routine")])),
        (&urgency, Fact::Urgency, &[], Ok(vec![meant("routine")])),
        (&strict, Fact::Urgency, &[("a", "X")], Err("urgency at a".to_owned())),
        // With a table, a word of ours is a code like any other.
        (&strict, Fact::Urgency, &[("a", "stat")], Err("urgency at a".to_owned())),
        (&strict, Fact::Urgency, &[], Ok(Vec::new())),
        (&bare, Fact::Urgency, &[("a", "STAT")], Ok(vec![meant("stat")])),
        (&bare, Fact::Reason, &[("r", "Pain"), ("r", "Ache")], Ok(vec![written("Pain"), written("Ache")])),
        (&bare, Fact::Diagnosis, &[("d", "I10")], Ok(vec![written("I10")])),
    ];
    for (map, fact, message, expected) in rows {
        assert_eq!(told(map, fact, message), expected, "{map} {message:?}");
    }
}

#[test]
fn a_code_may_be_told_with_its_words_and_its_terminology() {
    let map = json!({ "specialty": { "from": "a", "system": "SCT", "codes": {
        "CARD": { "code": "394579002", "display": "Cardiology" },
        "GI": "Gastroenterology",
        "X": { "display": "Eyes", "system": "L" },
    } } });
    let rows = [
        ("CARD", ["SCT", "394579002", "Cardiology"]),
        ("GI", ["SCT", "Gastroenterology", "Gastroenterology"]),
        ("X", ["L", "", "Eyes"]),
    ];
    for (code, expected) in rows {
        let [system, code_meant, display] = expected.map(str::to_owned);
        let expected = Told::Meant(Coded { system, code: code_meant, display });
        assert_eq!(told(&map, Fact::Specialty, &[("a", code)]), Ok(vec![expected]), "{code}");
    }
}

#[test]
fn every_fault_is_told_with_its_key() {
    let map = json!({
        "urgancy": "a",
        "urgency": { "from": "abc", "codes": { "U": "fast" }, "default": "soon", "otherwise": 1 },
        "consent": { "codes": { "Y": true } },
        "specialty": { "from": ["a", 7], "codes": ["x"], "system": 3 },
        "visit_type": { "from": "a", "codes": { "N": { "kode": "1" }, "O": "" } },
        "reason": 7,
        "plan": null,
        "email": [],
    });
    let faults: Vec<String> = read(&map).err().expect("the map is wrong");
    let places: Vec<&str> = faults.iter().filter_map(|fault| fault.split(": ").next()).collect();
    assert_eq!(
        places,
        [
            "map.urgancy",
            "map.urgency.otherwise",
            "map.urgency.codes.U",
            "map.urgency.default",
            "map.urgency.from",
            "map.consent.codes.Y",
            "map.consent.from",
            "map.specialty.system",
            "map.specialty.codes",
            "map.specialty.from.1",
            "map.visit_type.codes.N.kode",
            "map.visit_type.codes.N",
            "map.visit_type.codes.O",
            "map.reason",
            "map.plan",
            "map.email",
        ],
        "{faults:#?}"
    );
    assert!(faults.contains(&"map.urgency.codes.U: this is no urgency; write routine, urgent, stat".to_owned()));
    assert!(faults.iter().any(|fault| fault
        == "map.urgency.from: this is no place in a message: at character 2, it is too long; write one letter"));
    assert!(read(&json!("ZRF-1")).is_err() && read(&Value::Null).is_ok());
}

proptest! {
    #[test]
    fn any_settings_are_a_map_or_faults_with_a_cure(text in "[{}\\[\\]\":,a-c0-9]{0,30}", fact in 0..Fact::ALL.len()) {
        let value: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        let map = json!({ Fact::ALL[fact].name(): value });
        if let Err(faults) = Mapping::read(&map, &Fact::ALL, path) {
            prop_assert!(!faults.is_empty());
            for fault in faults {
                prop_assert!(fault.place.starts_with("map.") && !fault.message.is_empty() && !fault.help.is_empty());
            }
        }
    }
}
