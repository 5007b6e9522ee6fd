//! The workflow changes while patients are in flight: through the real binary, on real sockets, and through crashes.

mod canary;
mod page;
mod vendor;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use crate::house::{self, Daemon, House, until};
use crate::mllp::{Sender, order};

/// Where a candidate lies, beside the workflow that was installed.
const NEXT: &str = "next/referral.yaml";

/// Everybody comes along.
const ALL: &str = "moves: { others: move }\n";

/// A piece of the recipe, and what the tests make of it.
const DAY_3: &str = "      day-3: { after: 3d }";

/// A copy of the workflow in force, with one piece replaced and a line at its end.
fn candidate(house: &House, piece: &str, by: &str, end: &str) -> String {
    copy(Path::new(&house.path("workflows")), Path::new(&house.path("next")));
    house.edit(NEXT, piece, by);
    let file = house.path(NEXT);
    let text = std::fs::read_to_string(&file).expect("the candidate");
    std::fs::write(&file, text + end).expect("written");
    file
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let (from, to) = entry.map(|it| (it.path(), to.join(it.file_name()))).expect("an entry");
        match from.is_dir() {
            true => copy(&from, &to),
            false => std::fs::copy(&from, &to).map(drop).expect("copied"),
        }
    }
}

fn take_orders(daemon: &Daemon, numbers: std::ops::Range<usize>) {
    let mut sender = Sender::connect(daemon.mllp).expect("a connection");
    for number in numbers {
        assert_eq!(sender.ask(&order(number)).expect("an answer").code, "AA");
    }
}

/// What is in force, by the running instance's own word.
fn in_force(daemon: &Daemon) -> String {
    let (_, body) = house::get(daemon.http, "/readyz");
    let told: Value = serde_json::from_str(&body).expect("JSON");
    told["deployment"].as_str().expect("a digest").to_string()
}

/// The deployments under which referrals stand.
fn under(house: &House) -> BTreeSet<String> {
    house.referrals().iter().map(|it| it["deployment"].as_str().expect("a digest").to_string()).collect()
}

fn apply(house: &House, file: &str) -> Value {
    let data = house.path("data");
    house::objects(&["workflow", "apply", file, "--data", &data, "--who", "Ada", "--why", "a test", "--json"]).remove(0)
}

fn history(house: &House) -> Value {
    house::objects(&["workflow", "history", "--data", &house.path("data"), "--json"]).remove(0)
}

fn refused(arguments: &[&str]) -> String {
    let output = house::handoff(arguments);
    assert!(!output.status.success(), "{arguments:?} was done");
    String::from_utf8(output.stderr).expect("UTF-8") + &String::from_utf8(output.stdout).expect("UTF-8")
}

fn all_come_to(house: &House, deployment: &str) {
    until("every referral's move", || (under(house) == BTreeSet::from([deployment.to_string()])).then_some(()));
}

#[test]
fn the_workflow_changes_again_and_again_while_orders_come_in() {
    const SENDERS: usize = 16;
    const CHANGES: usize = 12;
    let house = House::new();
    let daemon = house.serve();
    let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let applied: Vec<String> = thread::scope(|scope| {
        let send = || {
            let mut sender = Sender::connect(daemon.mllp).expect("a connection");
            while !over.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let ack = sender.ask(&order(number)).expect("an answer on the same connection");
                assert_eq!(ack.code, "AA", "order {number} was refused: {}", ack.error);
            }
        };
        let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(send)).collect();
        let mut applied = Vec::new();
        for change in 0..CHANGES {
            let piece = if change == 0 { "3d }".to_string() } else { format!("3d{change}h }}") };
            let (piece, by) =
                (format!("      day-3: {{ after: {piece}"), format!("      day-3: {{ after: 3d{}h }}", change + 1));
            let end = if change == 0 { ALL } else { "" };
            let file = match change {
                0 => candidate(&house, &piece, &by, end),
                _ => {
                    house.edit(NEXT, &piece, &by);
                    house.path(NEXT)
                }
            };
            applied.push(apply(&house, &file)["deployment"].as_str().expect("a digest").to_string());
        }
        over.store(true, Ordering::Relaxed);
        senders.into_iter().for_each(|sender| sender.join().expect("every order was acknowledged"));
        applied
    });
    assert_eq!(applied.iter().collect::<BTreeSet<_>>().len(), CHANGES);
    let last = applied.last().expect("a change");
    assert_eq!(in_force(&daemon), *last);
    all_come_to(&house, last);
    assert_eq!(house.referrals().len(), next.load(Ordering::Relaxed), "every order is one referral");
    assert!(daemon.stop().0.success());
    assert!(house.verify().status.success());
    let past = history(&house);
    let past = past["deployments"].as_array().expect("a list");
    assert_eq!(past.len(), CHANGES + 1);
    assert_eq!((&past[CHANGES]["who"], &past[CHANGES]["why"]), (&"Ada".into(), &"a test".into()));
    assert_eq!((&past[CHANGES]["in_force"], &past[0]["in_force"]), (&true.into(), &false.into()));
    let mut versions = std::collections::BTreeMap::new();
    for record in house.records().iter().filter(|record| record["record"] == "stepped") {
        let id = record["referral"]["id"].as_str().expect("an id").to_string();
        let version = record["referral"]["version"].as_u64().expect("a version");
        assert_eq!(versions.insert(id, version).unwrap_or(0) + 1, version, "each step once: {record}");
    }
}

#[test]
fn nobody_is_stranded_and_what_is_wrong_is_refused() {
    let house = House::new();
    let (data, daemon) = (house.path("data"), house.serve());
    take_orders(&daemon, 0..3);
    let (before, state) = (in_force(&daemon), house.referrals()[0]["state"].as_str().expect("a state").to_string());
    let renamed = format!("{state}-anew");
    let file = candidate(&house, DAY_3, DAY_3, ALL);
    let text = std::fs::read_to_string(&file).expect("the candidate");
    let text = text.replace(&format!("  {state}:"), &format!("  {renamed}:"));
    let text = text.replace(&format!(" {state}\n"), &format!(" {renamed}\n"));
    std::fs::write(&file, text.replace(&format!("to: {state} "), &format!("to: {renamed} "))).expect("written");

    let plan = ["workflow", "plan", &file, "--data", &data];
    let told = refused(&plan);
    assert!(told.contains(&format!("{state} of")) && told.contains("STRANDED"), "{told}");
    let told = refused(&["workflow", "apply", &file, "--data", &data, "--why", "a test"]);
    assert!(told.contains(&format!("3 referral(s) in state `{state}`")), "{told}");
    assert!(told.contains("what was in force still is") && told.contains("moves: states:"), "{told}");
    assert_eq!((in_force(&daemon), under(&house)), (before.clone(), BTreeSet::from([before.clone()])));

    house.edit(NEXT, ALL, &format!("moves: {{ states: {{ {state}: {renamed} }}, others: move }}\n"));
    let drawn = house::objects(&[&plan[..], &["--json"]].concat()).remove(0);
    let standing = &drawn["standing"][0];
    assert_eq!(
        (&standing["fate"], &standing["to"], &standing["referrals"]),
        (&"moves".into(), &renamed.clone().into(), &3.into())
    );
    assert_eq!(in_force(&daemon), before, "a plan changes nothing");
    let applied = apply(&house, &file);
    assert_eq!(applied["moves"], 3);
    all_come_to(&house, applied["deployment"].as_str().expect("a digest"));
    assert!(house.referrals().iter().all(|it| it["state"] == renamed.as_str()));

    for (piece, by, expected) in [
        ("start: assessing", "start: assesing", "error[H0010]"),
        ("plugin: outreach-twilio", "plugin: outreach-twillio", "neither in the plugins folder nor bundled"),
        ("endpoint: sms", "endpoint: sms-b", "which the configuration does not have"),
        ("plugin: outreach-twilio", "plugin: outreach-email-no", "names plugin"),
    ] {
        copy(Path::new(&house.path("workflows")), Path::new(&house.path("next")));
        house.edit(NEXT, piece, by);
        let told = refused(&["workflow", "apply", &file, "--data", &data, "--why", "a test"]);
        assert!(told.contains(expected), "{by}: {told}");
    }
    std::fs::create_dir_all(house.path("next/scenarios")).expect("a folder");
    std::fs::write(house.path("next/scenarios/wrong.txt"), "at 0h ordered -> nowhere\n").expect("written");
    copy(Path::new(&house.path("workflows")), Path::new(&house.path("next")));
    let told = refused(&["workflow", "apply", &file, "--data", &data, "--why", "a test"]);
    assert!(told.contains("wrong.txt:1") && told.contains("1 scenario(s) do not come true"), "{told}");
    let told = refused(&["workflow", "apply", &file, "--data", &data]);
    assert!(told.contains("--why"), "{told}");
    assert_eq!(applied["deployment"], in_force(&daemon));
    assert!(daemon.stop().0.success());
}

#[test]
fn a_rollback_takes_everybody_back() {
    let house = House::new();
    let (data, daemon) = (house.path("data"), house.serve());
    take_orders(&daemon, 0..3);
    let first = in_force(&daemon);
    let told = refused(&["workflow", "rollback", "--data", &data, "--why", "a test"]);
    assert!(told.contains("nothing to go back to"), "{told}");
    let file = candidate(&house, DAY_3, "      day-3: { after: 5d }", ALL);
    let second = apply(&house, &file)["deployment"].as_str().expect("a digest").to_string();
    all_come_to(&house, &second);
    take_orders(&daemon, 10..12);
    let rollback = ["workflow", "rollback", "--data", &data, "--who", "Ada", "--why", "it hurt", "--json"];
    let back = house::objects(&rollback).remove(0);
    assert_eq!((&back["deployment"], &back["moves"]), (&first.clone().into(), &5.into()));
    all_come_to(&house, &first);
    let told = refused(&["workflow", "rollback", "ffffffff", "--data", &data, "--why", "a test"]);
    assert!(told.contains("workflow history"), "{told}");
    let past = history(&house);
    let origins: Vec<&str> = past["deployments"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| it["origin"].as_str().expect("a word"))
        .collect();
    assert_eq!(origins, ["configured", "applied", "rolled-back"]);
    assert!(past["set_aside"]["why"].as_str().is_some_and(|why| why.contains("in force is")), "{past}");
    // By its digits, at rest.
    assert!(daemon.stop().0.success());
    let config = house.path("handoff.yaml");
    house::printed(&["workflow", "rollback", &second[..8], "--config", &config, "--why", "it was not that"]);
    let daemon = house.serve();
    assert_eq!(in_force(&daemon), second);
    assert!(daemon.stop().0.success());
}

#[test]
fn what_was_applied_outlives_a_kill_and_moves_go_on_at_the_next_start() {
    let house = House::new();
    let daemon = house.serve();
    take_orders(&daemon, 0..40);
    let first = in_force(&daemon);
    let file = candidate(&house, DAY_3, "      day-3: { after: 5d }", ALL);
    let second = apply(&house, &file)["deployment"].as_str().expect("a digest").to_string();
    daemon.kill();
    let daemon = house.serve();
    assert_eq!(in_force(&daemon), second);
    all_come_to(&house, &second);
    // While the next is being applied, whichever comes first.
    house.edit(NEXT, "day-3: { after: 5d }", "day-3: { after: 6d }");
    thread::scope(|scope| {
        let arguments =
            ["workflow", "apply", &file, "--data", &house.path("data"), "--why", "a test"].map(str::to_string);
        let applying = scope.spawn(move || house::handoff(&arguments.each_ref().map(String::as_str)));
        until("the third deployment in the journal", || {
            (house.records().iter().filter(|it| it["record"] == "deployed").count() == 3).then_some(())
        });
        daemon.kill();
        applying.join().expect("the command ends");
    });
    let daemon = house.serve();
    let third = in_force(&daemon);
    assert!(third != first && third != second);
    all_come_to(&house, &third);
    assert!(daemon.stop().0.success());
    assert!(house.verify().status.success());
    assert_eq!(house.referrals().len(), 40);
    let moved = house
        .records()
        .into_iter()
        .filter(|it| it["because"].as_str().is_some_and(|it| it.contains("moved to workflow")));
    assert_eq!(moved.count(), 80, "each referral moved twice, and no more");
}

#[test]
fn the_configured_file_neither_undoes_what_was_applied_nor_is_passed_over_in_silence() {
    let house = House::new();
    let config = house.path("handoff.yaml");
    let opened = || {
        let daemon = house.serve();
        let (digest, past) = (in_force(&daemon), history(&house));
        assert!(daemon.stop().0.success());
        (digest, past["set_aside"]["why"].as_str().unwrap_or_default().to_string())
    };
    let (first, aside) = opened();
    assert_eq!(aside, "");
    // It is in force, and changes: its change follows it.
    house.edit("workflows/referral.yaml", DAY_3, "      day-3: { after: 4d }");
    let (second, aside) = opened();
    assert_ne!(first, second);
    assert_eq!(aside, "");
    // A change that is faulty does not take Handoff down.
    house.edit("workflows/referral.yaml", "start: assessing", "start: assesing");
    let (still, aside) = opened();
    assert_eq!(still, second);
    assert!(aside.contains("there is no state `assesing`"), "{aside}");
    house.edit("workflows/referral.yaml", "start: assesing", "start: assessing");
    // Another file is applied: this one has nothing to say any more, changed or not.
    let file = candidate(&house, "      day-3: { after: 4d }", "      day-3: { after: 6d }", "");
    house::printed(&["workflow", "apply", &file, "--config", &config, "--why", "a test"]);
    let (third, aside) = opened();
    assert!(third != second && aside.contains("an earlier deployment"), "{aside}");
    house.edit("workflows/referral.yaml", "      day-3: { after: 4d }", "      day-3: { after: 7d }");
    let (still, aside) = opened();
    assert_eq!(still, third);
    assert!(aside.contains("never applied") && aside.contains("a test"), "{aside}");
    let doctor = String::from_utf8(house::handoff(&["doctor", "--config", &config]).stdout).expect("UTF-8");
    assert!(doctor.contains("✗ the workflow named is in force"), "{doctor}");
    // Applied by name, it is its own successor again.
    house::printed(&[
        "workflow",
        "apply",
        &house.path("workflows/referral.yaml"),
        "--config",
        &config,
        "--why",
        "back",
    ]);
    let (fourth, aside) = opened();
    assert_eq!(aside, "");
    house.edit("workflows/referral.yaml", "      day-3: { after: 7d }", "      day-3: { after: 8d }");
    assert_ne!(opened().0, fourth);
}

#[test]
fn a_watched_workflow_takes_effect_when_it_is_sound() {
    let house = House::new();
    house.edit(
        "handoff.yaml",
        "workflow: workflows/referral.yaml\n",
        "workflow: { file: workflows/referral.yaml, watch: true }\n",
    );
    let daemon = house.serve();
    take_orders(&daemon, 0..2);
    let first = in_force(&daemon);
    house.edit("workflows/referral.yaml", DAY_3, "      day-3: { after: four days }");
    let aside = until("the fault's notice", || history(&house)["set_aside"]["why"].as_str().map(str::to_string));
    assert!(aside.contains("is no duration"), "{aside}");
    assert_eq!(in_force(&daemon), first, "what was in force still is");
    take_orders(&daemon, 10..12);
    house.edit("workflows/referral.yaml", "four days", "4d");
    let second = until("the change", || Some(in_force(&daemon)).filter(|digest| *digest != first));
    assert_eq!(history(&house)["set_aside"], Value::Null);
    take_orders(&daemon, 20..22);
    assert_eq!(under(&house), BTreeSet::from([first, second]), "those in flight stay with theirs");
    assert!(daemon.stop().0.success());
}

#[test]
fn a_plan_is_drawn_of_a_house_at_rest_and_of_a_backup() {
    let house = House::new();
    let (data, backup) = (house.path("data"), house.path("backup"));
    let daemon = house.serve();
    take_orders(&daemon, 0..3);
    house::printed(&["backup", &backup, "--data", &data]);
    let file = candidate(&house, DAY_3, "      day-3: { after: 5d }", ALL);
    let plan = |data: &str| house::objects(&["workflow", "plan", &file, "--data", data, "--json"]).remove(0);
    let running = plan(&data);
    assert!(daemon.stop().0.success());
    for data in [&data, &backup] {
        let drawn = plan(data);
        for what in ["deployment", "in_force", "differences", "permissions", "standing"] {
            assert_eq!(drawn[what], running[what], "{what} of {data}");
        }
    }
    let part = &running["differences"][0];
    assert_eq!(
        (&part["part"], &part["timer"], &part["after"]),
        (&"timer".into(), &"day-3".into(), &"5d after entry".into())
    );
    for (title, days) in [("gained", 5), ("lost", 3)] {
        let [letter] = running[title].as_array().expect("a list").as_slice() else { panic!("{title}: {running}") };
        let told = (&letter["letter"], &letter["letters"], letter["referrals"].as_array().map(Vec::len));
        assert_eq!(told, (&"reminder-1".into(), &3.into(), Some(3)), "{title} on day {days}: {running}");
    }
    assert_eq!(house.records().iter().filter(|it| it["record"] == "deployed").count(), 1, "a plan is no deployment");
}

#[test]
fn the_last_days_are_played_through_a_candidate() {
    let house = House::new();
    let data = house.path("data");
    let daemon = house.serve();
    take_orders(&daemon, 0..3);
    let state = house.referrals()[0]["state"].as_str().expect("a state").to_string();
    let shadow = |file: &str| {
        let plan = ["workflow", "plan", file, "--data", &data, "--shadow", "2", "--json"];
        house::objects(&plan).remove(0)["shadow"].clone()
    };
    let before = house.records().len();
    // What time alone would bring later is no other past.
    let same = shadow(&candidate(&house, DAY_3, "      day-3: { after: 5d }", ""));
    assert_eq!((&same["referrals"], &same["same"]), (&3.into(), &3.into()), "{same}");
    let file = candidate(&house, "network.in-network: reading-chart", "network.in-network: contacting", "");
    let running = shadow(&file);
    assert_eq!((&running["same"], &running["otherwise"]["state"]), (&0.into(), &3.into()), "{running}");
    let first = &running["named"][0];
    assert_eq!((&first["event"], &first["kind"]), (&"network.in-network".into(), &"state".into()));
    let told = |side: &str| first[side].as_str().expect("words").to_string();
    assert!(told("recorded").starts_with(&state) && told("candidate").starts_with("contacting, send first-contact"));
    assert_eq!(running["decisions"]["network"]["same"], 3, "the same plugin answers the same");
    assert_eq!(house.records().len(), before, "nothing is written down");
    assert!(daemon.stop().0.success());
    let resting = shadow(&file);
    assert_eq!((&resting["otherwise"], &resting["named"]), (&running["otherwise"], &running["named"]));
}
