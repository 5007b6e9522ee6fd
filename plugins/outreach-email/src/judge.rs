//! What the mail server's last word means: the reply code (RFC 5321, 4.2.3) and, where there is one, the enhanced
//! status code (RFC 3463), which says more. The server's text is never quoted: it repeats the address.

use crate::codes::{self, Meaning};
use crate::{Failure, MailResponse, Outcome, Receipt, Refusal, Response, Retry};

/// Grey-listing wants five minutes; a busy server is helped by the same.
const BUSY_SECONDS: u32 = 300;
/// A full mailbox is not emptied in minutes.
const FULL_SECONDS: u32 = 3_600;
/// A day's limit ends within a day: eighteen tries, as many as the host makes, outlast it.
const LIMIT_SECONDS: u32 = 5_400;

pub fn judge(response: Response) -> Result<Receipt, Failure> {
    match response {
        Response::Mail(response) => judge_mail(&response),
        Response::Http(_) | Response::Mllp(_) => {
            Err(Failure::Misconfigured("endpoint: name a mail server; this endpoint is none".to_owned()))
        }
    }
}

fn judge_mail(response: &MailResponse) -> Result<Receipt, Failure> {
    match response.code {
        200..=299 => Ok(receipt(Outcome::Accepted)),
        400..=499 => Err(later(patience(response), &said(response))),
        530 | 534 | 535 | 538 => by_meaning(codes::by_reply(response.code), response),
        500..=599 => {
            let told = subject(response).and_then(codes::meaning);
            by_meaning(told.or_else(|| codes::by_reply(response.code)), response)
        }
        _ => Err(Failure::Other(said(response))),
    }
}

fn by_meaning(told: Option<Meaning>, response: &MailResponse) -> Result<Receipt, Failure> {
    match told {
        Some(Meaning::Dead(word)) => Ok(receipt(Outcome::Undeliverable(word.to_owned()))),
        Some(Meaning::Refused(word)) => {
            Err(Failure::Refused(Refusal { code: word.to_owned(), reason: said(response) }))
        }
        Some(Meaning::MayPass) => Err(later(FULL_SECONDS, &said(response))),
        Some(Meaning::Limit) => Err(later(LIMIT_SECONDS, &said(response))),
        Some(Meaning::SetUp(cure)) => Err(Failure::Misconfigured(format!("{cure} ({})", said(response)))),
        None => Err(Failure::Other(said(response))),
    }
}

/// Of a server that says "later".
fn patience(response: &MailResponse) -> u32 {
    match subject(response) {
        Some((2, 2)) => FULL_SECONDS,
        // Congestion is theirs; only a permanent 5.4.5 is our limit.
        Some((4, _)) => BUSY_SECONDS,
        Some(status) if codes::meaning(status) == Some(Meaning::Limit) => LIMIT_SECONDS,
        Some(_) | None => BUSY_SECONDS,
    }
}

/// Subject and detail of `5.1.1`.
fn subject(response: &MailResponse) -> Option<(u16, u16)> {
    let mut parts = response.enhanced.trim().split('.');
    let (class, subject, detail) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (matches!(class, "4" | "5") && parts.next().is_none()).then_some((subject, detail))
}

fn said(response: &MailResponse) -> String {
    match subject(response) {
        Some((subject, detail)) => format!("SMTP {} {}.{subject}.{detail}", response.code, response.code / 100),
        None => format!("SMTP {}", response.code),
    }
}

fn receipt(outcome: Outcome) -> Receipt {
    Receipt { outcome, vendor_id: String::new(), parts: 1, extras: vec![] }
}

fn later(seconds: u32, reason: &str) -> Failure {
    Failure::RetryAfter(Retry { seconds, reason: reason.to_owned() })
}
