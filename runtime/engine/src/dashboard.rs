//! The five figures by which a practice sees whether its loop closes.

use chrono::{DateTime, TimeDelta, Utc};

use crate::referral::Referral;

/// A share of referrals, with its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    pub name: &'static str,
    pub count: u64,
    /// Those of which it could already be told.
    pub of: u64,
    pub target: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    AtLeastPercent(u8),
    AtMostPercent(u8),
}

impl Figure {
    /// In percent; `None` while nothing can be told.
    pub fn percent(&self) -> Option<f64> {
        // Counts of a practice are far below 2^52, so nothing is lost.
        (self.of > 0).then(|| self.count as f64 * 100.0 / self.of as f64)
    }

    pub fn on_target(&self) -> Option<bool> {
        self.percent().map(|percent| match self.target {
            Target::AtLeastPercent(least) => percent >= f64::from(least),
            Target::AtMostPercent(most) => percent <= f64::from(most),
        })
    }
}

/// The workflow's words that the figures read. A workflow sets them with `mark:`.
pub mod marks {
    /// The patient has an appointment, by their word or the scheduling system's.
    pub const CONFIRMED: &str = "confirmed";
    pub const NO_SHOW: &str = "no-show";
    /// No appointment after [`super::STALLED_AFTER_DAYS`] days.
    pub const STALLED: &str = "stalled";
    /// The specialist first named is outside the patient's plan.
    pub const OUT_OF_NETWORK: &str = "out-of-network";
}

pub const CONFIRMED_WITHIN_DAYS: i64 = 7;
pub const STALLED_AFTER_DAYS: i64 = 14;
/// A visit and its note take this long at best; younger referrals say nothing about closing.
pub const CLOSED_AFTER_DAYS: i64 = 30;

/// What practices that close the loop reach; without one, a quarter to a half of referrals are never scheduled, attended or
/// closed.
const CONFIRMED_TARGET: Target = Target::AtLeastPercent(80);
const NO_SHOW_TARGET: Target = Target::AtMostPercent(8);
const CLOSED_TARGET: Target = Target::AtLeastPercent(65);
const STALLED_TARGET: Target = Target::AtMostPercent(10);
const OUT_OF_NETWORK_TARGET: Target = Target::AtMostPercent(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dashboard {
    pub confirmed_in_7_days: Figure,
    pub no_show: Figure,
    pub closed_with_note: Figure,
    pub stalled_at_day_14: Figure,
    pub out_of_network: Figure,
}

impl Dashboard {
    /// One pass. `ended` says whether a referral's state is an end of its workflow.
    pub fn of<'r>(
        referrals: impl IntoIterator<Item = &'r Referral>,
        now: DateTime<Utc>,
        ended: impl Fn(&Referral) -> bool,
    ) -> Dashboard {
        let mut board = Dashboard::empty();
        for referral in referrals {
            board.count(referral, now, ended(referral));
        }
        board
    }

    /// Before any referral was counted: for whoever reads them a page at a time.
    pub fn empty() -> Dashboard {
        let empty = |name, target| Figure { name, count: 0, of: 0, target };
        Dashboard {
            confirmed_in_7_days: empty("confirmed within 7 days", CONFIRMED_TARGET),
            no_show: empty("no-show", NO_SHOW_TARGET),
            closed_with_note: empty("closed with note", CLOSED_TARGET),
            stalled_at_day_14: empty("stalled at day 14", STALLED_TARGET),
            out_of_network: empty("out of network", OUT_OF_NETWORK_TARGET),
        }
    }

    pub fn figures(&self) -> [Figure; 5] {
        [self.confirmed_in_7_days, self.no_show, self.closed_with_note, self.stalled_at_day_14, self.out_of_network]
    }

    /// Counts one more.
    pub fn count(&mut self, referral: &Referral, now: DateTime<Utc>, ended: bool) {
        let facts = &referral.facts;
        let marked = |name: &str| facts.marks.iter().find(|mark| mark.name == name).map(|mark| mark.at);
        let age = now - referral.ordered_at;
        let older = |days: i64| age >= TimeDelta::days(days);

        let within = TimeDelta::days(CONFIRMED_WITHIN_DAYS);
        let confirmed = marked(marks::CONFIRMED).is_some_and(|at| at - referral.ordered_at <= within);
        self.confirmed_in_7_days.add(confirmed, confirmed || ended || older(CONFIRMED_WITHIN_DAYS));

        let missed = marked(marks::NO_SHOW).is_some();
        self.no_show.add(missed, missed || facts.visit.is_some());

        let noted = facts.note.is_some();
        self.closed_with_note.add(noted, noted || ended || older(CLOSED_AFTER_DAYS));

        let stalled = marked(marks::STALLED).is_some();
        self.stalled_at_day_14.add(stalled, stalled || ended || older(STALLED_AFTER_DAYS));

        self.out_of_network.add(marked(marks::OUT_OF_NETWORK).is_some(), true);
    }
}

impl Figure {
    fn add(&mut self, counts: bool, told: bool) {
        self.of += u64::from(told);
        self.count += u64::from(told && counts);
    }
}
