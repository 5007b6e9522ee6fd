//! A mail server that takes everybody's mail and keeps it. RFC 5321, without TLS: it listens on loopback only.

mod mime;

use std::io;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::ledger::Mail;
use crate::town::{SharedTown, SimulationState};

/// RFC 5321 section 4.5.3.1.6 asks for 1000 octets; broken senders write longer lines.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// A letter to a patient is a page of text.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// RFC 5321 section 4.5.3.1.8.
const RECIPIENTS_MAX: usize = 100;

pub(crate) async fn serve(listener: TcpListener, town: SharedTown) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(session(stream, town.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "the mail server cannot accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn session(stream: TcpStream, town: SharedTown) {
    if let Err(error) = converse(stream, town).await {
        tracing::debug!(%error, "a mail session broke");
    }
}

/// Why a recipient is refused, as the server says it: code, enhanced code (RFC 3463) and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal(pub &'static str);

#[derive(Default)]
struct Envelope {
    from: Option<String>,
    to: Vec<String>,
}

async fn converse(stream: TcpStream, town: SharedTown) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    say(&mut stream, "220 mail.northside.example ESMTP").await?;
    let mut envelope = Envelope::default();
    while let Some(line) = hear(&mut stream).await? {
        let line = String::from_utf8_lossy(&line).into_owned();
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => {
                "250-mail.northside.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 1048576"
            }
            "HELO" | "NOOP" => "250 OK",
            "AUTH" => authenticated(&mut stream, &line).await?,
            "MAIL" => {
                envelope = Envelope { from: Some(address(&line)), to: Vec::new() };
                "250 2.1.0 OK"
            }
            "RCPT" if envelope.from.is_none() => "503 5.5.1 MAIL first",
            "RCPT" if envelope.to.len() >= RECIPIENTS_MAX => "452 4.5.3 Too many recipients",
            "RCPT" => {
                let to = address(&line);
                let accepted = town.lock().accepts_mail(&to);
                match accepted {
                    Err(Refusal(answer)) => answer,
                    Ok(()) => {
                        envelope.to.push(to);
                        "250 2.1.5 OK"
                    }
                }
            }
            "DATA" if envelope.to.is_empty() => "503 5.5.1 RCPT first",
            "DATA" => {
                say(&mut stream, "354 End data with <CR><LF>.<CR><LF>").await?;
                match data(&mut stream).await? {
                    Some(message) => {
                        town.lock().deliver(&std::mem::take(&mut envelope).to, &message);
                        "250 2.0.0 OK"
                    }
                    None => "552 5.3.4 Message too big",
                }
            }
            "RSET" => {
                envelope = Envelope::default();
                "250 OK"
            }
            "QUIT" => {
                say(&mut stream, "221 2.0.0 Bye").await?;
                return Ok(());
            }
            _ => "500 5.5.2 Unknown command",
        };
        say(&mut stream, answer).await?;
    }
    Ok(())
}

/// Anybody is who they say: the rehearsal has nothing to protect.
async fn authenticated(stream: &mut BufReader<TcpStream>, line: &str) -> io::Result<&'static str> {
    let mut words = line.split_whitespace().skip(1);
    let prompts: &[&str] = match (words.next().map(str::to_ascii_uppercase).as_deref(), words.next()) {
        (Some("PLAIN"), Some(_)) => &[],
        (Some("PLAIN"), None) => &["334 "],
        (Some("LOGIN"), Some(_)) => &["334 UGFzc3dvcmQ6"],
        (Some("LOGIN"), None) => &["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"],
        (Some(_) | None, _) => return Ok("504 5.5.4 Unknown mechanism"),
    };
    for prompt in prompts {
        say(stream, prompt).await?;
        if hear(stream).await?.is_none() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok("235 2.7.0 Authenticated")
}

/// Lines up to the single dot, with stuffed dots taken out; none when it is too long.
async fn data(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut message = Vec::new();
    let mut fits = true;
    loop {
        let line = hear(stream).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if line == b"." {
            return Ok(fits.then_some(message));
        }
        let line = line.strip_prefix(b".").unwrap_or(&line);
        fits &= message.len() + line.len() < MESSAGE_BYTES_MAX;
        if fits {
            message.extend_from_slice(line);
            message.extend_from_slice(b"\r\n");
        }
    }
}

/// One line without its end; none when the other side has hung up.
async fn hear(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    loop {
        let chunk = stream.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(None);
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(chunk.len(), |end| end + 1);
        line.extend_from_slice(&chunk[..taken]);
        stream.consume(taken);
        if end.is_some() {
            let text = line.strip_suffix(b"\r\n").or(line.strip_suffix(b"\n")).unwrap_or(&line);
            return Ok(Some(text.to_vec()));
        }
        if line.len() > LINE_BYTES_MAX {
            return Err(io::Error::other("a line without end"));
        }
    }
}

async fn say(stream: &mut BufReader<TcpStream>, line: &str) -> io::Result<()> {
    stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await
}

/// `RCPT TO:<a@b>` in any spacing.
fn address(line: &str) -> String {
    let path = line.split_once(':').map_or("", |(_, path)| path).trim();
    let path = path.strip_prefix('<').and_then(|path| path.split('>').next()).unwrap_or(path);
    path.split(' ').next().unwrap_or_default().to_ascii_lowercase()
}

impl SimulationState {
    pub(crate) fn accepts_mail(&self, to: &str) -> Result<(), Refusal> {
        if !to.contains('@') {
            return Err(Refusal("501 5.1.3 Bad recipient address syntax"));
        }
        match self.person_by_email(to) {
            Some(person) if self.people[person].nature.bad_mailbox => Err(Refusal("550 5.1.1 No such mailbox")),
            Some(_) | None => Ok(()),
        }
    }

    pub(crate) fn deliver(&mut self, recipients: &[String], message: &[u8]) {
        let letter = mime::read(message);
        for to in recipients {
            let mail = Mail {
                at: self.now,
                person: self.person_by_email(to).or_else(|| self.person_in(&letter.text)),
                to: to.clone(),
                message_id: letter.message_id.clone(),
                subject: letter.subject.clone(),
                text: letter.text.clone(),
            };
            self.receive_mail(mail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_any_spacing() {
        for (line, expected) in [
            ("RCPT TO:<Ann@Example.com>", "ann@example.com"),
            ("rcpt to: <ann@example.com> NOTIFY=NEVER", "ann@example.com"),
            ("MAIL FROM:ann@example.com SIZE=10", "ann@example.com"),
            ("MAIL FROM:<>", ""),
            ("RCPT", ""),
        ] {
            assert_eq!(address(line), expected, "{line}");
        }
    }
}
