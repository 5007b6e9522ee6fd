//! The judgement: the newest decisive word wins, a note beats every word, and silence is not absence.

use crate::settings::{GiveUpAs, Settings};
use crate::types::{Finding, Heard, Visit};

const HOUR_MILLIS: i64 = 3_600_000;
const MINUTE_MILLIS: i64 = 60_000;

/// What a word of the feed says about attendance.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    /// `arrived`, `completed`.
    Seen,
    /// `note`: nobody writes one about a patient who did not come.
    Written,
    NoShow,
    /// `cancelled`, `deleted`.
    CalledOff,
    /// `booked`, `moved`: there is a visit (again), and nothing said about it before counts.
    Booked,
    /// `changed`, and words that came after this plugin.
    Silent,
}

pub fn judge(visit: &Visit, settings: &Settings) -> Finding {
    let counts_from = visit.starts_at.saturating_sub(hours(settings.early_hours));
    let mut newest = Word::Booked;
    let mut seen_at = None;
    for heard in &visit.heard {
        match word(heard) {
            Word::Seen | Word::Written if heard.at < counts_from => {}
            word @ (Word::Seen | Word::Written) => {
                seen_at = seen_at.or(Some(heard.at));
                if word == Word::Written {
                    return attended(visit, seen_at);
                }
                newest = word;
            }
            Word::NoShow if heard.at < visit.starts_at => {}
            word @ (Word::NoShow | Word::CalledOff | Word::Booked) => {
                seen_at = None;
                newest = word;
            }
            Word::Silent => {}
        }
    }
    match newest {
        Word::Seen | Word::Written => attended(visit, seen_at),
        Word::NoShow => Finding::NoShow,
        Word::CalledOff => Finding::Cancelled,
        Word::Booked | Word::Silent => silence(visit, settings),
    }
}

fn word(heard: &Heard) -> Word {
    match heard.what.as_str() {
        "arrived" | "completed" => Word::Seen,
        "note" => Word::Written,
        "no-show" => Word::NoShow,
        "cancelled" | "deleted" => Word::CalledOff,
        "booked" | "moved" => Word::Booked,
        _ => Word::Silent,
    }
}

/// The visit's time; or the arrival's, for a patient who came early.
fn attended(visit: &Visit, seen_at: Option<i64>) -> Finding {
    Finding::Attended(seen_at.map_or(visit.starts_at, |at| at.min(visit.starts_at)))
}

fn silence(visit: &Visit, settings: &Settings) -> Finding {
    let end = visit.starts_at.saturating_add(i64::from(visit.minutes) * MINUTE_MILLIS);
    let grace_end = end.saturating_add(hours(settings.grace_hours));
    if visit.now < grace_end {
        return Finding::Open(hours_until(visit.now, grace_end));
    }
    let given_up = settings.give_up_hours.is_some_and(|give_up| visit.now >= end.saturating_add(hours(give_up)));
    match settings.give_up_as {
        GiveUpAs::NoShow if given_up => Finding::NoShow,
        GiveUpAs::NoShow | GiveUpAs::Open => Finding::Open(settings.again_hours),
    }
}

fn hours(hours: u32) -> i64 {
    i64::from(hours) * HOUR_MILLIS
}

/// Rounded up, so that the next look is not too early.
fn hours_until(now: i64, then: i64) -> u32 {
    let millis = then.saturating_sub(now).max(1);
    u32::try_from(millis.saturating_add(HOUR_MILLIS - 1) / HOUR_MILLIS).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
