//! What a workflow lets a plugin do at its post: which endpoints, with which methods and paths; what it reads in clear;
//! which secrets come into it, by name.

use std::collections::BTreeSet;
use std::fmt;

use handoff_engine::ids::StageKey;
use handoff_engine::workflow::stages::Stage;
use handoff_host::contract::carrier::Callback;
use handoff_host::contract::interpreter::{Delivery, Transport};
use handoff_host::{Answer, Call, Host, Plugin, WitWorld};
use serde::{Deserialize, Serialize};

use handoff_egress::reach::{EndpointSummaries, EndpointSummary};

/// A plugin at its post in a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageGrant {
    /// `outreach.sms`.
    pub stage: StageKey,
    pub reaches: Vec<Reached>,
    /// Fields of responses and callbacks.
    pub reads_in_clear: Vec<String>,
    /// Secrets that it has signatures checked with, by the names that it gives.
    pub checks_with: BTreeSet<String>,
    /// Why it may see patient data in clear and reach out, where it may do both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear_phi_because: Option<String>,
}

/// An endpoint that it may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    pub endpoint: String,
    /// Absent where no configuration says.
    pub way: Option<EndpointSummary>,
}

impl StageGrant {
    /// The plugin itself says which secrets it wants signatures checked with; the rest is the workflow's to say.
    pub fn of(host: &Host, plugin: &Plugin, stage: &Stage, ways: &EndpointSummaries) -> StageGrant {
        let reached = |endpoint: &String| Reached { endpoint: endpoint.clone(), way: ways.get(endpoint).cloned() };
        StageGrant {
            stage: stage.key.clone(),
            reaches: stage.endpoints.iter().map(reached).collect(),
            reads_in_clear: stage.reveal.clone(),
            checks_with: checks_with(host, plugin, &stage.settings.to_string()),
            clear_phi_because: stage.clear_phi_because.clone(),
        }
    }
}

/// The secrets that a plugin has signatures checked with. Asked with a delivery and a callback in which nothing is. One that gives no answer has nothing checked.
pub fn checks_with(host: &Host, plugin: &Plugin, settings: &str) -> BTreeSet<String> {
    let settings = || settings.to_owned();
    let calls = plugin.worlds().iter().filter_map(|world| match world {
        WitWorld::Trigger => {
            let (source, headers, body) = (String::new(), Vec::new(), Vec::new());
            let delivery =
                Delivery { source, transport: Transport::Http, headers, body, too_long: None, received_at: 0 };
            Some(Call::AuthenticateDelivery { delivery, settings: settings() })
        }
        WitWorld::Outreach => {
            let callback = Callback { headers: Vec::new(), fields: Vec::new(), received_at: 0 };
            Some(Call::AuthenticateCallback { callback, settings: settings() })
        }
        WitWorld::Records
        | WitWorld::Channel
        | WitWorld::Reply
        | WitWorld::Network
        | WitWorld::Visit
        | WitWorld::Chart
        | WitWorld::Escalation => None,
    });
    let checks = calls.filter_map(|call| match host.call(plugin, &call) {
        Ok(Answer::AuthenticateDelivery(checks) | Answer::AuthenticateCallback(checks)) => Some(checks),
        Ok(_) | Err(_) => None,
    });
    checks.flatten().map(|check| check.secret).filter(|secret| !secret.is_empty()).collect()
}

impl fmt::Display for StageGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StageGrant { stage, reaches, reads_in_clear, checks_with, clear_phi_because } = self;
        write!(f, "  as {stage} it may")?;
        if reaches.is_empty() {
            write!(f, "\n    reach    nothing")?;
        }
        reaches.iter().try_for_each(|reached| write!(f, "\n    reach    {reached}"))?;
        if !reads_in_clear.is_empty() {
            write!(f, "\n    read     in clear: {}", reads_in_clear.join(", "))?;
        }
        if !checks_with.is_empty() {
            let names: Vec<&str> = checks_with.iter().map(String::as_str).collect();
            write!(f, "\n    check    signatures with the secret {}, which Handoff holds", names.join(", "))?;
        }
        if let Some(because) = clear_phi_because {
            write!(f, "\n    do both  see patient data in clear and reach out, because {because}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reached { endpoint, way } = self;
        let Some(EndpointSummary { url, methods, paths, agreement, secrets }) = way else {
            return write!(f, "{endpoint}");
        };
        let told = |words: &[String], all: &str| if words.is_empty() { all.to_owned() } else { words.join(", ") };
        write!(f, "{endpoint}: {} {url}, {}", told(methods, "any method"), told(paths, "any path"))?;
        match agreement {
            Some(reference) => write!(f, "; agreement {reference}")?,
            None => f.write_str("; no agreement, so no patient data")?,
        }
        if !secrets.is_empty() {
            write!(f, "; Handoff shows the secret {}", secrets.join(", "))?;
        }
        Ok(())
    }
}
