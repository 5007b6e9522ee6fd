//! Any bytes and any JSON: nothing panics, everything is answered.

use proptest::prelude::*;
use serde_json::Value;
use trigger_webhook::{authenticate, interpret};

use crate::told::delivery;

fn json() -> impl Strategy<Value = Value> {
    let names = "resourceType|event|events|id|status|type|entry|resource|identifier|value|subject|reference|contained|basedOn|code|coding|name|parameter|referral|patient|participant|actor|content|attachment|data|start|telecom|focus";
    let words = "ServiceRequest|Appointment|DocumentReference|Task|Bundle|Parameters|SubscriptionStatus|Patient|order|note|appointment|withdrawn|active|booked|current|cancelled|subscription|#p|Patient/1|2026|2026-07-10T14:00:00Z|é";
    let leaf = prop_oneof![
        words.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null)
    ];
    leaf.prop_recursive(6, 80, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_answered(document in json()) {
        let reading = interpret(&delivery(document.to_string().as_bytes(), &[]), "{}");
        prop_assert!(matches!(reading.accepted.status, 202 | 422));
    }

    #[test]
    fn any_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 0..200), settings in ".{0,40}", time in ".{0,20}") {
        let delivery = delivery(&body, &[("x-time", &time), ("x-signature", &time)]);
        let reading = interpret(&delivery, &settings);
        prop_assert_eq!(&reading, &interpret(&delivery, &settings));
        prop_assert_eq!(authenticate(&delivery, &settings), authenticate(&delivery, &settings));
    }
}
