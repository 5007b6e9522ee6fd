//! What a vendor says of a text: in its answer, in a callback, or in a callback that comes first. A STOP is a STOP whoever carries it,
//! and a fault of the sender's is no patient's.

use std::sync::Arc;

use chrono::TimeDelta;
use handoff_engine::event::{Event, LetterStatus, OptOutSource};
use handoff_engine::referral::AttemptOutcome;
use handoff_store::Record;

use crate::house::until;
use crate::outbox::callback::{calls, hears, reports};
use crate::outbox::kinds;
use crate::outbox::office::{Custom, Office};
use crate::outbox::vendor::Mood;

/// Two patients who share a handset, both texted where the vendor takes texts.
async fn two_on_one_handset(mood: Mood) -> Office {
    let office = Office::open(mood, Custom { sequential: true, ..Custom::default() }).await;
    for number in 0..2 {
        office.order_by_phone(number, "^270^6009800").await;
        office.clock.turn(TimeDelta::seconds(4));
    }
    office.settle().await;
    office
}

async fn one(custom: Custom) -> Office {
    let office = Office::open(Mood::Well, Custom { sequential: true, ..custom }).await;
    office.order_by_phone(0, "^270^6009800").await;
    office.settle().await;
    office
}

fn opt_outs(office: &Office) -> usize {
    let by_vendor = |record: &Record| {
        matches!(record, Record::Happened { event: Event::OptedOut { by: OptOutSource::Vendor, .. }, .. })
    };
    office.records().iter().filter(|record| by_vendor(record)).count()
}

fn codes(office: &Office) -> Vec<String> {
    let code = |record| match record {
        Record::Happened {
            event: Event::LetterStatus { status: LetterStatus::Undeliverable { code }, .. }, ..
        } => Some(code),
        _ => None,
    };
    office.records().into_iter().filter_map(code).collect()
}

fn outcome(office: &Office) -> AttemptOutcome {
    let last = |record| match record {
        Record::Stepped { referral, .. } => Some(referral),
        _ => None,
    };
    let referral = office.records().into_iter().filter_map(last).next_back().expect("a referral");
    referral.facts.attempts.last().expect("an attempt").outcome
}

fn tasks(office: &Office, kind: &str) -> usize {
    kinds(office).iter().filter(|known| *known == kind).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_only_the_vendor_heard_binds_everybody_of_the_handset_once() {
    let office = two_on_one_handset(Mood::Well).await;
    assert_eq!(office.first.taken().len(), 2);
    reports(&office, "SM0", "failed", "21610").await;
    office.settle().await;
    assert_eq!((opt_outs(&office), tasks(&office, "opted-out"), tasks(&office, "by-hand")), (2, 2, 1));
    // It is said again of the other text, and by the patient: nobody is told twice.
    reports(&office, "SM1", "failed", "21610").await;
    hears(&office, 7, "+12706009800", "STOP").await;
    office.settle().await;
    assert_eq!(tasks(&office, "opted-out"), 2);
    office.order_by_phone(2, "^270^6009800").await;
    office.settle().await;
    assert_eq!(office.first.taken().len() + office.second.taken().len(), 2, "a text after a STOP");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_the_vendor_answers_a_request_with_binds_everybody_of_the_handset_once() {
    let office = two_on_one_handset(Mood::Refuses(21610)).await;
    assert_eq!((opt_outs(&office), tasks(&office, "opted-out")), (2, 2));
    assert_eq!(office.second.taken().len(), 0, "no other vendor may try");
    office.live_until(office.now() + TimeDelta::days(2)).await;
    assert_eq!((office.first.requests().len(), tasks(&office, "opted-out")), (1, 2), "the second letter never left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_number_is_dead_and_a_handset_that_is_off_is_tried_again() {
    let office = one(Custom::default()).await;
    reports(&office, "SM0", "undelivered", "30005").await;
    assert_eq!((codes(&office), outcome(&office)), (vec!["unreachable".into()], AttemptOutcome::Undeliverable));

    let office = one(Custom { has_no_second: true, ..Custom::default() }).await;
    for times in 1..=3 {
        reports(&office, &format!("SM{}", times - 1), "undelivered", "30003").await;
        assert_eq!((codes(&office), outcome(&office)), (vec![], AttemptOutcome::Pending));
        office.live_until(office.now() + TimeDelta::hours(3)).await;
        assert_eq!(office.first.taken().len(), times + 1);
    }
    reports(&office, "SM3", "undelivered", "30003").await;
    assert_eq!(codes(&office), ["unreachable"], "not in a day");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_sender_goes_to_the_operator_and_blames_no_number() {
    let office = one(Custom::default()).await;
    reports(&office, "SM0", "undelivered", "30034").await;
    office.settle().await;
    assert_eq!(office.second.taken().len(), 1, "another vendor has a number that is registered");
    assert_eq!((codes(&office), outcome(&office)), (vec![], AttemptOutcome::Pending));
    let faults = office.pipeline.sender_faults();
    assert!(faults.keys().any(|cure| cure.contains("register the number")), "{faults:?}");

    let office = one(Custom { has_no_second: true, ..Custom::default() }).await;
    for times in 1..=13 {
        reports(&office, &format!("SM{}", times - 1), "undelivered", "30023").await;
        // In two hours, or in the morning.
        office.live_until(office.now() + TimeDelta::hours(14)).await;
        assert_eq!((office.first.taken().len(), codes(&office)), (times + 1, vec![]));
    }
    reports(&office, "SM13", "undelivered", "30023").await;
    assert_eq!((codes(&office), outcome(&office)), (vec!["sender".into()], AttemptOutcome::Unsent));
    assert_eq!(office.dead().len(), 1, "whoever runs the house sees it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_overtakes_its_answer_counts() {
    let office = Office::open(Mood::Silent, Custom::default()).await;
    office.order_by_phone(0, "^270^6009800").await;
    let line = Arc::clone(&office.pipeline);
    let settling = tokio::spawn(async move { line.settle().await });
    tokio::task::block_in_place(|| until("the request", || (office.first.requests().len() == 1).then_some(())));
    reports(&office, "SM0", "undelivered", "30005").await;
    assert_eq!(codes(&office), [""; 0]);
    office.first.becomes(Mood::Well);
    settling.await.expect("no panic").expect("settled");
    assert_eq!((codes(&office), tasks(&office, "by-hand")), (vec!["unreachable".into()], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_overtakes_its_answer_and_may_pass_sends_the_text_again() {
    let office = Office::open(Mood::Silent, Custom { has_no_second: true, ..Custom::default() }).await;
    office.order_by_phone(0, "^270^6009800").await;
    let line = Arc::clone(&office.pipeline);
    let settling = tokio::spawn(async move { line.settle().await });
    tokio::task::block_in_place(|| until("the request", || (office.first.requests().len() == 1).then_some(())));
    reports(&office, "SM0", "undelivered", "30003").await;
    office.first.becomes(Mood::Well);
    settling.await.expect("no panic").expect("settled");
    office.live_until(office.now() + TimeDelta::hours(3)).await;
    assert_eq!((office.first.taken().len(), codes(&office)), (2, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_overtakes_its_answer_counts_after_a_crash_as_well() {
    let custom = || Custom { sequential: true, has_no_second: true, ..Custom::default() };
    let office = Office::open(Mood::Forgetful, custom()).await;
    office.order_by_phone(0, "^270^6009800").await;
    office.settle().await;
    reports(&office, "SM0", "failed", "21610").await;
    assert_eq!(opt_outs(&office), 0);
    office.first.becomes(Mood::Well);
    let office = office.reopen(custom());
    // Asked what became of the letter, the vendor names it.
    office.live_until(office.now() + TimeDelta::hours(1)).await;
    assert_eq!((office.first.taken().len(), opt_outs(&office), tasks(&office, "opted-out")), (1, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_message_counts_once_however_it_is_signed() {
    let office = one(Custom::default()).await;
    for attempt in ["1", "2", "3"] {
        let retry = [("X-Retry", attempt)];
        let reply =
            [("Body", "is parking free?"), ("From", "+12706009800"), ("MessageSid", "SM9"), ("To", "+15555550100")];
        calls(&office, &[&retry[..], &reply[..]].concat()).await;
        let report = [("MessageSid", "SM0"), ("MessageStatus", "delivered")];
        calls(&office, &[&retry[..], &report[..]].concat()).await;
    }
    let count = |wanted: fn(&Event) -> bool| {
        let is = |record: &Record| matches!(record, Record::Happened { event, .. } if wanted(event));
        office.records().iter().filter(|record| is(record)).count()
    };
    assert_eq!(count(|event| matches!(event, Event::Reply { .. })), 1);
    assert_eq!(count(|event| matches!(event, Event::LetterStatus { .. })), 1);
}
