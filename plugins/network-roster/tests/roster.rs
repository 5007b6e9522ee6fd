//! Who is to see the patient? Rows of an order and what the roster says.

use expect_test::{Expect, expect};
use network_roster::*;
use proptest::prelude::*;

const ROSTER: &str = r#""roster":[
    {"id":"1","name":"Dr. Ana Ruiz","organization":"Heart Center","phone":"+15550123","specialties":["Cardiology","394579002"],"plans":["*"],"next_available_days":6},
    {"id":"2","name":"Dr. Li Wei","specialties":["cardiology"],"plans":["HMO Gold","H1"],"next_available_days":3},
    {"id":"3","name":"Dr. Bo Full","specialties":["Cardiology"],"plans":["*"],"next_available_days":1,"full":true},
    {"id":"4","name":"Dr. Cy Late","specialties":["Cardiology"],"plans":["*"],"next_available_days":31},
    {"id":"5","name":"Dr. Di Vague","specialties":["Cardiology"],"plans":["PPO"]},
    {"id":"6","name":"Dr. Ed Skin","specialties":["Dermatology"],"plans":["HMO Gold"],"next_available_days":2}
]"#;

fn settings(more: &str) -> String {
    format!("{{{ROSTER}{more}}}")
}

fn code(code: &str, display: &str) -> Code {
    Code { system: String::new(), code: code.into(), display: display.into() }
}

fn provider(id: &str, name: &str) -> Option<Provider> {
    Some(Provider {
        id: id.into(),
        name: name.into(),
        organization: String::new(),
        phone: String::new(),
        specialty: String::new(),
    })
}

fn request() -> Request {
    Request {
        specialty: code("", "Cardiology"),
        plan_id: String::new(),
        plan_name: "HMO Gold".into(),
        referred_to: None,
        cause: Cause::Ordered,
        tried: vec![],
        urgent: false,
        now: 0,
        extras: vec![],
    }
}

fn say(answer: Result<Assessment, Failure>) -> String {
    let opening = |opening: &Opening| {
        let days = opening.next_available.map_or("unknown".to_owned(), |at| (at / 86_400_000).to_string());
        format!("{} (day {days})", opening.specialist.name)
    };
    match answer {
        Ok(Assessment::InNetwork(named)) => format!("in network: {}", opening(&named)),
        Ok(Assessment::Alternative(other)) => format!("{:?}: {}", other.why, opening(&other.opening)),
        Ok(Assessment::Nobody(why)) => format!("nobody: {why}"),
        Err(Failure::Misconfigured(why)) => format!("misconfigured: {why}"),
        Err(other) => format!("{other:?}"),
    }
}

fn check(more: &str, rows: Vec<(&str, Request)>, expected: Expect) {
    let table: String = rows
        .into_iter()
        .map(|(what, request)| format!("{what:34} -> {}\n", say(NetworkRoster::assess(request, settings(more)))))
        .collect();
    expected.assert_eq(&table);
}

#[test]
fn a_new_order() {
    let to = |id: &str, name: &str| Request { referred_to: provider(id, name), ..request() };
    let rows = vec![
        ("nobody named", request()),
        ("nobody named, by code", Request { specialty: code("394579002", ""), ..request() }),
        ("nobody named, other spelling", Request { specialty: code("", " CARDIOLOGY. "), ..request() }),
        ("in network with room", to("1", "")),
        ("by name", to("", "dr ana ruiz")),
        ("another id, same name", to("99", "Dr. Ana Ruiz")),
        ("out of network", to("5", "")),
        ("full", to("3", "")),
        ("too late", to("4", "")),
        ("in time", Request { plan_name: "PPO".into(), ..to("5", "") }),
        ("by plan id", Request { plan_id: "h1".into(), plan_name: String::new(), ..request() }),
        ("not in the roster", to("99", "Dr. New")),
        ("not in the roster, tried", Request { tried: vec!["99".into()], ..to("99", "Dr. New") }),
        ("tried", Request { tried: vec!["1".into()], ..to("1", "") }),
        ("no plan named", Request { plan_name: String::new(), ..to("5", "") }),
        ("no plan, nobody named", Request { plan_name: " ".into(), ..request() }),
        ("urgent", Request { urgent: true, ..to("1", "") }),
        ("unknown specialty", Request { specialty: code("X", "Astrology"), ..request() }),
        ("no specialty", Request { specialty: code("", ""), ..request() }),
        ("no such plan", Request { specialty: code("", "Dermatology"), plan_name: "None Such".into(), ..request() }),
    ];
    check(
        "",
        rows,
        expect![[r#"
        nobody named                       -> Why::NoneNamed: Dr. Li Wei (day 3)
        nobody named, by code              -> Why::NoneNamed: Dr. Ana Ruiz (day 6)
        nobody named, other spelling       -> Why::NoneNamed: Dr. Li Wei (day 3)
        in network with room               -> in network: Dr. Ana Ruiz (day 6)
        by name                            -> in network: Dr. Ana Ruiz (day 6)
        another id, same name              -> in network: Dr. Ana Ruiz (day unknown)
        out of network                     -> Why::OutOfNetwork: Dr. Li Wei (day 3)
        full                               -> Why::OverBooked: Dr. Li Wei (day 3)
        too late                           -> Why::OverBooked: Dr. Li Wei (day 3)
        in time                            -> in network: Dr. Di Vague (day unknown)
        by plan id                         -> Why::NoneNamed: Dr. Li Wei (day 3)
        not in the roster                  -> in network: Dr. New (day unknown)
        not in the roster, tried           -> Why::Declined: Dr. Li Wei (day 3)
        tried                              -> Why::Declined: Dr. Li Wei (day 3)
        no plan named                      -> in network: Dr. Di Vague (day unknown)
        no plan, nobody named              -> Why::NoneNamed: Dr. Li Wei (day 3)
        urgent                             -> in network: Dr. Ana Ruiz (day 6)
        unknown specialty                  -> nobody: the roster has nobody of this specialty
        no specialty                       -> nobody: the roster has nobody of this specialty
        no such plan                       -> nobody: nobody of this specialty is in the plan's network
    "#]],
    );
}

#[test]
fn a_dead_end_is_routed_around() {
    let again = |cause, id: &str, tried: &[&str]| Request {
        referred_to: provider(id, ""),
        cause,
        tried: tried.iter().map(|id| (*id).to_owned()).collect(),
        ..request()
    };
    let rows = vec![
        ("over-booked", again(Cause::OverBooked, "2", &[])),
        ("declined", again(Cause::Declined, "1", &["1"])),
        ("declined, nobody named", Request { referred_to: None, ..again(Cause::Declined, "", &["2"]) }),
        ("declined by all", again(Cause::Declined, "1", &["1", "2"])),
        ("over-booked, unknown specialist", again(Cause::OverBooked, "99", &[])),
    ];
    check(
        "",
        rows,
        expect![[r#"
        over-booked                        -> Why::OverBooked: Dr. Ana Ruiz (day 6)
        declined                           -> Why::Declined: Dr. Li Wei (day 3)
        declined, nobody named             -> Why::Declined: Dr. Ana Ruiz (day 6)
        declined by all                    -> nobody: nobody else in network has room within 30 days
        over-booked, unknown specialist    -> Why::OverBooked: Dr. Li Wei (day 3)
    "#]],
    );
}

#[test]
fn settings_decide_on_what_is_unknown() {
    let rows = || {
        vec![
            ("not in the roster", Request { referred_to: provider("99", "Dr. New"), ..request() }),
            ("no plan", Request { plan_name: String::new(), referred_to: provider("2", ""), ..request() }),
            (
                "no plan, any-plan specialist",
                Request { plan_name: String::new(), referred_to: provider("1", ""), ..request() },
            ),
            ("six days at most", request()),
            ("urgent: two days at most", Request { urgent: true, ..request() }),
        ]
    };
    let more = r#","unknown_specialist":"reroute","unknown_plan":"reroute","max_wait_days":6,"urgent_wait_days":2"#;
    check(
        more,
        rows(),
        expect![[r#"
        not in the roster                  -> Why::OutOfNetwork: Dr. Li Wei (day 3)
        no plan                            -> Why::OutOfNetwork: Dr. Ana Ruiz (day 6)
        no plan, any-plan specialist       -> in network: Dr. Ana Ruiz (day 6)
        six days at most                   -> Why::NoneNamed: Dr. Li Wei (day 3)
        urgent: two days at most           -> nobody: nobody else in network has room within 2 days
    "#]],
    );
}

#[test]
fn the_soonest_then_the_first_by_name() {
    let settings = r#"{"roster":[
        {"id":"1","name":"B","specialties":["x"],"plans":["*"]},
        {"id":"2","name":"D","specialties":["x"],"plans":["*"],"next_available_days":2},
        {"id":"3","name":"C","specialties":["x"],"plans":["*"],"next_available_days":2}]}"#;
    let request = |tried: &[&str]| Request {
        specialty: code("x", ""),
        tried: tried.iter().map(|id| (*id).to_owned()).collect(),
        ..request()
    };
    let order: Vec<String> = [&[][..], &["3"], &["3", "2"], &["3", "2", "1"]]
        .into_iter()
        .map(|tried| say(NetworkRoster::assess(request(tried), settings.to_owned())))
        .collect();
    expect![[r#"
        Why::NoneNamed: C (day 2)
        Why::NoneNamed: D (day 2)
        Why::NoneNamed: B (day unknown)
        nobody: nobody else in network has room within 30 days"#]]
    .assert_eq(&order.join("\n"));
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let rows = [
        "{",
        r#"{"colour":1}"#,
        r#"{"roster":[{"id":"","name":"A","specialties":["x"]}]}"#,
        r#"{"roster":[{"id":"1","name":"A","specialties":[]}]}"#,
        r#"{"roster":[{"id":"1","name":"A","specialties":["x"]},{"id":"1","name":"B","specialties":["x"]}]}"#,
        r#"{"unknown_plan":"perhaps"}"#,
        "",
    ];
    let table: String =
        rows.iter().map(|settings| say(NetworkRoster::assess(request(), (*settings).to_owned())) + "\n").collect();
    expect![[r#"
        misconfigured: settings of network-roster: EOF while parsing an object at line 1 column 1
        misconfigured: settings of network-roster: unknown field `colour`, expected one of `roster`, `max_wait_days`, `urgent_wait_days`, `unknown_specialist`, `unknown_plan` at line 1 column 9
        misconfigured: roster[0].id: write the specialist's NPI
        misconfigured: roster[0].specialties: name at least one
        misconfigured: roster[1].id: 1 is there twice
        misconfigured: settings of network-roster: unknown variant `perhaps`, expected `accept` or `reroute` at line 1 column 25
        nobody: the roster has nobody of this specialty
    "#]].assert_eq(&table);
}

proptest! {
    #[test]
    fn never_panics_and_never_sends_back(settings_text in ".*", name in ".*", id in "[0-9]{0,2}", tried in proptest::collection::vec("[1-6]", 0..7), now in any::<i64>()) {
        let request = Request { referred_to: provider(&id, &name), cause: Cause::Declined, tried: tried.clone(), now, ..request() };
        let _ = NetworkRoster::assess(request.clone(), settings_text);
        if let Ok(Assessment::Alternative(other)) = NetworkRoster::assess(request, settings("")) {
            prop_assert!(!tried.contains(&other.opening.specialist.id) && other.opening.specialist.id != id);
        }
    }
}
