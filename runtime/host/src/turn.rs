//! A stage's conversation with the outside, whichever stage it is: ask, resume, done.

use crate::call::{Answer, Call};
use crate::contract::exchange::{Ask, Response};
use crate::contract::types::Failure;
use crate::contract::{attendance, carrier, hand_over, retrieval, write_back};
use crate::function::WitWorld;

/// One more request, or the end: of any stage.
pub enum Turn {
    Ask(Ask),
    Done(End),
}

/// How a conversation ended.
pub enum End {
    Receipt(carrier::Receipt),
    Record(Option<retrieval::PatientRecord>),
    Finding(attendance::Finding),
    Written(write_back::Written),
    Raised(hand_over::Raised),
}

/// The stages that hold conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageCaller {
    Records,
    Outreach,
    Visit,
    Chart,
    Escalation,
}

impl StageCaller {
    /// Nothing for a stage that asks nobody.
    pub fn of(stage: WitWorld) -> Option<StageCaller> {
        match stage {
            WitWorld::Records => Some(StageCaller::Records),
            WitWorld::Outreach => Some(StageCaller::Outreach),
            WitWorld::Visit => Some(StageCaller::Visit),
            WitWorld::Chart => Some(StageCaller::Chart),
            WitWorld::Escalation => Some(StageCaller::Escalation),
            WitWorld::Trigger | WitWorld::Channel | WitWorld::Reply | WitWorld::Network => None,
        }
    }

    pub fn stage(self) -> WitWorld {
        match self {
            StageCaller::Records => WitWorld::Records,
            StageCaller::Outreach => WitWorld::Outreach,
            StageCaller::Visit => WitWorld::Visit,
            StageCaller::Chart => WitWorld::Chart,
            StageCaller::Escalation => WitWorld::Escalation,
        }
    }

    /// The call by which it goes on from an ask.
    pub fn resume(self, state: String, response: Response, settings: String) -> Call {
        match self {
            StageCaller::Records => Call::ResumeRetrieval { state, response, settings },
            StageCaller::Outreach => Call::ResumeCarrier { state, response, settings },
            StageCaller::Visit => Call::ResumeVisit { state, response, settings },
            StageCaller::Chart => Call::ResumeChart { state, response, settings },
            StageCaller::Escalation => Call::ResumeTask { state, response, settings },
        }
    }
}

macro_rules! turns {
    ($($stage:ident => $end:ident),+ $(,)?) => {$(
        impl From<$stage::Turn> for Turn {
            fn from(turn: $stage::Turn) -> Turn {
                match turn {
                    $stage::Turn::Ask(ask) => Turn::Ask(ask),
                    $stage::Turn::Done(end) => Turn::Done(End::$end(end)),
                }
            }
        }
    )+};
}

turns! {
    carrier => Receipt,
    retrieval => Record,
    attendance => Finding,
    write_back => Written,
    hand_over => Raised,
}

impl Answer {
    /// Absent when the answer is no turn at all: something else was asked.
    pub fn turn(self) -> Option<Result<Turn, Failure>> {
        match self {
            Answer::Compose(turn) | Answer::ResumeCarrier(turn) | Answer::Lookup(turn) => Some(turn.map(Turn::from)),
            Answer::Retrieve(turn) | Answer::ResumeRetrieval(turn) => Some(turn.map(Turn::from)),
            Answer::CheckVisit(turn) | Answer::ResumeVisit(turn) => Some(turn.map(Turn::from)),
            Answer::WriteChart(turn) | Answer::ResumeChart(turn) => Some(turn.map(Turn::from)),
            Answer::Raise(turn) | Answer::ResumeTask(turn) => Some(turn.map(Turn::from)),
            Answer::AuthenticateDelivery(_)
            | Answer::Interpret(_)
            | Answer::Choose(_)
            | Answer::ClearFields(_)
            | Answer::AuthenticateCallback(_)
            | Answer::Receive(_)
            | Answer::Understand(_)
            | Answer::Assess(_) => None,
        }
    }
}

/// A failure in a few words, for the timeline.
pub fn reason(failure: &Failure) -> String {
    match failure {
        Failure::RetryAfter(retry) => format!("retry after {} s: {}", retry.seconds, retry.reason),
        Failure::Refused(refusal) => format!("refused ({}): {}", refusal.code, refusal.reason),
        Failure::Misconfigured(what) => format!("misconfigured: {what}"),
        Failure::Other(what) => what.clone(),
    }
}
