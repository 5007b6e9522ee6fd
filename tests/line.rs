//! The whole line through a practice's month: nothing lost, nothing doubled, and the same again from the same seed.

use std::path::Path;

use handoff_operations::reports::timeline;
use handoff_practice::{Ledger, Write};
use handoff_rehearsal::rehearsal::Rehearsal;
use handoff_store::View;
use handoff_store::index::{PAGE_MAX, ReferralFilter};
use serde_json::Value;
use tempfile::TempDir;

use crate::house;

const SEEDS: [u64; 3] = [1, 7, 2026];
const REFERRALS: usize = 12;
const DAYS: u32 = 30;

/// What a rehearsal leaves behind.
struct Month {
    summary: Value,
    ledger: Ledger,
    data: TempDir,
}

fn live_through(seed: u64) -> Month {
    let data = TempDir::new().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (summary, ledger) = runtime.block_on(async {
        let rehearsal = Rehearsal::open(seed, REFERRALS, DAYS, data.path()).await.expect("a rehearsal");
        rehearsal.run(|_| {}).await.expect("a month");
        let summary = rehearsal.summary().expect("a summary");
        let ledger = rehearsal.world().ledger();
        rehearsal.close().await;
        (serde_json::to_value(&summary).expect("json"), ledger)
    });
    Month { summary, ledger, data }
}

/// What each referral's timeline tells, oldest referral first.
fn timelines(data: &Path) -> Vec<Vec<String>> {
    let view = View::open(data).expect("a journal");
    let listed = view.index().referrals(&ReferralFilter::default(), None, PAGE_MAX).expect("an index");
    let told = |id| timeline::of(view.index(), view.reader(), id).expect("a timeline");
    listed.iter().map(|referral| told(referral.id).iter().map(ToString::to_string).collect()).collect()
}

#[test]
fn a_month_loses_nothing_doubles_nothing_and_keeps_the_texting_law() {
    for seed in SEEDS {
        let Month { summary, ledger, data } = live_through(seed);
        let orders = ledger.accepted_orders().count();
        assert!(orders >= REFERRALS, "seed {seed}: {orders} orders were acknowledged");
        assert_eq!(summary["referrals"], REFERRALS, "seed {seed}");
        assert_eq!(summary["lost"], 0, "seed {seed}");
        assert_eq!((&summary["doubled"], ledger.duplicates()), (&Value::from(0), 0), "seed {seed}");
        assert_eq!(ledger.texts_at_night(), 0, "seed {seed}");
        assert_eq!(ledger.texts_after_opt_out(), 0, "seed {seed}");
        assert_eq!(ledger.untouched(), [0; 0], "seed {seed}");
        assert!(!ledger.texts.is_empty() && !ledger.mails.is_empty(), "seed {seed}: nobody was written to");
        let timelines = timelines(data.path());
        assert_eq!(timelines.len(), REFERRALS, "seed {seed}");
        for timeline in &timelines {
            assert!(timeline.iter().any(|line| line.contains("ordered")), "seed {seed}: {timeline:?}");
        }
    }
}

#[test]
fn a_closed_referral_has_a_completed_task_and_its_note_in_the_chart() {
    let Month { summary, ledger, .. } = live_through(SEEDS[0]);
    assert!(summary["closed_with_note"].as_u64().expect("a count") > 0, "{summary}");
    let wrote = |person: usize, which: fn(&Write) -> bool| {
        ledger.writes.iter().any(|write| write.person == Some(person) && which(write))
    };
    let is_task = |write: &Write| write.resource["resourceType"] == "Task" && write.resource["status"] == "completed";
    let is_note = |write: &Write| write.resource["resourceType"] == "DocumentReference";
    let noted: Vec<usize> = ledger.notes.iter().map(|note| note.person).collect();
    let closed: Vec<_> = noted.iter().filter(|person| wrote(**person, is_task) && wrote(**person, is_note)).collect();
    assert!(!closed.is_empty(), "notes came for {noted:?}, and no chart has both a completed task and a document");
}

#[test]
fn the_same_seed_gives_the_same_month_and_another_seed_another() {
    let [first, second, other] = [3, 3, 4].map(live_through);
    assert_eq!(first.summary, second.summary);
    assert!(first.ledger == second.ledger, "the world outside saw two different months");
    assert_eq!(timelines(first.data.path()), timelines(second.data.path()));
    assert_ne!(first.summary, other.summary);
}

#[test]
fn demo_prints_one_object_and_the_same_for_the_same_seed() {
    let demo = || house::printed(&["demo", "--referrals", "5", "--seed", "9", "--days", "20", "--json"]);
    let printed = demo();
    let summary: Value = serde_json::from_str(&printed).expect("one JSON object and nothing else");
    assert_eq!((&summary["referrals"], &summary["lost"]), (&Value::from(5), &Value::from(0)));
    assert_eq!(printed, demo());
}
