//! Evidence packs: what a daemon wrote is proven by the small verifier, and no byte of it can be another.

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use handoff_rehearsal::rehearsal::Rehearsal;
use handoff_verifier::pack::{self, Line, PackFrame};
use handoff_verifier::{ProofFault, verify};
use tempfile::TempDir;

use crate::house::{self, House};
use crate::mllp::{self, Sender};

/// An instance that took in some orders, its signing key, and the pack of one of them.
fn evidence() -> (House, SigningKey, String) {
    let house = House::new();
    let daemon = house.serve();
    let mut sender = Sender::connect(daemon.mllp).expect("a connection");
    for number in 0..4 {
        assert_eq!(sender.ask(&mllp::order(number)).expect("an answer").code, "AA");
    }
    assert!(daemon.stop().0.success());
    let referral = house.referrals()[1]["id"].as_str().expect("an id").to_string();
    let pack = house::printed(&["evidence", &referral, "--config", &house.path("handoff.yaml")]);
    let pem = std::fs::read_to_string(house.path("keys/journal.pem")).expect("a key");
    (house, SigningKey::from_pkcs8_pem(&pem).expect("an Ed25519 key"), pack)
}

fn lines(pack: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = pack.lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
    assert!(matches!(lines.pop(), Some(Line::Signature(_))), "a pack ends in its signature");
    lines
}

#[test]
fn a_pack_is_proven_and_every_altered_byte_is_found() {
    let (_house, key, pack) = evidence();
    let trusted = key.verifying_key().to_bytes();
    let sound = verify(pack.as_bytes(), Some(&trusted)).expect("sound");
    assert_eq!((sound.first_step, sound.entries >= 1, sound.batches >= 1), (1, true, true));
    assert!(lines(&pack).iter().any(|line| matches!(line, Line::Moment(moment) if moment.what == "ordered")));
    assert!(lines(&pack).iter().any(|line| matches!(line, Line::Plugin(plugin) if plugin.stage == "trigger.hl7")));
    for planted in ["EVERYMAN", "PATID1234"] {
        assert!(!pack.contains(planted), "{planted} is in the pack");
    }
    let foreign = SigningKey::from_bytes(&[9; 32]).verifying_key().to_bytes();
    assert!(verify(pack.as_bytes(), Some(&foreign)).is_err(), "another practice's key does not do");

    let mut bytes = pack.into_bytes();
    let last_line = bytes.len() - 150;
    // Every byte of the signature's line, and of the rest one in each stride: all of it goes through one hash.
    for at in (0..last_line).step_by(61).chain(last_line..bytes.len()) {
        for flip in [1, 0x20] {
            bytes[at] ^= flip;
            assert!(verify(&bytes, None).is_err(), "byte {at} may be altered by {flip:#x}");
            bytes[at] ^= flip;
        }
    }
    for (what, altered) in [
        ("a line end more", [&bytes[..], b"\n"].concat()),
        ("a byte less", bytes[..bytes.len() - 1].to_vec()),
        ("nothing", Vec::new()),
    ] {
        assert!(verify(&altered, None).is_err(), "{what}");
    }
    assert!(verify(&bytes, Some(&trusted)).is_ok(), "the bytes are back");
}

#[test]
fn an_accounting_names_each_request_that_carried_patient_data() {
    let data = TempDir::new().expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (texts, mails) = runtime.block_on(async {
        let rehearsal = Rehearsal::open(5, 6, 20, data.path()).await.expect("a rehearsal");
        rehearsal.run(|_| {}).await.expect("three weeks");
        let ledger = rehearsal.world().ledger();
        rehearsal.close().await;
        (ledger.texts.len(), ledger.mails.len())
    });
    let folder = data.path().to_str().expect("UTF-8");
    let mut told = Vec::new();
    for referral in house::objects(&["referrals", "list", "--json", "--data", folder]) {
        let id = referral["id"].as_str().expect("an id");
        told.extend(house::objects(&["disclosures", id, "--json", "--data", folder]));
        let printed = house::printed(&["disclosures", id, "--data", folder]);
        assert!(printed.contains("(agreement: rehearsal) to read how the patient may be reached"), "{printed}");
    }
    let to = |endpoint: &str| told.iter().filter(|disclosure| disclosure["to"] == endpoint).count();
    assert!(texts > 0 && to("sms") >= texts, "{texts} texts, {} disclosures", to("sms"));
    assert!(to("mail") >= mails && to("ehr") > 0, "{mails} mails, {} disclosures", to("mail"));
    for disclosure in &told {
        assert_eq!(disclosure["agreement"], "rehearsal");
        assert!(disclosure["what"].as_array().is_some_and(|what| !what.is_empty()), "{disclosure}");
    }
    // The rehearsal's vendors are down at times: what got no answer counts as well.
    let answered = told.iter().filter(|disclosure| disclosure["outcome"] == "answered").count();
    assert!(answered * 2 > told.len(), "{answered} of {} were answered", told.len());
    assert!(!house::handoff(&["disclosures", "somebody", "--data", folder]).status.success());
}

/// Whoever has the key can sign another pack; the journal's own signatures still stand against it.
#[test]
fn a_pack_signed_anew_still_cannot_tell_another_story() {
    let (_house, key, pack) = evidence();
    let forge = |alter: fn(&mut Vec<Line>)| -> Result<(), ProofFault> {
        let mut lines = lines(&pack);
        alter(&mut lines);
        verify(pack::write(&lines, &key).expect("written").as_bytes(), None).map(|_| ())
    };
    assert_eq!(forge(|_| {}), Ok(()));
    let told = |alter| forge(alter).expect_err("a forgery").what;
    fn batch(lines: &mut [Line]) -> &mut pack::Batch {
        let found = lines.iter_mut().find_map(|line| if let Line::Batch(batch) = line { Some(batch) } else { None });
        found.expect("a batch")
    }
    fn entry(lines: &mut [Line]) -> &mut String {
        let found = batch(lines).frames.iter_mut().find_map(|frame| match frame {
            PackFrame::Entry { json, .. } => Some(json),
            PackFrame::Digest(_) => None,
        });
        found.expect("an entry")
    }
    assert_eq!(
        told(|lines| *entry(lines) = entry(lines).replacen("ordered", "renamed", 1)),
        "the signature is over other entries than these"
    );
    assert_eq!(told(|lines| entry(lines).push(' ')), "the signature is over other entries than these");
    assert_eq!(told(|lines| batch(lines).begins += 1), "the signature is over other entries than these");
    assert_eq!(told(|lines| batch(lines).segment += 1), "the signature is over other entries than these");
    assert_eq!(told(|lines| batch(lines).head = "00".repeat(32)), "the signature is over other entries than these");
    assert_eq!(told(|lines| batch(lines).key = "00".repeat(32)), "the batch is signed by a key that does not count");
    assert_eq!(told(|lines| lines.retain(|line| !matches!(line, Line::Batch(_)))), "no entry was made at this time");
    assert_eq!(
        told(|lines| lines.retain(|line| !matches!(line, Line::Plugin(_)))),
        "the plugins named are not those that the entries name"
    );
    assert_eq!(
        told(|lines| lines
            .push(Line::Moment(pack::PackMoment { at: "2026-01-01T00:00:00Z".into(), what: "closed".into() }))),
        "no entry was made at this time"
    );
    assert_eq!(
        told(|lines| {
            let twice = lines.last().cloned().expect("a batch");
            lines.push(twice);
        }),
        "the batch does not come after the one before it"
    );
    assert_eq!(
        told(|lines| if let Line::Evidence(about) = &mut lines[0] {
            about.referral = "0".repeat(26)
        }),
        "an entry does not tell of the referral"
    );
}
