//! What a FHIR server's response means for the runtime. An OperationOutcome is never quoted: servers put the search's
//! values into it.

use serde_json::Value;

use crate::wit::exchange::{HttpResponse, Response};
use crate::wit::types::{Failure, Refusal, Retry};

/// Where a server sends no Retry-After: a rate limit clears within a minute, an outage in several.
const BUSY_SECONDS: u32 = 60;
const OUTAGE_SECONDS: u32 = 300;

/// A day: a longer Retry-After is no plan but a mistake.
const RETRY_SECONDS_MAX: u32 = 86_400;

/// The resource of a 2xx, `None` for a 404 or 410, else the failure. JSON that is no resource comes of a proxy or a wrong
/// base URL: read as a bundle without entries it would say that a patient has refused nothing. The type itself may be a
/// token.
///
/// `endpoint` is the endpoint's name in the workflow, and `what` the request, such as `GET /Patient`: both for the
/// failure's text.
pub fn found(response: Response, endpoint: &str, what: &str) -> Result<Option<Value>, Failure> {
    let response = http(response, endpoint)?;
    match response.status {
        200..=299 => match serde_json::from_str::<Value>(&response.body) {
            Ok(resource) if resource["resourceType"].is_string() => Ok(Some(resource)),
            Ok(_) => Err(Failure::Other(format!("{what} at {endpoint}: the answer is no FHIR resource"))),
            Err(_) => Err(Failure::Other(format!("{what} at {endpoint}: the answer is no JSON"))),
        },
        404 | 410 => Ok(None),
        _ => Err(refusal(&response, endpoint, what)),
    }
}

/// A conditional create's result: `Task/123`, from Location or from the resource itself; empty when the server tells
/// neither.
pub fn created(response: Response, endpoint: &str, resource: &str) -> Result<String, Failure> {
    let what = format!("POST /{resource}");
    let response = http(response, endpoint)?;
    match response.status {
        200 | 201 | 204 => Ok(reference(&response, resource)),
        // Several resources match: writing again would only add to them.
        412 => Err(refused("ambiguous", format!("{what} at {endpoint}: more than one {resource} has this identifier"))),
        _ => Err(refusal(&response, endpoint, &what)),
    }
}

/// A patch's result. What is no longer there needs no change.
pub fn changed(response: Response, endpoint: &str, what: &str) -> Result<(), Failure> {
    let response = http(response, endpoint)?;
    match response.status {
        200..=299 | 404 | 410 => Ok(()),
        // Many charts cannot: a person does it there.
        400 | 405 | 415 | 422 | 501 => {
            Err(refused("cannot-change", format!("{what} at {endpoint}: the server answered {}", response.status)))
        }
        _ => Err(refusal(&response, endpoint, what)),
    }
}

fn http(response: Response, endpoint: &str) -> Result<HttpResponse, Failure> {
    match response {
        Response::Http(response) => Ok(response),
        Response::Mail(_) | Response::Mllp(_) => Err(Failure::Misconfigured(format!(
            "endpoint {endpoint}: a FHIR server speaks HTTP; this endpoint does not"
        ))),
    }
}

fn refusal(response: &HttpResponse, endpoint: &str, what: &str) -> Failure {
    let status = response.status;
    match status {
        401 => Failure::Misconfigured(format!(
            "endpoint {endpoint}: the server refused our credentials (401); check its client id, key and token URL"
        )),
        403 => Failure::Misconfigured(format!(
            "endpoint {endpoint}: {what} is not allowed (403); grant the client this scope"
        )),
        404 | 405 => Failure::Misconfigured(format!(
            "endpoint {endpoint}: the server knows no {what} ({status}); check the base URL"
        )),
        408 | 409 | 425 | 429 | 500..=599 => {
            let usual = if status >= 500 { OUTAGE_SECONDS } else { BUSY_SECONDS };
            let seconds = retry_after(response).unwrap_or(usual).clamp(1, RETRY_SECONDS_MAX);
            retry(seconds, format!("{what} at {endpoint}: the server answered {status}"))
        }
        400 | 422 => refused("rejected", format!("{what} at {endpoint}: the server answered {status}")),
        _ => Failure::Other(format!("{what} at {endpoint}: the server answered {status}")),
    }
}

/// `[base]/Task/123/_history/1`: the last two segments that are not a version.
fn reference(response: &HttpResponse, resource: &str) -> String {
    let location = header(response, "location").or(header(response, "content-location")).unwrap_or_default();
    let path = location.split_once("/_history").map_or(location, |(path, _version)| path);
    let id = path.rsplit_once(&format!("{resource}/")).map(|(_base, id)| id.trim_end_matches('/'));
    let body: Value = serde_json::from_str(&response.body).unwrap_or(Value::Null);
    let id = id.filter(|id| crate::read::is_id(id)).or(body["id"].as_str()).unwrap_or_default();
    if id.is_empty() { String::new() } else { format!("{resource}/{id}") }
}

/// RFC 9110, 10.2.3: seconds, or a date, which the response's own Date turns into seconds.
fn retry_after(response: &HttpResponse) -> Option<u32> {
    let value = header(response, "retry-after")?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(seconds);
    }
    let wait = moment::read_mail_date(value)? - moment::read_mail_date(header(response, "date")?)?;
    u32::try_from(wait / 1_000).ok()
}

fn header<'a>(response: &'a HttpResponse, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
}

fn retry(seconds: u32, reason: String) -> Failure {
    Failure::RetryAfter(Retry { seconds, reason })
}

fn refused(code: &str, reason: String) -> Failure {
    Failure::Refused(Refusal { code: code.to_owned(), reason })
}
