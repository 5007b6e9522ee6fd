//! A stage's conversation with the outside, whichever stage it is: ask, resume, done.

use handoff_engine::letter::LetterBody;
use handoff_host::contract::exchange::{Ask, Response};
use handoff_host::contract::types::Failure;
use handoff_host::contract::{attendance, carrier, hand_over, retrieval, write_back};
use handoff_host::{Answer, Call};

/// What a plugin said in its turn.
pub enum Said {
    Ask(Ask),
    Done(Done),
    Failed(Failure),
}

/// How a conversation ended.
pub enum Done {
    Message(carrier::Receipt),
    Record(Option<retrieval::PatientRecord>),
    Visit(attendance::Finding),
    Chart(write_back::Written),
    Task(hand_over::Raised),
}

/// The stages that hold conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    Carrier,
    Records,
    Visit,
    Chart,
    Escalation,
}

impl Speaker {
    pub fn of(body: &LetterBody) -> Speaker {
        match body {
            LetterBody::Message(_) => Speaker::Carrier,
            LetterBody::ReadRecord => Speaker::Records,
            LetterBody::CheckVisit => Speaker::Visit,
            LetterBody::WriteChart { .. } => Speaker::Chart,
            LetterBody::Task(_) => Speaker::Escalation,
        }
    }

    /// The stage's key in the workflow; for carriers the vendor's name follows it.
    pub fn stage(self) -> &'static str {
        match self {
            Speaker::Carrier => "outreach",
            Speaker::Records => "records",
            Speaker::Visit => "visit",
            Speaker::Chart => "chart",
            Speaker::Escalation => "escalation",
        }
    }

    pub fn resume(self, state: String, response: Response, settings: String) -> Call {
        match self {
            Speaker::Carrier => Call::ResumeCarrier { state, response, settings },
            Speaker::Records => Call::ResumeRetrieval { state, response, settings },
            Speaker::Visit => Call::ResumeVisit { state, response, settings },
            Speaker::Chart => Call::ResumeChart { state, response, settings },
            Speaker::Escalation => Call::ResumeTask { state, response, settings },
        }
    }
}

/// Absent when the answer is no turn at all: the host was asked something else.
pub fn said(answer: Answer) -> Option<Said> {
    let said = match answer {
        Answer::Compose(turn) | Answer::ResumeCarrier(turn) | Answer::Lookup(turn) => match turn {
            Ok(carrier::Turn::Ask(ask)) => Said::Ask(ask),
            Ok(carrier::Turn::Done(receipt)) => Said::Done(Done::Message(receipt)),
            Err(failure) => Said::Failed(failure),
        },
        Answer::Retrieve(turn) | Answer::ResumeRetrieval(turn) => match turn {
            Ok(retrieval::Turn::Ask(ask)) => Said::Ask(ask),
            Ok(retrieval::Turn::Done(record)) => Said::Done(Done::Record(record)),
            Err(failure) => Said::Failed(failure),
        },
        Answer::CheckVisit(turn) | Answer::ResumeVisit(turn) => match turn {
            Ok(attendance::Turn::Ask(ask)) => Said::Ask(ask),
            Ok(attendance::Turn::Done(finding)) => Said::Done(Done::Visit(finding)),
            Err(failure) => Said::Failed(failure),
        },
        Answer::WriteChart(turn) | Answer::ResumeChart(turn) => match turn {
            Ok(write_back::Turn::Ask(ask)) => Said::Ask(ask),
            Ok(write_back::Turn::Done(written)) => Said::Done(Done::Chart(written)),
            Err(failure) => Said::Failed(failure),
        },
        Answer::Raise(turn) | Answer::ResumeTask(turn) => match turn {
            Ok(hand_over::Turn::Ask(ask)) => Said::Ask(ask),
            Ok(hand_over::Turn::Done(raised)) => Said::Done(Done::Task(raised)),
            Err(failure) => Said::Failed(failure),
        },
        Answer::AuthenticateDelivery(_)
        | Answer::Interpret(_)
        | Answer::Choose(_)
        | Answer::ClearFields(_)
        | Answer::AuthenticateCallback(_)
        | Answer::Receive(_)
        | Answer::Understand(_)
        | Answer::Assess(_) => return None,
    };
    Some(said)
}
