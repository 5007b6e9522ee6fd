//! Keeps the law, not the plugin: consent, quiet hours, caps. Nothing goes to a patient but through here.
//!
//! Asked twice for each message: when it is owed, to give it its hour, and when it leaves, because a patient may have
//! opted out in between. Deny by default: what no rule allows does not go.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use handoff_engine::calendar;
use handoff_engine::referral::Channel;
use handoff_engine::workflow::contact::Contact;

/// What the rules are asked.
pub struct Passage<'a> {
    pub channel: Channel,
    /// The patient's word about this address, the latest first in force; absent when never asked.
    pub consent: Option<bool>,
    pub deceased: bool,
    /// The instance is tried out, and this address is not among those that it may write to.
    pub is_barred: bool,
    /// Where the patient lives; quiet hours are theirs, not ours.
    pub zone: Option<Tz>,
    /// Where they may live as well: the stricter of the two holds.
    pub other_zone: Option<Tz>,
    /// When texts went to this patient, over all their referrals.
    pub texted: &'a [DateTime<Utc>],
    /// As it is billed: GSM-7 septets or UTF-16 units, tokens counted as what they stand for.
    pub units: usize,
    /// Past this the message is of no use.
    pub expires: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactVerdict {
    Go,
    /// Not before then, by this rule.
    Wait {
        until: DateTime<Utc>,
        rule: &'static str,
    },
    /// Never, by this rule.
    Never {
        rule: &'static str,
    },
}

/// Texts to a patient who has consented: not the law's limit but the practice's manners. A visit may be booked, announced
/// and remembered on one day.
const CONSENTED_PER_DAY_MAX: u32 = 3;

/// A week's caps and a month's holidays move a message some forty times. Hours that two zones never share would move it for ever.
const MOVES_MAX: usize = 100;

/// The rules in order: who must not be written to at all, then when, then how often.
pub fn admit(contact: &Contact, passage: &Passage<'_>, now: DateTime<Utc>) -> ContactVerdict {
    if passage.deceased {
        return ContactVerdict::Never { rule: "deceased" };
    }
    if passage.is_barred {
        return ContactVerdict::Never { rule: "no-test-recipient" };
    }
    if passage.consent == Some(false) {
        // 47 CFR 64.1200(a)(10): a revocation holds for every later message.
        return ContactVerdict::Never { rule: "opted-out" };
    }
    let exempt = passage.channel == Channel::Sms && passage.consent != Some(true);
    if exempt && passage.units > contact.sms_characters as usize {
        // 47 CFR 64.1200(a)(9)(iv)(C): without the patient's consent, 160 characters.
        return ContactVerdict::Never { rule: "text-too-long" };
    }
    let mut until = now;
    let mut rule = None;
    // Each rule may push the hour into another's: settle where all agree.
    let mut moves = 0;
    while let Some((later, name)) = hold(contact, passage, until) {
        (until, rule) = (later, Some(name));
        moves += 1;
        if moves > MOVES_MAX {
            return ContactVerdict::Never { rule: name };
        }
    }
    match (passage.expires, rule) {
        (Some(expires), Some(rule)) if until > expires => ContactVerdict::Never { rule },
        (Some(expires), None) if until > expires => ContactVerdict::Never { rule: "expired" },
        (_, Some(rule)) => ContactVerdict::Wait { until, rule },
        (_, None) => ContactVerdict::Go,
    }
}

/// The first rule that does not let a message go at this moment, and when it would. Always later, so settling ends.
fn hold(contact: &Contact, passage: &Passage<'_>, at: DateTime<Utc>) -> Option<(DateTime<Utc>, &'static str)> {
    match passage.channel {
        Channel::Email | Channel::Portal => return None,
        Channel::Sms => {}
    }
    let zone = passage.zone.unwrap_or(contact.zone);
    // 47 CFR 64.1200(c)(1): not before 8 a.m. and not after 9 p.m. at the recipient's location.
    for zone in [Some(zone), passage.other_zone].into_iter().flatten() {
        let allowed = calendar::next_allowed(at, zone, contact.hours, &contact.holidays);
        if allowed > at {
            return Some((allowed, "quiet-hours"));
        }
    }
    // 47 CFR 64.1200(a)(9)(iv): without the patient's consent, one health care text a day and three a week.
    let consented = passage.consent == Some(true);
    let per_day = if consented { CONSENTED_PER_DAY_MAX } else { contact.per_day };
    let day = at.with_timezone(&zone).date_naive();
    let today = passage.texted.iter().filter(|sent| sent.with_timezone(&zone).date_naive() == day).count();
    if today >= per_day as usize {
        let midnight = (day + Days::new(1)).and_time(NaiveTime::MIN);
        return Some((calendar::local_moment(midnight, zone), "texts-per-day"));
    }
    let week = TimeDelta::days(7);
    let lately = passage.texted.iter().filter(|&&sent| sent > at - week && sent <= at);
    if !consented && lately.clone().count() >= contact.per_week as usize {
        return lately.min().map(|oldest| (*oldest + week, "texts-per-week"));
    }
    None
}

#[cfg(test)]
mod tests;
