//! What can become true without any state hearing of it: an appointment that is booked while the chart is read is a fact from then
//! on, and whoever is written to next is asked to book one. No fault of any line, so a warning.

use std::collections::BTreeSet;

use super::node::At;
use super::states::{Action, Handler, State};
use super::timers::{TimerRule, When};
use super::{Problem, Workflow};
use crate::event::TIMER_PREFIX;
use crate::problem::Code;

/// Something that happens to a referral, and how a guard asks whether it has.
struct Fact {
    name: &'static str,
    event: &'static str,
    asked_by: &'static [&'static str],
    /// Events that come only of what is known already, by how they begin.
    follows: &'static [&'static str],
}

const FACTS: [Fact; 3] = [
    Fact {
        name: "an appointment",
        event: "appointment.booked",
        asked_by: &["appointment", "visit"],
        follows: &["appointment.", "visit."],
    },
    Fact { name: "a note", event: "note.received", asked_by: &["note"], follows: &["note."] },
    Fact {
        name: "an opt-out",
        event: "reply.opt-out",
        asked_by: &["patient.reachable", "patient[", "denied"],
        follows: &["reply.opt-out"],
    },
];

/// Where a patient is written to although something has happened that the letter does not know of.
pub(super) fn warnings(workflow: &Workflow, file: &str) -> Vec<Problem> {
    FACTS.iter().flat_map(|fact| unheard(workflow, fact, file)).collect()
}

fn unheard(workflow: &Workflow, fact: &Fact, file: &str) -> Vec<Problem> {
    let deaf = workflow.states.values().filter(|state| !fact.is_heard_in(workflow, state));
    let mut open: Vec<&State> = deaf.collect();
    let (mut seen, mut warned) = (BTreeSet::new(), BTreeSet::new());
    let mut found = Vec::new();
    while let Some(state) = open.pop() {
        if state.end || !seen.insert(state.name.as_str()) {
            continue;
        }
        for (event, handlers) in &state.on {
            if fact.is_told_by(state, event) || handlers.iter().any(|handler| fact.is_asked_by(handler)) {
                continue;
            }
            for handler in handlers {
                let next = handler.to.as_ref().and_then(|to| workflow.states.get(to));
                let written =
                    handler.actions.iter().chain(next.into_iter().flat_map(|next| &next.enter)).any(is_letter);
                if !written {
                    open.extend(next);
                } else if warned.insert(handler.at) {
                    found.push(fact.warning(file, handler.at, state, event));
                }
            }
        }
    }
    found
}

fn is_letter(action: &Action) -> bool {
    matches!(action, Action::Send { .. } | Action::SendAnswered)
}

impl Fact {
    /// What a state ignores, it has heard of.
    fn is_heard_in(&self, workflow: &Workflow, state: &State) -> bool {
        state.end
            || state.on.contains_key(self.event)
            || workflow.on.contains_key(self.event)
            || state.ignore.contains(self.event)
    }

    /// Whatever else happens to an appointment is about one that is known, and so is a timer that counts from it.
    fn is_told_by(&self, state: &State, event: &str) -> bool {
        let counts = |timer: &TimerRule| matches!(timer.when, When::BeforeAppointment(_) | When::AfterAppointment(_));
        match event.strip_prefix(TIMER_PREFIX) {
            Some(name) => {
                self.follows.contains(&"visit.") && state.timers.iter().any(|timer| timer.name == name && counts(timer))
            }
            None => self.follows.iter().any(|begins| event.starts_with(begins)),
        }
    }

    fn is_asked_by(&self, handler: &Handler) -> bool {
        let guard = handler.guard.as_ref().map(|guard| guard.source()).unwrap_or_default();
        self.asked_by.iter().any(|asked| guard.contains(asked))
    }

    fn warning(&self, file: &str, at: At, state: &State, event: &str) -> Problem {
        let Fact { name, event: told, asked_by, follows: _ } = self;
        let asks = match *told {
            "reply.opt-out" => "patient.reachable".to_string(),
            _ => format!("{} != null", asked_by[0]),
        };
        Problem {
            file: file.to_string(),
            line: at.line,
            column: at.column,
            code: Code::UNHEARD,
            message: format!(
                "{name} may have become known before `{event}` in state `{}`, and the patient is written to without a look",
                state.name
            ),
            help: format!(
                "take `{told}` wherever it can come, or ask here: an alternative with `if: {asks}` before this one"
            ),
        }
    }
}
