//! A look at patient data. Nobody can make one but the journal: what is shown in clear was written down before.

use handoff_engine::ids::{ReferralId, Token};
use handoff_identity::person::Person;
use handoff_store::{CommitError, Record};
use handoff_vault::{VaultError, token};

use crate::operations::Operations;

/// Leave to read what tokens stand for, for as long as one answer takes.
///
/// Architecture Invariant: made in this file alone, after the journal has who looks at what and why.
pub struct PhiAccess<'o> {
    operations: &'o Operations,
}

impl Operations {
    /// # Errors
    /// When the journal does not take it. Then nothing may be shown.
    pub fn look(
        &self,
        person: &Person,
        what: &str,
        why: &str,
        referrals: Vec<ReferralId>,
    ) -> Result<PhiAccess<'_>, CommitError> {
        self.commit(Record::Looked {
            who: person.name.clone(),
            role: Some(person.role.name().into()),
            what: what.into(),
            why: why.into(),
            referrals,
        })?;
        Ok(PhiAccess { operations: self })
    }
}

impl PhiAccess<'_> {
    /// What a token stands for; nothing once it was erased.
    pub fn reveal(&self, token: &Token) -> Option<String> {
        let pipeline = &self.operations.pipeline;
        match pipeline.vault.reveal(token, &pipeline.store) {
            Ok(clear) => Some(clear.as_str().to_string()),
            Err(VaultError::Erased { .. }) => None,
            Err(error) => {
                tracing::error!(%error, "a look shows less than it should");
                None
            }
        }
    }

    /// As [`PhiAccess::reveal`], where it is no text.
    pub fn reveal_bytes(&self, token: &Token) -> Option<Vec<u8>> {
        let pipeline = &self.operations.pipeline;
        match pipeline.vault.reveal_bytes(token, &pipeline.store) {
            Ok(clear) => Some(clear.as_slice().to_vec()),
            Err(VaultError::Erased { .. }) => None,
            Err(error) => {
                tracing::error!(%error, "a look shows less than it should");
                None
            }
        }
    }

    /// A text with what its tokens stand for in their places. What was erased stays a token.
    pub fn read(&self, text: &str) -> String {
        let mut clear = String::with_capacity(text.len());
        let mut from = 0;
        for place in token::find(text) {
            clear.push_str(&text[from..place.start]);
            let token = &text[place.clone()];
            clear.push_str(self.reveal(&Token(token.into())).as_deref().unwrap_or(token));
            from = place.end;
        }
        clear.push_str(&text[from..]);
        clear
    }
}
