//! What a rehearsal plays: a workflow, fitted to the rehearsed practice. Its rules, timers, letters and plugins stay as they
//! are; the endpoints it names lead to the rehearsal's neighbours, and its settings name their numbers and roster.

use std::collections::BTreeMap;

use handoff_engine::ids::StageKey;
use handoff_engine::workflow::node::Node;
use handoff_engine::workflow::stages::{Stage, Stages};
use handoff_pipeline::bundled_workflow;
use handoff_pipeline::deployments::{Catalogue, InstallError, WorkflowSource};
use handoff_practice::{Handoff, Profile, Webhook};
use serde_json::{Map, Value, json};

use crate::rehearsal::{ACCOUNT, OUR_SYSTEM, PUBLIC_URL, SMS_NUMBER, WEBHOOK_KEY, handoff};

/// The source of HL7 messages, as the recipe names it.
pub const HL7: &str = "hl7";

/// Three weeks: the access standard for specialist visits that most managed-care contracts use.
const MAX_WAIT_DAYS: u32 = 21;

/// Who stands behind an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbour {
    Carrier,
    Chart,
    Mail,
}

#[derive(Clone, Debug)]
pub struct Script {
    source: WorkflowSource,
    /// By the names that the workflow has for them.
    endpoints: BTreeMap<String, Neighbour>,
    hl7: String,
    webhook: Option<String>,
    /// The stage to which the carrier brings what patients write.
    carrier: String,
}

/// Why a workflow cannot be rehearsed.
#[derive(Debug, thiserror::Error)]
pub enum Unrehearsable {
    #[error(transparent)]
    Workflow(#[from] InstallError),
    #[error(
        "stage {stage} asks endpoint `{endpoint}` through {plugin}, and a rehearsal does not play what is behind it\n  \
         help: rehearse with `plugin: {}` there, which does the same with another vendor",
        .instead.join("` or `")
    )]
    NoSuchNeighbour { stage: StageKey, endpoint: String, plugin: String, instead: Vec<&'static str> },
    #[error(
        "endpoint `{endpoint}` is one neighbour for one stage and another for stage {stage}\n  \
         help: give each its own `endpoint:` name"
    )]
    TwoNeighbours { endpoint: String, stage: StageKey },
    #[error(
        "nothing reads the HL7 orders that a rehearsal sends\n  \
         help: add to `stages: trigger:`\n        hl7: {{ plugin: trigger-hl7v2 }}"
    )]
    NoTrigger,
    #[error(
        "the settings of stage {stage} are in no file beside the workflow, where a rehearsal puts its own numbers\n  \
         help: write them into one, and name it: `settings: settings/{}.yaml`",
        .stage.rsplit('.').next().unwrap_or(.stage)
    )]
    NoSettingsFile { stage: StageKey },
}

/// Plugins that ask somebody who is there in a rehearsal.
const PLAYED: [(&str, Neighbour); 6] = [
    ("outreach-twilio", Neighbour::Carrier),
    ("outreach-email", Neighbour::Mail),
    ("records-fhir", Neighbour::Chart),
    ("visit-fhir", Neighbour::Chart),
    ("chart-fhir", Neighbour::Chart),
    ("escalation-inbox", Neighbour::Chart),
];

impl Script {
    /// The recipe; its settings files name this practice's chart, roster, carrier account and webhook key.
    pub fn shipped(profile: &Profile) -> Script {
        let mut source = bundled_workflow::source();
        let roster = json!({ "roster": profile.network.roster().settings(), "max_wait_days": MAX_WAIT_DAYS });
        let settings = [
            ("network", roster),
            ("sms", numbers_of("outreach-twilio")),
            ("records", numbers_of("records-fhir")),
            ("chart", numbers_of("chart-fhir")),
            ("escalation", numbers_of("escalation-inbox")),
        ];
        let settings = settings.into_iter().map(|(stage, it)| (format!("settings/{stage}.yaml"), it.to_string()));
        source.files.extend(settings);
        let endpoints = [("ehr", Neighbour::Chart), ("sms", Neighbour::Carrier), ("mail", Neighbour::Mail)];
        Script {
            source,
            endpoints: endpoints.map(|(name, neighbour)| (name.to_string(), neighbour)).into(),
            hl7: HL7.into(),
            webhook: Some("webhook".into()),
            carrier: "sms".into(),
        }
    }

    /// A practice's own workflow.
    ///
    /// # Errors
    /// When it is faulty, names a plugin that is not bundled, or asks somebody who is not there in a rehearsal.
    pub fn fit(mut source: WorkflowSource, profile: &Profile) -> Result<Script, Unrehearsable> {
        let stages = source.parse()?.stages;
        let mut endpoints = BTreeMap::new();
        for stage in stages.iter() {
            Catalogue::default().read(stage)?;
            for endpoint in &stage.endpoints {
                let neighbour = neighbour(stage, endpoint)?;
                if endpoints.insert(endpoint.clone(), neighbour).is_some_and(|before| before != neighbour) {
                    let (endpoint, stage) = (endpoint.clone(), stage.key.clone());
                    return Err(Unrehearsable::TwoNeighbours { endpoint, stage });
                }
            }
        }
        put_in(&mut source, &stages, profile)?;
        let source_of = |plugin: &str| stages.trigger.iter().find(|(_, stage)| stage.plugin == plugin);
        let hl7 = source_of("trigger-hl7v2").ok_or(Unrehearsable::NoTrigger)?.0.clone();
        let webhook = source_of("trigger-webhook").map(|(name, _)| name.clone());
        let carrier = stages.outreach.iter().find(|carrier| carrier.stage.plugin == "outreach-twilio");
        // A workflow that texts nobody is answered by nobody.
        let carrier = carrier.map_or_else(|| "sms".to_string(), |carrier| carrier.name.clone());
        Ok(Script { source, endpoints, hl7, webhook, carrier })
    }

    pub fn source(&self) -> &WorkflowSource {
        &self.source
    }

    pub fn endpoints(&self) -> &BTreeMap<String, Neighbour> {
        &self.endpoints
    }

    pub fn hl7(&self) -> &str {
        &self.hl7
    }

    /// The source of webhooks, where there is one.
    pub fn webhook(&self) -> Option<&str> {
        self.webhook.as_deref()
    }

    /// Where the world finds an instance that plays this.
    pub fn handoff(&self) -> Handoff {
        let webhook = |name: &String| Webhook { url: format!("{PUBLIC_URL}/in/{name}"), secret: WEBHOOK_KEY.into() };
        Handoff {
            callback_url: format!("{PUBLIC_URL}/callback/{}", self.carrier),
            webhook: self.webhook.as_ref().map(webhook),
            ..handoff()
        }
    }
}

fn neighbour(stage: &Stage, endpoint: &str) -> Result<Neighbour, Unrehearsable> {
    if let Some((_, neighbour)) = PLAYED.iter().find(|(plugin, _)| *plugin == stage.plugin) {
        return Ok(*neighbour);
    }
    let world = stage.key.split('.').next().unwrap_or(&stage.key);
    let instead = PLAYED.iter().map(|(plugin, _)| *plugin).filter(|plugin| plugin.starts_with(world)).collect();
    let (endpoint, plugin) = (endpoint.to_string(), stage.plugin.clone());
    Err(Unrehearsable::NoSuchNeighbour { stage: stage.key.clone(), endpoint, plugin, instead })
}

/// Puts the rehearsal's numbers over those of the practice, in the files that the stages name; all else in them stays.
fn put_in(source: &mut WorkflowSource, stages: &Stages, profile: &Profile) -> Result<(), Unrehearsable> {
    let written = Node::parse(&source.file, &source.text).map_err(|problem| InstallError::Workflow(vec![problem]))?;
    let written = written.to_json();
    for stage in stages.iter() {
        let ours = match stage.plugin.as_str() {
            "network-roster" => json!({ "roster": profile.network.roster().settings() }),
            plugin => numbers_of(plugin),
        };
        let Value::Object(ours) = ours else { continue };
        let place = format!("/stages/{}/settings", stage.key.replace('.', "/"));
        let Some(file) = written.pointer(&place).and_then(Value::as_str) else {
            return Err(Unrehearsable::NoSettingsFile { stage: stage.key.clone() });
        };
        let Value::Object(theirs) = stage.settings.clone() else { continue };
        let kept = theirs.into_iter().filter(|(key, _)| !PRODUCTION_ONLY.contains(&key.as_str()));
        let settings: Map<String, Value> = kept.chain(ours).collect();
        source.files.insert(file.to_string(), Value::Object(settings).to_string());
    }
    Ok(())
}

/// Settings of Twilio's that name another sender or secret than the rehearsal has.
const PRODUCTION_ONLY: [&str; 4] = ["messaging_service_sid", "auth_token_secret", "shared_key_secret", "callback_url"];

/// What a plugin must know of the rehearsal's neighbours: account, identifier systems, keys. Null where it need not.
fn numbers_of(plugin: &str) -> Value {
    let records = handoff_practice::RECORD_SYSTEM;
    let orders = handoff_practice::REFERRAL_SYSTEM;
    let systems = json!({ "NPC": records });
    match plugin {
        "outreach-twilio" => json!({ "account_sid": ACCOUNT, "from": SMS_NUMBER }),
        "records-fhir" => json!({ "identifier_systems": systems, "consent_codes": { "sms": ["text-message"] } }),
        "chart-fhir" => {
            json!({ "identifier_systems": systems, "order_system": orders, "identifier_system": OUR_SYSTEM })
        }
        "escalation-inbox" => {
            json!({ "patient_system": records, "order_system": orders, "identifier_system": OUR_SYSTEM })
        }
        "visit-fhir" => {
            json!({ "appointment_system": handoff_practice::APPOINTMENT_SYSTEM, "order_system": orders })
        }
        "trigger-webhook" => json!({ "signature": {
            "algorithm": "hmac-sha256", "header": "x-signature", "prefix": "sha256=", "encoding": "hex",
            "secret": "webhook-key",
        } }),
        _ => Value::Null,
    }
}
