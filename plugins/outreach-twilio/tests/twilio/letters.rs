//! Sending a letter.

use expect_test::expect;
use outreach_twilio::*;
use serde_json::Value;

use crate::{SETTINGS, answer, letter, say};

const SERVICE: &str = r#"{"account_sid":"AC0123456789abcdef0123456789abcdef","messaging_service_sid":"MG0123456789abcdef0123456789abcdef","validity_seconds":14400,"smart_encoded":true,"endpoint":"texts"}"#;

fn ask(letter: Letter, settings: &str) -> Ask {
    match OutreachTwilio::compose(letter, settings.to_owned()) {
        Ok(Turn::Ask(ask)) => ask,
        other => panic!("no ask: {other:?}"),
    }
}

fn form(ask: &Ask) -> &[Attribute] {
    match &ask.request {
        Request::Http(HttpRequest { method: Method::Post, body: Body::Form(fields), .. }) => fields,
        other => panic!("no form: {other:?}"),
    }
}

#[test]
fn a_letter_becomes_a_form() {
    let show = |letter, settings| {
        let ask = ask(letter, settings);
        let fields: String = form(&ask).iter().map(|field| format!("{}: {}\n", field.name, field.value)).collect();
        let path = match &ask.request {
            Request::Http(request) => request.path.clone(),
            other => panic!("no request: {other:?}"),
        };
        format!("{} {path}\n{fields}reveal {:?}, state {}", ask.endpoint, ask.reveal, ask.state)
    };
    expect![[r#"
        sms /2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages.json
        To: ZPHIG00C0123456789ABCDEFGHJKMNPQRS
        From: +15550100
        Body: Hello ZPHIG0050123456789ABCDEFGHJKMNPQRT, please call us.
        StatusCallback: https://handoff.example/callbacks/sms
        reveal ["sid", "num_segments"], state send"#]]
    .assert_eq(&show(letter(), SETTINGS));
    expect![[r#"
        texts /2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages.json
        To: ZPHIG00C0123456789ABCDEFGHJKMNPQRS
        MessagingServiceSid: MG0123456789abcdef0123456789abcdef
        Body: Hello ZPHIG0050123456789ABCDEFGHJKMNPQRT, please call us.
        ValidityPeriod: 14400
        SmartEncoded: true
        reveal ["sid", "num_segments"], state send"#]]
    .assert_eq(&show(Letter { callback_url: None, ..letter() }, SERVICE));
}

#[test]
fn the_form_is_one_that_twilio_documents() {
    let spec: Value = serde_json::from_str(include_str!("../data/messages.json")).expect("the trimmed specification");
    for settings in [SETTINGS, SERVICE] {
        let ask = ask(letter(), settings);
        let fields = form(&ask);
        for field in fields {
            let shape = &spec["create"]["properties"][&field.name];
            assert!(shape.is_object(), "Twilio knows no {}", field.name);
            let length = field.value.len() as u64;
            assert!(shape["minLength"].as_u64().is_none_or(|least| length >= least), "{} is short", field.name);
            assert!(shape["maxLength"].as_u64().is_none_or(|most| length <= most), "{} is long", field.name);
        }
        for required in spec["create"]["required"].as_array().expect("a list") {
            assert!(fields.iter().any(|field| Some(field.name.as_str()) == required.as_str()), "{required} is missing");
        }
    }
}

#[test]
fn every_revealed_path_is_in_a_message() {
    let spec: Value = serde_json::from_str(include_str!("../data/messages.json")).expect("the trimmed specification");
    let known: Vec<&str> = spec["message"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let looked_up = match OutreachTwilio::lookup(letter(), SETTINGS.to_owned()) {
        Ok(Turn::Ask(ask)) => ask,
        other => panic!("no ask: {other:?}"),
    };
    for path in ask(letter(), SETTINGS).reveal.iter().chain(&looked_up.reveal) {
        let member = path.strip_prefix("messages[].").unwrap_or(path);
        assert!(known.contains(&member), "{path}");
        assert!(!["to", "from", "body"].contains(&member), "{path} is the patient's");
    }
}

type Headers<'a> = &'a [(&'a str, &'a str)];

#[test]
fn answers_become_receipts_and_failures() {
    let rows: &[(u16, Headers, &str)] = &[
        (201, &[], r#"{"sid":"SM1","num_segments":"2","status":"queued"}"#),
        (201, &[], r#"{"sid":"SM1","num_segments":"0","status":"accepted"}"#),
        (200, &[], "{}"),
        (400, &[], r#"{"code":21211,"message":"ZPHI…"}"#),
        (400, &[], r#"{"code":21614}"#),
        (400, &[], r#"{"code":30003}"#),
        (400, &[], r#"{"code":21610}"#),
        (400, &[], r#"{"code":21408}"#),
        (400, &[], r#"{"code":21617}"#),
        (400, &[], r#"{"code":21606}"#),
        (400, &[], r#"{"code":21703}"#),
        (400, &[], r#"{"code":21609}"#),
        (400, &[], r#"{"code":30034}"#),
        (400, &[], r#"{"code":99999}"#),
        (400, &[], "<html>"),
        (401, &[], r#"{"code":20003}"#),
        (401, &[], ""),
        (403, &[], r#"{"code":20008}"#),
        (404, &[], r#"{"code":20404}"#),
        (404, &[], ""),
        (429, &[("Retry-After", "7")], r#"{"code":20429}"#),
        (429, &[], r#"{"code":20429}"#),
        (429, &[("retry-after", "999999999")], ""),
        (429, &[("retry-after", "soon")], ""),
        (503, &[("retry-after", "Fri, 24 May 2019 17:45:46 GMT"), ("date", "Fri, 24 May 2019 17:44:46 GMT")], ""),
        (500, &[], ""),
        (302, &[], ""),
    ];
    let table: String = rows
        .iter()
        .map(|(status, headers, body)| {
            let turn = OutreachTwilio::resume("send".into(), answer(*status, headers, body), SETTINGS.into());
            format!("{status} {body} -> {}\n", say(&turn))
        })
        .collect();
    expect![[r#"
        201 {"sid":"SM1","num_segments":"2","status":"queued"} -> accepted, SM1, 2 part(s)
        201 {"sid":"SM1","num_segments":"0","status":"accepted"} -> accepted, SM1, 1 part(s)
        200 {} -> accepted, -, 1 part(s)
        400 {"code":21211,"message":"ZPHI…"} -> undeliverable invalid-address, -, 0 part(s)
        400 {"code":21614} -> undeliverable unreachable, -, 0 part(s)
        400 {"code":30003} -> retry after 10 s: Twilio answered 400 with error 30003
        400 {"code":21610} -> refused opted-out: Twilio error 21610: Attempt to send to unsubscribed recipient
        400 {"code":21408} -> refused blocked: Twilio error 21408: Permission to send an SMS has not been enabled for the region
        400 {"code":21617} -> refused too-long: Twilio error 21617: The concatenated message body exceeds the 1600 character limit
        400 {"code":21606} -> misconfigured: from: write an SMS-capable number of this Twilio account (Twilio error 21606: The 'From' phone number is not a message-capable number for this destination)
        400 {"code":21703} -> misconfigured: messaging_service_sid: name a messaging service that has a sender (Twilio error 21703: The messaging service does not have a phone number available)
        400 {"code":21609} -> misconfigured: public address: Twilio cannot call the callback URL back (Twilio error 21609: Invalid 'StatusCallback' URL)
        400 {"code":30034} -> misconfigured: from: register the number (A2P 10DLC, toll-free verification, or sender ID) (Twilio error 30034: US A2P 10DLC - message from an unregistered number)
        400 {"code":99999} -> other: Twilio answered 400 with error 99999
        400 <html> -> other: Twilio answered 400 with error 0
        401 {"code":20003} -> misconfigured: endpoint: Twilio refused our credentials; check the endpoint's account SID and auth token (Twilio error 20003: Permission denied)
        401  -> misconfigured: endpoint: Twilio refused our credentials; check the endpoint's account SID and auth token
        403 {"code":20008} -> misconfigured: endpoint: Twilio refused our credentials; check the endpoint's account SID and auth token (Twilio error 20008: Cannot access this resource with test credentials)
        404 {"code":20404} -> misconfigured: account_sid: the account is unknown, inactive, suspended or out of funds (Twilio error 20404: Not found)
        404  -> misconfigured: account_sid: Twilio knows no such account at this endpoint
        429 {"code":20429} -> retry after 7 s: Twilio answered 429 with error 20429
        429 {"code":20429} -> retry after 10 s: Twilio answered 429 with error 20429
        429  -> retry after 86400 s: Twilio answered 429 with error 0
        429  -> retry after 10 s: Twilio answered 429 with error 0
        503  -> retry after 60 s: Twilio answered 503 with error 0
        500  -> retry after 60 s: Twilio answered 500 with error 0
        302  -> other: Twilio answered 302 with error 0
    "#]].assert_eq(&table);
}

#[test]
fn other_tongues_are_a_mistake_of_the_set_up() {
    let responses = [
        Response::Mllp(String::new()),
        Response::Mail(MailResponse { code: 250, enhanced: String::new(), text: String::new() }),
    ];
    let table: String = responses
        .into_iter()
        .map(|response| say(&OutreachTwilio::resume("send".into(), response, SETTINGS.into())) + "\n")
        .collect();
    expect![[r#"
        misconfigured: endpoint: name an HTTP endpoint; this one does not speak HTTP
        misconfigured: endpoint: name an HTTP endpoint; this one does not speak HTTP
    "#]]
    .assert_eq(&table);
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let sid = "0123456789abcdef0123456789abcdef";
    let rows = [
        String::new(),
        "{".into(),
        r#"{"account_sid":"AC1","from":"+1"}"#.into(),
        format!(r#"{{"account_sid":"AC{sid}"}}"#),
        format!(r#"{{"account_sid":"AC{sid}","from":""}}"#),
        format!(r#"{{"account_sid":"AC{sid}","from":"+1","messaging_service_sid":"MG{sid}"}}"#),
        format!(r#"{{"account_sid":"AC{sid}","messaging_service_sid":"XX{sid}"}}"#),
        format!(r#"{{"account_sid":"AC{sid}","from":"+1","validity_seconds":0}}"#),
        format!(r#"{{"account_sid":"AC{sid}","from":"+1","auth_token":"never here"}}"#),
    ];
    let table: String =
        rows.into_iter().map(|settings| say(&OutreachTwilio::compose(letter(), settings)) + "\n").collect();
    expect![[r#"
        misconfigured: settings of outreach-twilio: missing field `account_sid` at line 1 column 2
        misconfigured: settings of outreach-twilio: EOF while parsing an object at line 1 column 1
        misconfigured: account_sid: write the account's SID, AC and 32 hexadecimal digits
        misconfigured: from: write your number, or name a messaging_service_sid instead
        misconfigured: from: write your number, such as +15550100
        misconfigured: from: leave it out where there is a messaging_service_sid
        misconfigured: messaging_service_sid: write the service's SID, MG and 32 hexadecimal digits
        misconfigured: validity_seconds: write 1 to 36000
        misconfigured: settings of outreach-twilio: unknown field `auth_token`, expected one of `account_sid`, `from`, `messaging_service_sid`, `endpoint`, `auth_token_secret`, `shared_key_secret`, `callback_url`, `validity_seconds`, `smart_encoded` at line 1 column 76
    "#]].assert_eq(&table);
}

#[test]
fn other_channels_are_not_for_twilio() {
    let mail = Letter { channel: ChannelKind::Email, ..letter() };
    expect!["misconfigured: outreach-twilio carries sms only: give the workflow's email and portal to another plugin"]
        .assert_eq(&say(&OutreachTwilio::compose(mail.clone(), SETTINGS.into())));
    assert_eq!(OutreachTwilio::lookup(mail.clone(), SETTINGS.into()), OutreachTwilio::compose(mail, SETTINGS.into()));
}
