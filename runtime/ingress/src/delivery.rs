//! Where bytes come in: each delivery is handed on whole, and answered only with what comes back.

use std::fmt;
use std::future::Future;

use axum::http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use chrono::{DateTime, Utc};
use handoff_host::contract::interpreter;
use handoff_host::contract::types::Attribute;

/// What is taken of a sender whose connection vouches for it: a note with a document of 50 MB rides in one HL7 message, in base64
/// and with its line ends escaped.
pub const DELIVERY_BYTES_MAX: usize = 80 << 20;

/// What is taken of anybody: scanned letters reach some 10 MiB. More would let strangers fill the memory before a signature
/// can be checked; and of those who may send more, few may at once.
pub const UNPROVEN_BYTES_MAX: usize = 16 << 20;

/// A vendor's callback is a form of some two kilobytes, and nobody is known to have sent it before it is whole.
pub const CALLBACK_BYTES_MAX: usize = 1024 * 1024;

/// Headers that carry a credential: for whoever checks it, and never written down.
pub fn is_credential(header: &str) -> bool {
    [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].iter().any(|name| name.as_str() == header)
}

/// Bytes that came in, not yet understood.
#[derive(Clone, PartialEq)]
pub struct Delivery {
    pub transport: Transport,
    /// The listener's source, or for a callback the stage's name.
    pub source: String,
    /// The public URL that was called, with its query; empty for MLLP.
    pub url: String,
    /// With lower-case names; empty for MLLP.
    pub headers: Vec<Attribute>,
    /// Without the MLLP frame.
    pub body: Vec<u8>,
    /// How many bytes it had, where those were more than are taken: the body is its beginning then.
    pub too_long: Option<u64>,
    pub received_at: DateTime<Utc>,
    pub sender: SenderProof,
}

/// By what a delivery's sender may be believed, before its bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderProof {
    /// The connection: a certificate that the listener asked for, or the operator's reason why none is needed. A signature
    /// that the trigger names as well is checked all the same.
    Connection,
    /// Nothing yet: only a signature can tell, and where none is named nobody is believed.
    SignatureOnly,
    /// It was believed when the delivery first came; what it was believed by is not kept.
    Earlier,
}

/// By which door a delivery came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Transport {
    Mllp,
    /// `POST /in/{source}`.
    Webhook,
    /// `POST /callback/{stage}`.
    Callback,
}

/// What the sender gets to read.
#[derive(Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// HTTP only.
    pub status: u16,
    /// HTTP only.
    pub content_type: String,
    /// Empty over MLLP: no acknowledgement is sent, and the sender will try again.
    pub body: Vec<u8>,
}

/// Takes deliveries in. The future is done once the delivery is durable, or has been refused.
pub trait DeliverySink: Send + Sync + 'static {
    fn take(&self, delivery: Delivery) -> impl Future<Output = Acknowledgement> + Send;
}

impl<F, A> DeliverySink for F
where
    F: Fn(Delivery) -> A + Send + Sync + 'static,
    A: Future<Output = Acknowledgement> + Send,
{
    fn take(&self, delivery: Delivery) -> impl Future<Output = Acknowledgement> + Send {
        self(delivery)
    }
}

impl Acknowledgement {
    /// Nothing that the sender could misread: over MLLP no acknowledgement at all, over HTTP a 503. It will try again.
    pub fn unavailable() -> Acknowledgement {
        Acknowledgement::bare(503)
    }

    /// The sender is not who it says.
    pub fn forged() -> Acknowledgement {
        Acknowledgement::bare(403)
    }

    /// The workflow has no stage for this door.
    pub fn not_found() -> Acknowledgement {
        Acknowledgement::bare(404)
    }

    pub fn malformed() -> Acknowledgement {
        Acknowledgement::bare(400)
    }

    fn bare(status: u16) -> Acknowledgement {
        Acknowledgement { status, content_type: String::new(), body: Vec::new() }
    }
}

impl From<interpreter::Answer> for Acknowledgement {
    fn from(answer: interpreter::Answer) -> Acknowledgement {
        Acknowledgement { status: answer.status, content_type: answer.content_type, body: answer.body }
    }
}

impl Transport {
    /// As the journal has it.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Delivery({:?} {}, {} bytes)", self.transport, self.source, self.body.len())
    }
}

impl fmt::Debug for Acknowledgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}
