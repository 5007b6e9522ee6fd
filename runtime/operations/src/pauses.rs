//! The brake, in an operator's hands: pause, resume, and the word that a new instance may write to patients.

use std::collections::BTreeMap;

use anyhow::{bail, ensure};
use chrono::{DateTime, Utc};
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_engine::letter::LetterBody;
use handoff_pipeline::pauses::PauseState;
use handoff_store::index::PAGE_MAX;
use handoff_store::{PauseCause, PauseScope};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::operations::{Operations, Operator, Request};

/// Hold messages to patients back, or everything.
#[derive(Serialize, Deserialize)]
pub struct PauseLetters {
    pub scope: PauseScope,
}

impl Request for PauseLetters {
    const PATH: &'static str = "/pauses/pause";
    const WHY: Option<&'static str> = None;
    type Answer = ();

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<()> {
        let Operator { who, why, role: _ } = operator;
        Ok(operations.pipeline.pauses.pause(PauseCause::Operator, self.scope, &who, &why)?)
    }
}

/// What may be let go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resumable {
    Pause(PauseCause),
    /// The clock is right as it stands.
    Clock,
}

/// Let go on what was held back for this cause; for the only one where none is named.
#[derive(Serialize, Deserialize)]
pub struct Resume {
    pub cause: Option<Resumable>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "resumed", rename_all = "kebab-case")]
pub enum Resumed {
    Wholly,
    /// Timers and the chart of a restored instance go on; messages to patients still wait for a second word.
    WithoutMessages,
    /// A restored instance goes on. So many messages may have left between the backup and the restore: each waits for a person.
    InDoubt {
        messages: usize,
    },
}

impl Request for Resume {
    const PATH: &'static str = "/pauses/resume";
    const WHY: Option<&'static str> = None;
    type Answer = Resumed;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<Resumed> {
        let (pauses, Operator { who, why, role: _ }) = (&operations.pipeline.pauses, operator);
        let state = pauses.state();
        let held: Vec<Resumable> = state.pauses.iter().map(|pause| Resumable::Pause(pause.cause)).collect();
        let held: Vec<Resumable> = held.into_iter().chain(state.clock.as_ref().map(|_| Resumable::Clock)).collect();
        let cause = match (self.cause, held.as_slice()) {
            (_, []) => bail!(Failure::new(ErrorCode::NOTHING_PAUSED, "nothing is paused")),
            (None, [only]) => *only,
            (None, _) => bail!(Failure::new(
                ErrorCode::NOTHING_PAUSED,
                "more than one thing holds letters back\n  help: `handoff pauses` lists them; name one with --cause"
            )),
            (Some(cause), held) => {
                let text = "nothing is paused for this cause\n  help: `handoff pauses` lists what is";
                ensure!(held.contains(&cause), Failure::new(ErrorCode::NOTHING_PAUSED, text));
                cause
            }
        };
        match cause {
            Resumable::Clock => pauses.trust_clock(&who, &why)?,
            Resumable::Pause(PauseCause::Restored) => return resume_restored(operations, &state, &who, &why),
            Resumable::Pause(PauseCause::NotLive) => bail!(Failure::new(
                ErrorCode::NOT_LIVE,
                "this instance has not gone live yet\n  help: `handoff go-live` shows what would be sent, and begins to send it"
            )),
            Resumable::Pause(cause @ (PauseCause::Operator | PauseCause::Volume)) => {
                pauses.resume(cause, &who, &why)?
            }
        }
        Ok(Resumed::Wholly)
    }
}

/// In two steps. First timers catch up, and the chart is read and written: what they ask for has the same key as when it was asked
/// for before, and is not done twice. Then the messages to patients that are due by now: whether they left after the backup nobody
/// here can tell, so a person looks at each.
fn resume_restored(operations: &Operations, state: &PauseState, who: &str, why: &str) -> anyhow::Result<Resumed> {
    let pauses = &operations.pipeline.pauses;
    let holds_all =
        |pause: &handoff_store::index::Pause| pause.cause == PauseCause::Restored && pause.scope == PauseScope::All;
    if state.pauses.iter().any(holds_all) {
        pauses.pause(PauseCause::Restored, PauseScope::Outreach, who, why)?;
        return Ok(Resumed::WithoutMessages);
    }
    let gap = "it may have left after the backup was made";
    let messages = Handle::current().block_on(operations.pipeline.delivery.doubt_due_messages(gap))?;
    pauses.resume(PauseCause::Restored, who, why)?;
    Ok(Resumed::InDoubt { messages })
}

/// What holds letters back.
#[derive(Serialize, Deserialize)]
pub struct ListPauses {}

impl Request for ListPauses {
    const PATH: &'static str = "/pauses";
    const WHY: Option<&'static str> = Some("to see what is paused");
    const TAKES_WORKFLOW_UP: bool = false;
    type Answer = PauseState;

    fn perform(self, operations: &Operations, _: Operator) -> anyhow::Result<PauseState> {
        Ok(operations.pipeline.pauses.state())
    }
}

/// Messages that would leave as soon as a new instance goes live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WouldSend {
    pub template: String,
    pub channel: String,
    pub language: String,
    pub count: usize,
    pub oldest_due: DateTime<Utc>,
}

/// A new instance may write to patients. Where it is not `sure`, it says what it would send, and sends nothing.
#[derive(Serialize, Deserialize)]
pub struct GoLive {
    pub sure: bool,
}

impl Request for GoLive {
    const PATH: &'static str = "/pauses/go-live";
    const WHY: Option<&'static str> = None;
    type Answer = Vec<WouldSend>;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<Vec<WouldSend>> {
        let pauses = &operations.pipeline.pauses;
        let is_new = pauses.state().pauses.iter().any(|pause| pause.cause == PauseCause::NotLive);
        ensure!(is_new, Failure::new(ErrorCode::NOTHING_PAUSED, "this instance went live already"));
        let due = would_send(operations)?;
        if self.sure {
            let Operator { who, why, role: _ } = operator;
            pauses.resume(PauseCause::NotLive, &who, &why)?;
        }
        Ok(due)
    }
}

fn would_send(operations: &Operations) -> anyhow::Result<Vec<WouldSend>> {
    let (index, now) = (operations.pipeline.store.index(), operations.pipeline.clock.now());
    let mut kinds: BTreeMap<(String, String, String), WouldSend> = BTreeMap::new();
    let parked = operations.pipeline.pauses.parked();
    let due = index.letter_ids_due(now, PAGE_MAX);
    for letter in parked.into_iter().chain(due) {
        let Some(item) = index.outbox(&letter)? else { continue };
        let LetterBody::Message(message) = &item.letter.body else { continue };
        let (template, channel, language) =
            (message.template.clone(), message.channel.to_string(), message.language.clone());
        let kind = kinds.entry((template.clone(), channel.clone(), language.clone()));
        let kind = kind.or_insert(WouldSend { template, channel, language, count: 0, oldest_due: item.letter.due });
        kind.count += 1;
        kind.oldest_due = kind.oldest_due.min(item.letter.due);
    }
    Ok(kinds.into_values().collect())
}
