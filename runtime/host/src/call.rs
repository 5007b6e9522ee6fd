//! The one door: a call is a value, and so is its answer. Both can be journaled, and a journaled call can be repeated.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::contract::exchange::Response;
use crate::contract::signature::SignatureCheck;
use crate::contract::types::Failure;
use crate::contract::{
    attendance, carrier, choice, hand_over, interpreter, retrieval, roster, understanding, write_back,
};
use crate::digest::ComponentDigest;
use crate::earlier::{ChartEntry, TriggerReading};
use crate::function::Function;

/// A function of the contract and its arguments. `settings` is the JSON text of the stage's `settings:` block.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "function", content = "arguments", rename_all = "kebab-case")]
pub enum Call {
    AuthenticateDelivery { delivery: interpreter::Delivery, settings: String },
    Interpret { delivery: interpreter::Delivery, settings: String },
    Retrieve { query: retrieval::Query, settings: String },
    ResumeRetrieval { state: String, response: Response, settings: String },
    Choose { situation: choice::Situation, settings: String },
    Compose { letter: carrier::Letter, settings: String },
    ResumeCarrier { state: String, response: Response, settings: String },
    Lookup { letter: carrier::Letter, settings: String },
    ClearFields,
    AuthenticateCallback { callback: carrier::Callback, settings: String },
    Receive { callback: carrier::Callback, settings: String },
    Understand { message: understanding::Message, settings: String },
    Assess { request: roster::Request, settings: String },
    CheckVisit { visit: attendance::Visit, settings: String },
    ResumeVisit { state: String, response: Response, settings: String },
    WriteChart { entry: ChartEntry, settings: String },
    ResumeChart { state: String, response: Response, settings: String },
    Raise { task: hand_over::Task, settings: String },
    ResumeTask { state: String, response: Response, settings: String },
}

impl Call {
    pub fn function(&self) -> Function {
        match self {
            Call::AuthenticateDelivery { .. } => Function::AuthenticateDelivery,
            Call::Interpret { .. } => Function::Interpret,
            Call::Retrieve { .. } => Function::Retrieve,
            Call::ResumeRetrieval { .. } => Function::ResumeRetrieval,
            Call::Choose { .. } => Function::Choose,
            Call::Compose { .. } => Function::Compose,
            Call::ResumeCarrier { .. } => Function::ResumeCarrier,
            Call::Lookup { .. } => Function::Lookup,
            Call::ClearFields => Function::ClearFields,
            Call::AuthenticateCallback { .. } => Function::AuthenticateCallback,
            Call::Receive { .. } => Function::Receive,
            Call::Understand { .. } => Function::Understand,
            Call::Assess { .. } => Function::Assess,
            Call::CheckVisit { .. } => Function::CheckVisit,
            Call::ResumeVisit { .. } => Function::ResumeVisit,
            Call::WriteChart { .. } => Function::WriteChart,
            Call::ResumeChart { .. } => Function::ResumeChart,
            Call::Raise { .. } => Function::Raise,
            Call::ResumeTask { .. } => Function::ResumeTask,
        }
    }
}

impl Call {
    /// Of the delivery that is to be read; callbacks and what is asked by the host itself are short.
    pub(crate) fn input_bytes(&self) -> usize {
        match self {
            Call::AuthenticateDelivery { delivery, .. } | Call::Interpret { delivery, .. } => delivery.body.len(),
            Call::Retrieve { .. }
            | Call::ResumeRetrieval { .. }
            | Call::Choose { .. }
            | Call::Compose { .. }
            | Call::ResumeCarrier { .. }
            | Call::Lookup { .. }
            | Call::ClearFields
            | Call::AuthenticateCallback { .. }
            | Call::Receive { .. }
            | Call::Understand { .. }
            | Call::Assess { .. }
            | Call::CheckVisit { .. }
            | Call::ResumeVisit { .. }
            | Call::WriteChart { .. }
            | Call::ResumeChart { .. }
            | Call::Raise { .. }
            | Call::ResumeTask { .. } => 0,
        }
    }

    /// State and settings, of a conversation that goes on with a response.
    fn resumed(&self) -> Option<(&str, &str)> {
        match self {
            Call::ResumeRetrieval { state, response: _, settings }
            | Call::ResumeCarrier { state, response: _, settings }
            | Call::ResumeVisit { state, response: _, settings }
            | Call::ResumeChart { state, response: _, settings }
            | Call::ResumeTask { state, response: _, settings } => Some((state, settings)),
            Call::AuthenticateDelivery { .. }
            | Call::Interpret { .. }
            | Call::Retrieve { .. }
            | Call::Choose { .. }
            | Call::Compose { .. }
            | Call::Lookup { .. }
            | Call::ClearFields
            | Call::AuthenticateCallback { .. }
            | Call::Receive { .. }
            | Call::Understand { .. }
            | Call::Assess { .. }
            | Call::CheckVisit { .. }
            | Call::WriteChart { .. }
            | Call::Raise { .. } => None,
        }
    }
}

/// A call with null for the response that it goes on with: for a journal that has the response already.
pub struct WithoutResponse<'a>(pub &'a Call);

impl Serialize for WithoutResponse<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Bare<'a> {
            function: Function,
            arguments: Arguments<'a>,
        }
        #[derive(Serialize)]
        struct Arguments<'a> {
            state: &'a str,
            response: (),
            settings: &'a str,
        }
        let WithoutResponse(call) = self;
        let Some((state, settings)) = call.resumed() else { return call.serialize(serializer) };
        let arguments = Arguments { state, response: (), settings };
        Bare { function: call.function(), arguments }.serialize(serializer)
    }
}

/// Names the function only: arguments may hold patient data.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({})", self.function())
    }
}

/// What a plugin answered, under the name of the function that was called.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "function", content = "value", rename_all = "kebab-case")]
pub enum Answer {
    AuthenticateDelivery(Vec<SignatureCheck>),
    Interpret(TriggerReading),
    Retrieve(Result<retrieval::Turn, Failure>),
    ResumeRetrieval(Result<retrieval::Turn, Failure>),
    Choose(Result<choice::Decision, Failure>),
    Compose(Result<carrier::Turn, Failure>),
    ResumeCarrier(Result<carrier::Turn, Failure>),
    Lookup(Result<carrier::Turn, Failure>),
    ClearFields(Vec<String>),
    AuthenticateCallback(Vec<SignatureCheck>),
    Receive(Result<carrier::Inbound, Failure>),
    Understand(Result<understanding::Reading, Failure>),
    Assess(Result<roster::Assessment, Failure>),
    CheckVisit(Result<attendance::Turn, Failure>),
    ResumeVisit(Result<attendance::Turn, Failure>),
    WriteChart(Result<write_back::Turn, Failure>),
    ResumeChart(Result<write_back::Turn, Failure>),
    Raise(Result<hand_over::Turn, Failure>),
    ResumeTask(Result<hand_over::Turn, Failure>),
}

impl Answer {
    pub fn function(&self) -> Function {
        match self {
            Answer::AuthenticateDelivery(_) => Function::AuthenticateDelivery,
            Answer::Interpret(_) => Function::Interpret,
            Answer::Retrieve(_) => Function::Retrieve,
            Answer::ResumeRetrieval(_) => Function::ResumeRetrieval,
            Answer::Choose(_) => Function::Choose,
            Answer::Compose(_) => Function::Compose,
            Answer::ResumeCarrier(_) => Function::ResumeCarrier,
            Answer::Lookup(_) => Function::Lookup,
            Answer::ClearFields(_) => Function::ClearFields,
            Answer::AuthenticateCallback(_) => Function::AuthenticateCallback,
            Answer::Receive(_) => Function::Receive,
            Answer::Understand(_) => Function::Understand,
            Answer::Assess(_) => Function::Assess,
            Answer::CheckVisit(_) => Function::CheckVisit,
            Answer::ResumeVisit(_) => Function::ResumeVisit,
            Answer::WriteChart(_) => Function::WriteChart,
            Answer::ResumeChart(_) => Function::ResumeChart,
            Answer::Raise(_) => Function::Raise,
            Answer::ResumeTask(_) => Function::ResumeTask,
        }
    }

    /// SHA-256 of the answer's JSON: members in the contract's order, no white space. Recorded with every decision, so
    /// that calling again years later can be compared without keeping the answer.
    pub fn digest(&self) -> ComponentDigest {
        // The contract has no maps and no floats, so its types always serialise, and in one way only.
        ComponentDigest::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Names the function only: an answer may hold patient data.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({})", self.function())
    }
}
