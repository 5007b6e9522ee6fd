//! `handoff plugin`: what a component is, before anybody trusts it, and everything that making one takes.

mod author;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use handoff_host::{Host, Limits};

use super::print_json;

#[derive(Subcommand)]
pub enum Plugin {
    /// World, imports, size and digest of a component
    Inspect {
        file: PathBuf,
        #[arg(long)]
        json: bool,
    },
    /// The plugins that came with this binary
    List {
        #[arg(long)]
        json: bool,
    },
    #[command(flatten)]
    Author(author::Author),
}

impl Plugin {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let host = || Host::new(Limits::default(), None);
        match self {
            Plugin::Author(author) => return author.run(),
            Plugin::Inspect { file, json } => {
                let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
                show(&host()?, &file.display().to_string(), &bytes, json)?;
            }
            Plugin::List { json } => {
                let host = host()?;
                for plugin in handoff_bundle::plugins() {
                    show(&host, plugin.name, plugin.component, json)?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
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
