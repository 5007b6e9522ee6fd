//! Whole months with the stand-in.

use std::collections::BTreeSet;

use chrono::Duration;

use super::peer::Peer;
use super::{fair_weather, start};
use crate::{Ledger, PracticeError, PracticePlan, PracticeServers, Purpose, SimulatedPatient};

async fn month(plan: PracticePlan) -> (Ledger, Vec<SimulatedPatient>, u32) {
    let practice = PracticeServers::start(plan).await.expect("started");
    let peer = Peer::start(practice.addresses(), start()).await;
    practice.connect(peer.handoff.clone());
    let end = start() + Duration::days(30);
    while let Some(next) = practice.next_action().into_iter().chain(peer.next()).min().filter(|next| *next <= end) {
        practice.act(next).await.expect("connected");
        peer.work(next).await;
    }
    (practice.ledger(), practice.people(), peer.forged())
}

#[tokio::test]
async fn the_same_calls_give_the_same_month() {
    let plan = PracticePlan::new(3, 25, start());
    let (first, _, _) = month(plan.clone()).await;
    let (second, _, _) = month(plan.clone()).await;
    assert_eq!(serde_json::to_string(&first).expect("JSON"), serde_json::to_string(&second).expect("JSON"));
    let (other, _, _) = month(PracticePlan { seed: 4, ..plan }).await;
    assert_ne!(first, other);
}

#[tokio::test]
async fn reminding_brings_most_referrals_home() {
    let plan = PracticePlan::new(5, 150, start());
    let (ledger, people, forged) = month(plan).await;
    assert_eq!(forged, 0);
    let within = |days: i64, person: usize, at: chrono::DateTime<chrono::Utc>| {
        at - people[person].referral.ordered_at <= Duration::days(days)
    };
    let distinct = |found: &mut dyn Iterator<Item = usize>| found.collect::<BTreeSet<_>>().len() * 100 / people.len();
    let booked = distinct(&mut ledger.bookings.iter().filter(|it| within(7, it.person, it.at)).map(|it| it.person));
    let noted = distinct(&mut ledger.notes.iter().map(|note| note.person));
    let missed = ledger.visits.iter().filter(|visit| !visit.attended).count() * 100 / ledger.visits.len();
    let astray = ledger.bookings.iter().filter(|it| !it.in_network).count() * 100 / ledger.bookings.len();
    assert!((70..95).contains(&booked), "booked within 7 days: {booked} %");
    assert!((60..95).contains(&noted), "note within 30 days: {noted} %");
    assert!((1..10).contains(&missed), "missed: {missed} %");
    assert!(astray < 6, "out of network: {astray} %");
    assert_eq!(ledger.untouched(), Vec::<usize>::new());
    assert!(!ledger.reroutes.is_empty());
}

/// Without anybody who reminds, the same people mostly stay at home.
#[tokio::test]
async fn left_alone_few_go() {
    let practice = PracticeServers::start(PracticePlan::new(5, 150, start())).await.expect("started");
    let peer = Peer::start(practice.addresses(), start()).await;
    practice.connect(peer.handoff.clone());
    practice.act(start() + Duration::days(30)).await.expect("connected");
    let ledger = practice.ledger();
    assert_eq!(ledger.accepted_orders().count(), 150);
    assert!((3..25).contains(&ledger.bookings.len()), "{} bookings", ledger.bookings.len());
    // Nobody was contacted: the ledger says so, but for the one whose order was withdrawn.
    assert_eq!(ledger.untouched().len(), 149);
}

#[tokio::test]
async fn noise_is_answered_as_it_deserves() {
    let mut plan = PracticePlan::new(9, 20, start());
    plan.profile.ehr.duplicated = 0.5;
    plan.profile.ehr.by_webhook = 0.4;
    let (ledger, _, _) = month(plan).await;
    let answers = |purpose: Purpose| {
        ledger.sent.iter().filter(|sent| sent.purpose == purpose).map(|sent| sent.answer.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(answers(Purpose::Malformed).len(), 2);
    assert!(answers(Purpose::Malformed).iter().all(|answer| matches!(*answer, "AE" | "AR" | "no acknowledgement")));
    assert_eq!(answers(Purpose::Unrelated), ["AA"; 4]);
    assert_eq!(answers(Purpose::Withdrawal), ["AA"]);
    assert!(answers(Purpose::Duplicate).len() > 5);
    assert_eq!(ledger.accepted_orders().count(), 20);
    let portal = ledger.sent.iter().filter(|sent| sent.kind == "webhook order" && sent.answer == "202").count();
    assert!((1..20).contains(&portal), "{portal} by webhook");
}

#[tokio::test]
async fn messages_wait_until_handoff_is_there() {
    let practice = PracticeServers::start(fair_weather(2)).await.expect("started");
    assert!(matches!(practice.act(start()).await, Err(PracticeError::NotConnected)));
    practice.connect(super::nowhere());
    let first = practice.next_action().expect("an order");
    let acts = practice.act(first).await.expect("connected");
    assert_eq!((acts.messages_accepted, acts.messages_refused), (0, 1));
    let peer = Peer::start(practice.addresses(), start()).await;
    practice.connect(peer.handoff.clone());
    let acts = practice.act(first + Duration::minutes(5)).await.expect("connected");
    assert_eq!(acts.messages_accepted, 1);
    let answers: Vec<String> = practice.ledger().sent.into_iter().map(|sent| sent.answer).collect();
    assert_eq!(answers, ["no connection", "AA"]);
}

#[tokio::test]
async fn too_large_a_practice_is_refused() {
    assert!(matches!(PracticeServers::start(fair_weather(10_001)).await, Err(PracticeError::TooManyReferrals(10_001))));
}
