//! What was told, held against what is so: whose each delivery really is, and what became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handoff_engine::event::{Event, Intent, Reply};
use handoff_engine::ids::{Digest, LetterId, ReferralId};
use handoff_engine::letter::LetterBody;
use handoff_practice::Truth;
use handoff_store::entry::Settlement;
use handoff_store::{DeliveryVerdict, Entry, Position, Record};

/// What the world sent, and what it was told is done.
#[derive(Clone, Default)]
pub struct Dispatched {
    pub truths: BTreeMap<Digest, Truth>,
    pub promised: Vec<Digest>,
}

/// Whose each referral is, by their place among the practice's people.
pub type Owners = BTreeMap<ReferralId, usize>;

type Entries = [(Position, Arc<Entry>)];

/// Where a referral of the recipe ends.
pub const ENDS: [&str; 6] = ["closed", "closed-without-note", "declined", "cancelled", "unreachable", "deceased"];

/// Below it a person reads the reply: as the recipe has it.
const CONFIDENCE_MIN: u8 = 75;

/// The deliveries that an entry is about: those that came, and those that had waited.
fn deliveries(entry: &Entry) -> impl Iterator<Item = Digest> {
    entry.records.iter().filter_map(|record| match record {
        Record::Delivery { digest, .. } => Some(*digest),
        Record::Settled { item, how: Settlement::Matched, .. } => item.parse().ok(),
        _ => None,
    })
}

/// No event of one patient on another's referral.
pub fn of_other_patients(entries: &Entries, dispatched: &Dispatched, owners: &Owners) -> Vec<String> {
    let mut faults = Vec::new();
    let mut ended: BTreeSet<ReferralId> = BTreeSet::new();
    // Who answers a text that was another's and named nobody is taken for that other one, by anybody.
    let mut written_to: BTreeSet<usize> = BTreeSet::new();
    let mut messages: BTreeSet<LetterId> = BTreeSet::new();
    for (position, entry) in entries {
        for record in &entry.records {
            match record {
                Record::Stepped { referral, .. } if ENDS.contains(&referral.state.as_str()) => {
                    ended.insert(referral.id);
                }
                Record::Queued { letter, .. } if matches!(letter.body, LetterBody::Message(_)) => {
                    messages.insert(letter.id);
                }
                Record::Asked { letter, .. } if messages.contains(letter) => {
                    written_to.extend(owners.get(&letter.referral));
                }
                _ => {}
            }
        }
        let about: Vec<&Truth> = deliveries(entry).filter_map(|digest| dispatched.truths.get(&digest)).collect();
        if about.is_empty() || about.contains(&&Truth::Report) {
            continue;
        }
        let allowed: BTreeSet<usize> = about.iter().flat_map(|truth| may_change(truth)).collect();
        for record in &entry.records {
            let Record::Happened { referral, event } = record else { continue };
            let Some(owner) = owners.get(referral) else { continue };
            let wrote_it = |truth: &&Truth| match truth {
                Truth::Written(writers) => {
                    writers.first().is_some_and(|writer| writer == owner || !written_to.contains(writer))
                }
                _ => false,
            };
            let is_anothers_word =
                matches!(event, Event::Reply { reply } if moves_one(reply)) && !about.iter().any(wrote_it);
            // After the end nothing moves: whoever writes is put before a person, who sees who it is.
            let is_put_before_a_person = matches!(event, Event::Reply { .. }) && ended.contains(referral);
            if !is_put_before_a_person && (!allowed.contains(owner) || is_anothers_word) {
                faults.push(format!(
                    "entry {position}: {} on person {owner}'s referral, but it is {about:?}",
                    event.name()
                ));
            }
        }
    }
    faults
}

fn may_change(truth: &Truth) -> Vec<usize> {
    match truth {
        Truth::NotOurs | Truth::Report => Vec::new(),
        Truth::Of(person) | Truth::Cut(person) | Truth::Patient(person) | Truth::Death(person) => vec![*person],
        Truth::Visit(told) => vec![told.person],
        Truth::Written(writers) => writers.clone(),
    }
}

/// Whether a reply of this kind is about one referral, and wrong about another.
fn moves_one(reply: &Reply) -> bool {
    reply.confidence >= CONFIDENCE_MIN
        && matches!(
            reply.intent,
            Intent::CancelVisit
                | Intent::Decline
                | Intent::Reschedule
                | Intent::Scheduled
                | Intent::Attended
                | Intent::Confirm
        )
}

/// What was acknowledged is on record, and what is somebody's is not waved through as nobody's.
pub fn waved_through(entries: &Entries, dispatched: &Dispatched) -> Vec<String> {
    let verdicts = verdicts(entries);
    let mut faults = Vec::new();
    for digest in &dispatched.promised {
        let truth = dispatched.truths.get(digest);
        let became = verdicts.get(digest).map(Vec::as_slice).unwrap_or_default();
        let is_lost = became.is_empty();
        let is_somebodys = matches!(truth, Some(Truth::Of(_) | Truth::Visit(_) | Truth::Written(_)));
        let is_waved = became.iter().any(|verdict| matches!(verdict, DeliveryVerdict::NotForUs { .. }));
        let is_cut = matches!(truth, Some(Truth::Cut(_)));
        if is_lost || is_cut || is_somebodys && is_waved {
            faults.push(format!("delivery {digest}, {truth:?}, was acknowledged, and became {became:?}"));
        }
    }
    faults
}

/// What names its referral by number does not wait for a person once that referral is here.
pub fn waiting_in_vain(entries: &Entries, dispatched: &Dispatched, known: &BTreeSet<usize>) -> Vec<String> {
    let mut settled = BTreeSet::new();
    for (_, entry) in entries {
        settled.extend(entry.records.iter().filter_map(|record| match record {
            Record::Settled { item, .. } => Some(item.clone()),
            _ => None,
        }));
    }
    let mut faults = Vec::new();
    for (digest, became) in verdicts(entries) {
        let person = match dispatched.truths.get(&digest) {
            Some(Truth::Of(person)) => *person,
            Some(Truth::Visit(told)) if told.names_referral => told.person,
            _ => continue,
        };
        let waits = matches!(became.last(), Some(DeliveryVerdict::Unmatched { .. }));
        if waits && known.contains(&person) && !settled.contains(&digest.to_string()) {
            faults.push(format!("delivery {digest} of person {person} waits for a referral that is here: {became:?}"));
        }
    }
    faults
}

fn verdicts(entries: &Entries) -> BTreeMap<Digest, Vec<&DeliveryVerdict>> {
    let mut verdicts: BTreeMap<Digest, Vec<&DeliveryVerdict>> = BTreeMap::new();
    for record in entries.iter().flat_map(|(_, entry)| &entry.records) {
        if let Record::Delivery { digest, verdict, .. } = record {
            verdicts.entry(*digest).or_default().push(verdict);
        }
    }
    verdicts
}

mod tests {
    use super::super::made_up::{delivery, entry, happened, referral_id};
    use super::*;

    fn one() -> ReferralId {
        referral_id(b"one")
    }

    fn other() -> ReferralId {
        referral_id(b"other")
    }

    fn dispatched(truth: Truth) -> Dispatched {
        let digest = Digest::of(b"sent");
        Dispatched { truths: [(digest, truth)].into(), promised: vec![digest] }
    }

    fn accepted(referral: ReferralId) -> DeliveryVerdict {
        DeliveryVerdict::Accepted { referrals: vec![referral] }
    }

    #[test]
    fn an_event_on_anothers_referral_is_found() {
        let withdrawn = |on| entry([delivery(b"sent", accepted(on)), happened(on, Event::Withdrawn { as_of: None })]);
        let found = |truth, on| {
            of_other_patients(&[withdrawn(on)], &dispatched(truth), &[(one(), 1), (other(), 2)].into()).len()
        };
        for (truth, on, faults) in [
            (Truth::Of(1), one(), 0),
            (Truth::Of(1), other(), 1),
            (Truth::NotOurs, one(), 1),
            (Truth::Written(vec![1, 2]), other(), 0),
            (Truth::Report, one(), 0),
        ] {
            assert_eq!(found(truth.clone(), on), faults, "{truth:?} on {on}");
        }
    }

    #[test]
    fn what_was_waved_through_or_lost_or_cut_is_found() {
        let not_for_us = || DeliveryVerdict::NotForUs { why: "nobody's".into() };
        let kept = |verdict| [entry([delivery(b"sent", verdict)])];
        assert_eq!(waved_through(&[], &dispatched(Truth::Of(1))).len(), 1);
        assert_eq!(waved_through(&kept(not_for_us()), &dispatched(Truth::Of(1))).len(), 1);
        assert_eq!(waved_through(&kept(not_for_us()), &dispatched(Truth::Patient(1))).len(), 0);
        assert_eq!(waved_through(&kept(accepted(one())), &dispatched(Truth::Of(1))).len(), 0);
        assert_eq!(waved_through(&kept(accepted(one())), &dispatched(Truth::Cut(1))).len(), 1);
    }

    #[test]
    fn what_waits_for_a_referral_that_is_here_is_found() {
        let unmatched = DeliveryVerdict::Unmatched { why: "no".into(), candidates: Vec::new(), applied: Vec::new() };
        let waits = [entry([delivery(b"sent", unmatched)])];
        let found = |truth, known: &[usize]| {
            waiting_in_vain(&waits, &dispatched(truth), &known.iter().copied().collect()).len()
        };
        assert_eq!(found(Truth::Of(1), &[1]), 1);
        assert_eq!(found(Truth::Of(1), &[2]), 0);
        assert_eq!(found(Truth::NotOurs, &[1]), 0);
    }
}
