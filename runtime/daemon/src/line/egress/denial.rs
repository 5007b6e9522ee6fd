//! Why a request does not leave the house, with the lines that would let it. Names places, never what stands there.

use chrono::NaiveDate;

use handoff_engine::ids::Token;

use crate::vault::VaultError;

/// The request was not sent, for a reason that a person has to look at.
#[derive(Debug, thiserror::Error)]
pub enum Denial {
    #[error("{stage} may not reach the endpoint {endpoint}\n{}", in_workflow(stage, "endpoints", granted, endpoint))]
    EndpointNotGranted { stage: String, endpoint: String, granted: Vec<String> },
    #[error("{stage} may not read {path} of a response in clear\n{}", in_workflow(stage, "reveal", granted, path))]
    RevealNotGranted { stage: String, path: String, granted: Vec<String> },
    #[error("there is no endpoint {endpoint}\n{}", in_config(endpoint, "url: https://…"))]
    UnknownEndpoint { endpoint: String },
    #[error(
        "{stage} would send patient data to the endpoint {endpoint}, for which no agreement is named\n{}",
        in_config(endpoint, "baa:\n        reference: the agreement's number")
    )]
    NoAgreement { stage: String, endpoint: String },
    #[error(
        "the agreement for the endpoint {endpoint} expired on {expired}\n{}",
        in_config(endpoint, "baa:\n        expires: the new date, once it is renewed")
    )]
    AgreementExpired { endpoint: String, expired: NaiveDate },
    #[error(
        "the endpoint {endpoint} does not allow {method}\n{}",
        in_config(endpoint, &format!("methods: [{method}]"))
    )]
    MethodNotAllowed { endpoint: String, method: &'static str },
    #[error(
        "the endpoint {endpoint} does not allow the path {path}\n{}",
        in_config(endpoint, &format!("paths: [{path}]"))
    )]
    PathNotAllowed { endpoint: String, path: String },
    #[error(
        "{stage} asked the endpoint {endpoint}, which speaks {scheme}, for {asked}\n{}",
        in_config(endpoint, &format!("url: {}", example_url(asked)))
    )]
    OtherProtocol { stage: String, endpoint: String, scheme: String, asked: &'static str },
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
    #[error("the endpoint {endpoint} was given no access token ({what})\n{}", in_config(endpoint, "credentials:"))]
    NoAccessToken { endpoint: String, what: String },
    #[error("the mail server of the endpoint {endpoint} {what}\n{}", in_config(endpoint, "credentials:"))]
    MailLogin { endpoint: String, what: &'static str },
    #[error("{stage} placed a token of another patient: {token}")]
    ForeignToken { stage: String, token: Token },
    #[error("{stage} placed a token that cannot be opened")]
    Sealed { stage: String, source: VaultError },
    #[error("the value of {token} cannot stand in {place}: {why}")]
    Unplaceable { token: Token, place: &'static str, why: &'static str },
    #[error("{stage} made a request that cannot be sent: {place} {why}")]
    Malformed { stage: String, place: String, why: &'static str },
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
    let names: Vec<String> = granted.iter().map(String::as_str).chain([wanted]).map(yaml_word).collect();
    lines + &format!("{:indent$}{key}: [{}]", "", names.join(", "))
}

/// Quoted where YAML would read it otherwise: `"entry[].resource.status"`.
fn yaml_word(word: &str) -> String {
    match word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
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
