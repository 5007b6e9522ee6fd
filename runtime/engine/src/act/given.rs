//! ActAnswers as they are given: texts by the question's name, from a form, a command or JSON. Each is read as its question wants.
//!
//! What has several parts is answered under `QUESTION.PART`: `specialist` and `specialist.phone`. An empty text is no answer.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::answer::{ActAnswer, AnswerKind};
use crate::calendar::local_moment;
use crate::intent::Intent;
use crate::problem::did_you_mean;
use crate::referral::{CallOutcome, Channel, Consent, Provider, RerouteReason};
use crate::workflow::{ActRule, Question, Workflow};

/// A text message of ten parts; what is longer is a letter, and belongs into a template.
pub const TEXT_CHARS_MAX: usize = 1_500;
/// Ten megabytes of a scanned note, in base64.
pub const DOCUMENT_BASE64_MAX: usize = 14_000_000;
/// What charts and their readers take for a note.
pub const MEDIA_TYPES: &[&str] =
    &["application/pdf", "text/plain", "text/html", "application/rtf", "image/jpeg", "image/png", "image/tiff"];

/// A name or a number on a card.
const PART_CHARS_MAX: usize = 200;
const VISIT_MINUTES_DEFAULT: u32 = 30;
const VISIT_MINUTES_MAX: u32 = 24 * 60;
/// Nobody books further ahead; a year that was mistyped would silence the referral until then.
const AHEAD_DAYS_MAX: i64 = 730;
/// How every PDF begins (ISO 32000-1, 7.5.2), in base64.
const PDF_BEGINS: &str = "JVBERi0";
/// How every token begins. Who types one would have another patient's data put in its place.
const TOKEN_BEGINS: &str = "ZPHI";

/// Patient data may be among it: not shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GivenAnswers(pub BTreeMap<String, String>);

impl fmt::Debug for GivenAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// An answer that was read; what is patient data in it has yet to be sealed.
#[derive(Clone, PartialEq, Eq)]
pub enum GivenAnswer {
    Plain(ActAnswer),
    Text(String),
    Address { channel: Channel, address: String, replaces: Option<String> },
    Document { media_type: String, base64: String },
}

impl fmt::Debug for GivenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GivenAnswer(…)")
    }
}

/// Why an answer was not taken. It quotes nothing that was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    #[error("`{question}` is not answered\n  help: it asks: {label}")]
    Missing { question: String, label: String },
    #[error("the act does not ask this\n  help: {help}")]
    NotAsked { help: String },
    #[error("`{question}` cannot be taken\n  help: {help}")]
    Unfit { question: String, help: String },
}

impl GivenAnswers {
    /// Every answer, in the order of the questions. Times without a zone are the patient's.
    ///
    /// # Errors
    /// The first answer that is missing, not asked for, or not of its kind.
    pub fn read(
        &self,
        rule: &ActRule,
        workflow: &Workflow,
        zone: Tz,
        now: DateTime<Utc>,
    ) -> Result<Vec<(String, GivenAnswer)>, AnswerFault> {
        let asked: Vec<String> = rule.asks.iter().flat_map(Question::keys).collect();
        if self.0.keys().any(|key| !asked.contains(key)) {
            let help = match asked.is_empty() {
                true => "it asks nothing; give no answers".to_string(),
                false => did_you_mean("", asked.iter().map(String::as_str)),
            };
            return Err(AnswerFault::NotAsked { help });
        }
        let mut read = Vec::new();
        for question in &rule.asks {
            let reading = Reading { given: self, question, workflow, zone, now };
            match reading.answer() {
                Some(answer) => {
                    let unfit = |help| AnswerFault::Unfit { question: question.name.clone(), help };
                    read.push((question.name.clone(), answer.map_err(unfit)?));
                }
                None if question.optional => {}
                None => {
                    let (question, label) = (question.name.clone(), question.label.clone());
                    return Err(AnswerFault::Missing { question, label });
                }
            }
        }
        Ok(read)
    }
}

struct Reading<'a> {
    given: &'a GivenAnswers,
    question: &'a Question,
    workflow: &'a Workflow,
    zone: Tz,
    now: DateTime<Utc>,
}

type Read<T> = Result<T, String>;

impl<'a> Reading<'a> {
    fn text(&self, key: &str) -> Option<&'a str> {
        self.given.0.get(key).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    fn part(&self, part: &str) -> Option<&'a str> {
        self.text(&format!("{}.{part}", self.question.name))
    }

    fn answer(&self) -> Option<Read<GivenAnswer>> {
        let text = self.text(&self.question.name)?;
        Some(match self.question.kind {
            AnswerKind::Appointment => self.appointment(text).map(GivenAnswer::Plain),
            AnswerKind::Specialist => self.specialist(text).map(GivenAnswer::Plain),
            AnswerKind::Address => self.address(text),
            AnswerKind::Consent => match word(text, Consent::WORDS) {
                Ok(Consent::Unknown) => Err("write granted or denied".to_string()),
                read => read.map(|consent| GivenAnswer::Plain(ActAnswer::Consent { consent })),
            },
            AnswerKind::Channel => {
                word(text, Channel::WORDS).map(|channel| GivenAnswer::Plain(ActAnswer::Channel { channel }))
            }
            AnswerKind::ReplyIntent => {
                word(text, Intent::WORDS).map(|intent| GivenAnswer::Plain(ActAnswer::ReplyIntent { intent }))
            }
            AnswerKind::CallOutcome => {
                word(text, CallOutcome::WORDS).map(|outcome| GivenAnswer::Plain(ActAnswer::CallOutcome { outcome }))
            }
            AnswerKind::RerouteReason => {
                word(text, RerouteReason::WORDS).map(|reason| GivenAnswer::Plain(ActAnswer::RerouteReason { reason }))
            }
            AnswerKind::Letter => self.letter(text),
            AnswerKind::Text => prose(text).map(GivenAnswer::Text),
            AnswerKind::Document => self.document(text),
            AnswerKind::Date => NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .map(|date| GivenAnswer::Plain(ActAnswer::Date { date }))
                .map_err(|_| "write a date as 2026-03-10".to_string()),
        })
    }

    /// RFC 3339, or the patient's own time as people and browsers write it: `2026-03-10 09:30`, `2026-03-10T09:30`.
    fn appointment(&self, text: &str) -> Read<ActAnswer> {
        let local = |form: &str| NaiveDateTime::parse_from_str(text, form).ok();
        let starts_at = match DateTime::parse_from_rfc3339(text) {
            Ok(moment) => moment.with_timezone(&Utc),
            Err(_) => {
                let local = local("%Y-%m-%d %H:%M").or_else(|| local("%Y-%m-%dT%H:%M"));
                local_moment(local.ok_or("write the visit's time as 2026-03-10 09:30")?, self.zone)
            }
        };
        let ahead = TimeDelta::days(AHEAD_DAYS_MAX);
        if (starts_at - self.now).abs() > ahead {
            return Err("the visit is more than two years away: look at the year again".to_string());
        }
        let minutes = match self.part("minutes") {
            None => VISIT_MINUTES_DEFAULT,
            Some(text) => {
                let minutes = text.parse().ok().filter(|minutes| (1..=VISIT_MINUTES_MAX).contains(minutes));
                minutes.ok_or("write `.minutes` as a number of minutes, at most a day's")?
            }
        };
        Ok(ActAnswer::Appointment { starts_at, minutes })
    }

    fn specialist(&self, name: &str) -> Read<ActAnswer> {
        let part = |name: &str| self.part(name).map_or(Ok(String::new()), line);
        let specialist = Provider {
            id: part("id")?,
            name: line(name)?,
            organization: part("organization")?,
            phone: part("phone")?,
            specialty: part("specialty")?,
        };
        Ok(ActAnswer::Specialist { specialist })
    }

    fn address(&self, text: &str) -> Read<GivenAnswer> {
        let address = line(text)?;
        let is_mail = address.contains('@');
        let channel = match self.part("channel") {
            None if is_mail => Channel::Email,
            None => Channel::Sms,
            Some(text) => word(text, Channel::WORDS)?,
        };
        let fits = match channel {
            Channel::Sms => !is_mail && address.chars().filter(char::is_ascii_digit).count() >= 7,
            Channel::Email => is_mail,
            Channel::Portal => true,
        };
        if !fits {
            return Err("write a telephone number for sms, a mail address for email".to_string());
        }
        let replaces = self.part("replaces").map(line).transpose()?;
        Ok(GivenAnswer::Address { channel, address, replaces })
    }

    fn letter(&self, text: &str) -> Read<GivenAnswer> {
        match self.workflow.letters.contains_key(text) {
            true => Ok(GivenAnswer::Plain(ActAnswer::Letter { letter: text.to_string() })),
            false => Err(did_you_mean(text, self.workflow.letters.keys().map(String::as_str))),
        }
    }

    fn document(&self, text: &str) -> Read<GivenAnswer> {
        let media_type = self.part("type").unwrap_or("application/pdf");
        if !MEDIA_TYPES.contains(&media_type) {
            return Err(format!("write `.type` as one of: {}", MEDIA_TYPES.join(", ")));
        }
        // Browsers and `base64` break lines.
        let base64: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        if base64.len() > DOCUMENT_BASE64_MAX {
            return Err("the document has more than ten megabytes".to_string());
        }
        if !is_base64(&base64) {
            return Err("give the document's bytes in base64".to_string());
        }
        if media_type == "application/pdf" && !base64.starts_with(PDF_BEGINS) {
            return Err("this is no PDF; say with `.type` what it is".to_string());
        }
        Ok(GivenAnswer::Document { media_type: media_type.to_string(), base64 })
    }
}

/// One of a vocabulary's words.
fn word<T: std::str::FromStr>(text: &str, words: &[&str]) -> Read<T> {
    text.parse().map_err(|_| format!("one of: {}", words.join(", ")))
}

/// A name, a number: one line.
fn line(text: &str) -> Read<String> {
    if text.chars().count() > PART_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(format!("one line of at most {PART_CHARS_MAX} characters"));
    }
    untokened(text)
}

fn prose(text: &str) -> Read<String> {
    let control = |c: char| c.is_control() && c != '\n' && c != '\t';
    let text = text.replace("\r\n", "\n");
    if text.chars().count() > TEXT_CHARS_MAX || text.chars().any(control) {
        return Err(format!("at most {TEXT_CHARS_MAX} characters of plain text"));
    }
    untokened(&text)
}

fn untokened(text: &str) -> Read<String> {
    match text.contains(TOKEN_BEGINS) {
        true => Err(format!("no word may begin with {TOKEN_BEGINS}: that is how Handoff writes what it has sealed")),
        false => Ok(text.to_string()),
    }
}

/// RFC 4648, 4, with its padding.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padded = text.len() - digits.len();
    !digits.is_empty()
        && text.len().is_multiple_of(4)
        && padded <= 2
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
}
