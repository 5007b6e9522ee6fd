//! Every plugin decision of a practice's month can be made again, and comes out as the journal says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use handoff_engine::ids::{Digest, StageKey};
use handoff_operations::replay_decisions::{DecisionContext, PassedOver, Proof, prove};
use handoff_pipeline::pipeline::Pipeline;
use handoff_rehearsal::rehearsal::Rehearsal;
use handoff_store::journal::Numbered;
use handoff_store::{Position, Record};
use serde_json::Value;
use tempfile::TempDir;

use crate::house::{self, House};
use crate::mllp::{self, Sender};

/// A month of a practice, and what is left of it on disk.
fn lived<T>(look: impl FnOnce(&Arc<Pipeline>, &Path) -> T) -> (T, TempDir) {
    let data = TempDir::new().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let seen = runtime.block_on(async {
        let rehearsal = Rehearsal::open(5, 12, 30, data.path()).await.expect("a rehearsal");
        rehearsal.run(|_| {}).await.expect("a month");
        let seen = look(&rehearsal.pipeline(), data.path());
        rehearsal.close().await;
        seen
    });
    (seen, data)
}

fn entries(pipeline: &Pipeline) -> Vec<Numbered> {
    pipeline.store.entries(Position::START).collect::<Result<_, _>>().expect("a sound journal")
}

fn proof(pipeline: &Arc<Pipeline>, entries: &[Numbered], data: &Path) -> Proof {
    let sight = DecisionContext { vault: &pipeline.vault, lookup: &pipeline.store };
    prove(entries.iter().cloned().map(Ok), &pipeline.host, data, Some(sight)).expect("a sound journal")
}

/// How often each function was decided by.
fn decided(entries: &[Numbered]) -> BTreeMap<String, u64> {
    let mut functions = BTreeMap::new();
    for record in entries.iter().flat_map(|(_, entry)| &entry.records) {
        if let Record::Decided { call, .. } = record {
            let call: serde_json::Value = call.read().expect("a call");
            *functions.entry(call["function"].as_str().expect("a call").to_string()).or_default() += 1;
        }
    }
    functions
}

/// The month with one recorded answer changed, and where that stands.
fn altered(entries: &[Numbered]) -> (Vec<Numbered>, Position, StageKey) {
    let mut entries = entries.to_vec();
    for (position, entry) in entries.iter_mut().rev() {
        for record in &mut Arc::make_mut(entry).records {
            if let Record::Decided { answer, stage, .. } = record {
                *answer = Digest::of(b"another answer");
                let found = (*position, stage.clone());
                return (entries, found.0, found.1);
            }
        }
    }
    panic!("nothing was decided")
}

#[test]
fn a_month_of_decisions_is_proven_again() {
    let ((functions, whole, blind, (differs, position, stage)), data) = lived(|pipeline, data| {
        let entries = entries(pipeline);
        let whole = proof(pipeline, &entries, data);
        let blind = prove(entries.iter().cloned().map(Ok), &pipeline.host, data, None).expect("a sound journal");
        let (altered, position, stage) = altered(&entries);
        (decided(&entries), whole, blind, (proof(pipeline, &altered, data), position, stage))
    });
    let count: u64 = functions.values().sum();
    assert_eq!(whole, Proof { proven: count, ..Proof::default() }, "of {functions:?}");
    let wanted =
        ["interpret", "retrieve", "resume-retrieval", "choose", "compose", "resume-carrier", "receive", "understand"];
    for function in wanted.into_iter().chain(["assess", "check-visit", "write-chart", "resume-chart"]) {
        assert!(functions.contains_key(function), "nothing was decided by {function}: {functions:?}");
    }
    let clear = functions["interpret"] + functions["understand"];
    assert_eq!(
        blind.passed_over,
        BTreeMap::from([(PassedOver::Sealed, clear)]),
        "without keys, parsers cannot be asked"
    );
    assert_eq!((blind.proven, blind.unproven), (count - clear, 0));
    assert_eq!((differs.proven, differs.unproven), (count - 1, 1));
    assert_eq!((differs.named[0].position, &differs.named[0].stage), (position, &stage));
    assert!(differs.named[0].why.contains("answers otherwise"), "{}", differs.named[0].why);

    // The channel stage needs no patient data: its component is needed and is not what it was.
    let name = handoff_component(data.path(), "channel");
    let mut component = std::fs::read(&name).expect("it is kept");
    let middle = component.len() / 2;
    component[middle] ^= 1;
    std::fs::write(&name, component).expect("written");
    let replay = ["journal", "replay", "--data", data.path().to_str().expect("UTF-8")];
    let output = house::handoff(&replay);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && told.contains("stage channel, plugin "), "{told}");
    assert!(told.contains("its digest is another than its name"), "{told}");
    assert!(told.contains(&format!("{} NOT proven", functions["choose"])), "{told}");
}

/// Where the component that decides for a stage is kept, as the journal names it.
fn handoff_component(data: &Path, stage: &str) -> std::path::PathBuf {
    let exported = house::objects(&["journal", "export", "--data", data.to_str().expect("UTF-8")]);
    let mut records = exported.iter().flat_map(|entry| entry["entry"]["records"].as_array().expect("records"));
    let decided = records.find(|it| it["record"] == "decided" && it["stage"] == stage).expect("a decision");
    data.join("components").join(format!("{}.wasm", decided["plugin"].as_str().expect("a digest")))
}

#[test]
fn a_running_house_proves_its_decisions_and_so_does_one_at_rest() {
    let house = House::new();
    let (data, config) = (house.path("data"), house.path("handoff.yaml"));
    let daemon = house.serve();
    let mut sender = Sender::connect(daemon.mllp).expect("a connection");
    for number in 0..3 {
        assert_eq!(sender.ask(&mllp::order(number)).expect("an answer").code, "AA");
    }
    assert_eq!(sender.ask(b"this is no message").expect("an answer").code, "AR");
    let proven = |from: &[&str]| {
        let proof = house::objects(&[&["journal", "replay", "--json"][..], from].concat()).remove(0);
        assert_eq!(proof["unproven"], 0, "{proof}");
        (proof["proven"].as_u64().expect("a count"), proof["passed_over"].clone())
    };
    let (running, passed_over) = proven(&["--data", &data]);
    assert!(running >= 4 && passed_over == Value::Object(Default::default()), "{running} {passed_over}");
    assert!(daemon.stop().0.success());
    let (resting, passed_over) = proven(&["--config", &config]);
    assert!(resting >= running && passed_over == Value::Object(Default::default()), "{resting} {passed_over}");
    let (blind, passed_over) = proven(&["--data", &data]);
    assert_eq!(passed_over["sealed"], 4, "three orders and what could not be read");
    assert_eq!(blind + 4, resting);
}
