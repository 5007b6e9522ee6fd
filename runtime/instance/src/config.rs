//! The one configuration file, `handoff.yaml`: what `handoff init` writes and an IT director edits.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use handoff_egress::endpoint::{Endpoint, EndpointConfig, EndpointError};
use handoff_egress::reach::{EndpointSummaries, EndpointSummary};
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_identity::oidc::OidcConfig;
use handoff_identity::role::Role;
use handoff_ingress::connection_limits::ConnectionLimitsConfig;
use handoff_ingress::delivery::SenderProof;
use handoff_ingress::http::Sources;
use handoff_ingress::listener::ListenerProtection;
use handoff_ingress::tls::TlsConfig;
use handoff_pipeline::addresses::HomeCountry;
use handoff_pipeline::deployments::Catalogue;
use handoff_pipeline::intake::unreadable_budget::IntakeLimits;
use handoff_pipeline::pauses::OutreachLimits;
use handoff_vault::MasterKey;
use handoff_vault::secrets::SecretSource;
use handoff_workshop::signature::Trusted;
use serde::Deserialize;

/// The version of this file's own format.
pub const FORMAT: &str = "handoff/config@1";

/// The file that `handoff init` writes. It documents every key.
pub const TEMPLATE: &str = include_str!("config/handoff.yaml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub format: String,
    pub data: PathBuf,
    pub workflow: WorkflowFile,
    /// Looked into before the bundled plugins; `NAME.wasm`.
    #[serde(default)]
    pub plugins: Option<PathBuf>,
    /// Whose plugins are taken from there besides those that came with Handoff: minisign public keys.
    #[serde(default)]
    pub plugin_keys: Vec<PathBuf>,
    /// Why plugins that nobody signed are taken from there, if they are.
    #[serde(default)]
    pub unsigned_plugins_because: Option<String>,
    pub listen: Listen,
    pub keys: Keys,
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretSource>,
    #[serde(default)]
    pub endpoints: BTreeMap<String, EndpointConfig>,
    #[serde(default)]
    pub retention: Retention,
    #[serde(default)]
    pub outreach: Outreach,
    /// Whose telephone numbers and addresses are written without a country.
    #[serde(default)]
    pub country: HomeCountry,
    #[serde(default)]
    pub intake: IntakeConfig,
    #[serde(default)]
    pub people: PeopleConfig,
    #[serde(default)]
    pub log: Log,
    #[serde(default)]
    pub traces: Option<Traces>,
    /// This file.
    #[serde(skip)]
    pub file: PathBuf,
}

/// A path alone, or a block.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "WorkflowKey")]
pub struct WorkflowFile {
    pub file: PathBuf,
    /// Whether a change takes effect while Handoff runs.
    pub watch: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WorkflowKey {
    Path(PathBuf),
    Block(WorkflowBlock),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkflowBlock {
    file: PathBuf,
    #[serde(default)]
    watch: bool,
}

impl From<WorkflowKey> for WorkflowFile {
    fn from(key: WorkflowKey) -> WorkflowFile {
        match key {
            WorkflowKey::Path(file) => WorkflowFile { file, watch: false },
            WorkflowKey::Block(WorkflowBlock { file, watch }) => WorkflowFile { file, watch },
        }
    }
}

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

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Seals patient data: 32 bytes in hexadecimal.
    pub master: SecretSource,
    /// Signs the journal: an Ed25519 private key, PKCS#8 PEM.
    pub signing: PathBuf,
}

/// How long the journal keeps what has ended.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    pub years: u32,
}

/// HIPAA has documentation kept for six years (45 CFR 164.316(b)(2)(i)). No setting goes below it.
pub const RETENTION_YEARS_MIN: u32 = 6;

/// A year more than the law's six, so that a request on the last day still finds what it asks for.
const RETENTION_YEARS: u32 = 7;

impl Default for Retention {
    fn default() -> Retention {
        Retention { years: RETENTION_YEARS }
    }
}

/// Limits on what goes to patients.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outreach {
    /// One more message within an hour pauses outreach until a person has looked.
    pub messages_per_hour_max: u32,
    /// Telephone numbers and mail addresses. Where there is a list, nobody else is written to.
    pub test_recipients: Option<Vec<String>>,
}

/// A practice writes some dozens a day. So many within an hour are a list that was read twice.
const MESSAGES_PER_HOUR_MAX: u32 = 300;

impl Default for Outreach {
    fn default() -> Outreach {
        Outreach { messages_per_hour_max: MESSAGES_PER_HOUR_MAX, test_recipients: None }
    }
}

impl Outreach {
    pub fn limits(&self) -> OutreachLimits {
        OutreachLimits {
            messages_per_hour_max: Some(self.messages_per_hour_max),
            test_recipients: self.test_recipients.clone(),
        }
    }
}

/// Limits on what comes in.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IntakeConfig {
    /// Of each source, kept because it cannot be read. Past it the sender is asked to try again.
    pub unreadable_mb_per_hour_max: u32,
}

/// Some ten thousand messages: a day's feed of a practice whose shape has changed. A night of garbage takes a gigabyte.
const UNREADABLE_MB_PER_HOUR_MAX: u32 = 64;

impl Default for IntakeConfig {
    fn default() -> IntakeConfig {
        IntakeConfig { unreadable_mb_per_hour_max: UNREADABLE_MB_PER_HOUR_MAX }
    }
}

impl IntakeConfig {
    pub fn limits(self) -> IntakeLimits {
        let bytes = u64::from(self.unreadable_mb_per_hour_max) * 1024 * 1024;
        IntakeLimits { unreadable_bytes_per_hour_max: Some(bytes) }
    }
}

/// Who may sign in beside those who have an account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PeopleConfig {
    /// Roles in which a password alone lets nobody in.
    pub two_factors: Vec<Role>,
    pub oidc: Option<OidcConfig>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    pub format: LogFormat,
    /// As `tracing` reads it: `info`, `handoff=debug`.
    pub level: Option<String>,
}

/// Where an OpenTelemetry collector takes spans.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traces {
    /// OTLP over HTTP, the base of its address: `http://collector.internal:4318`.
    pub otlp: String,
    /// Of the deliveries and letters, from 0 to 1. All of them when absent.
    #[serde(default = "share_default")]
    pub share: f64,
}

/// A practice has hundreds of them a day.
fn share_default() -> f64 {
    1.0
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {path}\n  help: `handoff init DIR` writes a configuration")]
    Unreadable { path: String, source: std::io::Error },
    #[error("{path} is not a valid configuration:\n{detail}")]
    Malformed { path: String, detail: String },
    #[error("{path} has format {found:?}; this version reads {FORMAT:?}\n  help: format: {FORMAT}")]
    OtherFormat { path: String, found: String },
    #[error(
        "{path} keeps the journal for {years} years (`retention: years:`)\n  \
         help: HIPAA asks for at least {RETENTION_YEARS_MIN} (45 CFR 164.316(b)(2)(i)); {RETENTION_YEARS} is usual:\n    \
         retention:\n      years: {RETENTION_YEARS}"
    )]
    Forgetful { path: String, years: u32 },
    #[error(
        "`{key}` gives no reason\n  \
         help: say in a few words why it is safe here; whoever looks after this instance next has nothing else to go by:\n    \
         {key}: only the interface engine reaches this port"
    )]
    NoReason { path: String, key: &'static str },
}

/// A reason is a few words, and not one word again and again.
pub fn is_reason(text: &str) -> bool {
    let words: BTreeSet<String> = text.split_whitespace().map(str::to_lowercase).collect();
    words.len() >= REASON_WORDS_MIN
}

/// "We try it", "It is loopback".
const REASON_WORDS_MIN: usize = 3;

impl Config {
    /// # Errors
    /// When it cannot be had, or is none.
    pub fn master_key(&self) -> anyhow::Result<MasterKey> {
        let master = self.keys.master.read().context("cannot read the master key (`keys: master:`)")?;
        MasterKey::parse(master.as_str()).context("the master key (`keys: master:`) is malformed")
    }

    /// Reads the file; relative paths in it are relative to its own folder.
    ///
    /// # Errors
    /// When it cannot be read, is not YAML, has a key we do not know, or is of another format version.
    pub fn read(path: &Path) -> Result<Config, ConfigError> {
        let name = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: name.clone(), source })?;
        let mut config: Config = serde_saphyr::from_str(&text)
            .map_err(|error| ConfigError::Malformed { path: name.clone(), detail: error.to_string() })?;
        if config.format != FORMAT {
            return Err(ConfigError::OtherFormat { path: name, found: config.format });
        }
        if config.retention.years < RETENTION_YEARS_MIN {
            return Err(ConfigError::Forgetful { path: name, years: config.retention.years });
        }
        if let Some((key, _)) = config.reasons().into_iter().find(|(_, reason)| !is_reason(reason)) {
            return Err(ConfigError::NoReason { path: name, key });
        }
        config.file = path.to_path_buf();
        let folder = path.parent().unwrap_or(Path::new("."));
        config.data = folder.join(&config.data);
        config.workflow.file = folder.join(&config.workflow.file);
        config.plugins = config.plugins.map(|plugins| folder.join(plugins));
        config.plugin_keys.iter_mut().for_each(|key| *key = folder.join(&key));
        config.keys.signing = folder.join(&config.keys.signing);
        config.keys.master = config.keys.master.within(folder);
        let Listen { mllp, http, api } = &mut config.listen;
        let listeners = mllp.iter_mut().map(|listener| &mut listener.tls);
        let listeners = listeners.chain(http.iter_mut().map(|listener| &mut listener.tls));
        let listeners = listeners.chain(api.iter_mut().map(|listener| &mut listener.tls));
        listeners.for_each(|tls| *tls = tls.take().map(|tls| tls.within(folder)));
        config.people.oidc = config.people.oidc.map(|oidc| oidc.within(folder));
        config.endpoints =
            config.endpoints.into_iter().map(|(name, endpoint)| (name, endpoint.within(folder))).collect();
        config.secrets = config.secrets.into_iter().map(|(name, source)| (name, source.within(folder))).collect();
        Ok(config)
    }

    /// Every reason that was given for something that would be refused without one, under its key.
    fn reasons(&self) -> Vec<(&'static str, &str)> {
        let Listen { mllp, http, api } = &self.listen;
        let mut reasons = vec![("unsigned_plugins_because", &self.unsigned_plugins_because)];
        reasons.extend(mllp.iter().map(|listener| ("unencrypted_because", &listener.unencrypted_because)));
        reasons.extend(mllp.iter().map(|listener| ("anybody_because", &listener.anybody_because)));
        reasons.extend(http.iter().map(|listener| ("unencrypted_because", &listener.unencrypted_because)));
        let sources = http.iter().flat_map(|listener| &listener.sources);
        reasons.extend(sources.map(|source| ("anybody_because", &source.anybody_because)));
        reasons.extend(api.iter().map(|listener| ("unencrypted_because", &listener.unencrypted_because)));
        reasons.into_iter().filter_map(|(key, reason)| Some((key, reason.as_deref()?))).collect()
    }

    /// Where each endpoint leads, for people.
    ///
    /// # Errors
    /// When an endpoint cannot work.
    pub fn ways(&self) -> Result<EndpointSummaries, EndpointError> {
        let way = |(name, config): (&String, &EndpointConfig)| {
            let endpoint = Endpoint::new(name, config.clone())?;
            Ok((name.clone(), EndpointSummary::of(config, endpoint.secrets().map(str::to_owned))))
        };
        self.endpoints.iter().map(way).collect()
    }

    /// Where plugins lie, and whose are taken.
    ///
    /// # Errors
    /// When a key cannot be read.
    pub fn catalogue(&self) -> anyhow::Result<Catalogue> {
        let trusted = self.plugin_keys.iter().map(|path| Trusted::read(path)).collect::<Result<_, _>>();
        Ok(Catalogue {
            folder: self.plugins.clone(),
            trusted: trusted.context(Failure::new(
                ErrorCode::PLUGIN_KEY,
                "a key that plugins are signed with (`plugin_keys:`) cannot be used",
            ))?,
            unsigned_because: self.unsigned_plugins_because.clone(),
        })
    }
}
