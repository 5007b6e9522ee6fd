//! A sender of HL7 v2 over MLLP, as an EHR's interface engine is one.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

/// A commit takes milliseconds; a machine that builds beside us, seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

pub struct Sender(TcpStream);

/// An acknowledgement, by the fields that a sender looks at.
#[derive(Debug)]
pub struct Ack {
    /// MSA-1.
    pub code: String,
    /// MSA-2.
    pub control_id: String,
    /// ERR, whole; empty when there is none.
    pub error: String,
}

impl Sender {
    pub fn connect(address: SocketAddr) -> io::Result<Sender> {
        let stream = TcpStream::connect_timeout(&address, ANSWER_WITHIN)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.set_write_timeout(Some(ANSWER_WITHIN))?;
        Ok(Sender(stream))
    }

    pub fn tell(&mut self, message: &[u8]) -> io::Result<()> {
        self.0.write_all(&[b"\x0b", message, b"\x1c\r"].concat())
    }

    pub fn hear(&mut self) -> io::Result<Ack> {
        let mut answer = Vec::new();
        let mut chunk = [0; 4096];
        while !answer.ends_with(b"\x1c\r") {
            match self.0.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => answer.extend_from_slice(&chunk[..count]),
            }
        }
        Ok(Ack::read(&String::from_utf8_lossy(&answer)))
    }

    pub fn ask(&mut self, message: &[u8]) -> io::Result<Ack> {
        self.tell(message)?;
        self.hear()
    }
}

impl Ack {
    fn read(answer: &str) -> Ack {
        let segment = |name: &str| answer.split('\r').find(|segment| segment.starts_with(name)).unwrap_or_default();
        let field = |number: usize| segment("MSA").split('|').nth(number).unwrap_or_default().to_string();
        Ack { code: field(1), control_id: field(2), error: segment("ERR").to_string() }
    }
}

/// A message of the trigger's own samples.
pub fn sample(name: &str) -> Vec<u8> {
    let path = samples().join("data").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Where the trigger keeps its samples, and `summary.txt`, which says what each means.
pub fn samples() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/trigger-hl7v2/tests"))
}

/// The sample of a referral, as one of its own: another message with other order numbers.
pub fn order(number: usize) -> Vec<u8> {
    let text = String::from_utf8(sample("REF-I12-01.hl7")).expect("the sample is UTF-8");
    let other = text
        .replacen("|MSG00112|", &format!("|MSG{number:07}|"), 1)
        .replacen("|226839^EPIC|", &format!("|9{number:07}^EPIC|"), 1)
        .replacen("|11001^EXTID|", &format!("|8{number:07}^EXTID|"), 1);
    assert_eq!(other.matches(&format!("{number:07}")).count(), 3, "the sample has lost a field that is replaced");
    other.into_bytes()
}
