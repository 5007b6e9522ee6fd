//! The mail server, over a raw socket.

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::fair_weather;
use crate::PracticeServers;

/// Sends each line and gives the code of each answer, the greeting first.
async fn converse(practice: &PracticeServers, lines: &[&str]) -> Vec<u16> {
    let mut stream = BufReader::new(TcpStream::connect(practice.addresses().smtp).await.expect("connected"));
    let mut codes = Vec::new();
    for line in std::iter::once(&"").chain(lines) {
        if !line.is_empty() {
            stream.write_all(format!("{line}\r\n").as_bytes()).await.expect("writable");
        }
        loop {
            let mut answer = String::new();
            stream.read_line(&mut answer).await.expect("readable");
            if answer.as_bytes().get(3) != Some(&b'-') {
                codes.push(answer[..3].parse().expect("a code"));
                break;
            }
        }
    }
    codes
}

#[tokio::test]
async fn takes_a_mail_and_unstuffs_its_dots() {
    let practice = PracticeServers::start(fair_weather(40)).await.expect("started");
    let people = practice.people();
    let good = people.iter().position(|person| !person.nature.bad_mailbox).expect("somebody");
    let bad = people.iter().find(|person| person.nature.bad_mailbox).expect("somebody");
    let to = format!("RCPT TO:<{}>", people[good].email.to_uppercase());
    let refused = format!("RCPT TO:<{}>", bad.email);
    let message = "Message-ID: <L-1@handoff.example>\r\nSubject: =?utf-8?Q?Su_cita?=\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nHola =C3=B1\r\n..two dots\r\n.";
    let codes = converse(
        &practice,
        &[
            "EHLO client",
            "AUTH PLAIN AHVzZXIAcGFzcw==",
            &to,
            "MAIL FROM:<desk@northside.example>",
            "DATA",
            &refused,
            &to,
            "DATA",
            message,
            "RSET",
            "NONSENSE",
            "QUIT",
        ],
    )
    .await;
    assert_eq!(codes, [220, 250, 235, 503, 250, 503, 550, 250, 354, 250, 250, 500, 221]);
    let mails = practice.ledger().mails;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].person, Some(good));
    assert_eq!((mails[0].subject.as_str(), mails[0].text.as_str()), ("Su cita", "Hola ñ\n.two dots"));
    assert_eq!(mails[0].message_id, "L-1@handoff.example");
}
