//! Was a letter in doubt sent? The letter was asked for at 08:01:00; its text is 28 characters long.

use expect_test::expect;
use outreach_twilio::*;
use serde_json::{Value, json};

use crate::{PHONE, SETTINGS, answer, attribute, letter, say};

const LATER: &str = "Mon, 06 Jul 2026 09:00:00 GMT";
/// Tokens of 28 and 29 characters, as the host would make of a body.
const SAME_LENGTH: &str = "ZPHIG00W0123456789ABCDEFGHJKMNPQRS";
const OTHER_LENGTH: &str = "ZPHIG00X0123456789ABCDEFGHJKMNPQRS";

fn message(time: &str, direction: &str, status: &str, body: &str) -> Value {
    json!({
        "sid": format!("SM{}", time.replace(':', "")), "date_created": format!("Mon, 06 Jul 2026 {time} +0000"),
        "direction": direction, "status": status, "num_segments": "1", "error_code": null, "body": body, "to": PHONE,
    })
}

fn state() -> String {
    match OutreachTwilio::lookup(letter(), SETTINGS.to_owned()) {
        Ok(Turn::Ask(ask)) => ask.state,
        other => panic!("no ask: {other:?}"),
    }
}

fn judge(date: &str, messages: Value) -> String {
    let body = json!({ "messages": messages }).to_string();
    say(&OutreachTwilio::resume(state(), answer(200, &[("Date", date)], &body), SETTINGS.to_owned()))
}

#[test]
fn the_list_is_asked_for_this_number() {
    let turn = OutreachTwilio::lookup(letter(), SETTINGS.to_owned());
    let Ok(Turn::Ask(Ask { request: Request::Http(request), state, .. })) = turn else { panic!("no ask: {turn:?}") };
    expect![[r#"{"asked_at":1783324860000,"now":null,"known":null,"characters":28}"#]].assert_eq(&state);
    expect![[r#"
        HttpRequest {
            method: Method::Get,
            path: "/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages.json",
            query: [
                Attribute {
                    name: "To",
                    value: "ZPHIG00C0123456789ABCDEFGHJKMNPQRS",
                },
                Attribute {
                    name: "PageSize",
                    value: "100",
                },
            ],
            headers: [],
            body: Body::Empty,
        }
    "#]]
    .assert_debug_eq(&request);
}

#[test]
fn the_list_tells_what_happened() {
    let out = "outbound-api";
    let rows = [
        ("no message at all", LATER, json!([])),
        ("no message, asked at once", "Mon, 06 Jul 2026 08:01:20 GMT", json!([])),
        ("no message, no clock", "", json!([])),
        ("no message, a clock that lags", "Mon, 06 Jul 2020 08:01:20 GMT", json!([])),
        ("sent before", LATER, json!([message("08:00:00", out, "delivered", SAME_LENGTH)])),
        ("sent within the skew", LATER, json!([message("08:00:58", out, "sent", SAME_LENGTH)])),
        ("queued since", LATER, json!([message("08:01:01", out, "queued", SAME_LENGTH)])),
        ("delivered since", LATER, json!([message("08:01:01", out, "delivered", SAME_LENGTH)])),
        ("failed since", LATER, json!([message("08:01:01", out, "failed", SAME_LENGTH)])),
        ("a status of tomorrow", LATER, json!([message("08:01:01", out, "pondering", SAME_LENGTH)])),
        ("another since", LATER, json!([message("08:01:01", out, "sent", OTHER_LENGTH)])),
        (
            "another and ours",
            LATER,
            json!([message("08:05:00", out, "sent", OTHER_LENGTH), message("08:01:01", out, "sent", SAME_LENGTH)]),
        ),
        (
            "ours twice",
            LATER,
            json!([message("08:05:00", out, "sent", SAME_LENGTH), message("08:01:01", out, "sent", SAME_LENGTH)]),
        ),
        ("redacted body", LATER, json!([message("08:01:01", out, "sent", "")])),
        ("only a reply since", LATER, json!([message("08:01:01", "inbound", "received", SAME_LENGTH)])),
        (
            "an unreadable date",
            LATER,
            json!([{"sid": "SM1", "direction": out, "body": OTHER_LENGTH, "date_created": "?"}]),
        ),
        ("a full page of replies", LATER, json!(vec![message("08:01:01", "inbound", "received", ""); 100])),
        ("no list", LATER, json!(null)),
    ];
    let table: String =
        rows.into_iter().map(|(what, date, messages)| format!("{what:30} -> {}\n", judge(date, messages))).collect();
    expect![[r#"
        no message at all              -> unknown, -, 0 part(s)
        no message, asked at once      -> retry after 36 s: Twilio's list of messages may not show the letter yet
        no message, no clock           -> unknown, -, 0 part(s)
        no message, a clock that lags  -> unknown, -, 0 part(s)
        sent before                    -> unknown, -, 0 part(s)
        sent within the skew           -> accepted, SM080058, 1 part(s)
        queued since                   -> accepted, SM080101, 1 part(s)
        delivered since                -> delivered, SM080101, 1 part(s)
        failed since                   -> undeliverable unreachable, SM080101, 1 part(s)
        a status of tomorrow           -> accepted, SM080101, 1 part(s)
        another since                  -> other: a message to this number was sent since, and it cannot be told whether it is this letter: look the letter up in Twilio's message log
        another and ours               -> accepted, SM080101, 1 part(s)
        ours twice                     -> accepted, SM080101, 1 part(s)
        redacted body                  -> other: a message to this number was sent since, and it cannot be told whether it is this letter: look the letter up in Twilio's message log
        only a reply since             -> unknown, -, 0 part(s)
        an unreadable date             -> other: a message to this number was sent since, and it cannot be told whether it is this letter: look the letter up in Twilio's message log
        a full page of replies         -> other: there are more messages to this number than one page holds: look the letter up in Twilio's message log
        no list                        -> other: Twilio's list of messages cannot be read: look the letter up in Twilio's message log
    "#]].assert_eq(&table);
}

#[test]
fn a_failed_list_is_judged_like_a_failed_letter() {
    let rows = [
        answer(401, &[], r#"{"code":20003}"#),
        answer(429, &[("Retry-After", "3")], r#"{"code":20429}"#),
        answer(503, &[], ""),
        answer(400, &[], r#"{"code":21211}"#),
    ];
    let table: String = rows
        .into_iter()
        .map(|response| say(&OutreachTwilio::resume(state(), response, SETTINGS.into())) + "\n")
        .collect();
    expect![[r#"
        misconfigured: endpoint: Twilio refused our credentials; check the endpoint's account SID and auth token (Twilio error 20003: Permission denied)
        retry after 3 s: Twilio answered 429 with error 20429
        retry after 60 s: Twilio answered 503 with error 0
        other: Twilio answered 400 with error 21211
    "#]].assert_eq(&table);
}

#[test]
fn without_the_first_ask_s_time_there_is_no_look_up() {
    let letter = Letter { extras: vec![], ..letter() };
    expect!["refused no-lookup: it is not known when the letter was first asked for (extra `asked-at`)"]
        .assert_eq(&say(&OutreachTwilio::lookup(letter, SETTINGS.into())));
}

/// The house's clock was eight minutes fast when it asked: at 07:53 by Twilio's.
#[test]
fn a_clock_that_was_wrong_neither_hides_the_letter_nor_takes_another_for_it() {
    let out = "outbound-api";
    let sent = |time: &str| json!([message(time, out, "delivered", SAME_LENGTH)]);
    for (what, now, known, date, messages, said) in [
        ("sent before, by Twilio's clock", "2026-07-06T08:59:00Z", "", LATER, sent("07:53:00"), "delivered"),
        ("that one is another letter", "2026-07-06T08:59:00Z", "SM9 SM075300", LATER, sent("07:53:00"), "unknown"),
        ("sent long before", "2026-07-06T08:59:00Z", "", LATER, sent("07:30:00"), "unknown"),
        (
            "asked in the future by both",
            "2026-07-06T07:54:00Z",
            "",
            "Mon, 06 Jul 2026 07:54:00 GMT",
            json!([]),
            "retry",
        ),
        ("time has healed it", "2026-07-06T08:03:00Z", "", "Mon, 06 Jul 2026 08:03:00 GMT", json!([]), "unknown"),
        ("set forward since", "2026-07-06T09:00:00Z", "", "Mon, 06 Jul 2026 08:01:20 GMT", json!([]), "retry"),
    ] {
        let mut letter = letter();
        letter.extras.extend([attribute("now", now), attribute("known-ids", known)]);
        let Ok(Turn::Ask(ask)) = OutreachTwilio::lookup(letter, SETTINGS.to_owned()) else { panic!("no ask") };
        let body = json!({ "messages": messages }).to_string();
        let found = say(&OutreachTwilio::resume(ask.state, answer(200, &[("Date", date)], &body), SETTINGS.to_owned()));
        assert!(found.starts_with(said), "{what}: {found}");
    }
}
