//! What would be written to a patient who never answers: timers alone, played ahead.

use chrono::{DateTime, Utc};

use crate::deployment::Deployment;
use crate::event::Event;
use crate::referral::Referral;
use crate::step::{Effect, step};

/// Timers played for one referral: a sound workflow sets some dozen in silence; one that sets itself again and again is
/// left where it is.
const TIMERS_MAX: usize = 64;

/// A letter that would be owed to the patient.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueMessage {
    pub at: DateTime<Utc>,
    pub letter: String,
}

/// The letters that timers alone would bring until then. The gate may still hold one back; nothing is sent here.
pub fn letters_in_silence(deployment: &Deployment, referral: &Referral, until: DateTime<Utc>) -> Vec<DueMessage> {
    let mut letters = Vec::new();
    let mut referral = referral.clone();
    for _ in 0..TIMERS_MAX {
        let due = referral.timers.iter().filter(|timer| timer.due <= until).min_by_key(|timer| timer.due);
        let Some(timer) = due.cloned() else { break };
        match step(deployment, &referral, &Event::Timer { name: timer.name.clone() }, timer.due) {
            Ok(taken) => {
                letters.extend(taken.effects.iter().filter_map(|effect| match effect {
                    Effect::Send { template, .. } => Some(DueMessage { at: timer.due, letter: template.clone() }),
                    Effect::ReadRecord
                    | Effect::AssessNetwork { .. }
                    | Effect::CheckVisit
                    | Effect::WriteChart { .. }
                    | Effect::Raise { .. }
                    | Effect::RecallLetters => None,
                }));
                referral = taken.referral;
            }
            // As on the line: a timer that fired is gone, whatever the workflow thinks of it.
            Err(_) => referral.timers.retain(|set| set.name != timer.name),
        }
    }
    letters
}
