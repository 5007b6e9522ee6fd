//! Enhanced status codes (RFC 3463 and IANA's registry of them), with what the large mailbox providers add, in the contract's words.
//!
//! Sources: <https://www.iana.org/assignments/smtp-enhanced-status-codes>; Exchange Online, "Email non-delivery reports and SMTP errors"
//! (learn.microsoft.com/exchange/troubleshoot/email-delivery/ndr/non-delivery-reports-in-exchange-online); outlook.com, "Fix NDR error
//! 550 5.7.515" (support.microsoft.com); Gmail, "SMTP errors and codes" (support.google.com/a/answer/3726730).

/// Whose fault it is that a mail was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The address is at fault.
    Dead(&'static str),
    /// This mail is at fault, or whoever receives it forbids it.
    Refused(&'static str),
    /// Another hour may be better.
    MayPass,
    /// We send more than we may; ends by itself.
    Limit,
    /// Our set-up is at fault; how to mend it.
    SetUp(&'static str),
}

use Meaning::{Dead, Limit, MayPass, Refused, SetUp};

const AUTHENTICATION: Meaning = SetUp("from: SPF, DKIM or DMARC of this domain does not vouch for our mail server");
const CREDENTIALS: Meaning = SetUp("endpoint: the mail server refused our credentials; check user, password or token");
const REPUTATION: Meaning =
    SetUp("endpoint: the receiving side has banned our mail server or account; ask to be delisted");
const SENDER: Meaning = SetUp("from: the mail server refuses this sender");

/// Subject, first and last detail, and what it means.
const TABLE: &[(u16, u16, u16, Meaning)] = &[
    // Addressing.
    (1, 0, 6, Dead("invalid-address")),
    (1, 7, 8, SENDER),
    (1, 9, 10, Dead("invalid-address")),
    // Exchange Online: our daily limit of recipients.
    (1, 90, 90, Limit),
    // Mailbox.
    (2, 2, 2, Refused("mailbox-full")),
    (2, 3, 3, Refused("too-long")),
    // Exchange Online: so many an hour from us, or for them.
    (2, 121, 122, MayPass),
    (2, 0, u16::MAX, Dead("unreachable")),
    // Mail system.
    (3, 1, 2, MayPass),
    (3, 4, 4, Refused("too-long")),
    // Routing. 5.4.5 is congestion (RFC 3463), and Gmail's daily limit of ours.
    (4, 5, 5, Limit),
    (4, 7, 7, Refused("expired")),
    (4, 300, 300, Refused("expired")),
    (4, 0, u16::MAX, Dead("unreachable")),
    // Content.
    (6, 0, u16::MAX, Refused("blocked")),
    // Policy.
    (7, 3, 3, CREDENTIALS),
    (7, 8, 9, CREDENTIALS),
    (7, 11, 14, CREDENTIALS),
    // RFC 7293: the mailbox, or the domain, is another's by now.
    (7, 17, 18, Dead("invalid-address")),
    (7, 20, 26, AUTHENTICATION),
    (7, 27, 27, SENDER),
    // A flood of mail.
    (7, 28, 28, Limit),
    (7, 29, 29, AUTHENTICATION),
    // Exchange Online: relaying without leave.
    (7, 57, 57, CREDENTIALS),
    (7, 60, 60, SENDER),
    (7, 64, 64, CREDENTIALS),
    // Exchange Online: the tenant's daily limit of recipients elsewhere.
    (7, 232, 236, Limit),
    // Exchange Online: spam suspected, banned, greeted wrongly, beyond a limit, not authenticated.
    (7, 501, 503, REPUTATION),
    (7, 504, 505, Dead("invalid-address")),
    (7, 506, 506, SetUp("endpoint: the mail server greets others by a name that is not its own")),
    (7, 508, 508, Limit),
    (7, 509, 509, AUTHENTICATION),
    (7, 511, 511, REPUTATION),
    (7, 512, 512, SENDER),
    (7, 513, 513, REPUTATION),
    (7, 515, 515, AUTHENTICATION),
    (7, 606, 649, REPUTATION),
    (7, 700, 750, REPUTATION),
    (7, 0, u16::MAX, Refused("blocked")),
];

/// By subject and detail of `5.7.515`. None where the table says nothing.
pub fn meaning((subject, detail): (u16, u16)) -> Option<Meaning> {
    let row = TABLE.iter().find(|(of, first, last, _)| *of == subject && (*first..=*last).contains(&detail));
    row.map(|(_, _, _, meaning)| *meaning)
}

/// By the reply code alone (RFC 5321, 4.2.3).
pub fn by_reply(code: u16) -> Option<Meaning> {
    match code {
        // RFC 4954: needs, or refuses, our credentials.
        530 | 534 | 535 | 538 => Some(CREDENTIALS),
        550 => Some(Dead("unreachable")),
        // 521 and 556 (RFC 7504): that host takes no mail.
        521 | 551 | 553 | 556 => Some(Dead("invalid-address")),
        552 => Some(Refused("mailbox-full")),
        554 => Some(Refused("blocked")),
        _ => None,
    }
}
