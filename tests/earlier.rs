//! Data that an earlier build wrote: it opens, verifies, replays, and its referrals go on.
//!
//! `fixtures/earlier/0.1.tar.gz` is the folder of an instance of that build, made by `handoff init` and `serve`: four orders
//! taken over MLLP, one message that cannot be read, an account, and letters that are owed still. Its keys are its own.

use std::process::Command;

use crate::house::{House, SECRET, printed, until};
use crate::mllp::{Sender, order};

fn earlier() -> House {
    let house = House::empty();
    let packed = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/earlier/0.1.tar.gz");
    let unpacked = Command::new("tar").args(["xzf", packed, "-C", &house.path(".")]).status();
    assert!(unpacked.expect("tar runs").success());
    // What `init` wrote there is refused by now: the practice has put its own in place.
    for secret in ["ehr-password", "twilio-auth-token", "webhook-key"] {
        house.edit(&format!("keys/{secret}"), "replace-me", SECRET);
    }
    house
}

#[test]
fn an_earlier_journal_verifies_and_its_decisions_are_made_again() {
    let house = earlier();
    assert!(house.verify().status.success());
    let proof = printed(&["journal", "replay", "--config", &house.path("handoff.yaml"), "--json"]);
    let proof: serde_json::Value = serde_json::from_str(proof.trim()).expect("JSON");
    assert_eq!((&proof["proven"], &proof["unproven"]), (&13.into(), &0.into()), "{proof}");
}

#[test]
fn referrals_of_an_earlier_build_go_on() {
    let house = earlier();
    assert_eq!(house.referrals().len(), 4);
    assert_eq!(house.dead_letters().len(), 1);
    let daemon = house.serve();
    let answer = Sender::connect(daemon.mllp).and_then(|mut sender| sender.ask(&order(7))).expect("an answer");
    assert_eq!(answer.code, "AA", "{}", answer.error);
    // The chart was not there when they were left: each letter was put off once, and is tried again now.
    until("another try at each letter", || {
        let deferred = house.records().iter().filter(|record| record["record"] == "deferred").count();
        (deferred >= 2 * 4).then_some(())
    });
    daemon.stop();
    assert_eq!(house.referrals().len(), 5);
    assert!(house.verify().status.success());
    let people = printed(&["people", "list", "--config", &house.path("handoff.yaml")]);
    assert!(people.contains("coordinator.one"), "{people}");
}
