//! The one configuration file, `handoff.yaml`: what `handoff init` writes and an IT director edits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use handoff_egress::endpoint::{Endpoint, EndpointConfig, EndpointError};
use handoff_egress::reach::{EndpointSummaries, EndpointSummary};
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_identity::oidc::OidcConfig;
use handoff_identity::role::Role;
use handoff_pipeline::addresses::HomeCountry;
use handoff_pipeline::deployments::Catalogue;
use handoff_pipeline::intake::unreadable_budget::IntakeLimits;
use handoff_pipeline::pauses::OutreachLimits;
use handoff_vault::MasterKey;
use handoff_vault::secrets::SecretSource;
use handoff_workshop::signature::Trusted;
use serde::Deserialize;

mod listen;

pub use listen::{ApiListener, HttpListener, HttpSource, Listen, MllpListener};

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
