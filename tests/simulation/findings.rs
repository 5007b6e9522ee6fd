//! What was promised, looked for in the journal, in the index and in the world's own ledger.

mod documents;
mod made_up;
mod truths;
mod visits;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use ed25519_dalek::VerifyingKey;
use handoff_engine::event::Event;
use handoff_engine::ids::{Digest, LetterId, ReferralId, Token};
use handoff_engine::referral::Timer;
use handoff_engine::step::adopt;
use handoff_pipeline::pipeline::Pipeline;
use handoff_practice::{Ledger, Simulation};
use handoff_rehearsal::rehearsal::Summary;
use handoff_store::entry::Settlement;
use handoff_store::index::{Index as _, KeyedIndex, MemoryRows, PAGE_MAX, ReferralFilter, Rows};
use handoff_store::journal::{Disk as _, Looked, look as open, verify_disk};
use handoff_store::{DeliveryVerdict, Entry, Position, Record};

use super::folder::Folder;
pub use truths::Dispatched;
use truths::Owners;

pub struct Findings {
    pub steps: u64,
    pub moves: u64,
    pub letters: u64,
    pub journal: Digest,
}

/// Two mails alike within this time are one letter sent again; further apart they may be meant.
const ONE_LETTER: Duration = Duration::hours(1);

/// # Panics
/// When a promise was broken; the message says which.
pub fn look(
    pipeline: &Pipeline,
    world: &Simulation,
    journal: &Folder,
    key: &VerifyingKey,
    rows: &MemoryRows,
    dispatched: &Dispatched,
    clock_was_right: bool,
) -> Findings {
    let entries: Vec<(Position, Arc<Entry>)> =
        pipeline.store.entries(Position::START).map(|entry| entry.expect("a readable journal")).collect();
    deliveries(&entries);
    let steps = steps(&entries);
    let moves = moves(&entries, pipeline);
    let letters = letters(&entries, pipeline);
    chain_is_sound(journal, key, pipeline);
    index_equals_journal(pipeline, journal, rows, &entries);
    nothing_is_overdue(pipeline);
    let ledger = world.ledger();
    world_agrees(&ledger, &entries, clock_was_right);
    the_field_was_withstood(&ledger, &entries, dispatched, pipeline, world);
    let summary = Summary::of(pipeline, world, pipeline.clock.now()).expect("an index");
    let summary = serde_json::to_value(summary).expect("JSON");
    assert_eq!(summary["lost"], 0, "an acknowledged order is no referral");
    Findings { steps, moves, letters, journal: digest(journal) }
}

/// What the practice's messy neighbours must not have brought about.
fn the_field_was_withstood(
    ledger: &Ledger,
    entries: &[(Position, Arc<Entry>)],
    dispatched: &Dispatched,
    pipeline: &Pipeline,
    world: &Simulation,
) {
    let mut faults = Vec::new();
    let owners = owners(pipeline, world, &mut faults);
    let merging = world.merging();
    let known: BTreeSet<usize> = owners.values().copied().filter(|person| !merging.contains(person)).collect();
    faults.extend(truths::of_other_patients(entries, dispatched, &owners));
    faults.extend(truths::waved_through(entries, dispatched));
    faults.extend(truths::waiting_in_vain(entries, dispatched, &known));
    faults.extend(visits::faults(entries, dispatched, &owners));
    faults.extend(words::written_all_the_same(entries));
    faults.extend(words::made_up_stops(entries, ledger, &owners));
    faults.extend(documents::not_as_sent(ledger));
    faults.extend(ledger.texts_after_death().iter().map(|text| format!("a text came after a death: {text:?}")));
    faults.extend(ledger.misdirected.iter().map(|text| format!("a text went to a former number: {text:?}")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Whose each referral is. A patient is called by their name, and goes with a physician.
fn owners(pipeline: &Pipeline, world: &Simulation, faults: &mut Vec<String>) -> Owners {
    let (people, physicians) = (world.people(), world.physicians());
    let reveal =
        |token: &Token| pipeline.vault.reveal(token, &pipeline.store).expect("it was not erased").as_str().to_string();
    let index = pipeline.store.index();
    let mut owners = Owners::new();
    for listed in index.referrals(&ReferralFilter::default(), None, PAGE_MAX).expect("an index") {
        let referral = index.referral(&listed.id).expect("an index").expect("it is listed");
        let facts = &referral.facts;
        let numbers: Vec<String> = facts.order.numbers.iter().map(reveal).collect();
        let owner = people.iter().position(|person| numbers.contains(&person.referral.number));
        let Some(owner) = owner else {
            faults.push(format!("{} is nobody's: {numbers:?}", referral.id));
            continue;
        };
        let called = format!("{} {}", reveal(&facts.patient.given), reveal(&facts.patient.family));
        if called != people[owner].full_name() {
            faults.push(format!("{} is called {called}", people[owner].full_name()));
        }
        if let Some(with) = facts.order.specialist.as_ref().filter(|with| !physicians.contains(&with.id.as_str())) {
            faults.push(format!("{} goes with {with:?}, who is no physician here", referral.id));
        }
        owners.insert(referral.id, owner);
    }
    owners
}

/// No delivery was taken twice.
fn deliveries(entries: &[(Position, Arc<Entry>)]) {
    let mut taken: BTreeMap<Digest, BTreeSet<Position>> = BTreeMap::new();
    let mut orders: BTreeMap<ReferralId, u32> = BTreeMap::new();
    for (position, record) in entries.iter().flat_map(|(at, entry)| entry.records.iter().map(move |it| (at, it))) {
        match record {
            Record::Delivery { digest, verdict, .. } => {
                // What was dead or meant nobody may come again, and then come to something.
                let counts = !matches!(verdict, DeliveryVerdict::Dead { .. } | DeliveryVerdict::Unmatched { .. });
                let times = taken.entry(*digest).or_default();
                if counts {
                    times.insert(*position);
                }
            }
            Record::Settled { item, how: Settlement::Matched, .. } => {
                taken.entry(item.parse().expect("a digest")).or_default().insert(*position);
            }
            Record::Happened { referral, event: Event::Ordered { .. } } => *orders.entry(*referral).or_default() += 1,
            _ => {}
        }
    }
    for (digest, times) in taken {
        let told = || entries.iter().filter(|(at, _)| times.contains(at)).flat_map(|(_, entry)| &entry.records);
        assert!(times.len() <= 1, "delivery {digest} was taken at {times:?}: {:#?}", told().collect::<Vec<_>>());
    }
    for (referral, times) in orders {
        assert_eq!(times, 1, "referral {referral} was ordered {times} times");
    }
}

/// Versions grow one by one, and a timer fires once, when it is due and not before.
fn steps(entries: &[(Position, Arc<Entry>)]) -> u64 {
    let mut versions: BTreeMap<ReferralId, u64> = BTreeMap::new();
    let mut timers: BTreeMap<ReferralId, Vec<Timer>> = BTreeMap::new();
    let mut steps = 0;
    for (position, entry) in entries {
        for record in &entry.records {
            match record {
                Record::Happened { referral, event: Event::Timer { name } } => {
                    let set = timers.get(referral).into_iter().flatten().find(|timer| timer.name == *name);
                    let set = set.unwrap_or_else(|| panic!("entry {position}: timer {name} fired and was not set"));
                    assert!(set.due <= entry.at, "entry {position}: timer {name} fired before {}", set.due);
                }
                Record::Stepped { referral, .. } => {
                    steps += 1;
                    let version = versions.entry(referral.id).or_default();
                    assert!(
                        referral.version == *version + 1 || *version == 0,
                        "entry {position}: step {} of {} follows step {version}",
                        referral.version,
                        referral.id
                    );
                    *version = referral.version;
                    timers.insert(referral.id, referral.timers.clone());
                }
                _ => {}
            }
        }
    }
    steps
}

/// Who belongs to the workflow in force is there, and nobody was moved twice by the same change.
fn moves(entries: &[(Position, Arc<Entry>)], pipeline: &Pipeline) -> u64 {
    let mut moved: BTreeSet<(ReferralId, Digest, usize)> = BTreeSet::new();
    let (mut changes, mut moves) = (0, 0);
    for (position, entry) in entries {
        for record in &entry.records {
            match record {
                Record::Deployed { .. } => changes += 1,
                Record::Stepped { referral, because } if because.contains("moved to workflow") => {
                    moves += 1;
                    let is_first = moved.insert((referral.id, referral.deployment, changes));
                    assert!(is_first, "entry {position}: {} was moved twice by one change", referral.id);
                }
                _ => {}
            }
        }
    }
    let index = pipeline.store.index();
    let flying = ReferralFilter { ended: Some(false), ..ReferralFilter::default() };
    for listed in index.referrals(&flying, None, PAGE_MAX).expect("an index") {
        let referral = index.referral(&listed.id).expect("an index").expect("it is listed");
        if let Some(along) = pipeline.deployments.migrates(&referral) {
            let moved =
                adopt(along.older.workflow(), &along.present.deployment, &referral, &along.to, pipeline.clock.now());
            assert!(moved.is_err(), "{} was forgotten in state {}", referral.id, referral.state);
        }
    }
    moves
}

/// Every letter ends once, or is still owed.
fn letters(entries: &[(Position, Arc<Entry>)], pipeline: &Pipeline) -> u64 {
    let mut owed: BTreeSet<LetterId> = BTreeSet::new();
    let mut ended: BTreeMap<LetterId, u32> = BTreeMap::new();
    for record in records(entries) {
        match record {
            Record::Queued { letter, .. } => {
                owed.insert(letter.id);
            }
            Record::Received { letter, .. } | Record::Refused { letter, .. } | Record::Dropped { letter, .. } => {
                *ended.entry(*letter).or_default() += 1;
            }
            _ => {}
        }
    }
    for letter in &owed {
        let waiting = pipeline.store.index().outbox(letter).expect("an index").is_some();
        let times = ended.get(letter).copied().unwrap_or_default();
        let story = || story(entries, *letter);
        assert_eq!(
            times + u32::from(waiting),
            1,
            "letter {letter} ended {times} times and waits: {waiting}{}",
            story()
        );
    }
    owed.len() as u64
}

/// Of a record, in a story: enough to see what it is about.
const STORY_CHARACTERS: usize = 240;

/// What the journal says of a letter, entry by entry.
fn story(entries: &[(Position, Arc<Entry>)], letter: LetterId) -> String {
    let mut story = String::new();
    for (position, entry) in entries {
        for record in &entry.records {
            let json = serde_json::to_value(record).expect("JSON");
            let id = serde_json::to_value(letter).expect("JSON");
            if json["letter"] == id || json["letter"]["id"] == id {
                let json: String = json.to_string().chars().take(STORY_CHARACTERS).collect();
                story += &format!("\n  entry {position} at {}: {json}", entry.at);
            }
        }
    }
    story
}

/// The stories of all letters that were asked for about this time.
fn stories(entries: &[(Position, Arc<Entry>)], from: DateTime<Utc>, until: DateTime<Utc>) -> String {
    let around = from - ONE_LETTER..until + ONE_LETTER;
    let asked = entries.iter().filter(|(_, entry)| around.contains(&entry.at)).flat_map(|(_, entry)| &entry.records);
    let letters: BTreeSet<LetterId> = asked
        .filter_map(|record| match record {
            Record::Asked { letter, .. } => Some(*letter),
            _ => None,
        })
        .collect();
    letters.into_iter().map(|letter| story(entries, letter)).collect()
}

fn chain_is_sound(journal: &Folder, key: &VerifyingKey, pipeline: &Pipeline) {
    let sound = verify_disk(journal, key).expect("a sound chain");
    assert_eq!(sound.last, pipeline.store.last(), "the chain ends elsewhere than the store");
}

/// What was brought up through every crash is what a fresh index makes of the journal.
fn index_equals_journal(pipeline: &Pipeline, journal: &Folder, rows: &MemoryRows, entries: &[(Position, Arc<Entry>)]) {
    pipeline.store.settle().expect("an index");
    let Looked { reader, identity, .. } = open(Arc::new(journal.clone())).expect("a journal");
    let anew = Arc::new(MemoryRows::default());
    let last = reader.last();
    let index = KeyedIndex::open(Arc::clone(&anew), Arc::new(reader), identity, last).expect("an empty index");
    index.apply(entries).expect("memory");
    assert!(dump(rows) == dump(&*anew), "the index is not what the journal says");
}

fn dump(rows: &dyn Rows) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut all = BTreeMap::new();
    rows.scan(&[], &[], &mut |key, value| {
        all.insert(key.to_vec(), value.to_vec());
        Ok(ControlFlow::Continue(()))
    })
    .expect("rows in memory");
    all
}

fn nothing_is_overdue(pipeline: &Pipeline) {
    let now = pipeline.clock.now();
    let overdue = |due: Option<DateTime<Utc>>| due.filter(|due| *due < now - Duration::minutes(10));
    assert_eq!(overdue(pipeline.store.index().next_timer()), None, "a timer was forgotten");
    assert_eq!(overdue(pipeline.store.index().next_letter()), None, "a letter was forgotten");
}

/// The world's ledger owes nothing to our records.
fn world_agrees(ledger: &Ledger, entries: &[(Position, Arc<Entry>)], clock_was_right: bool) {
    let mut texts: Vec<_> = ledger.texts.iter().collect();
    texts.sort_by_key(|text| (text.person, &text.text, text.at));
    for pair in texts.windows(2) {
        let [one, other] = pair else { continue };
        let same = one.person == other.person && one.text == other.text && other.at - one.at <= ONE_LETTER;
        assert!(
            !same,
            "person {} got a text twice: at {} and at {}{}",
            one.person,
            one.at,
            other.at,
            stories(entries, one.at, other.at)
        );
    }
    // A mail server cannot be asked, so a mail may come twice: but then as the same mail, which is shown once.
    let mut mails: Vec<_> = ledger.mails.iter().collect();
    mails.sort_by_key(|mail| (&mail.to, &mail.subject, &mail.text, mail.at));
    for pair in mails.windows(2) {
        let [one, other] = pair else { continue };
        let same = (&one.to, &one.subject, &one.text) == (&other.to, &other.subject, &other.text);
        assert!(
            !same || other.at - one.at > ONE_LETTER || one.message_id == other.message_id,
            "a mail came twice under two names: {} at {} and {} at {}{}",
            one.message_id,
            one.at,
            other.message_id,
            other.at,
            stories(entries, one.at, other.at)
        );
    }
    let created = ledger.writes.iter().filter(|write| !write.repeated);
    let mut references = BTreeSet::new();
    for write in created {
        assert!(references.insert(&write.reference), "{} was created twice", write.reference);
    }
    assert_eq!(ledger.untouched(), [0; 0], "people were acknowledged and forgotten");
    if clock_was_right {
        let late = ledger.texts.iter().filter(|text| !(8..21).contains(&text.local_hour)).map(|text| text.at);
        let late: Vec<_> = late.collect();
        assert_eq!(ledger.texts_at_night(), 0, "texts came at night: {late:?}");
        let unwanted: Vec<_> = ledger.texts.iter().filter(|text| text.after_opt_out).collect();
        let opt_outs: Vec<_> =
            ledger.opt_outs.iter().filter(|stop| unwanted.iter().any(|text| text.person == stop.person)).collect();
        assert_eq!(ledger.texts_after_opt_out(), 0, "texts came after an opt-out: {unwanted:?}, {opt_outs:?}");
    }
}

fn records(entries: &[(Position, Arc<Entry>)]) -> impl Iterator<Item = &Record> {
    entries.iter().flat_map(|(_, entry)| &entry.records)
}

fn digest(journal: &Folder) -> Digest {
    let mut bytes = Vec::new();
    for name in journal.list().expect("a disk that is well") {
        let mut file = vec![0; journal.length(&name).expect("a file") as usize];
        journal.read(&name, 0, &mut file).expect("a file");
        bytes.extend(file);
    }
    Digest::of(&bytes)
}
