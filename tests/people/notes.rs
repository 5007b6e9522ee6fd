//! A consultation's note, however large: whole for whoever may read it, whole in the chart, and marked there when its author
//! takes it back.

use axum::body::to_bytes;
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handoff_identity::role::Role;
use handoff_ingress::delivery::DELIVERY_BYTES_MAX;
use handoff_practice::SimulatedPatient;
use handoff_store::entry::Sealed;
use handoff_store::journal::PAYLOAD_MAX_BYTES;

use tower::ServiceExt as _;

use super::site::{Site, request};

/// A scanned letter with images.
const DOCUMENT_BYTES: usize = 50_000_000;

/// MDM, with the document in OBX-5 (ED), from the specialist's own system.
fn note(person: &SimulatedPatient, event: &str, control_id: &str, obx: &str, completion: &str) -> Vec<u8> {
    let SimulatedPatient { record_number, family, given, referral, .. } = person;
    let number = &referral.number;
    format!(
        "MSH|^~\\&|SPECNOTES|VALLEY|HANDOFF|NPC|20270101120000+0000||MDM^{event}^MDM_T02|{control_id}|P|2.5.1\r\
         EVN|{event}|20270101120000\r\
         PID|1||{record_number}^^^NPC^MR||{family}^{given}\r\
         PV1|1|O\r\
         TXA|1|CN|AP|20270101115500||||||||DOC-1^SPECNOTES||{number}^NPC-EHR|||{completion}\r\
         {obx}\r"
    )
    .into_bytes()
}

fn document() -> Vec<u8> {
    let mut word = 0x9E37_79B9_u32;
    let bytes = (0..DOCUMENT_BYTES).map(|_| {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (word >> 24) as u8
    });
    [b"%PDF-1.7\n".to_vec(), bytes.collect(), b"\n%%EOF\n".to_vec()].concat()
}

impl Site {
    /// A note with the number of one patient's referral and the name of another: whose is it? The number, and the answer.
    pub async fn note_of_two_patients(&self) -> (String, String) {
        let number = self.patient_of(&self.awaiting_note()).referral.number;
        let people = self.people();
        let other = people.iter().find(|person| person.referral.number != number).expect("another patient");
        let mut both = other.clone();
        both.referral.number.clone_from(&number);
        let obx = "OBX|1|TX|11488-4^Consult note^LN||Seen.||||||F";
        (number, self.told(note(&both, "T02", "U-1", obx, "AU"), None).await)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_of_fifty_megabytes_comes_whole_and_is_marked_when_it_is_taken_back() {
    let site = Site::midway().await;
    let ada = site.welcome("ada", Role::Coordinator, None).await;
    let id = site.awaiting_note();
    let person = &site.patient_of(&id);
    let file = document();
    let obx = format!("OBX|1|ED|11488-4^Consult note^LN||^application^pdf^Base64^{}||||||F", STANDARD.encode(&file));
    let answer = site.told(note(person, "T02", "N-1", &obx, "AU"), None).await;
    assert!(answer.contains("MSA|AA|N-1"), "{answer}");

    let largest = site.operations.pipeline.store.entries(handoff_store::Position::START);
    let largest = largest.map(|entry| serde_json::to_vec(&*entry.expect("a sound journal").1).expect("written").len());
    assert!(largest.max() <= Some(PAYLOAD_MAX_BYTES / 2), "no entry is near what the journal takes");

    let asked = request(Method::GET, &format!("/referrals/{id}/note"), Some(&ada), None);
    let response = site.router.clone().oneshot(asked).await.expect("a router does not fail");
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body in memory");
    assert!(body == file, "{} bytes of {}", body.len(), file.len());

    site.operations.pipeline.settle().await.expect("letters leave");
    let written = |what: &str| {
        let ledger = site.rehearsal.world().ledger();
        let mut writes = ledger.writes.into_iter().filter(|write| write.reference.starts_with(what));
        writes.next_back().expect("it was written").resource
    };
    let attachment = written("DocumentReference/")["content"][0]["attachment"]["data"].as_str().map(str::len);
    assert_eq!(attachment, Some(STANDARD.encode(&file).len()));

    let answer = site.told(note(person, "T11", "N-2", "", "AU"), None).await;
    assert!(answer.contains("MSA|AA|N-2"), "{answer}");
    site.operations.pipeline.settle().await.expect("letters leave");
    for what in ["DocumentReference/", "Task/"] {
        assert_eq!(written(what)["status"], "entered-in-error", "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_longer_than_is_taken_is_refused_for_good_and_kept_by_its_beginning() {
    let site = Site::open().await;
    let people = site.people();
    let beginning =
        note(&people[0], "T02", "L-1", "OBX|1|ED|11488-4^Consult note^LN||^application^pdf^Base64^JVBE", "AU");
    let bytes = DELIVERY_BYTES_MAX as u64 + 1;
    let answer = site.told(beginning, Some(bytes)).await;
    assert!(answer.contains("MSA|AR|L-1"), "its sender is not asked to try again: {answer}");
    let dead =
        site.operations.pipeline.store.index().dead_letters(handoff_store::Position::START, 10).expect("an index");
    assert!(format!("{dead:?}").contains(&bytes.to_string()), "it is told");
    let pieces = |sealed: &Sealed| sealed.pieces.len();
    let kept = site.operations.pipeline.store.entries(handoff_store::Position::START);
    assert!(
        kept.flat_map(|entry| entry.expect("sound").1.sealed.iter().map(pieces).collect::<Vec<_>>()).all(|it| it == 0)
    );
}
