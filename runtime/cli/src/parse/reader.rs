//! A trigger with its settings, asked what messages mean. Nothing is stored.

use std::path::{Path, PathBuf};

use clap::Args;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_host::contract::interpreter::{Delivery, Meaning, Reading, Transport};
use handoff_host::{Answer, Call, Host, Plugin, PluginLimits};
use handoff_pipeline::deployments::WorkflowSource;

/// Which trigger reads, and with which settings.
#[derive(Args, Clone)]
pub(crate) struct Trigger {
    /// The bundled trigger that reads it; chosen by the message unless given
    #[arg(long)]
    plugin: Option<String>,
    /// The plugin's settings, as JSON
    #[arg(long, default_value = "{}", conflicts_with = "workflow")]
    settings: String,
    /// With the settings that this workflow gives the trigger
    #[arg(long, value_name = "FILE")]
    workflow: Option<PathBuf>,
    /// Which of the workflow's triggers, where it has several with this plugin
    #[arg(long, value_name = "NAME", requires = "workflow")]
    source: Option<String>,
}

/// What bytes look like: by that a trigger is chosen that was not named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Looks {
    Hl7,
    Json,
}

impl Looks {
    pub fn of(body: &[u8], file: &Path) -> Looks {
        let is_named_json =
            file.extension().is_some_and(|ending| ["json", "jsonl", "ndjson"].iter().any(|it| ending == *it));
        let first = body.iter().find(|byte| !b"\xEF\xBB\xBF \t\r\n".contains(byte));
        if first == Some(&b'{') || is_named_json { Looks::Json } else { Looks::Hl7 }
    }
}

pub(super) struct TriggerReader {
    host: Host,
    plugin: Plugin,
    settings: String,
    transport: Transport,
    received_at: i64,
}

impl Trigger {
    /// # Errors
    /// When there is no such plugin, or the workflow has no trigger with it.
    pub(super) fn reader(&self, looks: Looks) -> anyhow::Result<TriggerReader> {
        let (by_looks, transport) = match looks {
            Looks::Hl7 => ("trigger-hl7v2", Transport::Mllp),
            Looks::Json => ("trigger-webhook", Transport::Http),
        };
        let (name, settings) = match &self.workflow {
            Some(file) => self.of_workflow(file, by_looks)?,
            None => (self.plugin.clone().unwrap_or_else(|| by_looks.to_string()), self.settings.clone()),
        };
        let bundled = handoff_bundle::plugin(&name).ok_or_else(|| {
            Failure::new(
                ErrorCode::NO_SUCH_PLUGIN,
                format!("no bundled plugin is named {name:?}\n  help: `handoff plugin list` lists them"),
            )
        })?;
        let host = Host::new(PluginLimits::default(), None)?;
        let plugin = host.load(bundled.component)?;
        // The same for every message that is compared with another.
        let received_at = chrono::Utc::now().timestamp_millis();
        Ok(TriggerReader { host, plugin, settings, transport, received_at })
    }

    fn of_workflow(&self, file: &Path, by_looks: &str) -> anyhow::Result<(String, String)> {
        let workflow = WorkflowSource::read(file)?.parse()?;
        let wanted = self.plugin.as_deref().unwrap_or(by_looks);
        let mut triggers = workflow.stages.trigger.iter();
        let found = triggers.find(|(name, stage)| match &self.source {
            Some(source) => name == source,
            None => stage.plugin == wanted,
        });
        let (_, stage) = found.ok_or_else(|| {
            let what = self.source.as_ref().map_or_else(
                || format!("no trigger with the plugin {wanted}"),
                |source| format!("no trigger {source}"),
            );
            Failure::new(
                ErrorCode::NO_SUCH_STAGE,
                format!("{} has {what}\n  help: name one of `stages: trigger:` with --source", file.display()),
            )
        })?;
        Ok((stage.plugin.clone(), stage.settings.to_string()))
    }
}

/// A message that stands by itself, and what the trigger makes of it.
pub(super) struct Alone {
    pub body: Vec<u8>,
    pub reading: Reading,
}

impl TriggerReader {
    /// What a message means, or each of its parts where it is several.
    ///
    /// # Errors
    /// When the plugin fails on it.
    pub fn read_each(&self, body: Vec<u8>) -> anyhow::Result<(Reading, Vec<Alone>)> {
        let reading = self.read(body.clone())?;
        let Meaning::Parts(bodies) = &reading.meaning else {
            let alone = Alone { body, reading: reading.clone() };
            return Ok((reading, vec![alone]));
        };
        let bodies = bodies.clone();
        let each = bodies.into_iter().map(|body| Ok(Alone { reading: self.read(body.clone())?, body }));
        Ok((reading, each.collect::<anyhow::Result<_>>()?))
    }

    /// # Errors
    /// When the plugin fails on it.
    pub fn read(&self, body: Vec<u8>) -> anyhow::Result<Reading> {
        let delivery = Delivery {
            source: "file".into(),
            transport: self.transport,
            headers: Vec::new(),
            body,
            too_long: None,
            received_at: self.received_at,
        };
        let call = Call::Interpret { delivery, settings: self.settings.clone() };
        let Answer::Interpret(reading) = self.host.call(&self.plugin, &call)? else {
            return Err(Failure::new(ErrorCode::OTHER_ANSWER, "the plugin answered another question").into());
        };
        Ok(reading.current())
    }
}
