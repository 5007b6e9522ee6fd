//! `handoff plugin pull|push`: the only commands that ask a registry, and only when somebody types them.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use chrono::{SecondsFormat, Utc};
use clap::Args;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_host::{Host, PluginLimits};
use handoff_instance::config::Config;
use handoff_pipeline::plugin_report;
use handoff_pipeline::plugin_report::{BadgeStanding, Provenance};
use handoff_vault::crypto_provider;
use handoff_workshop::registry::{Pulled, Reference, Registry, RegistryAccess, shelf};
use handoff_workshop::signature::{self, Trusted};
use serde_json::json;

#[derive(Args)]
pub(crate) struct Pull {
    /// oci://registry.example/team/outreach-acme:1.2, or …@sha256:…
    reference: String,
    /// An instance's configuration: its plugins folder, and whose plugins it takes
    #[arg(long, default_value = "handoff.yaml", conflicts_with = "into")]
    config: PathBuf,
    /// Another plugins folder instead, for which --key says whose plugins are taken
    #[arg(long, requires = "key")]
    into: Option<PathBuf>,
    /// A public key that must have signed it; may be given several times
    #[arg(long, requires = "into")]
    key: Vec<PathBuf>,
    #[command(flatten)]
    access: AccessFlags,
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct Push {
    /// A component with its signature beside it, as `handoff plugin sign` lays it there
    file: PathBuf,
    /// oci://registry.example/team/outreach-acme:1.2
    reference: String,
    #[command(flatten)]
    access: AccessFlags,
}

#[derive(Args)]
struct AccessFlags {
    /// Who asks the registry; the password is read from HANDOFF_REGISTRY_PASSWORD
    #[arg(long)]
    user: Option<String>,
    /// Without encryption: for a registry on this machine only
    #[arg(long)]
    plain_http: bool,
}

/// Never an argument: those are for everybody on the machine to see.
const PASSWORD: &str = "HANDOFF_REGISTRY_PASSWORD";

impl AccessFlags {
    fn read(self) -> anyhow::Result<RegistryAccess> {
        let with_password = |user| {
            let password = std::env::var(PASSWORD).with_context(|| {
                let text = format!("--user needs the password in the environment variable {PASSWORD}");
                Failure::new(ErrorCode::REGISTRY_PASSWORD, text)
            })?;
            anyhow::Ok((user, password))
        };
        Ok(RegistryAccess { user: self.user.map(with_password).transpose()?, plain_http: self.plain_http })
    }
}

/// Provenance plugins are taken, and where they go.
struct Taking {
    folder: PathBuf,
    trusted: Vec<Trusted>,
    unsigned_because: Option<String>,
}

impl Pull {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let reference: Reference = self.reference.parse()?;
        let taking = Taking::of(&self)?;
        let access = self.access.read()?;
        let pulled = asking(async { Registry::of(&reference, &access)?.pull().await })?;
        let (signature, whose) = taking.judge(&reference, &pulled)?;
        let host = Host::new(PluginLimits::default(), None)?;
        let loaded =
            host.load(&pulled.component).with_context(|| format!("{reference} is not a plugin; nothing was kept"))?;
        let path = shelf::keep(&taking.folder, &reference, &pulled, signature)?;
        let pin = reference.at(&pulled.digest).to_string();
        let tried = BadgeStanding::of(&loaded.digest().to_string(), &path);
        let label = plugin_report::read(&host, &reference.to_string(), &pulled.component, whose, tried)?;
        if self.json {
            super::print_json(&json!({ "path": path, "pin": pin, "label": label }))?;
            return Ok(ExitCode::SUCCESS);
        }
        say!("{label}");
        say!("  file     {}", path.display());
        say!("  pin      plugin: {pin}");
        Ok(ExitCode::SUCCESS)
    }
}

impl Taking {
    fn of(pull: &Pull) -> anyhow::Result<Taking> {
        if let Some(folder) = pull.into.clone() {
            let trusted = pull.key.iter().map(|path| Trusted::read(path)).collect::<Result<_, _>>()?;
            return Ok(Taking { folder, trusted, unsigned_because: None });
        }
        let catalogue = Config::read(&pull.config)?.catalogue()?;
        let folder = catalogue.folder.with_context(|| {
            let text =
                format!("{} names no plugins folder\n  help: add `plugins: plugins` to it", pull.config.display());
            Failure::new(ErrorCode::NO_PLUGINS_FOLDER, text)
        })?;
        Ok(Taking { folder, trusted: catalogue.trusted, unsigned_because: catalogue.unsigned_because })
    }

    /// The signature that somebody trusted here gave, before anything of the component runs or is kept.
    fn judge<'p>(&self, reference: &Reference, pulled: &'p Pulled) -> anyhow::Result<(Option<&'p str>, Provenance)> {
        let of = |signature: &'p String| {
            let by = signature::check(&pulled.component, Some(signature), &self.trusted).ok()?;
            Some((Some(signature.as_str()), Provenance::from(Ok(by))))
        };
        if let Some(signed) = pulled.signatures.iter().find_map(of) {
            return Ok(signed);
        }
        let any = pulled.signatures.first().map(String::as_str);
        match (signature::check(&pulled.component, any, &self.trusted), &self.unsigned_because) {
            (Ok(by), _) => Ok((any, Provenance::from(Ok(by)))),
            (Err(signature::Untrusted::Unsigned), Some(_)) => {
                Ok((None, Provenance::from(Err(signature::Untrusted::Unsigned))))
            }
            (Err(why), _) => bail!(Failure::new(
                ErrorCode::PLUGIN_UNTRUSTED,
                format!(
                    "{reference} is signed by nobody who is trusted here; nothing was kept: {why}\n  \
                     help: list its author's public key under `plugin_keys:` in the configuration, once you have it from them"
                )
            )),
        }
    }
}

impl Push {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let reference: Reference = self.reference.parse()?;
        if reference.tag().is_none() {
            let text =
                format!("{reference} names a digest, which follows from what is pushed\n  help: name a tag: …:1.2");
            bail!(Failure::new(ErrorCode::NO_TAG, text));
        }
        let file = self.file.display();
        let component = std::fs::read(&self.file).with_context(|| format!("cannot read {file}"))?;
        let beside = signature::beside(&self.file);
        let signature = std::fs::read_to_string(&beside).with_context(|| {
            let text = format!(
                "{} is not there: no instance would take {file}\n  help: handoff plugin sign {file} --key …",
                beside.display()
            );
            Failure::new(ErrorCode::NOT_SIGNED, text)
        })?;
        let host = Host::new(PluginLimits::default(), None)?;
        host.load(&component)?;
        let inspection = host.inspect(&component)?;
        let config = json!({
            "created": Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true), "architecture": "wasm", "os": "wasip2",
            "layerDigests": [format!("sha256:{}", inspection.digest)],
            "component": { "exports": inspection.exports.keys().collect::<Vec<_>>(), "imports": inspection.imports },
        });
        let (config, access) = (serde_json::to_vec(&config)?, self.access.read()?);
        let digest = asking(async { Registry::of(&reference, &access)?.push(&component, &config, &signature).await })?;
        say!("{reference}");
        say!("pin: {}", reference.at(&digest));
        Ok(ExitCode::SUCCESS)
    }
}

/// Waits for what a registry says.
fn asking<T, E>(what: impl Future<Output = Result<T, E>>) -> anyhow::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    crypto_provider::install();
    Ok(tokio::runtime::Runtime::new()?.block_on(what)?)
}
