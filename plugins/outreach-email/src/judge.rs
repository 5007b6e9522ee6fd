//! What the mail server's last word means: the reply code (RFC 5321, 4.2.3) and, where there is one, the enhanced
//! status code (RFC 3463), which says more. The server's text is never quoted: it repeats the address.

use crate::{Failure, MailResponse, Outcome, Receipt, Refusal, Response, Retry};

/// Grey-listing wants five minutes; a busy server is helped by the same.
const BUSY_SECONDS: u32 = 300;
/// A full mailbox is not emptied in minutes.
const FULL_SECONDS: u32 = 3_600;

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
        400..=499 => {
            let seconds = if subject(response) == Some((2, 2)) { FULL_SECONDS } else { BUSY_SECONDS };
            Err(later(seconds, &said(response)))
        }
        // The mail transaction needs, or refuses, our credentials (RFC 4954).
        530 | 534 | 535 | 538 => Err(Failure::Misconfigured(format!(
            "endpoint: the mail server refused our credentials ({}); check user, password or token",
            said(response)
        ))),
        500..=599 => match subject(response) {
            Some(status) => by_enhanced(status, response),
            None => by_code(response),
        },
        _ => Err(Failure::Other(said(response))),
    }
}

/// RFC 3463: 1 addressing, 2 mailbox, 3 mail system, 4 routing, 5 protocol, 6 content, 7 policy; with the registry's
/// later ones.
fn by_enhanced(status: (u16, u16), response: &MailResponse) -> Result<Receipt, Failure> {
    match status {
        (1, 0..=6 | 9..=10) => undeliverable("invalid-address"),
        (1, 7 | 8) | (7, 27) => {
            Err(Failure::Misconfigured(format!("from: the mail server refuses this sender ({})", said(response))))
        }
        (2, 3) | (3, 4) => Err(refused("too-long", response)),
        (2, 2) => Err(refused("mailbox-full", response)),
        (2, _) | (4, _) => undeliverable("unreachable"),
        (7, 3 | 8..=9 | 11..=14) => Err(Failure::Misconfigured(format!(
            "endpoint: the mail server refused our credentials ({}); check user, password or token",
            said(response)
        ))),
        (7, 20..=26) => Err(Failure::Misconfigured(format!(
            "from: SPF, DKIM or DMARC of this domain does not vouch for our mail server ({})",
            said(response)
        ))),
        (6, _) | (7, _) => Err(refused("blocked", response)),
        _ => by_code(response),
    }
}

fn by_code(response: &MailResponse) -> Result<Receipt, Failure> {
    match response.code {
        550 => undeliverable("unreachable"),
        // 521 and 556 (RFC 7504): that host takes no mail.
        521 | 551 | 553 | 556 => undeliverable("invalid-address"),
        552 => Err(refused("mailbox-full", response)),
        554 => Err(refused("blocked", response)),
        _ => Err(Failure::Other(said(response))),
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

fn undeliverable(word: &str) -> Result<Receipt, Failure> {
    Ok(receipt(Outcome::Undeliverable(word.to_owned())))
}

fn refused(word: &str, response: &MailResponse) -> Failure {
    Failure::Refused(Refusal { code: word.to_owned(), reason: said(response) })
}

fn later(seconds: u32, reason: &str) -> Failure {
    Failure::RetryAfter(Retry { seconds, reason: reason.to_owned() })
}
