//! The power is cut below the real binary: it is killed under load, and whatever it had not synced is gone, kept or torn,
//! sector by sector. A layer below it has written down what it asked of the disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use handoff_store::journal::{Disk as _, SimDisk};
use tempfile::TempDir;

use crate::house::{House, until};
use crate::mllp::{Sender, order};

const ORDERS: usize = 24;

/// Each leaves another remnant of what was not synced.
const CUTS: u64 = 8;

/// The bytes before path and payload: what it is, and three numbers.
const HEAD_BYTES: usize = 25;

/// The folders that matter, in the order of their names.
const KEPT: [&str; 3] = ["data", "data/components", "data/journal"];

/// The layer, compiled.
fn layer(folder: &Path) -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/powercut/powercut.c");
    let layer = folder.join("powercut.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&layer).arg(source).arg("-ldl");
    let output = compiler.output().expect("a C compiler, as for the build");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    layer
}

/// Folders as the process left them, each with names of its own to lose: what was asked for, done again.
fn done_again(log: &[u8], root: &str) -> BTreeMap<String, SimDisk> {
    let mut folders: BTreeMap<String, SimDisk> = BTreeMap::new();
    let mut rest = log;
    while rest.len() >= HEAD_BYTES {
        let (head, after) = rest.split_at(HEAD_BYTES);
        let number = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().expect("eight bytes"));
        let (path, after) = after.split_at(number(9) as usize);
        let (payload, after) = after.split_at(number(17) as usize);
        rest = after;
        let local = |path: &[u8]| String::from_utf8_lossy(path).trim_start_matches(root).trim_matches('/').to_string();
        let path = local(path);
        let (folder, name) = match head[0] {
            b'D' => (path.as_str(), ""),
            _ => path.rsplit_once('/').expect("a file in a folder"),
        };
        if !KEPT.contains(&folder) {
            continue;
        }
        let seed = folders.len() as u64;
        let disk = folders.entry(folder.to_string()).or_insert_with(|| SimDisk::new(seed, None));
        let (number, done) = (number(1), "a call that the real disk took as well");
        match head[0] {
            b'C' => disk.create(name).expect(done),
            b'W' => disk.write(name, number, payload).expect(done),
            b'T' => disk.truncate(name, number).expect(done),
            b'S' => disk.sync(name).expect(done),
            b'D' => disk.sync_dir().expect(done),
            b'R' => disk.rename(name, local(payload).rsplit('/').next().expect("a name")).expect(done),
            b'U' => disk.remove(name).expect(done),
            what => panic!("{what} in the record"),
        }
    }
    folders
}

/// What is left after a cut, as a folder that can be served. Without the index, which may be lost at any time.
fn remnant(folders: &BTreeMap<String, SimDisk>, house: &House) {
    for left in fs::read_dir(house.path("data")).expect("a folder").map(|left| left.expect("a file").path()) {
        // Compiled plugins are checked before they are used, and made again where they are torn.
        if left.is_file() {
            fs::remove_file(left).expect("removed");
        } else if !left.ends_with("compiled") {
            fs::remove_dir_all(left).expect("removed");
        }
    }
    for (folder, disk) in folders {
        let path = PathBuf::from(house.path(folder));
        fs::create_dir_all(&path).expect("made");
        let disk = disk.after_power_cut(None);
        for name in disk.list().expect("a disk") {
            let mut bytes = vec![0; disk.length(&name).expect("a file") as usize];
            disk.read(&name, 0, &mut bytes).expect("a file");
            fs::write(path.join(name), bytes).expect("written");
        }
    }
}

#[test]
fn what_was_acknowledged_survives_a_power_cut() {
    let folder = TempDir::new().expect("a folder");
    let layer = layer(folder.path());
    let log = folder.path().join("record");
    let house = House::new();
    let root = house.path("");
    let daemon = house.serve_with(&[
        ("LD_PRELOAD", layer.to_str().expect("UTF-8")),
        ("POWERCUT_UNDER", &house.path("data")),
        ("POWERCUT_LOG", log.to_str().expect("UTF-8")),
    ]);
    let mut sender = Sender::connect(daemon.mllp).expect("a connection");
    for number in 0..ORDERS {
        assert_eq!(sender.ask(&order(number)).expect("an answer").code, "AA");
    }
    // In the middle of one more, which nobody is told of.
    sender.tell(&order(ORDERS)).expect("sent");
    daemon.kill();
    let record = fs::read(&log).expect("a record");
    let folders = done_again(&record, &root);
    assert_eq!(folders.keys().map(String::as_str).collect::<Vec<_>>(), KEPT);
    for cut in 0..CUTS {
        // The dice go on with each cut, so that each leaves another remnant.
        remnant(&folders, &house);
        let daemon = house.serve();
        until("every order", || (house.referrals().len() >= ORDERS).then_some(()));
        let mut sender = Sender::connect(daemon.mllp).expect("a connection");
        assert_eq!(sender.ask(&order(0)).expect("an answer").code, "AA", "cut {cut}: it is known");
        assert_eq!(sender.ask(&order(ORDERS)).expect("an answer").code, "AA", "cut {cut}: it is taken now, or was");
        assert!(daemon.stop().0.success());
        // Only now: what of the last batch was torn is cut by whoever opens the journal.
        assert!(house.verify().status.success(), "cut {cut}: {}", String::from_utf8_lossy(&house.verify().stderr));
        assert_eq!(house.referrals().len(), ORDERS + 1, "cut {cut}");
    }
}
