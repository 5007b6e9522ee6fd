//! Mail, to a server that keeps what it is told.

use super::*;

/// A mail server that keeps what it is told, and answers each command as `answers` says (`EHLO` and `QUIT` kindly).
pub(super) async fn mail_server(answers: &'static [(&'static str, &'static str)]) -> (String, Arc<Mutex<String>>) {
    let told: Arc<Mutex<String>> = Arc::default();
    let keeper = Arc::clone(&told);
    let url = raw("smtp", move |stream| {
        let told = Arc::clone(&keeper);
        async move {
            let mut stream = BufReader::new(stream);
            stream.get_mut().write_all(b"220 mail.test ESMTP\r\n").await?;
            let (mut line, mut text) = (String::new(), false);
            loop {
                line.clear();
                if stream.read_line(&mut line).await? == 0 {
                    return Ok(());
                }
                told.lock().push_str(&line);
                let command = match (text, line.trim_end()) {
                    (true, ".") => "TEXT",
                    (true, _) => continue,
                    (false, command) => command,
                };
                let found = answers.iter().find(|(known, _)| command.starts_with(known)).map(|(_, answer)| *answer);
                let answer = match found {
                    Some("hang up") => return Ok(()),
                    Some("stay silent") => continue,
                    Some(answer) => answer,
                    None if command == "DATA" => "354 go on",
                    None if command.starts_with("EHLO") => "250-mail.test\r\n250 AUTH PLAIN LOGIN",
                    None => "250 2.0.0 Ok",
                };
                text = answer.starts_with("354");
                stream.get_mut().write_all(format!("{answer}\r\n").as_bytes()).await?;
            }
        }
    })
    .await;
    (url, told)
}

pub(super) fn mail(house: &House) -> Mail {
    Mail {
        from: "Lakeside Family Medicine <care@lakeside.example>".into(),
        to: format!("{}", house.phone),
        reply_to: None,
        subject: format!("About {}", house.name),
        text: format!("Dear {},\n.\nplease call us.\n", house.name),
        headers: vec![attribute("Auto-Submitted", "auto-generated")],
    }
}

/// Handoff, its patient's phone being a mail address.
pub(super) fn house_with_mail() -> House {
    let mut house = house();
    let mut sealing = house.vault.sealing(&house.index);
    house.phone = sealing.seal(&house.patient, "email", "ana@example.org");
    house.index.apply(sealing.finish().expect("finished"));
    house
}

#[tokio::test]
async fn a_mail_goes_out_whole() {
    let house = house_with_mail();
    let (url, told) = mail_server(&[("AUTH", "235 2.7.0 welcome"), ("TEXT", "250 2.0.0 Ok: queued as 4F")]).await;
    let out = egress(&url, r#", "credentials": {"kind": "login", "user": "us", "password": "pw"}"#);
    let ask = Ask { request: Request::Mail(mail(&house)), ..post(Body::Empty) };
    let performed = house.perform(&out, ask).await;
    let Ok(Performed::Answered(Response::Mail(response))) = performed else { panic!("{performed:?}") };
    assert_eq!((response.code, response.enhanced.as_str()), (250, "2.0.0"));
    assert_eq!(house.clear(&response.text), "2.0.0 Ok: queued as 4F");
    let told = told.lock().clone();
    for line in [
        "AUTH PLAIN AHVzAHMzY3JldA==\r\n",
        "MAIL FROM:<care@lakeside.example>\r\n",
        "RCPT TO:<ana@example.org>\r\n",
        "Subject: About Ana \"Nena\" Cruz\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Date: Mon, 21 Sep 2026 14:13:20 +0000\r\n",
        "Dear Ana \"Nena\" Cruz,\r\n..\r\nplease call us.\r\n",
        "@lakeside.example>\r\n",
    ] {
        assert!(told.contains(line), "{line:?} in {told}");
    }
}

#[tokio::test]
async fn a_mail_servers_refusal_is_an_answer_and_silence_is_judged() {
    let house = house_with_mail();
    let login = r#", "credentials": {"kind": "login", "user": "us", "password": "pw"}"#;
    const REFUSED: &str = "550 5.1.1 <ana@example.org>: no such user";
    for (answers, more, expected) in [
        (&[("RCPT", REFUSED)][..], "", "550 5.1.1"),
        (&[("MAIL", "451 later")], "", "451 "),
        (&[("TEXT", "554 5.7.1 spam")], "", "554 5.7.1"),
        (&[("EHLO", "hang up")], "", "NotSent"),
        (&[("RCPT", "hang up")], "", "NotSent"),
        (&[("DATA", "stay silent")], "", "NotSent"),
        (&[("TEXT", "hang up")], "", "InDoubt"),
        (&[("TEXT", "stay silent")], "", "InDoubt"),
        (&[("AUTH", "535 5.7.8 no")], login, "refused the login"),
        (&[("AUTH", "hang up")], login, "NotSent"),
    ] {
        let (url, _) = mail_server(answers).await;
        let ask = Ask { request: Request::Mail(mail(&house)), ..post(Body::Empty) };
        let shown = match house.perform(&egress(&url, more), ask).await {
            Ok(Performed::Answered(Response::Mail(said))) => format!("{} {} {}", said.code, said.enhanced, said.text),
            Ok(other) => format!("{other:?}"),
            Err(denial) => denial.to_string(),
        };
        assert!(shown.contains(expected) && !shown.contains("ana@"), "{answers:?}: {shown}");
    }
}

#[tokio::test]
async fn a_mail_that_would_say_more_than_it_should_is_not_written() {
    let house = house_with_mail();
    let (url, told) = mail_server(&[]).await;
    let mut sealing = house.vault.sealing(&house.index);
    let bait = sealing.seal(&house.patient, "name", "Ana\r\nBcc: evil@example.org");
    house.index.apply(sealing.finish().expect("finished"));
    let good = || mail(&house);
    for (mail, expected) in [
        (Mail { subject: bait.0.clone(), ..good() }, "Unplaceable"),
        (Mail { subject: "a\r\nBcc: evil@example.org".into(), ..good() }, "Malformed"),
        (Mail { to: house.name.0.clone(), ..good() }, "Malformed"),
        (Mail { headers: vec![attribute("Bcc", "evil@example.org")], ..good() }, "Malformed"),
        (Mail { headers: vec![attribute("X-A\r\nBcc", "evil@example.org")], ..good() }, "Malformed"),
        (Mail { to: house.foreign.0.clone(), ..good() }, "ForeignToken"),
        (Mail { to: "evil@example.org".into(), ..good() }, "OtherRecipient"),
    ] {
        let ask = Ask { request: Request::Mail(mail), ..post(Body::Empty) };
        let denial = house.perform(&egress(&url, ""), ask).await.expect_err(expected);
        assert!(format!("{denial:?}").starts_with(expected), "{denial:?}");
    }
    assert_eq!(*told.lock(), "");
}

#[tokio::test]
async fn a_mail_keeps_its_message_id_over_attempts_and_shares_it_with_no_other_letter() {
    let house = house_with_mail();
    let (url, told) = mail_server(&[("TEXT", "250 2.0.0 Ok")]).await;
    let out = egress(&url, "");
    for number in [1, 1, 2] {
        let ask = Ask { request: Request::Mail(mail(&house)), ..post(Body::Empty) };
        house.perform_for(number, &out, ask).await.expect("sent");
    }
    let told = told.lock().clone();
    let ids: Vec<&str> = told.lines().filter(|line| line.starts_with("Message-ID: ")).collect();
    assert_eq!(ids.len(), 3, "{told}");
    assert_eq!(ids[0], ids[1], "the same letter once more");
    assert_ne!(ids[0], ids[2], "another letter in the same words");
}
