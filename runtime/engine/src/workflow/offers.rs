//! Which acts a referral can have done to it where it stands.

use super::{ActRule, State, Workflow};
use crate::answer::{AnswerKind, ToldEvent};
use crate::event::person_event;
use crate::intent::Intent;

impl Workflow {
    pub fn act(&self, name: &str) -> Option<&ActRule> {
        self.acts.iter().find(|act| act.name == name)
    }

    /// The acts that a referral in this state can take, in the order of the file.
    pub fn offers(&self, state: &str) -> impl Iterator<Item = &ActRule> {
        let state = self.states.get(state);
        self.acts.iter().filter(move |act| state.is_some_and(|state| self.takes(state, act)))
    }

    /// A state takes an act that it handles, or that tells what it handles, or that teaches something wherever it is done.
    pub(crate) fn takes(&self, state: &State, act: &ActRule) -> bool {
        let told: Vec<&str> = match act.tells {
            Some(ToldEvent::Reply) => Intent::EVENT_NAMES.to_vec(),
            Some(told) => vec![told.as_str()],
            None => Vec::new(),
        };
        let handled = |event: &str| {
            let everywhere = || self.on.get(event).is_some_and(|on| !state.end || on.iter().any(|it| it.always));
            state.on.contains_key(event) || (!state.ignore.contains(event) && everywhere())
        };
        teaches(act) || handled(&person_event(&act.name)) || told.into_iter().any(handled)
    }
}

/// Consent, addresses and calls are learned in every state, the last one too.
fn teaches(act: &ActRule) -> bool {
    let told = matches!(act.tells, Some(ToldEvent::ReplyOptOut | ToldEvent::ReplyOptIn));
    told || act.asks.iter().any(|question| matches!(question.kind, AnswerKind::Address | AnswerKind::CallOutcome))
}
