//! A letter becomes a mail, and the mail server's word a receipt.

use expect_test::expect;
use outreach_email::*;
use proptest::prelude::*;

const SETTINGS: &str = r#"{"from":"Referral Desk <referrals@clinic.example>"}"#;
const ADDRESS: &str = "ZPHIA00H0123456789ABCDEFGHJKMNPQRS";

fn letter() -> Letter {
    Letter {
        id: "letter-1".into(),
        channel: ChannelKind::Email,
        to: ADDRESS.into(),
        language: "es".into(),
        subject: "Your referral".into(),
        text: "Hello.\nPlease call us.".into(),
        callback_url: None,
        extras: vec![],
    }
}

fn mail(letter: Letter, settings: &str) -> Mail {
    match OutreachEmail::compose(letter, settings.to_owned()) {
        Ok(Turn::Ask(Ask { request: Request::Mail(mail), .. })) => mail,
        other => panic!("no mail: {other:?}"),
    }
}

fn say(turn: Result<Turn, Failure>) -> String {
    match turn {
        Ok(Turn::Ask(ask)) => format!("ask {}", ask.endpoint),
        Ok(Turn::Done(receipt)) => match receipt.outcome {
            Outcome::Accepted => "accepted".to_owned(),
            Outcome::Undeliverable(why) => format!("undeliverable {why}"),
            other => format!("{other:?}"),
        },
        Err(Failure::RetryAfter(retry)) => format!("retry after {} s: {}", retry.seconds, retry.reason),
        Err(Failure::Refused(refusal)) => format!("refused {}: {}", refusal.code, refusal.reason),
        Err(Failure::Misconfigured(why)) => format!("misconfigured: {why}"),
        Err(Failure::Other(why)) => format!("other: {why}"),
    }
}

#[test]
fn a_letter_becomes_a_mail() {
    expect![[r#"
        Mail {
            from: "Referral Desk <referrals@clinic.example>",
            to: "ZPHIA00H0123456789ABCDEFGHJKMNPQRS",
            reply-to: None,
            subject: "Your referral",
            text: "Hello.\nPlease call us.",
            headers: [
                Attribute {
                    name: "Auto-Submitted",
                    value: "auto-generated",
                },
                Attribute {
                    name: "Content-Language",
                    value: "es",
                },
            ],
        }
    "#]]
    .assert_debug_eq(&mail(letter(), SETTINGS));
}

#[test]
fn settings_add_headers() {
    let settings = r#"{"from":"a@clinic.example","reply_to":"b@clinic.example","unsubscribe_url":"https://clinic.example/u","endpoint":"m365"}"#;
    let mail = mail(letter(), settings);
    let headers: Vec<String> = mail.headers.iter().map(|header| format!("{}: {}", header.name, header.value)).collect();
    expect![[r#"
        Some("b@clinic.example")
        Auto-Submitted: auto-generated
        Content-Language: es
        List-Unsubscribe: <https://clinic.example/u>
        List-Unsubscribe-Post: List-Unsubscribe=One-Click"#]]
    .assert_eq(&format!("{:?}\n{}", mail.reply_to, headers.join("\n")));
}

#[test]
fn a_subject_is_one_line_and_never_empty() {
    for (subject, expected) in [
        ("Your referral", "Your referral"),
        ("", "A message from your care team"),
        (" \r\n ", "A message from your care team"),
        ("Your\r\nBcc: other@example.org", "Your Bcc: other@example.org"),
    ] {
        assert_eq!(mail(Letter { subject: subject.into(), ..letter() }, SETTINGS).subject, expected);
    }
}

#[test]
fn a_language_that_is_no_tag_is_left_out() {
    for language in ["", "e s", "es\r\nBcc: other@example.org"] {
        let mail = mail(Letter { language: language.into(), ..letter() }, SETTINGS);
        assert!(mail.headers.iter().all(|header| header.name != "Content-Language"), "{language:?}");
    }
}

#[test]
fn the_mail_server_s_last_word() {
    let rows = [
        (250, "2.0.0"),
        (250, ""),
        (251, ""),
        (421, "4.3.2"),
        (450, "4.2.1"),
        (451, "4.7.1"),
        (452, "4.2.2"),
        (452, ""),
        (454, "4.7.0"),
        (550, "5.1.1"),
        (550, "5.1.2"),
        (553, "5.1.3"),
        (550, "5.1.6"),
        (550, "5.1.10"),
        (550, "5.1.8"),
        (550, "5.1.90"),
        (550, "5.4.5"),
        (550, "5.7.515"),
        (550, "5.7.509"),
        (550, "5.7.504"),
        (550, "5.7.708"),
        (550, "5.7.232"),
        (421, "4.7.28"),
        (550, "5.2.121"),
        (550, "5.7.17"),
        (550, "5.3.2"),
        (550, "5.2.1"),
        (552, "5.2.2"),
        (552, "5.2.3"),
        (552, "5.3.4"),
        (550, "5.4.1"),
        (554, "5.6.0"),
        (550, "5.7.1"),
        (550, "5.7.26"),
        (550, "5.7.8"),
        (550, "5.7.27"),
        (554, "5.0.0"),
        (550, "5.5.0"),
        (550, ""),
        (551, ""),
        (553, ""),
        (556, ""),
        (521, ""),
        (552, ""),
        (554, ""),
        (530, "5.7.0"),
        (534, ""),
        (535, "5.7.8"),
        (538, ""),
        (500, ""),
        (555, ""),
        (550, "2.1.1"),
        (550, "5.x.1"),
        (354, ""),
        (0, ""),
    ];
    let table: String = rows
        .into_iter()
        .map(|(code, enhanced)| {
            let response = MailResponse { code, enhanced: enhanced.into(), text: format!("<{ADDRESS}> said no") };
            let said = say(OutreachEmail::resume(String::new(), Response::Mail(response), SETTINGS.into()));
            assert!(!said.contains("ZPHI"), "{said}");
            format!("{code} {enhanced:6} -> {said}\n")
        })
        .collect();
    expect![[r#"
        250 2.0.0  -> accepted
        250        -> accepted
        251        -> accepted
        421 4.3.2  -> retry after 300 s: SMTP 421 4.3.2
        450 4.2.1  -> retry after 300 s: SMTP 450 4.2.1
        451 4.7.1  -> retry after 300 s: SMTP 451 4.7.1
        452 4.2.2  -> retry after 3600 s: SMTP 452 4.2.2
        452        -> retry after 300 s: SMTP 452
        454 4.7.0  -> retry after 300 s: SMTP 454 4.7.0
        550 5.1.1  -> undeliverable invalid-address
        550 5.1.2  -> undeliverable invalid-address
        553 5.1.3  -> undeliverable invalid-address
        550 5.1.6  -> undeliverable invalid-address
        550 5.1.10 -> undeliverable invalid-address
        550 5.1.8  -> misconfigured: from: the mail server refuses this sender (SMTP 550 5.1.8)
        550 5.1.90 -> retry after 5400 s: SMTP 550 5.1.90
        550 5.4.5  -> retry after 5400 s: SMTP 550 5.4.5
        550 5.7.515 -> misconfigured: from: SPF, DKIM or DMARC of this domain does not vouch for our mail server (SMTP 550 5.7.515)
        550 5.7.509 -> misconfigured: from: SPF, DKIM or DMARC of this domain does not vouch for our mail server (SMTP 550 5.7.509)
        550 5.7.504 -> undeliverable invalid-address
        550 5.7.708 -> misconfigured: endpoint: the receiving side has banned our mail server or account; ask to be delisted (SMTP 550 5.7.708)
        550 5.7.232 -> retry after 5400 s: SMTP 550 5.7.232
        421 4.7.28 -> retry after 5400 s: SMTP 421 4.7.28
        550 5.2.121 -> retry after 3600 s: SMTP 550 5.2.121
        550 5.7.17 -> undeliverable invalid-address
        550 5.3.2  -> retry after 3600 s: SMTP 550 5.3.2
        550 5.2.1  -> undeliverable unreachable
        552 5.2.2  -> refused mailbox-full: SMTP 552 5.2.2
        552 5.2.3  -> refused too-long: SMTP 552 5.2.3
        552 5.3.4  -> refused too-long: SMTP 552 5.3.4
        550 5.4.1  -> undeliverable unreachable
        554 5.6.0  -> refused blocked: SMTP 554 5.6.0
        550 5.7.1  -> refused blocked: SMTP 550 5.7.1
        550 5.7.26 -> misconfigured: from: SPF, DKIM or DMARC of this domain does not vouch for our mail server (SMTP 550 5.7.26)
        550 5.7.8  -> misconfigured: endpoint: the mail server refused our credentials; check user, password or token (SMTP 550 5.7.8)
        550 5.7.27 -> misconfigured: from: the mail server refuses this sender (SMTP 550 5.7.27)
        554 5.0.0  -> refused blocked: SMTP 554 5.0.0
        550 5.5.0  -> undeliverable unreachable
        550        -> undeliverable unreachable
        551        -> undeliverable invalid-address
        553        -> undeliverable invalid-address
        556        -> undeliverable invalid-address
        521        -> undeliverable invalid-address
        552        -> refused mailbox-full: SMTP 552
        554        -> refused blocked: SMTP 554
        530 5.7.0  -> misconfigured: endpoint: the mail server refused our credentials; check user, password or token (SMTP 530 5.7.0)
        534        -> misconfigured: endpoint: the mail server refused our credentials; check user, password or token (SMTP 534)
        535 5.7.8  -> misconfigured: endpoint: the mail server refused our credentials; check user, password or token (SMTP 535 5.7.8)
        538        -> misconfigured: endpoint: the mail server refused our credentials; check user, password or token (SMTP 538)
        500        -> other: SMTP 500
        555        -> other: SMTP 555
        550 2.1.1  -> undeliverable unreachable
        550 5.x.1  -> undeliverable unreachable
        354        -> other: SMTP 354
        0        -> other: SMTP 0
    "#]].assert_eq(&table);
}

#[test]
fn other_tongues_are_a_mistake_of_the_set_up() {
    let responses = [
        Response::Mllp(String::new()),
        Response::Http(HttpResponse { status: 200, headers: vec![], body: String::new() }),
    ];
    let table: String = responses
        .into_iter()
        .map(|response| say(OutreachEmail::resume(String::new(), response, SETTINGS.into())) + "\n")
        .collect();
    expect![[r#"
        misconfigured: endpoint: name a mail server; this endpoint is none
        misconfigured: endpoint: name a mail server; this endpoint is none
    "#]]
    .assert_eq(&table);
}

#[test]
fn mail_has_neither_look_up_nor_callbacks() {
    expect!["refused no-lookup: a mail server cannot be asked whether it took a mail"]
        .assert_eq(&say(OutreachEmail::lookup(letter(), SETTINGS.into())));
    let callback = Callback { headers: vec![], fields: vec![], received_at: 0 };
    assert_eq!(OutreachEmail::authenticate(callback.clone(), SETTINGS.into()), vec![]);
    assert!(OutreachEmail::receive(callback, SETTINGS.into()).is_err());
    assert!(OutreachEmail::clear_fields().is_empty());
}

#[test]
fn letters_and_settings_that_cannot_be_used_are_named() {
    let with = |more: &str| SETTINGS.replace('}', &format!(",{more}}}"));
    let rows = [
        say(OutreachEmail::compose(Letter { channel: ChannelKind::Sms, ..letter() }, SETTINGS.into())),
        say(OutreachEmail::compose(letter(), String::new())),
        say(OutreachEmail::compose(letter(), r#"{"from":"nobody"}"#.into())),
        say(OutreachEmail::compose(letter(), r#"{"from":"a@b\r\nBcc: c@d"}"#.into())),
        say(OutreachEmail::compose(letter(), with(r#""reply_to":"nobody""#))),
        say(OutreachEmail::compose(letter(), with(r#""unsubscribe_url":"http://clinic.example""#))),
        say(OutreachEmail::compose(letter(), with(r#""unsubscribe_url":"https://a> <b""#))),
        say(OutreachEmail::compose(letter(), with(r#""default_subject":" ""#))),
        say(OutreachEmail::compose(letter(), with(r#""password":"never here""#))),
    ];
    expect![[r#"
        misconfigured: outreach-email carries email only: give the workflow's sms and portal to another plugin
        misconfigured: settings of outreach-email: missing field `from` at line 1 column 2
        misconfigured: from: write a mail address, such as Referral Desk <referrals@clinic.example>
        misconfigured: from: write a mail address, such as Referral Desk <referrals@clinic.example>
        misconfigured: reply_to: write a mail address
        misconfigured: unsubscribe_url: write an https URL; one-click unsubscribing works with no other (RFC 8058)
        misconfigured: unsubscribe_url: write an https URL; one-click unsubscribing works with no other (RFC 8058)
        misconfigured: default_subject: write one line
        misconfigured: settings of outreach-email: unknown field `password`, expected one of `from`, `reply_to`, `endpoint`, `unsubscribe_url`, `default_subject` at line 1 column 61"#]].assert_eq(&rows.join("\n"));
}

proptest! {
    #[test]
    fn never_panics_and_never_breaks_a_header(subject in "[ -~\r\n\t]*", language in ".*", settings in ".*", code in any::<u16>(), enhanced in "[0-9.]{0,12}") {
        let mail = mail(Letter { subject, language, ..letter() }, SETTINGS);
        let lines = [mail.subject.as_str()].into_iter().chain(mail.headers.iter().map(|header| header.value.as_str())).all(|text| !text.contains(['\r', '\n']));
        prop_assert!(lines);
        let _ = OutreachEmail::compose(letter(), settings);
        let response = MailResponse { code, enhanced, text: String::new() };
        let _ = OutreachEmail::resume(String::new(), Response::Mail(response), SETTINGS.into());
    }
}
