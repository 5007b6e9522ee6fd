//! What the journal says of one letter that may have left the outbox.

use handoff_engine::ids::{LetterId, StageKey};
use handoff_engine::letter::Letter;
use handoff_store::{Position, Record};

use crate::error::PipelineError;
use crate::transaction::Transactions;

pub(crate) struct LetterHistory {
    /// As it was last owed.
    pub letter: Letter,
    /// The ask that may have been acted upon, and nobody knows.
    pub doubt: Option<Position>,
    /// Who was asked last to carry it.
    pub stage: Option<StageKey>,
}

impl Transactions {
    pub(crate) fn letter_history(&self, id: LetterId) -> Result<Option<LetterHistory>, PipelineError> {
        let mut known: Option<LetterHistory> = None;
        for position in self.store.index().history(&id.referral)? {
            let Some(entry) = self.store.read(position)? else { continue };
            for record in &entry.records {
                match (record, known.as_mut()) {
                    (Record::Queued { letter, doubt }, _) if letter.id == id => {
                        let stage = known.and_then(|known| known.stage);
                        known = Some(LetterHistory { letter: letter.clone(), doubt: *doubt, stage });
                    }
                    (Record::Asked { letter, stage, lookup: false, .. }, Some(known)) if *letter == id => {
                        known.doubt = Some(position);
                        known.stage = Some(stage.clone());
                    }
                    (
                        Record::Deferred { letter, in_doubt: false, .. }
                        | Record::Dropped { letter, in_doubt: false, .. },
                        Some(known),
                    ) if *letter == id => known.doubt = None,
                    _ => {}
                }
            }
        }
        Ok(known)
    }
}
