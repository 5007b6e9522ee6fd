//! Letters leave as promised, whatever the vendor does: in due order, at its pace, once, or by another.

pub mod callback;
pub mod office;
pub mod vendor;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use handoff_pipeline::error::PipelineError;
use handoff_pipeline::intake::redelivery::Replayed;
use handoff_store::Record;
use handoff_store::entry::Settlement;

use self::office::{Custom, Office};
use self::vendor::Mood;
use crate::house::until;

/// What the inbox was told of, in order.
pub fn kinds(office: &Office) -> Vec<String> {
    let kind = |body: &str| {
        let task: serde_json::Value = serde_json::from_str(body).expect("a task");
        task["code"]["text"].as_str().expect("a kind").to_string()
    };
    office.inbox.taken().iter().map(|task| kind(&task.body)).collect()
}

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_is_silent_holds_up_nobody_elses_letters() {
    const ORDERS: usize = 300;
    let office = Office::open(Mood::Silent, Custom::default()).await;
    office.orders(ORDERS).await;
    let line = std::sync::Arc::clone(&office.pipeline);
    let settling = tokio::spawn(async move { line.settle().await });
    // All texts were due before all but the first tasks, and not one has been answered.
    tokio::task::block_in_place(|| until("every task", || (office.inbox.taken().len() == ORDERS).then_some(())));
    assert_eq!((office.first.taken().len(), office.first.silent_max()), (0, 16), "so many wait there, and no more");
    let state = &office.pipeline.endpoints()["first"];
    assert_eq!((state.waiting, state.under_way), (ORDERS - 16, 16));
    office.first.becomes(Mood::Well);
    settling.await.expect("no panic").expect("settled");
    assert_eq!(office.first.taken().len(), ORDERS);
    let deferred = office.records().into_iter().filter(|record| matches!(record, Record::Deferred { .. })).count();
    assert_eq!(deferred, 0, "who waited burnt no attempt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_kept_in_due_order() {
    let rate = r#", "rate": {"requests": 1, "per_seconds": 10, "burst": 2}"#;
    let office = Office::open(Mood::Well, Custom { endpoint: rate, sequential: true, ..Custom::default() }).await;
    let begun = office.now();
    for number in 0..6 {
        office.order(number).await;
        office.clock.turn(TimeDelta::milliseconds(1));
    }
    office.live_until(begun + minutes(10)).await;
    let taken = office.first.taken();
    let after: Vec<i64> = taken.iter().map(|text| (text.at - begun).num_seconds()).collect();
    assert_eq!(after, [0, 0, 10, 20, 30, 40]);
    let numbers: Vec<bool> = (0..6).map(|number| taken[number].body.contains(&format!("600{number:04}"))).collect();
    assert_eq!(numbers, [true; 6], "in the order in which they were due");
    assert!(office.inbox.taken().iter().all(|task| task.at - begun < minutes(1)), "the inbox has a pace of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_is_down_makes_room_for_the_next_and_nobody_is_texted_twice() {
    const ORDERS: usize = 12;
    let office = Office::open(Mood::Closed, Custom { sequential: true, ..Custom::default() }).await;
    let begun = office.now();
    office.orders(ORDERS).await;
    office.live_until(begun + minutes(14)).await;
    assert_eq!(office.pipeline.endpoints()["first"].state, "down");
    assert_eq!(office.second.taken().len(), 0, "it may yet come back");
    // Five found out that it is down, and one at a time whether it still is.
    assert!(office.first.requests().len() <= 10, "{}", office.first.requests().len());
    office.live_until(begun + minutes(60)).await;
    let texted: BTreeSet<String> = office.second.taken().into_iter().map(|text| text.key).collect();
    assert_eq!((texted.len(), office.second.taken().len(), office.first.taken().len()), (ORDERS, ORDERS, 0));
    assert_eq!(office.dead(), [""; 0]);
    // Back again, it is found out by the next letters, and used.
    office.first.becomes(Mood::Well);
    for number in 0..4 {
        office.clock.turn(minutes(6));
        office.order(100 + number).await;
        office.settle().await;
    }
    assert_eq!(office.pipeline.endpoints()["first"].state, "open");
    assert_eq!(office.first.taken().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_keeps_failing_rests_and_the_next_vendor_takes_over() {
    const ORDERS: usize = 12;
    let office = Office::open(Mood::Well, Custom { first_panics: true, sequential: true, ..Custom::default() }).await;
    let begun = office.now();
    office.orders(ORDERS).await;
    office.settle().await;
    assert_eq!(office.pipeline.resting().len(), 1);
    assert_eq!(office.second.taken().len(), ORDERS - 4, "the fifth found out, and nobody after it waited");
    office.live_until(begun + minutes(60)).await;
    let texted: BTreeSet<String> = office.second.taken().into_iter().map(|text| text.key).collect();
    assert_eq!((texted.len(), office.second.taken().len(), office.first.requests().len()), (ORDERS, ORDERS, 0));
    assert_eq!(office.dead(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_sent_goes_to_no_other_vendor_until_the_first_has_spoken() {
    let office = Office::open(Mood::Forgetful, Custom { sequential: true, ..Custom::default() }).await;
    let begun = office.now();
    office.order(1).await;
    office.settle().await;
    assert_eq!(office.first.taken().len(), 1, "it was taken, and we do not know");
    let attempts = || {
        let mut steps = office.records().into_iter().filter_map(|record| match record {
            Record::Stepped { referral, .. } => Some(referral),
            _ => None,
        });
        let oldest = steps.clone().map(|referral| referral.id).min();
        steps.rfind(|referral| Some(referral.id) == oldest).expect("ordered").facts.attempts.clone()
    };
    assert_eq!(attempts().len(), 1, "so it counts");
    office.first.becomes(Mood::Closed);
    // Others find out that the vendor is down, and leave for the second.
    for number in 2..9 {
        office.order(number).await;
    }
    office.live_until(begun + minutes(10 * 60)).await;
    assert_eq!(office.second.taken().len(), 7, "all but the one in doubt");
    office.first.becomes(Mood::Well);
    office.live_until(begun + minutes(13 * 60)).await;
    assert_eq!(
        (office.first.taken().len(), office.second.taken().len()),
        (1, 7),
        "asked, the first says that it has it"
    );
    assert_eq!(attempts().len(), 1, "one, and no more");
    assert!(office.records().iter().any(|record| matches!(record, Record::Asked { lookup: true, .. })));
    assert_eq!(office.dead(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_other_vendor_is_named_the_referral_hears_of_it() {
    let office =
        Office::open(Mood::Closed, Custom { has_no_second: true, sequential: true, ..Custom::default() }).await;
    let begun = office.now();
    office.orders(8).await;
    office.live_until(begun + minutes(3 * 60)).await;
    assert!(!kinds(&office).contains(&"by-hand".to_string()), "it is waited for");
    office.live_until(begun + minutes(6 * 60)).await;
    assert_eq!(kinds(&office).iter().filter(|kind| *kind == "by-hand").count(), 8);
    assert_eq!(office.dead().len(), 8, "and a person sees the letters");
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_waited_for_by_every_letter() {
    let office = Office::open(Mood::Busy(600), Custom { sequential: true, ..Custom::default() }).await;
    let begun = office.now();
    office.orders(5).await;
    office.settle().await;
    assert_eq!((office.first.requests().len(), office.pipeline.endpoints()["first"].state), (1, "paused"));
    office.first.becomes(Mood::Well);
    office.live_until(begun + minutes(9)).await;
    assert_eq!(office.first.requests().len(), 1, "nobody asks before then");
    office.live_until(begun + minutes(11)).await;
    assert_eq!((office.first.taken().len(), office.second.taken().len()), (5, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_at_a_letter_carries_the_same_key() {
    let office = Office::open(Mood::Busy(1), Custom { sequential: true, ..Custom::default() }).await;
    let begun = office.now();
    office.orders(2).await;
    office.live_until(begun + minutes(5)).await;
    office.first.becomes(Mood::Well);
    office.live_until(begun + minutes(60)).await;
    let requests = office.first.requests();
    let keys: BTreeSet<&String> = requests.iter().map(|request| &request.key).collect();
    assert!(requests.len() >= 6 && keys.len() == 2 && !keys.contains(&String::new()), "{requests:?}");
    let bodies: BTreeSet<(&String, &String)> = requests.iter().map(|request| (&request.key, &request.body)).collect();
    assert_eq!(bodies.len(), 2, "the same key, the same text");
    let tasks: BTreeSet<String> = office.inbox.taken().into_iter().map(|task| task.key).collect();
    assert_eq!(tasks.len(), 2, "the inbox hears a key with each task");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_owed_again_or_dismissed() {
    let custom = || Custom { has_no_second: true, sequential: true, ..Custom::default() };
    let office = Office::open(Mood::Closed, custom()).await;
    let begun = office.now();
    office.orders(6).await;
    office.live_until(begun + minutes(6 * 60)).await;
    let dead = office.dead();
    let [again, dismissed, ..] = &dead[..] else { panic!("{dead:?}") };
    office.pipeline.intake.dismiss(dismissed, "someone", "called the patient").await.expect("dismissed");
    office.first.becomes(Mood::Well);
    let replayed = office.pipeline.intake.replay(again, "someone", "mended").await.expect("owed again");
    assert!(matches!(replayed, Replayed::Letter { in_doubt: false, .. }), "{replayed:?}");
    for item in [again, dismissed] {
        let refused = office.pipeline.intake.replay(item, "someone", "mended").await;
        assert!(matches!(refused, Err(PipelineError::NotDead { .. })), "{refused:?}");
    }
    office.live_until(begun + minutes(7 * 60)).await;
    assert_eq!(office.first.taken().len(), 1);
    assert_eq!(office.dead(), dead[2..]);
    let settled = |wanted: Settlement, reason: &str| {
        let is_it = |record: &Record| match record {
            Record::Settled { how, why, .. } => *how == wanted && why == reason,
            _ => false,
        };
        office.records().iter().any(is_it)
    };
    assert!(settled(Settlement::Replayed, "mended") && settled(Settlement::Dismissed, "called the patient"));

    // When its referral is over, or quiet hours have begun, the gate and the house have their say.
    let late = &dead[2];
    office.clock.set(begun + minutes(11 * 60));
    office.pipeline.intake.replay(late, "someone", "mended").await.expect("owed again");
    office.settle().await;
    assert_eq!(office.first.taken().len(), 1, "it is eleven at night");
    office.live_until(begun + minutes(24 * 60)).await;
    assert_eq!(office.first.taken().len(), 2, "it went in the morning");
    office.live_until(begun + TimeDelta::days(61)).await;
    let refused = office.pipeline.intake.replay(&dead[3], "someone", "mended").await;
    assert!(matches!(refused, Err(PipelineError::Ended { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_in_doubt_asks_its_vendor_first() {
    let office =
        Office::open(Mood::Forgetful, Custom { has_no_second: true, sequential: true, ..Custom::default() }).await;
    let begun = office.now();
    office.order(1).await;
    office.settle().await;
    office.first.becomes(Mood::Closed);
    office.live_until(begun + TimeDelta::days(2)).await;
    let dead = office.dead();
    assert_eq!(dead.len(), 1, "its attempts are spent");
    assert!(!kinds(&office).contains(&"by-hand".to_string()), "nobody is told that it was not sent: it may have been");
    office.first.becomes(Mood::Well);
    let replayed = office.pipeline.intake.replay(&dead[0], "someone", "mended").await.expect("owed again");
    assert!(matches!(replayed, Replayed::Letter { in_doubt: true, .. }), "{replayed:?}");
    office.live_until(begun + TimeDelta::days(3)).await;
    assert_eq!(office.first.taken().len(), 1, "the vendor had it");
    assert_eq!(office.dead(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_fire_once_and_at_their_moment_however_the_clock_is_set() {
    let office = Office::open(Mood::Well, Custom { sequential: true, ..Custom::default() }).await;
    let begun = office.now();
    office.orders(3).await;
    office.settle().await;
    let day = TimeDelta::days;
    let told = |office: &Office, kind: &str| kinds(office).iter().filter(|told| *told == kind).count();
    for (what, moment, day_1, day_3) in [
        ("just before", begun + day(1) - TimeDelta::milliseconds(1), 0, 0),
        ("set back by a year", begun - day(365), 0, 0),
        ("set right again", begun + day(1), 3, 0),
        ("set back after they fired", begun + day(0), 3, 0),
        ("the same moment again", begun + day(1), 3, 0),
        ("set forth by a month", begun + day(31), 3, 3),
        ("set back to when they were due", begun + day(3), 3, 3),
    ] {
        office.clock.set(moment);
        office.settle().await;
        assert_eq!((told(&office, "day-1"), told(&office, "day-3")), (day_1, day_3), "{what}");
    }
    // Set forth beyond everything, all of it comes in due order.
    office.clock.set(begun + day(31));
    office.order(50).await;
    office.settle().await;
    office.clock.set(begun + day(400));
    office.settle().await;
    let kinds = kinds(&office);
    assert_eq!(kinds[kinds.len() - 2..], ["day-1", "day-3"]);
}
