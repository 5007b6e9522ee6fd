//! Proves every recorded decision: runs the call again with the pinned component, and compares the answers' digests.

use std::collections::BTreeMap;
use std::path::Path;

use handoff_engine::error_chain::Chain;
use handoff_engine::ids::{Digest, StageKey, Token};
use handoff_host::contract::interpreter::Delivery;
use handoff_host::{Call, Host, Plugin};
use handoff_instance::open::COMPONENTS;
use handoff_pipeline::deployments::component_store;
use handoff_store::journal::{Numbered, ReadError};
use handoff_store::{Json, Position, Record};
use handoff_vault::{ClearBytes, Lookup, Vault, VaultError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operations::{Operations, Operator, Request};

/// Decisions named one by one. A component that is gone may have made millions; the first thousand say which.
const NAMED_MAX: usize = 1_000;

/// Run every recorded decision again.
#[derive(Serialize, Deserialize)]
pub struct Prove {}

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Decisions that gave the recorded answer again.
    pub proven: u64,
    pub unproven: u64,
    /// The first of the unproven.
    pub named: Vec<Unproven>,
    /// Decisions that could not be run again, by the reason.
    pub passed_over: BTreeMap<PassedOver, u64>,
}

/// A decision that did not come out as recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unproven {
    pub position: Position,
    pub stage: StageKey,
    pub plugin: Digest,
    pub why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PassedOver {
    /// A parser saw patient data in clear, and without the master key nobody can show it again.
    Sealed,
    /// The patient was forgotten: the key is gone.
    Erased,
}

/// Makes patient data readable again.
pub struct DecisionContext<'a> {
    pub vault: &'a Vault,
    pub lookup: &'a dyn Lookup,
}

impl Request for Prove {
    const PATH: &'static str = "/decisions/prove";
    const WHY: Option<&'static str> = Some("to prove what was decided");
    type Answer = Proof;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<Proof> {
        let pipeline = &operations.pipeline;
        // The parsers see patient data again; whoever asks sees digests only.
        let last = operations.looked(operator, "every recorded decision".into())?;
        let sight = DecisionContext { vault: &pipeline.vault, lookup: &pipeline.store };
        let entries = pipeline.store.entries(Position::START).take_while(|it| !matches!(it, Ok((at, _)) if *at > last));
        Ok(prove(entries, &pipeline.host, &operations.paths.data, Some(sight))?)
    }
}

/// Runs the decisions of these entries again. `data` is the folder in which their components are kept.
///
/// # Errors
/// When the journal cannot be read. A decision that fails is an answer, not an error.
pub fn prove(
    entries: impl Iterator<Item = Result<Numbered, ReadError>>,
    host: &Host,
    data: &Path,
    sight: Option<DecisionContext<'_>>,
) -> Result<Proof, ReadError> {
    let components = data.join(COMPONENTS);
    let mut prover = Prover { host, components: &components, loaded: BTreeMap::new(), sight };
    let mut proof = Proof::default();
    for entry in entries {
        let (position, entry) = entry?;
        for (at, record) in entry.records.iter().enumerate() {
            let Record::Decided { stage, plugin, call, answer, .. } = record else { continue };
            let recorded = Recorded { call, entry: &entry.records, before: &entry.records[..at] };
            match prover.decide_again(*plugin, recorded).map(|again| again == *answer) {
                Ok(true) => proof.proven += 1,
                Ok(false) => proof.name(position, stage, *plugin, "it answers otherwise now".into()),
                Err(Stopped::Unproven(why)) => proof.name(position, stage, *plugin, why),
                Err(Stopped::PassedOver(reason)) => *proof.passed_over.entry(reason).or_default() += 1,
            }
        }
    }
    Ok(proof)
}

impl Proof {
    fn name(&mut self, position: Position, stage: &StageKey, plugin: Digest, why: String) {
        self.unproven += 1;
        if self.named.len() < NAMED_MAX {
            self.named.push(Unproven { position, stage: stage.clone(), plugin, why });
        }
    }
}

struct Prover<'a> {
    host: &'a Host,
    components: &'a Path,
    /// Or why it cannot be.
    loaded: BTreeMap<Digest, Result<Plugin, String>>,
    sight: Option<DecisionContext<'a>>,
}

/// A call as its entry has it.
struct Recorded<'a> {
    call: &'a Json,
    entry: &'a [Record],
    /// What stands before it there.
    before: &'a [Record],
}

enum Stopped {
    Unproven(String),
    PassedOver(PassedOver),
}

impl Prover<'_> {
    fn decide_again(&mut self, plugin: Digest, recorded: Recorded<'_>) -> Result<Digest, Stopped> {
        let plugin = self.plugin(plugin).map_err(Stopped::Unproven)?;
        let call = self.call(&recorded)?;
        let answer = self.host.call(&plugin, &call).map_err(|fault| Stopped::Unproven(Chain(&fault).to_string()))?;
        Ok(Digest(answer.digest().0))
    }

    fn plugin(&mut self, digest: Digest) -> Result<Plugin, String> {
        let load = || {
            let component =
                component_store::read(self.components, &digest).map_err(|error| Chain(&error).to_string())?;
            self.host.load(&component).map_err(|error| Chain(&error).to_string())
        };
        self.loaded.entry(digest).or_insert_with(load).clone()
    }

    /// The call as it was made: what stands in it as a token, or beside it in its entry, is put back.
    fn call(&self, recorded: &Recorded<'_>) -> Result<Call, Stopped> {
        let unreadable = |what: &str| Stopped::Unproven(format!("its record cannot be read: {what}"));
        let mut call: Value = recorded.call.read().map_err(|_| unreadable("it holds no call"))?;
        if let Some(response @ Value::Null) = call.pointer_mut("/arguments/response") {
            let answered = recorded.before.iter().rev().find_map(|record| {
                let Record::Answered { response, .. } = record else { return None };
                Some(response)
            });
            let answered = answered.ok_or(Stopped::Unproven("its response is not in its entry".into()))?;
            *response = answered.read().map_err(|_| unreadable("its response is none"))?;
        }
        let mut call: Call = serde_json::from_value(call).map_err(|_| unreadable("it holds no call"))?;
        match &mut call {
            Call::Interpret { delivery, .. } => self.unseal(recorded.entry, delivery)?,
            Call::Understand { message, .. } => {
                let clear = self.reveal(&Token(std::mem::take(&mut message.text)))?;
                message.text =
                    String::from_utf8(clear.as_slice().to_vec()).map_err(|_| unreadable("its reply is no text"))?;
            }
            // Every other stage saw what is recorded.
            Call::AuthenticateDelivery { .. }
            | Call::Retrieve { .. }
            | Call::ResumeRetrieval { .. }
            | Call::Choose { .. }
            | Call::Compose { .. }
            | Call::ResumeCarrier { .. }
            | Call::Lookup { .. }
            | Call::ClearFields
            | Call::AuthenticateCallback { .. }
            | Call::Receive { .. }
            | Call::Assess { .. }
            | Call::CheckVisit { .. }
            | Call::ResumeVisit { .. }
            | Call::WriteChart { .. }
            | Call::ResumeChart { .. }
            | Call::Raise { .. }
            | Call::ResumeTask { .. } => {}
        }
        Ok(call)
    }

    /// A delivery's bytes and headers lie sealed beside its decision.
    fn unseal(&self, entry: &[Record], delivery: &mut Delivery) -> Result<(), Stopped> {
        let kept = entry.iter().find_map(|record| {
            let Record::Delivery { bytes: Some(bytes), envelope, .. } = record else { return None };
            Some((bytes, envelope))
        });
        let (bytes, envelope) = kept.ok_or(Stopped::Unproven("its delivery is not in its entry".into()))?;
        delivery.body = self.reveal(bytes)?.as_slice().to_vec();
        if let Some(token) = envelope["headers"].as_str() {
            let headers = self.reveal(&Token(token.into()))?;
            let unreadable = |_| Stopped::Unproven("its headers cannot be read".into());
            delivery.headers = serde_json::from_slice(headers.as_slice()).map_err(unreadable)?;
        }
        Ok(())
    }

    fn reveal(&self, token: &Token) -> Result<ClearBytes, Stopped> {
        let Some(DecisionContext { vault, lookup }) = &self.sight else {
            return Err(Stopped::PassedOver(PassedOver::Sealed));
        };
        vault.reveal_bytes(token, *lookup).map_err(|error| match error {
            VaultError::Erased { .. } => Stopped::PassedOver(PassedOver::Erased),
            VaultError::Keyring(_)
            | VaultError::UnknownToken { .. }
            | VaultError::Damaged { .. }
            | VaultError::NotText { .. }
            | VaultError::TooLong { .. } => Stopped::Unproven(Chain(&error).to_string()),
        })
    }
}

impl std::fmt::Display for PassedOver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            PassedOver::Sealed => {
                "a parser saw patient data in clear; name the configuration, which has the master key"
            }
            PassedOver::Erased => "the patient has been forgotten",
        })
    }
}
