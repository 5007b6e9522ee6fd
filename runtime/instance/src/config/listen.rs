//! `listen:`, who may come in where: a feed over MLLP, webhooks and callbacks over HTTP, people.

use std::net::SocketAddr;

use handoff_ingress::connection_limits::ConnectionLimitsConfig;
use handoff_ingress::delivery::SenderProof;
use handoff_ingress::http::Sources;
use handoff_ingress::listener::ListenerProtection;
use handoff_ingress::tls::TlsConfig;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    #[serde(default)]
    pub mllp: Vec<MllpListener>,
    /// For webhooks and vendors' callbacks; neither is taken in where it is absent.
    #[serde(default)]
    pub http: Option<HttpListener>,
    /// For people; nobody signs in where it is absent.
    #[serde(default)]
    pub api: Option<ApiListener>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MllpListener {
    /// The trigger in the workflow's `stages: trigger:` that reads what comes in here.
    pub source: String,
    pub address: SocketAddr,
    #[serde(default)]
    pub tls: Option<TlsConfig>,
    #[serde(default)]
    pub unencrypted_because: Option<String>,
    /// Why a listener that the network can reach asks nobody for a certificate.
    #[serde(default)]
    pub anybody_because: Option<String>,
    #[serde(default)]
    pub limits: ConnectionLimitsConfig,
}

/// A source that comes in as webhooks: its name alone, or a block.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "HttpSourceKey")]
pub struct HttpSource {
    /// The trigger in the workflow's `stages: trigger:` that reads what comes in under this name.
    pub source: String,
    /// Why whoever reaches this listener may speak for it, where neither a signature nor a certificate is asked for.
    pub anybody_because: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum HttpSourceKey {
    Name(String),
    Block(HttpSourceBlock),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpSourceBlock {
    source: String,
    #[serde(default)]
    anybody_because: Option<String>,
}

impl From<HttpSourceKey> for HttpSource {
    fn from(key: HttpSourceKey) -> HttpSource {
        match key {
            HttpSourceKey::Name(source) => HttpSource { source, anybody_because: None },
            HttpSourceKey::Block(HttpSourceBlock { source, anybody_because }) => HttpSource { source, anybody_because },
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpListener {
    pub address: SocketAddr,
    /// What may come in at `POST /in/SOURCE`.
    #[serde(default)]
    pub sources: Vec<HttpSource>,
    /// How vendors reach us, when a proxy stands before us: it is part of what they sign.
    #[serde(default)]
    pub public_url: Option<String>,
    #[serde(default)]
    pub tls: Option<TlsConfig>,
    #[serde(default)]
    pub unencrypted_because: Option<String>,
    #[serde(default)]
    pub limits: ConnectionLimitsConfig,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiListener {
    pub address: SocketAddr,
    /// What browsers have in their address bar: the origin of requests that are our own page's. Put together from the Host
    /// header where it is absent, which a proxy may change.
    #[serde(default)]
    pub public_url: Option<String>,
    /// The name of the secret with which a monitoring system reads `/metrics`.
    #[serde(default)]
    pub metrics: Option<String>,
    #[serde(default)]
    pub tls: Option<TlsConfig>,
    #[serde(default)]
    pub unencrypted_because: Option<String>,
    #[serde(default = "people_at_a_time")]
    pub limits: ConnectionLimitsConfig,
}

/// A person clicks some times a second at most, and a page asks for a handful of things at once. Behind a proxy everybody
/// is one source.
fn people_at_a_time() -> ConnectionLimitsConfig {
    ConnectionLimitsConfig { connections_max: 256, connections_per_source_max: 64, deliveries_per_second: 50 }
}

impl MllpListener {
    pub fn new(source: &str, address: SocketAddr) -> MllpListener {
        let ListenerProtection { tls, unencrypted_because, limits } = ListenerProtection::default();
        MllpListener { source: source.into(), address, tls, unencrypted_because, anybody_because: None, limits }
    }

    pub fn guard(&self) -> ListenerProtection {
        let MllpListener { tls, unencrypted_because, limits, .. } = self.clone();
        ListenerProtection { tls, unencrypted_because, limits }
    }
}

impl ApiListener {
    pub fn guard(&self) -> ListenerProtection {
        let ApiListener { tls, unencrypted_because, limits, .. } = self.clone();
        ListenerProtection { tls, unencrypted_because, limits }
    }
}

impl HttpListener {
    pub fn new(address: SocketAddr, public_url: Option<String>) -> HttpListener {
        let ListenerProtection { tls, unencrypted_because, limits } = ListenerProtection::default();
        HttpListener { address, sources: Vec::new(), public_url, tls, unencrypted_because, limits }
    }

    /// The same, with sources that a signature vouches for.
    pub fn taking(self, sources: &[&str]) -> HttpListener {
        let signed = |source: &&str| HttpSource { source: source.to_string(), anybody_because: None };
        HttpListener { sources: sources.iter().map(signed).collect(), ..self }
    }

    /// Whether every connection shows a certificate that this listener asks for.
    fn asks_for_certificates(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.clients.is_some())
    }

    /// By what each source's sender may be believed.
    pub fn senders(&self) -> Sources {
        let proof = |source: &HttpSource| match self.asks_for_certificates() || source.anybody_because.is_some() {
            true => SenderProof::Connection,
            false => SenderProof::SignatureOnly,
        };
        self.sources.iter().map(|source| (source.source.clone(), proof(source))).collect()
    }

    pub fn guard(&self) -> ListenerProtection {
        let HttpListener { tls, unencrypted_because, limits, .. } = self.clone();
        ListenerProtection { tls, unencrypted_because, limits }
    }
}
