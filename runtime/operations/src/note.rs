//! The specialist's note, in clear, for whoever sees its patient.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
    /// Of its documents the `nth`, from 0, as its author wrote it. Nothing where none has come, or the patient was erased.
    ///
    /// # Errors
    /// When there is no such referral for this person, or the journal does not take the look.
    pub fn note(&self, person: &Person, id: ReferralId, nth: usize) -> Result<Option<ClearNote>, PhiAccessError> {
        let (referral, look) = self.one(person, id, "a specialist's note")?;
        let (Some(look), Some(note)) = (look, &referral.facts.note) else { return Ok(None) };
        let (media_type, content) = match nth.checked_sub(1) {
            None => (&note.media_type, &note.content),
            Some(further) => match note.attached.get(further) {
                Some(document) => (&document.media_type, &document.content),
                None => return Ok(None),
            },
        };
        let sealed = look.reveal_bytes(content);
        // It is kept in base64, which is how it came and how the chart takes it.
        let plain = |sealed: Vec<u8>| STANDARD.decode(&sealed).unwrap_or(sealed);
        Ok(sealed.map(|bytes| ClearNote { media_type: media_type.clone(), bytes: plain(bytes) }))
    }
}
