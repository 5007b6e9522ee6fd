//! `stages:`: which plugin does what, by which endpoint, with which settings.

use serde_json::Value;

use super::Files;
use super::node::{At, Node, NodeKind};
use super::reader::{Block, WorkflowReader};
use crate::ids::StageKey;
use crate::problem::{Code, did_you_mean};
use crate::referral::Channel;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// What a plugin is there for. A stage is named after it: `records`, `trigger.hl7`, `outreach.sms`.
    pub enum StageKind {
        Trigger = "trigger",
        Records = "records",
        Channel = "channel",
        Outreach = "outreach",
        Reply = "reply",
        Network = "network",
        Visit = "visit",
        Chart = "chart",
        Escalation = "escalation",
    }
}

impl From<StageKind> for StageKey {
    /// Of the only stage of its kind.
    fn from(kind: StageKind) -> StageKey {
        StageKey::new(kind.as_str())
    }
}

impl StageKind {
    /// The key of one of several stages of this kind: `outreach.sms`.
    pub fn key(self, name: &str) -> StageKey {
        StageKey::new(format!("{self}.{name}"))
    }
}

/// One plugin at its post.
#[derive(Clone, Debug)]
pub struct Stage {
    /// `records`, `trigger.hl7`, `outreach.sms`: how the journal and the deployment name it.
    pub key: StageKey,
    /// A bundled plugin's name, one of the plugins folder, or an `oci://` reference that was pulled into it.
    pub plugin: String,
    /// Named endpoints of the configuration that it may ask.
    pub endpoints: Vec<String>,
    /// Response and callback fields that it may read in clear.
    pub reveal: Vec<String>,
    /// Handed to the plugin as JSON; `{}` when absent.
    pub settings: Value,
    /// The same as it was written, where it was.
    pub written: Option<WrittenSettings>,
    /// Why this plugin may have both patient data in clear and a way out. Journaled.
    pub clear_phi_because: Option<String>,
    pub at: At,
}

/// Settings in their file, for whoever finds a fault in them.
#[derive(Clone, Debug)]
pub struct WrittenSettings {
    file: String,
    node: Node,
}

impl WrittenSettings {
    /// File and place of a key such as `map.urgency.from`, or of the nearest one around it that is there.
    pub fn place(&self, key: &str) -> (&str, At) {
        let (mut node, mut rest) = (&self.node, key);
        while let Some((inner, further)) = member(node, rest) {
            (node, rest) = (inner, further);
        }
        (&self.file, node.at)
    }
}

/// What the first member of a dotted key leads to, and the rest of the key. A member's own name may have dots.
fn member<'n, 'k>(node: &'n Node, key: &'k str) -> Option<(&'n Node, &'k str)> {
    let after = |name: &str| {
        let rest = key.strip_prefix(name)?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
    };
    match &node.kind {
        NodeKind::Map(members) => {
            let found = members.iter().filter_map(|(name, value)| Some((name, value, after(&name.name)?)));
            let longest = found.max_by_key(|(name, _, _)| name.name.len());
            longest.filter(|(name, _, _)| !name.name.is_empty()).map(|(_, value, rest)| (value, rest))
        }
        NodeKind::List(items) => {
            let (index, rest) = key.split_once('.').unwrap_or((key, ""));
            Some((items.get(index.parse::<usize>().ok()?)?, rest))
        }
        NodeKind::Nothing | NodeKind::Bool(_) | NodeKind::Number(_) | NodeKind::Text(_) => None,
    }
}

/// One way to the patient. Their order in the file is the order in which vendors of a channel take over from each other.
#[derive(Clone, Debug)]
pub struct Carrier {
    pub name: String,
    pub channel: Channel,
    pub stage: Stage,
}

#[derive(Clone, Debug)]
pub struct Stages {
    /// Source kind (`hl7`, `webhook`) and its interpreter.
    pub trigger: Vec<(String, Stage)>,
    pub records: Option<Stage>,
    pub channel: Option<Stage>,
    pub outreach: Vec<Carrier>,
    pub reply: Option<Stage>,
    /// 0 to 100. A reply read with less confidence goes to a person.
    pub confidence_min: u8,
    pub network: Option<Stage>,
    pub visit: Option<Stage>,
    pub chart: Option<Stage>,
    pub escalation: Option<Stage>,
}

/// Three in four: below that, asking a person is cheaper than being wrong.
const CONFIDENCE_MIN_DEFAULT: u8 = 75;

impl Stages {
    /// All of them, in the order of the line.
    pub fn iter(&self) -> impl Iterator<Item = &Stage> {
        let triggers = self.trigger.iter().map(|(_, stage)| stage);
        let carriers = self.outreach.iter().map(|carrier| &carrier.stage);
        triggers
            .chain(&self.records)
            .chain(&self.channel)
            .chain(carriers)
            .chain(&self.reply)
            .chain(&self.network)
            .chain(&self.visit)
            .chain(&self.chart)
            .chain(&self.escalation)
    }

    pub fn get(&self, key: &str) -> Option<&Stage> {
        self.iter().find(|stage| *stage.key == *key)
    }

    /// The interpreter for deliveries of a source kind.
    pub fn trigger(&self, kind: &str) -> Option<&Stage> {
        self.trigger.iter().find(|(name, _)| name == kind).map(|(_, stage)| stage)
    }

    /// The vendors of a channel, first choice first.
    pub fn carriers(&self, channel: Channel) -> impl Iterator<Item = &Carrier> {
        self.outreach.iter().filter(move |carrier| carrier.channel == channel)
    }
}

const STAGE_KEYS: &[&str] = &["plugin", "endpoint", "endpoints", "reveal", "settings", "clear_phi_because"];
const REPLY_KEYS: &[&str] =
    &["plugin", "endpoint", "endpoints", "reveal", "settings", "clear_phi_because", "confidence_min"];
const CARRIER_KEYS: &[&str] =
    &["plugin", "endpoint", "endpoints", "reveal", "settings", "clear_phi_because", "channel"];

pub(super) fn read(reader: &mut WorkflowReader, node: &Node, files: &Files) -> Stages {
    let block = reader.block("stages", node, StageKind::WORDS);
    let mut trigger = Vec::new();
    let kind = StageKind::Trigger;
    if let Some(node) = block.get(kind.as_str()) {
        for (source, node) in reader.entries(kind.as_str(), node) {
            if let Some(stage) = read_stage(reader, &kind.key(&source.name), node, files) {
                trigger.push((source.name.clone(), stage));
            }
        }
    }
    let mut outreach = Vec::new();
    let kind = StageKind::Outreach;
    if let Some(node) = block.get(kind.as_str()) {
        for (key, node) in reader.entries(kind.as_str(), node) {
            let name = reader.name("vendor", key);
            if let Some(carrier) = read_carrier(reader, name, node, files) {
                outreach.push(carrier);
            }
        }
    }
    let mut confidence_min = CONFIDENCE_MIN_DEFAULT;
    let kind = StageKind::Reply;
    let reply = block.get(kind.as_str()).and_then(|node| {
        let fields = reader.block(kind.as_str(), node, REPLY_KEYS);
        let count = fields.get("confidence_min").and_then(|node| reader.count("confidence_min", node, 0, 100));
        confidence_min = count.and_then(|count| u8::try_from(count).ok()).unwrap_or(confidence_min);
        stage_of(reader, kind.as_str(), &fields, files)
    });
    let mut stage = |kind: StageKind| {
        let key = kind.as_str();
        block.get(key).and_then(|node| read_stage(reader, key, node, files))
    };
    Stages {
        trigger,
        records: stage(StageKind::Records),
        channel: stage(StageKind::Channel),
        outreach,
        reply,
        confidence_min,
        network: stage(StageKind::Network),
        visit: stage(StageKind::Visit),
        chart: stage(StageKind::Chart),
        escalation: stage(StageKind::Escalation),
    }
}

fn read_carrier(reader: &mut WorkflowReader, name: String, node: &Node, files: &Files) -> Option<Carrier> {
    let key = StageKind::Outreach.key(&name);
    let fields = reader.block(&key, node, CARRIER_KEYS);
    let channel = fields.required(reader, "channel").and_then(|node| reader.choice("channel", node, Channel::ALL));
    let stage = stage_of(reader, &key, &fields, files);
    Some(Carrier { name, channel: channel?, stage: stage? })
}

fn read_stage(reader: &mut WorkflowReader, key: &str, node: &Node, files: &Files) -> Option<Stage> {
    let fields = reader.block(key, node, STAGE_KEYS);
    stage_of(reader, key, &fields, files)
}

fn stage_of(reader: &mut WorkflowReader, key: &str, fields: &Block<'_>, files: &Files) -> Option<Stage> {
    let plugin = fields.required_text(reader, "plugin");
    let mut endpoints = Vec::new();
    for name in ["endpoint", "endpoints"] {
        if let Some(node) = fields.get(name) {
            endpoints.extend(reader.texts(name, node));
        }
    }
    let reveal = fields.get("reveal").map(|node| reader.texts("reveal", node)).unwrap_or_default();
    let written = fields.get("settings").and_then(|node| read_settings(reader, node, files));
    let settings = written.as_ref().map(|written| written.node.to_json());
    let settings = settings.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    let clear_phi_because = fields.text(reader, "clear_phi_because");
    Some(Stage {
        key: StageKey::new(key),
        plugin: plugin?,
        endpoints,
        reveal,
        settings,
        written,
        clear_phi_because,
        at: fields.at,
    })
}

/// A block of its own, or the path of a file beside the workflow: a roster is long, and another person's work.
fn read_settings(reader: &mut WorkflowReader, node: &Node, files: &Files) -> Option<WrittenSettings> {
    if let NodeKind::Text(path) = &node.kind {
        let Some(text) = files.get(path) else {
            let message = format!("there is no file `{path}` beside the workflow");
            reader.report(node.at, Code::NO_FILE, message, did_you_mean(path, files.keys().map(String::as_str)));
            return None;
        };
        return match Node::parse(path, text) {
            Ok(node) => block(reader, node, path),
            Err(problem) => {
                reader.problems.push(problem);
                None
            }
        };
    }
    let file = reader.file().to_string();
    block(reader, node.clone(), &file)
}

fn block(reader: &mut WorkflowReader, node: Node, file: &str) -> Option<WrittenSettings> {
    // Only for the message when it is no block.
    reader.entries("settings", &node);
    matches!(node.kind, NodeKind::Map(_)).then(|| WrittenSettings { file: file.to_string(), node })
}
