//! Each misdeed is a fault of its own kind, tells nothing of the patient, and harms no other call.

use std::thread;

use handoff_host::{FaultKind, Host, Plugin};

use crate::{fixtures, samples};

fn behaves(host: &Host, plugin: &Plugin) {
    host.call(plugin, &samples::choose("behave")).unwrap_or_else(|fault| panic!("a good call failed: {fault}"));
}

#[test]
fn each_misdeed_has_its_name() {
    let host = fixtures::host();
    let plugin = host.load(&fixtures::hostile()).expect("a plugin");
    for (deed, kind) in [
        ("loop for ever", FaultKind::TimedOut),
        ("allocate without end", FaultKind::OutOfMemory),
        ("return too much", FaultKind::OutOfMemory),
        ("recurse without end", FaultKind::Trapped),
        ("run into the unreachable", FaultKind::Trapped),
        ("panic with the patient's name", FaultKind::Trapped),
    ] {
        let fault = thread::scope(|scope| {
            let misdeed = scope.spawn(|| host.call(&plugin, &samples::choose(deed)));
            behaves(&host, &plugin);
            misdeed.join().expect("the host does not panic").expect_err(deed)
        });
        assert_eq!(fault.kind, kind, "{deed}");
        assert_eq!(fault.plugin, plugin.digest());
        let said = format!("{fault} {fault:?}");
        for secret in [samples::PATIENT, "cannot reach", "src/lib.rs"] {
            assert!(!said.contains(secret), "{deed}: {said}");
        }
        behaves(&host, &plugin);
    }
}

#[test]
fn an_answer_has_its_own_limit_below_that_of_memory() {
    let roomy = handoff_host::PluginLimits { memory_bytes: 256 << 20, ..fixtures::limits() };
    let host = Host::new(roomy, None).expect("a host");
    let plugin = host.load(&fixtures::hostile()).expect("a plugin");
    let fault = host.call(&plugin, &samples::choose("return too much")).expect_err("100 MB");
    assert_eq!(fault.kind, FaultKind::OutputTooLarge);
    behaves(&host, &plugin);
}

#[test]
fn nothing_of_one_call_is_there_for_the_next() {
    let host = fixtures::host();
    let plugin = host.load(&fixtures::hostile()).expect("a plugin");
    for _ in 0..20 {
        let answer = host.call(&plugin, &samples::choose("remember")).expect("an answer");
        let json = serde_json::to_string(&answer).expect("json");
        assert_eq!(json, r#"{"function":"choose","value":{"Ok":{"Nobody":""}}}"#);
    }
}
