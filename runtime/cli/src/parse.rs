//! `handoff parse FILE`: what a trigger reads in a message, and with `--explain` where; `--against FOLDER`: what all of a site's own
//! messages come to. Nothing is stored.

mod explanation;
mod facts;
mod places;
mod reader;
mod survey;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use chrono::DateTime;
use clap::Args;
use handoff_host::contract::interpreter::{Meaning, Reading};
use serde_json::json;

use self::explanation::Explanation;
use self::facts::{Fact, becomes};
use self::reader::{Looks, Trigger};
use self::survey::Survey;
use crate::print_json;

#[derive(Args)]
pub(crate) struct Parse {
    /// One message: HL7 v2 (`.hl7`) or JSON (`.json`)
    #[arg(required_unless_present = "against", conflicts_with = "against")]
    file: Option<PathBuf>,
    /// Instead of one message all those in a folder: what becomes of them, what is refused and why, what is left over. Tells
    /// files and control ids, and nothing of a patient
    #[arg(long, value_name = "FOLDER")]
    against: Option<PathBuf>,
    /// Which place of the message tells which fact, and what is not used
    #[arg(long, conflicts_with = "against")]
    explain: bool,
    #[command(flatten)]
    trigger: Trigger,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

impl Parse {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        if let Some(folder) = &self.against {
            let survey = Survey::of(folder, &self.trigger)?;
            if self.json {
                print_json(&survey.json())?
            } else {
                survey.print()?
            }
            return Ok(ExitCode::SUCCESS);
        }
        let file = self.file.unwrap_or_default();
        let file = file.as_path();
        let body = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let reader = self.trigger.reader(Looks::of(&body, file))?;
        let (whole, each) = reader.read_each(body)?;
        let explained = each.iter().map(|it| {
            let explanation = self.explain.then(|| Explanation::of(&reader, &it.body, &it.reading)).transpose()?;
            Ok((&it.reading, explanation))
        });
        let explained = explained.collect::<anyhow::Result<Vec<_>>>()?;
        match self.json {
            true => print_json(&all_as_json(&whole, &explained))?,
            false => tell_all(&whole, &explained)?,
        }
        let unreadable = each.iter().any(|it| matches!(it.reading.meaning, Meaning::Unreadable(_)));
        Ok(if unreadable { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// A reading, and where its facts stand, if that was asked for.
type Explained<'a> = (&'a Reading, Option<Explanation>);

fn all_as_json(whole: &Reading, each: &[Explained<'_>]) -> serde_json::Value {
    let mut parts: Vec<_> = each.iter().map(|(reading, explanation)| as_json(reading, explanation.as_ref())).collect();
    match &whole.meaning {
        Meaning::Parts(_) => {
            let Reading { kind, dedupe_key, sender, .. } = whole;
            json!({
                "kind": kind, "dedupe_key": dedupe_key, "sender": sender, "parts": parts, "answer": answer(whole),
            })
        }
        Meaning::Events(_) | Meaning::NotForUs(_) | Meaning::Unreadable(_) => parts.pop().unwrap_or_default(),
    }
}

fn tell_all(whole: &Reading, each: &[Explained<'_>]) -> anyhow::Result<()> {
    say!("{}", whole.kind);
    let is_cut = matches!(whole.meaning, Meaning::Parts(_));
    if is_cut {
        say!("several things, of which some cannot be read: each is taken by itself");
    }
    let is_explained = each.iter().any(|(_, explanation)| explanation.is_some());
    for (number, (reading, explanation)) in (1..).zip(each) {
        if is_cut {
            say!("\npart {number}");
        }
        match explanation {
            Some(explanation) => tell_where(reading, explanation)?,
            None => tell(reading)?,
        }
    }
    if !is_explained {
        say!("answer:\n{}", answer(whole).replace('\r', "\n"));
    }
    Ok(())
}

fn answer(reading: &Reading) -> String {
    String::from_utf8_lossy(&reading.accepted.body).into_owned()
}

fn as_json(reading: &Reading, explanation: Option<&Explanation>) -> serde_json::Value {
    let mut told = json!({
        "kind": reading.kind,
        "dedupe_key": reading.dedupe_key,
        "sender": reading.sender,
        "meaning": reading.meaning,
        "answer": answer(reading),
    });
    if let Some(Explanation { told: facts, deciding, unused }) = explanation {
        let facts: Vec<_> = facts
            .iter()
            .map(
                |(fact, places)| json!({ "event": fact.event, "fact": fact.path, "value": fact.value, "from": places }),
            )
            .collect();
        told["explanation"] = json!({ "facts": facts, "deciding": deciding, "unused": unused });
    }
    told
}

fn tell(reading: &Reading) -> anyhow::Result<()> {
    match &reading.meaning {
        Meaning::Events(events) => say!("{}", serde_json::to_string_pretty(events)?),
        Meaning::NotForUs(_) | Meaning::Unreadable(_) | Meaning::Parts(_) => tell_why(reading)?,
    }
    Ok(())
}

fn tell_why(reading: &Reading) -> anyhow::Result<()> {
    match &reading.meaning {
        Meaning::Events(_) | Meaning::Parts(_) => {}
        Meaning::NotForUs(why) => say!("not for us: {why}"),
        Meaning::Unreadable(problem) => {
            say!("unreadable at {}: {}\n  help: {}", problem.location, problem.message, problem.help);
        }
    }
    Ok(())
}

/// What a message means, each fact with its places.
fn tell_where(reading: &Reading, explanation: &Explanation) -> anyhow::Result<()> {
    tell_why(reading)?;
    if let Meaning::Events(events) = &reading.meaning {
        for (number, event) in events.iter().enumerate() {
            say!("\n{}", becomes(event));
            tell_facts(explanation.told.iter().filter(|(fact, _)| fact.event == number))?;
        }
    }
    if !explanation.deciding.is_empty() {
        say!("\nwith something else there, or nothing, the message means another thing or cannot be read:");
        say!("  {}", explanation.deciding.join(", "));
    }
    if !explanation.unused.is_empty() {
        say!("\nnot used, whatever stands there:");
        say!("  {}", explanation.unused.join(", "));
    }
    Ok(())
}

fn tell_facts<'a>(facts: impl Iterator<Item = &'a (Fact, Vec<String>)>) -> anyhow::Result<()> {
    let mut lines: Vec<[String; 3]> = Vec::new();
    for (fact, places) in facts {
        let places = if places.is_empty() { "where nothing else is said".to_string() } else { places.join(", ") };
        let line = [fact.label(), shown(fact), places];
        // An order names its patient twice: as whose it is, and as who it is about.
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    for [label, value, places] in lines {
        say!("  {label:30} {value:34} {places}");
    }
    Ok(())
}

/// A moment as people read it, and of a document how much of it there is.
fn shown(fact: &Fact) -> String {
    let is_moment = fact.path.ends_with("_at") || fact.path.ends_with("as_of");
    let moment = fact.value.parse().ok().filter(|_| is_moment).and_then(DateTime::from_timestamp_millis);
    match moment {
        Some(moment) => moment.format("%Y-%m-%d %H:%M UTC").to_string(),
        None if fact.path.ends_with(".content") => format!("({} characters of Base64)", fact.value.len()),
        None => fact.value.clone(),
    }
}
