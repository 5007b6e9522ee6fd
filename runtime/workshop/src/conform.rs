//! A kit for each stage: what every plugin of it must do, whichever vendor it speaks to. What it finds is written down
//! under the component's digest, so that a clinic sees which bytes were tried.

mod every;
mod outreach;
mod reply;

use handoff_host::{Answer, Call, Fault, Host, Plugin, World};
use serde::{Deserialize, Serialize};

/// Changes when a kit asks for more: an older badge says less.
pub const KIT: u32 = 1;

/// One promise, and whether the plugin kept it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub promise: String,
    /// What was seen instead; absent when it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
}

/// What a kit found of one component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Badge {
    /// Of the component, SHA-256.
    pub digest: String,
    pub stage: World,
    pub kit: u32,
    pub findings: Vec<Finding>,
}

impl Badge {
    pub fn is_earned(&self) -> bool {
        self.findings.iter().all(|finding| finding.broken.is_none())
    }
}

/// What a kit has at hand: the plugin, the settings that its author gives it, and the calls that they wrote.
struct Bench<'a> {
    host: &'a Host,
    plugin: &'a Plugin,
    settings: String,
    calls: &'a [Call],
    findings: Vec<Finding>,
}

impl Bench<'_> {
    fn ask(&self, call: &Call) -> Result<Answer, Fault> {
        self.host.call(self.plugin, call)
    }

    fn note(&mut self, promise: &str, kept: Result<(), String>) {
        self.findings.push(Finding { promise: promise.to_owned(), broken: kept.err() });
    }
}

/// Tries a plugin as one of `stage`. `calls` are its author's own cases: their settings are taken, and what only the
/// author can know, as the vendor's callbacks.
pub fn conform(host: &Host, plugin: &Plugin, stage: World, calls: &[Call]) -> Badge {
    let settings = calls.iter().find_map(settings_of).unwrap_or_else(|| "{}".to_owned());
    let mut bench = Bench { host, plugin, settings, calls, findings: Vec::new() };
    every::try_out(&mut bench, stage);
    match stage {
        World::Outreach => outreach::try_out(&mut bench),
        World::Reply => reply::try_out(&mut bench),
        // What these must do is said by the workflow's scenarios and by their own cases.
        World::Trigger
        | World::Records
        | World::Channel
        | World::Network
        | World::Visit
        | World::Chart
        | World::Escalation => {}
    }
    Badge { digest: plugin.digest().to_string(), stage, kit: KIT, findings: bench.findings }
}

/// The settings that a call takes along.
fn settings_of(call: &Call) -> Option<String> {
    let value = serde_json::to_value(call).ok()?;
    value["arguments"]["settings"].as_str().map(str::to_owned)
}

/// The same call with other settings.
fn with_settings(call: &Call, settings: &str) -> Option<Call> {
    let mut value = serde_json::to_value(call).ok()?;
    let place = value.get_mut("arguments")?.get_mut("settings")?;
    *place = settings.into();
    serde_json::from_value(value).ok()
}
