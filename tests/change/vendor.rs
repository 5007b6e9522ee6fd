//! A vendor is swapped at midday: what is owed goes out by the new one, what was asked of the old one is asked of the old one.

use chrono::TimeDelta;
use handoff_engine::event::Event;
use handoff_pipeline::deployments::{Keep, WorkflowSource};
use handoff_pipeline::pipeline::Pipeline;
use handoff_pipeline::rollout;
use handoff_pipeline::rollout::{Act, Candidate};
use handoff_rehearsal::rehearsal::{Progress, Rehearsal};
use handoff_store::{Origin, Position, Record};

use crate::outbox::office::{Custom, Office};
use crate::outbox::vendor::Mood;

/// The test office's workflow without the first vendor; a text goes out when a day has passed.
fn by_the_second(pipeline: &Pipeline) -> WorkflowSource {
    let known = pipeline.store.index().deployments().expect("an index").pop().expect("a deployment");
    let mut source: WorkflowSource = serde_json::from_str(&known.workflow).expect("a source");
    let text = &mut source.text;
    let first = text.find("    first:").expect("a first vendor")..text.find("    second:").expect("a second vendor");
    text.replace_range(first, "");
    let task = "do: [raise: { audience: coordinator, kind: day-1, due_in: 24h, summary: \"A day has passed.\" }]";
    assert!(text.contains(task));
    *text = text.replace(task, "do: [send: { letter: first-contact, channel: sms }]") + "\nmoves: { others: move }\n";
    source
}

fn swap(pipeline: &Pipeline) -> rollout::Applied {
    let candidate = Candidate { source: by_the_second(pipeline), scenarios: Default::default() };
    let ready = rollout::examine(pipeline, candidate, Keep::Yes).unwrap_or_else(|error| panic!("{error}"));
    let act = Act { origin: Origin::Applied, who: "Ada".into(), why: "the first vendor is dear".into() };
    rollout::put_in_force(pipeline, ready, act).unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_referrals_in_flight_go_out_by_the_new_vendor() {
    const ORDERS: usize = 8;
    let office = Office::open(Mood::Well, Custom { sequential: true, ..Custom::default() }).await;
    office.orders(ORDERS).await;
    office.settle().await;
    assert_eq!((office.first.taken().len(), office.second.taken().len()), (ORDERS, 0));
    let applied = swap(&office.pipeline);
    assert_eq!((applied.moves, applied.stays), (ORDERS as u64, 0));
    office.live_until(office.now() + TimeDelta::hours(30)).await;
    assert_eq!((office.first.taken().len(), office.second.taken().len()), (ORDERS, ORDERS));
    office.order(100).await;
    office.settle().await;
    assert_eq!((office.first.taken().len(), office.second.taken().len()), (ORDERS, ORDERS + 1));
    let moved = office
        .records()
        .into_iter()
        .filter(|record| matches!(record, Record::Stepped { because, .. } if because.contains("moved to workflow")));
    assert_eq!(moved.count(), ORDERS);
}

/// The number is configured at the old vendor to call back under its old name, and patients answer for weeks.
#[tokio::test(flavor = "multi_thread")]
async fn answers_to_the_old_number_are_understood() {
    const SWAPPED_ON_DAY: i64 = 4;
    let data = tempfile::tempdir().expect("a folder");
    let rehearsal = Rehearsal::open(7, 12, 30, data.path()).await.expect("a rehearsal");
    let pipeline = rehearsal.pipeline();
    let mut is_swapped = false;
    let swap = |progress: Progress| {
        if progress.day < SWAPPED_ON_DAY || std::mem::replace(&mut is_swapped, true) {
            return;
        }
        let known = pipeline.store.index().deployments().expect("an index").pop().expect("a deployment");
        let mut source: WorkflowSource = serde_json::from_str(&known.workflow).expect("a source");
        assert!(source.text.contains("\n    sms:\n"));
        source.text = source.text.replace("\n    sms:\n", "\n    texts:\n") + "\nmoves: { others: move }\n";
        let candidate = Candidate { source, scenarios: Default::default() };
        let ready = rollout::examine(&pipeline, candidate, Keep::Yes).unwrap_or_else(|error| panic!("{error}"));
        let act = Act { origin: Origin::Applied, who: "Ada".into(), why: "another vendor".into() };
        rollout::put_in_force(&pipeline, ready, act).unwrap_or_else(|error| panic!("{error}"));
    };
    rehearsal.run(swap).await.expect("a month");
    let summary = serde_json::to_value(rehearsal.summary().expect("a summary")).expect("JSON");
    assert_eq!((&summary["lost"], &summary["doubled"]), (&0.into(), &0.into()));
    let pipeline = rehearsal.pipeline();
    let records: Vec<Record> = pipeline
        .store
        .entries(Position::START.next())
        .flat_map(|entry| entry.expect("an entry").1.records.clone())
        .skip_while(|record| !matches!(record, Record::Deployed { origin: Origin::Applied, .. }))
        .collect();
    let heard = |from: &str| {
        records.iter().any(
            |record| matches!(record, Record::Delivery { source, kind, .. } if source == from && kind == "callback"),
        )
    };
    assert!(heard("sms") && heard("texts"), "both are heard after the swap");
    let replies = records.iter().filter(|it| matches!(it, Record::Happened { event: Event::Reply { .. }, .. }));
    assert!(replies.count() > 0, "patients answered and were understood");
    assert_eq!(rehearsal.world().ledger().untouched(), [0; 0]);
    drop(pipeline);
    rehearsal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_have_acted_is_asked_before_the_new_vendor_sends() {
    let office = Office::open(Mood::Forgetful, Custom { sequential: true, ..Custom::default() }).await;
    office.order(1).await;
    office.settle().await;
    assert_eq!(office.first.taken().len(), 1, "it took the text and did not say so");
    swap(&office.pipeline);
    office.first.becomes(Mood::Well);
    office.live_until(office.now() + TimeDelta::hours(2)).await;
    let asked = office.first.requests().into_iter().filter(|request| request.method == "GET").count();
    assert!(asked > 0, "the first vendor was asked");
    assert_eq!((office.first.taken().len(), office.second.taken().len()), (1, 0), "nobody is texted twice");
}
