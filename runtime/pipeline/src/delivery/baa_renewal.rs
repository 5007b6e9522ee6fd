//! An endpoint whose business associate agreement has expired is stopped (45 CFR 164.504(e)); a person has to renew it.

use std::collections::HashSet;

use chrono::NaiveDate;
use handoff_engine::ids::{Digest, LetterId, ReferralId};
use handoff_engine::letter::{Audience, Letter, LetterBody, Task};
use parking_lot::Mutex;

use super::LetterDelivery;
use crate::error::PipelineError;

/// A practice without its text vendor falls behind from the first day on.
const DUE_IN_HOURS: u32 = 24;

/// Renewals that somebody has been asked for. In memory: after a start it is asked for once more.
#[derive(Default)]
pub struct Renewals(Mutex<HashSet<(String, NaiveDate)>>);

impl Renewals {
    fn is_new(&self, endpoint: &str, expired: NaiveDate) -> bool {
        self.0.lock().insert((endpoint.to_string(), expired))
    }
}

impl LetterDelivery {
    /// Puts the renewal on a person: once, although hundreds of letters may wait for it. The task hangs on the referral
    /// whose letter was the first to be stopped.
    ///
    /// # Errors
    /// When the journal takes nothing more.
    pub async fn ask_for_renewal(
        &self,
        referral: ReferralId,
        endpoint: &str,
        expired: NaiveDate,
    ) -> Result<(), PipelineError> {
        if !self.renewals.is_new(endpoint, expired) {
            return Ok(());
        }
        let mut transaction = self.transactions.begin_in_force();
        let task = Task {
            audience: Audience::Coordinator,
            kind: "agreement-expired".into(),
            urgent: true,
            summary: format!(
                "The agreement for the endpoint {endpoint} expired on {expired}: nothing is sent there until it is \
                 renewed and its new date stands in the configuration."
            ),
            due_in_hours: DUE_IN_HOURS,
        };
        let id = LetterId { referral, number: number(endpoint, expired) };
        let due = transaction.now();
        transaction.draft.queue(Letter { id, due, expires: None, body: LetterBody::Task(task) });
        transaction.commit().await
    }
}

/// A referral's own letters count up from one. The instance's stand at the far end, each renewal in a place of its own.
fn number(endpoint: &str, expired: NaiveDate) -> u32 {
    let [high, low, ..] = Digest::of(format!("{endpoint} {expired}").as_bytes()).0;
    u32::MAX - u32::from(u16::from_be_bytes([high, low]))
}
