//! Draft -> committed. Durable first, answered after: nothing leaves a station before this returns.

use std::time::Instant;

use handoff_vault::Lookup;

use super::draft::Draft;
use crate::pipeline::{Line, LineError};

impl Line {
    pub(crate) fn draft(&self) -> Draft<'_> {
        Draft::new(self.clock.now(), self.vault.sealing(self))
    }

    /// Returns when the transaction is durable, signed and visible to every reader.
    ///
    /// # Errors
    /// When it is not. Then it did not happen, and nobody may be told that it did.
    #[tracing::instrument(name = "commit", level = "debug", skip_all)]
    pub(crate) async fn commit(&self, draft: Draft<'_>) -> Result<(), LineError> {
        if draft.is_empty() {
            return Ok(());
        }
        let (entry, _taken_back) = draft.into_entry()?;
        let begun = Instant::now();
        let position = self.store.commit(entry).await?;
        tracing::debug!(%position, micros = begun.elapsed().as_micros() as u64, "committed");
        self.pulse.notify_one();
        Ok(())
    }
}

/// The vault finds what was sealed through the index.
impl Lookup for Line {
    fn sealed(&self, token: &handoff_engine::ids::Token) -> Option<handoff_store::Sealed> {
        self.store
            .index()
            .sealed(token)
            .inspect_err(|error| tracing::error!(%error, "a token cannot be looked up"))
            .ok()?
    }

    fn slot(&self, patient: &handoff_engine::ids::PatientId) -> Option<u64> {
        self.store
            .index()
            .key_slot(patient)
            .inspect_err(|error| tracing::error!(%error, "a key cannot be looked up"))
            .ok()?
    }
}
