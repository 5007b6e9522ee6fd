//! Whose reply it is, and that a STOP is heard by whatever number and for whichever patient of a handset.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handoff_engine::event::{Event, Intent};
use handoff_engine::ids::ReferralId;
use handoff_host::contract::types::Attribute;
use handoff_ingress::delivery::{Delivery, SenderProof, Transport};
use handoff_store::Record;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use crate::outbox::office::{Custom, Office, TWILIO_TOKEN};
use crate::outbox::vendor::Mood;

const URL: &str = "https://handoff.example/callback/first";

/// A patient's text as Twilio posts it, signed as Twilio signs it (validating requests: URL, then names and values in order).
async fn hears(office: &Office, number: usize, from: &str, text: &str) {
    let mut fields = [
        ("AccountSid", "AC00000000000000000000000000000000".to_string()),
        ("Body", text.to_string()),
        ("From", from.to_string()),
        ("MessageSid", format!("SM{number:032}")),
        ("To", "+15555550100".to_string()),
    ];
    fields.sort();
    let signed: String = fields.iter().map(|(name, value)| format!("{name}{value}")).collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(TWILIO_TOKEN.as_bytes()).expect("a key");
    mac.update(format!("{URL}{signed}").as_bytes());
    let encoded = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let header = |name: &str, value: String| Attribute { name: name.into(), value };
    let delivery = Delivery {
        transport: Transport::Callback,
        source: "first".into(),
        url: URL.into(),
        headers: vec![
            header("content-type", "application/x-www-form-urlencoded".into()),
            header("x-twilio-signature", STANDARD.encode(mac.finalize().into_bytes())),
        ],
        body: body.join("&").into_bytes(),
        received_at: office.now(),
        sender: SenderProof::SignatureOnly,
    };
    let answer = office.pipeline.intake.take_callback(delivery).await;
    assert!(answer.status < 300, "{text}: {}", answer.status);
}

/// What each referral heard, in order.
fn heard(office: &Office) -> Vec<(ReferralId, Intent)> {
    let heard = |record: Record| match record {
        Record::Happened { referral, event: Event::Reply { reply } } => Some((referral, reply.intent)),
        _ => None,
    };
    office.records().into_iter().filter_map(heard).collect()
}

async fn two_on_one_handset() -> Office {
    let office = Office::open(Mood::Well, Custom::default()).await;
    office.order_by_phone(0, "^270^6009800").await;
    office.clock.turn(chrono::TimeDelta::seconds(4));
    office.order_by_phone(1, "^270^6009800").await;
    office.settle().await;
    assert_eq!(office.first.taken().len(), 2);
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_reaches_every_patient_of_a_handset_however_the_number_is_written() {
    for (number, from) in ["+12706009800", "12706009800", "(270) 600-9800"].into_iter().enumerate() {
        let office = two_on_one_handset().await;
        hears(&office, number, from, "STOP").await;
        let heard = heard(&office);
        assert_eq!(heard.len(), 2, "{from}: {heard:?}");
        assert!(heard.iter().all(|(_, intent)| *intent == Intent::OptOut) && heard[0].0 != heard[1].0, "{from}");
        // Whoever is referred next to this handset is not written to.
        office.order_by_phone(2, "^270^6009800").await;
        office.settle().await;
        assert_eq!(office.first.taken().len(), 2, "{from}: a text after a STOP");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_that_names_nobody_moves_nobody_and_a_person_asks() {
    let office = two_on_one_handset().await;
    hears(&office, 0, "+12706009800", "Yes I booked it").await;
    let told = heard(&office);
    assert_eq!(told.iter().map(|(_, intent)| *intent).collect::<Vec<_>>(), [Intent::Unclear], "{told:?}");
    // One patient alone is meant.
    let office = Office::open(Mood::Well, Custom::default()).await;
    office.order_by_phone(0, "^270^6009800").await;
    office.settle().await;
    hears(&office, 1, "+12706009800", "Yes I booked it").await;
    assert_eq!(heard(&office).iter().map(|(_, intent)| *intent).collect::<Vec<_>>(), [Intent::Scheduled]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_reaches_every_patient_of_a_handset() {
    let office = two_on_one_handset().await;
    hears(&office, 0, "+12706009800", "he is not breathing").await;
    let told = heard(&office);
    assert_eq!(told.iter().map(|(_, intent)| *intent).collect::<Vec<_>>(), [Intent::Emergency; 2], "{told:?}");
}
