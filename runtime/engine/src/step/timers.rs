//! Sets and clears timers. A timer is a moment; what it means is looked up when it fires.

use chrono::{DateTime, TimeDelta, Utc};

use crate::event::Event;
use crate::referral::{AppointmentStatus, Facts, Referral, Timer};
use crate::workflow::{Late, Since, TimerRule, When};

/// A visit stage that asks to be asked again at once would be asked for ever.
const VISIT_OPEN_HOURS_MIN: u32 = 1;

/// The time of the visit as it now stands; `None` once cancelled or missed.
pub(super) fn visit_at(facts: &Facts) -> Option<DateTime<Utc>> {
    let appointment = facts.appointment.as_ref()?;
    match appointment.status {
        AppointmentStatus::Booked | AppointmentStatus::Arrived | AppointmentStatus::Completed => {
            Some(appointment.starts_at)
        }
        AppointmentStatus::Cancelled | AppointmentStatus::NoShow => None,
    }
}

pub(super) fn arm_all(referral: &mut Referral, rules: &[TimerRule], now: DateTime<Utc>) {
    for rule in rules {
        arm(referral, rule, now);
    }
}

pub(super) fn arm(referral: &mut Referral, rule: &TimerRule, now: DateTime<Utc>) {
    if let Some(due) = due(referral, rule.when)
        && (due > now || rule.late == Late::Fire)
    {
        set(referral, &rule.name, due);
    }
}

pub(super) fn due(referral: &Referral, when: When) -> Option<DateTime<Utc>> {
    match when {
        When::After { wait, since: Since::Entry } => referral.entered_at.checked_add_signed(wait),
        When::After { wait, since: Since::Order } => referral.ordered_at.checked_add_signed(wait),
        When::BeforeAppointment(wait) => visit_at(&referral.facts)?.checked_sub_signed(wait),
        When::AfterAppointment(wait) => visit_at(&referral.facts)?.checked_add_signed(wait),
        When::VisitOpen { .. } => None,
    }
}

fn set(referral: &mut Referral, name: &str, due: DateTime<Utc>) {
    match referral.timers.iter_mut().find(|timer| timer.name == name) {
        Some(timer) => timer.due = due,
        None => referral.timers.push(Timer { name: name.to_string(), due }),
    }
}

/// Takes the timer off that fired. Whether there was one.
pub(super) fn disarm(referral: &mut Referral, event: &Event) -> bool {
    let Event::Timer { name } = event else { return false };
    let before = referral.timers.len();
    referral.timers.retain(|timer| timer.name != *name);
    referral.timers.len() < before
}

/// Sets timers anew that hang on the appointment, if that is another than before. One that has fired for the same visit
/// stays fired.
pub(super) fn rearm_appointment(before: &Facts, next: &mut Referral, rules: &[TimerRule], now: DateTime<Utc>) {
    if visit_at(before) == visit_at(&next.facts) {
        return;
    }
    for rule in rules {
        match rule.when {
            When::BeforeAppointment(_) | When::AfterAppointment(_) => {
                next.timers.retain(|timer| timer.name != rule.name);
                arm(next, rule, now);
            }
            When::After { .. } | When::VisitOpen { .. } => {}
        }
    }
}

/// The visit stage asked to be asked again.
pub(super) fn arm_visit_open(next: &mut Referral, rules: &[TimerRule], hours: Option<u32>, now: DateTime<Utc>) {
    let Some(hours) = hours else { return };
    for rule in rules {
        match rule.when {
            When::VisitOpen { at_most } => {
                let wait = TimeDelta::hours(hours.max(VISIT_OPEN_HOURS_MIN).into()).min(at_most);
                if let Some(due) = now.checked_add_signed(wait) {
                    set(next, &rule.name, due);
                }
            }
            When::After { .. } | When::BeforeAppointment(_) | When::AfterAppointment(_) => {}
        }
    }
}
