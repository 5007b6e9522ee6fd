//! Listens for HL7 v2 over MLLP: one answer for each message, in the order in which they came.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use handoff_clock::Clock;
use handoff_mllp::{Deframer, FrameError, Framed, frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::connection_limits::{ConnectionPermit, LimitedPeer};
use crate::delivery::{DELIVERY_BYTES_MAX, Delivery, DeliverySink, SenderProof, Transport, UNPROVEN_BYTES_MAX};
use crate::listener::{Connection, Listener, Socket};

/// What a listener puts up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MllpLimits {
    pub message_bytes_max: usize,
    /// For the first message. Whoever connects and says nothing keeps the place of one who would.
    pub first: Duration,
    /// Between messages. Interfaces keep their connection over a quiet lunch hour, and open a new one after a night.
    pub idle: Duration,
    /// From a message's first byte to its last: 80 MiB pass in this time at 300 kB/s. Slower is stuck or hostile.
    pub message: Duration,
    /// For the sender to take its answer.
    pub answer: Duration,
}

impl Default for MllpLimits {
    fn default() -> MllpLimits {
        MllpLimits {
            message_bytes_max: DELIVERY_BYTES_MAX,
            first: Duration::from_secs(10 * 60),
            idle: Duration::from_secs(2 * 60 * 60),
            message: Duration::from_secs(5 * 60),
            answer: Duration::from_secs(30),
        }
    }
}

/// Bytes taken from the socket at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// One listener and what it hands deliveries to.
pub struct MllpServer<I> {
    /// The source's name in the configuration.
    pub source: String,
    pub intake: Arc<I>,
    pub clock: Arc<dyn Clock>,
    pub limits: MllpLimits,
}

/// Why a connection ended before its sender closed it.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the connection broke")]
    Io(#[from] io::Error),
    #[error("the sender does not keep to the MLLP frame")]
    Frame(#[from] FrameError),
    #[error("nothing came for {} s", .0.as_secs())]
    Idle(Duration),
    #[error("a message was begun and not ended within {} s", .0.as_secs())]
    Slow(Duration),
    #[error("the sender did not take its answer within {} s", .0.as_secs())]
    Unread(Duration),
    #[error("the sender closed it after {0} bytes of a message that has no end; it was not acknowledged")]
    Half(usize),
    #[error("{0} bytes of it stood outside of frames and were passed over; were they messages?")]
    Stray(u64),
}

impl<I: DeliverySink> MllpServer<I> {
    /// Serves until `closing` turns true: then answers every message that has wholly come in, and returns. What has come
    /// in half is not acknowledged, so its sender will send it again.
    pub async fn serve(self, listener: Listener, tcp: TcpListener, closing: watch::Receiver<bool>) {
        let this = Arc::new(self);
        let serve_connection = move |connection: Connection| {
            let this = Arc::clone(&this);
            async move {
                let Connection { socket, permit, closing } = connection;
                let ended = this.serve_connection(socket, &permit, closing).await;
                report_end(&this.source, permit.source(), ended);
            }
        };
        listener.serve(tcp, closing, serve_connection).await;
    }

    /// One connection, until its sender closes it.
    async fn serve_connection(
        &self,
        mut socket: Box<dyn Socket>,
        permit: &ConnectionPermit,
        mut closing: watch::Receiver<bool>,
    ) -> Result<(), Ended> {
        let limits = self.limits;
        let mut deframer = Deframer::new(limits.message_bytes_max);
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut begun: Option<Instant> = None;
        let mut patience = limits.first;
        let mut large = None;
        loop {
            while let Some(framed) = deframer.message()? {
                (begun, patience) = (None, limits.idle);
                // A message cannot be refused for coming too fast without being lost; its sender is kept waiting.
                while let Err(wait) = permit.take_token() {
                    tokio::time::sleep(wait).await;
                }
                self.answer(&mut socket, framed).await?;
                large = None;
            }
            if deframer.half_bytes() > UNPROVEN_BYTES_MAX && large.is_none() {
                let waiting = Instant::now();
                large = permit.room_for_a_large_one().await;
                begun = begun.map(|begun| begun + waiting.elapsed());
            }
            if *closing.borrow() {
                return Ok(());
            }
            let slow = deframer.is_inside().then(|| *begun.get_or_insert_with(Instant::now) + limits.message);
            let deadline = slow.unwrap_or_else(|| Instant::now() + patience);
            tokio::select! {
                changed = closing.changed() => if changed.is_err() { return Ok(()) },
                read = tokio::time::timeout_at(deadline, socket.read(&mut chunk)) => match read {
                    Err(_) if slow.is_some() => return Err(Ended::Slow(limits.message)),
                    Err(_) => return Err(Ended::Idle(patience)),
                    Ok(read) => match read? {
                        0 if deframer.is_inside() => return Err(Ended::Half(deframer.half_bytes())),
                        0 if deframer.stray_bytes() > 0 => return Err(Ended::Stray(deframer.stray_bytes())),
                        0 => return Ok(()),
                        count => deframer.feed(&chunk[..count]),
                    },
                },
            }
        }
    }

    async fn answer(&self, socket: &mut Box<dyn Socket>, framed: Framed) -> Result<(), Ended> {
        let (body, too_long) = match framed {
            Framed::Message(message) => (message, None),
            Framed::TooLong { beginning, bytes } => (beginning, Some(bytes)),
        };
        let delivery = Delivery {
            transport: Transport::Mllp,
            source: self.source.clone(),
            url: String::new(),
            headers: Vec::new(),
            body,
            too_long,
            received_at: self.clock.now(),
            sender: SenderProof::Connection,
        };
        let answer = self.intake.take(delivery).await;
        if answer.body.is_empty() {
            return Ok(());
        }
        let limit = self.limits.answer;
        let framed = frame(&answer.body);
        let written = tokio::time::timeout(limit, async {
            socket.write_all(&framed).await?;
            socket.flush().await
        });
        Ok(written.await.map_err(|_| Ended::Unread(limit))??)
    }
}

fn report_end(listener: &str, peer: &LimitedPeer, ended: Result<(), Ended>) {
    match ended {
        Ok(()) => tracing::debug!(listener, %peer, "connection closed"),
        Err(error @ (Ended::Io(_) | Ended::Idle(_))) => tracing::info!(listener, %peer, %error, "connection ended"),
        Err(error @ (Ended::Frame(_) | Ended::Slow(_) | Ended::Unread(_) | Ended::Half(_) | Ended::Stray(_))) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(listener, %peer, %error, cause, "connection ended");
        }
    }
}

#[cfg(test)]
mod tests;
