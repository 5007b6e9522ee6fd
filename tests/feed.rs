//! What a site's own feeds send, through the real binary over MLLP: whose referral it is, what of it counts, and that nothing
//! which was acknowledged is lost. The messages are those of `plugins/trigger-hl7v2/tests/data/field`, with their sources there.

use std::path::Path;

use serde_json::Value;

use crate::house::{self, Daemon, House, until};
use crate::mllp::{Ack, Sender};

/// A practice with its feeds connected.
struct Site {
    house: House,
    daemon: Daemon,
}

fn field(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/trigger-hl7v2/tests/data/field");
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A cardiology order of NORTHEHR's for the patient of this medical record number at CEDAR.
fn order(number: &str, record: &str, family: &str) -> String {
    field("22a-order.hl7")
        .replace("H22a", &format!("O-{number}"))
        .replace("R5022", number)
        .replace("70221", record)
        .replace("Dunmore^Alf", &format!("{family}^Sam"))
}

impl Site {
    fn new() -> Site {
        let house = House::new();
        let daemon = house.serve();
        Site { house, daemon }
    }

    fn ask(&self, message: &str) -> Ack {
        let asked = Sender::connect(self.daemon.mllp).and_then(|mut sender| sender.ask(message.as_bytes()));
        asked.expect("an answer")
    }

    fn send(&self, message: &str) {
        let answer = self.ask(message);
        assert_eq!(answer.code, "AA", "{message}: {}", answer.error);
    }

    fn send_fields(&self, names: &[&str]) {
        names.iter().for_each(|name| self.send(&field(name)));
    }

    /// Waits for the only referral to have an appointment: nobody answers for the chart here, and so it is not written to yet.
    fn is_booked(&self) {
        until("a booked appointment", || (self.facts()["appointment"]["status"] == "booked").then_some(()));
    }

    /// The states of all referrals, oldest first.
    fn states(&self) -> Vec<String> {
        let referrals = self.house.referrals();
        referrals.iter().map(|it| it["state"].as_str().expect("a state").to_string()).collect()
    }

    /// Waits for the only referral to be there.
    fn comes_to(&self, state: &str) {
        until(&format!("the state {state}"), || (self.states() == [state]).then_some(()));
    }

    fn id(&self, nth: usize) -> String {
        self.house.referrals()[nth]["id"].as_str().expect("an id").to_string()
    }

    /// Those that may mean a referral.
    fn unmatched(&self) -> Vec<Value> {
        house::objects(&["unmatched", "list", "--json", "--data", &self.house.path("data")])
    }

    fn all_unmatched(&self) -> Vec<Value> {
        house::objects(&["unmatched", "list", "--all", "--json", "--data", &self.house.path("data")])
    }

    /// The facts of the only referral, as its last step left them.
    fn facts(&self) -> Value {
        let mut steps = self.house.records().into_iter().filter(|record| record["record"] == "stepped");
        steps.next_back().expect("a step")["referral"]["facts"].clone()
    }

    fn happened(&self, event: &str) -> usize {
        let happened = self.house.records().into_iter().filter(|record| record["record"] == "happened");
        happened.filter(|record| record["event"]["event"] == event).count()
    }
}

#[test]
fn a_number_is_its_authoritys_and_another_patients_news_moves_nothing() {
    let site = Site::new();
    site.send_fields(&["14a-order.hl7"]);
    let states = site.states();
    // The same digits of another system, for another patient: as a note of whatever kind, and as a withdrawal.
    let note =
        field("14b-other-patient-same-number.hl7").replace("36643-5^XR Chest 2 Views", "11488-4^Consultation note");
    site.send(&note);
    let withdrawal = field("14a-order.hl7")
        .replace("REF^I12", "REF^I14")
        .replace("H14a", "H14c")
        .replace("NORTHEHR|CEDAR", "RADLAB|IMAGING")
        .replace("1101^NORTHEHR", "1101^RADLAB")
        .replace("70141^^^CEDAR", "88888^^^IMAGINGMRN")
        .replace("Fennimore^Ruth", "Oakenshaw^Hugo");
    site.send(&withdrawal);
    assert_eq!(site.states(), states);
    assert_eq!(site.happened("withdrawn") + site.happened("note-received"), 0);
    assert_eq!(site.all_unmatched().len(), 2, "both are kept");
    // The same authority, and yet another patient: somebody has to look.
    site.send(&withdrawal.replace("1101^RADLAB", "1101^NORTHEHR").replace("H14c", "H14d"));
    let unmatched = site.unmatched();
    assert_eq!(unmatched.len(), 1);
    assert_eq!(unmatched[0]["candidates"], serde_json::json!([site.id(0)]));
    assert_eq!(site.states(), states);
}

#[test]
fn a_number_without_authority_is_believed_where_the_patient_agrees() {
    let site = Site::new();
    site.send_fields(&["16a-order.hl7", "16b-s12.hl7"]);
    site.is_booked();
    let starts_at = site.facts()["appointment"]["starts_at"].clone();
    assert_eq!(starts_at, "2027-01-12T19:30:00Z");
    // A change that names no time changes none.
    site.send_fields(&["16c-s14-no-time.hl7"]);
    assert_eq!(site.facts()["appointment"]["starts_at"], starts_at);
    // The order's number on a message about somebody else.
    site.send(
        &field("16b-s12.hl7").replace("70161", "79999").replace("Thistlewood", "Marlowe").replace("H16b", "H16d"),
    );
    assert_eq!(site.facts()["appointment"]["starts_at"], starts_at);
    assert_eq!(site.all_unmatched().len(), 1);
}

#[test]
fn a_patient_alone_finds_a_referral_only_where_it_cannot_be_another_visit() {
    let site = Site::new();
    site.send_fields(&["22a-order.hl7", "22b-dental-siu.hl7", "22c-pcp-own-note.hl7"]);
    assert_eq!(site.happened("appointment") + site.happened("note-received"), 0);
    let unmatched = site.unmatched();
    assert_eq!(unmatched.len(), 1, "the dentist's booking, and not the practice's own note: {unmatched:?}");
    // The cardiologist's booking without a number.
    let cardiology = field("22b-dental-siu.hl7")
        .replace("H22b", "H22d")
        .replace("DEN22", "CAR22")
        .replace("4455667788^Hale^Petra|DEN^Dentist", "1003000126^McWilliams^Paul|CAR^Cardiologist");
    site.send(&cardiology);
    site.is_booked();
}

#[test]
fn a_note_that_fits_two_referrals_waits_for_a_person_who_says_which() {
    let site = Site::new();
    site.send(&order("R5029", "71004", "Vexley"));
    site.send(&order("R5030", "71004", "Vexley"));
    site.send_fields(&["29-note-two-open.hl7"]);
    let unmatched = site.unmatched();
    assert_eq!(unmatched[0]["candidates"].as_array().map(Vec::len), Some(2), "{unmatched:?}");
    // Sent again, it waits once.
    site.send_fields(&["29-note-two-open.hl7"]);
    assert_eq!(site.unmatched().len(), 1);
    let (item, data) = (unmatched[0]["item"].as_str().expect("a name"), site.house.path("data"));
    let shown = house::printed(&["unmatched", "show", item, "--data", &data]);
    assert!(shown.contains("Vexley^Ola"), "both sides are to be seen");
    house::printed(&["unmatched", "assign", item, &site.id(1), "--data", &data, "--why", "she was seen for it"]);
    assert_eq!(site.unmatched(), [Value::Null; 0]);
    until("the note's way to the chart", || (site.states()[1] == "closing").then_some(()));
    assert_ne!(site.states()[0], "closing");
}

#[test]
fn what_comes_before_its_order_is_applied_when_that_comes() {
    let site = Site::new();
    // A booking that overtakes its order.
    site.send_fields(&["16b-s12.hl7"]);
    assert_eq!(site.all_unmatched().len(), 1);
    site.send_fields(&["16a-order.hl7"]);
    assert_eq!(site.all_unmatched(), [Value::Null; 0]);
    assert_eq!(site.facts()["appointment"]["starts_at"], "2027-01-12T19:30:00Z");
}

#[test]
fn an_order_whose_withdrawal_overtook_it_writes_to_nobody() {
    let site = Site::new();
    let order = field("22a-order.hl7");
    let withdrawal =
        order.replace("REF^I12", "REF^I14").replace("H22a", "H22w").replace("20261125090000", "20261125100000");
    site.send(&withdrawal);
    site.send(&order);
    assert_eq!(site.states(), ["cancelled"]);
    let records = site.house.records();
    let queued = records.iter().filter(|it| it["record"] == "queued" && it["letter"]["body"]["body"] == "message");
    assert_eq!(queued.count(), 0);
    // Ordered anew after that, it begins anew.
    site.send(&order.replace("H22a", "H22n").replace("20261125090000", "20261125110000"));
    assert_eq!(site.states().len(), 2);
    assert_ne!(site.states()[1], "cancelled");
}

#[test]
fn older_news_undoes_no_newer() {
    let site = Site::new();
    site.send_fields(&["21a-order.hl7", "21b-s15-newer.hl7", "21c-s12-older-late.hl7"]);
    assert_eq!(site.facts()["appointment"]["status"], "cancelled");
    site.send_fields(&["21d-s13-newer.hl7", "21e-s13-older-late.hl7"]);
    let facts = site.facts();
    assert_eq!(facts["appointment"]["starts_at"], "2027-01-26T13:00:00Z");
    assert_eq!(facts["appointment"]["status"], "booked");
    // Of an appointment that another one has taken the place of.
    let rebooked = field("21d-s13-newer.hl7")
        .replace("SIU^S13", "SIU^S12")
        .replace("H21d", "H21f")
        .replace("AP21", "AP99")
        .replace("20261127110000", "20261128110000")
        .replace("202701260800", "202702020900");
    site.send(&rebooked);
    site.send(&field("21b-s15-newer.hl7").replace("20261126110000", "20261128120000").replace("H21b", "H21g"));
    assert_eq!(site.facts()["appointment"]["starts_at"], "2027-02-02T14:00:00Z");
    assert_eq!(site.facts()["appointment"]["status"], "booked");
    // The same again, edited in nothing that matters to the patient.
    let sent = site.house.records().iter().filter(|it| it["record"] == "stepped").count();
    site.send(&rebooked.replace("H21f", "H21h").replace("20261128110000", "20261128130000"));
    assert_eq!(site.house.records().iter().filter(|it| it["record"] == "stepped").count(), sent);
}

#[test]
fn a_new_appointment_stands_though_the_old_ones_cancellation_was_heard_of_first() {
    let site = Site::new();
    site.send_fields(&["21a-order.hl7", "21b-s15-newer.hl7"]);
    // A scheduler that moves a visit by booking anew and then cancelling.
    let rebooked = field("21d-s13-newer.hl7")
        .replace("SIU^S13", "SIU^S12")
        .replace("H21d", "H21r")
        .replace("AP21", "AP99")
        .replace("20261127110000", "20261126105900");
    site.send(&rebooked);
    site.is_booked();
    assert_eq!(site.facts()["appointment"]["starts_at"], "2027-01-26T13:00:00Z");
}

#[test]
fn an_edit_may_be_the_first_that_is_heard_of_a_visit() {
    let site = Site::new();
    site.send_fields(&["21a-order.hl7"]);
    site.send(&field("21d-s13-newer.hl7").replace("SIU^S13", "SIU^S14"));
    site.is_booked();
}

#[test]
fn what_a_person_has_laid_aside_stays_there_when_it_is_sent_again() {
    let site = Site::new();
    site.send_fields(&["16b-s12.hl7"]);
    let item = site.all_unmatched()[0]["item"].as_str().expect("a name").to_string();
    let data = site.house.path("data");
    house::printed(&["unmatched", "dismiss", &item, "--data", &data, "--why", "entered by hand"]);
    site.send_fields(&["16a-order.hl7", "16b-s12.hl7"]);
    assert_eq!(site.facts()["appointment"], Value::Null);
}

#[test]
fn a_changed_order_changes_whom_and_how_it_is_written_to() {
    let site = Site::new();
    site.send_fields(&["17a-order.hl7"]);
    let before = site.facts();
    site.send_fields(&["17b-i13-modified.hl7"]);
    let facts = site.facts();
    assert_eq!(site.states().len(), 1);
    assert_eq!(facts["order"]["priority"], "stat");
    assert_eq!(facts["order"]["named"]["id"], "1003000134");
    let phones = |facts: &Value| facts["patient"]["reaches"].as_array().expect("reaches").clone();
    assert_ne!(phones(&facts)[0]["address"], phones(&before)[0]["address"], "the old telephone is a stranger's");
    assert_eq!(phones(&facts).len(), phones(&before).len());
    // An ORM^O01 that says no more takes nothing away.
    site.send_fields(&["17c-orm-xo.hl7"]);
    let after = site.facts();
    assert_eq!(after["order"]["named"]["id"], "1003000134");
    assert_eq!(phones(&after), phones(&facts));
    // The first version, late.
    site.send(&field("17a-order.hl7").replace("H17a", "H17d"));
    assert_eq!(site.facts()["order"]["priority"], after["order"]["priority"]);
    assert_eq!(phones(&site.facts()), phones(&facts));
}

#[test]
fn a_merged_number_finds_the_referral_and_a_death_ends_it() {
    let site = Site::new();
    site.send_fields(&["10a-order.hl7", "10b-merge-a40.hl7", "10c-siu-surviving-mrn.hl7"]);
    site.is_booked();
    let died = "MSH|^~\\&|NORTHEHR|CEDAR|HANDOFF|HERE|20261127100000-0500||ADT^A08^ADT_A01|H10d|P|2.5.1\rEVN|A08|20261127100000\r\
                PID|1||70199^^^CEDAR^MR||Larkspur^Tomas||19690214|M|||||||||||||||||||||20261127|Y\rPV1|1|O\r";
    site.send(died);
    assert_eq!(site.states(), ["deceased"]);
    // Everybody else's comings and goings are no concern of ours, and are not kept.
    let stranger = died.replace("70199", "79998").replace("H10d", "H10e");
    site.send(&stranger);
    assert_eq!(site.all_unmatched(), [Value::Null; 0]);
}

#[test]
fn an_office_that_declines_sends_the_patient_to_another() {
    for message in ["24a-rri-rejected.hl7", "24b-orm-ua.hl7", "24c-ref-rejected.hl7"] {
        let site = Site::new();
        site.send(&order("R5001", "70011", "Quillfeather"));
        site.send_fields(&[message]);
        assert_eq!(site.happened("declined"), 1, "{message}");
        assert_eq!(site.happened("withdrawn"), 0, "{message}");
        let tasks = site.house.records().into_iter().filter(|it| it["record"] == "queued");
        let kinds: Vec<_> = tasks.map(|it| it["letter"]["body"]["kind"].clone()).collect();
        assert!(kinds.contains(&Value::from("office-declined")), "{message}: {kinds:?}");
    }
}

#[test]
fn a_note_in_error_is_put_before_a_person_and_a_corrected_one_replaces_it() {
    let site = Site::new();
    site.send(&order("R5018", "70011", "Quillfeather").replace("R5018^NORTHEHR", "R5018"));
    site.send_fields(&["18a-final-note.hl7"]);
    site.comes_to("closing");
    let first = site.facts()["note"]["content"].clone();
    site.send_fields(&["18b-entered-in-error.hl7"]);
    assert_eq!(site.happened("note-retracted"), 1);
    site.send_fields(&["18c-corrected.hl7"]);
    assert_ne!(site.facts()["note"]["content"], first);
    // Sent twice, it is written once more and not again.
    let events = site.happened("note-received");
    site.send_fields(&["18c-corrected.hl7"]);
    site.send(&field("18c-corrected.hl7").replace("H18c", "H18e"));
    assert_eq!(site.happened("note-received"), events);
}

#[test]
fn a_result_under_the_fillers_number_finds_its_order_by_the_group() {
    let site = Site::new();
    site.send(&order("R5001", "70011", "Quillfeather"));
    site.send_fields(&["09-number-in-orc4.hl7"]);
    site.comes_to("closing");
}

#[test]
fn a_visit_booked_at_the_desk_is_not_asked_for_again() {
    let site = Site::new();
    site.send(&order("R5001", "70011", "Quillfeather"));
    site.send_fields(&["07-siu-no-rgs.hl7"]);
    let facts = site.facts();
    assert_eq!(facts["appointment"]["status"], "booked");
    let specialist = &facts["order"]["specialist"];
    assert_eq!((&specialist["id"], &specialist["name"]), (&"1003000126".into(), &"Dr. Paul McWilliams".into()));
    // The message has an id alone: what the order said of the specialist stands.
    assert_eq!(specialist["phone"], "+15555550111");
}

#[test]
fn a_message_beyond_all_limits_is_refused_for_good_and_the_feed_goes_on() {
    let site = Site::new();
    let mut sender = Sender::connect(site.daemon.mllp).expect("connected");
    let endless = field("18a-final-note.hl7").replace("Seen; coronary", &"x".repeat(81 << 20));
    let refused = sender.ask(endless.as_bytes()).expect("an answer");
    assert_eq!((refused.code.as_str(), refused.control_id.as_str()), ("AR", "H18a"), "{}", refused.error);
    let order = sender.ask(order("R5001", "70011", "Quillfeather").as_bytes()).expect("an answer");
    assert_eq!(order.code, "AA", "the same connection");
    let dead = site.house.dead_letters();
    assert_eq!(dead.len(), 1, "it is told");
    assert!(dead[0].to_string().contains("more than are taken"), "{}", dead[0]);
    let journal: u64 = site.house.segments().iter().map(|path| path.metadata().expect("a file").len()).sum();
    assert!(journal < 4 << 20, "only its beginning is kept: {journal} bytes");
}
