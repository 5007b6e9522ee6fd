//! `handoff doctor`: everything that can be wrong with a set-up, looked at before patients depend on it.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use handoff_clock::SystemClock;
use handoff_egress::endpoint::Baa;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_host::{Host, PluginLimits};
use handoff_identity::oidc::Oidc;
use handoff_ingress::listener::Listener;
use handoff_instance::config::Config;
use handoff_instance::open::{COMPONENTS, InstanceParts};
use handoff_instance::{certificates, signing_key, source_protection};
use handoff_operations::control_socket::ControlClient;
use handoff_operations::disk;
use handoff_operations::operations::Operator;
use handoff_operations::pauses::ListPauses;
use handoff_pipeline::deployments::{Installed, Installer, Keep, WorkflowSource, installer};
use handoff_pipeline::pauses::PauseState;
use handoff_pipeline::plugin_report::checks_with;
use handoff_store::View;
use handoff_store::index::Deployed;
use handoff_vault::secrets::Secrets;
use handoff_vault::{KEYRING_FILE, Vault, system_dice};
use tokio::runtime::Runtime;

use crate::print_json;
use crate::report::reported;

/// Before this the clock is certainly wrong: it is older than this release.
const RELEASED: Duration = Duration::from_secs(1_790_000_000);

/// So long before something ends, it is told.
const SOON: TimeDelta = TimeDelta::days(30);

/// With less the journal stops before anybody has slept over it: a busy practice writes some megabytes a day.
const FREE_BYTES_MIN: u64 = 1024 * 1024 * 1024;

/// Exit codes as monitoring takes them (Nagios plug-in guidelines): 0 all well, 1 something will need care, 2 a fault.
#[derive(Args)]
pub(crate) struct Doctor {
    #[arg(long, default_value = "handoff.yaml")]
    config: PathBuf,
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    Well,
    /// It works today.
    Warning,
    Fault,
}

#[derive(serde::Serialize)]
struct Finding {
    what: String,
    health: Health,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

/// What was looked at, in order.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn look(&mut self, what: impl Into<String>, result: anyhow::Result<()>) {
        let fault = result.err().map(|error| reported(&error).to_string());
        let health = if fault.is_some() { Health::Fault } else { Health::Well };
        self.0.push(Finding { what: what.into(), health, fault });
    }

    fn warn(&mut self, what: impl Into<String>, told: impl Into<String>) {
        self.0.push(Finding { what: what.into(), health: Health::Warning, fault: Some(told.into()) });
    }
}

impl Doctor {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let asking = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let Findings(findings) = examine(&self.config, &asking);
        let count = |health| findings.iter().filter(|finding| finding.health == health).count();
        let (warnings, faults) = (count(Health::Warning), count(Health::Fault));
        if self.json {
            print_json(&findings)?;
        } else {
            for Finding { what, health, fault } in &findings {
                let sign = match health {
                    Health::Well => '✓',
                    Health::Warning => '!',
                    Health::Fault => '✗',
                };
                match fault {
                    None => say!("  {sign} {what}"),
                    Some(fault) => say!("  {sign} {what}\n      {}", fault.replace('\n', "\n      ")),
                }
            }
            match (faults, warnings) {
                (0, 0) => say!("all well"),
                (0, _) => say!("{warnings} warning(s)"),
                (_, _) => say!("{faults} fault(s), {warnings} warning(s)"),
            }
        }
        Ok(match (faults, warnings) {
            (0, 0) => ExitCode::SUCCESS,
            (0, _) => ExitCode::from(1),
            (_, _) => ExitCode::from(2),
        })
    }
}

fn examine(path: &Path, asking: &Runtime) -> Findings {
    let mut findings = Findings::default();
    findings.look("clock", clock());
    let config = match Config::read(path) {
        Ok(config) => config,
        Err(error) => {
            findings.look("configuration", Err(error.into()));
            return findings;
        }
    };
    findings.look("configuration", Ok(()));
    findings.look(format!("numbers and addresses without a country are of {}", config.country.code()), Ok(()));
    let running = asking.block_on(ControlClient::connect(&config.data)).ok().flatten();
    let parts = InstanceParts::from_config(&config, Arc::new(SystemClock));
    // The error is told here, and what it stands in the way of below.
    let (parts, told) = match parts {
        Ok(parts) => (Some(parts), Ok(())),
        Err(error) => (None, Err(error)),
    };
    findings.look("keys and secrets", told);
    data_folder(&mut findings, &config, running.is_some());
    match workflow(&config) {
        Ok((host, installed)) => {
            findings.look("workflow and plugins", Ok(()));
            let protected = source_protection::check(&config.listen, &installed, &host);
            findings.look("who may speak for each source", protected.map_err(Into::into));
            needs(&mut findings, &config, &installed, &host);
        }
        Err(error) => findings.look("workflow and plugins", Err(error)),
    }
    findings.look("the workflow named is in force", in_force(&config));
    listeners(&mut findings, &config, running.is_some());
    if let Some(listed) = &config.outreach.test_recipients {
        let text = format!(
            "only {} test recipient(s) are written to, and no patient\n  \
             help: take `outreach: test_recipients:` out of the configuration to go live",
            listed.len()
        );
        findings.warn("outreach", text);
    }
    if config.people.oidc.is_some() {
        findings.look("directory that people sign in with", directory(&config));
    }
    for (name, endpoint) in &config.endpoints {
        let what = format!("endpoint {name} ({})", endpoint.url);
        findings.look(what, reachable(asking, parts.as_ref(), name, &endpoint.url));
        agreement(&mut findings, name, endpoint.baa.as_ref());
    }
    if let Some(client) = running {
        brake(&mut findings, asking, &client);
    }
    findings
}

fn clock() -> anyhow::Result<()> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let text = "the clock is years behind\n  help: set it, and have it kept: signatures and quiet hours depend on it";
    ensure!(since >= RELEASED, Failure::new(ErrorCode::CLOCK, text));
    Ok(())
}

/// What lies there already: that the keys fit it, that nobody else reads it, and that there is room.
fn data_folder(findings: &mut Findings, config: &Config, is_running: bool) {
    if !config.data.exists() {
        return;
    }
    let mode = std::fs::metadata(&config.data).map(|data| data.permissions().mode() & 0o077);
    if mode.is_ok_and(|others| others != 0) {
        let data = config.data.display();
        findings.warn("data folder", format!("others of this machine can look into {data}\n  help: chmod 700 {data}"));
    }
    if let Some(free) = disk::free_bytes(&config.data).filter(|free| *free < FREE_BYTES_MIN) {
        let text = format!("{} MiB are free; the journal stops where none are", free / (1024 * 1024));
        findings.warn("disk", text);
    }
    if !is_running && config.data.join("journal").exists() {
        findings.look("the keys fit the journal and the vault", keys_fit(config));
    }
}

fn keys_fit(config: &Config) -> anyhow::Result<()> {
    let signing = signing_key::signing(&config.keys.signing, &config.data)?;
    let text = format!(
        "{} is not the key that signs the journal in {}\n  \
         help: put the signing key of this instance back; a backup holds it, and `handoff restore --config` takes it out",
        config.keys.signing.display(),
        config.data.display()
    );
    let is_in_force = signing_key::is_in_force(&signing, &config.data)?;
    ensure!(is_in_force, Failure::new(ErrorCode::OTHER_SIGNING_KEY, text));
    if config.data.join(KEYRING_FILE).exists() {
        let taken = View::open(&config.data)?.index().key_slots_taken()?;
        Vault::open(&config.data, config.master_key()?, system_dice(), taken)?;
    }
    Ok(())
}

/// What the workflow names has to be in the configuration: the first letter finds out otherwise.
fn needs(findings: &mut Findings, config: &Config, installed: &Installed, host: &Host) {
    for stage in installed.workflow().stages.iter() {
        for endpoint in stage.endpoints.iter().filter(|endpoint| !config.endpoints.contains_key(*endpoint)) {
            let text = format!(
                "the workflow asks endpoint `{endpoint}`, which the configuration does not have\n  \
                 help: add it under `endpoints:`"
            );
            findings.look(format!("stage {}", stage.key), Err(Failure::new(ErrorCode::NO_SUCH_ENDPOINT, text).into()));
        }
        let Ok(plugin) = installed.plugin(&stage.key) else { continue };
        let checked = checks_with(host, plugin, &installed.settings(&stage.key).unwrap_or_default());
        for secret in checked.iter().filter(|secret| !config.secrets.contains_key(*secret)) {
            let text = format!(
                "signatures are checked with the secret {secret}, which is not among `secrets:`\n  \
                 help: add it there: `{secret}: {{ file: keys/{secret} }}`"
            );
            findings.look(format!("stage {}", stage.key), Err(Failure::new(ErrorCode::NO_SUCH_SECRET, text).into()));
        }
    }
    let read: Vec<&str> = config.listen.mllp.iter().map(|listener| listener.source.as_str()).collect();
    let taken = config.listen.http.iter().flat_map(|listener| &listener.sources).map(|it| it.source.as_str());
    let read: BTreeSet<&str> = read.into_iter().chain(taken).collect();
    for (source, _) in installed.workflow().stages.trigger.iter().filter(|(name, _)| !read.contains(name.as_str())) {
        findings.warn(format!("source {source}"), "the workflow reads it, and no listener takes it in");
    }
}

fn listeners(findings: &mut Findings, config: &Config, is_running: bool) {
    let mllp = config.listen.mllp.iter().map(|it| (it.source.as_str(), it.address, it.guard()));
    let http = config.listen.http.iter().map(|it| ("http", it.address, it.guard()));
    let api = config.listen.api.iter().map(|it| ("api", it.address, it.guard()));
    for (name, address, protection) in mllp.chain(http).chain(api) {
        findings
            .look(format!("listener {name}"), Listener::open(name, address, &protection).map(drop).map_err(Into::into));
        if let Some(tls) = &protection.tls
            && let Ok(ends) = certificates::ends(&tls.certificate)
        {
            ending(findings, format!("listener {name}: certificate"), ends);
        }
        // The running instance listens there.
        if !is_running {
            let text = || format!("cannot listen on {address}; is another program using it?");
            let bound = std::net::TcpListener::bind(address).map(drop);
            let bound = bound.with_context(|| Failure::new(ErrorCode::CANNOT_LISTEN, text()));
            findings.look(format!("listen on {address}"), bound);
        }
    }
    let urls = config.listen.http.iter().map(|it| ("http", &it.public_url));
    for (name, url) in urls.chain(config.listen.api.iter().map(|it| ("api", &it.public_url))) {
        if let Some(url) = url {
            let is_address = url::Url::parse(url).is_ok_and(|url| ["http", "https"].contains(&url.scheme()));
            let text = format!("{url:?} is no address\n  help: write it as `public_url: https://handoff.example.org`");
            let told = is_address.then_some(()).ok_or_else(|| Failure::new(ErrorCode::CONFIG_MALFORMED, text).into());
            findings.look(format!("listener {name}: public_url"), told);
        }
    }
}

fn ending(findings: &mut Findings, what: String, ends: DateTime<Utc>) {
    let (now, day) = (Utc::now(), ends.format("%Y-%m-%d"));
    if ends <= now {
        let text = format!("it ended on {day}");
        findings.look(what, Err(Failure::new(ErrorCode::LISTENER_CERTIFICATE, text).into()));
    } else if ends - now < SOON {
        findings.warn(what, format!("it ends on {day}"));
    }
}

fn agreement(findings: &mut Findings, name: &str, baa: Option<&Baa>) {
    let what = format!("endpoint {name}: business associate agreement");
    match baa {
        None => {
            let text = format!(
                "no agreement is named, so no patient data goes there\n  \
                 help: write in the configuration:\n    endpoints:\n      {name}:\n        baa:\n          \
                 reference: the agreement's number"
            );
            findings.look(what, Err(Failure::new(ErrorCode::NO_AGREEMENT, text).into()));
        }
        Some(Baa { reference, .. }) if reference.starts_with("fill in") => {
            let text = "its reference is still what `handoff init` wrote\n  help: write the agreement's number there";
            findings.look(what, Err(Failure::new(ErrorCode::NO_AGREEMENT, text).into()));
        }
        Some(Baa { expires: Some(last), .. }) => {
            let today = Utc::now().date_naive();
            if *last < today {
                let text = format!("it ended with {last}, and no patient data goes there any more");
                findings.look(what, Err(Failure::new(ErrorCode::AGREEMENT_EXPIRED, text).into()));
            } else if *last - today < SOON {
                findings.warn(what, format!("it ends with {last}"));
            }
        }
        Some(Baa { expires: None, .. }) => {}
    }
}

/// The running instance itself says what holds its letters back.
fn brake(findings: &mut Findings, asking: &Runtime, client: &ControlClient) {
    let operator = Operator { who: "doctor".into(), role: None, why: "to see what is paused".into() };
    match asking.block_on(client.ask(operator, ListPauses {})) {
        Ok(PauseState { pauses, clock, parked: _ }) => {
            for pause in pauses {
                let text = format!("{}\n  help: `handoff pauses` says more", pause.why);
                findings.warn(format!("{} paused ({})", pause.scope, pause.cause), text);
            }
            if let Some(doubt) = clock {
                let text = format!("it is {} s off by {}", doubt.off_seconds, doubt.witness);
                findings.look("clock of the running instance", Err(Failure::new(ErrorCode::CLOCK, text).into()));
            }
        }
        Err(error) => findings.look("the running instance", Err(error)),
    }
}

/// Whether it could be asked; nobody is asked.
fn directory(config: &Config) -> anyhow::Result<()> {
    let Some(oidc) = &config.people.oidc else { return Ok(()) };
    let public_url = config.listen.api.as_ref().and_then(|api| api.public_url.as_deref());
    Oidc::new(oidc.clone(), &Secrets::read(&config.secrets)?, public_url, system_dice())?;
    Ok(())
}

fn workflow(config: &Config) -> anyhow::Result<(Arc<Host>, Installed)> {
    let host = Arc::new(Host::new(PluginLimits::default(), None)?);
    let installer = Installer::new(Arc::clone(&host), config.catalogue()?, config.data.join(COMPONENTS));
    let installed = installer.install(&WorkflowSource::read(&config.workflow.file)?, Keep::No)?;
    Ok((host, installed))
}

/// Whether what is in force is what the configuration names. An instance that was never opened has nothing in force.
fn in_force(config: &Config) -> anyhow::Result<()> {
    let Ok(view) = View::open(&config.data) else { return Ok(()) };
    let known = view.index().deployments()?;
    let Some(last) = Deployed::in_force(&known) else { return Ok(()) };
    let named = installer::pin(WorkflowSource::read(&config.workflow.file)?.parse()?, config.plugins.clone())?;
    if named.digest == last.deployment {
        return Ok(());
    }
    let text = format!(
        "in force is deployment {}, since {} by {}: {}\n\
         help: `handoff workflow plan {}` says what the file would change, `handoff workflow apply` puts it in force",
        last.deployment.short(),
        last.at.format("%Y-%m-%d %H:%M"),
        last.who,
        last.why,
        config.workflow.file.display()
    );
    Err(Failure::new(ErrorCode::NOT_IN_FORCE, text).into())
}

/// Asks the way out itself: whoever it may not reach is not reached from here either.
fn reachable(asking: &Runtime, parts: Option<&InstanceParts>, endpoint: &str, url: &str) -> anyhow::Result<()> {
    let silent = |why: String| Failure::new(ErrorCode::ENDPOINT_SILENT, format!("nothing answers at {url}: {why}"));
    let parts = parts.ok_or_else(|| silent("not asked: what `keys and secrets` names comes first".into()))?;
    Ok(asking.block_on(parts.egress.reachable(endpoint)).map_err(|error| silent(error.to_string()))?)
}
