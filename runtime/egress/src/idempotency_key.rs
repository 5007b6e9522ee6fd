//! The same request for the same letter always has the same key: sent twice after a doubt, it is acted upon once.

use handoff_engine::ids::{Digest, LetterId};
use handoff_host::contract::exchange::{HttpRequest, Mail};

use crate::endpoint::HttpMethod;

/// draft-ietf-httpapi-idempotency-key-header. A plugin that asks one path twice for one letter sets its own.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// 128 bits tell letters apart, and fit any vendor's limit on the key.
const HEX_DIGITS: usize = 32;

/// For `Idempotency-Key`. The body is no part of it: it may hold the hour of the attempt.
pub(super) fn of_request(letter: LetterId, request: &HttpRequest) -> String {
    key(letter, [HttpMethod::from(request.method).name(), request.path.as_str()])
}

/// For Message-ID (RFC 5322, 3.6.4): a mail that arrives twice is shown once, and one that is worded like an earlier one is
/// shown as well.
pub(super) fn of_mail(letter: LetterId, mail: &Mail) -> String {
    key(letter, [mail.to.as_str(), mail.subject.as_str()])
}

fn key(letter: LetterId, parts: [&str; 2]) -> String {
    let text = format!("{letter}\u{1f}{}\u{1f}{}", parts[0], parts[1]);
    Digest::of(text.as_bytes()).to_string()[..HEX_DIGITS].to_string()
}
