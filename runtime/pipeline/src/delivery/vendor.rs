//! A vendor's name in the workflow, and the vendor's own numbers for letters.

/// A vendor's own number for a letter, told apart from other vendors'.
pub(crate) fn vendor_name(vendor: &str, id: &str) -> String {
    format!("{vendor}:{id}")
}

/// The vendor's name in the workflow, from its stage's key.
pub(crate) fn vendor_of(stage: &str) -> &str {
    stage.strip_prefix("outreach.").unwrap_or(stage)
}
