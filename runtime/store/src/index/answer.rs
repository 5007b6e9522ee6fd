//! What the index answers with.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use handoff_engine::event::LetterStatus;
use handoff_engine::ids::{Digest, LetterId, PatientId, ReferralId, StageKey, Token};
use handoff_engine::letter::{Audience, Letter};
use handoff_engine::referral::Channel;
use handoff_engine::task::ReferralTask;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::entry::{Canary, DeliveryVerdict, Origin, PauseCause, PauseScope};
use crate::index::agenda::{millis, moment};
use crate::json::Json;
use crate::position::Position;

/// What to list; absent fields match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReferralFilter {
    pub state: Option<String>,
    pub deployment: Option<Digest>,
    /// The specialist's id.
    pub specialist: Option<String>,
    pub ended: Option<bool>,
}

/// A referral as a list shows it; [`crate::Index::referral`] has the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    pub id: ReferralId,
    pub deployment: Digest,
    pub state: String,
    pub patient: PatientId,
    /// The specialist's id; empty while none is named.
    pub specialist: String,
    pub version: u64,
    pub ordered_at: DateTime<Utc>,
    pub entered_at: DateTime<Utc>,
    pub next_timer: Option<DateTime<Utc>>,
    pub ended: bool,
    /// The entry that holds its last step.
    pub stepped: Position,
}

/// How many referrals in flight stand in one state of one deployment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct InFlight {
    pub deployment: Digest,
    pub state: String,
    pub referrals: u64,
}

/// A delivery that was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivered {
    pub position: Position,
    pub at: DateTime<Utc>,
    pub digest: Digest,
    pub source: String,
    pub kind: String,
    pub verdict: DeliveryVerdict,
    pub bytes: Option<Token>,
    pub answer: Option<Token>,
    pub envelope: Value,
}

/// The last word on one address and channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConsentOnFile {
    pub channel: Channel,
    pub granted: bool,
    pub why: String,
    pub at: DateTime<Utc>,
    pub position: Position,
}

/// A workflow that took effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deployed {
    pub deployment: Digest,
    pub workflow: String,
    pub plugins: BTreeMap<StageKey, Digest>,
    pub who: String,
    pub why: String,
    pub origin: Origin,
    /// See [`crate::Record::Deployed`].
    pub returning: Option<Digest>,
    /// See [`crate::Record::Deployed`].
    pub canary: Option<Canary>,
    /// Its record outlived its segment, and stands in another place now.
    pub is_carried: bool,
    pub at: DateTime<Utc>,
    pub position: Position,
}

impl Deployed {
    /// Of all that took effect, oldest first, the one in force.
    pub fn in_force(known: &[Deployed]) -> Option<&Deployed> {
        known.iter().rfind(|deployed| deployed.canary.is_none())
    }

    /// The one that is tried beside it.
    pub fn on_trial(known: &[Deployed]) -> Option<(&Deployed, Canary)> {
        let last = known.last()?;
        last.canary.map(|canary| (last, canary))
    }
}

/// Something that a person was asked to do, and that is neither done nor moot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenTask {
    /// The letter that carries it to its inbox; its words are there.
    pub task: LetterId,
    pub audience: Audience,
    pub kind: String,
    pub urgent: bool,
    pub raised_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub assignee: Option<String>,
    pub snoozed_until: Option<DateTime<Utc>>,
}

impl OpenTask {
    /// Nothing of one that has ended.
    pub(crate) fn of(referral: ReferralId, task: &ReferralTask) -> Option<OpenTask> {
        // As the index has it, to the millisecond.
        let whole = |at| moment(millis(at));
        task.is_open().then(|| OpenTask {
            task: task.id(referral),
            audience: task.audience,
            kind: task.kind.clone(),
            urgent: task.urgent,
            raised_at: whole(task.raised_at),
            due_at: whole(task.due_at),
            assignee: task.assignee.clone().filter(|name| !name.is_empty()),
            snoozed_until: task.snoozed_until.map(whole),
        })
    }
}

/// Which open tasks; absent fields match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskFilter {
    pub referral: Option<ReferralId>,
    pub audience: Option<Audience>,
    pub kind: Option<String>,
    /// Whose they are; `Some(None)` for those that nobody has.
    pub assignee: Option<Option<String>>,
    /// Due at this moment or before.
    pub due_by: Option<DateTime<Utc>>,
    /// Not snoozed past this moment.
    pub awake_at: Option<DateTime<Utc>>,
}

impl TaskFilter {
    pub(crate) fn takes(&self, task: &OpenTask) -> bool {
        let TaskFilter { referral, audience, kind, assignee, due_by, awake_at } = self;
        referral.is_none_or(|referral| referral == task.task.referral)
            && audience.is_none_or(|audience| audience == task.audience)
            && kind.as_ref().is_none_or(|kind| *kind == task.kind)
            && assignee.as_ref().is_none_or(|assignee| *assignee == task.assignee)
            && due_by.is_none_or(|due_by| task.due_at <= due_by)
            && awake_at.is_none_or(|now| task.snoozed_until.is_none_or(|until| until <= now))
    }
}

/// What a vendor told of a message before it had answered the request for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    pub status: LetterStatus,
    /// What is to be done about it, where the sender is at fault.
    pub cure: Option<String>,
}

/// A letter that is owed.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxItem {
    pub letter: Letter,
    /// Times it was taken up.
    pub attempts: u32,
    /// Not before this moment.
    pub due: DateTime<Utc>,
    /// It was taken up and not concluded: a crash lies between, or another worker is at it.
    pub doubt: Option<Doubt>,
}

impl OutboxItem {
    /// Whether a request left the house, or may have, and nobody knows what became of it.
    pub fn in_doubt(&self) -> bool {
        self.doubt.as_ref().is_some_and(|doubt| doubt.response.is_none())
    }
}

/// A request that may have left the house.
#[derive(Clone, Debug, PartialEq)]
pub struct Doubt {
    pub position: Position,
    pub attempt: u32,
    pub stage: StageKey,
    pub plugin: Digest,
    pub endpoint: String,
    pub ask: Json,
    /// What came back, when that much is known.
    pub response: Option<Json>,
}

/// A referral under legal hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub referral: ReferralId,
    pub who: String,
    pub why: String,
    pub at: DateTime<Utc>,
    pub position: Position,
}

/// Something that holds letters back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub cause: PauseCause,
    pub scope: PauseScope,
    pub who: String,
    pub why: String,
    pub at: DateTime<Utc>,
    pub position: Position,
}

/// How many letters and deliveries wait for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeadCount {
    pub letters: u64,
    pub deliveries: u64,
}

/// Something that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadItem {
    /// What `Record::Settled` names it by: a letter's id, or the digest of a delivery's bytes.
    pub item: String,
    pub position: Position,
    pub at: DateTime<Utc>,
    pub what: WhatDied,
}

/// A delivery that surely means no referral, until a person says which or what it waits for comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmatchedItem {
    /// What `Record::Settled` names it by: the digest of its bytes.
    pub item: String,
    pub position: Position,
    pub at: DateTime<Utc>,
    pub source: String,
    pub kind: String,
    pub why: String,
    /// Those that may be meant. Where there are none, it may be no concern of ours.
    pub candidates: Vec<ReferralId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "dead", rename_all = "kebab-case")]
pub enum WhatDied {
    Letter { letter: LetterId, why: String },
    Delivery { source: String, kind: String, location: String, message: String, help: String },
}
