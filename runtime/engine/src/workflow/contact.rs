//! `practice:` and `contact:`: who writes, and the rules under which patients may be written to. The host's gate keeps them.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::node::Node;
use super::reader::WorkflowReader;
use crate::calendar::Window;
use crate::problem::{Code, did_you_mean};
use crate::vocabulary::vocabulary;

/// Whose name and number stand in letters.
#[derive(Clone, Debug)]
pub struct Practice {
    pub name: String,
    pub phone: String,
    /// Specialties whose letters name neither specialist nor specialty: words of their names, or their codes.
    pub sensitive: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Contact {
    /// 8:00 to 21:00 at the patient's home unless the practice is stricter.
    pub hours: Window,
    pub per_day: u32,
    pub per_week: u32,
    /// Dates, in the patient's zone, on which nobody is written to.
    pub holidays: BTreeSet<NaiveDate>,
    /// The longest text message, in characters once filled in.
    pub sms_characters: u32,
    /// For patients whose address is not known.
    pub zone: Tz,
    pub opt_out: OptOutScope,
}

vocabulary! {
    /// What an opt-out by one channel means for the others.
    pub enum OptOutScope {
        /// No message by any channel.
        Everything = "all",
        /// No message by the channel on which it came.
        Channel = "channel",
    }
}

/// The healthcare exemption of 47 CFR 64.1200(a)(9)(iv): one message a day, three a week, 160 characters.
const PER_DAY_DEFAULT: u32 = 1;
const PER_WEEK_DEFAULT: u32 = 3;
const SMS_CHARACTERS_DEFAULT: u32 = 160;
/// Ten parts of a concatenated message: carriers drop longer ones.
const SMS_CHARACTERS_MAX: u64 = 1530;

const PRACTICE_KEYS: &[&str] = &["name", "phone", "sensitive"];
const KEYS: &[&str] = &["hours", "per_day", "per_week", "holidays", "sms_characters", "zone", "opt_out"];

pub(super) fn read_practice(reader: &mut WorkflowReader, node: &Node) -> Option<Practice> {
    let block = reader.block("practice", node, PRACTICE_KEYS);
    let name = block.required_text(reader, "name");
    let phone = block.required_text(reader, "phone");
    let sensitive = block.get("sensitive").map(|node| reader.texts("sensitive", node)).unwrap_or_default();
    let sensitive = sensitive.into_iter().map(|word| word.to_lowercase()).filter(|word| !word.is_empty()).collect();
    Some(Practice { name: name?, phone: phone?, sensitive })
}

pub(super) fn read(reader: &mut WorkflowReader, node: &Node) -> Contact {
    let block = reader.block("contact", node, KEYS);
    let default_hours = Window {
        opens: NaiveTime::from_hms_opt(8, 0, 0).unwrap_or_default(),
        closes: NaiveTime::from_hms_opt(21, 0, 0).unwrap_or_default(),
    };
    let hours = block.get("hours").and_then(|node| {
        let text = reader.text("hours", node)?;
        let parsed = text.parse::<Window>();
        if let Err(error) = &parsed {
            reader.report(node.at, Code::BAD_VALUE, error.to_string(), "write `hours: 08:00-21:00`");
        }
        parsed.ok()
    });
    let mut number = |key: &str, least: u64, most: u64, default: u32| {
        let count = block.get(key).and_then(|node| reader.count(key, node, least, most));
        count.and_then(|count| u32::try_from(count).ok()).unwrap_or(default)
    };
    let per_day = number("per_day", 1, 10, PER_DAY_DEFAULT);
    let per_week = number("per_week", 1, 50, PER_WEEK_DEFAULT);
    let sms_characters = number("sms_characters", 70, SMS_CHARACTERS_MAX, SMS_CHARACTERS_DEFAULT);
    let holidays = block.get("holidays").map(|node| read_holidays(reader, node)).unwrap_or_default();
    let zone = block.required(reader, "zone").and_then(|node| read_zone(reader, node)).unwrap_or(Tz::UTC);
    let opt_out = block.get("opt_out").and_then(|node| reader.choice("opt_out", node, OptOutScope::ALL));
    Contact {
        hours: hours.unwrap_or(default_hours),
        per_day,
        per_week,
        holidays,
        sms_characters,
        zone,
        opt_out: opt_out.unwrap_or(OptOutScope::Everything),
    }
}

fn read_zone(reader: &mut WorkflowReader, node: &Node) -> Option<Tz> {
    let text = reader.text("zone", node)?;
    let parsed = text.parse::<Tz>();
    if parsed.is_err() {
        let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        let message = format!("`{text}` is no time zone");
        reader.report(node.at, Code::BAD_ZONE, message, did_you_mean(&text, names));
    }
    parsed.ok()
}

fn read_holidays(reader: &mut WorkflowReader, node: &Node) -> BTreeSet<NaiveDate> {
    let mut dates = BTreeSet::new();
    for item in reader.list(node) {
        let Some(text) = reader.text("holidays", item) else { continue };
        match NaiveDate::parse_from_str(&text, "%Y-%m-%d") {
            Ok(date) => {
                dates.insert(date);
            }
            Err(_) => {
                let message = format!("`{text}` is no date");
                reader.report(item.at, Code::BAD_VALUE, message, "write dates as `2026-12-25`");
            }
        }
    }
    dates
}
