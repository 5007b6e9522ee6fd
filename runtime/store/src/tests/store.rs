//! The store as its callers meet it.

use std::future::Future as _;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::index::ReferralFilter;
use crate::journal::{PAYLOAD_MAX_BYTES, verify};
use crate::position::Position;
use crate::store::{ArchiveError, CommitError, Recovery, Store, StoreError, StoreOptions, restore};

use super::sample::{Practice, key, referral, referral_id, stepped, usual};

fn open(dir: &Path) -> (Store, Recovery) {
    Store::open(StoreOptions::new(dir, key(1))).expect("opened")
}

#[test]
fn a_completed_ticket_reads_its_own_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = open(folder.path());
    std::thread::scope(|scope| {
        for writer in 0..8u64 {
            let store = &store;
            scope.spawn(move || {
                for step in 1..40u64 {
                    let mut mine = referral(writer);
                    mine.version = step;
                    let at = store.commit(super::sample::entry(super::sample::noon(), vec![stepped(&mine)])).wait();
                    let at = at.expect("committed");
                    let seen = store.index().referral(&referral_id(writer)).expect("index").expect("there");
                    assert_eq!(seen.version, step);
                    assert!(store.read(at).expect("read").is_some() && store.last() >= at);
                }
            });
        }
    });
    assert_eq!(store.last(), Position(8 * 39));
    store.settle().expect("settled");
    assert_eq!(store.backlog_bytes(), 0);
}

#[test]
fn reopening_finds_everything_whatever_became_of_the_index() {
    let folder = tempfile::tempdir().expect("a folder");
    let entries = Practice::new(5).entries(300);
    {
        let (store, recovery) = open(folder.path());
        assert_eq!((recovery.last, recovery.rebuilt), (Position::START, None));
        let tickets: Vec<_> = entries.iter().cloned().map(|entry| store.commit(entry)).collect();
        let last = tickets.into_iter().map(|ticket| ticket.wait().expect("committed")).max();
        assert_eq!(last, Some(Position(300)));
    }
    let index = folder.path().join("index");
    let sabotage: [(&str, &dyn Fn()); 4] = [
        ("nothing happened", &|| {}),
        ("the index is gone", &|| std::fs::remove_dir_all(&index).expect("removed")),
        ("its data file is noise", &|| std::fs::write(index.join("db"), [0xA5; 4096]).expect("written")),
        ("it is marked as broken", &|| std::fs::write(folder.path().join("index.rebuild"), "").expect("written")),
    ];
    let mut answers = Vec::new();
    for (what, sabotage) in sabotage {
        sabotage();
        let (store, recovery) = open(folder.path());
        assert_eq!(recovery.last, Position(300), "{what}");
        let found: Vec<_> = store.entries(Position(1)).map(|it| it.expect("entry").1.as_ref().clone()).collect();
        assert!(found == entries, "{what}");
        answers.push(store.index().referrals(&ReferralFilter::default(), None, 100).expect("list"));
        assert!(!answers[0].is_empty());
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn only_one_process_has_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = open(folder.path());
    assert!(matches!(Store::open(StoreOptions::new(folder.path(), key(1))), Err(StoreError::InUse(_))));
    drop(store);
    open(folder.path());
}

#[test]
fn what_is_too_large_is_refused_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = open(folder.path());
    let mut large = usual(1);
    large.sealed.push(crate::Sealed {
        token: super::sample::token("BIG"),
        patient: handoff_engine::ids::PatientId("patient-1".to_string()),
        bytes: vec![0; PAYLOAD_MAX_BYTES],
        pieces: Vec::new(),
    });
    assert!(matches!(store.commit(large).wait(), Err(CommitError::TooLarge { .. })));
    assert_eq!(store.commit(usual(1)).wait(), Ok(Position(1)));
}

#[test]
fn tickets_are_futures() {
    struct Flag(std::sync::mpsc::Sender<()>);
    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.send(()).expect("the test waits");
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = open(folder.path());
    let (woken, wait) = std::sync::mpsc::channel();
    let waker = Waker::from(Arc::new(Flag(woken)));
    let mut ticket = pin!(store.commit(usual(1)));
    loop {
        match ticket.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(committed) => return assert_eq!(committed, Ok(Position(1))),
            Poll::Pending => wait.recv().expect("woken"),
        }
    }
}

#[test]
fn keys_rotate_while_it_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = open(folder.path());
    store.commit(usual(1)).wait().expect("committed");
    store.rotate(key(2)).expect("rotated");
    store.commit(usual(2)).wait().expect("committed");
    drop(store);
    assert!(matches!(Store::open(StoreOptions::new(folder.path(), key(1))), Err(StoreError::Journal(_))));
    let (store, _) = Store::open(StoreOptions::new(folder.path(), key(2))).expect("opened");
    assert_eq!(store.last(), Position(2));
}

#[test]
fn a_backup_is_taken_while_it_runs_and_restores() {
    let folder = tempfile::tempdir().expect("a folder");
    let (house, backup, again) = (folder.path().join("a"), folder.path().join("b"), folder.path().join("c"));
    let (store, _) = open(&house);
    let at = std::thread::scope(|scope| {
        let writing = scope.spawn(|| (0..300).map(|number| store.commit(usual(number)).wait()).all(|it| it.is_ok()));
        while store.last() < Position(100) {
            std::thread::yield_now();
        }
        let at = store.backup(&backup, None).expect("backup");
        assert!(writing.join().expect("no panic"));
        at
    });
    assert!(at >= Position(100) && at <= store.last());
    assert!(matches!(store.backup(&backup, None), Err(ArchiveError::Copy(_))), "never over another backup");
    let public = key(1).verifying_key();
    assert_eq!(verify(&backup.join("journal"), &public).expect("sound").last, at);
    restore(&backup, &again, &public).expect("restored");
    assert!(matches!(restore(&backup, &again, &public), Err(ArchiveError::Occupied)));
    let (restored, recovery) = open(&again);
    assert_eq!(recovery.last, at);
    assert!(restored.index().referral(&referral_id(50)).expect("index").is_some());
    std::fs::write(backup.join("journal").join("000000000001.segment"), "noise").expect("written");
    assert!(matches!(restore(&backup, &folder.path().join("d"), &public), Err(ArchiveError::Unsound(_))));
}
