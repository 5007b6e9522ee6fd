//! Where an operator is served. One piece of code does what is asked, whether it came through the door of a running instance
//! or from a command that opened Handoff itself: a carrier only carries.
//!
//! Architecture Invariant: whatever changes Handoff, or shows what is sealed, is journaled with who asked and why.

use std::sync::Arc;

use anyhow::Context as _;
pub use handoff_instance::paths::Paths;
use handoff_instance::signing_key;
use handoff_store::{CommitError, Entry, Position, Record};
use handoff_vault::system_dice;
use parking_lot::{Mutex, MutexGuard};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use handoff_clock::SystemClock;
use handoff_identity::accounts::Accounts;
use handoff_instance::config::Config;
use handoff_instance::open::InstanceParts;
use handoff_pipeline::pipeline::Pipeline;

/// An instance with somebody in it to ask.
pub struct Operations {
    pub pipeline: Arc<Pipeline>,
    pub paths: Paths,
    pub people: Accounts,
    pub(crate) census: crate::census::LastCensus,
    pub(crate) measures: crate::quality::LastMeasures,
    pub(crate) stories: crate::story::Stories,
    /// Held by what must not meet another of its kind: a purge, a backup, a change of keys.
    alone: Mutex<()>,
}

/// Who asks, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    pub who: String,
    /// In which role, where Handoff knows who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    pub why: String,
}

/// One thing that can be asked of an instance.
pub trait Request: Serialize + DeserializeOwned + Send + 'static {
    /// Where it is asked for at the door.
    const PATH: &'static str;

    /// The reason that is journaled when the operator gives none; absent where one must be given.
    const WHY: Option<&'static str>;

    /// Whether an instance that is opened for it alone takes up a changed workflow, as one that is served does. Whoever asks about
    /// the workflow finds it as it is.
    const TAKES_WORKFLOW_UP: bool = true;

    type Answer: Serialize + DeserializeOwned + Send + 'static;

    /// Does it, on this thread and within a tokio runtime.
    ///
    /// # Errors
    /// What stood in the way, as a chain for the operator to read.
    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<Self::Answer>;
}

impl Operations {
    /// Moves into an instance that is open.
    ///
    /// # Errors
    /// When a signing key that an interrupted rotation left behind cannot be put in its place, or the accounts not be read.
    pub fn new(pipeline: Arc<Pipeline>, paths: Paths) -> anyhow::Result<Operations> {
        signing_key::settle(&paths.signing, &paths.data)?;
        let people = Accounts::open(&paths.data, pipeline.vault.people_seal(), system_dice())?;
        Ok(Operations {
            pipeline,
            paths,
            people,
            census: crate::census::LastCensus::default(),
            measures: crate::quality::LastMeasures::default(),
            stories: crate::story::Stories::default(),
            alone: Mutex::default(),
        })
    }

    /// Opens an instance that nobody else has open.
    ///
    /// # Errors
    /// When anything that its configuration names is missing, or another process has it open.
    pub fn open(config: &Config, takes_workflow_up: bool) -> anyhow::Result<Operations> {
        let plan = InstanceParts { takes_workflow_up, ..InstanceParts::from_config(config, Arc::new(SystemClock))? };
        let pipeline = plan.build()?;
        let mut operations = Operations::new(Arc::new(pipeline), Paths::of(config))?;
        operations.people.require_two_factors(&config.people.two_factors);
        Ok(operations)
    }

    pub(crate) fn alone(&self) -> MutexGuard<'_, ()> {
        self.alone.lock()
    }

    /// Writes one thing down, durably.
    pub(crate) fn record(&self, record: Record) -> anyhow::Result<Position> {
        let entry = Entry { at: self.pipeline.clock.now(), records: vec![record], sealed: Vec::new() };
        self.pipeline.store.commit(entry).wait().context("the journal did not take it, and nothing was done")
    }

    /// As [`Operations::record`], for whoever tells the journal's refusal from others.
    pub fn commit(&self, record: Record) -> Result<(), CommitError> {
        let entry = Entry { at: self.pipeline.clock.now(), records: vec![record], sealed: Vec::new() };
        self.pipeline.store.commit(entry).wait().map(drop)
    }

    /// Writes down that an operator looks.
    pub(crate) fn looked(&self, operator: Operator, what: String) -> anyhow::Result<Position> {
        let Operator { who, role, why } = operator;
        self.record(Record::Looked { who, role, what, why, referrals: Vec::new() })
    }
}
