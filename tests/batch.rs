//! Several orders in one delivery, one of them bad, through the real binary: the good ones begin once, however often all of it is sent,
//! and each bad one waits for a person by itself.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::house::{self, House, SECRET};
use crate::mllp::Sender;

const ORDERS: &str = "MSH|^~\\&|NORTHEHR|CEDAR|HANDOFF|HERE|20270104090000-0500||ORM^O01|B1|P|2.5.1\r\
PID|1||70900^^^CEDAR^MR||Dunmore^Alf||19690214|||12 Plum Row^^Albany^NY^12207^USA||^PRN^CP^^^518^5550157||eng\r\
ORC|NW|B7001^NORTHEHR\rOBR|1|B7001^NORTHEHR||REF^Referral to cardiology\r\
ORC|NW|B7002^NORTHEHR\rOBR|2|B7002^NORTHEHR||77^Procedure 77\r\
ORC|NW|B7003^NORTHEHR\rOBR|3|B7003^NORTHEHR||REF^Referral to neurology\r";

fn dismiss(house: &House, item: &str) {
    house::printed(&["dead-letters", "dismiss", item, "--why", "entered by hand", "--data", &house.path("data")]);
}

#[test]
fn the_good_orders_of_a_message_begin_once_and_the_bad_one_waits() {
    let house = House::new();
    let daemon = house.serve();
    let send = |message: &str| {
        let asked = Sender::connect(daemon.mllp).and_then(|mut sender| sender.ask(message.as_bytes()));
        asked.expect("an answer")
    };
    let answer = send(ORDERS);
    assert_eq!(answer.code, "AE");
    assert!(
        answer.error.starts_with("ERR||OBR^2^4|") && answer.error.contains("the rest was taken"),
        "{}",
        answer.error
    );
    assert_eq!(house.referrals().len(), 2);
    let dead = house.dead_letters();
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert_eq!(dead[0]["what"]["location"], "OBR-4");
    let item = dead[0]["item"].as_str().expect("an item").to_string();
    // What waits is the bad order, with its patient, and no other.
    let shown = house::printed(&["dead-letters", "show", &item, "--why", "to mend it", "--data", &house.path("data")]);
    assert!(shown.contains("B7002") && shown.contains("70900") && !shown.contains("B7001"), "{shown}");
    // The whole of it again changes nothing, and is answered alike.
    let before = house.records().len();
    assert_eq!(send(ORDERS).code, "AE");
    assert_eq!((house.referrals().len(), house.dead_letters().len()), (2, 1));
    let added = house.records().into_iter().skip(before).filter(|it| it["record"] == "delivery").count();
    assert_eq!(added, 0, "known already");
    dismiss(&house, &item);
    // Mended, the bad one begins and the others do not begin again.
    assert_eq!(send(&ORDERS.replace("77^Procedure 77", "REF^Referral to urology").replace("|B1|", "|B2|")).code, "AA");
    assert_eq!((house.referrals().len(), house.dead_letters().len()), (3, 0));
    assert!(daemon.stop().0.success());
    assert!(house.verify().status.success());
}

/// Signed as the webhook's sender signs. The status and the body of the answer.
fn post(address: SocketAddr, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
    mac.update(body.as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    let mut stream = TcpStream::connect(address).expect("the listener that was logged");
    write!(
        stream,
        "POST /in/webhook HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-signature: sha256={signature}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer in UTF-8");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
    (status, serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap_or_default()).expect("JSON"))
}

fn notification() -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/trigger-webhook/tests/data/field");
    let text = std::fs::read_to_string(folder.join("11e-batch-one-bad.json")).expect("a notification");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn the_good_order_of_a_bundle_begins_and_the_bad_one_waits_but_a_transaction_is_whole() {
    let house = House::new();
    let daemon = house.serve();
    // One whose status is unknown, as it was met in the field: a legal status, and no order.
    let (status, answer) = post(daemon.http, &notification());
    assert_eq!((status, &answer["status"]), (202, &json!("accepted")), "{answer}");
    assert_eq!((house.referrals().len(), house.dead_letters().len()), (1, 0));
    // One with a status that there is not.
    let mut bad = notification();
    for (at, number) in [(1, "R-12E1"), (2, "R-12E2")] {
        bad["entry"][at]["resource"]["identifier"][0]["value"] = json!(number);
        bad["entry"][at]["resource"]["id"] = json!(format!("sr-{number}"));
    }
    bad["entry"][2]["resource"]["status"] = json!("actve");
    let (status, answer) = post(daemon.http, &bad);
    assert_eq!((status, &answer["resourceType"]), (200, &json!("OperationOutcome")), "{answer}");
    assert_eq!(answer["issue"][1]["location"], json!(["/entry/2/resource/status"]));
    assert_eq!(house.referrals().len(), 2);
    let dead = house.dead_letters();
    assert_eq!(dead.len(), 1, "{dead:?}");
    let what = &dead[0]["what"];
    assert!(what["location"].as_str().is_some_and(|place| place.ends_with("/resource/status")), "{what}");
    assert!(what["help"].as_str().is_some_and(|help| help.starts_with("write active")), "{what}");
    assert_eq!(post(daemon.http, &bad).0, 200);
    assert_eq!((house.referrals().len(), house.dead_letters().len()), (2, 1), "sent again, it changes nothing");
    // All of a transaction or nothing.
    let mut transaction = bad.clone();
    transaction["type"] = json!("transaction");
    for (at, number) in [(1, "R-13E1"), (2, "R-13E2")] {
        transaction["entry"][at]["resource"]["identifier"][0]["value"] = json!(number);
    }
    let (status, answer) = post(daemon.http, &transaction);
    assert_eq!((status, &answer["location"]), (422, &json!("/entry/2/resource/status")), "{answer}");
    assert_eq!((house.referrals().len(), house.dead_letters().len()), (2, 2));
}
