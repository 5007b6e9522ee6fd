//! Whatever comes in, it answers.

use outreach_twilio::*;
use proptest::prelude::*;

use crate::{SETTINGS, answer, attribute, letter};

proptest! {
    #[test]
    fn never_panics_on_any_answer(
        status in any::<u16>(), header in ".*", body in ".*", state in ".*",
        messages in r#"\{"messages":\[(\{"(sid|date_created|direction|body)":("[A-Za-z0-9 :,+]*"|null|7)\},?)*\]\}"#,
        asked_at in any::<i64>(),
    ) {
        let sought = format!(r#"{{"asked_at":{asked_at},"characters":3}}"#);
        for state in [state, "send".to_owned(), sought] {
            for body in [&body, &messages] {
                let headers = [("retry-after", header.as_str()), ("date", "Fri, 24 May 2019 17:44:46 GMT")];
                let _ = OutreachTwilio::resume(state.clone(), answer(status, &headers, body), SETTINGS.into());
            }
        }
    }

    #[test]
    fn never_panics_on_any_letter_or_settings(text in ".*", tokens in "(ZPHI[GAU]?[0-9A-Zé]{0,31}){0,4}", settings in ".*") {
        for text in [text, tokens] {
            let letter = Letter { text, ..letter() };
            let _ = OutreachTwilio::compose(letter.clone(), settings.clone());
            let _ = OutreachTwilio::lookup(letter, SETTINGS.into());
        }
    }

    #[test]
    fn never_panics_on_any_callback(fields in proptest::collection::vec(("[A-Za-z]{0,12}|MessageSid|MessageStatus|ErrorCode|NumSegments", ".*"), 0..8)) {
        let fields: Vec<Attribute> = fields.iter().map(|(name, value)| attribute(name, value)).collect();
        let callback = Callback { headers: fields.clone(), fields, received_at: 0 };
        let _ = OutreachTwilio::authenticate(callback.clone(), SETTINGS.into());
        prop_assert!(OutreachTwilio::receive(callback, SETTINGS.into()).is_ok());
    }
}
