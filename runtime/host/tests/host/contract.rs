//! A plugin built from the contract as it stands links, loads, and is reached by every call of its world.

use std::collections::BTreeSet;

use handoff_host::{Answer, Call, FaultKind, Function, WitWorld};

use crate::{fixtures, samples};

#[test]
fn a_shell_of_each_world_loads_as_that_world_and_no_other() {
    let host = fixtures::host();
    for &world in WitWorld::ALL {
        let shell =
            fixtures::shell(&format!("package test:test; world test {{ include handoff:stage/{world}@0.2.0; }}"));
        let plugin = host.load(&shell).unwrap_or_else(|error| panic!("{world}: {error}"));
        assert_eq!(plugin.worlds(), [world]);
        let inspection = host.inspect(&shell).expect("a component");
        assert_eq!(inspection.worlds, [world]);
        assert_eq!(inspection.imports, [""; 0], "{world} imports only types");
        assert_eq!(inspection.size, shell.len());
        assert_eq!(inspection.digest, plugin.digest().to_string());
        for call in samples::all() {
            let fault = host.call(&plugin, &call).expect_err("a shell only traps");
            let reached = call.function().world() == world;
            let kind = if reached { FaultKind::Trapped } else { FaultKind::NotExported };
            assert_eq!((fault.kind, fault.function), (kind, call.function()), "in {world}");
        }
    }
}

#[test]
fn one_component_may_serve_several_stages() {
    let host = fixtures::host();
    let plugin = host.load(&fixtures::shell_of(&["hand-over", "retrieval", "write-back"])).expect("a plugin");
    assert_eq!(plugin.worlds(), [WitWorld::Records, WitWorld::Chart, WitWorld::Escalation]);
}

#[test]
fn each_function_has_a_call_and_its_name_in_the_journal() {
    let names: BTreeSet<String> = samples::all()
        .iter()
        .map(|call| {
            let json = serde_json::to_value(call).expect("json");
            let function: Function = serde_json::from_value(json["function"].clone()).expect("a function's name");
            assert_eq!(function, call.function());
            function.to_string()
        })
        .collect();
    assert_eq!(names.len(), 19, "{names:?}");
}

#[test]
fn a_journaled_call_is_the_call_that_was_made() {
    for call in samples::all() {
        let json = serde_json::to_string(&call).expect("json");
        let read: Call = serde_json::from_str(&json).expect("the same call");
        assert!(read == call, "{call:?}");
    }
}

#[test]
fn a_repeated_call_gives_the_recorded_answer() {
    let host = fixtures::host();
    let plugin = host.load(&fixtures::hostile()).expect("a plugin");
    let call = samples::choose("behave");
    let recorded = host.call(&plugin, &call).expect("an answer");
    let json = serde_json::to_string(&recorded).expect("json");
    assert_eq!(
        json,
        r#"{"function":"choose","value":{"Ok":{"Send":{"channel":"Sms","language":"es","reason":"asked for"}}}}"#
    );
    let read: Answer = serde_json::from_str(&json).expect("the same answer");
    assert_eq!(read, recorded);
    let years_later = fixtures::host();
    let plugin = years_later.load(&fixtures::hostile()).expect("the same plugin");
    assert_eq!(years_later.call(&plugin, &call).expect("an answer").digest(), recorded.digest());
    let refused = years_later.call(&plugin, &samples::choose("refuse")).expect("an answer");
    assert_ne!(refused.digest(), recorded.digest());
}

#[test]
fn calls_and_answers_do_not_show_their_patient() {
    let host = fixtures::host();
    let plugin = host.load(&fixtures::hostile()).expect("a plugin");
    let call = samples::choose("remember");
    let answer = host.call(&plugin, &call).expect("an answer");
    assert_eq!(format!("{call:?} {answer:?}"), "Call(choice.choose) Answer(choice.choose)");
}
