//! Referrals that come along to another workflow: into which state, with which timers, and when they would be stranded.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::deployment::Deployment;
use handoff_engine::ids::{Digest, ReferralId};
use handoff_engine::referral::{Referral, Timer};
use handoff_engine::scenario::Scenario;
use handoff_engine::silence::letters_in_silence;
use handoff_engine::step::{Stranded, adopt, begin};
use handoff_engine::workflow::Workflow;
use handoff_engine::workflow::moves::{MoveOutcome, Moves};
use handoff_engine::workflow::parts::{course, differences};

use crate::given;
use crate::steps::start;

const OLDER: &str = "\
format: handoff/workflow@1
name: Small
stages:
  channel: { plugin: channel-consent }
  reply: { plugin: reply-phrases }
  outreach: { sms: { plugin: outreach-twilio, channel: sms } }
practice: { name: Cedar, phone: 555-0199 }
contact: { zone: America/New_York }
templates: templates/
letters: { nudge: { asks: schedule } }
start: waiting
states:
  waiting:
    timers:
      first: { after: 1d }
      second: { after: 3d }
      over: { after: 9d }
    on:
      timer.first: { do: [send: nudge] }
      timer.second: { do: [send: nudge] }
      timer.over: done
  done: { end: true }
";

fn deployed(text: &str) -> Deployment {
    worded(text, "Call {{ practice }}.")
}

/// The recipe's English, with one letter.
fn worded(text: &str, nudge: &str) -> Deployment {
    let files = given::recipe_files();
    let english = files["templates/en.yaml"].split("\nletters:").next().expect("what stands before the letters");
    let english = format!("{english}\nletters:\n  nudge: {{ sms: \"{nudge}\" }}\n");
    match Workflow::parse_with("small.yaml", text, &[("templates/en.yaml".to_string(), english)].into()) {
        Ok(workflow) => Deployment::new(workflow, BTreeMap::new()),
        Err(problems) => panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}

/// The older workflow with one piece replaced.
fn with(piece: &str, by: &str) -> Deployment {
    assert!(OLDER.contains(piece), "there is no `{piece}`");
    deployed(&OLDER.replacen(piece, by, 1))
}

/// In flight for two days: its first timer has fired.
fn two_days_in(older: &Deployment) -> Referral {
    let scenario = Scenario::parse("none", "at 0h ordered -> waiting").expect("a scenario");
    let id = ReferralId::derive(start(), b"order");
    let born = begin(older, id, scenario.patient.into(), scenario.order.into(), start()).expect("a birth");
    let mut referral = born.referral;
    referral.timers.retain(|timer| timer.name != "first");
    referral
}

fn days(days: i64) -> DateTime<Utc> {
    start() + TimeDelta::days(days)
}

fn timers(timers: &[Timer]) -> Vec<String> {
    timers.iter().map(|timer| format!("{} {}d", timer.name, (timer.due - start()).num_days())).collect()
}

#[test]
fn timers_go_on_and_none_fires_twice() {
    let older = deployed(OLDER);
    let referral = two_days_in(&older);
    let rows: &[(&str, &str, &[&str])] = &[
        // What has fired stays fired, also where it would be due later now.
        ("first: { after: 1d }", "first: { after: 5d }", &["second 3d", "over 9d"]),
        ("second: { after: 3d }", "second: { after: 4d }", &["second 4d", "over 9d"]),
        // Due by now: the line fires it at once.
        ("second: { after: 3d }", "second: { after: 1d }", &["second 1d", "over 9d"]),
        (
            "over: { after: 9d }\n",
            "over: { after: 9d }\n      more: { after: 6d }\n",
            &["second 3d", "over 9d", "more 6d"],
        ),
        // Passed before it was there: not set, unless it is to fire late.
        ("over: { after: 9d }\n", "over: { after: 9d }\n      more: { after: 1d }\n", &["second 3d", "over 9d"]),
        (
            "over: { after: 9d }\n",
            "over: { after: 9d }\n      more: { after: 1d, late: fire }\n",
            &["second 3d", "over 9d", "more 1d"],
        ),
    ];
    for (piece, by, expected) in rows {
        let by = by.to_string();
        let text = OLDER.replacen(piece, &by, 1);
        let listens =
            if by.contains("more:") { "    on:\n      timer.more: { do: [send: nudge] }\n" } else { "    on:\n" };
        let newer = deployed(&text.replacen("    on:\n", listens, 1));
        let step = adopt(&older.workflow, &newer, &referral, "waiting", days(2)).expect("a move");
        assert_eq!(timers(&step.referral.timers), *expected, "{by}");
        assert_eq!((step.referral.version, step.effects.len()), (referral.version + 1, 0), "{by}");
        assert_eq!(step.referral.deployment, newer.digest);
        assert_eq!(step.referral.entered_at, referral.entered_at, "its clocks go on");
        assert!(step.because.ends_with(&format!("moved to workflow {}", newer.digest.short())), "{}", step.because);
    }
}

#[test]
fn nobody_is_moved_where_nothing_would_ever_happen() {
    let older = deployed(OLDER);
    let referral = two_days_in(&older);
    let strand =
        |newer: &Deployment, to: &str, at| adopt(&older.workflow, newer, &referral, to, at).expect_err("stranded");
    let renamed = deployed(&OLDER.replace("waiting", "asking"));
    assert_eq!(strand(&renamed, "waiting", days(2)), Stranded::NoSuchState { state: "waiting".to_string() });
    assert_eq!(strand(&renamed, "done", days(2)), Stranded::AnEnd { state: "done".to_string() });
    let hasty = "      soon: { after: 1d }\n    on:\n      timer.soon: done\n  done:";
    let i = OLDER.find("      first:").expect("timers");
    let j = OLDER.find("  done:").expect("an end");
    let hasty = deployed(&format!("{}{hasty}{}", &OLDER[..i], &OLDER[j + 7..]));
    assert_eq!(strand(&hasty, "waiting", days(2)), Stranded::WaitsForEver { state: "waiting".to_string() });
    assert!(adopt(&older.workflow, &renamed, &referral, "asking", days(2)).is_ok());
}

#[test]
fn the_first_rule_that_fits_decides() {
    let older = deployed(OLDER);
    let digits = older.digest.to_string()[..8].to_string();
    let newer = |moves: &str| with("start: waiting", &format!("{moves}\nstart: waiting"));
    let fate = |newer: &Deployment, state: &str| match newer.workflow.moves.fate(
        (&older.digest, &older.workflow),
        state,
        &newer.workflow,
    ) {
        MoveOutcome::Stays => "stays".to_string(),
        MoveOutcome::Moves(to) => format!("to {to}"),
    };
    let rows = [
        ("", "waiting", "stays"),
        ("moves: { others: move }", "waiting", "to waiting"),
        ("moves: { others: move }", "gone", "to gone"),
        ("moves: { others: move }", "done", "stays"),
        ("moves: { states: { gone: waiting } }", "gone", "to waiting"),
        ("moves: { states: { gone: waiting } }", "waiting", "stays"),
        ("moves: { from: Small, others: move }", "waiting", "to waiting"),
        ("moves: { from: Large, others: move }", "waiting", "stays"),
        (&format!("moves: {{ from: {digits}, others: move }}"), "waiting", "to waiting"),
        ("moves: [{ from: Small, states: { gone: waiting } }, { others: move }]", "waiting", "stays"),
        ("moves: [{ from: Large, states: { gone: waiting } }, { others: move }]", "waiting", "to waiting"),
    ];
    for (moves, state, expected) in rows {
        assert_eq!(fate(&newer(moves), state), expected, "{moves} in {state}");
    }
    let back = Moves::returning(older.digest);
    let fate = |state| back.fate((&older.digest, &older.workflow), state, &older.workflow);
    assert_eq!((fate("waiting"), fate("gone")), (MoveOutcome::Moves("waiting"), MoveOutcome::Stays));
    let other = Digest::of(b"another");
    assert_eq!(back.fate((&other, &older.workflow), "waiting", &older.workflow), MoveOutcome::Stays);
}

#[test]
fn silence_tells_who_would_be_written_to() {
    let older = deployed(OLDER);
    let newer = with("second: { after: 3d }", "second: { after: 5d }");
    let referral = two_days_in(&older);
    let told = |deployment: &Deployment, referral: &Referral| {
        let letters = letters_in_silence(deployment, referral, days(30));
        letters.iter().map(|due| format!("{} {}d", due.letter, (due.at - start()).num_days())).collect::<Vec<_>>()
    };
    assert_eq!(told(&older, &referral), ["nudge 3d"]);
    let moved = adopt(&older.workflow, &newer, &referral, "waiting", days(2)).expect("a move");
    assert_eq!(told(&newer, &moved.referral), ["nudge 5d"]);
    assert_eq!(letters_in_silence(&older, &referral, days(2)), []);
}

#[test]
fn differences_are_told_in_words() {
    let older = deployed(OLDER);
    let newer = with("second: { after: 3d }", "second: { after: 5d, late: fire }");
    let told = |newer: &Deployment| {
        let told = differences(&older.workflow, &newer.workflow);
        told.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(told(&newer), ["~ timer second of state waiting: 3d after entry -> 5d after entry, also late"]);
    assert_eq!(told(&older), [""; 0]);
    assert_eq!(told(&worded(OLDER, "Please call {{ practice }}.")), ["~ letter nudge in en: other words"]);
    let shorter = with("      timer.second: { do: [send: nudge] }", "      timer.second: done");
    assert_eq!(told(&shorter), ["~ on timer.second of state waiting: send nudge -> to done"]);
    let vendor = with("outreach-twilio", "outreach-other");
    assert_eq!(course(&older.workflow, "waiting"), course(&vendor.workflow, "waiting"), "who sends is no course");
    assert_ne!(course(&older.workflow, "waiting"), course(&newer.workflow, "waiting"));
    let recipe = given::recipe();
    assert_eq!(differences(&recipe.workflow, &given::recipe().workflow), []);
}
