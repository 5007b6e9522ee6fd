//! Retention forgets what it may, keeps what it must, and the chain stays proven.

use std::sync::Arc;

use chrono::Duration;
use handoff_engine::ids::{BlindedName, Digest, PatientId};
use handoff_engine::referral::Channel;

use crate::entry::{Origin, Record, Sealed};
use crate::index::ReferralFilter;
use crate::journal::verify;
use crate::position::Position;
use crate::store::{Purge, Purged, Store, StoreOptions};

use super::sample::{entry, key, noon, referral, referral_id, stepped, token, usual};

const SEGMENT_BYTES: u64 = 4 << 10;

fn open(dir: &std::path::Path) -> Store {
    let options = StoreOptions { segment_max_bytes: SEGMENT_BYTES, ..StoreOptions::new(dir, key(1)) };
    Store::open(options).expect("opened").0
}

fn commit(store: &Store, entry: crate::Entry) -> Position {
    store.commit(entry).wait().expect("committed")
}

/// A referral's whole life: three entries.
fn life(store: &Store, number: u64) {
    let mut born = usual(number);
    born.records.push(Record::Named {
        referral: referral_id(number),
        names: vec![BlindedName::new(format!("number:{number}"))],
    });
    born.sealed.push(Sealed {
        token: token(&format!("PHONE{number}")),
        patient: PatientId(format!("patient-{number}")),
        bytes: vec![number as u8; 40],
        pieces: Vec::new(),
    });
    commit(store, born);
    commit(store, usual(number));
    let mut ended = referral(number);
    ended.timers.clear();
    commit(store, entry(noon() + Duration::seconds(number as i64), vec![stepped(&ended)]));
}

fn purge(before: i64) -> Purge {
    Purge { before: noon() + Duration::seconds(before), now: noon() + Duration::days(2_600) }
}

#[test]
fn old_segments_go_and_the_chain_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    let consented = |granted| Record::Consented {
        address: BlindedName::new("address:1"),
        channel: Channel::Sms,
        granted,
        why: "stop".to_string(),
    };
    commit(
        &store,
        entry(noon(), vec![consented(true), Record::Keyed { patient: PatientId("patient-1".to_string()), slot: 7 }]),
    );
    commit(&store, entry(noon(), vec![consented(false)]));
    (0..20).for_each(|number| life(&store, number));
    // A younger referral of the same patient leans on what an old one sealed.
    let mut young = referral(900);
    Arc::make_mut(&mut young.facts.patient).id = PatientId("patient-3".to_string());
    commit(&store, entry(noon() + Duration::seconds(900), vec![stepped(&young)]));
    let last = store.last();
    assert_eq!(store.purge(&purge(0)).expect("purged"), Purged::default(), "nothing is old enough");
    let purged = store.purge(&purge(15)).expect("purged");
    assert!(purged.segments.len() > 3, "{purged:?}");
    assert_eq!(store.read(Position(1)).expect("read"), None);
    assert!(store.read(last).expect("read").is_some());
    let sound = verify(&folder.path().join("journal"), &key(1).verifying_key()).expect("sound");
    assert_eq!((sound.purged, sound.last), (purged.segments.len() as u64, store.last()));
    let holds = |store: &Store| {
        let index = store.index();
        assert_eq!(index.referral(&referral_id(2)).expect("referral"), None);
        assert_eq!(index.find(&BlindedName::new("number:2")).expect("find"), []);
        assert!(index.history(&referral_id(2)).expect("history").is_empty());
        assert!(index.referral(&referral_id(19)).expect("referral").is_some());
        assert_eq!(index.consent(&BlindedName::new("address:1")).expect("consent").len(), 1);
        assert!(
            !index.consent(&BlindedName::new("address:1")).expect("consent")[0].granted,
            "an opt-out outlives the referral"
        );
        assert_eq!(index.key_slot(&PatientId("patient-1".to_string())).expect("slot"), Some(7));
        assert!(index.sealed(&token("PHONE3")).expect("sealed").is_some(), "still leaned on");
        assert_eq!(index.sealed(&token("PHONE2")).expect("sealed"), None, "forgotten");
        index.referrals(&ReferralFilter::default(), None, 100).expect("list")
    };
    let listed = holds(&store);
    drop(store);
    // An index made anew from what is left says the same.
    std::fs::remove_dir_all(folder.path().join("index")).expect("removed");
    let store = open(folder.path());
    assert_eq!(holds(&store), listed);
    assert_eq!(commit(&store, usual(77)), Position(sound.last.0 + 1));
}

#[test]
fn held_and_unfinished_referrals_keep_their_segments() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    // In flight from the first segment on.
    commit(&store, usual(500));
    (0..20).for_each(|number| life(&store, number));
    let (who, why) = ("counsel".to_string(), "a subpoena".to_string());
    let hold = |referral| Record::Held { referral, who: who.clone(), why: why.clone() };
    let held_at =
        commit(&store, entry(noon() + Duration::seconds(16), vec![hold(referral_id(9)), hold(referral_id(8))]));
    let released = Record::Released { referral: referral_id(8), who: who.clone(), why: "settled".to_string() };
    commit(&store, entry(noon() + Duration::seconds(17), vec![released]));
    let holds = store.index().holds().expect("holds");
    assert_eq!(holds.iter().map(|it| (it.referral, it.position)).collect::<Vec<_>>(), [(referral_id(9), held_at)]);
    assert_eq!((&holds[0].who, &holds[0].why), (&who, &why));
    let purged = store.purge(&purge(15)).expect("purged");
    assert!(!purged.segments.contains(&1), "a referral in flight began there");
    assert!(purged.segments.len() > 2, "{purged:?}");
    let held = store.index().history(&referral_id(9)).expect("history");
    assert_eq!(held.len(), 4, "three of its life, and the hold");
    assert!(held.iter().all(|at| store.read(*at).expect("read").is_some()), "held entries stay");
    assert!(store.index().referral(&referral_id(500)).expect("referral").is_some());
}

/// Whoever reads which deployment was the last must not be told of one that only its record outlived.
#[test]
fn what_took_effect_last_stays_the_last() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    let deployed = |name: &str| Record::Deployed {
        deployment: Digest::of(name.as_bytes()),
        workflow: name.to_string(),
        plugins: Default::default(),
        who: "someone".to_string(),
        why: "a change".to_string(),
        origin: Origin::Applied,
        returning: None,
        canary: None,
        since: None,
    };
    let at = |hours: i64| noon() + Duration::hours(hours);
    commit(&store, entry(at(0), vec![deployed("first")]));
    commit(&store, entry(at(1), vec![deployed("second")]));
    (0..20).for_each(|number| life(&store, number));
    commit(&store, entry(at(2_000 * 24), vec![deployed("third")]));
    let told = |store: &Store| {
        let known = store.index().deployments().expect("an index");
        known.into_iter().map(|it| (it.workflow, it.at)).collect::<Vec<_>>()
    };
    let before = told(&store);
    assert_eq!(before.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["first", "second", "third"]);
    let purged = store.purge(&Purge { before: at(24), now: at(2_600 * 24) }).expect("purged");
    assert!(!purged.segments.is_empty(), "{purged:?}");
    assert_eq!(told(&store), before, "in the same order, and since the same moments");
}
