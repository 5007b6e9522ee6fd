//! Rows a clinic can read: what is known of the patient, and what the stage says.

use channel_consent::{
    Attempt, AttemptOutcome, ChannelConsent, ChannelKind, ConsentState, Decision, Failure, Guest, Reachable, Situation,
};
use expect_test::{Expect, expect};
use proptest::prelude::*;

/// `sms+ email?` reaches (`+` granted, `-` denied, `?` unknown) and, after words, what else matters:
/// `wanted sms`, `prefers email`, `speaks es`, `templates en es`, `tried sms:undeliverable`.
fn situation(row: &str) -> Situation {
    let mut situation = Situation {
        letter: "first-contact".into(),
        wanted: None,
        reaches: vec![],
        preferred: None,
        languages: vec![],
        available: vec![],
        attempts: vec![],
        now: 1_760_000_000_000,
        extras: vec![],
    };
    let mut about = "reaches";
    for word in row.split_whitespace() {
        match (about, word) {
            (_, "wanted" | "prefers" | "speaks" | "templates" | "tried") => about = word,
            ("reaches", word) => {
                let (channel, sign) = word.split_at(word.len() - 1);
                let consent = match sign {
                    "+" => ConsentState::Granted,
                    "-" => ConsentState::Denied,
                    _ => ConsentState::Unknown,
                };
                situation.reaches.push(Reachable { channel: kind(channel), consent });
            }
            ("wanted", word) => situation.wanted = Some(kind(word)),
            ("prefers", word) => situation.preferred = Some(kind(word)),
            ("speaks", word) => situation.languages.push(word.into()),
            ("templates", word) => situation.available.push(word.into()),
            (_, word) => {
                let (channel, outcome) = word.split_once(':').unwrap_or((word, "pending"));
                let outcome = match outcome {
                    "undeliverable" => AttemptOutcome::Undeliverable,
                    "delivered" => AttemptOutcome::Delivered,
                    "answered" => AttemptOutcome::Answered,
                    _ => AttemptOutcome::Pending,
                };
                let at = situation.attempts.len() as i64;
                situation.attempts.push(Attempt { channel: kind(channel), at, outcome });
            }
        }
    }
    if situation.available.is_empty() {
        situation.available = vec!["en".into(), "es".into()];
    }
    situation
}

fn kind(name: &str) -> ChannelKind {
    match name {
        "sms" => ChannelKind::Sms,
        "email" => ChannelKind::Email,
        _ => ChannelKind::Portal,
    }
}

fn say(answer: Result<Decision, Failure>) -> String {
    match answer {
        Ok(Decision::Send(chosen)) => {
            let channel = match chosen.channel {
                ChannelKind::Sms => "sms",
                ChannelKind::Email => "email",
                ChannelKind::Portal => "portal",
            };
            format!("{channel} {} ({})", chosen.language, chosen.reason)
        }
        Ok(Decision::Nobody(why)) => format!("nobody ({why})"),
        Err(Failure::Misconfigured(why)) => format!("misconfigured: {why}"),
        Err(other) => format!("{other:?}"),
    }
}

fn check(settings: &str, rows: &[&str], expected: Expect) {
    let width = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    let table: String = rows
        .iter()
        .map(|row| format!("{row:width$} -> {}\n", say(ChannelConsent::choose(situation(row), settings.to_owned()))))
        .collect();
    expected.assert_eq(&table);
}

#[test]
fn consent_then_what_works_then_preference() {
    check(
        "{}",
        &[
            "sms+ email+ wanted sms",
            "sms+ email+ wanted email",
            "sms- email+ wanted sms",
            "sms- email-",
            "",
            "sms?",
            "sms? email?",
            "sms? email? wanted sms",
            "email? portal+",
            "email? portal+ prefers email",
            "sms+ email+ prefers email",
            "sms+ email+ prefers email wanted sms",
            "sms+ email- prefers email",
            "sms+ sms- email?",
            "sms+ email+ wanted sms tried sms:undeliverable",
            "sms+ email+ wanted sms tried sms:undeliverable sms:delivered",
            "sms+ email+ wanted sms tried sms:undeliverable sms:answered sms:undeliverable",
            "sms+ wanted sms tried sms:pending sms:pending",
            "sms+ email? tried sms:undeliverable email:undeliverable",
        ],
        expect![[r#"
            sms+ email+ wanted sms                                                        -> sms en (asked for by the workflow)
            sms+ email+ wanted email                                                      -> email en (asked for by the workflow)
            sms- email+ wanted sms                                                        -> email en (consented to by the patient)
            sms- email-                                                                   -> nobody (sms: consent denied; email: consent denied; portal: no address)
                                                                                          -> nobody (sms: no address; email: no address; portal: no address)
            sms?                                                                          -> nobody (sms: consent unknown; email: no address; portal: no address)
            sms? email?                                                                   -> email en (the first channel left)
            sms? email? wanted sms                                                        -> email en (the first channel left)
            email? portal+                                                                -> portal en (consented to by the patient)
            email? portal+ prefers email                                                  -> email en (preferred by the patient)
            sms+ email+ prefers email                                                     -> email en (preferred by the patient)
            sms+ email+ prefers email wanted sms                                          -> sms en (asked for by the workflow)
            sms+ email- prefers email                                                     -> sms en (consented to by the patient)
            sms+ sms- email?                                                              -> email en (the first channel left)
            sms+ email+ wanted sms tried sms:undeliverable                                -> email en (consented to by the patient)
            sms+ email+ wanted sms tried sms:undeliverable sms:delivered                  -> sms en (asked for by the workflow)
            sms+ email+ wanted sms tried sms:undeliverable sms:answered sms:undeliverable -> email en (consented to by the patient)
            sms+ wanted sms tried sms:pending sms:pending                                 -> sms en (asked for by the workflow)
            sms+ email? tried sms:undeliverable email:undeliverable                       -> nobody (sms: undeliverable; email: undeliverable; portal: no address)
        "#]],
    );
}

#[test]
fn languages_match_by_lookup() {
    check(
        "{}",
        &[
            "sms+ speaks es",
            "sms+ speaks es-MX",
            "sms+ speaks ES_mx",
            "sms+ speaks vi",
            "sms+ speaks vi es",
            "sms+ speaks zh-Hans templates en zh",
            "sms+ speaks zh-Hant-TW templates en zh",
            "sms+ speaks zh-Hant templates en zh-Hans zh-Hant",
            "sms+ speaks zh-Hant templates en zh-Hans",
            "sms+ speaks vi templates es",
            "sms+",
        ],
        expect![[r#"
            sms+ speaks es                                   -> sms es (consented to by the patient)
            sms+ speaks es-MX                                -> sms es (consented to by the patient)
            sms+ speaks ES_mx                                -> sms es (consented to by the patient)
            sms+ speaks vi                                   -> sms en (consented to by the patient)
            sms+ speaks vi es                                -> sms es (consented to by the patient)
            sms+ speaks zh-Hans templates en zh              -> sms zh (consented to by the patient)
            sms+ speaks zh-Hant-TW templates en zh           -> sms zh (consented to by the patient)
            sms+ speaks zh-Hant templates en zh-Hans zh-Hant -> sms zh-Hant (consented to by the patient)
            sms+ speaks zh-Hant templates en zh-Hans         -> sms zh-Hans (consented to by the patient)
            sms+ speaks vi templates es                      -> sms es (consented to by the patient)
            sms+                                             -> sms en (consented to by the patient)
        "#]],
    );
}

#[test]
fn settings_decide_what_silence_means() {
    let rows = ["sms? email?", "sms+ email+ portal+", "sms+ email+ tried sms:undeliverable", "sms+ speaks vi"];
    check(
        r#"{"unknown_consent":{"sms":true,"email":false},"order":["portal","sms"],"undeliverable_max":2,"default_language":"es"}"#,
        &rows,
        expect![[r#"
            sms? email?                         -> sms es (the first channel left)
            sms+ email+ portal+                 -> portal es (consented to by the patient)
            sms+ email+ tried sms:undeliverable -> sms es (consented to by the patient)
            sms+ speaks vi                      -> sms es (consented to by the patient)
        "#]],
    );
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let settings = [
        "",
        "7",
        "{",
        r#"{"colour":1}"#,
        r#"{"order":[]}"#,
        r#"{"order":["fax"]}"#,
        r#"{"undeliverable_max":0}"#,
        r#"{"default_language":" "}"#,
    ];
    let table: String = settings
        .iter()
        .map(|settings| {
            format!("{settings:25} -> {}\n", say(ChannelConsent::choose(situation("sms+"), (*settings).to_owned())))
        })
        .collect();
    expect![[r#"
                                  -> sms en (consented to by the patient)
        7                         -> misconfigured: settings of channel-consent: invalid type: integer `7`, expected struct Settings at line 1 column 1
        {                         -> misconfigured: settings of channel-consent: EOF while parsing an object at line 1 column 1
        {"colour":1}              -> misconfigured: settings of channel-consent: unknown field `colour`, expected one of `unknown_consent`, `default_language`, `order`, `undeliverable_max` at line 1 column 9
        {"order":[]}              -> misconfigured: order: name at least one of sms, email, portal
        {"order":["fax"]}         -> misconfigured: settings of channel-consent: unknown variant `fax`, expected one of `sms`, `email`, `portal` at line 1 column 15
        {"undeliverable_max":0}   -> misconfigured: undeliverable_max: write 1 or more; 0 would rule out every channel
        {"default_language":" "}  -> misconfigured: default_language: write a BCP 47 tag such as `en`
    "#]].assert_eq(&table);
}

#[test]
fn a_letter_without_templates_is_a_mistake_in_the_set_up() {
    let situation = Situation { available: vec![], ..situation("sms+") };
    expect!["misconfigured: the letter first-contact has no template in any language"]
        .assert_eq(&say(ChannelConsent::choose(situation, "{}".to_owned())));
}

fn any_kind() -> impl Strategy<Value = ChannelKind> {
    prop_oneof![Just(ChannelKind::Sms), Just(ChannelKind::Email), Just(ChannelKind::Portal)]
}

fn any_reach() -> impl Strategy<Value = Reachable> {
    let consent = prop_oneof![Just(ConsentState::Granted), Just(ConsentState::Denied), Just(ConsentState::Unknown)];
    (any_kind(), consent).prop_map(|(channel, consent)| Reachable { channel, consent })
}

proptest! {
    #[test]
    fn never_panics_on_any_settings(settings in ".*", languages in proptest::collection::vec(".*", 0..4)) {
        let situation = Situation { languages, ..situation("sms+") };
        let _ = ChannelConsent::choose(situation, settings);
    }

    #[test]
    fn never_uses_a_channel_that_was_denied(
        reaches in proptest::collection::vec(any_reach(), 0..6),
        wanted in proptest::option::of(any_kind()),
        preferred in proptest::option::of(any_kind()),
    ) {
        let denied: Vec<ChannelKind> =
            reaches.iter().filter(|reach| reach.consent == ConsentState::Denied).map(|reach| reach.channel).collect();
        let settings = r#"{"unknown_consent":{"sms":true,"email":true,"portal":true}}"#;
        let situation = Situation { reaches, wanted, preferred, ..situation("") };
        if let Ok(Decision::Send(chosen)) = ChannelConsent::choose(situation, settings.to_owned()) {
            prop_assert!(!denied.contains(&chosen.channel));
        }
    }
}
