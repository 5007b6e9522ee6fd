//! The way into Handoff, for any protocol: who may come in, how many, and how soon they must have said who they are.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use handoff_engine::error_chain::Chain;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::connection_limits::{ConnectionLimits, ConnectionLimitsConfig, ConnectionPermit, Full, LimitedPeer};
use crate::tls::{Tls, TlsConfig, TlsError, Unwelcome};
use crate::write_deadline::WriteDeadline;

/// A handshake takes two round trips; a satellite link's are below a second each.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// For a peer to take what it asked for: as long as a sender over MLLP has for its answer.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);

/// A machine out of file descriptors gets them back as connections end; until then we do not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// At shutdown, for what has come in to be answered. Below the 90 s that systemd allows a stop.
const DRAIN_WITHIN: Duration = Duration::from_secs(20);

/// What a listener's entry in the configuration says about who may come in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenerProtection {
    pub tls: Option<TlsConfig>,
    /// Why a listener that the network can reach needs no TLS.
    pub unencrypted_because: Option<String>,
    pub limits: ConnectionLimitsConfig,
}

/// Why a listener is not opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenerError {
    #[error(
        "the listener {name} on {address} can be reached from the network, but has no TLS\n\
         help: write under `address:` in the configuration:\n  \
         tls:\n    certificate: keys/tls.pem\n    key: keys/tls.key\n\
         or, where a proxy in front of it does that:\n  \
         unencrypted_because: the proxy on this machine speaks TLS"
    )]
    Unencrypted { name: String, address: SocketAddr },
    #[error("the listener {name} cannot use TLS")]
    Tls { name: String, source: Box<TlsError> },
    #[error("{name}: `limits: {key}` must be at least 1")]
    Zero { name: String, key: &'static str },
}

/// A connection's bytes, whichever way they came.
pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

/// One that was let in.
pub struct Connection {
    pub socket: Box<dyn Socket>,
    pub permit: ConnectionPermit,
    /// True when Handoff closes: say what is left to say, and go.
    pub closing: watch::Receiver<bool>,
}

/// An address that lets connections in, as far as it is protected and has room.
pub struct Listener {
    name: String,
    tls: Option<Tls>,
    limits: Arc<ConnectionLimits>,
    handshake: Duration,
    pub(crate) taken: Duration,
    drain: Duration,
}

/// Why somebody was not let in.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Full(#[from] Full),
    #[error(transparent)]
    Unwelcome(#[from] Unwelcome),
    #[error("no TLS handshake within {} s", .0.as_secs())]
    Slow(Duration),
}

impl Listener {
    /// # Errors
    /// When the network could reach the listener unencrypted, or its certificate cannot be used.
    pub fn open(name: &str, address: SocketAddr, guard: &ListenerProtection) -> Result<Listener, ListenerError> {
        let name = name.to_string();
        if guard.tls.is_none() && guard.unencrypted_because.is_none() && !is_loopback(address.ip()) {
            return Err(ListenerError::Unencrypted { name, address });
        }
        let ConnectionLimitsConfig { connections_max, connections_per_source_max, deliveries_per_second } =
            guard.limits;
        for (key, value) in [
            ("connections_max", connections_max),
            ("connections_per_source_max", connections_per_source_max),
            ("deliveries_per_second", deliveries_per_second as usize),
        ] {
            if value == 0 {
                return Err(ListenerError::Zero { name, key });
            }
        }
        let tls = guard.tls.clone().map(Tls::open).transpose();
        let tls = tls.map_err(|source| ListenerError::Tls { name: name.clone(), source: Box::new(source) })?;
        let limits = ConnectionLimits::new(guard.limits);
        Ok(Listener { name, tls, limits, handshake: HANDSHAKE_WITHIN, taken: TAKEN_WITHIN, drain: DRAIN_WITHIN })
    }

    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Lets connections in until `closing` turns true (or its sender is gone), each to a conversation of its own; then
    /// nobody new, and returns when every conversation has ended or Handoff has waited long enough.
    pub async fn serve<C, F>(self, tcp: TcpListener, mut closing: watch::Receiver<bool>, serve_one: C)
    where
        C: Fn(Connection) -> F + Clone + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let drain = self.drain;
        let this = Arc::new(self);
        let mut conversations = JoinSet::new();
        while !*closing.borrow() {
            tokio::select! {
                changed = closing.changed() => if changed.is_err() { break },
                Some(ended) = conversations.join_next() => this.report_panic(ended),
                accepted = tcp.accept() => match accepted {
                    Err(error) => {
                        tracing::warn!(listener = this.name, %error, "cannot accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                    Ok((stream, peer)) => match this.limits.enter(LimitedPeer::of(peer.ip())) {
                        // Closed at once, the sender knows and says so; left waiting, it would not.
                        Err(full) => tracing::warn!(listener = this.name, %peer, %full, "connection refused"),
                        Ok(permit) => {
                            let (this, closing, serve_one) = (Arc::clone(&this), closing.clone(), serve_one.clone());
                            conversations.spawn(async move {
                                match this.admit(stream, permit).await {
                                    Ok((socket, permit)) => serve_one(Connection { socket, permit, closing }).await,
                                    Err(error) => {
                                        let error = Chain(&error).to_string();
                                        tracing::warn!(listener = this.name, %peer, error, "connection refused");
                                    }
                                }
                            });
                        }
                    },
                },
            }
        }
        drop(tcp);
        let drained = async {
            while let Some(ended) = conversations.join_next().await {
                this.report_panic(ended);
            }
        };
        if timeout(drain, drained).await.is_err() {
            tracing::warn!(listener = this.name, "deliveries were still being taken in; they are not acknowledged");
        }
    }

    async fn admit(
        &self,
        stream: TcpStream,
        permit: ConnectionPermit,
    ) -> Result<(Box<dyn Socket>, ConnectionPermit), Refused> {
        let Some(tls) = &self.tls else { return Ok((Box::new(WriteDeadline::new(stream, self.taken)), permit)) };
        let greeted = timeout(self.handshake, tls.greet(stream)).await;
        let (stream, name) = greeted.map_err(|_| Refused::Slow(self.handshake))??;
        let permit = match name {
            Some(name) => permit.known_as(LimitedPeer::Certificate(name))?,
            None => permit,
        };
        Ok((Box::new(WriteDeadline::new(stream, self.taken)), permit))
    }

    fn report_panic(&self, ended: Result<(), tokio::task::JoinError>) {
        if let Err(error) = ended
            && error.is_panic()
        {
            tracing::error!(
                listener = self.name,
                "a connection's task panicked; its last message was not acknowledged"
            );
        }
    }
}

/// Only this machine reaches it.
pub fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests;
