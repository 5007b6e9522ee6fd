//! Whatever happens, in whatever order.

use std::sync::LazyLock;

use chrono::TimeDelta;
use handoff_engine::answer::{ActAnswer, ActAnswers};
use handoff_engine::deployment::Deployment;
use handoff_engine::event::*;
use handoff_engine::guard::Guard;
use handoff_engine::ids::{LetterId, Token};
use handoff_engine::referral::*;
use handoff_engine::scenario::Scenario;
use handoff_engine::step::{Effect, step};
use handoff_engine::task::TaskChange;
use handoff_engine::workflow::Workflow;
use proptest::prelude::*;

use crate::given;
use crate::steps::{newborn, start};

static RECIPE: LazyLock<Deployment> = LazyLock::new(given::recipe);
static RECIPE_TEXT: LazyLock<String> = LazyLock::new(given::recipe_text);

/// What a row of chance means.
fn event(kind: u8, detail: u8, referral: &Referral) -> Event {
    let (intents, changes) = (Intent::ALL, AppointmentChange::ALL);
    let at = start() + TimeDelta::days(i64::from(detail));
    let specialist = Provider { id: format!("s{}", detail % 5), ..Provider::default() };
    let letter = LetterId { referral: referral.id, number: u32::from(detail) };
    match kind % 14 {
        0 => Event::Withdrawn { as_of: None },
        1 => Event::Record { record: None },
        2 => Event::Network { assessment: Assessment::InNetwork { specialist, next_available: None } },
        3 => {
            let why = if detail.is_multiple_of(2) { RerouteReason::OverBooked } else { RerouteReason::OutOfNetwork };
            Event::Network { assessment: Assessment::Alternative { specialist, next_available: None, why } }
        }
        4 => {
            let status = LetterStatus::Undeliverable { code: "unreachable".to_string() };
            Event::LetterStatus { letter, status, channel: detail.is_multiple_of(2).then_some(Channel::Email) }
        }
        5 => Event::Reply {
            reply: Reply {
                intent: intents[usize::from(detail) % intents.len()],
                language: "en".to_string(),
                confidence: detail % 101,
                channel: Channel::Sms,
                from: None,
                text: Token("t".to_string()),
            },
        },
        6 => Event::Appointment {
            change: changes[usize::from(detail) % changes.len()],
            appointment: (!detail.is_multiple_of(3)).then(|| Appointment {
                numbers: vec![],
                starts_at: at,
                minutes: 30,
                status: AppointmentStatus::Booked,
                as_of: None,
            }),
            with: None,
            numbers: Vec::new(),
            as_of: None,
        },
        7 => Event::Visit { finding: VisitFinding::Open { again_in_hours: u32::from(detail) } },
        8 => Event::Visit { finding: VisitFinding::NoShow },
        9 => person(["reroute", "close", "reopen", "take-over", "resume"][usize::from(detail % 5)], ActAnswers::new()),
        12 => {
            let outcome = CallOutcome::ALL[usize::from(detail) % CallOutcome::ALL.len()];
            person("call", [("outcome".to_string(), ActAnswer::CallOutcome { outcome })].into())
        }
        13 => {
            let task = LetterId { referral: referral.id, number: u32::from(detail % 8) };
            let change = match detail % 4 {
                0 => TaskChange::Assigned { to: Some("ana".to_string()) },
                1 => TaskChange::Snoozed { until: at },
                2 => TaskChange::Done,
                _ => TaskChange::Reopened,
            };
            let (who, why) = (String::new(), String::new());
            Event::Task { task, kind: "stalled".to_string(), change, who, role: None, why }
        }
        10 => Event::Done { what: Delegated::Chart, succeeded: detail.is_multiple_of(2), reference: String::new() },
        _ => match referral.timers.get(usize::from(detail) % referral.timers.len().max(1)) {
            Some(timer) => Event::Timer { name: timer.name.clone() },
            None => Event::Unreachable { template: String::new(), reason: String::new() },
        },
    }
}

fn person(act: &str, answers: ActAnswers) -> Event {
    Event::Person { verb: act.to_string(), who: String::new(), reason: String::new(), role: None, answers }
}

proptest! {
    #[test]
    fn any_sequence_keeps_the_promises(story in prop::collection::vec((any::<u8>(), any::<u8>(), 0..200i64), 0..60)) {
        let workflow = &RECIPE.workflow;
        let mut referral = newborn();
        let mut now = start();
        let mut stopped = false;
        for (kind, detail, hours) in story {
            now += TimeDelta::hours(hours);
            let event = event(kind, detail, &referral);
            let before = referral.clone();
            let Ok(taken) = step(&RECIPE, &referral, &event, now) else { continue };
            prop_assert_eq!(taken.referral.version, before.version + 1);
            prop_assert_eq!(taken.referral.letters - before.letters, taken.letters().count() as u32);
            let state = &workflow.states[&taken.referral.state];
            let rules: Vec<&str> = workflow.timers.iter().chain(&state.timers).map(|rule| rule.name.as_str()).collect();
            for timer in &taken.referral.timers {
                prop_assert!(rules.contains(&timer.name.as_str()), "{} in {}", timer.name, state.name);
            }
            if workflow.states[&before.state].end {
                let reopened = matches!(&event, Event::Person { verb, .. } if verb == "reopen");
                prop_assert_eq!(state.end, !reopened);
                prop_assert_eq!(taken.referral.timers.is_empty(), state.end);
                let sends = taken.effects.iter().any(|effect| matches!(effect, Effect::Send { .. }));
                prop_assert!(!sends, "a letter after the end");
            }
            if let Event::Reply { reply } = &event {
                stopped = match reply.intent {
                    Intent::OptOut => true,
                    Intent::OptIn => false,
                    Intent::Emergency
                    | Intent::WrongPerson
                    | Intent::Help
                    | Intent::CancelVisit
                    | Intent::Decline
                    | Intent::Reschedule
                    | Intent::Scheduled
                    | Intent::Attended
                    | Intent::Confirm
                    | Intent::Question
                    | Intent::Unclear => stopped,
                };
            }
            if stopped {
                let sent = taken.effects.iter().find(|effect| {
                    // Asked for help, the patient gets the one answer; the gate still has the last word.
                    matches!(effect, Effect::Send { template, .. } if template != "help")
                });
                prop_assert!(taken.referral.facts.patient.reaches.iter().all(|reach| reach.consent == Consent::Denied));
                prop_assert!(sent.is_none(), "{sent:?} on {}", taken.because);
            }
            let json = serde_json::to_string(&taken.referral).expect("a referral is written");
            let read: Referral = serde_json::from_str(&json).expect("a referral is read");
            prop_assert_eq!(&read, &taken.referral);
            referral = taken.referral;
        }
    }

    #[test]
    fn no_mutation_of_the_recipe_makes_the_parser_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..40usize, "[a-z{}\\[\\]:,\\-\"'&*!|> \n0-9é\u{0}]{0,12}"), 1..4)
    ) {
        let mut chars: Vec<char> = RECIPE_TEXT.chars().collect();
        for (index, length, with) in cuts {
            let from = index.index(chars.len().max(1)).min(chars.len());
            let to = (from + length).min(chars.len());
            chars.splice(from..to, with.chars());
        }
        let text: String = chars.into_iter().collect();
        if let Err(problems) = Workflow::parse_with("mutated.yaml", &text, &given::recipe_files()) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(!problem.message.is_empty() && !problem.help.is_empty());
            }
        }
    }

    #[test]
    fn no_guard_makes_the_compiler_panic(source in "[a-z.()\\[\\]!&|<>=+\\-*/%?:\"' 0-9{},]{0,80}") {
        let _ = Guard::compile(&source);
    }

    #[test]
    fn no_scenario_makes_the_reader_panic(text in "(at |start |patient |order |#)?[a-z0-9 ,>\"\\-\n]{0,120}") {
        if let Ok(scenario) = Scenario::parse("chance", &text) {
            let _ = scenario.run("chance", &RECIPE);
        }
    }
}
