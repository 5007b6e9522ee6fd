//! Labelled replies, and how they are read: a matrix and the figures that decide whether a parser may go to work.
//!
//! Used by the tests and by `examples/measure.rs`.

use reply_phrases::meaning::{Asked, Meaning};
use reply_phrases::reading::{self, Verdict};
use reply_phrases::settings::Settings;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// One labelled reply, in either of two forms: one right `intent`, or several that are `ok`.
#[derive(Deserialize)]
pub struct Row {
    last_outbound: Option<LastOutbound>,
    asked: Option<String>,
    pub text: String,
    pub language: String,
    intent: Option<String>,
    #[serde(default)]
    ok: Vec<String>,
    /// Of `second.jsonl`: rows of one half shaped the phrases; those of the other are only counted, never shown.
    #[serde(default)]
    pub half: Half,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Half {
    #[default]
    Tuned,
    Untouched,
}

#[derive(Deserialize)]
struct LastOutbound {
    language: String,
    asked: String,
}

impl Row {
    pub fn parse(line: &str) -> Row {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("a row is no reply: {error}: {line}"))
    }

    pub fn asked(&self) -> &str {
        let sent = self.last_outbound.as_ref().map(|sent| &sent.asked).or(self.asked.as_ref());
        sent.map_or("info", String::as_str)
    }

    /// The language of our last message.
    fn sent_in(&self) -> &str {
        self.last_outbound.as_ref().map_or(&self.language, |sent| &sent.language)
    }

    /// The intents that are right; the first is the one meant.
    pub fn right(&self) -> Vec<&str> {
        self.intent.iter().chain(&self.ok).map(String::as_str).collect()
    }

    pub fn read(&self) -> Verdict {
        reading::read(&self.text, self.sent_in(), asked(self.asked()), &plain())
    }
}

pub fn asked(name: &str) -> Asked {
    match name {
        "schedule" => Asked::Schedule,
        "confirm-visit" => Asked::ConfirmVisit,
        "reminder" => Asked::Reminder,
        "no-show-follow-up" => Asked::NoShowFollowUp,
        "info" => Asked::Info,
        other => panic!("no such question: {other}"),
    }
}

pub fn plain() -> Settings {
    Settings::read("{}").expect("no settings are good settings")
}

pub fn name(meaning: Meaning) -> &'static str {
    Meaning::INTENTS.iter().find(|(_, known)| *known == meaning).map_or("none", |(name, _)| name)
}

/// What was read for what was meant.
#[derive(Default)]
pub struct Matrix {
    cells: BTreeMap<(String, &'static str), usize>,
    pub rows: usize,
    pub right: usize,
    pub languages: usize,
    /// Left to a person by the workflow, too: read, but with less than its usual threshold.
    pub unsure: usize,
}

/// The workflow's usual `confidence_min`; emergencies and opt-outs are acted on at any confidence.
const ACTED_UPON: u8 = 75;

impl Matrix {
    pub fn add(&mut self, row: &Row, verdict: &Verdict) {
        let read = name(verdict.meaning);
        let right = row.right();
        // A reading that is one of several right ones counts as what was meant.
        let meant = if right.contains(&read) { read } else { right.first().copied().unwrap_or("unclear") };
        *self.cells.entry((meant.to_owned(), read)).or_default() += 1;
        self.rows += 1;
        self.right += usize::from(meant == read);
        self.languages += usize::from(verdict.language.tag() == row.language);
        let acted_upon = verdict.confidence >= ACTED_UPON || matches!(read, "emergency" | "opt-out" | "unclear");
        self.unsure += usize::from(!acted_upon);
    }

    fn count(&self, which: impl Fn(&str, &str) -> bool) -> usize {
        self.cells.iter().filter(|((meant, read), _)| which(meant, read)).map(|(_, rows)| rows).sum()
    }

    pub fn meant(&self, intent: &str) -> usize {
        self.count(|meant, _| meant == intent)
    }

    pub fn missed(&self, intent: &str) -> usize {
        self.count(|meant, read| meant == intent && read != intent)
    }

    pub fn falsely(&self, intent: &str) -> usize {
        self.count(|meant, read| meant != intent && read == intent)
    }

    /// Left to a person although something was said.
    pub fn abstained(&self) -> usize {
        self.falsely("unclear")
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Meaning::INTENTS.iter().map(|(name, _)| *name).collect();
        write!(f, "{:>13}", "meant \\ read")?;
        for name in &names {
            write!(f, " {:>4.4}", name)?;
        }
        writeln!(f)?;
        for meant in &names {
            write!(f, "{meant:>13}")?;
            for read in &names {
                match self.cells.get(&((*meant).to_owned(), *read)) {
                    Some(rows) => write!(f, " {rows:>4}")?,
                    None => write!(f, "    .")?,
                }
            }
            writeln!(f)?;
        }
        let share = |part: usize, whole: usize| match whole {
            0 => "none".to_owned(),
            whole => format!("{part} of {whole} ({:.1} %)", part as f64 * 100.0 / whole as f64),
        };
        let found = |intent| share(self.meant(intent) - self.missed(intent), self.meant(intent));
        writeln!(f, "right                 {}", share(self.right, self.rows))?;
        writeln!(f, "opt-outs found        {}", found("opt-out"))?;
        writeln!(f, "emergencies found     {}", found("emergency"))?;
        writeln!(f, "wrong confirmations   {}", share(self.falsely("confirm"), self.rows))?;
        writeln!(f, "wrong opt-outs        {}", share(self.falsely("opt-out"), self.rows))?;
        writeln!(f, "wrong emergencies     {}", share(self.falsely("emergency"), self.rows))?;
        writeln!(f, "left to a person      {}", share(self.abstained(), self.rows))?;
        writeln!(f, "  or read below {ACTED_UPON}    {}", share(self.abstained() + self.unsure, self.rows))?;
        writeln!(f, "language recognised   {}", share(self.languages, self.rows))
    }
}
