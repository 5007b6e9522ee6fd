//! Any bytes as a webhook: the body and, each after a NUL, the headers' value and the stage's settings. Read without a
//! panic, twice the same, and answered in JSON; settings that cannot be read open no door.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use trigger_webhook::types::{Attribute, Delivery, Meaning, Transport};
use trigger_webhook::{authenticate, interpret};

/// 2026-07-06T08:01:00Z.
const NOW: i64 = 1_783_324_860_000;

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let body = parts.next().unwrap_or_default().to_vec();
    let value = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let settings = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let header = |name: &str| Attribute { name: name.to_owned(), value: value.clone() };
    let headers = ["x-signature", "x-timestamp", "idempotency-key"].map(header).to_vec();
    let delivery =
        Delivery { source: "portal".to_owned(), transport: Transport::Http, headers, body, too_long: None, received_at: NOW };

    let reading = interpret(&delivery, &settings);
    assert_eq!(reading, interpret(&delivery, &settings), "the same bytes read differently");
    assert!(!reading.dedupe_key.is_empty() && !reading.kind.is_empty());
    match &reading.meaning {
        Meaning::Events(events) => {
            assert!(!events.is_empty(), "accepted, and nothing happened");
            assert_eq!(reading.accepted.status, 202);
        }
        Meaning::Parts(bodies) => {
            let again = |body: &Vec<u8>| {
                let part = Delivery { body: body.clone(), ..delivery.clone() };
                matches!(interpret(&part, &settings).meaning, Meaning::Parts(_))
            };
            assert!(bodies.len() > 1 && !bodies.iter().any(again), "a part is cut again");
            assert_eq!(reading.accepted.status, 200);
        }
        Meaning::NotForUs(reason) => {
            assert!(!reason.is_empty());
            assert_eq!(reading.accepted.status, 202);
        }
        Meaning::Unreadable(problem) => {
            assert!(!problem.message.is_empty() && !problem.help.is_empty(), "{problem:?}");
            assert!(matches!(reading.accepted.status, 400 | 422 | 503), "{}", reading.accepted.status);
        }
    }
    assert_eq!(reading.unavailable.status, 503);
    for answer in [&reading.accepted, &reading.unavailable] {
        assert!(serde_json::from_slice::<Value>(&answer.body).is_ok_and(|answer| answer.is_object()));
    }

    let checks = authenticate(&delivery, &settings);
    assert_eq!(checks, authenticate(&delivery, &settings), "the same bytes are checked differently");
    if reading.accepted.status == 503 {
        assert!(checks.iter().any(|check| check.signature.is_empty()), "unreadable settings let anybody in");
    }
});
