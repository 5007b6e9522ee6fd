//! A dead delivery is taken in again, once what was wrong with it or with us has been mended.

use chrono::{DateTime, Utc};
use handoff_engine::ids::Token;
use handoff_host::contract::types::Attribute;
use handoff_store::entry::{Record, Verdict};
use serde_json::Value;

use super::ingress::{Delivery, Door};
use super::trigger::Sender;
use super::{Line, LineError};

impl Line {
    /// Takes a dead delivery in again. `item` is the digest that the dead-letter list names it by.
    ///
    /// # Errors
    /// When there is no such delivery, or it still cannot be read; the list keeps it then.
    pub async fn replay(&self, item: &str, who: &str, why: &str) -> Result<Verdict, LineError> {
        let not_dead = || LineError::NotDead { item: item.into() };
        let (at, record) = self.dead(item)?.ok_or_else(not_dead)?;
        let Record::Delivery { source, bytes: Some(token), envelope, .. } = record else { return Err(not_dead()) };
        let door = match envelope["door"].as_str() {
            Some("webhook") => Door::Webhook,
            Some(_) | None => Door::Mllp,
        };
        let body = self.vault.reveal_bytes(&token, self)?.as_slice().to_vec();
        let headers = self.kept_headers(&envelope)?;
        let delivery = Delivery { door, source, url: String::new(), headers, body, received_at: at };
        match self.trigger(&delivery, Sender::Believed).await?.verdict {
            Some(Verdict::Dead { location, message, help }) => {
                Err(LineError::StillDead { item: item.into(), location, message, help })
            }
            Some(verdict) => {
                let mut draft = self.draft();
                draft.record(Record::Settled {
                    item: item.into(),
                    how: "replayed".into(),
                    who: who.into(),
                    why: why.into(),
                });
                self.commit(draft).await?;
                Ok(verdict)
            }
            None => Err(not_dead()),
        }
    }

    fn kept_headers(&self, envelope: &Value) -> Result<Vec<Attribute>, LineError> {
        match envelope["headers"].as_str() {
            Some(token) => {
                let sealed = self.vault.reveal_bytes(&Token(token.into()), self)?;
                Ok(serde_json::from_slice(sealed.as_slice())?)
            }
            // HL7 over MLLP has none.
            None => Ok(Vec::new()),
        }
    }

    /// The delivery's own record, as it was when it died.
    pub fn dead(&self, item: &str) -> Result<Option<(DateTime<Utc>, Record)>, LineError> {
        let Some(dead) = self.store.index().dead_letter(item)? else { return Ok(None) };
        let Some(entry) = self.store.read(dead.position)? else { return Ok(None) };
        let record = entry
            .records
            .iter()
            .find(|record| matches!(record, Record::Delivery { digest, .. } if digest.to_string() == item));
        Ok(record.map(|record| (entry.at, record.clone())))
    }
}
