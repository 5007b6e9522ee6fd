//! Scenarios: rows that a clinic can read, run against a workflow under a virtual clock.
//!
//! ```text
//! start    2026-03-02 10:00 America/New_York
//! patient  language es, sms granted, email unknown
//! at 0h    ordered                          -> assessing    assess network ordered
//! at 0h    network in-network               -> reading-chart  read record
//! at 3d2h  reply scheduled "ya tengo cita"  -> scheduled    recall letters
//! ```
//!
//! Every effect has to stand in its row, in order. `no answer` lets the time pass; timers that fall due before any other row
//! must do nothing. A letter that the permitted hours hold back says so: `sms first-contact (leaves 03-03 08:00)`. A reply
//! comes the way that the last letter went, or as it says: `reply wrong-person by sms "not me"`.
//!
//! A person's act answers what it asks, and may say why: `person book appointment 12d, specialist Dr. Ana Ruiz "I phoned"`. A
//! task is spoken of by its kind: `task done stalled`.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::calendar::parse_duration;
use crate::deployment::Deployment;
use crate::ids::PatientId;
use crate::ids::Token;
use crate::referral::{Channel, Code, Consent, ContactPoint, Order, Patient, Priority, Provider};

mod run;
mod words;

/// One story, read but not yet run.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub title: String,
    pub start: DateTime<Utc>,
    pub zone: Tz,
    pub patient: Patient,
    pub order: Order,
    pub rows: Vec<ScenarioRow>,
}

#[derive(Clone, Debug)]
pub struct ScenarioRow {
    pub line: usize,
    /// Since the order.
    pub at: TimeDelta,
    /// What happens: `reply opt-out "stop"`.
    pub happens: String,
    /// The state afterwards.
    pub state: String,
    /// What is done, in order.
    pub effects: Vec<String>,
}

/// A row that cannot be read, or does not come true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    pub file: String,
    pub line: usize,
    pub message: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

impl std::error::Error for Mismatch {}

/// Noon, mid-week, mid-winter, in the most populous zone: nothing special, so that what is special stands in the file.
const START_DEFAULT: &str = "2026-02-03 12:00 America/New_York";

impl Scenario {
    /// Reads a scenario file.
    pub fn parse(file: &str, text: &str) -> Result<Scenario, Mismatch> {
        let mut header: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        let mut title = String::new();
        let mut rows: Vec<ScenarioRow> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let (number, line) = (index + 1, line.trim());
            let fault = |message: String| Mismatch { file: file.to_string(), line: number, message };
            if let Some(comment) = line.strip_prefix('#') {
                if title.is_empty() {
                    title = comment.trim().to_string();
                }
            } else if let Some(row) = line.strip_prefix("at ") {
                let row = parse_row(number, row).map_err(fault)?;
                if rows.last().is_some_and(|before| before.at > row.at) {
                    return Err(fault("rows stand in order of time".to_string()));
                }
                rows.push(row);
            } else if let Some((word, rest)) = line.split_once(char::is_whitespace) {
                if !["start", "patient", "order"].contains(&word) {
                    return Err(fault(format!("`{word}` begins no line; write at, start, patient or order")));
                }
                header.insert(word, (number, rest.trim()));
            } else if !line.is_empty() {
                return Err(fault("a line needs more than one word".to_string()));
            }
        }
        let told = |word: &str| header.get(word).copied().unwrap_or((0, ""));
        let at = |line: usize| move |message: String| Mismatch { file: file.to_string(), line, message };
        let (line, start) = told("start");
        let (start, zone) = parse_start(if start.is_empty() { START_DEFAULT } else { start }).map_err(at(line))?;
        let (line, patient) = told("patient");
        let patient = parse_patient(patient, zone).map_err(at(line))?;
        let (line, order) = told("order");
        let order = parse_order(order).map_err(at(line))?;
        Ok(Scenario { title, start, zone, patient, order, rows })
    }

    /// Runs it. The timeline, one line per step, or the first row that does not come true.
    pub fn run(&self, file: &str, deployment: &Deployment) -> Result<Vec<String>, Mismatch> {
        run::run(self, deployment).map_err(|(line, message)| Mismatch { file: file.to_string(), line, message })
    }
}

fn parse_row(line: usize, text: &str) -> Result<ScenarioRow, String> {
    let (at, rest) = text.trim().split_once(char::is_whitespace).ok_or("a row says when and what")?;
    let at = parse_duration(at).map_err(|error| error.to_string())?;
    let (happens, comes) = rest.split_once("->").ok_or("a row needs `-> state`")?;
    let comes = comes.trim();
    let (state, effects) = comes.split_once(char::is_whitespace).unwrap_or((comes, ""));
    let effects = effects.split(',').map(str::trim).filter(|effect| !effect.is_empty()).map(str::to_string).collect();
    Ok(ScenarioRow { line, at, happens: happens.trim().to_string(), state: state.to_string(), effects })
}

fn parse_start(text: &str) -> Result<(DateTime<Utc>, Tz), String> {
    let wrong = || "write `start 2026-03-02 10:00 America/New_York`".to_string();
    let (moment, zone) = text.rsplit_once(' ').ok_or_else(wrong)?;
    let zone: Tz = zone.parse().map_err(|_| wrong())?;
    Ok((words::local(moment.trim(), zone).ok_or_else(wrong)?, zone))
}

/// A patient with telephone and mailbox who has agreed to both, unless told otherwise.
fn parse_patient(text: &str, zone: Tz) -> Result<Patient, String> {
    let token = |name: &str| Token(format!("ZPHIG00A{name:0<26}").to_uppercase());
    let mut patient = Patient {
        id: PatientId("scenario".to_string()),
        given: token("given"),
        family: token("family"),
        born: None,
        identifiers: Vec::new(),
        reaches: Vec::new(),
        languages: Vec::new(),
        preferred: None,
        zone: Some(zone),
        other_zone: None,
        deceased: false,
        refused: false,
        as_of: None,
        opted_out: Vec::new(),
    };
    let mut consents = BTreeMap::from([(Channel::Sms, Consent::Granted), (Channel::Email, Consent::Granted)]);
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (word, value) = part.split_once(' ').ok_or_else(|| format!("`{part}` needs a value"))?;
        let value = value.trim();
        match (word, word.parse::<Channel>()) {
            ("language", _) => patient.languages.push(value.to_string()),
            ("zone", _) => patient.zone = Some(value.parse().map_err(|_| format!("`{value}` is no time zone"))?),
            (_, Ok(channel)) => match (value, value.parse::<Consent>()) {
                ("none", _) => {
                    consents.remove(&channel);
                }
                (_, Ok(consent)) => {
                    consents.insert(channel, consent);
                }
                (_, Err(_)) => return Err(format!("`{value}`: write {}", either(Consent::WORDS, &["none"]))),
            },
            (_, Err(_)) => return Err(format!("`{word}`: write {}", either(&["language", "zone"], Channel::WORDS))),
        }
    }
    let reach = |(channel, consent): (Channel, Consent)| {
        let address = token(channel.as_str());
        ContactPoint { channel, address, consent, confirmed: true }
    };
    patient.reaches = consents.into_iter().map(reach).collect();
    if patient.languages.is_empty() {
        patient.languages.push("en".to_string());
    }
    Ok(patient)
}

/// For messages: `granted, denied or unknown`.
fn either(words: &[&str], more: &[&str]) -> String {
    let words = [words, more].concat();
    match words.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        Some(_) | None => words.concat(),
    }
}

fn parse_order(text: &str) -> Result<Order, String> {
    let mut order = Order {
        numbers: Vec::new(),
        priority: Priority::Routine,
        specialty: Code { system: String::new(), code: "cardiology".to_string(), display: "Cardiology".to_string() },
        services: Vec::new(),
        diagnoses: Vec::new(),
        plan_id: "MEDICARE".to_string(),
        plan_name: "Medicare".to_string(),
        referring: Provider::default(),
        specialist: Some(words::provider("Dr. Paul McWilliams")),
        expires_at: None,
        named: None,
        as_of: None,
        authored_at: None,
    };
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (word, value) = part.split_once(' ').ok_or_else(|| format!("`{part}` needs a value"))?;
        let value = value.trim().trim_matches('"');
        match word {
            "priority" => {
                let known = value.parse();
                order.priority = known.map_err(|_| format!("`{value}`: write {}", either(Priority::WORDS, &[])))?;
            }
            "specialty" => {
                order.specialty =
                    Code { system: String::new(), code: value.to_lowercase(), display: value.to_string() };
            }
            "specialist" => order.specialist = Some(words::provider(value)),
            _ => return Err(format!("`{word}`: write priority, specialty or specialist")),
        }
    }
    Ok(order)
}
