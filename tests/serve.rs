//! The daemon as an operator meets it: init, serve, real messages, dead letters, the proof of the journal.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use handoff_engine::ids::Digest;
use parking_lot::Mutex;
use serde_json::Value;

use crate::house::{self, House};
use crate::mllp::{self, Sender};

/// What a message is to the trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Events,
    NotForUs,
    /// It waits for a person.
    Unreadable,
}

/// Name, MSA-1 and meaning, as the trigger's own tests have it; `--` where the sender wants no answer.
fn samples() -> Vec<(String, String, Meaning)> {
    let summary = std::fs::read_to_string(mllp::samples().join("summary.txt")).expect("the samples' summary");
    let lines: Vec<&str> = summary.lines().collect();
    let heads = lines.iter().zip(&lines[1..]).filter(|(head, _)| !head.starts_with(' '));
    heads
        .map(|(head, told)| {
            let words: Vec<&str> = head.split("  ").collect();
            let meaning = match told.trim_start() {
                told if told.starts_with("not for us") => Meaning::NotForUs,
                told if told.starts_with("unreadable") => Meaning::Unreadable,
                _ => Meaning::Events,
            };
            (words[0].to_string(), words[2].to_string(), meaning)
        })
        .collect()
}

/// MSH-10.
fn control_id(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    text.split(['\r', '\n']).next().and_then(|msh| msh.split('|').nth(9)).unwrap_or_default().to_string()
}

/// Messages that nobody can read, with MSA-1 and the place that the answer and the dead-letter list name.
fn malformed() -> Vec<(Vec<u8>, &'static str, &'static str, &'static str)> {
    let message = |lines: &[&str]| lines.iter().flat_map(|line| [line.as_bytes(), b"\r"].concat()).collect();
    let header = "MSH|^~\\&|EHR|CLINIC|HANDOFF|HERE|20260706080100-0500||REF^I12^REF_I12|M1|P|2.5.1";
    let scheduled = "MSH|^~\\&|EHR|CLINIC|HANDOFF|HERE|20260706080100-0500||SIU^S12^SIU_S12|M2|P|2.5.1";
    vec![
        (message(&[header, "RF1|P|R"]), "AE", "|PID^1|", "PID"),
        (message(&[header, "RF1|P|R", "PID|1"]), "AE", "|PID^1^3|", "PID-3"),
        (message(&[header, "PID|1||77^^^A^MR"]), "AE", "|RF1^1|", "RF1"),
        (message(&[scheduled, "PID|1||77^^^A^MR"]), "AE", "|SCH^1|", "SCH"),
        (b"this is no message".to_vec(), "AR", "it does not start with MSH", "segment 1"),
        (vec![0x80, 0x00, 0xff], "AR", "it does not start with MSH", "segment 1"),
        (vec![0xff, 0xfe, b'M', 0x00], "AR", "the message is in UTF-16", "segment 1"),
    ]
}

#[test]
fn every_real_sample_is_acknowledged_and_recorded_for_what_it_is() {
    let house = House::new();
    let daemon = house.serve();
    assert!(daemon.mllp.ip().is_loopback() && daemon.http.ip().is_loopback());
    let (status, body) = house::get(daemon.http, "/readyz");
    assert_eq!((status, serde_json::from_str::<Value>(&body).expect("json")["ready"].clone()), (200, true.into()));
    let mut sender = Sender::connect(daemon.mllp).expect("a connection");
    let mut expected = BTreeMap::new();
    for (name, code, meaning) in samples() {
        let message = mllp::sample(&name);
        expected.insert(Digest::of(&message).to_string(), (name.clone(), meaning));
        if code == "--" {
            // The next answer on this connection must be the next message's.
            sender.tell(&message).expect("sent");
            continue;
        }
        let ack = sender.ask(&message).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((ack.code, ack.control_id), (code, control_id(&message)), "{name}: {}", ack.error);
    }
    let (status, log) = daemon.stop();
    assert!(status.success(), "{status}");
    assert!(log.iter().any(|line| line.contains("closing")), "{log:?}");
    for patient in ["everyman", "patid1234", "12706009800", "6009800"] {
        assert!(!log.iter().any(|line| line.to_lowercase().contains(patient)), "a patient is in the log");
    }

    let deliveries = house.deliveries();
    assert_eq!(deliveries.len(), expected.len(), "one record for each message");
    for delivery in &deliveries {
        let (name, meaning) = &expected[delivery["digest"].as_str().expect("a digest")];
        let verdict = &delivery["verdict"];
        let understood: &[&str] = match meaning {
            // News of a patient whom nobody has referred is no concern of ours.
            Meaning::Events => &["accepted", "unmatched", "not-for-us"],
            Meaning::NotForUs => &["not-for-us"],
            Meaning::Unreadable => &["dead"],
        };
        assert!(understood.contains(&verdict["verdict"].as_str().expect("a verdict")), "{name}: {verdict}");
        let is_referral = delivery["kind"] == "REF^I12";
        assert!(!is_referral || verdict["verdict"] == "accepted", "{name}: {verdict}");
    }
    // The orders among the samples are for a laboratory or an X-ray: REF-I12-01 alone refers somebody.
    let referrals = house.referrals();
    assert_eq!(referrals.len(), 1, "{referrals:?}");
    let happened: Vec<Value> = house.records().into_iter().filter(|record| record["record"] == "happened").collect();
    assert!(happened.iter().any(|record| record["event"].to_string().contains("withdrawn")), "REF^I14 withdrew none");
    let dead = expected.values().filter(|(_, meaning)| *meaning == Meaning::Unreadable).count();
    assert_eq!(house.dead_letters().len(), dead, "what cannot be taken over waits for a person");
}

#[test]
fn a_collector_is_told_which_stage_took_how_long_and_nothing_of_a_patient() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let taken: Arc<Mutex<Vec<u8>>> = Arc::default();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let collector = listener.local_addr().expect("an address");
    let router = axum::Router::new().route(
        "/v1/traces",
        axum::routing::post({
            let taken = Arc::clone(&taken);
            async move |body: axum::body::Bytes| taken.lock().extend_from_slice(&body)
        }),
    );
    runtime.spawn(async move { axum::serve(listener, router).await });
    let house = House::new();
    house.edit("handoff.yaml", "\nlog:\n", &format!("\ntraces: {{ otlp: http://{collector} }}\nlog:\n"));
    let daemon = house.serve();
    let ack = Sender::connect(daemon.mllp).and_then(|mut sender| sender.ask(&mllp::order(1))).expect("an answer");
    assert_eq!(ack.code, "AA", "{}", ack.error);
    // What reads the chart does not know who gives out this patient's numbers, and is told to come again.
    let is_deferred = |record: &Value| record["record"] == "deferred";
    house::until("a letter's way", || house.records().iter().any(is_deferred).then_some(()));
    assert!(daemon.stop().0.success());
    let referral = house.referrals()[0]["id"].as_str().expect("an id").to_string();
    let told = String::from_utf8_lossy(&taken.lock()).to_lowercase();
    for span in ["delivery", "plugin", "trigger.hl7", "commit", "letter", &referral.to_lowercase()] {
        assert!(told.contains(span), "no {span}");
    }
    for patient in ["everyman", "patid1234", "6009800"] {
        assert!(!told.contains(patient), "a patient is in a span");
    }
}

#[test]
fn malformed_messages_are_refused_with_their_place_and_wait_for_a_person() {
    let house = House::new();
    let daemon = house.serve();
    let mut sender = Sender::connect(daemon.mllp).expect("a connection");
    for (message, code, place, _) in malformed() {
        let ack = sender.ask(&message).expect("an answer");
        assert_eq!(ack.code, code, "{}", ack.error);
        assert!(ack.error.contains(place), "{place} is not in {}", ack.error);
    }
    assert_eq!(sender.ask(&mllp::order(1)).expect("an answer").code, "AA", "the connection takes what comes after");
    assert!(daemon.stop().0.success());

    let dead = house.dead_letters();
    let config = house.path("handoff.yaml");
    assert_eq!(dead.len(), malformed().len(), "{dead:?}");
    for (message, _, _, location) in malformed() {
        let digest = Digest::of(&message).to_string();
        let item = dead.iter().find(|item| item["item"] == digest.as_str()).expect("it is in the list");
        assert_eq!(item["what"]["location"], location);
        assert!(item["what"]["help"].as_str().is_some_and(|help| !help.is_empty()), "{item}");
        let shown = house::handoff(&["dead-letters", "show", &digest, "--config", &config]);
        assert_eq!(shown.stdout, message, "{location}: {}", String::from_utf8_lossy(&shown.stderr));
    }
    let first = dead[0]["item"].as_str().expect("an item");
    let again = house::handoff(&["dead-letters", "replay", first, "--config", &config]);
    let told = String::from_utf8_lossy(&again.stderr);
    assert!(!again.status.success() && told.contains("still cannot be read, at PID"), "{told}");
    assert_eq!(house.dead_letters(), dead, "what failed again stays in the list");
}

#[test]
fn garbage_fills_no_disk_and_is_one_line_in_the_list() {
    let house = House::new();
    house.edit("handoff.yaml", "unreadable_mb_per_hour_max: 64", "unreadable_mb_per_hour_max: 1");
    let daemon = house.serve();
    let mut sender = Sender::connect(daemon.mllp).expect("a connection");
    let garbage = |number: u32| format!("no message {number} {}", "x".repeat(100 * 1024)).into_bytes();
    let codes: Vec<String> = (0..40).map(|number| sender.ask(&garbage(number)).expect("an answer").code).collect();
    // Ten of a hundred kibibytes make the megabyte; of the rest nothing is said to be kept that is not.
    assert_eq!(codes.iter().position(|code| code != "AR"), Some(10), "{codes:?}");
    assert!(codes[10..].iter().all(|code| code == "AE"), "asked to try again: {codes:?}");
    assert_eq!(sender.ask(&garbage(3)).expect("an answer").code, "AR", "known by its digest");
    let other = sender.ask(&[b"MSH|^~\\&|".as_slice(), &garbage(41)].concat()).expect("an answer");
    assert_ne!(other.code, "AA", "the first of another kind is kept as well");
    assert_eq!(sender.ask(&mllp::order(1)).expect("an answer").code, "AA", "a referral still begins");
    assert!(daemon.stop().0.success());
    assert_eq!((house.dead_letters().len(), house.referrals().len()), (11, 1));
    let journal: u64 = house.segments().iter().map(|file| file.metadata().expect("a file").len()).sum();
    assert!(journal < 3 * 1024 * 1024, "{journal} bytes");
    let listed = house::printed(&["dead-letters", "list", "--data", &house.path("data")]);
    assert_eq!(listed.matches("delivery from").count(), 2, "{listed}");
    assert!(listed.contains("the first of 10 until"), "{listed}");
    let each = house::printed(&["dead-letters", "list", "--each", "--data", &house.path("data")]);
    assert_eq!(each.matches("delivery from").count(), 11, "{each}");
}

#[test]
fn a_value_that_would_stand_hostile_in_a_message_waits_for_a_person() {
    let house = House::new();
    let daemon = house.serve();
    let mut sender = Sender::connect(daemon.mllp).expect("a connection");
    let given = "^ADAM^";
    let specialist = "McWILLIAMS^PAUL^^^DR^MD";
    let rows = [
        (given, "^ADAM www.evil.example^", Some("about.patient.given")),
        (given, "^ADAM call 19005550100^", Some("about.patient.given")),
        (given, "^AD\u{202e}AM^", Some("about.patient.given")),
        (specialist, "McWILLIAMS^PAUL evil.example/x7^^^DR^MD", Some("referred-to.name")),
        (given, "^AD\\X0D\\AM^", None),
        (specialist, "ST.McWILLIAMS^PAUL^^^DR^MD", None),
    ];
    for (number, (from, to, _)) in rows.iter().enumerate() {
        let order = String::from_utf8(mllp::order(number)).expect("the sample is UTF-8");
        assert!(order.contains(from), "the sample has lost {from}");
        // It has been read and is kept: its sender need not send it again.
        assert_eq!(sender.ask(order.replace(from, to).as_bytes()).expect("an answer").code, "AA", "{to}");
    }
    assert!(daemon.stop().0.success());
    let waiting: Vec<Value> = house.dead_letters().iter().map(|item| item["what"]["location"].clone()).collect();
    let expected: Vec<&str> = rows.iter().filter_map(|(_, _, place)| *place).collect();
    assert_eq!(waiting, expected);
    assert_eq!(house.referrals().len(), 2);
    let records = Value::from(house.records()).to_string();
    assert!(records.contains("ST. McWILLIAMS"), "spelt with the blank that keeps it from being a link");
    assert!(!records.contains("evil"), "no hostile value stands in the journal in clear");
}

#[test]
fn a_dead_letter_becomes_a_referral_once_its_trigger_is_mended() {
    let house = House::new();
    // A code table that has none of the sender's codes.
    let faulty = "{ plugin: trigger-hl7v2, settings: { map: { category: { from: PID-3.1, codes: { none: none } } } } }";
    let sound = "{ plugin: trigger-hl7v2 }";
    house.edit("workflows/referral.yaml", sound, faulty);
    let daemon = house.serve();
    let order = mllp::order(1);
    let ack = Sender::connect(daemon.mllp).and_then(|mut sender| sender.ask(&order)).expect("an answer");
    assert_eq!(ack.code, "AE", "{}", ack.error);
    assert!(daemon.stop().0.success());
    assert_eq!((house.dead_letters().len(), house.referrals().len()), (1, 0));

    house.edit("workflows/referral.yaml", faulty, sound);
    let item = Digest::of(&order).to_string();
    let verdict = house::printed(&["dead-letters", "replay", &item, "--config", &house.path("handoff.yaml")]);
    assert!(verdict.contains("accepted"), "{verdict}");
    assert_eq!((house.dead_letters().len(), house.referrals().len()), (0, 1));
    let again = house::handoff(&["dead-letters", "replay", &item, "--config", &house.path("handoff.yaml")]);
    assert!(!again.status.success(), "what was dealt with is not taken in twice");
    assert_eq!(house.referrals().len(), 1);
}

#[test]
fn one_flipped_byte_is_named_by_segment_entry_and_offset() {
    let house = House::new();
    let daemon = house.serve();
    let mut sender = Sender::connect(daemon.mllp).expect("a connection");
    for number in 0..5 {
        assert_eq!(sender.ask(&mllp::order(number)).expect("an answer").code, "AA");
    }
    assert!(daemon.stop().0.success());
    let sound = house.verify();
    assert!(sound.status.success(), "{}", String::from_utf8_lossy(&sound.stderr));

    let told = String::from_utf8_lossy(&sound.stdout);
    assert!(told.contains("sound: every byte, link and signature holds") && told.contains("signed by"), "{told}");

    let segment = house.segments().into_iter().next().expect("a segment");
    let bytes = std::fs::read(&segment).expect("a segment");
    let used = bytes.iter().rposition(|byte| *byte != 0).expect("entries") as u64 + 1;
    // The header, all over what was written, and the zeros that stand ready for what comes next.
    let ahead = [used, (used + bytes.len() as u64) / 2, bytes.len() as u64 - 1];
    for at in (0..48).step_by(4).chain((0..used).step_by(used as usize / 48)).chain(ahead) {
        let flip = || {
            let mut file = std::fs::File::options().read(true).write(true).open(&segment).expect("a segment");
            let mut byte = [0];
            file.seek(SeekFrom::Start(at)).expect("a place in it");
            file.read_exact(&mut byte).expect("a byte");
            file.seek(SeekFrom::Start(at)).expect("a place in it");
            file.write_all(&[byte[0] ^ 1]).expect("written");
        };
        flip();
        let verified = house.verify();
        let told = String::from_utf8_lossy(&verified.stderr);
        assert!(!verified.status.success(), "byte {at} of {used} may be flipped");
        let offset = told.split("offset ").nth(1).and_then(|rest| rest.split(':').next());
        let offset: u64 = offset.and_then(|offset| offset.parse().ok()).unwrap_or_else(|| panic!("{told}"));
        assert!(told.contains("segment 1, entry ") && offset <= at, "byte {at}: {told}");
        flip();
    }
    let key = house.path("keys/journal.pub");
    let as_json = ["journal", "verify", "--json", "--data", &house.path("data"), "--key", &key];
    let proof = house::objects(&as_json).remove(0);
    assert_eq!((&proof["sound"], &proof["segments"], &proof["purged"]), (&true.into(), &1.into(), &0.into()));
    let mut flipped = bytes;
    flipped[used as usize / 2] ^= 1;
    std::fs::write(&segment, flipped).expect("written");
    let output = house::handoff(&as_json);
    let proof: Value = serde_json::from_slice(&output.stdout).expect("one object");
    assert!(!output.status.success() && proof["damage"]["segment"] == 1, "{proof}");
    assert!(proof["damage"]["offset"].as_u64().is_some_and(|offset| offset <= used / 2), "{proof}");
}

#[test]
fn parse_prints_a_message_of_each_family_as_one_object() {
    let families: BTreeMap<String, (String, String, Meaning)> =
        samples().into_iter().map(|sample| (sample.0[..3].to_string(), sample)).collect();
    assert!(families.len() > 15, "{families:?}");
    for (name, _, expected) in families.into_values() {
        let path = mllp::samples().join("data").join(&name);
        // What cannot be taken over is printed too, and fails.
        let parsed = house::handoff(&["parse", path.to_str().expect("UTF-8"), "--json"]);
        assert_eq!(parsed.status.success(), expected != Meaning::Unreadable, "{name}");
        let printed = String::from_utf8(parsed.stdout).expect("UTF-8");
        let reading: Value = serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{name}: {error}"));
        let kind = reading["kind"].as_str().expect("a kind");
        assert!(kind.len() == 7 && kind.as_bytes()[3] == b'^', "{name}: {kind}");
        let meaning = reading["meaning"].as_object().expect("a meaning");
        assert_eq!(meaning.len(), 1, "{name}: {meaning:?}");
        let told = match meaning.keys().next().map(String::as_str) {
            Some("Events") => Meaning::Events,
            Some("NotForUs") => Meaning::NotForUs,
            _ => Meaning::Unreadable,
        };
        assert_eq!(told, expected, "{name}: {meaning:?}");
    }
}

#[test]
fn init_refuses_a_folder_that_is_set_up_already() {
    let house = House::new();
    let key = std::fs::read(house.path("keys/master.key")).expect("a key");
    let again = house::handoff(&["init", &house.path(".")]);
    assert!(!again.status.success());
    assert_eq!(std::fs::read(house.path("keys/master.key")).expect("a key"), key);
}
