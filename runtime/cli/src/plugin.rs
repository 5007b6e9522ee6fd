//! `handoff plugin`: what a component is, before anybody trusts it, and everything that making one takes.

mod author;
mod registry;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Subcommand;
use handoff_host::{Host, PluginLimits};
use handoff_instance::config::Config;
use handoff_instance::open::COMPONENTS;
use handoff_pipeline::deployments::{Installer, WorkflowSource};
use handoff_pipeline::plugin_report::{self, PluginReport};

use crate::print_json;

#[derive(Subcommand)]
pub(crate) enum Plugin {
    /// World, imports, size and digest of a component
    Inspect {
        file: PathBuf,
        #[arg(long)]
        json: bool,
    },
    /// The labels of the plugins that came with this binary; or, with --config, of those that an instance's workflow names,
    /// each with what it may do there
    List {
        #[arg(long)]
        config: Option<PathBuf>,
        #[arg(long)]
        json: bool,
    },
    /// Fetch a plugin from an OCI registry into the plugins folder, if somebody signed it whom Handoff trusts
    Pull(registry::Pull),
    /// Put a signed component into an OCI registry
    Push(registry::Push),
    #[command(flatten)]
    Author(author::Author),
}

impl Plugin {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let host = || Host::new(PluginLimits::default(), None);
        match self {
            Plugin::Author(author) => return author.run(),
            Plugin::Pull(pull) => return pull.run(),
            Plugin::Push(push) => return push.run(),
            Plugin::Inspect { file, json } => {
                let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
                show(&host()?, &file.display().to_string(), &bytes, json)?;
            }
            Plugin::List { config: None, json } => {
                let host = host()?;
                for plugin in handoff_bundle::plugins() {
                    tell(&plugin_report::bundled(&host, plugin)?, json)?;
                }
            }
            Plugin::List { config: Some(config), json } => {
                let config = Config::read(&config)?;
                let workflow = WorkflowSource::read(&config.workflow.file)?.parse()?;
                let installer = Installer::new(Arc::new(host()?), config.catalogue()?, config.data.join(COMPONENTS));
                let ways = config.ways()?;
                for stage in workflow.stages.iter() {
                    tell(&installer.label(stage, &ways)?, json)?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints a label, or one line of JSON.
fn tell(label: &PluginReport, json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(label);
    }
    say!("{label}");
    Ok(())
}

fn show(host: &Host, name: &str, component: &[u8], json: bool) -> anyhow::Result<()> {
    let inspection = host.inspect(component).with_context(|| format!("{name} is not a usable component"))?;
    if json {
        return print_json(&serde_json::json!({ "name": name, "inspection": inspection }));
    }
    let worlds = inspection.worlds.iter().map(|world| world.name()).collect::<Vec<_>>().join(", ");
    let imports = if inspection.imports.is_empty() { "nothing".to_string() } else { inspection.imports.join(", ") };
    say!("{name}");
    say!("  stage    {worlds}");
    say!("  imports  {imports}");
    say!("  size     {} bytes", inspection.size);
    say!("  digest   {}", inspection.digest);
    Ok(())
}
