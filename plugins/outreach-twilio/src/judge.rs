//! What to do about a response that is no success.

use crate::{Failure, HttpResponse, Refusal, Response, Retry, codes};

/// Twilio's own advice where it sends no Retry-After: a 429 clears within seconds, an outage within minutes.
const BUSY_SECONDS: u32 = 10;
const OUTAGE_SECONDS: u32 = 60;

/// A day's limit ends within a day: eighteen tries, as many as the host makes, outlast it.
const LIMIT_SECONDS: u32 = 5_400;

/// A day: a longer Retry-After is no plan but a mistake, and the letter has better ways to go by then.
const RETRY_SECONDS_MAX: u32 = 86_400;

/// The response if there was one.
pub fn http(response: Response) -> Result<HttpResponse, Failure> {
    match response {
        Response::Http(response) => Ok(response),
        Response::Mail(_) | Response::Mllp(_) => {
            Err(Failure::Misconfigured("endpoint: name an HTTP endpoint; this one does not speak HTTP".to_owned()))
        }
    }
}

/// By HTTP status, where Twilio's code says nothing that we know.
pub fn by_status(response: &HttpResponse, code: u64) -> Failure {
    match response.status {
        401 | 403 => Failure::Misconfigured(
            "endpoint: Twilio refused our credentials; check the endpoint's account SID and auth token".to_owned(),
        ),
        404 => Failure::Misconfigured("account_sid: Twilio knows no such account at this endpoint".to_owned()),
        408 | 429 | 500..=599 => later(response, code),
        status => Failure::Other(format!("Twilio answered {status} with error {code}")),
    }
}

pub fn later(response: &HttpResponse, code: u64) -> Failure {
    let usual = if response.status >= 500 { OUTAGE_SECONDS } else { BUSY_SECONDS };
    let seconds = retry_after(response).unwrap_or(usual).clamp(1, RETRY_SECONDS_MAX);
    retry(seconds, &format!("Twilio answered {} with error {code}", response.status))
}

/// We send more than we may.
pub fn limited(code: u64) -> Failure {
    retry(LIMIT_SECONDS, &codes::title(code))
}

pub fn refused(word: &str, code: u64) -> Failure {
    Failure::Refused(Refusal { code: word.to_owned(), reason: codes::title(code) })
}

pub fn retry(seconds: u32, reason: &str) -> Failure {
    Failure::RetryAfter(Retry { seconds, reason: reason.to_owned() })
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

pub fn header<'a>(response: &'a HttpResponse, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
}
