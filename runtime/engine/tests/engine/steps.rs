//! The transition at its edges: what is refused, what only teaches, how letters are numbered.

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::deployment::Deployment;
use handoff_engine::event::*;
use handoff_engine::guard::{Guard, VARIABLES, View};
use handoff_engine::ids::{ReferralId, Token};
use handoff_engine::referral::*;
use handoff_engine::scenario::Scenario;
use handoff_engine::step::{Rejection, Step, begin, step};

use crate::given;

pub fn start() -> DateTime<Utc> {
    "2026-02-03T17:00:00Z".parse().expect("a moment")
}

fn born(deployment: &Deployment) -> Step {
    let scenario = Scenario::parse("none", "at 0h ordered -> assessing").expect("a scenario");
    let id = ReferralId::derive(start(), b"order");
    begin(deployment, id, scenario.patient, scenario.order, start()).expect("a birth")
}

pub fn newborn() -> Referral {
    born(&given::recipe()).referral
}

#[test]
fn the_same_texts_make_the_same_deployment() {
    let (first, second) = (given::recipe(), given::recipe());
    assert_eq!(first.digest, second.digest);
    let mut files = given::recipe_files();
    files.insert("templates/xx.yaml".to_string(), "# nothing".to_string());
    assert_ne!(files, given::recipe_files());
}

#[test]
fn what_is_refused() {
    let deployment = given::recipe();
    let referral = newborn();
    let refuse = |event: Event, at: DateTime<Utc>| step(&deployment, &referral, &event, at).expect_err("a rejection");
    let state = || "assessing".to_string();
    assert_eq!(
        refuse(Event::Timer { name: "day-3".to_string() }, start()),
        Rejection::TimerNotSet { name: "day-3".to_string() }
    );
    assert_eq!(
        refuse(Event::Timer { name: "overdue".to_string() }, start()),
        Rejection::TimerNotDue { name: "overdue".to_string() }
    );
    assert_eq!(
        refuse(Event::Record { record: None }, start()),
        Rejection::NotTaken { state: state(), event: "record.missing".to_string() }
    );
    let order = Event::Ordered {
        patient: Box::new(referral.facts.patient.clone()),
        order: Box::new(referral.facts.order.clone()),
    };
    assert_eq!(refuse(order, start()), Rejection::AlreadyBegun);
    let elsewhere = Referral { deployment: handoff_engine::ids::Digest::of(b"other"), ..referral.clone() };
    assert_eq!(step(&deployment, &elsewhere, &Event::Withdrawn, start()), Err(Rejection::OtherDeployment));
    let stranded = Referral { state: "gone".to_string(), ..referral.clone() };
    assert_eq!(
        step(&deployment, &stranded, &Event::Withdrawn, start()),
        Err(Rejection::UnknownState { state: "gone".to_string() })
    );
}

#[test]
fn facts_are_learned_without_a_transition_and_only_once() {
    let deployment = given::recipe();
    let referral = newborn();
    let appointment = Appointment {
        numbers: vec![],
        starts_at: start() + TimeDelta::days(9),
        minutes: 20,
        status: AppointmentStatus::Booked,
    };
    let event = Event::Appointment { change: AppointmentChange::Booked, appointment: Some(appointment), with: None };
    let learned = step(&deployment, &referral, &event, start()).expect("a step");
    assert_eq!((learned.referral.state.as_str(), learned.referral.version), ("assessing", 2));
    assert!(learned.effects.is_empty() && learned.referral.facts.appointment.is_some());
    let again = step(&deployment, &learned.referral, &event, start());
    assert!(matches!(again, Err(Rejection::NotTaken { .. })), "{again:?}");
}

#[test]
fn letters_are_numbered_without_gaps_or_repeats() {
    let deployment = given::recipe();
    let found =
        Event::Network { assessment: Assessment::InNetwork { specialist: Provider::default(), next_available: None } };
    let first = step(&deployment, &newborn(), &found, start()).expect("a step");
    let second = step(&deployment, &first.referral, &Event::Record { record: None }, start()).expect("a step");
    let numbers: Vec<u32> = [&first, &second].iter().flat_map(|step| step.letters().map(|(id, _)| id.number)).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(second.referral.letters, 2);
}

/// A generous bound: it catches a context built where no guard is, not a slow day.
#[test]
fn a_step_is_quick() {
    const STEPS: u32 = 2_000;
    const MICROSECONDS_MAX: u128 = 200;
    let deployment = given::recipe();
    let referral = newborn();
    let specialist = Provider::default();
    let rows = [
        ("without a guard", Assessment::InNetwork { specialist: specialist.clone(), next_available: None }),
        (
            "with two guards",
            Assessment::Alternative { specialist, next_available: None, why: RerouteReason::OverBooked },
        ),
    ];
    for (what, assessment) in rows {
        let event = Event::Network { assessment };
        let clock = std::time::Instant::now();
        for _ in 0..STEPS {
            std::hint::black_box(step(&deployment, std::hint::black_box(&referral), &event, start()).expect("a step"));
        }
        let each = clock.elapsed().as_nanos() / u128::from(STEPS);
        eprintln!("a step {what} takes {each} ns, its copy of the referral included");
        assert!(each < MICROSECONDS_MAX * 1_000, "{what}: {each} ns");
    }
}

/// Every variable and field that guards are promised can be read, and what is absent is null.
#[test]
fn guards_see_what_they_are_promised() {
    let referral = newborn();
    let event = Event::Withdrawn;
    let view = View { facts: &referral.facts, event: &event, event_name: "withdrawn", now: start() };
    let holds = |source: &str| Guard::compile(source).expect(source).holds(&view);
    for (variable, fields) in VARIABLES {
        assert!(holds(&format!("{variable} == {variable}")), "{variable}");
        let absent = holds(&format!("{variable} == null"));
        for field in *fields {
            assert_eq!(holds(&format!("{variable}.{field} == {variable}.{field}")), !absent, "{variable}.{field}");
        }
    }
    for absent in ["appointment", "visit", "note", "letter", "reply"] {
        assert!(holds(&format!("{absent} == null")), "{absent}");
    }
    assert!(holds("order.specialty.code == 'cardiology' && patient.reachable && size(attempts) == 0"));
    assert!(!holds("appointment.starts_at > now"));
    assert!(!holds("1 + 1"));
}

#[test]
fn a_wrong_number_is_never_written_to_again_and_the_patients_other_numbers_are() {
    let deployment = given::recipe();
    let mut referral = newborn();
    let reach =
        |channel, address: &str| Reach { channel, address: Token(address.to_string()), consent: Consent::Unknown };
    let [mobile, home, email] = [(Channel::Sms, "mobile"), (Channel::Sms, "home"), (Channel::Email, "email")];
    referral.facts.patient.reaches = [mobile, home, email].map(|(channel, address)| reach(channel, address)).into();
    for (from, denied) in [(Some("home"), vec!["home"]), (None, vec!["mobile", "home"])] {
        let reply = Reply {
            intent: Intent::WrongPerson,
            language: "en".to_string(),
            confidence: 100,
            channel: Channel::Sms,
            from: from.map(|address| Token(address.to_string())),
            text: Token("text".to_string()),
        };
        let taken = step(&deployment, &referral, &Event::Reply { reply }, start()).expect("a step");
        let reaches = taken.referral.facts.patient.reaches;
        let shut = reaches.iter().filter(|reach| reach.consent == Consent::Denied);
        assert_eq!(shut.map(|reach| reach.address.0.as_str()).collect::<Vec<_>>(), denied, "from {from:?}");
    }
}
