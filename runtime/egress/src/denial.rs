//! Why a request does not leave Handoff, with the lines that would let it. Names places, never what stands there.

use chrono::{Months, NaiveDate};

use handoff_engine::ids::{StageKey, Token};
use handoff_vault::substitute::TokenPlace;
use handoff_vault::{VaultError, token};

/// The request was not sent, for a reason that a person has to look at.
#[derive(Debug, thiserror::Error)]
pub enum Denial {
    #[error("{stage} may not reach the endpoint {endpoint}\n{}", in_workflow(stage, "endpoints", granted, endpoint))]
    EndpointNotGranted { stage: StageKey, endpoint: String, granted: Vec<String> },
    #[error("{stage} may not read {path} of a response in clear\n{}", in_workflow(stage, "reveal", granted, path))]
    RevealNotGranted { stage: StageKey, path: String, granted: Vec<String> },
    #[error("there is no endpoint {endpoint}\n{}", in_config(endpoint, "url: https://…"))]
    UnknownEndpoint { endpoint: String },
    #[error(
        "{stage} would send patient data to the endpoint {endpoint}, for which no agreement is named\n{}",
        in_config(endpoint, "baa:\n        reference: the agreement's number")
    )]
    NoAgreement { stage: StageKey, endpoint: String },
    #[error(
        "the agreement for the endpoint {endpoint} expired on {expired}, and nothing goes there; once it is renewed,\n{}",
        in_config(endpoint, &format!("baa:\n        expires: {}", a_year_after(*expired)))
    )]
    AgreementExpired { endpoint: String, expired: NaiveDate },
    #[error(
        "the endpoint {endpoint} does not allow {method}\n{}",
        in_config(endpoint, &format!("methods: {}", with(allowed.iter().copied(), method)))
    )]
    MethodNotAllowed { endpoint: String, method: &'static str, allowed: Vec<&'static str> },
    #[error(
        "the endpoint {endpoint} does not allow the path {path}\n{}",
        in_config(endpoint, &format!("paths: {}", with(allowed.iter().map(String::as_str), fixed(path))))
    )]
    PathNotAllowed { endpoint: String, path: String, allowed: Vec<String> },
    #[error(
        "{stage} asked the endpoint {endpoint}, which speaks {scheme}, for {asked}\n{}",
        in_config(endpoint, &format!("url: {}", example_url(asked)))
    )]
    OtherProtocol { stage: StageKey, endpoint: String, scheme: String, asked: &'static str },
    #[error(
        "the endpoint {endpoint} leads to an address that it may not reach; if it is in your own network:\n{}",
        in_config(endpoint, "allow_private: true")
    )]
    AddressForbidden { endpoint: String },
    #[error(
        "the endpoint {endpoint} answered with more than {bytes_max} bytes\n{}",
        in_config(endpoint, &format!("response_bytes_max: {}", bytes_max.saturating_mul(4)))
    )]
    ResponseTooLong { endpoint: String, bytes_max: usize },
    #[error(
        "the endpoint {endpoint} was given no access token ({what}); as its entry has it:\n{}",
        in_config(endpoint, &format!("credentials:{lines}"))
    )]
    NoAccessToken { endpoint: String, what: String, lines: String },
    #[error(
        "the mail server of the endpoint {endpoint} offers no STARTTLS\n{}",
        in_config(endpoint, &format!("url: smtps://{host}"))
    )]
    NoStartTls { endpoint: String, host: String },
    #[error(
        "the mail server of the endpoint {endpoint} refused the login; as its entry has it:\n{}",
        in_config(endpoint, &format!("credentials:{lines}"))
    )]
    LoginRefused { endpoint: String, lines: String },
    #[error("{stage} placed a token of another patient: {token}")]
    ForeignToken { stage: StageKey, token: Token },
    #[error("{stage} would mail patient data to an address that it chose itself; `to` has to be the patient's token")]
    OtherRecipient { stage: StageKey },
    #[error("{stage} placed a token that cannot be opened")]
    Sealed { stage: StageKey, source: VaultError },
    #[error("the value of {token} cannot stand in {place}: {why}")]
    Unplaceable { token: Token, place: TokenPlace, why: &'static str },
    #[error("{stage} made a request that cannot be sent: {place} {why}")]
    Malformed { stage: StageKey, place: String, why: &'static str },
}

/// The lines of the configuration that have to be there, or to be mended.
fn in_config(endpoint: &str, line: &str) -> String {
    format!("help: write in the configuration:\n  endpoints:\n    {endpoint}:\n      {line}")
}

/// `outreach.sms` as its lines in the workflow, the granted and the wanted names in one list.
fn in_workflow(stage: &str, key: &str, granted: &[String], wanted: &str) -> String {
    let mut lines = String::from("help: write in the workflow:\n  stages:\n");
    let mut indent = 4;
    for part in stage.split('.') {
        lines += &format!("{:indent$}{part}:\n", "");
        indent += 2;
    }
    lines + &format!("{:indent$}{key}: {}", "", with(granted.iter().map(String::as_str), wanted))
}

/// As long as agreements usually run.
fn a_year_after(expired: NaiveDate) -> NaiveDate {
    expired.checked_add_months(Months::new(12)).unwrap_or(expired)
}

/// A list in YAML of what is there and what is wanted.
fn with<'a>(granted: impl Iterator<Item = &'a str>, wanted: &'a str) -> String {
    let names: Vec<String> = granted.chain([wanted]).map(yaml_word).collect();
    format!("[{}]", names.join(", "))
}

/// The part of a path that is the same for every patient: whole segments before the first token.
fn fixed(path: &str) -> &str {
    let end = token::find(path).next().map_or(path.len(), |found| found.start);
    match path[..end].rfind('/') {
        Some(slash) if end < path.len() => &path[..slash.max(1)],
        Some(_) | None => path,
    }
}

/// Quoted where YAML would read it otherwise: `"entry[].resource.status"`.
fn yaml_word(word: &str) -> String {
    match word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/')) {
        true => word.to_string(),
        false => format!("\"{word}\""),
    }
}

fn example_url(asked: &str) -> &'static str {
    match asked {
        "mail" => "smtps://mail.example",
        "MLLP" => "mllp://host:2575",
        _ => "https://host",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_ends_with_the_lines_that_would_allow_it() {
        let denial = Denial::EndpointNotGranted {
            stage: "outreach.sms".into(),
            endpoint: "sms-backup".into(),
            granted: vec!["sms".into()],
        };
        assert_eq!(
            denial.to_string(),
            "outreach.sms may not reach the endpoint sms-backup\nhelp: write in the workflow:\n  stages:\n    outreach:\n      \
             sms:\n        endpoints: [sms, sms-backup]"
        );
        let path = "entry[].resource.status".to_string();
        let denial = Denial::RevealNotGranted { stage: "records".into(), path, granted: Vec::new() };
        assert!(denial.to_string().ends_with("\n  stages:\n    records:\n      reveal: [\"entry[].resource.status\"]"));
    }
}
