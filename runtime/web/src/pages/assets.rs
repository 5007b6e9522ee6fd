//! What pages load: one stylesheet and one script, carried in the binary and named by their digests, so that a browser keeps each
//! until there is another.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use crate::api::problem::{HttpProblem, ProblemKind};

const STYLE: &str = include_str!("../../assets/handoff.css");
const SCRIPT: &str = include_str!("../../assets/keys.js");

/// A year: under this name there will never be anything else.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Enough of it to tell one version from the next.
const DIGEST_CHARS: usize = 16;

static STYLE_NAME: LazyLock<String> = LazyLock::new(|| named("handoff", "css", STYLE));
static SCRIPT_NAME: LazyLock<String> = LazyLock::new(|| named("keys", "js", SCRIPT));

fn named(name: &str, ending: &str, content: &str) -> String {
    let digest: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{name}-{}.{ending}", &digest[..DIGEST_CHARS])
}

pub(super) fn style() -> String {
    format!("/assets/{}", *STYLE_NAME)
}

pub(super) fn script() -> String {
    format!("/assets/{}", *SCRIPT_NAME)
}

pub(super) async fn one(Path(name): Path<String>) -> Response {
    let (media_type, content) = match name {
        name if name == *STYLE_NAME => ("text/css; charset=utf-8", STYLE),
        name if name == *SCRIPT_NAME => ("text/javascript; charset=utf-8", SCRIPT),
        _ => return HttpProblem::of(ProblemKind::NotFound).into_response(),
    };
    ([(CONTENT_TYPE, media_type), (CACHE_CONTROL, FOR_EVER)], content).into_response()
}
