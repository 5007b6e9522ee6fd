//! The stages that ask somebody outside, and what all of them must do, whoever is asked: send only what the host takes,
//! leave tokens whole, wait when told to wait, call a refused key the set-up's fault, and take no nonsense for an answer.

use handoff_host::contract::exchange::{Ask, Body, HttpResponse, MailResponse, Method, Request, Response};
use handoff_host::contract::types::{Attribute, Failure};
use handoff_host::{Call, End, StageCaller, Turn};
use serde_json::Value;

use super::Bench;
use super::token;

/// An answer that does not belong to its question.
pub const OTHER_FUNCTION: &str = "it answered another function";

/// A conversation that has not ended by then goes in a circle; the longest of ours has four requests.
const ASKS_MAX: usize = 12;

/// `wit/turn.wit`, `ask.state`.
const STATE_BYTES_MAX: usize = 64 << 10;

/// Headers that are the host's own (`wit/turn.wit`, `http-request`), and those by which a request is framed.
const RESERVED_HEADERS: [&str; 8] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "host",
    "content-type",
    "content-length",
    "transfer-encoding",
    "connection",
];

/// Members of a response that name a patient, in FHIR's words and in those of vendors' own interfaces.
const NAMING: [&str; 13] = [
    "name",
    "family",
    "given",
    "first_name",
    "last_name",
    "firstname",
    "lastname",
    "fullname",
    "full_name",
    "birthdate",
    "birth_date",
    "dob",
    "ssn",
];

/// Everything that was reached from one opening by playing the vendor's answers.
pub struct Conversation {
    pub asks: Vec<Ask>,
    pub ends: Vec<End>,
}

/// A call of a stage that asks, and how far it got.
pub fn turn(bench: &Bench, call: &Call) -> Result<Result<Turn, Failure>, String> {
    bench.answer(call)?.turn().ok_or_else(|| OTHER_FUNCTION.into())
}

/// The request that an opening leads to.
pub fn asks(bench: &Bench, opening: &Call) -> Result<Ask, String> {
    match turn(bench, opening)? {
        Ok(Turn::Ask(ask)) => Ok(ask),
        Ok(Turn::Done(_)) => Err("it ended without asking anybody".into()),
        Err(failure) => Err(said(&failure)),
    }
}

/// Goes on from a request with a response.
pub fn resume(bench: &Bench, ask: &Ask, response: Response) -> Result<Result<Turn, Failure>, String> {
    let speaker = StageCaller::of(bench.stage).ok_or("this stage asks nobody")?;
    turn(bench, &speaker.resume(ask.state.clone(), response, bench.settings.clone()))
}

/// Plays the vendor's answers of the author's own cases to an opening of ours, in every order that leads on: so what is
/// asked later is tried as well, and with tokens that we know.
pub fn converse(bench: &Bench, opening: &Call) -> Result<Conversation, String> {
    let mut reached = Conversation { asks: Vec::new(), ends: Vec::new() };
    take(&mut reached, turn(bench, opening)?);
    let answers: Vec<&Response> = bench.calls.iter().filter_map(response).collect();
    let mut next = 0;
    while let Some(ask) = reached.asks.get(next).cloned() {
        for answer in &answers {
            let went_on = resume(bench, &ask, (*answer).clone())?;
            take(&mut reached, went_on);
        }
        next += 1;
    }
    Ok(reached)
}

/// A failure is an end, too: one of another conversation's answers does not have to make sense here.
fn take(reached: &mut Conversation, turned: Result<Turn, Failure>) {
    match turned {
        Ok(Turn::Ask(ask)) if reached.asks.len() < ASKS_MAX && !reached.asks.contains(&ask) => reached.asks.push(ask),
        Ok(Turn::Ask(_)) | Err(_) => {}
        Ok(Turn::Done(end)) => reached.ends.push(end),
    }
}

/// What the vendor said in a case.
pub fn response(call: &Call) -> Option<&Response> {
    match call {
        Call::ResumeRetrieval { response, .. }
        | Call::ResumeCarrier { response, .. }
        | Call::ResumeVisit { response, .. }
        | Call::ResumeChart { response, .. }
        | Call::ResumeTask { response, .. } => Some(response),
        Call::AuthenticateDelivery { .. }
        | Call::Interpret { .. }
        | Call::Retrieve { .. }
        | Call::Choose { .. }
        | Call::Compose { .. }
        | Call::Lookup { .. }
        | Call::ClearFields
        | Call::AuthenticateCallback { .. }
        | Call::Receive { .. }
        | Call::Understand { .. }
        | Call::Assess { .. }
        | Call::CheckVisit { .. }
        | Call::WriteChart { .. }
        | Call::Raise { .. } => None,
    }
}

/// Whether a request changes something out there.
pub fn writes(ask: &Ask) -> bool {
    match &ask.request {
        Request::Http(request) => !matches!(request.method, Method::Get),
        Request::Mail(_) | Request::Mllp(_) => true,
    }
}

/// Every text that the host would put patient data into, as the vendor would read it.
pub fn texts(ask: &Ask) -> Vec<String> {
    let mut texts = vec![];
    match &ask.request {
        Request::Http(request) => {
            texts.push(request.path.clone());
            texts.extend(request.query.iter().chain(&request.headers).map(|it| it.value.clone()));
            match &request.body {
                Body::Empty => {}
                Body::Form(fields) => texts.extend(fields.iter().map(|it| it.value.clone())),
                Body::Json(text) => leaves(&serde_json::from_str(text).unwrap_or_default(), &mut texts),
                Body::JsonAs(body) => leaves(&serde_json::from_str(&body.text).unwrap_or_default(), &mut texts),
            }
        }
        Request::Mail(mail) => texts.extend([mail.to.clone(), mail.subject.clone(), mail.text.clone()]),
        Request::Mllp(message) => texts.push(message.clone()),
    }
    texts
}

fn leaves(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Value::Object(members) => members.values().for_each(|member| leaves(member, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether one of the requests holds one of these texts as it is.
pub fn holds<'a>(asks: impl IntoIterator<Item = &'a Ask>, wanted: &[&str]) -> bool {
    let mut texts = asks.into_iter().flat_map(texts);
    texts.any(|text| wanted.iter().any(|wanted| text.contains(wanted)))
}

/// By the status of an HTTP response without sense in it, whether an end may not have come of it.
pub type Believed = fn(u16, &End) -> bool;

/// What is asked of every request that was reached, whatever the stage.
pub fn try_out(bench: &mut Bench, conversation: &Conversation, opening: &Call, believed: Believed) {
    let asks = &conversation.asks;
    let kept = asks.iter().try_for_each(sendable);
    bench.note("asks nothing that the host would refuse to send", kept);
    let known = token::known(bench, opening);
    let kept = asks.iter().try_for_each(|ask| texts(ask).iter().try_for_each(|text| token::whole(text, &known)));
    bench.note("leaves every token whole", kept);
    let kept = asks.iter().try_for_each(reads_no_names);
    bench.note("asks to read no name and no date of birth in clear", kept);
    let kept = asks.iter().try_for_each(|ask| waits(bench, ask));
    bench.note("comes again later when the other side is busy or out of order", kept);
    let kept = asks.iter().try_for_each(|ask| names_the_set_up(bench, ask));
    bench.note("calls refused credentials a mistake of the set-up", kept);
    let kept = asks.iter().try_for_each(|ask| survives_nonsense(bench, ask, believed));
    bench.note("takes no nonsense for an answer", kept);
}

/// What `wit/turn.wit` allows; the host refuses the rest when a patient is waiting.
fn sendable(ask: &Ask) -> Result<(), String> {
    if ask.endpoint.is_empty() {
        return Err("an ask names no endpoint".into());
    }
    if ask.state.len() > STATE_BYTES_MAX {
        return Err(format!("it remembers {} bytes; 64 KiB are allowed", ask.state.len()));
    }
    match &ask.request {
        Request::Http(request) => {
            let climbs = request.path.split('/').any(|segment| segment == "..") || request.path.starts_with("//");
            if !request.path.starts_with('/') || climbs || request.path.contains(['?', '#']) {
                return Err("a path does not stay below its endpoint, or brings a query along".into());
            }
            let reserved = |it: &&Attribute| RESERVED_HEADERS.contains(&it.name.to_ascii_lowercase().as_str());
            if let Some(header) = request.headers.iter().find(reserved) {
                return Err(format!("it sets the header `{}`, which is the host's own", header.name));
            }
            let json = match &request.body {
                Body::Json(text) => Some(text),
                Body::JsonAs(body) => Some(&body.text),
                Body::Empty | Body::Form(_) => None,
            };
            let parses = json.is_none_or(|text| serde_json::from_str::<Value>(text).is_ok());
            if parses { Ok(()) } else { Err("a body that is said to be JSON is none".into()) }
        }
        Request::Mail(mail) if mail.to.is_empty() => Err("a mail goes to nobody".into()),
        Request::Mail(_) => Ok(()),
        Request::Mllp(message) if !message.starts_with("MSH") || message.contains('\n') => {
            Err("an HL7 message does not begin with MSH, or has line feeds for carriage returns".into())
        }
        Request::Mllp(_) => Ok(()),
    }
}

fn reads_no_names(ask: &Ask) -> Result<(), String> {
    let naming = |path: &&String| {
        path.split('.').any(|member| NAMING.contains(&member.trim_end_matches("[]").to_ascii_lowercase().as_str()))
    };
    match ask.reveal.iter().find(naming) {
        Some(path) => Err(format!("it asks to read `{path}` in clear")),
        None => Ok(()),
    }
}

/// The vendor's answers of one kind, in the tongue that the ask was made in.
fn answers(ask: &Ask, http: &[(u16, &str)], mail: u16) -> Vec<(String, Response)> {
    let header = |name: &str, value: &str| Attribute { name: name.to_owned(), value: value.to_owned() };
    match &ask.request {
        Request::Http(_) => http
            .iter()
            .map(|(status, wait)| {
                let headers = if wait.is_empty() { vec![] } else { vec![header("retry-after", wait)] };
                (format!("HTTP {status}"), Response::Http(HttpResponse { status: *status, headers, body: "{}".into() }))
            })
            .collect(),
        Request::Mail(_) => {
            let response = MailResponse { code: mail, enhanced: String::new(), text: String::new() };
            vec![(format!("reply {mail}"), Response::Mail(response))]
        }
        // An HL7 acknowledgement has no word for either.
        Request::Mllp(_) => vec![],
    }
}

pub fn waits(bench: &Bench, ask: &Ask) -> Result<(), String> {
    for (answer, response) in answers(ask, &[(429, "7"), (500, ""), (503, "7")], 451) {
        match resume(bench, ask, response)? {
            Err(Failure::RetryAfter(_)) => {}
            Err(other) => return Err(format!("{answer}: {}", said(&other))),
            Ok(_) => return Err(format!("{answer}: it went on as if all were well")),
        }
    }
    Ok(())
}

pub fn names_the_set_up(bench: &Bench, ask: &Ask) -> Result<(), String> {
    for (answer, response) in answers(ask, &[(401, "")], 535) {
        match resume(bench, ask, response)? {
            Err(Failure::Misconfigured(_)) => {}
            Err(other) => return Err(format!("{answer}: {}", said(&other))),
            Ok(_) => return Err(format!("{answer}: it went on as if all were well")),
        }
    }
    Ok(())
}

/// Neither a success nor a failure that a vendor's interface would send.
const ODD_STATUSES: [u16; 2] = [418, 302];

const NONSENSE: [&str; 6] = ["", "<html>", "[]", "null", "{\"data\":7}", "{\"messages\":\"none\"}"];

pub fn survives_nonsense(bench: &Bench, ask: &Ask, believed: Believed) -> Result<(), String> {
    let Request::Http(_) = ask.request else { return Ok(()) };
    for body in NONSENSE {
        let answer = |status| Response::Http(HttpResponse { status, headers: vec![], body: body.into() });
        for status in ODD_STATUSES {
            if let Ok(Turn::Done(_)) = resume(bench, ask, answer(status))? {
                return Err(format!("HTTP {status} `{body}`: it ended as if it had been answered"));
            }
        }
        // What a success without a word in it means is the vendor's affair, but for what `believed` rules out; the plugin
        // must not fall over it.
        for status in [200, 404] {
            match resume(bench, ask, answer(status))? {
                Ok(Turn::Done(end)) if believed(status, &end) => {
                    return Err(format!("HTTP {status} `{body}`: it believed that"));
                }
                Ok(Turn::Done(_) | Turn::Ask(_)) | Err(_) => {}
            }
        }
    }
    Ok(())
}

pub fn said(failure: &Failure) -> String {
    match failure {
        Failure::RetryAfter(retry) => format!("it wants to come again after {} s: {}", retry.seconds, retry.reason),
        Failure::Refused(refusal) => format!("it refused, {}: {}", refusal.code, refusal.reason),
        Failure::Misconfigured(cure) => format!("misconfigured: {cure}"),
        Failure::Other(text) => format!("it failed: {text}"),
    }
}
