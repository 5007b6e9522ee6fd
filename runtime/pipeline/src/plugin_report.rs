//! What a plugin is and what it may do, on one label: read off the component, the workflow and the configuration, never off
//! what its author says of it. Whoever shows it, shows this.

mod grants;
mod provenance;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use handoff_host::{Host, HostError, PluginLimits, WitWorld};
use serde::{Deserialize, Serialize};

pub use self::grants::{StageGrant, checks_with};
pub use self::provenance::{BadgeStanding, Provenance};

/// One component's label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginReport {
    /// Its name in a workflow, or its file.
    pub plugin: String,
    pub stages: Vec<WitWorld>,
    /// What it imports and could act with; an instance takes none that does.
    pub imports: Vec<String>,
    pub sees: PayloadView,
    pub limits: CallLimits,
    pub whose: Provenance,
    pub tried: BadgeStanding,
    /// SHA-256 of the component.
    pub digest: String,
    pub size_bytes: usize,
    /// What a workflow lets it do; none where it is looked at by itself.
    pub posts: Vec<StageGrant>,
}

/// What of a patient reaches a plugin, by the stage that it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PayloadView {
    /// Choices, consents and plans; nothing that says whose.
    Facts,
    /// Tokens in place of what says whose. It asks the outside, and Handoff does it.
    Tokens,
    /// What came in as it came in. It asks nobody.
    Clear,
}

/// For each call, which has an instance of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallLimits {
    pub deadline_ms: u64,
    pub memory_bytes: usize,
    pub answer_bytes: usize,
}

/// Reads a component's label off its bytes.
///
/// # Errors
/// When they are no component.
pub fn read(
    host: &Host,
    plugin: &str,
    component: &[u8],
    whose: Provenance,
    tried: BadgeStanding,
) -> Result<PluginReport, HostError> {
    let inspection = host.inspect(component)?;
    let sees = inspection.worlds.iter().map(|world| sight(*world)).max().unwrap_or(PayloadView::Facts);
    Ok(PluginReport {
        plugin: plugin.to_owned(),
        stages: inspection.worlds,
        imports: inspection.imports,
        sees,
        limits: CallLimits::of(host.limits()),
        whose,
        tried,
        digest: inspection.digest,
        size_bytes: inspection.size,
        posts: Vec::new(),
    })
}

/// The label of a plugin that came with this binary.
///
/// # Errors
/// When its bytes are no component.
pub fn bundled(host: &Host, plugin: &handoff_bundle::Bundled) -> Result<PluginReport, HostError> {
    read(host, plugin.name, plugin.component, Provenance::handoff(), BadgeStanding::by_our_tests())
}

impl PluginReport {
    pub fn at(mut self, posts: impl IntoIterator<Item = StageGrant>) -> PluginReport {
        self.posts.extend(posts);
        self
    }
}

fn sight(stage: WitWorld) -> PayloadView {
    match stage {
        WitWorld::Trigger | WitWorld::Reply => PayloadView::Clear,
        WitWorld::Records | WitWorld::Outreach | WitWorld::Visit | WitWorld::Chart | WitWorld::Escalation => {
            PayloadView::Tokens
        }
        WitWorld::Channel | WitWorld::Network => PayloadView::Facts,
    }
}

impl CallLimits {
    fn of(limits: &PluginLimits) -> CallLimits {
        CallLimits {
            deadline_ms: u64::try_from(limits.deadline.as_millis()).unwrap_or(u64::MAX),
            memory_bytes: limits.memory_bytes,
            answer_bytes: limits.output_bytes,
        }
    }
}

/// A file's name without its folder and ending, as a workflow names it.
pub fn name_of(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

impl fmt::Display for PluginReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PluginReport { plugin, stages, imports, sees, limits, whose, tried, digest, size_bytes, posts } = self;
        let stages: Vec<_> = stages.iter().map(|stage| stage.name()).collect();
        writeln!(f, "{plugin}")?;
        writeln!(f, "  stage    {}", if stages.is_empty() { "none".to_owned() } else { stages.join(", ") })?;
        writeln!(f, "  imports  {}", if imports.is_empty() { "nothing".to_owned() } else { imports.join(", ") })?;
        writeln!(f, "  sees     {sees}")?;
        writeln!(f, "  limits   {limits}")?;
        writeln!(f, "  whose    {whose}")?;
        writeln!(f, "  badge    {tried}")?;
        writeln!(f, "  digest   {digest}")?;
        write!(f, "  size     {size_bytes} bytes")?;
        posts.iter().try_for_each(|post| write!(f, "\n{post}"))
    }
}

impl fmt::Display for PayloadView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PayloadView::Facts => "facts of a referral, nothing that says whose; asks nobody",
            PayloadView::Tokens => "tokens in place of patient data and secrets; what it asks for, Handoff does",
            PayloadView::Clear => "patient data in clear, as it came in; asks nobody",
        })
    }
}

impl fmt::Display for CallLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MIB: usize = 1 << 20;
        let CallLimits { deadline_ms, memory_bytes, answer_bytes } = self;
        let (memory, answer) = (memory_bytes / MIB, answer_bytes / MIB);
        let deadline = Duration::from_millis(*deadline_ms);
        write!(
            f,
            "{deadline:?}, {memory} MiB of memory and {answer} MiB of answer for each call; nothing is kept after it"
        )
    }
}
