//! A sender's end of an MLLP line: one connection, one message at a time, each awaited until acknowledged.
//!
//! Minimal Lower Layer Protocol, HL7 v2.9 transport specification appendix C: 0x0B, message, 0x1C 0x0D.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const START: u8 = 0x0B;
const END: [u8; 2] = [0x1C, 0x0D];

/// Interface engines give up after 15 to 60 s of real time; a rehearsal on loopback need not be that patient.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// An acknowledgement is a few hundred bytes; more than this is no acknowledgement.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A broken connection is opened again at once, this often; then the message goes back to the sender's queue.
const ATTEMPTS_MAX: u32 = 2;

#[derive(Debug, thiserror::Error)]
pub(crate) enum PipelineError {
    #[error("no connection to {address}: is the MLLP listener up?")]
    Connect { address: SocketAddr, source: std::io::Error },
    #[error("the MLLP line to {address} broke before the acknowledgement")]
    Broken { address: SocketAddr, source: std::io::Error },
    #[error("{address} closed the MLLP line before the acknowledgement")]
    Closed { address: SocketAddr },
    #[error("{address} did not acknowledge within {} s", ANSWER_WITHIN.as_secs())]
    Silent { address: SocketAddr },
}

impl PipelineError {
    /// In a word, for the ledger.
    pub fn name(&self) -> &'static str {
        match self {
            PipelineError::Connect { .. } => "no connection",
            PipelineError::Broken { .. } => "broken",
            PipelineError::Closed { .. } => "closed",
            PipelineError::Silent { .. } => "silent",
        }
    }
}

#[derive(Default)]
pub(crate) struct Line {
    stream: Option<(SocketAddr, TcpStream)>,
}

/// MSA-1 and MSA-2.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Acknowledgement {
    pub code: String,
    pub control_id: String,
}

impl Line {
    /// Sends and waits for the acknowledgement. A connection that broke is opened again and the message repeated, as
    /// real senders do: the receiver has to recognise it.
    pub async fn send(&mut self, address: SocketAddr, message: &[u8]) -> Result<Vec<u8>, PipelineError> {
        let mut attempt = 1;
        loop {
            match self.attempt(address, message).await {
                Ok(acknowledgement) => return Ok(acknowledgement),
                Err(error) => {
                    self.stream = None;
                    match error {
                        PipelineError::Broken { .. } | PipelineError::Closed { .. } if attempt < ATTEMPTS_MAX => {
                            attempt += 1
                        }
                        PipelineError::Broken { .. }
                        | PipelineError::Closed { .. }
                        | PipelineError::Connect { .. }
                        | PipelineError::Silent { .. } => return Err(error),
                    }
                }
            }
        }
    }

    async fn attempt(&mut self, address: SocketAddr, message: &[u8]) -> Result<Vec<u8>, PipelineError> {
        let stream = match self.stream.take() {
            Some((connected, stream)) if connected == address => stream,
            Some(_) | None => {
                TcpStream::connect(address).await.map_err(|source| PipelineError::Connect { address, source })?
            }
        };
        let (_, stream) = self.stream.insert((address, stream));
        let exchange = async {
            stream.write_all(&framed(message)).await?;
            read_frame(stream).await
        };
        match tokio::time::timeout(ANSWER_WITHIN, exchange).await {
            Err(_) => Err(PipelineError::Silent { address }),
            Ok(Err(source)) => Err(PipelineError::Broken { address, source }),
            Ok(Ok(None)) => Err(PipelineError::Closed { address }),
            Ok(Ok(Some(answer))) => Ok(answer),
        }
    }
}

pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(message.len() + 3);
    frame.push(START);
    frame.extend_from_slice(message);
    frame.extend_from_slice(&END);
    frame
}

/// The bytes between start and end; none when the other side has closed the line.
async fn read_frame(stream: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut chunk = [0u8; 4096];
    loop {
        let count = stream.read(&mut chunk).await?;
        if count == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk[..count]);
        if bytes.ends_with(&END) {
            let start = bytes.iter().position(|byte| *byte == START).map_or(0, |place| place + 1);
            return Ok(Some(bytes[start..bytes.len() - END.len()].to_vec()));
        }
        if bytes.len() > ANSWER_BYTES_MAX {
            return Err(std::io::Error::other("an acknowledgement without end"));
        }
    }
}

/// None when it is no acknowledgement: it has no MSA segment.
pub(crate) fn acknowledgement(message: &[u8]) -> Option<Acknowledgement> {
    let text = String::from_utf8_lossy(message);
    let segment = text.split(['\r', '\n']).find(|segment| segment.starts_with("MSA|"))?;
    let mut fields = segment.split('|').skip(1);
    let code = fields.next().filter(|code| !code.is_empty())?.to_string();
    Some(Acknowledgement { code, control_id: fields.next().unwrap_or_default().to_string() })
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn acknowledgements_are_read_tolerantly() {
        let read = |text: &str| acknowledgement(text.as_bytes()).map(|found| (found.code, found.control_id));
        let pair = |code: &str, id: &str| Some((code.to_string(), id.to_string()));
        assert_eq!(read("MSH|^~\\&|H\rMSA|AA|R1|fine\r"), pair("AA", "R1"));
        assert_eq!(read("MSH|^~\\&|H\nMSA|AR"), pair("AR", ""));
        assert_eq!(read("MSH|^~\\&|H\rMSA||R1\r"), None);
        assert_eq!(read("HTTP/1.1 400 Bad Request"), None);
    }

    #[tokio::test]
    async fn keeps_its_connection_and_repeats_a_message_after_a_break() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move {
            let mut frames = Vec::new();
            // The first connection dies in the middle of the second message.
            for answers in [1, 2] {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                for _ in 0..answers {
                    let frame = read_frame(&mut stream).await.expect("readable").expect("a frame");
                    frames.push(String::from_utf8(frame).expect("text"));
                    // In two pieces: an acknowledgement need not come in one read.
                    stream.write_all(b"\x0bMSH|^~\\&|H\rMS").await.expect("writable");
                    stream.write_all(b"A|AA|1\r\x1c\x0d").await.expect("writable");
                }
            }
            frames
        });
        let mut line = Line::default();
        for message in ["first", "second", "third"] {
            let answer = line.send(address, message.as_bytes()).await.expect("answered");
            assert_eq!(acknowledgement(&answer).expect("an acknowledgement").code, "AA");
        }
        assert_eq!(server.await.expect("served"), ["first", "second", "third"]);
    }
}
