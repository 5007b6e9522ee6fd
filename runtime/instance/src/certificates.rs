//! Until when a certificate holds. A listener whose certificate has ended shuts everybody out, on a day that was known for a year.

use std::path::Path;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use handoff_engine::error_code::{ErrorCode, Failure};
use x509_parser::pem::Pem;

/// The first certificate in a PEM file is the one that is shown (RFC 8446, 4.4.2); those behind it lead to its root.
///
/// # Errors
/// When the file cannot be read, or its first certificate not.
pub fn ends(path: &Path) -> anyhow::Result<DateTime<Utc>> {
    let unusable = || Failure::new(ErrorCode::LISTENER_CERTIFICATE, format!("{} holds no certificate", path.display()));
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let first = Pem::iter_from_buffer(&bytes).filter_map(Result::ok).find(|pem| pem.label == "CERTIFICATE");
    let first = first.with_context(unusable)?;
    let ends = first.parse_x509().ok().map(|certificate| certificate.validity().not_after.timestamp());
    ends.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).with_context(unusable)
}
