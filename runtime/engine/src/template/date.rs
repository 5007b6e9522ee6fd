//! Dates and times as a language says them, from words that stand in its template file.

use chrono::{Datelike, NaiveDateTime, Timelike};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalCalendar {
    /// Monday first.
    pub weekdays: [String; 7],
    pub months: [String; 12],
    /// With `{weekday}`, `{month}`, `{day}`: `{weekday}, {month} {day}`.
    pub date: String,
    pub clock: ClockStyle,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClockStyle {
    /// `14:30`.
    Hours24,
    /// `2:30 PM`, with the language's words.
    Hours12 { am: String, pm: String },
}

impl LocalCalendar {
    pub fn date(&self, local: NaiveDateTime) -> String {
        let weekday = &self.weekdays[local.weekday().num_days_from_monday() as usize];
        let month = &self.months[local.month0() as usize];
        let day = local.day().to_string();
        self.date.replace("{weekday}", weekday).replace("{month}", month).replace("{day}", &day)
    }

    pub fn time(&self, local: NaiveDateTime) -> String {
        match &self.clock {
            ClockStyle::Hours24 => format!("{}:{:02}", local.hour(), local.minute()),
            ClockStyle::Hours12 { am, pm } => {
                let (afternoon, hour) = local.hour12();
                format!("{hour}:{:02} {}", local.minute(), if afternoon { pm } else { am })
            }
        }
    }
}
