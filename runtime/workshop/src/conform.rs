//! A kit for each stage: what every plugin of it must do, whichever vendor or dialect it speaks. What it finds is written
//! down under the component's digest, so that a clinic sees which bytes were tried. A kit asks for what `wit/` says and no
//! more; where only the author knows how the other side talks, it plays the author's own cases.

mod channel;
mod chart;
mod escalation;
mod every;
mod network;
mod outreach;
mod records;
mod reply;
mod token;
mod trigger;
mod turn;
mod visit;

use handoff_host::{Answer, Call, Fault, Host, Plugin, WitWorld};
use serde::{Deserialize, Serialize};

/// Changes when a kit asks for more: an older badge says less. With 2, every stage has a kit of its own.
pub const KIT: u32 = 2;

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
    pub stage: WitWorld,
    pub kit: u32,
    pub findings: Vec<Finding>,
}

impl Badge {
    pub fn is_earned(&self) -> bool {
        self.findings.iter().all(|finding| finding.broken.is_none())
    }
}

/// Who is tried: a plugin in its sandbox, or in a test of the kits one that breaks a promise on purpose.
pub type Subject<'a> = &'a dyn Fn(&Call) -> Result<Answer, Fault>;

/// What a kit has at hand: the plugin, the settings that its author gives it, and the calls that they wrote.
struct Bench<'a> {
    subject: Subject<'a>,
    stage: WitWorld,
    settings: String,
    calls: &'a [Call],
    findings: Vec<Finding>,
}

impl Bench<'_> {
    fn ask(&self, call: &Call) -> Result<Answer, Fault> {
        (self.subject)(call)
    }

    /// As [`Bench::ask`], a call without an answer in words.
    fn answer(&self, call: &Call) -> Result<Answer, String> {
        self.ask(call).map_err(|fault| format!("it {} in {}", fault.kind, fault.function))
    }

    fn note(&mut self, promise: &str, kept: Result<(), String>) {
        self.findings.push(Finding { promise: promise.to_owned(), broken: kept.err() });
    }
}

/// Tries a plugin as one of `stage`. `calls` are its author's own cases: their settings are taken, and what only the
/// author can know, as the vendor's answers and callbacks.
pub fn conform(host: &Host, plugin: &Plugin, stage: WitWorld, calls: &[Call]) -> Badge {
    let findings = findings(&|call| host.call(plugin, call), stage, calls);
    Badge { digest: plugin.digest().to_string(), stage, kit: KIT, findings }
}

/// What the kit of `stage` finds of whoever answers.
pub fn findings(subject: Subject, stage: WitWorld, calls: &[Call]) -> Vec<Finding> {
    let settings = calls.iter().find_map(settings_of).unwrap_or_else(|| "{}".to_owned());
    let mut bench = Bench { subject, stage, settings, calls, findings: Vec::new() };
    every::try_out(&mut bench);
    match stage {
        WitWorld::Trigger => trigger::try_out(&mut bench),
        WitWorld::Records => records::try_out(&mut bench),
        WitWorld::Channel => channel::try_out(&mut bench),
        WitWorld::Outreach => outreach::try_out(&mut bench),
        WitWorld::Reply => reply::try_out(&mut bench),
        WitWorld::Network => network::try_out(&mut bench),
        WitWorld::Visit => visit::try_out(&mut bench),
        WitWorld::Chart => chart::try_out(&mut bench),
        WitWorld::Escalation => escalation::try_out(&mut bench),
    }
    bench.findings
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
