//! The brake: whatever holds, nothing leaves that is held, nothing is lost, and it goes on as it was.

use std::os::unix::fs::FileExt as _;

use chrono::TimeDelta;
use handoff_pipeline::pauses::OutreachLimits;
use handoff_store::{PauseCause, PauseScope, Record};
use serde_json::Value;

use crate::house::{self, House, until};
use crate::mllp::{self, Sender};
use crate::outbox::office::{Custom, Office};
use crate::outbox::vendor::Mood;

fn counts(office: &Office) -> (usize, usize) {
    (office.first.taken().len(), office.inbox.taken().len())
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_outreach_holds_texts_and_nothing_else() {
    let office = Office::open(Mood::Well, Custom::default()).await;
    let pauses = &office.pipeline.pauses;
    pauses.pause(PauseCause::Operator, PauseScope::Outreach, "ada", "a wrong template").expect("paused");
    office.orders(3).await;
    office.settle().await;
    assert_eq!(counts(&office), (0, 3), "tasks reach people");
    assert_eq!((pauses.parked().len(), pauses.state().pauses.len()), (3, 1));
    pauses.resume(PauseCause::Operator, "ada", "mended").expect("resumed");
    office.settle().await;
    assert_eq!(counts(&office), (3, 3));
    assert!(office.dead().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_wholly_nothing_leaves_and_no_timer_fires() {
    let office = Office::open(Mood::Well, Custom::default()).await;
    let pauses = &office.pipeline.pauses;
    office.orders(2).await;
    pauses.pause(PauseCause::Operator, PauseScope::All, "ada", "the network is being moved").expect("paused");
    office.clock.turn(TimeDelta::days(30));
    office.settle().await;
    assert_eq!(counts(&office), (0, 0));
    let stepped =
        |office: &Office| office.records().iter().filter(|record| matches!(record, Record::Stepped { .. })).count();
    let before = stepped(&office);
    office.order(2).await;
    assert!(stepped(&office) > before, "what comes in is taken");
    pauses.resume(PauseCause::Operator, "ada", "moved").expect("resumed");
    office.settle().await;
    assert!(counts(&office).1 >= 3, "{:?}", counts(&office));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_messages_than_usual_pause_themselves() {
    let outreach = OutreachLimits { messages_per_hour_max: Some(10), ..OutreachLimits::default() };
    let office = Office::open(Mood::Well, Custom { sequential: true, outreach, ..Custom::default() }).await;
    office.orders(25).await;
    office.settle().await;
    assert_eq!(counts(&office), (10, 25));
    let state = office.pipeline.pauses.state();
    assert_eq!((state.pauses[0].cause, state.pauses[0].scope), (PauseCause::Volume, PauseScope::Outreach));
    assert_eq!(state.parked, 15);
    office.pipeline.pauses.resume(PauseCause::Volume, "ada", "they are all ours").expect("resumed");
    office.settle().await;
    assert_eq!(counts(&office).0, 20, "and again after as many");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_instance_writes_to_its_test_recipients_and_to_nobody_else() {
    // However the number is written in the configuration, the feed has it as 270 600-0001.
    let listed = Some(vec!["(270) 600-0001".to_string(), "it@example.org".to_string()]);
    let outreach = OutreachLimits { test_recipients: listed, ..OutreachLimits::default() };
    let office = Office::open(Mood::Well, Custom { sequential: true, outreach, ..Custom::default() }).await;
    office.orders(3).await;
    office.settle().await;
    let written = office.first.taken();
    assert_eq!(written.len(), 1, "one of three is on the list");
    let refused = |record: &Record| matches!(record, Record::Refused { rule, .. } if rule == "no-test-recipient");
    assert_eq!(office.records().iter().filter(|record| refused(record)).count(), 2, "and the journal says why");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_sixty_days_ahead_ends_no_referral() {
    let office = Office::open(Mood::Well, Custom::default()).await;
    office.orders(3).await;
    office.settle().await;
    let (sent, records) = (counts(&office), office.records().len());
    office.clock.set_wrong(TimeDelta::days(60));
    office.settle().await;
    let state = office.pipeline.pauses.state();
    assert_eq!(state.clock.as_ref().map(|doubt| doubt.off_seconds), Some(60 * 86_400));
    assert_eq!((counts(&office), office.records().len()), (sent, records), "nothing is due by a clock in doubt");
    // Set right, it goes on by itself.
    office.clock.set_wrong(TimeDelta::days(-60));
    office.settle().await;
    assert_eq!(office.pipeline.pauses.state().clock, None);
    // Back by a minute is not believed either; a person may say that it is right.
    office.clock.set_wrong(TimeDelta::minutes(-1));
    assert!(office.pipeline.pauses.state().clock.is_some());
    office.pipeline.pauses.trust_clock("ada", "the radio clock says so too").expect("journaled");
    assert_eq!(office.pipeline.pauses.state().clock, None);
}

fn paused(house: &House) -> Value {
    house::objects(&["pauses", "--json", "--data", &house.path("data")]).remove(0)
}

/// As it is installed: nobody is written to until somebody has said so once, whatever comes in.
#[test]
fn a_new_instance_writes_to_nobody_until_it_goes_live() {
    let house = House::new();
    let daemon = house.serve();
    let data = house.path("data");
    let ack = Sender::connect(daemon.mllp).and_then(|mut sender| sender.ask(&mllp::order(1))).expect("an answer");
    assert_eq!(ack.code, "AA");
    let state = paused(&house);
    assert_eq!((&state["pauses"][0]["cause"], &state["pauses"][0]["scope"]), (&"not-live".into(), &"outreach".into()));
    let refused = house::handoff(&["resume", "--why", "we want to begin", "--data", &data]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("error[H0914]"), "only go-live does it");
    let told = house::printed(&["go-live", "--why", "a first look", "--data", &data]);
    assert!(told.contains("would leave; add --yes"), "{told}");
    assert_eq!(paused(&house)["pauses"].as_array().map(Vec::len), Some(1), "a look changes nothing");
    let told = house::printed(&["go-live", "--yes", "--why", "tested with the coordinators", "--data", &data]);
    assert!(told.contains("live:"), "{told}");
    let told = house::printed(&["pauses", "--data", &data]);
    assert_eq!(told.trim(), "nothing is paused");
    house::printed(&["pause", "all", "--why", "the network is being moved", "--data", &data]);
    assert!(daemon.stop().0.success());
    // It outlives the process, and is journaled with who and why.
    let daemon = house.serve();
    assert_eq!(paused(&house)["pauses"][0]["cause"], "operator");
    house::printed(&["resume", "--why", "moved", "--data", &data]);
    assert!(daemon.stop().0.success());
    let found = house::printed(&["journal", "search", "--type", "resumed", "--data", &data]);
    assert!(found.contains("resumed (not-live): tested with the coordinators"), "{found}");
    assert!(found.contains("resumed (operator): moved"), "{found}");
}

/// On the day of a restore there is the backup, the master key that the documentation says to keep, and a public key.
#[test]
fn a_backup_and_the_master_key_are_all_that_a_restore_needs_and_nobody_is_written_to_twice() {
    let house = House::new();
    let daemon = house.serve();
    let data = house.path("data");
    house::printed(&["go-live", "--yes", "--why", "tested with the coordinators", "--data", &data]);
    let mut sender = Sender::connect(daemon.mllp).expect("a connection");
    for number in 0..3 {
        assert_eq!(sender.ask(&mllp::order(number)).expect("an answer").code, "AA");
    }
    let (backup, config, public) = (house.path("backup"), house.path("handoff.yaml"), house.path("kept.pub"));
    house::printed(&["backup", &backup, "--data", &data]);
    assert!(daemon.stop().0.success());
    std::fs::copy(house.path("keys/journal.pub"), &public).expect("copied");
    for lost in ["keys/journal.pem", "keys/journal.pub"] {
        std::fs::remove_file(house.path(lost)).expect("removed");
    }
    std::fs::remove_dir_all(&data).expect("removed");
    let told = house::printed(&["restore", &backup, "--config", &config, "--key", &public]);
    assert!(told.contains("the signing key of that day is in its place"), "{told}");
    let daemon = house.serve();
    let state = paused(&house);
    let pause = &state["pauses"][0];
    assert_eq!((&pause["cause"], &pause["scope"]), (&"restored".into(), &"all".into()), "{state}");
    assert_eq!(house.referrals().len(), 3);
    let answer = Sender::connect(daemon.mllp).and_then(|mut it| it.ask(&mllp::order(9))).expect("an answer");
    assert_eq!(answer.code, "AA", "it answers, and nothing leaves");
    let tried = |house: &House| house.records().iter().filter(|record| record["record"] == "deferred").count();
    let before = tried(&house);
    let told = house::printed(&["resume", "--why", "the chart and the vendor were looked at", "--data", &data]);
    assert!(told.contains("no message leaves for a patient yet"), "{told}");
    until("the chart is tried again", || (tried(&house) > before).then_some(()));
    let told = house::printed(&["resume", "--why", "every message was looked at", "--data", &data]);
    assert!(told.contains("may have left after the backup"), "{told}");
    assert!(daemon.stop().0.success());
    assert!(house.verify().status.success());
}

/// A disk that lost a byte is found before it is copied as if it were whole.
#[test]
fn a_damaged_journal_is_not_backed_up_as_if_it_were_whole() {
    let house = House::new();
    let daemon = house.serve();
    let mut sender = Sender::connect(daemon.mllp).expect("a connection");
    for number in 0..3 {
        assert_eq!(sender.ask(&mllp::order(number)).expect("an answer").code, "AA");
    }
    let data = house.path("data");
    let segment = house.segments().remove(0);
    // In place, as a disk does it, within the first entry: the daemon has the file open.
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&segment).expect("a segment");
    let mut byte = [0];
    file.read_exact_at(&mut byte, 1_000).expect("read");
    file.write_all_at(&[byte[0] ^ 1], 1_000).expect("written");
    let backup = house.path("backup");
    let told = house::handoff(&["backup", &backup, "--data", &data]);
    assert!(!told.status.success(), "{}", String::from_utf8_lossy(&told.stdout));
    assert!(!std::path::Path::new(&backup).join("backup.json").exists(), "it is no backup");
    daemon.kill();
}
