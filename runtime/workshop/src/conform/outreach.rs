//! `outreach`: the patient's number and words pass through untouched, a vendor that wants to be left alone is, a letter
//! in doubt can be found again or not be sent twice, and nobody's callback is believed unsigned.

use handoff_host::contract::carrier::{Callback, InboundEvent, Letter, Turn};
use handoff_host::contract::exchange::{Ask, Body, HttpResponse, MailResponse, Request, Response};
use handoff_host::contract::types::{Attribute, Failure};
use handoff_host::{Answer, Call};
use serde_json::Value;

use super::Bench;
use crate::begin::starter::letter;

/// What breaks a form, a JSON string, a URL and a mail header that is put together by hand.
const ODD: &str = "It's \"ok\" & 100 % <b>\\n</b>; já, 您好, 👍 +1 ZPHIG00C00000000000000000000000002\n.\nBcc: x";

pub fn try_out(bench: &mut Bench) {
    let plain = letter();
    let asked = compose(bench, &plain);
    bench.note("asks its vendor to carry an ordinary letter", asked.clone().map(drop));
    let Ok(asked) = asked else { return };
    let kept = carries(&asked, &plain);
    bench.note("puts the address and the text where the host can fill them in", kept);
    let odd = Letter { text: ODD.to_owned(), ..plain.clone() };
    let kept = compose(bench, &odd).and_then(|ask| carries(&ask, &odd));
    bench.note("leaves every character of a text as it is", kept);
    let kept = waits(bench, &asked);
    bench.note("comes again later when the vendor is busy or out of order", kept);
    let kept = names_the_set_up(bench, &asked);
    bench.note("calls refused credentials a mistake of the set-up", kept);
    let kept = survives_nonsense(bench, &asked);
    bench.note("takes no nonsense for a delivery", kept);
    let kept = finds_again(bench, &plain);
    bench.note("finds a letter in doubt again, or says `no-lookup`", kept);
    let kept = believes_nobody(bench);
    bench.note("believes no callback that is not signed", kept);
    let kept = passes_on(bench);
    bench.note("passes replies on as they came: STOP and HELP are the house's to read", kept);
}

fn compose(bench: &Bench, letter: &Letter) -> Result<Ask, String> {
    let call = Call::Compose { letter: letter.clone(), settings: bench.settings.clone() };
    match bench.ask(&call) {
        Ok(Answer::Compose(Ok(Turn::Ask(ask)))) => Ok(ask),
        Ok(Answer::Compose(Ok(Turn::Done(_)))) => Err("it ended without asking anybody".into()),
        Ok(Answer::Compose(Err(failure))) => Err(said(&failure)),
        Ok(_) => Err("it answered another function".into()),
        Err(fault) => Err(format!("it {}", fault.kind)),
    }
}

fn resume(bench: &Bench, ask: &Ask, response: Response) -> Result<Result<Turn, Failure>, String> {
    let call = Call::ResumeCarrier { state: ask.state.clone(), response, settings: bench.settings.clone() };
    match bench.ask(&call) {
        Ok(Answer::ResumeCarrier(turn)) => Ok(turn),
        Ok(_) => Err("it answered another function".into()),
        Err(fault) => Err(format!("it {}", fault.kind)),
    }
}

/// Every text that the host would put patient data into, as the vendor would read it.
fn texts(ask: &Ask) -> Vec<String> {
    let mut texts = vec![];
    match &ask.request {
        Request::Http(request) => {
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

fn carries(ask: &Ask, letter: &Letter) -> Result<(), String> {
    let texts = texts(ask);
    let has = |wanted: &str| texts.iter().any(|text| text.contains(wanted));
    match (has(&letter.to), has(&letter.text)) {
        (true, true) => Ok(()),
        (false, _) => Err("the address token is not in the request".into()),
        (_, false) => Err("the text is not in the request as it was given".into()),
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

fn waits(bench: &Bench, ask: &Ask) -> Result<(), String> {
    for (answer, response) in answers(ask, &[(429, "7"), (500, ""), (503, "7")], 451) {
        match resume(bench, ask, response)? {
            Err(Failure::RetryAfter(_)) => {}
            Err(other) => return Err(format!("{answer}: {}", said(&other))),
            Ok(_) => return Err(format!("{answer}: it went on as if all were well")),
        }
    }
    Ok(())
}

fn names_the_set_up(bench: &Bench, ask: &Ask) -> Result<(), String> {
    for (answer, response) in answers(ask, &[(401, "")], 535) {
        match resume(bench, ask, response)? {
            Err(Failure::Misconfigured(_)) => {}
            Err(other) => return Err(format!("{answer}: {}", said(&other))),
            Ok(_) => return Err(format!("{answer}: it went on as if all were well")),
        }
    }
    Ok(())
}

fn survives_nonsense(bench: &Bench, ask: &Ask) -> Result<(), String> {
    let Request::Http(_) = ask.request else { return Ok(()) };
    for body in ["", "<html>", "[]", "null", "{\"data\":7}", "{\"messages\":\"none\"}"] {
        for status in [418, 302] {
            let response = Response::Http(HttpResponse { status, headers: vec![], body: body.into() });
            if let Ok(Turn::Done(receipt)) = resume(bench, ask, response)? {
                return Err(format!("HTTP {status} `{body}`: {:?}", receipt.outcome));
            }
        }
        // What a success without a word in it means is the vendor's affair; the plugin must only not fall over it.
        let success = Response::Http(HttpResponse { status: 200, headers: vec![], body: body.into() });
        let _either_way = resume(bench, ask, success)?;
    }
    Ok(())
}

fn finds_again(bench: &Bench, letter: &Letter) -> Result<(), String> {
    let call = Call::Lookup { letter: letter.clone(), settings: bench.settings.clone() };
    match bench.ask(&call) {
        Ok(Answer::Lookup(Ok(_))) => Ok(()),
        Ok(Answer::Lookup(Err(Failure::Refused(refusal)))) if refusal.code == "no-lookup" => Ok(()),
        Ok(Answer::Lookup(Err(failure))) => Err(said(&failure)),
        Ok(_) => Err("it answered another function".into()),
        Err(fault) => Err(format!("it {}", fault.kind)),
    }
}

fn believes_nobody(bench: &Bench) -> Result<(), String> {
    let callback = Callback { headers: vec![], fields: vec![], received_at: 0 };
    match bench.ask(&Call::AuthenticateCallback { callback, settings: bench.settings.clone() }) {
        Ok(Answer::AuthenticateCallback(checks)) => {
            // The host refuses an empty list, and a signature that is not there.
            let refused = checks.is_empty() || checks.iter().any(|check| check.signature.is_empty());
            if refused { Ok(()) } else { Err("a callback without any header has a signature to check".into()) }
        }
        Ok(_) => Err("it answered another function".into()),
        Err(fault) => Err(format!("it {}", fault.kind)),
    }
}

/// Only the author knows what the vendor's callbacks look like: the promise is tried on the cases.
fn passes_on(bench: &Bench) -> Result<(), String> {
    for call in bench.calls {
        let Call::Receive { callback, .. } = call else { continue };
        let Ok(Answer::Receive(Ok(inbound))) = bench.ask(call) else { continue };
        for event in inbound.events {
            let InboundEvent::Reply(reply) = event else { continue };
            let is_field = |text: &str| callback.fields.iter().any(|field| field.value == text);
            if !is_field(&reply.text) || !is_field(&reply.from) {
                return Err("a reply's words or address are none of the callback's fields".into());
            }
        }
    }
    Ok(())
}

fn said(failure: &Failure) -> String {
    match failure {
        Failure::RetryAfter(retry) => format!("it wants to come again after {} s: {}", retry.seconds, retry.reason),
        Failure::Refused(refusal) => format!("it refused, {}: {}", refusal.code, refusal.reason),
        Failure::Misconfigured(cure) => format!("misconfigured: {cure}"),
        Failure::Other(text) => format!("it failed: {text}"),
    }
}
