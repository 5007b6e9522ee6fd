//! No visit is told to a patient but the newest, by the clock of the scheduling system; that one is known, and announced once.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_engine::ids::{LetterId, ReferralId};
use handoff_engine::letter::LetterBody;
use handoff_engine::referral::Referral;
use handoff_practice::{Truth, VisitTold};
use handoff_store::entry::Settlement;
use handoff_store::{DeliveryVerdict, Entry, Position, Record};

use super::truths::{Dispatched, Owners};

/// Letters that name the time of a visit.
const NAMES_A_VISIT: [&str; 3] = ["visit-booked", "visit-tomorrow", "visit-soon"];

/// What a patient is told in a letter.
struct Told<'a> {
    referral: ReferralId,
    template: &'a str,
    starts_at: Option<DateTime<Utc>>,
}

pub fn faults(entries: &[(Position, Arc<Entry>)], dispatched: &Dispatched, owners: &Owners) -> Vec<String> {
    let mut faults = Vec::new();
    let mut heard: BTreeMap<usize, Vec<&VisitTold>> = BTreeMap::new();
    let mut letters: BTreeMap<LetterId, Told<'_>> = BTreeMap::new();
    let mut announced: BTreeMap<(ReferralId, Option<DateTime<Utc>>), LetterId> = BTreeMap::new();
    let mut last: BTreeMap<ReferralId, &Referral> = BTreeMap::new();
    for (position, entry) in entries {
        for told in applied(entry, dispatched) {
            heard.entry(told.person).or_default().push(told);
        }
        let steps = entry.records.iter().filter_map(|record| match record {
            Record::Stepped { referral, .. } => Some((referral.id, &**referral)),
            _ => None,
        });
        last.extend(steps);
        for record in &entry.records {
            match record {
                Record::Queued { letter, .. } => {
                    let LetterBody::Message(message) = &letter.body else { continue };
                    if !NAMES_A_VISIT.contains(&message.template.as_str()) || letters.contains_key(&letter.id) {
                        continue;
                    }
                    let (referral, template) = (letter.id.referral, message.template.as_str());
                    let appointment = last.get(&referral).and_then(|it| it.facts.appointment.as_ref());
                    let starts_at = appointment.map(|appointment| appointment.starts_at);
                    letters.insert(letter.id, Told { referral, template, starts_at });
                    if template == NAMES_A_VISIT[0]
                        && let Some(before) = announced.insert((referral, starts_at), letter.id)
                    {
                        faults.push(format!("entry {position}: {} announces a visit again after {before}", letter.id));
                    }
                }
                Record::Asked { letter, lookup: false, .. } => {
                    let Some(told) = letters.get(letter) else { continue };
                    let Some(owner) = owners.get(&told.referral) else { continue };
                    let newest = heard.get(owner).and_then(|heard| newest(heard));
                    if newest.map(|newest| newest.starts_at) != told.starts_at {
                        faults.push(format!(
                            "entry {position}: {letter} ({}) tells of a visit at {:?}, and the newest is {newest:?}",
                            told.template, told.starts_at
                        ));
                    }
                }
                _ => {}
            }
        }
    }
    faults.extend(last.values().filter_map(|referral| unknown(referral, heard.get(owners.get(&referral.id)?)?)));
    faults
}

/// News of visits that an entry applied: it came, or it had waited.
fn applied<'a>(entry: &'a Entry, dispatched: &'a Dispatched) -> impl Iterator<Item = &'a VisitTold> {
    let digests = entry.records.iter().filter_map(|record| match record {
        Record::Delivery { digest, verdict: DeliveryVerdict::Accepted { .. }, .. } => Some(*digest),
        Record::Settled { item, how: Settlement::Matched, .. } => item.parse().ok(),
        _ => None,
    });
    digests.filter_map(|digest| match dispatched.truths.get(&digest) {
        Some(Truth::Visit(told)) => Some(told),
        _ => None,
    })
}

/// The last appointment made, of those whose last news is that they stand.
fn newest<'a>(heard: &[&'a VisitTold]) -> Option<&'a VisitTold> {
    let mut standing: BTreeMap<&str, &VisitTold> = BTreeMap::new();
    for told in heard {
        let known = standing.entry(told.number.as_str()).or_insert(told);
        if told.said_at >= known.said_at {
            *known = told;
        }
    }
    standing.into_values().filter(|told| told.stands).max_by_key(|told| told.said_at)
}

/// A visit that stands, of which Handoff has been told, and which its referral does not have.
fn unknown(referral: &Referral, heard: &Vec<&VisitTold>) -> Option<String> {
    let newest = newest(heard)?;
    let known = referral.facts.appointment.as_ref();
    // Of one that was missed nobody may have said so, before the next was made.
    let is_after = |as_of: Option<DateTime<Utc>>| as_of.is_some_and(|as_of| as_of >= newest.said_at);
    let is_known = known.is_some_and(|known| known.starts_at == newest.starts_at || is_after(known.as_of));
    (!is_known).then(|| format!("{}, {}, has {known:?} and was told of {newest:?}", referral.id, referral.state))
}

mod tests {
    use chrono::TimeDelta;
    use handoff_engine::ids::Digest;
    use handoff_rehearsal::rehearsal;

    use super::super::made_up::{asked, delivery, entry, message, referral_id, stepped};
    use super::*;

    fn told(number: &str, said_hour: i64, starts_hour: i64, stands: bool) -> VisitTold {
        let at = |hour| rehearsal::start() + TimeDelta::hours(hour);
        VisitTold {
            person: 1,
            number: number.into(),
            said_at: at(said_hour),
            starts_at: at(starts_hour),
            stands,
            names_referral: true,
        }
    }

    #[test]
    fn a_visit_that_is_told_and_is_not_the_newest_is_found() {
        let referral = referral_id(b"one");
        let (booked, moved) = (told("A", 1, 50, true), told("A", 2, 60, true));
        let news = |told: &VisitTold| delivery(told.starts_at.to_rfc3339().as_bytes(), accepted(referral));
        let truths = [&booked, &moved]
            .map(|told| (Digest::of(told.starts_at.to_rfc3339().as_bytes()), Truth::Visit(told.clone())));
        let dispatched = Dispatched { truths: truths.into(), promised: Vec::new() };
        let first = LetterId { referral, number: 1 };
        let announces = |told: &VisitTold, letter| {
            entry([news(told), stepped(referral, told.starts_at), message(letter, "visit-booked")])
        };
        let found = |entries: &[(Position, Arc<Entry>)]| faults(entries, &dispatched, &[(referral, 1)].into()).len();
        assert_eq!(found(&[announces(&booked, first), entry([asked(first)])]), 0);
        // It leaves after the move was heard of, and the referral does not have the move.
        assert_eq!(found(&[announces(&booked, first), entry([news(&moved)]), entry([asked(first)])]), 2);
        // The same visit is announced again.
        let second = LetterId { referral, number: 2 };
        assert_eq!(found(&[announces(&booked, first), announces(&booked, second)]), 1);
    }

    fn accepted(referral: ReferralId) -> DeliveryVerdict {
        DeliveryVerdict::Accepted { referrals: vec![referral] }
    }

    #[test]
    fn the_newest_visit_is_the_senders_not_the_lines() {
        let booked = told("A", 1, 50, true);
        let moved = told("A", 2, 60, true);
        let cancelled = told("A", 3, 60, false);
        let rebooked = told("B", 2, 70, true);
        for (heard, expected) in [
            (vec![&moved, &booked], Some(&moved)),
            (vec![&booked, &moved], Some(&moved)),
            (vec![&cancelled, &booked], None),
            (vec![&cancelled, &rebooked, &booked], Some(&rebooked)),
            (vec![], None),
        ] {
            assert_eq!(newest(&heard), expected, "{heard:?}");
        }
    }
}
