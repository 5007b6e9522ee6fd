//! A vendor's name in the workflow, and the vendor's own numbers for letters.

use handoff_engine::ids::VendorMessageId;

/// A vendor's own number for a letter, told apart from other vendors'.
pub(crate) fn vendor_name(vendor: &str, id: &str) -> VendorMessageId {
    VendorMessageId::new(format!("{vendor}:{id}"))
}

/// The vendor's name in the workflow, from its stage's key.
pub(crate) fn vendor_of(stage: &str) -> &str {
    stage.strip_prefix("outreach.").unwrap_or(stage)
}
