//! The specialist's note, in clear, for whoever sees its patient.

use handoff_engine::ids::ReferralId;
use handoff_identity::person::Person;

use crate::operations::Operations;
use crate::referrals::PhiAccessError;

/// As it came.
pub struct ClearNote {
    pub media_type: String,
    pub bytes: Vec<u8>,
}

impl ClearNote {
    /// What a file of its kind is called.
    pub fn ending(&self) -> &'static str {
        match self.media_type.as_str() {
            "application/pdf" => "pdf",
            "text/plain" => "txt",
            "text/html" => "html",
            "text/xml" | "application/xml" => "xml",
            "image/tiff" => "tiff",
            "image/png" => "png",
            "image/jpeg" => "jpg",
            "application/rtf" | "text/rtf" => "rtf",
            _ => "bin",
        }
    }
}

impl Operations {
    /// Nothing where none has come, or the patient was erased.
    ///
    /// # Errors
    /// When there is no such referral for this person, or the journal does not take the look.
    pub fn note(&self, person: &Person, id: ReferralId) -> Result<Option<ClearNote>, PhiAccessError> {
        let (referral, look) = self.one(person, id, "a specialist's note")?;
        let (Some(look), Some(note)) = (look, &referral.facts.note) else { return Ok(None) };
        let media_type = note.media_type.clone();
        Ok(look.reveal_bytes(&note.content).map(|bytes| ClearNote { media_type, bytes }))
    }
}
