//! `handoff doctor`: everything that can be wrong with a set-up, looked at before patients depend on it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::Args;
use handoff_clock::SystemClock;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_host::{Host, PluginLimits};
use handoff_identity::oidc::Oidc;
use handoff_ingress::listener::Listener;
use handoff_instance::config::Config;
use handoff_instance::open::{COMPONENTS, InstanceParts};
use handoff_instance::source_protection;
use handoff_pipeline::deployments::{Installed, Installer, Keep, WorkflowSource, installer};
use handoff_store::View;
use handoff_store::index::Deployed;
use handoff_vault::secrets::Secrets;
use handoff_vault::system_dice;
use tokio::runtime::Runtime;

use crate::print_json;
use crate::report::reported;

/// Before this the clock is certainly wrong: it is older than this release.
const RELEASED: Duration = Duration::from_secs(1_790_000_000);

#[derive(Args)]
pub(crate) struct Doctor {
    #[arg(long, default_value = "handoff.yaml")]
    config: PathBuf,
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Finding {
    what: String,
    fault: Option<String>,
}

impl Doctor {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let asking = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let findings = examine(&self.config, &asking);
        let faults = findings.iter().filter(|finding| finding.fault.is_some()).count();
        if self.json {
            print_json(&findings)?;
        } else {
            for Finding { what, fault } in &findings {
                match fault {
                    None => say!("  ✓ {what}"),
                    Some(fault) => say!("  ✗ {what}\n      {}", fault.replace('\n', "\n      ")),
                }
            }
            say!("{}", if faults == 0 { "all well".to_string() } else { format!("{faults} fault(s)") });
        }
        Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn examine(path: &std::path::Path, asking: &Runtime) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut look = |what: String, result: Result<(), String>| {
        let well = result.is_ok();
        findings.push(Finding { what, fault: result.err() });
        well
    };
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let late = (since < RELEASED).then(|| {
        let text =
            "the clock is years behind\n  help: set it, and have it kept: signatures and quiet hours depend on it";
        told(&Failure::new(ErrorCode::CLOCK, text).into())
    });
    look("clock".into(), late.map_or(Ok(()), Err));
    let config = match Config::read(path) {
        Ok(config) => config,
        Err(error) => {
            look("configuration".into(), Err(told(&error.into())));
            return findings;
        }
    };
    look("configuration".into(), Ok(()));
    let plan = InstanceParts::from_config(&config, Arc::new(SystemClock));
    look("keys and secrets".into(), plan.as_ref().map(drop).map_err(told));
    match workflow(&config) {
        Ok((host, installed)) => {
            look("workflow and plugins".into(), Ok(()));
            let protected = source_protection::check(&config.listen, &installed, &host);
            look("who may speak for each source".into(), protected.map_err(|error| told(&error.into())));
        }
        Err(error) => {
            look("workflow and plugins".into(), Err(told(&error)));
        }
    }
    look("the workflow named is in force".into(), in_force(&config).map_err(|error| told(&error)));
    let mllp = config.listen.mllp.iter().map(|it| (it.source.as_str(), it.address, it.guard()));
    let http = config.listen.http.iter().map(|it| ("http", it.address, it.guard()));
    let api = config.listen.api.iter().map(|it| ("api", it.address, it.guard()));
    for (name, address, guard) in mllp.chain(http).chain(api) {
        let listener = Listener::open(name, address, &guard).map(drop);
        look(format!("listener {name}"), listener.map_err(|error| told(&error.into())));
        let bound = std::net::TcpListener::bind(address).map(|_| ());
        let taken = |error| {
            let text = format!("cannot listen on {address}; is this instance running already?");
            told(&anyhow::Error::new(error).context(Failure::new(ErrorCode::CANNOT_LISTEN, text)))
        };
        look(format!("listen on {address}"), bound.map_err(taken));
    }
    if config.people.oidc.is_some() {
        look("directory that people sign in with".into(), directory(&config).map_err(|error| told(&error)));
    }
    for (name, endpoint) in &config.endpoints {
        let silent = |why| {
            let text = format!("nothing answers at {}: {why}", endpoint.url);
            told(&Failure::new(ErrorCode::ENDPOINT_SILENT, text).into())
        };
        look(format!("endpoint {name} ({})", endpoint.url), reachable(asking, &plan, name).map_err(silent));
        if endpoint.baa.is_none() {
            let text = format!(
                "no agreement is named, so no patient data goes there\n  \
                 help: write in the configuration:\n    endpoints:\n      {name}:\n        baa:\n          \
                 reference: the agreement's number"
            );
            let fault = told(&Failure::new(ErrorCode::NO_AGREEMENT, text).into());
            look(format!("endpoint {name}: business associate agreement"), Err(fault));
        }
    }
    findings
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
fn reachable(asking: &Runtime, plan: &anyhow::Result<InstanceParts>, endpoint: &str) -> Result<(), String> {
    let Ok(plan) = plan else { return Err("not asked: what `keys and secrets` names comes first".into()) };
    asking.block_on(plan.egress.reachable(endpoint)).map_err(|error| error.to_string())
}

fn told(error: &anyhow::Error) -> String {
    reported(error).to_string()
}
