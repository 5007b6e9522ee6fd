//! Patients' data is nowhere but in the vault: every byte that a month left on disk, in the log and in what the command
//! line prints is searched for what was planted.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use handoff_practice::SimulatedPatient;
use handoff_rehearsal::rehearsal::{AUTH_TOKEN, Rehearsal, WEBHOOK_KEY};
use parking_lot::Mutex;
use tempfile::TempDir;
use tracing_subscriber::EnvFilter;

use crate::house;

/// A shorter family name may be part of an innocent word.
const FAMILY_LETTERS_MIN: usize = 6;

/// The practice and its servers know their own patients; what they log is not ours.
const LOGGED: &str = "trace,handoff_practice=off";

#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Hears this process from here on.
    pub fn heard() -> Log {
        let log = Log::default();
        let heard = log.clone();
        let subscriber = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(LOGGED)).with_ansi(false);
        subscriber.with_writer(move || heard.clone()).init();
        log
    }

    pub fn taken(&self) -> Vec<u8> {
        self.0.lock().clone()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What must not be found, and what it is.
pub fn planted(people: &[SimulatedPatient], secrets: &[&str]) -> BTreeMap<String, String> {
    let mut planted = BTreeMap::new();
    for (number, person) in people.iter().enumerate() {
        let SimulatedPatient { given, family, mobile, email, record_number, member_id, street, .. } = person;
        let digits = mobile.trim_start_matches("+1");
        let mut plant = |text: String, what: &str| planted.insert(text.to_lowercase(), format!("{what} of {number}"));
        plant(format!("{given} {family}"), "name");
        plant(format!("{family}^{given}"), "name in HL7");
        if family.chars().count() >= FAMILY_LETTERS_MIN {
            plant(family.clone(), "family name");
        }
        plant(digits.to_string(), "telephone");
        plant(format!("({}) {}-{}", &digits[..3], &digits[3..6], &digits[6..]), "telephone");
        plant(email.clone(), "mail address");
        plant(record_number.clone(), "record number");
        plant(member_id.clone(), "insurance number");
        plant(street.clone(), "street");
    }
    planted.extend(secrets.iter().map(|secret| (secret.to_lowercase(), "a secret".to_string())));
    planted
}

/// Every planted text in these bytes, by what it is: a failure may not print patient data either.
pub fn found(bytes: &[u8], planted: &BTreeMap<String, String>) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    planted.iter().filter(|(secret, _)| text.contains(secret.as_str())).map(|(_, what)| what.clone()).collect()
}

pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn what_was_planted_is_found_nowhere() {
    let log = Log::heard();
    let data = TempDir::new().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let planted = runtime.block_on(async {
        let rehearsal = Rehearsal::open(11, 12, 30, data.path()).await.expect("a rehearsal");
        rehearsal.run(|_| {}).await.expect("a month");
        let world = rehearsal.world();
        let secrets = [AUTH_TOKEN, WEBHOOK_KEY, handoff_practice::ACCESS_TOKEN];
        let planted = planted(&world.people(), &secrets);
        let mut envelopes = world.ledger().mails.into_iter().filter(|mail| mail.person.is_some());
        let envelope = envelopes.next().expect("a mail to a patient").to;
        assert!(!found(envelope.as_bytes(), &planted).is_empty(), "the search finds no patient on their own mail");
        rehearsal.close().await;
        planted
    });

    let mut journal = String::new();
    for path in files(data.path()) {
        let bytes = std::fs::read(&path).expect("a file");
        assert_eq!(found(&bytes, &planted), [""; 0], "in {}", path.display());
        if path.parent().is_some_and(|folder| folder.ends_with("journal")) {
            journal.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    assert!(journal.contains("REF^I12"), "the journal cannot be searched as text");

    let logged = log.taken();
    assert!(String::from_utf8_lossy(&logged).contains("listening for HL7 v2"), "the log was not heard");
    assert_eq!(found(&logged, &planted), [""; 0], "in the log");

    let folder = data.path().to_str().expect("UTF-8");
    for command in [
        &["referrals", "list"][..],
        &["dead-letters", "list"],
        &["journal", "export"],
        &["journal", "stats"],
        &["journal", "search"],
        &["journal", "search", "--json"],
        &["measure", "cms50", "--period", "2026"],
        &["measure", "cms50", "--period", "2026", "--fhir"],
    ] {
        let printed = house::printed(&[command, &["--data", folder]].concat());
        assert!(!printed.is_empty(), "{command:?}");
        assert_eq!(found(printed.as_bytes(), &planted), [""; 0], "printed by {command:?}");
    }
    let listed = house::objects(&["referrals", "list", "--json", "--data", folder]);
    for referral in &listed {
        let id = referral["id"].as_str().expect("an id");
        let printed = house::printed(&["referrals", "show", id, "--json", "--data", folder]);
        assert_eq!(found(printed.as_bytes(), &planted), [""; 0], "printed by referrals show");
        let printed = house::printed(&["disclosures", id, "--json", "--data", folder]);
        assert_eq!(found(printed.as_bytes(), &planted), [""; 0], "printed by disclosures");
    }
}

#[test]
fn the_command_line_shows_a_patient_only_to_who_asks_by_name_and_reason() {
    let house = house::House::new();
    let (data, config, pack) = (house.path("data"), house.path("handoff.yaml"), house.path("pack"));
    let daemon = house.serve();
    // The patient of the samples, also in a message that nobody can read.
    let order = String::from_utf8(crate::mllp::order(2)).expect("the sample is UTF-8");
    let garbled = order.replacen("RF1|", "ZZ1|", 1).into_bytes();
    for (message, code) in [(crate::mllp::order(1), "AA"), (garbled.clone(), "AE")] {
        let ack = crate::mllp::Sender::connect(daemon.mllp).and_then(|mut sender| sender.ask(&message));
        assert_eq!(ack.expect("an answer").code, code);
    }
    let shown = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        ["everyman", "patid1234", "6009800"].into_iter().filter(|patient| text.contains(patient)).collect::<Vec<_>>()
    };
    assert_eq!(shown(&garbled).len(), 3, "the search finds the patient in the message");
    let referral = house.referrals().remove(0)["id"].as_str().expect("an id").to_string();
    let item = house.dead_letters().remove(0)["item"].as_str().expect("an item").to_string();
    let commands: &[&[&str]] = &[
        &["referrals", "list"],
        &["referrals", "show", &referral],
        &["referrals", "show", &referral, "--json"],
        &["dead-letters", "list"],
        &["dead-letters", "list", "--json"],
        &["journal", "search"],
        &["journal", "search", "--referral", &referral, "--json"],
        &["journal", "export"],
        &["journal", "stats", "--json"],
        &["disclosures", &referral],
        &["disclosures", &referral, "--json"],
        &["measure", "cms50", "--period", "2026", "--json"],
        &["hold", "list"],
        &["people", "list"],
    ];
    let looked = || house.records().into_iter().filter(|record| record["record"] == "looked").count();
    for command in commands {
        let output = house::handoff(&[command, &["--data", &data][..]].concat());
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(shown(&[output.stdout, output.stderr].concat()), [""; 0], "printed by {command:?}");
    }
    assert_eq!(looked(), 0);
    let show = ["dead-letters", "show", &item, "--data", &data, "--who", "Ada", "--why", "the EHR sent it twice"];
    assert_eq!(house::handoff(&show).stdout, garbled);
    assert_eq!(looked(), 1, "whoever sees the patient is in the journal");
    let (status, log) = daemon.stop();
    assert!(status.success());
    assert_eq!(shown(log.join("\n").as_bytes()), [""; 0], "in the log");
    let packed = house::handoff(&["evidence", &referral, "--config", &config, "--out", &pack]);
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    assert_eq!(shown(&[packed.stdout, packed.stderr].concat()), [""; 0], "printed by evidence");
    assert_eq!(shown(&std::fs::read(&pack).expect("a pack")), [""; 0], "in the pack");
}
