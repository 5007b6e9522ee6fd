//! What an operator does with an instance, through the real binary: most of it while Handoff runs.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use handoff_engine::ids::Digest;
use serde_json::Value;

use crate::house::{self, Daemon, House};
use crate::mllp::{self, Sender};

const GARBLED: &[u8] = b"this is no message";

fn send(daemon: &Daemon, message: &[u8]) -> String {
    Sender::connect(daemon.mllp).and_then(|mut sender| sender.ask(message)).expect("an answer").code
}

/// Takes in so many orders, numbered from `first`.
fn take_orders(daemon: &Daemon, first: usize, count: usize) {
    for number in first..first + count {
        assert_eq!(send(daemon, &mllp::order(number)), "AA");
    }
}

fn ids(house: &House) -> Vec<String> {
    house.referrals().iter().map(|it| it["id"].as_str().expect("an id").to_string()).collect()
}

/// What an operator reads when a command is refused.
fn refused(arguments: &[&str]) -> String {
    let output = house::handoff(arguments);
    assert!(!output.status.success(), "{arguments:?} was done");
    String::from_utf8(output.stderr).expect("UTF-8")
}

/// The last record of this type.
fn recorded(house: &House, record: &str) -> Value {
    let mut records = house.records();
    records.retain(|it| it["record"] == record);
    records.pop().unwrap_or_else(|| panic!("nothing {record} is in the journal"))
}

fn mode(path: &str) -> u32 {
    std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[test]
fn a_segment_that_rots_is_named_while_the_house_works_on() {
    let house = House::new();
    let daemon = house.serve();
    take_orders(&daemon, 0, 2);
    assert_eq!(send(&daemon, GARBLED), "AR");
    // Closes the first segment.
    house::printed(&["keys", "rotate-signing", "--data", &house.path("data"), "--why", "yearly"]);
    assert!(daemon.stop().0.success());
    let segment = house.segments().into_iter().min().expect("a segment");
    let mut bytes = std::fs::read(&segment).expect("a segment");
    // Behind what is needed today: without the deployment in force, or a letter that is owed, it would not open.
    let verdict = bytes.windows(6).rposition(|bytes| bytes == b"\"dead\"").expect("a dead letter");
    bytes[verdict + 1] ^= 1;
    std::fs::write(&segment, bytes).expect("written");

    let daemon = house.serve();
    let damage = house::until("a round through the journal", || {
        let ready: Value = serde_json::from_str(&house::get(daemon.http, "/readyz").1).expect("json");
        ready["journal_damage"][0].as_str().map(str::to_string)
    });
    assert!(damage.starts_with("journal segment 1, entry ") && damage.contains("restore this segment"), "{damage}");
    take_orders(&daemon, 100, 1);
    let (status, log) = daemon.stop();
    assert!(status.success() && log.iter().any(|line| line.contains("the journal is damaged")), "{log:?}");
}

#[test]
fn dead_letters_are_dealt_with_while_the_house_runs() {
    let house = House::new();
    let data = house.path("data");
    let daemon = house.serve();
    assert_eq!(mode(&house.path("data/control")), 0o700, "the control socket is its owner's alone");
    assert_eq!(send(&daemon, GARBLED), "AR");
    let item = Digest::of(GARBLED).to_string();

    let shown = house::handoff(&["dead-letters", "show", &item, "--data", &data, "--who", "Ada", "--why", "a call"]);
    assert_eq!(shown.stdout, GARBLED, "{}", String::from_utf8_lossy(&shown.stderr));
    let looked = recorded(&house, "looked");
    assert_eq!((&looked["who"], &looked["why"]), (&"Ada".into(), &"a call".into()), "whoever looks is written down");

    let told = refused(&["dead-letters", "replay", &item, "--data", &data]);
    assert!(told.contains("still cannot be read, at segment 1"), "{told}");
    let told = refused(&["dead-letters", "dismiss", &item, "--data", &data]);
    assert!(told.contains("--why"), "a reason must be given: {told}");
    house::printed(&["dead-letters", "dismiss", &item, "--data", &data, "--who", "Ada", "--why", "a port scan"]);
    assert_eq!(house.dead_letters(), [Value::Null; 0]);
    let settled = recorded(&house, "settled");
    assert_eq!((&settled["how"], &settled["why"]), (&"dismissed".into(), &"a port scan".into()));
    let told = refused(&["dead-letters", "dismiss", &item, "--data", &data, "--why", "again"]);
    assert!(told.contains("does not wait for a person"), "{told}");
    assert!(daemon.stop().0.success());
    let told = refused(&["dead-letters", "dismiss", &item, "--data", &data, "--why", "again"]);
    assert!(told.contains("no instance runs in"), "{told}");
}

#[test]
fn a_backup_of_a_running_house_becomes_a_house_with_the_same_referrals() {
    let house = House::new();
    let (data, backup, restored) = (house.path("data"), house.path("backup"), house.path("restored"));
    let key = house.path("keys/journal.pub");
    let daemon = house.serve();
    take_orders(&daemon, 0, 4);
    assert_eq!(send(&daemon, GARBLED), "AR");
    let label = house::objects(&["backup", &backup, "--data", &data, "--json"]).remove(0);
    let told = refused(&["backup", &backup, "--data", &data]);
    assert!(told.contains("is not empty"), "{told}");
    let held = ids(&house);
    // What comes after a backup is not in it.
    take_orders(&daemon, 100, 2);
    daemon.kill();
    assert_eq!(held.len(), 4);
    assert_eq!((mode(&backup), mode(&house.path("backup/keyring"))), (0o700, 0o600), "a backup is its owner's alone");
    let master = std::fs::read_to_string(house.path("keys/master.key")).expect("a key");
    for file in ["configuration/handoff.yaml", "configuration/workflows/referral.yaml", "backup.json"] {
        let text = std::fs::read_to_string(Path::new(&backup).join(file)).expect("it is in the backup");
        assert!(!text.contains(master.trim()), "the master key is in {file}");
    }

    let done = house::objects(&["restore", &backup, "--data", &restored, "--key", &key, "--json"]).remove(0);
    assert_eq!((&done["through"], &done["components"]), (&label["through"], &label["components"]));
    let told = refused(&["restore", &backup, "--data", &restored, "--key", &key]);
    assert!(told.contains("is not empty"), "{told}");
    house.edit("handoff.yaml", "data: data", "data: restored");
    let daemon = house.serve();
    let listed = house::objects(&["referrals", "list", "--json", "--data", &restored]);
    let listed: Vec<&str> = listed.iter().map(|it| it["id"].as_str().expect("an id")).collect();
    assert_eq!(listed, held);
    let item = Digest::of(GARBLED).to_string();
    let shown = house::handoff(&["dead-letters", "show", &item, "--data", &restored]);
    assert_eq!(shown.stdout, GARBLED, "what was sealed can be read: {}", String::from_utf8_lossy(&shown.stderr));
    assert_eq!(send(&daemon, &mllp::order(0)), "AA", "it goes on, and knows what it knew");
    assert!(daemon.stop().0.success());
    let known = house::objects(&["referrals", "list", "--json", "--data", &restored]);
    assert_eq!(known.len(), 4, "an order that it knew became no second referral");
}

#[test]
fn a_restore_is_practised_and_signed_with_the_minutes_that_it_took() {
    let house = House::new();
    let (data, backup, config) = (house.path("data"), house.path("backup"), house.path("handoff.yaml"));
    let (key, copy, report) = (house.path("keys/journal.pub"), house.path("drill"), house.path("drill.json"));
    let daemon = house.serve();
    take_orders(&daemon, 0, 3);
    house::printed(&["backup", &backup, "--data", &data]);
    // Beside the running instance, and with nothing in reach that it needs.
    let before = (house.records().len(), ids(&house));
    let practised = ["drill", &backup, "--config", &config, "--key", &key, "--folder", &copy, "--report", &report];
    let told = house::printed(&practised);
    assert!(told.contains("could be lived in") && told.contains("minute(s)"), "{told}");
    assert!(told.contains("3 referrals; 3 patients' names opened"), "{told}");
    assert!(!Path::new(&copy).exists(), "the copy holds a signing key, and is gone");
    assert_eq!((house.records().len(), ids(&house)), before, "the instance that runs knows nothing of it");
    let signed = house::printed(&["drill", "check", &report, "--key", &key]);
    assert!(signed.contains("signed by this instance"), "{signed}");
    let text = std::fs::read_to_string(&report).expect("a report");
    std::fs::write(&report, text.replace("\"minutes\": 1", "\"minutes\": 0")).expect("written");
    let told = refused(&["drill", "check", &report, "--key", &key]);
    assert!(told.contains("is not as this key signed it"), "{told}");

    let verify = ["backup", "verify", &backup, "--config", &config, "--key", &key];
    assert!(house::printed(&verify).contains("could be lived in"));
    // Whole as files, and of no use: another master key than the one of its day.
    std::fs::write(house.path("keys/master.key"), "07".repeat(32)).expect("written");
    let told = refused(&verify);
    assert!(told.contains("error[H"), "{told}");
    assert!(daemon.stop().0.success());
}

#[test]
fn a_backup_after_another_copies_what_grew_and_is_whole_without_it() {
    use std::os::unix::fs::MetadataExt as _;
    let house = House::new();
    let (data, key) = (house.path("data"), house.path("keys/journal.pub"));
    let [first, second, third] = ["first", "second", "third"].map(|name| house.path(name));
    let daemon = house.serve();
    take_orders(&daemon, 0, 2);
    house::printed(&["backup", &first, "--data", &data]);
    take_orders(&daemon, 10, 2);
    house::printed(&["backup", &second, "--since", &first, "--data", &data]);
    let components = std::fs::read_dir(Path::new(&first).join("components")).expect("components");
    let mut names: Vec<_> = components.map(|it| it.expect("one").file_name()).collect();
    names.sort();
    let place = |backup: &str, number: usize| {
        std::fs::metadata(Path::new(backup).join("components").join(&names[number])).expect("it is there").ino()
    };
    assert_eq!(place(&second, 0), place(&first, 0), "what has not changed lies once on the disk");
    // What is damaged in the one before is copied from the instance.
    let damaged = Path::new(&second).join("components").join(&names[0]);
    let mut flipped = std::fs::read(&damaged).expect("a component");
    flipped[0] ^= 1;
    std::fs::write(&damaged, flipped).expect("written");
    house::printed(&["backup", &third, "--since", &second, "--data", &data]);
    assert_ne!(place(&third, 0), place(&second, 0));
    assert_eq!(place(&third, 1), place(&second, 1));
    let told = refused(&["backup", &house.path("fourth"), "--since", &house.path("nowhere"), "--data", &data]);
    assert!(told.contains("is not a finished backup"), "{told}");
    assert!(daemon.stop().0.success());
    for backup in [&first, &second] {
        std::fs::remove_dir_all(backup).expect("removed");
    }
    house::printed(&["restore", &third, "--data", &house.path("restored"), "--key", &key]);
}

#[test]
fn a_backup_that_is_not_whole_is_not_restored() {
    let house = House::new();
    let (data, backup) = (house.path("data"), house.path("backup"));
    let daemon = house.serve();
    take_orders(&daemon, 0, 2);
    house::printed(&["backup", &backup, "--data", &data]);
    assert!(daemon.stop().0.success());
    let key = house.path("keys/journal.pub");
    let file = |name: &str| Path::new(&backup).join(name);
    let component =
        std::fs::read_dir(file("components")).expect("components").next().expect("one").expect("one").path();
    let segment = file("journal/000000000001.segment");
    let rows = [
        (file("backup.json"), "is not a finished backup"),
        (segment.clone(), "the backup is not sound"),
        (component.clone(), "its digest is"),
        (file("keyring"), "the backup has no key ring"),
    ];
    for (number, (path, expected)) in rows.into_iter().enumerate() {
        let whole = std::fs::read(&path).expect("it is in the backup");
        if path == segment || path == component {
            let mut flipped = whole.clone();
            flipped[whole.len() / 2] ^= 1;
            std::fs::write(&path, flipped).expect("written");
        } else {
            std::fs::remove_file(&path).expect("removed");
        }
        let to = house.path(&format!("restored-{number}"));
        let told = refused(&["restore", &backup, "--data", &to, "--key", &key]);
        assert!(told.contains(expected), "{}: {told}", path.display());
        std::fs::write(&path, whole).expect("written");
    }
}

#[test]
fn a_legal_hold_is_written_down_with_who_and_why() {
    let house = House::new();
    let (data, config) = (house.path("data"), house.path("handoff.yaml"));
    let daemon = house.serve();
    take_orders(&daemon, 0, 2);
    let referral = ids(&house).remove(0);
    let counsel = ["--data", &data, "--who", "counsel", "--why", "Doe v. Roe"];
    house::printed(&[&["hold", "add", &referral][..], &counsel].concat());
    let list = ["hold", "list", "--json"];
    let holds = house::objects(&[&list[..], &["--data", &data]].concat());
    assert_eq!((&holds[0]["referral"], &holds[0]["why"]), (&referral.clone().into(), &"Doe v. Roe".into()));
    let story = house::printed(&["referrals", "show", &referral, "--data", &data]);
    assert!(story.contains("held by counsel: Doe v. Roe"), "{story}");
    let told = house::printed(&["purge", "--data", &data]);
    assert!(told.contains("nothing to forget") && told.contains("1 referral(s) under legal hold"), "{told}");
    let told = refused(&[&["hold", "add", "01ARZ3NDEKTSV4RRFFQ69G5FAV"][..], &counsel].concat());
    assert!(told.contains("is not known"), "{told}");
    assert!(daemon.stop().0.success());
    // The same without an instance that runs: the command opens it.
    let held = |arguments: &[&str]| house::objects(&[arguments, &["--config", &config]].concat());
    assert_eq!(held(&list), holds);
    house::printed(&["hold", "release", &referral, "--config", &config, "--why", "settled"]);
    assert_eq!(held(&list), [Value::Null; 0]);
    let told = refused(&["hold", "release", &referral, "--config", &config, "--why", "settled"]);
    assert!(told.contains("is not held"), "{told}");
    house.edit("handoff.yaml", "years: 7", "years: 5");
    let told = refused(&["purge", "--config", &config]);
    assert!(told.contains("45 CFR 164.316"), "less than the law asks is refused: {told}");
}

#[test]
fn the_signing_key_changes_while_orders_come_in() {
    let house = House::new();
    let (data, config) = (house.path("data"), house.path("handoff.yaml"));
    let (first, private) = (house.path("keys/first.pub"), house.path("keys/journal.pem"));
    std::fs::copy(house.path("keys/journal.pub"), &first).expect("copied");
    let before = std::fs::read(&private).expect("a key");
    let daemon = house.serve();
    take_orders(&daemon, 0, 2);
    house::printed(&["keys", "rotate-signing", "--data", &data, "--why", "Bob left"]);
    take_orders(&daemon, 100, 2);
    assert_eq!(recorded(&house, "rotated")["why"], "Bob left");
    daemon.kill();
    assert_eq!(mode(&private), 0o600);
    assert!(house.verify().status.success(), "the new public key proves it");
    let verify = ["journal", "verify", "--data", &data, "--json", "--key", &first];
    let sound = house::objects(&verify).remove(0);
    assert_eq!(sound["keys"].as_array().map(Vec::len), Some(2), "and so does the old one: {sound}");

    // As a crash leaves it between the journal's change and the file's.
    std::fs::rename(&private, format!("{private}.next")).expect("renamed");
    std::fs::write(&private, before).expect("written");
    std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o600)).expect("changed");
    let daemon = house.serve();
    take_orders(&daemon, 200, 1);
    assert!(daemon.stop().0.success());
    assert!(!Path::new(&format!("{private}.next")).exists(), "the new key took its place");
    house::printed(&["keys", "rotate-signing", "--config", &config, "--why", "once more, at rest"]);
    assert!(house.verify().status.success());
    assert_eq!(ids(&house).len(), 5);
}

#[test]
fn the_master_key_changes_while_the_house_runs() {
    let house = House::new();
    let (data, config, new) = (house.path("data"), house.path("handoff.yaml"), house.path("keys/second.key"));
    let daemon = house.serve();
    assert_eq!(send(&daemon, GARBLED), "AR");
    house::printed(&["keys", "rotate-master", "--to", &new, "--data", &data, "--why", "yearly"]);
    assert_eq!(mode(&new), 0o600);
    let item = Digest::of(GARBLED).to_string();
    let show = |from: &[&str]| house::handoff(&[&["dead-letters", "show", &item][..], from].concat());
    assert_eq!(show(&["--data", &data]).stdout, GARBLED, "what the old key sealed is still read");
    take_orders(&daemon, 0, 1);
    assert!(daemon.stop().0.success());
    let told = refused(&["dead-letters", "show", &item, "--config", &config]);
    assert!(told.contains("the master key does not open the key ring"), "{told}");
    house.edit("handoff.yaml", "file: keys/master.key", "file: keys/second.key");
    assert_eq!(show(&["--config", &config]).stdout, GARBLED);
    assert_eq!(recorded(&house, "rotated")["key"], "master");
}

#[test]
fn the_journal_answers_what_an_operator_asks() {
    let house = House::new();
    let data = house.path("data");
    let daemon = house.serve();
    take_orders(&daemon, 0, 3);
    assert_eq!(send(&daemon, GARBLED), "AR");
    let told = refused(&["journal", "reindex", "--data", &data]);
    assert!(told.contains("open in another process"), "{told}");
    let referral = ids(&house).remove(0);
    let found =
        |criteria: &[&str]| house::objects(&[&["journal", "search", "--json", "--data", &data][..], criteria].concat());
    let ordered = found(&["--type", "event.ordered"]);
    assert_eq!(ordered.len(), 3, "{ordered:?}");
    let of_one = found(&["--type", "event.ordered", "--referral", &referral]);
    assert_eq!(of_one, [ordered[0].clone()]);
    assert_eq!(found(&["--type", "event.ordered", "--limit", "2"]), ordered[..2]);
    assert_eq!(found(&["--until", "2020-01-01"]), [Value::Null; 0]);
    assert_eq!(found(&["--from", "2020-01-01", "--type", "event.ordered"]), ordered);
    let event = house.records().into_iter().find(|it| it["record"] == "happened").expect("an event");
    let token = event["event"]["patient"]["family"].as_str().unwrap_or_else(|| panic!("no token in {event}"));
    assert!(found(&["--token", token]).contains(&ordered[0]), "a token leads to its referral");
    let told = refused(&["journal", "search", "--data", &data, "--type", "event.orderd"]);
    assert!(told.contains("no such record or event type"), "{told}");
    let story = house::printed(&["journal", "search", "--data", &data, "--referral", &referral]);
    assert!(story.contains("ordered") && story.contains(&referral), "{story}");

    let exported = house::objects(&["journal", "export", "--data", &data, "--referral", &referral]);
    assert!(exported.iter().any(|entry| entry["position"] == of_one[0]["position"]), "{exported:?}");
    let stats = house::objects(&["journal", "stats", "--data", &data, "--json"]).remove(0);
    assert_eq!((&stats["dead_letters"], &stats["segments"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(stats["types"]["event.ordered"], 3);
    let told = house::printed(&["journal", "stats", "--data", &data]);
    assert!(told.contains("dead letters  1"), "{told}");
    assert!(daemon.stop().0.success());
    let before = ids(&house);
    house::printed(&["journal", "reindex", "--data", &data]);
    let daemon = house.serve();
    assert_eq!(send(&daemon, &mllp::order(0)), "AA");
    assert!(daemon.stop().0.success());
    assert_eq!(ids(&house), before);
}

#[test]
fn an_operator_acts_on_a_referral_and_its_tasks_while_the_house_runs() {
    let house = House::new();
    let daemon = house.serve();
    take_orders(&daemon, 0, 1);
    let (data, id) = (house.path("data"), ids(&house).remove(0));
    let offered = house::printed(&["act", &id, "--data", &data]);
    assert!(offered.contains("Log a call") && offered.contains("one of: reached, message-left"), "{offered}");
    let why = ["--why", "the patient telephoned", "--who", "ada", "--data", &data];
    let act = |words: &[&str]| house::printed(&[&["act", &id], words, &why].concat());
    assert!(act(&["call", "outcome=reached"]).starts_with("The call is noted.\n"));
    let told = act(&["opt-out", "words=no more texts, says her son Xavier"]);
    assert!(told.contains("The patient gets no more messages.") && told.contains("is in state by-hand"), "{told}");
    let refuse = |words: &[&str]| refused(&[&["act", &id], words, &why].concat());
    assert!(refuse(&["dance"]).contains("error[H0920]"));
    assert!(refuse(&["reopen"]).contains("error[H0921]"));
    assert!(refuse(&["book", "appointment=on Friday"]).contains("error[H0923]"));
    assert!(refused(&["act", &id, "close", "--data", &data]).contains("error[H0106]"), "a reason is needed");

    let tasks = |more: &[&str]| house::objects(&[&["tasks", "list", "--json", "--data", &data], more].concat());
    let [task] = tasks(&[]).try_into().expect("one task");
    assert_eq!((&task["kind"], &task["audience"]), (&"opted-out".into(), &"coordinator".into()));
    let task = task["task"].as_str().expect("a name").to_string();
    let change = |word: &str, more: &[&str]| house::printed(&[&["tasks", word, &task], more, &why].concat());
    change("assign", &["ada"]);
    change("snooze", &["3d"]);
    assert!(tasks(&[]).is_empty());
    assert_eq!(tasks(&["--snoozed", "--assignee", "ada"]).len(), 1);
    assert_eq!(change("done", &[]), format!("{task} is done\n"));
    assert!(refused(&[&["tasks", "done", &task], &why[..]].concat()).contains("error[H0925]"));
    assert!(refused(&[&["tasks", "done", &format!("{id}-99")], &why[..]].concat()).contains("error[H0924]"));
    let note = house.path("note.pdf");
    std::fs::write(&note, b"%PDF-1.4\n").expect("written");
    let told = act(&["attach-note", "--file", &format!("note={note}")]);
    assert!(told.contains("is in state closing"), "{told}");

    let happened = house.records().into_iter().filter(|it| it["record"] == "happened").collect::<Vec<_>>();
    let act = happened.iter().find(|it| it["event"]["verb"] == "opt-out").expect("the act");
    assert_eq!((&act["event"]["who"], &act["event"]["reason"]), (&"ada".into(), &"the patient telephoned".into()));
    assert_eq!(recorded(&house, "consented")["granted"], false);
    let journal = serde_json::to_string(&house.records()).expect("JSON");
    assert!(!journal.contains("Xavier"), "what was said is sealed");
    assert!(daemon.stop().0.success());
    assert!(house.verify().status.success());
    // And without a house that runs, by opening it.
    let config = house.path("handoff.yaml");
    let reopened = ["tasks", "reopen", &task, "--config", &config, "--why", "it was not done"];
    assert_eq!(house::printed(&reopened), format!("{task} is open again\n"));
}
