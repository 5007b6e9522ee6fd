//! Actions become effects, in the order in which the workflow names them.

use chrono::{DateTime, Utc};

use super::{Effect, timers};
use crate::answer::{ActAnswer, ActAnswers};
use crate::event::Event;
use crate::referral::{Asked, Facts, Mark, Referral};
use crate::render::fill_task;
use crate::workflow::{Action, Expiry, Workflow};

/// Performs what is the engine's own (marks) and adds what is the line's.
pub(super) fn perform(
    workflow: &Workflow,
    referral: &mut Referral,
    actions: &[Action],
    event: Option<&Event>,
    now: DateTime<Utc>,
    effects: &mut Vec<Effect>,
) {
    let answers = event.and_then(answers_in);
    let words = answers.and_then(|answers| answers.values().find_map(ActAnswer::text));
    let send = |letter: &str, channel, facts: &Facts| {
        let rule = workflow.letters.get(letter);
        Effect::Send {
            template: letter.to_string(),
            channel,
            asked: rule.map_or(Asked::Info, |rule| rule.asks),
            expires: rule.and_then(|rule| rule.expires).and_then(|expiry| moment(expiry, facts, now)),
            words: words.cloned(),
        }
    };
    for action in actions {
        effects.extend(match action {
            Action::Send { letter, channel } => Some(send(letter, *channel, &referral.facts)),
            Action::SendAnswered => {
                let letter = answers.and_then(|answers| answers.values().find_map(ActAnswer::letter));
                letter.map(|letter| send(letter, None, &referral.facts))
            }
            Action::ReadRecord => Some(Effect::ReadRecord),
            Action::AssessNetwork(cause) => Some(Effect::AssessNetwork { cause: *cause }),
            Action::CheckVisit => Some(Effect::CheckVisit),
            Action::WriteChart(outcome) => Some(Effect::WriteChart { outcome: *outcome }),
            Action::Raise(rule) => Some(Effect::Raise { task: fill_task(workflow, &referral.facts, rule) }),
            Action::RecallLetters => Some(Effect::RecallLetters),
            Action::Mark(name) => {
                mark(&mut referral.facts, name, now);
                None
            }
        });
    }
}

fn answers_in(event: &Event) -> Option<&ActAnswers> {
    if let Event::Person { answers, .. } = event { Some(answers) } else { None }
}

/// The first time counts.
fn mark(facts: &mut Facts, name: &str, now: DateTime<Utc>) {
    if facts.marks.iter().all(|mark| mark.name != name) {
        facts.marks.push(Mark { name: name.to_string(), at: now });
    }
}

fn moment(expiry: Expiry, facts: &Facts, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match expiry {
        Expiry::After(wait) => now.checked_add_signed(wait),
        Expiry::BeforeAppointment(wait) => timers::visit_at(facts)?.checked_sub_signed(wait),
    }
}
