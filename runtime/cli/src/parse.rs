//! `handoff parse FILE`: what the trigger plugin reads in a message. Nothing is stored.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_host::contract::interpreter::{Delivery, Meaning, Transport};
use handoff_host::{Answer, Call, Host, PluginLimits};

use crate::print_json;

#[derive(Args)]
pub(crate) struct Parse {
    /// One message: HL7 v2 (`.hl7`) or JSON (`.json`)
    file: PathBuf,
    /// The bundled trigger that reads it; chosen by the file's ending unless given
    #[arg(long)]
    plugin: Option<String>,
    /// The plugin's settings, as JSON
    #[arg(long, default_value = "{}")]
    settings: String,
    /// One line of JSON: the typed reading and both answers
    #[arg(long)]
    json: bool,
}

impl Parse {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let body = std::fs::read(&self.file).with_context(|| format!("cannot read {}", self.file.display()))?;
        let is_json = self.file.extension().is_some_and(|ending| ending == "json");
        let name = self.plugin.unwrap_or_else(|| if is_json { "trigger-webhook" } else { "trigger-hl7v2" }.to_string());
        let bundled = handoff_bundle::plugins().iter().find(|plugin| plugin.name == name);
        let bundled = bundled.ok_or_else(|| {
            Failure::new(
                ErrorCode::NO_SUCH_PLUGIN,
                format!("no bundled plugin is named {name:?}\n  help: `handoff plugin list` lists them"),
            )
        })?;
        let host = Host::new(PluginLimits::default(), None)?;
        let plugin = host.load(bundled.component)?;
        let delivery = Delivery {
            source: "file".into(),
            transport: if is_json { Transport::Http } else { Transport::Mllp },
            headers: Vec::new(),
            body,
            too_long: None,
            received_at: chrono::Utc::now().timestamp_millis(),
        };
        let Answer::Interpret(reading) = host.call(&plugin, &Call::Interpret { delivery, settings: self.settings })?
        else {
            return Err(Failure::new(ErrorCode::OTHER_ANSWER, format!("{name} answered another question")).into());
        };
        let reading = reading.current();
        let answer = String::from_utf8_lossy(&reading.accepted.body).into_owned();
        if self.json {
            print_json(&serde_json::json!({
                "kind": reading.kind,
                "dedupe_key": reading.dedupe_key,
                "sender": reading.sender,
                "meaning": reading.meaning,
                "answer": answer,
            }))?;
        } else {
            say!("{}", reading.kind);
            match &reading.meaning {
                Meaning::Events(events) => say!("{}", serde_json::to_string_pretty(events)?),
                Meaning::NotForUs(why) => say!("not for us: {why}"),
                Meaning::Unreadable(problem) => {
                    say!("unreadable at {}: {}\n  help: {}", problem.location, problem.message, problem.help);
                }
            }
            say!("answer:\n{}", answer.replace('\r', "\n"));
        }
        let unreadable = matches!(reading.meaning, Meaning::Unreadable(_));
        Ok(if unreadable { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
