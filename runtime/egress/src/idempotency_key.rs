//! The same request for the same letter always has the same key: sent twice after a doubt, it is acted upon once.

use handoff_engine::ids::Digest;
use handoff_host::contract::exchange::{HttpRequest, Mail};

use crate::egress::Grant;
use crate::endpoint::HttpMethod;

/// draft-ietf-httpapi-idempotency-key-header. A plugin that asks one path twice for one letter sets its own.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// 128 bits tell letters apart, and fit any vendor's limit on the key.
const HEX_DIGITS: usize = 32;

/// For `Idempotency-Key`. The body is no part of it: it may hold the hour of the attempt.
pub(super) fn of_request(grant: &Grant, request: &HttpRequest) -> String {
    key(grant, [HttpMethod::from(request.method).name(), request.path.as_str()])
}

/// For Message-ID (RFC 5322, 3.6.4): a mail that arrives twice is shown once, and one that is worded like an earlier one is
/// shown as well.
pub(super) fn of_mail(grant: &Grant, mail: &Mail) -> String {
    key(grant, [mail.to.as_str(), mail.subject.as_str()])
}

fn key(grant: &Grant, parts: [&str; 2]) -> String {
    let mut text = format!("{}\u{1f}{}\u{1f}{}", grant.letter, parts[0], parts[1]);
    if grant.again > 0 {
        text += &format!("\u{1f}{}", grant.again);
    }
    Digest::of(text.as_bytes()).to_string()[..HEX_DIGITS].to_string()
}
