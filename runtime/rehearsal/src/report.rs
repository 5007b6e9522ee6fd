//! What a rehearsed year says, for people and for programs. It tells counts, shares and money, and of nobody.

use std::fmt;

use handoff_practice::Prices;
use serde::Serialize;

use crate::comparison;
use crate::comparison::{ComparisonRow, CountedFigures, FigureDifference, FigureRow};
use crate::estimate::{Interval, RESAMPLES};
use crate::outcome::RehearsalOutcome;
use crate::practice_file::{Assumption, PracticeFile};

/// Said with every result.
pub const CAUTION: &str =
    "These are assumptions, and what follows from them; nothing of this was measured in any practice.";

/// The contract of `handoff rehearse --json`.
#[derive(Debug, Serialize)]
pub struct Report {
    pub caution: &'static str,
    pub workflow: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    pub seed: u64,
    /// On which orders came.
    pub days: u32,
    /// For which they were watched, from the first day on.
    pub days_watched: u32,
    pub referrals: usize,
    pub currency: String,
    pub intervals: Intervals,
    pub figures: Vec<FigureRow>,
    pub per_referral: Vec<ComparisonRow>,
    pub assumptions: Vec<Assumption>,
}

/// How the intervals were found.
#[derive(Debug, Serialize)]
pub struct Intervals {
    pub percent: u8,
    pub shares: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differences: Option<String>,
}

/// What was rehearsed.
pub struct Rehearsed<'r> {
    pub workflow: String,
    pub against: Option<String>,
    pub seed: u64,
    pub days: u32,
    pub days_watched: u32,
    pub practice: &'r PracticeFile,
}

impl Report {
    pub fn of(rehearsed: Rehearsed<'_>, workflow: &[RehearsalOutcome], against: Option<&[RehearsalOutcome]>) -> Report {
        let Rehearsed { workflow: file, against: against_file, seed, days, days_watched, practice } = rehearsed;
        let Prices { currency, .. } = &practice.profile.prices;
        let differences =
            against.map(|_| format!("paired percentile bootstrap over patients, {RESAMPLES} resamples, seed {seed}"));
        Report {
            caution: CAUTION,
            workflow: file,
            against: against_file,
            seed,
            days,
            days_watched,
            referrals: workflow.len(),
            currency: currency.clone(),
            intervals: Intervals { percent: 95, shares: "Wilson", differences },
            figures: comparison::figures((workflow, against), seed),
            per_referral: comparison::rows((workflow, against), &practice.profile.prices, seed),
            assumptions: practice.assumptions(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { referrals, days, days_watched, seed, .. } = self;
        writeln!(f, "{referrals} referrals, ordered within {days} days and watched for {days_watched}; seed {seed}\n")?;
        match &self.against {
            Some(against) => writeln!(f, "  A  {}\n  B  {against}", self.workflow)?,
            None => writeln!(f, "  {}", self.workflow)?,
        }
        writeln!(f)?;
        self.figures(f)?;
        writeln!(f)?;
        self.per_referral(f)?;
        writeln!(f, "\n  In brackets: 95 % intervals, Wilson's for shares.")?;
        if let Some(how) = &self.intervals.differences {
            writeln!(f, "  Differences are A less B for the same patients; their intervals: {how}.")?;
        }
        writeln!(
            f,
            "\n{CAUTION}\n\n  Assumed, shares and chances in percent (* is Handoff's default, not written in the practice file)"
        )?;
        for Assumption { key, value, default } in &self.assumptions {
            let mark = if *default { "*" } else { " " };
            writeln!(f, "  {mark} {key:<40} {}", plain(value))?;
        }
        Ok(())
    }
}

impl Report {
    fn figures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heads(f, "", "target")?;
        for FigureRow { name, target, workflow, against, difference, .. } in &self.figures {
            write!(f, "  {name:<24} {target:<14} {}", share(workflow))?;
            if let Some(against) = against {
                write!(f, "   {}", share(against))?;
            }
            told(f, difference.as_ref(), 1)?;
        }
        Ok(())
    }

    fn per_referral(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heads(f, "for each referral", "")?;
        for ComparisonRow { what, workflow, against, difference } in &self.per_referral {
            let (name, digits) = match *what {
                "cost" => (format!("cost, {}", self.currency), 4),
                other => (other.replace('_', " "), 2),
            };
            let mean = |per_referral: Option<f64>| {
                let told = per_referral.map_or("—".into(), |mean| format!("{mean:.digits$}"));
                format!("{told:>8}{:BRACKETS$}", "")
            };
            write!(f, "  {name:<24} {:<14} {}", "", mean(workflow.per_referral))?;
            if let Some(against) = against {
                write!(f, "   {}", mean(against.per_referral))?;
            }
            told(f, difference.as_ref(), digits)?;
        }
        Ok(())
    }

    fn heads(&self, f: &mut fmt::Formatter<'_>, rows: &str, target: &str) -> fmt::Result {
        match self.against {
            Some(_) => {
                let (a, b) = (format!("{:>8}{:BRACKETS$}", "A", ""), format!("{:>8}{:BRACKETS$}", "B", ""));
                writeln!(f, "  {rows:<24} {target:<14} {a}   {b}   {:>8}", "A less B")
            }
            None => writeln!(f, "  {rows:<24} {target}"),
        }
    }
}

/// What an interval takes behind a share: ` (82.6 to 85.7)`.
const BRACKETS: usize = 17;

fn share(counted: &CountedFigures) -> String {
    let mark = match counted.on_target {
        Some(true) => "✓",
        Some(false) => "✗",
        None => " ",
    };
    let percent = counted.percent.map_or("—".into(), |percent| format!("{percent:.1} %"));
    format!("{mark}{percent:>7}{}", brackets(counted.interval, 1))
}

fn brackets(interval: Option<Interval>, digits: usize) -> String {
    let told = interval.map(|Interval { low, high }| format!(" ({low:.digits$} to {high:.digits$})"));
    format!("{:<BRACKETS$}", told.unwrap_or_default())
}

fn told(f: &mut fmt::Formatter<'_>, difference: Option<&FigureDifference>, digits: usize) -> fmt::Result {
    let Some(FigureDifference { value, interval, seen }) = difference else { return writeln!(f) };
    let signed = format!("{value:+.digits$}");
    let Interval { low, high } = interval;
    let interval = format!("({low:+.digits$} to {high:+.digits$})");
    writeln!(f, "   {signed:>8} {interval:<20} {}", seen.words())
}

/// As a practice file would have it.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        serde_json::Value::Object(members) => {
            let told = members.iter().map(|(key, value)| {
                if value.is_array() { format!("{key}: [{}]", plain(value)) } else { format!("{key}: {}", plain(value)) }
            });
            told.collect::<Vec<_>>().join(", ")
        }
        // 58.0 is what a program wants, and 58 what anybody would have written.
        serde_json::Value::Number(number) => number.to_string().trim_end_matches(".0").to_string(),
        serde_json::Value::Null | serde_json::Value::Bool(_) => value.to_string(),
    }
}
