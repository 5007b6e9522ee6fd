//! What waits for a person: told, looked at, taken in again, or laid aside.

use std::collections::HashMap;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_pipeline::error::PipelineError;
use handoff_pipeline::intake::redelivery::Replayed;
use handoff_store::index::{DeadItem, IndexError, PAGE_MAX, WhatDied};
use handoff_store::{Index, Position, Record};
use serde::{Deserialize, Serialize};

use crate::operations::{Operations, Operator, Request};

/// What has one fault and is mended at once: a feed whose shape has changed is one thing to look at, not a thousand.
#[derive(Debug)]
pub struct DeadGroup {
    pub count: usize,
    pub first: DeadItem,
    pub last: DateTime<Utc>,
}

/// Everything that waits, oldest first. Page after page: a list that ends where a page does is a list of what nobody will ever see.
///
/// # Errors
/// When the index cannot be read.
pub fn all(index: &dyn Index) -> Result<Vec<DeadItem>, IndexError> {
    let (mut all, mut after) = (Vec::new(), Position::START);
    loop {
        let page = index.dead_letters(after, PAGE_MAX)?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.position;
        all.extend(page);
    }
}

/// In the order of the first of each.
pub fn grouped(items: Vec<DeadItem>) -> Vec<DeadGroup> {
    let mut groups: Vec<DeadGroup> = Vec::new();
    let mut places = HashMap::new();
    for item in items {
        let place = *places.entry(fault_of(&item.what)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => (group.count, group.last) = (group.count + 1, group.last.max(item.at)),
            None => groups.push(DeadGroup { count: 1, last: item.at, first: item }),
        }
    }
    groups
}

/// By which two are of one group: what is wrong, wherever it came from.
fn fault_of(what: &WhatDied) -> [String; 4] {
    match what {
        WhatDied::Letter { letter: _, why } => ["letter".into(), String::new(), String::new(), why.clone()],
        WhatDied::Delivery { source, kind, location, message, help: _ } => {
            [source, kind, location, message].map(String::clone)
        }
    }
}

/// A dead delivery's bytes, in clear.
#[derive(Serialize, Deserialize)]
pub struct Show {
    pub item: String,
}

/// Patient data in clear, on its way to whoever mends it.
#[derive(Serialize, Deserialize)]
pub struct Shown {
    pub base64: String,
}

impl Shown {
    /// # Errors
    /// When the carrier changed it.
    pub fn bytes(&self) -> anyhow::Result<Vec<u8>> {
        STANDARD
            .decode(&self.base64)
            .context(Failure::new(ErrorCode::OTHER_VERSION, "the running instance answered something else"))
    }
}

impl Request for Show {
    const PATH: &'static str = "/dead-letters/show";
    const WHY: Option<&'static str> = Some("to mend what could not be read");
    type Answer = Shown;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<Shown> {
        let pipeline = &operations.pipeline;
        let (_, record) =
            pipeline.intake.dead(&self.item)?.ok_or(PipelineError::NotDead { item: self.item.clone() })?;
        let Record::Delivery { bytes: Some(token), .. } = record else {
            let text = format!("the bytes of {} were not kept", self.item);
            return Err(Failure::new(ErrorCode::BYTES_NOT_KEPT, text).into());
        };
        // Written down first: nobody sees anything that the journal does not know of.
        operations.looked(operator, format!("dead delivery {}", self.item))?;
        Ok(Shown { base64: STANDARD.encode(pipeline.vault.reveal_bytes(&token, &pipeline.store)?.as_slice()) })
    }
}

/// A dead delivery is taken in again, or a dead letter owed anew.
#[derive(Serialize, Deserialize)]
pub struct Replay {
    pub item: String,
}

impl Request for Replay {
    const PATH: &'static str = "/dead-letters/replay";
    const WHY: Option<&'static str> = Some("what was wrong has been mended");
    type Answer = Replayed;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<Replayed> {
        let replayed = operations.pipeline.intake.replay(&self.item, &operator.who, &operator.why);
        Ok(tokio::runtime::Handle::current().block_on(replayed)?)
    }
}

/// A dead letter or delivery needs nothing more.
#[derive(Serialize, Deserialize)]
pub struct Dismiss {
    pub item: String,
}

impl Request for Dismiss {
    const PATH: &'static str = "/dead-letters/dismiss";
    const WHY: Option<&'static str> = None;
    type Answer = ();

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<()> {
        let dismissed = operations.pipeline.intake.dismiss(&self.item, &operator.who, &operator.why);
        Ok(tokio::runtime::Handle::current().block_on(dismissed)?)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn delivery(minute: i64, source: &str, location: &str) -> DeadItem {
        let what = WhatDied::Delivery {
            source: source.into(),
            kind: "ORU^R01".into(),
            location: location.into(),
            message: "it has no end".into(),
            help: String::new(),
        };
        let at = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::minutes(minute);
        DeadItem { item: format!("item {minute}"), position: Position(minute.unsigned_abs()), at, what }
    }

    #[test]
    fn what_has_one_fault_is_one_group_with_its_count() {
        let items = vec![
            delivery(1, "hl7", "OBX-5"),
            delivery(2, "hl7", "PID-3"),
            delivery(3, "hl7", "OBX-5"),
            delivery(4, "lab", "OBX-5"),
            delivery(9, "hl7", "OBX-5"),
        ];
        let groups = grouped(items);
        let told: Vec<_> =
            groups.iter().map(|group| (group.count, group.first.item.as_str(), group.last.timestamp() / 60)).collect();
        assert_eq!(told, [(3, "item 1", 9), (1, "item 2", 2), (1, "item 4", 4)]);
    }
}
