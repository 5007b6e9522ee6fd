//! Rows a clinic can read: hours are counted from the visit's start, which lasts 30 minutes.

use proptest::prelude::*;

use super::*;

/// What was heard and when, the hour of the look, and the finding.
type Row<'a> = (&'a [(&'a str, i64)], i64, &'a str);

const START: i64 = 1_800_000_000_000;

fn judged(heard: &[(&str, i64)], now: i64, settings: &str) -> String {
    let heard = heard.iter().map(|&(what, at)| Heard { what: what.to_owned(), at: START + at * HOUR_MILLIS }).collect();
    let visit = Visit {
        referral: Vec::new(),
        appointment: Vec::new(),
        starts_at: START,
        minutes: 30,
        heard,
        now: START + now * HOUR_MILLIS,
        extras: Vec::new(),
    };
    let settings = match Settings::read(settings) {
        Ok(settings) => settings,
        Err(failure) => return format!("{failure:?}"),
    };
    match judge(&visit, &settings) {
        Finding::Attended(at) => format!("attended {:+}h", (at - START) / HOUR_MILLIS),
        Finding::NoShow => "no-show".to_owned(),
        Finding::Cancelled => "cancelled".to_owned(),
        Finding::Moved(at) => format!("moved {at}"),
        Finding::Open(hours) => format!("open {hours}"),
    }
}

#[test]
fn what_the_feed_said_is_judged() {
    let rows: &[Row] = &[
        (&[("booked", -72), ("arrived", 0)], 6, "attended +0h"),
        (&[("booked", -72), ("arrived", -1)], 6, "attended -1h"),
        (&[("booked", -72), ("completed", 48)], 50, "attended +0h"),
        (&[("booked", -72), ("note", 90)], 96, "attended +0h"),
        (&[("note", 2), ("no-show", 3)], 6, "attended +0h"),
        (&[("no-show", 2), ("note", 30)], 40, "attended +0h"),
        (&[("booked", -72), ("no-show", 1)], 6, "no-show"),
        (&[("no-show", 1), ("arrived", 2)], 6, "attended +0h"),
        (&[("arrived", 0), ("no-show", 2)], 6, "no-show"),
        (&[("booked", -72), ("cancelled", -2)], 6, "cancelled"),
        (&[("booked", -72), ("deleted", -2)], 6, "cancelled"),
        (&[("cancelled", -48), ("booked", -24)], 6, "open 24"),
        (&[("no-show", -240), ("moved", -239)], 6, "open 24"),
        (&[("arrived", -12)], 6, "attended -12h"),
        (&[("arrived", -13)], 6, "open 24"),
        (&[("note", -200)], 6, "open 24"),
        (&[("changed", 1), ("reminded", 2)], 6, "open 24"),
        (&[], -24, "open 29"),
        (&[], 0, "open 5"),
        (&[], 4, "open 1"),
        (&[], 5, "open 24"),
        (&[], 5_000, "open 24"),
    ];
    for (heard, now, expected) in rows {
        assert_eq!(&judged(heard, *now, "{}"), expected, "{heard:?} at {now} h");
    }
}

#[test]
fn settings_decide_what_silence_means() {
    let give_up = r#"{"give_up_hours": 72, "give_up_as": "no-show"}"#;
    let rows = [
        (72, give_up, "open 24"),
        (73, give_up, "no-show"),
        (73, r#"{"give_up_hours": 72}"#, "open 24"),
        (3, r#"{"grace_hours": 1, "again_hours": 6}"#, "open 6"),
        (3, r#"{"again_hours": 0}"#, r#"Failure::Misconfigured("visit-hl7: again_hours is 0; write at least 1")"#),
    ];
    for (now, settings, expected) in rows {
        assert_eq!(judged(&[], now, settings), expected, "{settings} at {now} h");
    }
    assert!(judged(&[], 0, r#"{"grace": 1}"#).contains("unknown field `grace`"));
}

proptest! {
    #[test]
    fn any_times_are_judged(start: i64, now: i64, at: i64, minutes: u32, what in "arrived|note|no-show|moved|x") {
        let heard = vec![Heard { what, at }];
        let visit = Visit { referral: vec![], appointment: vec![], starts_at: start, minutes, heard, now, extras: vec![] };
        let again = visit.clone();
        prop_assert_eq!(judge(&visit, &Settings::default()), judge(&again, &Settings::default()));
    }
}
