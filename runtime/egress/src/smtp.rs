//! One mail out over SMTP, command by command, so that we know how far it came.

use std::net::SocketAddr;

use chrono::{DateTime, Utc};
use handoff_engine::ids::StageKey;
use handoff_host::contract::exchange::Mail;
use handoff_host::contract::types::Attribute;
use handoff_vault::substitute::TokenPlace;
use handoff_vault::token;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials as Shown, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, MailParameter};
use lettre::transport::smtp::response::Response;
use tokio::time::timeout;

use crate::address_guard::{AddressReach, NoAddress};
use crate::denial::Denial;
use crate::endpoint::{Credentials, Endpoint, EndpointKind};
use crate::http::CONNECT_WITHIN;
use crate::substitution::Filling;
use crate::transport::Login;

/// What a stage may add to a mail's head: nothing that changes whom it is to, whom it is from, or how it is read.
const ALLOWED_HEADERS: [&str; 7] = [
    "auto-submitted",
    "content-language",
    "in-reply-to",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "precedence",
    "references",
];

/// The server's last word.
pub struct Word {
    pub code: u16,
    pub text: String,
}

/// Why the server said no last word on the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// The mail's text never left.
    NotSent,
    /// The text left, and the server has not said whether it took it.
    InDoubt,
    /// The name leads to an address that the endpoint may not reach.
    Forbidden,
    /// The server offers no STARTTLS, and the way there is public.
    NotEncrypted,
    LoginRefused,
}

/// Writes the mail down, patient data where its tokens stand.
pub(super) fn prepare(
    stage: &StageKey,
    mail: &Mail,
    message_id: &str,
    now: DateTime<Utc>,
    filling: &mut Filling<'_, '_>,
) -> Result<Message, Denial> {
    let malformed = |place: &str, why| Denial::Malformed { stage: stage.clone(), place: format!("mail.{place}"), why };
    let mut head = |place: &str, text: &str| {
        let filled = filling.fill(text, TokenPlace::Header)?;
        match filled.chars().any(char::is_control) {
            true => Err(malformed(place, "has a line end or control character")),
            false => Ok(filled),
        }
    };
    let mailbox = |place: &str, text: &str| text.parse().map_err(|_| malformed(place, "is no mail address"));
    let from: Mailbox = mailbox("from", &head("from", &mail.from)?)?;
    let to: Mailbox = mailbox("to", &head("to", &mail.to)?)?;
    let message_id = format!("<{message_id}@{}>", from.email.domain());
    let mut message = Message::builder()
        .from(from)
        .to(to)
        .subject(head("subject", &mail.subject)?.as_str())
        .date(now.into())
        .message_id(Some(message_id))
        .header(ContentType::TEXT_PLAIN);
    if let Some(reply_to) = &mail.reply_to {
        message = message.reply_to(mailbox("reply-to", &head("reply-to", reply_to)?)?);
    }
    for Attribute { name, value } in &mail.headers {
        let place = format!("headers {}", name.escape_debug());
        let lower = name.to_ascii_lowercase();
        if !lower.starts_with("x-") && !ALLOWED_HEADERS.contains(&lower.as_str()) {
            return Err(malformed(&place, "is set by Handoff"));
        }
        // lettre takes names with line ends in them.
        let printable = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let known = printable.then(|| HeaderName::new_from_ascii(name.clone()).ok()).flatten();
        let name = known.ok_or_else(|| malformed(&place, "is no header's name"))?;
        message = message.raw_header(HeaderValue::new(name, head(&place, value)?.to_string()));
    }
    let text = filling.fill(&mail.text, TokenPlace::Text)?;
    if token::find(&mail.to).next().is_none() && !filling.is_empty() {
        return Err(Denial::OtherRecipient { stage: stage.clone() });
    }
    message.body(text.to_string()).map_err(|_| malformed("text", "cannot be written as a mail"))
}

/// Sends a mail within the endpoint's time.
pub(super) async fn send(
    endpoint: &Endpoint,
    tls: Option<&TlsParameters>,
    login: Option<Login<'_>>,
    message: &Message,
) -> Result<Word, Unsaid> {
    // Until the last line of the text is out nothing has been handed over (RFC 5321, 4.2.5).
    let opening = async {
        let mut connection = connect(endpoint, tls).await?;
        if let Some((user, password)) = login {
            let shown = Shown::new(user.to_string(), password.as_str().to_string());
            let mechanisms: &[Mechanism] = match &endpoint.config.credentials {
                Credentials::Xoauth2 { .. } => &[Mechanism::Xoauth2],
                Credentials::None
                | Credentials::Basic { .. }
                | Credentials::Bearer { .. }
                | Credentials::Oauth2 { .. }
                | Credentials::SmartBackend { .. }
                | Credentials::Login { .. } => &[Mechanism::Plain, Mechanism::Login],
            };
            let login = connection.auth(mechanisms, &shown).await;
            login.map_err(|error| if error.status().is_some() { Unsaid::LoginRefused } else { Unsaid::NotSent })?;
        }
        let refused = match envelope(&mut connection, message).await {
            Ok(()) => None,
            Err(error) => Some(said(&error).ok_or(Unsaid::NotSent)?),
        };
        Ok((connection, refused))
    };
    let (mut connection, refused) = timeout(endpoint.timeout(), opening).await.unwrap_or(Err(Unsaid::NotSent))?;
    if let Some(word) = refused {
        return Ok(word);
    }
    let text = message.formatted();
    let word = match timeout(endpoint.timeout(), connection.message(&text)).await {
        Ok(Ok(response)) => Ok(accepted(&response)),
        Ok(Err(error)) => said(&error).ok_or(Unsaid::InDoubt),
        Err(_) => Err(Unsaid::InDoubt),
    };
    // The mail's fate is known; a server that does not answer QUIT changes nothing about it.
    let _quit = timeout(CONNECT_WITHIN, connection.quit()).await;
    word
}

async fn connect(endpoint: &Endpoint, tls: Option<&TlsParameters>) -> Result<AsyncSmtpConnection, Unsaid> {
    let addresses = endpoint.reach.resolve(endpoint.host(), endpoint.port()).await;
    let addresses = addresses.map_err(|none| match none {
        NoAddress::Forbidden(_) => Unsaid::Forbidden,
        NoAddress::Unresolved(_) => Unsaid::NotSent,
    })?;
    let mut last = Unsaid::NotSent;
    for address in addresses {
        match greet(endpoint, tls, address).await {
            Ok(connection) => return Ok(connection),
            Err(unsaid) => last = unsaid,
        }
    }
    Err(last)
}

async fn greet(
    endpoint: &Endpoint,
    own: Option<&TlsParameters>,
    address: SocketAddr,
) -> Result<AsyncSmtpConnection, Unsaid> {
    let tls = || match own {
        Some(own) => Ok(own.clone()),
        None => TlsParameters::new(endpoint.host().to_string()).map_err(|_| Unsaid::NotSent),
    };
    let hello = ClientId::default();
    // Whoever overhears an access token may use it.
    let bearer = matches!(endpoint.config.credentials, Credentials::Xoauth2 { .. });
    let implicit = match endpoint.kind {
        EndpointKind::MailTls => Some(tls()?),
        EndpointKind::Mail | EndpointKind::Http | EndpointKind::Mllp => None,
    };
    let connecting = AsyncSmtpConnection::connect_tokio1(address, Some(CONNECT_WITHIN), &hello, implicit, None);
    let mut connection = connecting.await.map_err(|_| Unsaid::NotSent)?;
    if connection.can_starttls() {
        connection.starttls(tls()?, &hello).await.map_err(|_| Unsaid::NotSent)?;
    } else if !connection.is_encrypted() && (!AddressReach::PrivateOnly.permits(address.ip()) || bearer) {
        return Err(Unsaid::NotEncrypted);
    }
    Ok(connection)
}

async fn envelope(connection: &mut AsyncSmtpConnection, message: &Message) -> Result<(), Error> {
    let envelope = message.envelope();
    let addresses = || envelope.from().into_iter().chain(envelope.to());
    // RFC 6531, 3.4.
    let international =
        addresses().any(|address| !address.to_string().is_ascii()).then_some(MailParameter::SmtpUtfEight);
    connection.command(MailFrom::new(envelope.from().cloned(), international.into_iter().collect())).await?;
    for to in envelope.to() {
        connection.command(Rcpt::new(to.clone(), Vec::new())).await?;
    }
    connection.command(Data).await.map(drop)
}

fn accepted(response: &Response) -> Word {
    Word { code: response.code().into(), text: response.message().collect::<Vec<_>>().join(" ") }
}

/// The reply code and text of a refusal; `None` when the connection failed without one.
fn said(error: &Error) -> Option<Word> {
    let code = error.status()?.into();
    let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    Some(Word { code, text })
}

impl Word {
    /// The enhanced status code at the text's start (RFC 3463, 2): `5.1.1`. Empty when there is none.
    pub(super) fn enhanced(&self) -> &str {
        let first = self.text.split_whitespace().next().unwrap_or_default();
        let digits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let parts: Vec<&str> = first.split('.').collect();
        match parts.as_slice() {
            [class, subject, detail]
                if matches!(*class, "2" | "4" | "5") && digits(subject, 3) && digits(detail, 3) =>
            {
                first
            }
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_enhanced_code_is_read_where_there_is_one() {
        for (text, expected) in [
            ("5.1.1 <ana@example.org>: Recipient address rejected", "5.1.1"),
            ("2.0.0 Ok: queued as 4F", "2.0.0"),
            ("4.7.999 later", "4.7.999"),
            ("Ok", ""),
            ("3.1.1 x", ""),
            ("5.1 x", ""),
            ("5.1.1.1 x", ""),
            ("5.1234.1 x", ""),
            ("", ""),
        ] {
            assert_eq!(Word { code: 250, text: text.into() }.enhanced(), expected, "{text}");
        }
    }
}
