//! What people do: what is offered where, how answers are read, what an act tells, and how a task lives.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::TimeDelta;
use expect_test::{Expect, expect};
use handoff_engine::act::{AnswerFault, GivenAnswer, GivenAnswers, Minted, told_events};
use handoff_engine::answer::{ActAnswer, ActAnswers, AnswerKind};
use handoff_engine::deployment::Deployment;
use handoff_engine::event::*;
use handoff_engine::ids::Token;
use handoff_engine::letter::{Audience, Task};
use handoff_engine::referral::*;
use handoff_engine::step::step;
use handoff_engine::task::{ReferralTask, TASKS_MAX, TaskChange, TaskOutcome};
use handoff_engine::workflow::parts::differences;
use handoff_engine::workflow::{ActRule, Question, Workflow};
use proptest::prelude::*;

use crate::given;
use crate::steps::{newborn, start};

static RECIPE: LazyLock<Deployment> = LazyLock::new(given::recipe);

/// An act that asks one thing.
fn asking(kind: AnswerKind) -> ActRule {
    let question = Question { name: "it".to_string(), kind, label: "What is it?".to_string(), optional: false };
    ActRule { asks: vec![question], ..RECIPE.workflow.act("close").expect("the recipe's").clone() }
}

fn read(kind: AnswerKind, answers: &[(&str, &str)]) -> Result<Vec<(String, GivenAnswer)>, AnswerFault> {
    let given = answers.iter().map(|(question, answer)| (question.to_string(), answer.to_string()));
    let zone = chrono_tz::America::New_York;
    GivenAnswers(given.collect()).read(&asking(kind), &RECIPE.workflow, zone, start())
}

fn told(answer: &GivenAnswer) -> String {
    match answer {
        GivenAnswer::Plain(answer) => serde_json::to_string(answer).expect("an answer is written"),
        GivenAnswer::Text(text) => format!("text {text:?}"),
        GivenAnswer::Address { channel, address, replaces } => format!("{channel} {address} for {replaces:?}"),
        GivenAnswer::Document { media_type, base64 } => format!("{media_type} {base64}"),
    }
}

/// What is asked, what is typed, and what comes of it.
type AnswerRow = (AnswerKind, &'static [(&'static str, &'static str)], &'static str);

const ANSWERS: &[AnswerRow] = &[
    (
        AnswerKind::Appointment,
        &[("it", "2026-03-10 09:30")],
        r#"{"answer":"appointment","starts_at":"2026-03-10T13:30:00Z","minutes":30}"#,
    ),
    (
        AnswerKind::Appointment,
        &[("it", "2026-03-10T09:30"), ("it.minutes", "45")],
        r#"{"answer":"appointment","starts_at":"2026-03-10T13:30:00Z","minutes":45}"#,
    ),
    (
        AnswerKind::Appointment,
        &[("it", "2026-03-10T09:30:00-07:00")],
        r#"{"answer":"appointment","starts_at":"2026-03-10T16:30:00Z","minutes":30}"#,
    ),
    (
        AnswerKind::Appointment,
        &[("it", "next Friday")],
        "`it` cannot be taken: write the visit's time as 2026-03-10 09:30",
    ),
    (
        AnswerKind::Appointment,
        &[("it", "2206-03-10 09:30")],
        "`it` cannot be taken: the visit is more than two years away: look at the year again",
    ),
    (
        AnswerKind::Appointment,
        &[("it", "2026-03-10 09:30"), ("it.minutes", "0")],
        "`it` cannot be taken: write `.minutes` as a number of minutes, at most a day's",
    ),
    (AnswerKind::Appointment, &[("it", " ")], "`it` is not answered: it asks: What is it?"),
    (AnswerKind::Appointment, &[("at", "2026-03-10 09:30")], "the act does not ask this: write `it`"),
    (
        AnswerKind::Specialist,
        &[("it", " Dr. Ana Ruiz "), ("it.phone", "555-0111")],
        r#"{"answer":"specialist","specialist":{"id":"","name":"Dr. Ana Ruiz","organization":"","phone":"555-0111","specialty":""}}"#,
    ),
    (
        AnswerKind::Specialist,
        &[("it", "ZPHIG00AAAAAAAAAAAAAAAAAAAAAAAAAAA")],
        "`it` cannot be taken: no word may begin with ZPHI: that is how Handoff writes what it has sealed",
    ),
    (AnswerKind::Address, &[("it", "(213) 555-0140")], "sms (213) 555-0140 for None"),
    (
        AnswerKind::Address,
        &[("it", "ana@example.org"), ("it.replaces", "anna@example.org")],
        r#"email ana@example.org for Some("anna@example.org")"#,
    ),
    (
        AnswerKind::Address,
        &[("it", "ana@example.org"), ("it.channel", "sms")],
        "`it` cannot be taken: write a telephone number for sms, a mail address for email",
    ),
    (AnswerKind::Consent, &[("it", "granted")], r#"{"answer":"consent","consent":"granted"}"#),
    (AnswerKind::Consent, &[("it", "unknown")], "`it` cannot be taken: write granted or denied"),
    (AnswerKind::Channel, &[("it", "fax")], "`it` cannot be taken: one of: sms, email, portal"),
    (AnswerKind::ReplyIntent, &[("it", "decline")], r#"{"answer":"reply-intent","intent":"decline"}"#),
    (AnswerKind::CallOutcome, &[("it", "no-answer")], r#"{"answer":"call-outcome","outcome":"no-answer"}"#),
    (AnswerKind::RerouteReason, &[("it", "declined")], r#"{"answer":"reroute-reason","reason":"declined"}"#),
    (AnswerKind::Letter, &[("it", "rebook")], r#"{"answer":"letter","letter":"rebook"}"#),
    (AnswerKind::Letter, &[("it", "rebok")], "`it` cannot be taken: write `rebook`"),
    (AnswerKind::Text, &[("it", "she goes\r\non Friday")], r#"text "she goes\non Friday""#),
    (AnswerKind::Text, &[("it", "a\u{0}b")], "`it` cannot be taken: at most 1500 characters of plain text"),
    (AnswerKind::Document, &[("it", "JVBE\nRi0x")], "application/pdf JVBERi0x"),
    (AnswerKind::Document, &[("it", "aGVsbG8=")], "`it` cannot be taken: this is no PDF; say with `.type` what it is"),
    (AnswerKind::Document, &[("it", "aGVsbG8="), ("it.type", "text/plain")], "text/plain aGVsbG8="),
    (AnswerKind::Document, &[("it", "JVBERi0")], "`it` cannot be taken: give the document's bytes in base64"),
    (AnswerKind::Date, &[("it", "2026-03-10")], r#"{"answer":"date","date":"2026-03-10"}"#),
];

#[test]
fn answers_are_read_as_people_type_them() {
    for (kind, given, expected) in ANSWERS {
        let came = match read(*kind, given) {
            Ok(answers) => told(&answers[0].1),
            Err(fault) => fault.to_string().replace("\n  help:", ":"),
        };
        assert_eq!(came, *expected, "{given:?}");
    }
}

#[test]
fn answers_show_nobody_in_a_log() {
    let given = GivenAnswers(BTreeMap::from([("words".to_string(), "Ana Cruz drives".to_string())]));
    assert_eq!(format!("{given:?} {:?}", GivenAnswer::Text("Ana Cruz".to_string())), "[\"words\"] GivenAnswer(…)");
}

#[test]
fn a_state_offers_what_it_can_take() {
    let deployment = given::recipe();
    let offered = |state: &str, expected: Expect| {
        let names: Vec<&str> = deployment.workflow.offers(state).map(|act| act.name.as_str()).collect();
        expected.assert_eq(&names.join(" "));
    };
    offered(
        "contacting",
        expect![
            "call book move attended reroute specialist-declined refer-to attach-note write send-letter read-reply decline opt-out opt-in address take-over close"
        ],
    );
    offered(
        "scheduled",
        expect![
            "call book move cancel-visit attended missed reroute specialist-declined refer-to attach-note write send-letter read-reply decline opt-out opt-in address take-over close"
        ],
    );
    offered(
        "awaiting-note",
        expect![
            "call reroute specialist-declined refer-to request-note attach-note write send-letter read-reply opt-out opt-in address take-over close"
        ],
    );
    offered(
        "by-hand",
        expect![
            "call book move attended reroute specialist-declined refer-to attach-note write send-letter read-reply decline opt-out opt-in address take-over resume close"
        ],
    );
    offered("closed", expect!["call attach-note read-reply opt-out opt-in address reopen"]);
    offered("deceased", expect!["call read-reply opt-out opt-in address"]);
    offered("nowhere", expect![""]);
}

fn minted() -> Minted {
    Minted { words: Token("said".to_string()), document: Token("document".to_string()) }
}

fn told_of(act: &str, answers: ActAnswers, referral: &Referral, heard: Option<&Reply>) -> Vec<Event> {
    let deployment = given::recipe();
    let rule = deployment.workflow.act(act).expect("an act of the recipe");
    told_events(rule, &answers, referral, heard, &minted(), start())
}

#[test]
fn what_a_person_reads_into_a_reply_is_the_patients_own_reply() {
    let heard = Reply {
        intent: Intent::Unclear,
        language: "es".to_string(),
        confidence: 20,
        channel: Channel::Email,
        from: Some(Token("from".to_string())),
        text: Token("text".to_string()),
    };
    let meaning = ActAnswer::ReplyIntent { intent: Intent::Decline };
    let told = told_of("read-reply", [("meaning".to_string(), meaning)].into(), &newborn(), Some(&heard));
    let reply = Reply { intent: Intent::Decline, confidence: 100, ..heard };
    assert_eq!(told, [Event::Reply { reply }]);
}

#[test]
fn an_appointment_that_moves_keeps_its_numbers_and_whoever_is_named_again_is_not_forgotten() {
    let mut referral = newborn();
    let numbers = vec![Token("SCH".to_string())];
    let (starts_at, status) = (start() + TimeDelta::days(3), AppointmentStatus::Booked);
    referral.facts.appointment =
        Some(Appointment { numbers: numbers.clone(), starts_at, minutes: 30, status, as_of: None });
    let to = start() + TimeDelta::days(9);
    let answers = [("appointment".to_string(), ActAnswer::Appointment { starts_at: to, minutes: 20 })];
    let as_of = Some(start());
    let moved = Appointment { numbers, starts_at: to, minutes: 20, status, as_of };
    let change = AppointmentChange::Moved;
    assert_eq!(
        told_of("move", answers.clone().into(), &referral, None),
        [Event::Appointment { change, appointment: Some(moved), with: None, numbers: Vec::new(), as_of }]
    );
    let name = referral.facts.order.specialist.as_ref().expect("one is named").name.to_uppercase();
    let named = |name: &str| Provider { name: name.to_string(), ..Provider::default() };
    let with = |name: &str| {
        let specialist = ActAnswer::Specialist { specialist: named(name) };
        let answers = answers.iter().cloned().chain([("specialist".to_string(), specialist)]).collect();
        let told = told_of("book", answers, &referral, None);
        let [Event::Appointment { with, .. }] = told.as_slice() else { panic!("{told:?}") };
        with.clone()
    };
    assert_eq!(with("Dr. Nguyen"), Some(named("Dr. Nguyen")));
    let known = referral.facts.order.specialist.clone().expect("one is named");
    assert_eq!(known.told_again(&with(&name).expect("named")).id, known.id);
}

#[test]
fn a_wrong_number_is_never_used_again_and_other_outcomes_tell_nothing() {
    for outcome in CallOutcome::ALL {
        let answers = [("outcome".to_string(), ActAnswer::CallOutcome { outcome: *outcome })].into();
        let intents: Vec<Intent> =
            told_of("call", answers, &newborn(), None).iter().filter_map(Event::reply).map(|it| it.intent).collect();
        let expected = if *outcome == CallOutcome::WrongNumber { vec![Intent::WrongPerson] } else { vec![] };
        assert_eq!(intents, expected, "{outcome}");
    }
}

#[test]
fn an_address_is_learned_corrected_and_its_consent_kept() {
    let deployment = given::recipe();
    let mut referral = newborn();
    let mut state = |address: &str, replaces: Option<&str>, consent: Consent| {
        let token = |text: &str| Token(text.to_string());
        let (channel, replaces) = (Channel::Sms, replaces.map(token));
        let answer = ActAnswer::Address { channel, address: token(address), replaces, consent };
        let event = Event::Person {
            verb: "address".to_string(),
            who: "ana".to_string(),
            reason: "she said so".to_string(),
            role: None,
            answers: [("address".to_string(), answer)].into(),
        };
        referral = step(&deployment, &referral, &event, start()).expect("news").referral;
        let reaches = referral.facts.patient.reaches.iter();
        reaches.map(|reach| format!("{} {}", reach.address, reach.consent)).collect::<Vec<_>>().join(", ")
    };
    let first = state("new", None, Consent::Unknown);
    assert!(first.ends_with("new unknown") && first.matches(',').count() == 2, "{first}");
    let second = state("newer", Some("new"), Consent::Granted);
    assert!(second.ends_with("newer granted") && !second.contains("new unknown"), "{second}");
    assert!(state("newer", None, Consent::Denied).ends_with("newer denied"));
}

fn task(kind: &str) -> Task {
    let summary = "Please telephone.".to_string();
    Task { audience: Audience::Coordinator, kind: kind.to_string(), urgent: false, summary, due_in_hours: 24 }
}

#[test]
fn a_task_is_taken_put_off_done_and_opened_again() {
    let deployment = given::recipe();
    let mut referral = newborn();
    referral.tasks.push(ReferralTask::raised(7, &task("stalled"), start()));
    let mut change = |change: TaskChange, hours: i64| {
        let (who, why) = ("ana".to_string(), "I phoned".to_string());
        let task = referral.tasks[0].id(referral.id);
        let event = Event::Task { task, kind: "stalled".to_string(), change, who, role: None, why };
        let taken = step(&deployment, &referral, &event, start() + TimeDelta::hours(hours));
        taken.map(|step| {
            referral = step.referral;
            (step.because, referral.tasks[0].clone())
        })
    };
    let (because, taken) = change(TaskChange::Assigned { to: Some("ana".to_string()) }, 1).expect("news");
    assert_eq!((because.as_str(), taken.assignee.as_deref()), ("assessing: noted task.assigned", Some("ana")));
    let until = start() + TimeDelta::days(2);
    assert_eq!(change(TaskChange::Snoozed { until }, 2).expect("news").1.snoozed_until, Some(until));
    change(TaskChange::Reopened, 3).expect_err("it is open");
    let (_, done) = change(TaskChange::Done, 4).expect("news");
    let end = done.ended.clone().expect("an end");
    assert_eq!((end.how, end.by.as_str(), end.why.as_str()), (TaskOutcome::Done, "ana", "I phoned"));
    assert_eq!(end.at, start() + TimeDelta::hours(4));
    change(TaskChange::Done, 5).expect_err("it is done");
    change(TaskChange::Assigned { to: None }, 5).expect_err("it is done");
    let (_, again) = change(TaskChange::Reopened, 6).expect("news");
    assert_eq!((again.ended, again.snoozed_until, again.assignee.as_deref()), (None, None, Some("ana")));
}

#[test]
fn what_a_task_asked_for_makes_it_moot_and_what_comes_with_the_end_stays() {
    let deployment = given::recipe();
    let mut referral = newborn();
    referral.state = "by-hand".to_string();
    for (letter, kind) in [(1, "stalled"), (2, "emergency-reply"), (3, "check-in")] {
        referral.tasks.push(ReferralTask::raised(letter, &task(kind), start()));
    }
    let answers = [("appointment".to_string(), ActAnswer::Appointment { starts_at: start(), minutes: 30 })].into();
    let booked = told_of("book", answers, &referral, None).remove(0);
    let taken = step(&deployment, &referral, &booked, start()).expect("news");
    assert_eq!(taken.because, "by-hand -> scheduled on appointment.booked; moot: stalled");
    let end = taken.referral.tasks[0].ended.as_ref().expect("an end");
    assert_eq!((end.how, end.by.as_str()), (TaskOutcome::Moot, "appointment.booked"));
    let declined = told_of("decline", ActAnswers::new(), &taken.referral, None).remove(0);
    let ended = step(&deployment, &taken.referral, &declined, start()).expect("news").referral;
    let open: Vec<&str> = ended.tasks.iter().filter(|it| it.is_open()).map(|it| it.kind.as_str()).collect();
    assert_eq!((ended.state.as_str(), open), ("declined", vec!["emergency-reply", "declined"]));
}

#[test]
fn tasks_do_not_swell_a_referral_and_what_is_open_is_forgotten_last() {
    let deployment = given::recipe();
    let mut referral = newborn();
    for letter in 0..TASKS_MAX as u32 {
        referral.tasks.push(ReferralTask::raised(letter, &task("read-reply"), start()));
    }
    let done = Event::Task {
        task: referral.tasks[40].id(referral.id),
        kind: "read-reply".to_string(),
        change: TaskChange::Done,
        who: "ana".to_string(),
        role: None,
        why: String::new(),
    };
    referral = step(&deployment, &referral, &done, start()).expect("news").referral;
    referral.letters = 1_000;
    let emergency = told_of("decline", ActAnswers::new(), &referral, None).remove(0);
    let Event::Reply { reply } = emergency else { panic!("a reply") };
    let emergency = Event::Reply { reply: Reply { intent: Intent::Emergency, ..reply } };
    let after = step(&deployment, &referral, &emergency, start()).expect("news").referral;
    assert_eq!(after.tasks.len(), TASKS_MAX);
    assert!(after.tasks.iter().all(|task| task.is_open() && task.letter != 40));
    assert_eq!(after.tasks.last().map(|task| (task.letter, task.kind.as_str())), Some((1_001, "emergency-reply")));
}

/// Journals of earlier builds have neither tasks nor answers.
#[test]
fn what_earlier_builds_wrote_is_read() {
    let mut json = serde_json::to_value(newborn()).expect("written");
    assert!(json.get("tasks").is_none() && json["facts"].get("calls").is_none(), "nothing is written of nothing");
    json["state"] = "contacting".into();
    let read: Referral = serde_json::from_value(json).expect("read");
    assert!(read.tasks.is_empty() && read.facts.calls.is_empty());
    let event = r#"{"event":"person","verb":"close","who":"ana","reason":"she moved"}"#;
    let read: Event = serde_json::from_str(event).expect("read");
    assert_eq!(serde_json::to_string(&read).expect("written"), event);
}

proptest! {
    #[test]
    fn whatever_is_typed_is_read_or_refused(
        kind in prop::sample::select(AnswerKind::ALL),
        text in "\\PC{0,40}|[0-9T:. -]{0,24}|[A-Za-z0-9+/=]{0,60}|ZPHI[A-Z0-9]{0,30}",
        part in "\\PC{0,20}",
    ) {
        let mut given = vec![("it".to_string(), text)];
        given.extend(kind.parts().iter().map(|name| (format!("it.{name}"), part.clone())));
        let given = GivenAnswers(given.into_iter().collect());
        let zone = chrono_tz::America::New_York;
        let read = given.read(&asking(kind), &RECIPE.workflow, zone, start());
        if let Ok(answers) = read {
            prop_assert!(!told(&answers[0].1).contains("ZPHI"), "a token came through");
        }
    }
}

#[test]
fn a_plan_tells_what_is_different_about_acts_and_tasks() {
    let changed = given::recipe_text()
        .replace(
            "label: Log a call\n    roles: [coordinator, physician]",
            "label: Log a call\n    roles: [coordinator]",
        )
        .replace("  check-in: [end]\n", "");
    let changed = Workflow::parse_with("referral.yaml", &changed, &given::recipe_files()).expect("a sound workflow");
    let told: Vec<String> = differences(&RECIPE.workflow, &changed).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "~ action call: `Log a call` by coordinator, physician, asks outcome (call-outcome), words? (text) -> \
             `Log a call` by coordinator, asks outcome (call-outcome), words? (text)",
            "- what makes task check-in moot: moot on end",
        ]
    );
}
