//! One HL7 v2 message out over MLLP, in clear or in TLS, and its acknowledgement.

use handoff_mllp::{Deframer, Framed, frame};
use handoff_vault::substitute::TokenPlace;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroizing;

use crate::address_guard::NoAddress;
use crate::connect::{self, Unreachable};
use crate::endpoint::Endpoint;
use crate::http::{CONNECT_WITHIN, Failed};
use crate::tls::Handshake;

/// HL7's recommended delimiters (2.5.1, 2.5.4), for a message that names none.
const DELIMITERS: [char; 5] = ['|', '^', '~', '\\', '&'];

/// How values are escaped in this message: by the delimiters of its own MSH-1 and MSH-2.
pub(super) fn place(message: &str) -> TokenPlace {
    let named: Vec<char> = message.strip_prefix("MSH").unwrap_or_default().chars().take(5).collect();
    let Ok([field, component, repetition, escape, subcomponent]) = <[char; 5]>::try_from(named) else {
        return TokenPlace::Hl7(DELIMITERS);
    };
    TokenPlace::Hl7([field, component, repetition, escape, subcomponent])
}

/// Sends a message and waits for one acknowledgement.
pub(super) async fn exchange(
    endpoint: &Endpoint,
    handshake: Option<&Handshake>,
    message: &str,
) -> Result<Zeroizing<Vec<u8>>, Failed> {
    let deadline = Instant::now() + endpoint.timeout();
    let stream = connect(endpoint).await?;
    let answer_bytes_max = endpoint.config.response_bytes_max;
    // From the first byte on, the other side may have the message.
    let conversed = match handshake {
        None => timeout_at(deadline, converse(stream, message, answer_bytes_max)).await,
        Some(Handshake { connector, server }) => {
            let shaken = timeout(CONNECT_WITHIN, connector.connect(server.clone(), stream)).await;
            let Ok(Ok(stream)) = shaken else { return Err(Failed::NotSent) };
            timeout_at(deadline, converse(stream, message, answer_bytes_max)).await
        }
    };
    conversed.unwrap_or(Err(Failed::InDoubt))
}

async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    message: &str,
    answer_bytes_max: usize,
) -> Result<Zeroizing<Vec<u8>>, Failed> {
    let framed = Zeroizing::new(frame(message.as_bytes()));
    stream.write_all(&framed).await.map_err(|_| Failed::InDoubt)?;
    stream.flush().await.map_err(|_| Failed::InDoubt)?;
    let mut deframer = Deframer::new(answer_bytes_max);
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return Err(Failed::InDoubt),
            Ok(count) => deframer.feed(&chunk[..count]),
        }
        match deframer.message() {
            Ok(Some(Framed::Message(answer))) => return Ok(Zeroizing::new(answer)),
            Ok(None) => {}
            Ok(Some(Framed::TooLong { .. })) | Err(_) => return Err(Failed::InDoubt),
        }
    }
}

async fn connect(endpoint: &Endpoint) -> Result<TcpStream, Failed> {
    connect::connect(endpoint, CONNECT_WITHIN).await.map_err(|unreachable| match unreachable {
        Unreachable::NoAddress { why: NoAddress::Forbidden(_), .. } => Failed::Forbidden,
        Unreachable::NoSuchEndpoint(_)
        | Unreachable::NoAddress { why: NoAddress::Unresolved(_), .. }
        | Unreachable::Unresolved { .. }
        | Unreachable::Refused { .. }
        | Unreachable::Silent { .. } => Failed::NotSent,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_by_the_messages_own_delimiters() {
        for (message, expected) in [
            ("MSH|^~\\&|A", DELIMITERS),
            ("MSH#*!/+#A", ['#', '*', '!', '/', '+']),
            ("PID|1", DELIMITERS),
            ("MSH", DELIMITERS),
            ("", DELIMITERS),
        ] {
            assert_eq!(place(message), TokenPlace::Hl7(expected), "{message}");
        }
    }
}
