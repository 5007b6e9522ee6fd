//! What an author does with a plugin, from the first line to the signature. The workshop does it; here it is asked for
//! and told.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_host::{Call, Host, PluginLimits, WitWorld};
use handoff_instance::config::Config;
use handoff_pipeline::deployments::WorkflowSource;
use handoff_pipeline::plugin_report;
use handoff_pipeline::plugin_report::{BadgeStanding, Provenance, StageGrant};
use handoff_workshop::conform::{self, Badge};
use handoff_workshop::signature::{self, Trusted};
use handoff_workshop::{Case, CaseVerdict, PluginLanguage, Project};

#[derive(Subcommand)]
pub(crate) enum Author {
    /// Begin a plugin: a folder with the contract, a plugin that builds, and its first case
    New(New),
    /// Build the plugin of a folder into a component that imports nothing
    Build(Folder),
    /// Show a component's label, checked as Handoff will; with --key whose it is, with --config what it may do there
    Check(Check),
    /// Run the folder's cases: cases/NAME.in is a call, cases/NAME.expect its answer
    Test(Test),
    /// Run one call by hand and show the answer
    Run(Run),
    /// Time a case, each call in a fresh instance as Handoff does it
    Bench(Bench),
    /// Try the plugin with its stage's kit, and write down what was found under its digest
    Conform(Folder),
    /// Make a pair of keys to sign plugins with
    Key {
        /// Where the secret key goes; the public one lies beside it, as FILE.pub
        file: PathBuf,
    },
    /// Sign a component: NAME.wasm.minisig is laid beside it
    Sign(Sign),
}

#[derive(Args)]
pub(crate) struct New {
    name: String,
    /// trigger, records, channel, outreach, reply, network, visit, chart or escalation
    #[arg(long, value_parser = stage)]
    stage: WitWorld,
    /// rust, js or python
    #[arg(long, value_parser = language, default_value = "rust")]
    lang: PluginLanguage,
    /// The folder to make it in
    #[arg(long, default_value = ".")]
    r#in: PathBuf,
}

#[derive(Args)]
pub(crate) struct Folder {
    /// The plugin's folder
    #[arg(default_value = ".")]
    folder: PathBuf,
}

#[derive(Args)]
pub(crate) struct Check {
    file: PathBuf,
    /// A public key that must have signed it; may be given several times
    #[arg(long)]
    key: Vec<PathBuf>,
    /// An instance's configuration: its keys are trusted too, and its workflow says what the plugin may do
    #[arg(long)]
    config: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct Test {
    #[command(flatten)]
    at: Folder,
    /// Take the answers as right from now on
    #[arg(long)]
    bless: bool,
}

#[derive(Args)]
pub(crate) struct Run {
    component: PathBuf,
    /// A call in JSON, as in cases/NAME.in or in the journal's `decided` records
    call: PathBuf,
}

#[derive(Args)]
pub(crate) struct Bench {
    #[command(flatten)]
    at: Folder,
    /// The case to time; the first one unless said
    #[arg(long)]
    case: Option<String>,
    #[arg(long, default_value = "3")]
    seconds: u64,
}

#[derive(Args)]
pub(crate) struct Sign {
    component: PathBuf,
    /// A minisign secret key without a password, as `handoff plugin key` makes it
    #[arg(long)]
    key: PathBuf,
}

/// Compiled once, so that a language runtime costs its half minute once.
const COMPILED: &str = "target/compiled";

impl Author {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Author::New(new) => new.run(),
            Author::Build(at) => at.build(),
            Author::Check(check) => check.run(),
            Author::Test(test) => test.run(),
            Author::Run(run) => run.run(),
            Author::Bench(bench) => bench.run(),
            Author::Conform(at) => at.conform(),
            Author::Key { file } => key(&file),
            Author::Sign(sign) => sign.run(),
        }
    }
}

impl New {
    fn run(self) -> anyhow::Result<ExitCode> {
        let (project, source) = handoff_workshop::begin(&self.r#in, &self.name, self.stage, self.lang)?;
        let folder = project.folder.display();
        say!("{folder} is begun:");
        say!("  1. write {}; {folder}/wit says what each function is for", source.display());
        say!("  2. handoff plugin build {folder}");
        say!("  3. handoff plugin test {folder}");
        say!("  4. handoff plugin conform {folder}");
        Ok(ExitCode::SUCCESS)
    }
}

impl Folder {
    fn project(&self) -> anyhow::Result<Project> {
        Ok(Project::open(&self.folder)?)
    }

    fn build(&self) -> anyhow::Result<ExitCode> {
        let component = handoff_workshop::build(&self.project()?)?;
        super::show(
            &Host::new(PluginLimits::default(), None)?,
            &component.display().to_string(),
            &read(&component)?,
            false,
        )?;
        Ok(ExitCode::SUCCESS)
    }

    fn conform(&self) -> anyhow::Result<ExitCode> {
        let project = self.project()?;
        let (host, plugin) = load(&project)?;
        let calls: Vec<Call> = Case::all(&project)?.into_iter().map(|case| case.call).collect();
        let badge = conform::conform(&host, &plugin, project.stage, &calls);
        for finding in &badge.findings {
            match &finding.broken {
                None => say!("  ✓ {}", finding.promise),
                Some(broken) => say!("  ✗ {}\n      {broken}", finding.promise),
            }
        }
        if !badge.is_earned() {
            return Ok(ExitCode::FAILURE);
        }
        say!("badge: {}", award(&project, &badge)?.display());
        Ok(ExitCode::SUCCESS)
    }
}

impl Check {
    fn run(self) -> anyhow::Result<ExitCode> {
        let bytes = read(&self.file)?;
        let host = Host::new(PluginLimits::default(), None)?;
        let config = self.config.as_deref().map(Config::read).transpose()?;
        let mut trusted = self.key.iter().map(|path| Trusted::read(path)).collect::<Result<Vec<_>, _>>()?;
        if let Some(config) = &config {
            trusted.extend(config.catalogue()?.trusted);
        }
        let is_ours = handoff_bundle::plugins().iter().any(|bundled| bundled.component == bytes);
        let (whose, tried) = match is_ours {
            true => (Provenance::handoff(), BadgeStanding::by_our_tests()),
            false => {
                let digest = handoff_host::ComponentDigest::of(&bytes).to_string();
                (Provenance::of(&bytes, &self.file, &trusted), BadgeStanding::of(&digest, &self.file))
            }
        };
        let mut label = plugin_report::read(&host, &self.file.display().to_string(), &bytes, whose, tried)?;
        let loaded = host.load(&bytes);
        if let (Ok(plugin), Some(config)) = (&loaded, &config) {
            let (name, ways) = (plugin_report::name_of(&self.file), config.ways()?);
            let workflow = WorkflowSource::read(&config.workflow.file)?.parse()?;
            let stages = workflow.stages.iter().filter(|stage| stage.plugin == name);
            label = label.at(stages.map(|stage| StageGrant::of(&host, plugin, stage, &ways)));
        }
        super::tell(&label, self.json)?;
        loaded?;
        match label.whose {
            Provenance::Nobodys { why } if !trusted.is_empty() => {
                bail!(Failure::new(
                    ErrorCode::PLUGIN_UNTRUSTED,
                    format!("{} is not to be trusted: {why}", self.file.display())
                ))
            }
            Provenance::Nobodys { .. }
            | Provenance::Handoffs { .. }
            | Provenance::SignedBy { .. }
            | Provenance::Unchecked => Ok(ExitCode::SUCCESS),
        }
    }
}

impl Test {
    fn run(self) -> anyhow::Result<ExitCode> {
        let project = self.at.project()?;
        let (host, plugin) = load(&project)?;
        let mut failed = 0;
        for case in Case::all(&project)? {
            match case.judge(&host, &plugin)? {
                CaseVerdict::AsExpected => say!("  ✓ {}", case.name),
                CaseVerdict::NothingExpected { found } | CaseVerdict::Otherwise { found, .. } if self.bless => {
                    case.bless(&found)?;
                    say!("  ✓ {}, blessed", case.name);
                }
                CaseVerdict::NothingExpected { found } => {
                    failed += 1;
                    say!("  ✗ {}: nothing is expected; --bless takes this:\n{found}", case.name);
                }
                CaseVerdict::Otherwise { expected, found } => {
                    failed += 1;
                    say!("  ✗ {}\n{}", case.name, difference(&expected, &found));
                }
            }
        }
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Run {
    fn run(self) -> anyhow::Result<ExitCode> {
        let host = Host::new(PluginLimits::default(), None)?;
        let plugin = host.load(&read(&self.component)?)?;
        let case = Case::read(&self.call)?;
        let answer = host.call(&plugin, &case.call)?;
        say!("{} of {}", case.call.function(), plugin.digest());
        say!("{}", serde_json::to_string_pretty(&answer)?);
        Ok(ExitCode::SUCCESS)
    }
}

impl Bench {
    fn run(self) -> anyhow::Result<ExitCode> {
        let project = self.at.project()?;
        let (host, plugin) = load(&project)?;
        let cases = Case::all(&project)?;
        let wanted = |case: &&Case| self.case.as_ref().is_none_or(|name| *name == case.name);
        let case = cases.iter().find(wanted).context(Failure::new(ErrorCode::CASE, "the project has no such case"))?;
        let pace = handoff_workshop::pace(&host, &plugin, &case.call, Duration::from_secs(self.seconds))?;
        say!("{}: {} calls, p50 {:?}, p99 {:?}", case.name, pace.calls, pace.p50, pace.p99);
        Ok(ExitCode::SUCCESS)
    }
}

impl Sign {
    fn run(self) -> anyhow::Result<ExitCode> {
        let bytes = read(&self.component)?;
        let name = self.component.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let signed = signature::sign(&bytes, &name, &self.key)?;
        let path = signature::beside(&self.component);
        std::fs::write(&path, signed).with_context(|| format!("cannot write {}", path.display()))?;
        say!("{}", path.display());
        Ok(ExitCode::SUCCESS)
    }
}

fn key(file: &Path) -> anyhow::Result<ExitCode> {
    let public = signature::establish(file)?;
    say!("{}: keep it secret", file.display());
    say!("{}: give it to clinics, who list it under `plugin_keys:` in their configuration", public.display());
    Ok(ExitCode::SUCCESS)
}

/// A badge lies under the digest of what it was given for.
fn award(project: &Project, badge: &Badge) -> anyhow::Result<PathBuf> {
    let path = project.folder.join("badges").join(format!("{}.json", badge.digest));
    let written = || {
        std::fs::create_dir_all(path.with_file_name(""))?;
        std::fs::write(&path, serde_json::to_string_pretty(badge)? + "\n")
    };
    written().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn load(project: &Project) -> anyhow::Result<(Host, handoff_host::Plugin)> {
    let component = project.component();
    let bytes = std::fs::read(&component).with_context(|| {
        let text =
            format!("{} is not built\n  help: handoff plugin build {}", component.display(), project.folder.display());
        Failure::new(ErrorCode::NOT_BUILT, text)
    })?;
    let host = Host::new(PluginLimits::default(), Some(&project.folder.join(COMPILED)))?;
    let plugin = host.load(&bytes)?;
    Ok((host, plugin))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Line by line what is missing and what came instead.
fn difference(expected: &str, found: &str) -> String {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (expected, found) = (lines(expected), lines(found));
    let only = |sign: char, these: &[String], those: &[String]| {
        these.iter().filter(|line| !those.contains(line)).map(|line| format!("    {sign} {line}\n")).collect::<String>()
    };
    only('-', &expected, &found) + &only('+', &found, &expected)
}

fn stage(word: &str) -> Result<WitWorld, String> {
    let names = || WitWorld::ALL.iter().map(|stage| stage.name()).collect::<Vec<_>>().join(", ");
    word.parse().map_err(|_| format!("the stages are {}", names()))
}

fn language(word: &str) -> Result<PluginLanguage, String> {
    let names = || PluginLanguage::ALL.iter().map(|it| it.name()).collect::<Vec<_>>().join(", ");
    word.parse().map_err(|_| format!("languages are {}", names()))
}
