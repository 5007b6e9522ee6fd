//! A form with a file in it (RFC 7578): a scanned note, from whoever has signed in.

use std::time::Duration;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handoff_engine::act::DOCUMENT_BASE64_MAX;
use multer::{Constraints, Multipart, SizeLimit};

use super::access::Sent;
use crate::api::problem::{HttpProblem, ProblemKind};

/// The file as it is, and the form's other fields.
const FORM_BYTES_MAX: u64 = (DOCUMENT_BASE64_MAX / 4 * 3 + 64 * 1024) as u64;

/// Ten megabytes pass in this time at 100 kB/s.
const FORM_WITHIN: Duration = Duration::from_secs(120);

/// A file's field holds its bytes in base64, and `FIELD.type` what its sender says it is.
pub(super) async fn read(body: Body, boundary: String) -> Result<Sent, HttpProblem> {
    let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(FORM_BYTES_MAX));
    let form = Multipart::with_constraints(body.into_data_stream(), boundary, limits);
    match tokio::time::timeout(FORM_WITHIN, fields(form)).await {
        Err(_) => Err(HttpProblem::of(ProblemKind::TooSlow)),
        Ok(Ok(fields)) => Ok(Sent(fields)),
        Ok(Err(multer::Error::StreamSizeExceeded { .. })) => Err(HttpProblem::of(ProblemKind::TooLong)),
        Ok(Err(_)) => Err(HttpProblem::told(ProblemKind::Unreadable, "what was sent is no form that can be read")),
    }
}

async fn fields(mut form: Multipart<'_>) -> Result<Vec<(String, String)>, multer::Error> {
    let mut fields = Vec::new();
    while let Some(field) = form.next_field().await? {
        let name = field.name().unwrap_or_default().to_string();
        if field.file_name().is_none() {
            fields.push((name, field.text().await?));
            continue;
        }
        let media_type = field.content_type().map(ToString::to_string);
        let bytes = field.bytes().await?;
        // A browser sends an empty file where none was chosen.
        if !bytes.is_empty() {
            fields.extend(media_type.map(|media_type| (format!("{name}.type"), media_type)));
            fields.push((name, STANDARD.encode(&bytes)));
        }
    }
    Ok(fields)
}
