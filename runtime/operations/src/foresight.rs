//! What will happen to a referral by itself, if nobody does anything and nothing comes in: its workflow is asked, timer by timer,
//! as it will be asked then. So a page promises nothing that the engine would not do.

use chrono::{DateTime, Utc};
use handoff_engine::deployment::Deployment;
use handoff_engine::event::Event;
use handoff_engine::letter::{Audience, ChartOutcome, LetterBody};
use handoff_engine::referral::{Channel, Referral};
use handoff_engine::step::{Effect, step};
use handoff_store::index::OutboxItem;

use crate::standing::ReferralStanding;

/// A page tells what comes next and what after that; what lies further off will be different by then.
const FORESEEN_MAX: usize = 3;

/// Timers that change nothing visible are passed over, some of them again and again.
const TIMERS_MAX: usize = 24;

/// Something that Handoff will do by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreseen {
    pub at: DateTime<Utc>,
    pub what: ForeseenAct,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForeseenAct {
    /// A message to the patient leaves, by the workflow's word for it.
    Message { letter: String, channel: Option<Channel> },
    /// Somebody is asked to do something.
    Asks { audience: Audience, kind: String },
    /// The scheduling system is asked about the visit.
    VisitChecked,
    /// It ends, and stands like this.
    Ends(ReferralStanding),
}

/// What comes next, soonest first. Letters that are owed already leave when they are due.
pub fn foresee(deployment: &Deployment, referral: &Referral, owed: &[OutboxItem], now: DateTime<Utc>) -> Vec<Foreseen> {
    let mut foreseen: Vec<Foreseen> = owed.iter().filter_map(leaves).collect();
    let mut referral = referral.clone();
    let mut told_end = deployment.workflow.is_end(&referral.state);
    for _ in 0..TIMERS_MAX {
        if told_end || foreseen.len() >= FORESEEN_MAX {
            break;
        }
        let Some(timer) = referral.timers.iter().min_by_key(|timer| timer.due).cloned() else { break };
        let at = timer.due.max(now);
        let Ok(taken) = step(deployment, &referral, &Event::Timer { name: timer.name.clone() }, at) else {
            referral.timers.retain(|known| *known != timer);
            continue;
        };
        foreseen.extend(taken.effects.iter().filter_map(act).map(|what| Foreseen { at, what }));
        referral = taken.referral;
        if deployment.workflow.is_end(&referral.state) {
            let outcome = taken.effects.iter().find_map(outcome);
            let standing = outcome.unwrap_or_else(|| ReferralStanding::of(&referral, true, at));
            foreseen.push(Foreseen { at, what: ForeseenAct::Ends(standing) });
            told_end = true;
        }
    }
    foreseen.sort_by_key(|it| it.at);
    foreseen
}

fn leaves(item: &OutboxItem) -> Option<Foreseen> {
    let LetterBody::Message(message) = &item.letter.body else { return None };
    let what = ForeseenAct::Message { letter: message.template.clone(), channel: Some(message.channel) };
    Some(Foreseen { at: item.due, what })
}

fn act(effect: &Effect) -> Option<ForeseenAct> {
    match effect {
        Effect::Send { template, channel, .. } => {
            Some(ForeseenAct::Message { letter: template.clone(), channel: *channel })
        }
        Effect::Raise { task } => Some(ForeseenAct::Asks { audience: task.audience, kind: task.kind.clone() }),
        Effect::CheckVisit => Some(ForeseenAct::VisitChecked),
        Effect::ReadRecord | Effect::AssessNetwork { .. } | Effect::WriteChart { .. } | Effect::RecallLetters => None,
    }
}

fn outcome(effect: &Effect) -> Option<ReferralStanding> {
    let Effect::WriteChart { outcome } = effect else { return None };
    Some(match outcome {
        ChartOutcome::ClosedWithNote => ReferralStanding::ClosedWithNote,
        ChartOutcome::ClosedWithoutNote | ChartOutcome::NoteRetracted => ReferralStanding::ClosedWithoutNote,
        ChartOutcome::Declined => ReferralStanding::Declined,
        ChartOutcome::Cancelled => ReferralStanding::Withdrawn,
        ChartOutcome::Unreachable => ReferralStanding::NotReachable,
        ChartOutcome::NoShow => ReferralStanding::Closed,
    })
}
