//! Listens for HL7 v2 over MLLP: one answer for each message, in the order in which they came.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::frame::{Deframer, FrameError, frame};
use super::{DELIVERY_BYTES_MAX, Delivery, Door, Intake};
use crate::clock::Clock;

/// What a listener puts up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A practice has some ten interfaces with a few connections each; the rest is somebody's mistake.
    pub connections_max: usize,
    pub message_bytes_max: usize,
    /// Between messages. Interfaces keep their connection over a quiet lunch hour, and open a new one after a night.
    pub idle: Duration,
    /// From a message's first byte to its last: 16 MiB pass in this time at 300 kB/s. Slower is stuck or hostile.
    pub message: Duration,
    /// For the sender to take its answer.
    pub answer: Duration,
    /// At shutdown, for messages that have come in to be answered. Below the 90 s that systemd allows a stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections_max: 256,
            message_bytes_max: DELIVERY_BYTES_MAX,
            idle: Duration::from_secs(2 * 60 * 60),
            message: Duration::from_secs(60),
            answer: Duration::from_secs(30),
            drain: Duration::from_secs(20),
        }
    }
}

/// Bytes taken from the socket at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// A machine out of file descriptors gets them back as connections end; until then we do not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// One listener and what it hands deliveries to.
pub struct Listener<I> {
    /// The source's name in the configuration.
    pub source: String,
    pub intake: Arc<I>,
    pub clock: Arc<dyn Clock>,
    pub limits: Limits,
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
}

impl<I: Intake> Listener<I> {
    /// Serves until `shutdown` turns true (or its sender is gone): then accepts nothing new, answers every message that
    /// has wholly come in, and returns. What has come in half is not acknowledged, so its sender will send it again.
    pub async fn serve(self, listener: TcpListener, mut shutdown: watch::Receiver<bool>) {
        let drain = self.limits.drain;
        let room = Arc::new(Semaphore::new(self.limits.connections_max));
        let this = Arc::new(self);
        let mut connections = JoinSet::new();
        while !*shutdown.borrow() {
            tokio::select! {
                changed = shutdown.changed() => if changed.is_err() { break },
                Some(ended) = connections.join_next() => report_panic(&this.source, ended),
                accepted = listener.accept() => match accepted {
                    Err(error) => {
                        tracing::warn!(source = this.source, %error, "cannot accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                    Ok((stream, peer)) => match Arc::clone(&room).try_acquire_owned() {
                        // Closed at once, the sender knows and says so; left waiting, it would not.
                        Err(_) => tracing::warn!(source = this.source, %peer, "too many connections: refused"),
                        Ok(place) => {
                            let (this, shutdown) = (Arc::clone(&this), shutdown.clone());
                            connections.spawn(async move {
                                let ended = this.converse(stream, shutdown).await;
                                report_end(&this.source, peer, ended);
                                drop(place);
                            });
                        }
                    },
                },
            }
        }
        drop(listener);
        let drained = async {
            while let Some(ended) = connections.join_next().await {
                report_panic(&this.source, ended);
            }
        };
        if tokio::time::timeout(drain, drained).await.is_err() {
            tracing::warn!(
                source = this.source,
                "messages were still being taken in at shutdown; they are not acknowledged"
            );
        }
    }

    /// One connection, until its sender closes it.
    async fn converse<S>(&self, mut stream: S, mut shutdown: watch::Receiver<bool>) -> Result<(), Ended>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let limits = self.limits;
        let mut deframer = Deframer::new(limits.message_bytes_max);
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut begun: Option<Instant> = None;
        loop {
            while let Some(message) = deframer.message()? {
                begun = None;
                self.answer(&mut stream, message).await?;
            }
            if *shutdown.borrow() {
                return Ok(());
            }
            let slow = deframer.is_inside().then(|| *begun.get_or_insert_with(Instant::now) + limits.message);
            let deadline = slow.unwrap_or_else(|| Instant::now() + limits.idle);
            tokio::select! {
                changed = shutdown.changed() => if changed.is_err() { return Ok(()) },
                read = tokio::time::timeout_at(deadline, stream.read(&mut chunk)) => match read {
                    Err(_) if slow.is_some() => return Err(Ended::Slow(limits.message)),
                    Err(_) => return Err(Ended::Idle(limits.idle)),
                    Ok(read) => match read? {
                        0 => return Ok(()),
                        count => deframer.feed(&chunk[..count]),
                    },
                },
            }
        }
    }

    async fn answer<S: AsyncWrite + Unpin>(&self, stream: &mut S, message: Vec<u8>) -> Result<(), Ended> {
        let delivery = Delivery {
            door: Door::Mllp,
            source: self.source.clone(),
            url: String::new(),
            headers: Vec::new(),
            body: message,
            received_at: self.clock.now(),
        };
        let answer = self.intake.take(delivery).await;
        if answer.body.is_empty() {
            return Ok(());
        }
        let limit = self.limits.answer;
        let framed = frame(&answer.body);
        let written = tokio::time::timeout(limit, async {
            stream.write_all(&framed).await?;
            stream.flush().await
        });
        Ok(written.await.map_err(|_| Ended::Unread(limit))??)
    }
}

fn report_end(source: &str, peer: SocketAddr, ended: Result<(), Ended>) {
    match ended {
        Ok(()) => tracing::debug!(source, %peer, "connection closed"),
        Err(error @ (Ended::Io(_) | Ended::Idle(_))) => tracing::info!(source, %peer, %error, "connection ended"),
        Err(error @ (Ended::Frame(_) | Ended::Slow(_) | Ended::Unread(_))) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(source, %peer, %error, cause, "connection ended");
        }
    }
}

fn report_panic(source: &str, ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(source, "a connection's task panicked; its last message was not acknowledged");
    }
}

#[cfg(test)]
mod tests;
