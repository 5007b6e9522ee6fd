//! The transition at its edges: what is refused, what only teaches, how letters are numbered.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::deployment::Deployment;
use handoff_engine::event::*;
use handoff_engine::guard::{Guard, GuardView, VARIABLES};
use handoff_engine::ids::{LetterId, ReferralId, Token};
use handoff_engine::referral::*;
use handoff_engine::scenario::Scenario;
use handoff_engine::step::{Rejection, Step, begin, is_news, step};

use crate::given;

pub fn start() -> DateTime<Utc> {
    "2026-02-03T17:00:00Z".parse().expect("a moment")
}

fn born(deployment: &Deployment) -> Step {
    let scenario = Scenario::parse("none", "at 0h ordered -> assessing").expect("a scenario");
    let id = ReferralId::derive(start(), b"order");
    begin(deployment, id, scenario.patient.into(), scenario.order.into(), start()).expect("a birth")
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
    let order = Event::Ordered { patient: referral.facts.patient.clone(), order: referral.facts.order.clone() };
    assert_eq!(refuse(order, start()), Rejection::AlreadyBegun);
    let elsewhere = Referral { deployment: handoff_engine::ids::Digest::of(b"other"), ..referral.clone() };
    assert_eq!(
        step(&deployment, &elsewhere, &Event::Withdrawn { as_of: None }, start()),
        Err(Rejection::OtherDeployment)
    );
    let stranded = Referral { state: "gone".to_string(), ..referral.clone() };
    assert_eq!(
        step(&deployment, &stranded, &Event::Withdrawn { as_of: None }, start()),
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
        as_of: None,
    };
    let event = Event::Appointment {
        change: AppointmentChange::Booked,
        appointment: Some(appointment),
        with: None,
        numbers: Vec::new(),
        as_of: None,
    };
    let learned = step(&deployment, &referral, &event, start()).expect("a step");
    assert_eq!((learned.referral.state.as_str(), learned.referral.version), ("assessing", 2));
    assert!(learned.effects.is_empty() && learned.referral.facts.appointment.is_some());
    let again = step(&deployment, &learned.referral, &event, start());
    assert_eq!(again, Err(Rejection::NothingNew));
}

#[test]
fn a_letter_that_failed_is_made_good_once_however_often_the_vendor_says_so() {
    let deployment = given::recipe();
    let after = |referral: &Referral, event| step(&deployment, referral, &event, start()).expect("a step");
    let assessment = Assessment::InNetwork { specialist: Provider::default(), next_available: None };
    let found = after(&newborn(), Event::Network { assessment });
    let contacting = after(&found.referral, Event::Record { record: None });
    let (id, _) = contacting.letters().next().expect("a letter");
    let letter = SentLetter {
        id,
        template: "first-contact".into(),
        channel: Channel::Sms,
        language: "en".into(),
        asked: Asked::Schedule,
        at: start(),
    };
    let sent = after(&contacting.referral, Event::LetterSent { letter, in_doubt: false });
    let failed = || {
        let status = LetterStatus::Undeliverable { code: "unreachable".into() };
        Event::LetterStatus { letter: id, status, channel: None }
    };
    let made_good = after(&sent.referral, failed());
    assert_eq!(made_good.letters().count(), 1);
    let again = step(&deployment, &made_good.referral, &failed(), start());
    assert_eq!(again, Err(Rejection::StatusKnown { letter: id }));
    let mut answered = sent.referral.clone();
    answered.facts.attempts[0].outcome = AttemptOutcome::Answered;
    let late = step(&deployment, &answered, &failed(), start());
    assert_eq!(late, Err(Rejection::StatusKnown { letter: id }), "who answers has been reached");
}

/// Else a mail that bounces meanwhile would bring the same text again.
#[test]
fn a_letter_in_doubt_is_an_attempt_and_so_it_stays_when_the_vendor_has_spoken() {
    let deployment = given::recipe();
    let contacting = Referral { state: "contacting".into(), ..newborn() };
    let id = LetterId { referral: contacting.id, number: 1 };
    let letter = |minutes| SentLetter {
        id,
        template: "first-contact".into(),
        channel: Channel::Sms,
        language: "en".into(),
        asked: Asked::Schedule,
        at: start() + TimeDelta::minutes(minutes),
    };
    let mut referral = contacting;
    for (minutes, in_doubt) in [(0, true), (5, false)] {
        let event = Event::LetterSent { letter: letter(minutes), in_doubt };
        let step = step(&deployment, &referral, &event, start()).expect("a step");
        assert_eq!(step.letters().count(), 0);
        referral = step.referral;
        let at = start() + TimeDelta::minutes(minutes);
        let attempt = Attempt { letter: id, channel: Channel::Sms, at, outcome: AttemptOutcome::Pending };
        assert_eq!(referral.facts.attempts, [attempt]);
        assert_eq!(referral.facts.last_letter, Some(letter(minutes)));
    }
}

/// Else a letter turned away by a vendor that is down would be followed by another to the same vendor, for ever.
#[test]
fn a_letter_that_never_left_is_remembered_as_an_attempt() {
    let deployment = given::recipe();
    let mut referral = Referral { state: "contacting".into(), ..newborn() };
    for number in 1..=3 {
        let letter = LetterId { referral: referral.id, number };
        let status = LetterStatus::Undeliverable { code: "unreachable".into() };
        let event = Event::LetterStatus { letter, status, channel: Some(Channel::Sms) };
        referral = step(&deployment, &referral, &event, start()).expect("a step").referral;
        let attempt = Attempt { letter, channel: Channel::Sms, at: start(), outcome: AttemptOutcome::Undeliverable };
        assert_eq!(referral.facts.attempts.last(), Some(&attempt));
    }
    assert_eq!(referral.state, "by-hand");
    assert_eq!(referral.facts.last_letter, None, "the patient has read nothing yet");
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

#[test]
fn guards_see_what_they_are_promised() {
    let referral = newborn();
    let event = Event::Withdrawn { as_of: None };
    let view = GuardView { facts: &referral.facts, event: &event, event_name: "withdrawn", now: start() };
    let holds = |source: &str| Guard::compile(source).expect(source).holds(&view);
    for known in VARIABLES {
        let variable = known.name;
        assert!(holds(&format!("{variable} == {variable}")), "{variable}");
        let absent = holds(&format!("{variable} == null"));
        for field in known.fields() {
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
    let reach = |channel, address: &str| ContactPoint {
        channel,
        address: Token(address.to_string()),
        consent: Consent::Unknown,
        confirmed: true,
    };
    let [mobile, home, email] = [(Channel::Sms, "mobile"), (Channel::Sms, "home"), (Channel::Email, "email")];
    Arc::make_mut(&mut referral.facts.patient).reaches =
        [mobile, home, email].map(|(channel, address)| reach(channel, address)).into();
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
        let reaches = &taken.referral.facts.patient.reaches;
        let shut = reaches.iter().filter(|reach| reach.consent == Consent::Denied);
        assert_eq!(shut.map(|reach| reach.address.0.as_str()).collect::<Vec<_>>(), denied, "from {from:?}");
    }
}

#[test]
fn an_address_is_confirmed_by_the_chart_or_by_whoever_answers_from_it_for_themselves() {
    let deployment = given::recipe();
    let reach = |confirmed| ContactPoint {
        channel: Channel::Sms,
        address: Token("mobile".to_string()),
        consent: Consent::Unknown,
        confirmed,
    };
    let mut referral = newborn();
    Arc::make_mut(&mut referral.facts.patient).reaches = vec![reach(false)];
    let confirmed = |state: &str, event: &Event| {
        let referral = Referral { state: state.to_string(), ..referral.clone() };
        let taken = step(&deployment, &referral, event, start()).expect("a step");
        taken.referral.facts.patient.reaches.iter().map(|reach| reach.confirmed).collect::<Vec<_>>()
    };
    let record = PatientRecord {
        reaches: vec![reach(true)],
        languages: vec![],
        preferred: None,
        consents: vec![],
        zone: None,
        other_zone: None,
        deceased: false,
    };
    let known = Event::Record { record: Some(Box::new(record)) };
    assert_eq!(confirmed("reading-chart", &known), [true], "known by the chart");
    for (intent, from, expected) in [
        (Intent::Scheduled, Some("mobile"), true),
        (Intent::Confirm, None, false),
        (Intent::WrongPerson, Some("mobile"), false),
        (Intent::OptOut, Some("mobile"), false),
        (Intent::Unclear, Some("mobile"), false),
    ] {
        let reply = Reply {
            intent,
            language: "en".to_string(),
            confidence: 100,
            channel: Channel::Sms,
            from: from.map(|address| Token(address.to_string())),
            text: Token("text".to_string()),
        };
        assert_eq!(confirmed("contacting", &Event::Reply { reply }), [expected], "{intent:?} from {from:?}");
    }
}

#[test]
fn a_stop_holds_for_a_number_that_becomes_known_later() {
    let deployment = given::recipe();
    let reach = |address: &str| ContactPoint {
        channel: Channel::Sms,
        address: Token(address.to_string()),
        consent: Consent::Unknown,
        confirmed: false,
    };
    let mut referral = Referral { state: "contacting".to_string(), ..newborn() };
    Arc::make_mut(&mut referral.facts.patient).reaches = vec![reach("old")];
    let update = PatientUpdate { reaches: vec![reach("new")], ..PatientUpdate::default() };
    let updated = Event::PatientUpdated { update: Box::new(update) };
    let says = |intent| Event::Reply {
        reply: Reply {
            intent,
            language: "en".to_string(),
            confidence: 100,
            channel: Channel::Sms,
            from: Some(Token("old".to_string())),
            text: Token("text".to_string()),
        },
    };
    let consents = |events: &[Event]| {
        let mut referral = referral.clone();
        for event in events {
            referral = step(&deployment, &referral, event, start()).expect("a step").referral;
        }
        referral.facts.patient.reaches.iter().map(|reach| reach.consent).collect::<Vec<_>>()
    };
    assert_eq!(consents(std::slice::from_ref(&updated)), [Consent::Unknown]);
    assert_eq!(consents(&[says(Intent::OptOut), updated.clone()]), [Consent::Denied]);
    // Whoever says START is written to again, there as well.
    assert_eq!(consents(&[says(Intent::OptOut), says(Intent::OptIn), updated.clone()]), [Consent::Unknown]);
    // Somebody else's number says nothing of the patient's own.
    assert_eq!(consents(&[says(Intent::WrongPerson), updated]), [Consent::Unknown]);
}

#[test]
fn whoever_is_not_to_be_written_to_is_not_at_an_address_that_is_learned_later() {
    let deployment = given::recipe();
    let reach = |address: &str| ContactPoint {
        channel: Channel::Sms,
        address: Token(address.to_string()),
        consent: Consent::Unknown,
        confirmed: false,
    };
    let consents = |referral: &Referral| -> Vec<Consent> {
        referral.facts.patient.reaches.iter().map(|reach| reach.consent).collect()
    };
    let mut referral = Referral { state: "reading-chart".to_string(), ..newborn() };
    Arc::make_mut(&mut referral.facts.patient).reaches = vec![reach("first")];
    let told =
        |refused| Event::PatientUpdated { update: Box::new(PatientUpdate { refused, ..PatientUpdate::default() }) };
    let refused = step(&deployment, &referral, &told(true), start()).expect("a step").referral;
    assert_eq!(consents(&refused), [Consent::Denied]);
    let record = PatientRecord {
        reaches: vec![reach("second")],
        languages: vec![],
        preferred: None,
        consents: vec![],
        zone: None,
        other_zone: None,
        deceased: false,
    };
    let known = Event::Record { record: Some(Box::new(record)) };
    let learned = |referral: &Referral| step(&deployment, referral, &known, start()).expect("a step").referral;
    assert_eq!(consents(&learned(&refused)), [Consent::Denied, Consent::Denied], "the chart's further number");
    assert_eq!(consents(&learned(&referral)), [Consent::Unknown, Consent::Unknown], "of whom nobody said so");
    // Said again, it takes nothing back that they agreed to since.
    let mut agreed = refused;
    Arc::make_mut(&mut agreed.facts.patient).reaches[0].consent = Consent::Granted;
    assert!(!is_news(&agreed, &told(true)));
}
