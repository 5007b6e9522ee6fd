//! Puts patient data into a request, and says where it may not go what would let it.

use handoff_engine::ids::StageKey;
use handoff_vault::Sealing;
use handoff_vault::substitute::{Agreement, Placed, Substitution, TokenPlace, Unfilled};
use zeroize::Zeroizing;

use crate::egress::{Denial, Grant};
use crate::endpoint::Endpoint;

/// What one stage sends to one endpoint.
pub(super) struct Filling<'s, 'v> {
    stage: &'s StageKey,
    endpoint: &'s str,
    substitution: Substitution<'s, 'v>,
}

impl<'s, 'v> Filling<'s, 'v> {
    pub fn new(grant: &'s Grant, endpoint: &'s Endpoint, sealing: &'s Sealing<'v>) -> Filling<'s, 'v> {
        // One that has expired stopped the endpoint before.
        let agreement = if endpoint.config.baa.is_some() { Agreement::InForce } else { Agreement::Missing };
        let substitution = Substitution::new(&grant.patient, sealing, agreement);
        Filling { stage: &grant.stage, endpoint: &endpoint.name, substitution }
    }

    pub fn fill(&mut self, text: &str, place: TokenPlace) -> Result<Zeroizing<String>, Denial> {
        let stage = || self.stage.clone();
        self.substitution.fill(text, place).map_err(|unfilled| match unfilled {
            Unfilled::NoAgreement { .. } => Denial::NoAgreement { stage: stage(), endpoint: self.endpoint.to_string() },
            Unfilled::ForeignToken { token } => Denial::ForeignToken { stage: stage(), token },
            Unfilled::Sealed(source) => Denial::Sealed { stage: stage(), source },
            Unfilled::Unplaceable { token, place, why } => Denial::Unplaceable { token, place, why },
        })
    }

    /// Whether no patient data has been placed.
    pub fn is_empty(&self) -> bool {
        self.substitution.is_empty()
    }

    pub fn into_placed(self) -> Placed {
        self.substitution.into_placed()
    }
}
