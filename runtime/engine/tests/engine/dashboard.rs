//! The five figures.

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::dashboard::{Dashboard, marks};
use handoff_engine::referral::{Mark, Referral, Visit};

use crate::steps::{newborn, start};

fn aged(days: i64, now: DateTime<Utc>) -> Referral {
    Referral { ordered_at: now - TimeDelta::days(days), ..newborn() }
}

fn marked(mut referral: Referral, name: &str, day: i64) -> Referral {
    let at = referral.ordered_at + TimeDelta::days(day);
    referral.facts.marks.push(Mark { name: name.to_string(), at });
    referral
}

#[test]
fn each_figure_counts_what_can_already_be_told() {
    let now = start();
    let mut missed = marked(aged(20, now), marks::NO_SHOW, 10);
    missed.facts.visit = Some(Visit { attended: false, at: now });
    let mut seen = marked(aged(20, now), marks::CONFIRMED, 7);
    seen.facts.visit = Some(Visit { attended: true, at: now });
    let referrals = [
        aged(1, now),
        marked(aged(8, now), marks::CONFIRMED, 8),
        marked(aged(15, now), marks::STALLED, 14),
        marked(aged(2, now), marks::OUT_OF_NETWORK, 0),
        missed,
        seen,
    ];
    let board = Dashboard::of(&referrals, now, |_| false);
    let counts: Vec<(u64, u64)> = board.figures().iter().map(|figure| (figure.count, figure.of)).collect();
    assert_eq!(counts, [(1, 4), (1, 2), (0, 0), (1, 3), (1, 6)]);
    assert_eq!(board.closed_with_note.percent(), None);
    assert_eq!(board.no_show.on_target(), Some(false));
}
