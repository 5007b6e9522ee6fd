//! The mail (RFC 5322). The host adds Date, Message-ID and the envelope.

use crate::settings::Settings;
use crate::{Ask, Attribute, ChannelKind, Failure, Letter, Mail, Request};

pub fn ask(letter: &Letter, settings: &Settings) -> Result<Ask, Failure> {
    match letter.channel {
        ChannelKind::Email => {}
        ChannelKind::Sms | ChannelKind::Portal => {
            return Err(Failure::Misconfigured(
                "outreach-email carries email only: give the workflow's sms and portal to another plugin".to_owned(),
            ));
        }
    }
    let mail = Mail {
        from: settings.from.clone(),
        to: letter.to.clone(),
        reply_to: settings.reply_to.clone(),
        subject: subject(letter, settings),
        text: letter.text.clone(),
        headers: headers(letter, settings),
    };
    Ok(Ask { endpoint: settings.endpoint.clone(), request: Request::Mail(mail), reveal: vec![], state: String::new() })
}

/// One line: a line break would begin another header.
fn subject(letter: &Letter, settings: &Settings) -> String {
    let words: Vec<&str> = letter
        .subject
        .split(|letter: char| letter.is_control() || letter == ' ')
        .filter(|word| !word.is_empty())
        .collect();
    if words.is_empty() { settings.default_subject.clone() } else { words.join(" ") }
}

fn headers(letter: &Letter, settings: &Settings) -> Vec<Attribute> {
    // RFC 3834: keeps out-of-office answers away.
    let mut headers = vec![header("Auto-Submitted", "auto-generated")];
    if is_language_tag(&letter.language) {
        headers.push(header("Content-Language", &letter.language));
    }
    if let Some(url) = &settings.unsubscribe_url {
        headers.push(header("List-Unsubscribe", &format!("<{url}>")));
        headers.push(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
    }
    headers
}

fn is_language_tag(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn header(name: &str, value: &str) -> Attribute {
    Attribute { name: name.to_owned(), value: value.to_owned() }
}
