//! Nobody is written to after a STOP, by whatever number it came, or after a death; and nobody's STOP is made up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handoff_engine::event::{Event, Intent};
use handoff_engine::ids::{LetterId, ReferralId};
use handoff_engine::letter::LetterBody;
use handoff_practice::Ledger;
use handoff_store::{Entry, Position, Record};

use super::truths::{ENDS, Owners};

/// What silences us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    Stop,
    Death,
}

fn silence(event: &Event) -> Option<Silence> {
    match event {
        Event::PatientDied => Some(Silence::Death),
        Event::Record { record: Some(record) } if record.deceased => Some(Silence::Death),
        Event::OptedOut { .. } => Some(Silence::Stop),
        Event::Reply { reply } if reply.intent == Intent::OptOut => Some(Silence::Stop),
        _ => None,
    }
}

/// Letters that set out for a patient who has said STOP, or has died.
pub fn written_all_the_same(entries: &[(Position, Arc<Entry>)]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut silent: BTreeMap<ReferralId, Silence> = BTreeMap::new();
    let mut messages: BTreeSet<LetterId> = BTreeSet::new();
    for (position, entry) in entries {
        for record in &entry.records {
            match record {
                Record::Happened { referral, event } => {
                    if let Some(silence) = silence(event) {
                        silent.insert(*referral, silence);
                    }
                    let is_start = matches!(event, Event::Reply { reply } if reply.intent == Intent::OptIn);
                    if is_start && silent.get(referral) == Some(&Silence::Stop) {
                        silent.remove(referral);
                    }
                }
                Record::Queued { letter, .. } if matches!(letter.body, LetterBody::Message(_)) => {
                    messages.insert(letter.id);
                }
                Record::Asked { letter, lookup: false, .. } if messages.contains(letter) => {
                    if let Some(silence) = silent.get(&letter.referral) {
                        faults.push(format!("entry {position}: {letter} sets out after a {silence:?}"));
                    }
                }
                _ => {}
            }
        }
    }
    faults
}

/// Opt-outs of people who have not asked for one, nor has anybody with their handset. Of a referral that has ended nobody tells us a
/// new number any more: whoever has the one on file now may stop what would be sent there.
pub fn made_up_stops(entries: &[(Position, Arc<Entry>)], ledger: &Ledger, owners: &Owners) -> Vec<String> {
    let said = ledger.opt_outs.iter().chain(&ledger.vendor_stops).map(|stop| stop.person);
    let said: BTreeSet<usize> = said.collect();
    let mut faults = Vec::new();
    let mut ended: BTreeSet<ReferralId> = BTreeSet::new();
    for (position, entry) in entries {
        for record in &entry.records {
            if let Record::Stepped { referral, .. } = record
                && ENDS.contains(&referral.state.as_str())
            {
                ended.insert(referral.id);
            }
            let Record::Happened { referral, event } = record else { continue };
            if ended.contains(referral) {
                continue;
            }
            let Some(owner) = owners.get(referral) else { continue };
            if silence(event) == Some(Silence::Stop) && !said.contains(owner) {
                faults.push(format!("entry {position}: person {owner} opted out ({event:?}), and nobody has said so"));
            }
        }
    }
    faults
}

mod tests {
    use chrono::TimeDelta;
    use handoff_engine::event::OptOutSource;
    use handoff_engine::referral::Channel;
    use handoff_practice::{LedgerMoment, Text};
    use handoff_rehearsal::rehearsal;

    use super::super::made_up::{asked, entry, happened, message, referral_id};
    use super::*;

    #[test]
    fn a_letter_that_sets_out_after_a_stop_or_a_death_is_found() {
        let one = referral_id(b"one");
        let stop = || Event::OptedOut { channel: Channel::Sms, from: None, by: OptOutSource::Vendor };
        let leaves = |event: Option<Event>, on| {
            let letter = LetterId { referral: one, number: 1 };
            let before = event.map(|event| entry([happened(on, event)]));
            let letters = [entry([message(letter, "first-contact")]), entry([asked(letter)])];
            written_all_the_same(&before.into_iter().chain(letters).collect::<Vec<_>>()).len()
        };
        assert_eq!(leaves(None, one), 0);
        assert_eq!(leaves(Some(stop()), one), 1);
        assert_eq!(leaves(Some(Event::PatientDied), one), 1);
        assert_eq!(leaves(Some(stop()), referral_id(b"other")), 0);
    }

    #[test]
    fn a_text_that_was_asked_for_after_a_death_is_found_and_one_on_its_way_is_not() {
        let told_at = rehearsal::start();
        let texts = |minutes| {
            let at = told_at + TimeDelta::minutes(minutes);
            let (person, text) = (1, "Please book".to_string());
            let sid = "SM1".to_string();
            let text = Text { at, person, sid, asked_at: at, text, segments: 1, local_hour: 12, after_opt_out: false };
            let deaths = vec![LedgerMoment { at: told_at, person }];
            Ledger { texts: vec![text], deaths, ..Ledger::default() }.texts_after_death().len()
        };
        assert_eq!([texts(-10), texts(2), texts(6)], [0, 0, 1]);
    }

    #[test]
    fn a_stop_that_nobody_said_is_found() {
        let one = referral_id(b"one");
        let stop = Event::OptedOut { channel: Channel::Sms, from: None, by: OptOutSource::Vendor };
        let entries = [entry([happened(one, stop)])];
        assert_eq!(made_up_stops(&entries, &Ledger::default(), &[(one, 1)].into()).len(), 1);
    }
}
