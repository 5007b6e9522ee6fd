//! A plugin that keeps all promises but one: a bundled one, with that one thing of its answers spoilt. The kit has to
//! name the promise.

use handoff_host::contract::attendance::{self, Finding};
use handoff_host::contract::choice::{Chosen, Decision};
use handoff_host::contract::exchange::{Ask, Body, Request, Response};
use handoff_host::contract::interpreter::{Happening, Meaning};
use handoff_host::contract::roster::{Alternative, Assessment, Cause, Opening, Why};
use handoff_host::contract::types::{Attribute, ChannelKind, Failure, Provider};
use handoff_host::contract::{carrier, hand_over, retrieval, write_back};
use handoff_host::{Answer, Call, TriggerReading};
use handoff_workshop::conform::findings;

use crate::{HOST, cases, load};

/// What it answers instead of the genuine answer.
type Spoilt = fn(&Call, Answer) -> Answer;

/// Tries the spoilt plugin, and says which promise is found broken first.
fn breaks(name: &str, promise: &str, spoilt: Spoilt) {
    let (plugin, stage) = load(name);
    let calls = cases::of(name, &plugin);
    let answer = |call: &Call| HOST.call(&plugin, call).map(|answer| spoilt(call, answer));
    let broken: Vec<_> = findings(&answer, stage, &calls).into_iter().filter(|it| it.broken.is_some()).collect();
    assert!(broken.iter().any(|finding| finding.promise == promise), "{name} should break `{promise}`: {broken:#?}");
}

/// The request in an answer, if there is one.
fn ask(answer: &mut Answer) -> Option<&mut Ask> {
    match answer {
        Answer::Compose(Ok(carrier::Turn::Ask(ask)))
        | Answer::ResumeCarrier(Ok(carrier::Turn::Ask(ask)))
        | Answer::Retrieve(Ok(retrieval::Turn::Ask(ask)))
        | Answer::ResumeRetrieval(Ok(retrieval::Turn::Ask(ask)))
        | Answer::CheckVisit(Ok(attendance::Turn::Ask(ask)))
        | Answer::ResumeVisit(Ok(attendance::Turn::Ask(ask)))
        | Answer::WriteChart(Ok(write_back::Turn::Ask(ask)))
        | Answer::ResumeChart(Ok(write_back::Turn::Ask(ask)))
        | Answer::Raise(Ok(hand_over::Turn::Ask(ask)))
        | Answer::ResumeTask(Ok(hand_over::Turn::Ask(ask))) => Some(ask),
        _ => None,
    }
}

/// Each text of a request, to be written anew.
fn rewrite(answer: &mut Answer, anew: impl Fn(&str) -> String) {
    let Some(Ask { request: Request::Http(request), .. }) = ask(answer) else { return };
    request.query.iter_mut().chain(&mut request.headers).for_each(|it| it.value = anew(&it.value));
    match &mut request.body {
        Body::Json(text) => *text = anew(text),
        Body::JsonAs(body) => body.text = anew(&body.text),
        Body::Form(fields) => fields.iter_mut().for_each(|it| it.value = anew(&it.value)),
        Body::Empty => {}
    }
}

fn status(call: &Call) -> Option<u16> {
    match call {
        Call::ResumeRetrieval { response: Response::Http(response), .. }
        | Call::ResumeVisit { response: Response::Http(response), .. }
        | Call::ResumeChart { response: Response::Http(response), .. }
        | Call::ResumeTask { response: Response::Http(response), .. } => Some(response.status),
        _ => None,
    }
}

/// `refused` where the genuine plugin said anything else.
fn refuse(answer: Answer) -> Answer {
    let failure = || Failure::Other("something went wrong".into());
    match answer {
        Answer::ResumeRetrieval(_) => Answer::ResumeRetrieval(Err(failure())),
        Answer::ResumeVisit(_) => Answer::ResumeVisit(Err(failure())),
        Answer::ResumeChart(_) => Answer::ResumeChart(Err(failure())),
        Answer::ResumeTask(_) => Answer::ResumeTask(Err(failure())),
        other => other,
    }
}

const ASKING: [&str; 4] = ["records-fhir", "visit-fhir", "chart-fhir", "escalation-inbox"];

#[test]
fn a_plugin_that_asks_in_a_way_that_the_host_refuses() {
    for name in ASKING {
        breaks(name, "asks nothing that the host would refuse to send", |_, mut answer| {
            if let Some(Ask { request: Request::Http(request), .. }) = ask(&mut answer) {
                request.headers.push(Attribute { name: "Authorization".into(), value: "Bearer mine".into() });
            }
            answer
        });
    }
}

#[test]
fn a_plugin_that_takes_tokens_apart() {
    for name in ASKING {
        breaks(name, "leaves every token whole", |_, mut answer| {
            rewrite(&mut answer, |text| text.replace("ZPHIA00", "ZPHIA 00").replace("0000", "000"));
            rewrite(&mut answer, |text| text.replace("ZPHIA 00", "ZPHIA00"));
            answer
        });
    }
}

#[test]
fn a_plugin_that_reads_names() {
    for name in ASKING {
        breaks(name, "asks to read no name and no date of birth in clear", |_, mut answer| {
            if let Some(ask) = ask(&mut answer) {
                ask.reveal.push("entry[].resource.name[].family".into());
            }
            answer
        });
    }
}

#[test]
fn a_plugin_that_does_not_wait() {
    for name in ASKING {
        breaks(name, "comes again later when the other side is busy or out of order", |call, answer| {
            if status(call) == Some(503) { refuse(answer) } else { answer }
        });
    }
}

#[test]
fn a_plugin_that_does_not_say_that_its_key_was_refused() {
    for name in ASKING {
        breaks(name, "calls refused credentials a mistake of the set-up", |call, answer| {
            if status(call) == Some(401) { refuse(answer) } else { answer }
        });
    }
}

#[test]
fn a_plugin_that_believes_anything() {
    let promise = "takes no nonsense for an answer";
    breaks("records-fhir", promise, |call, answer| match status(call) {
        Some(302) => Answer::ResumeRetrieval(Ok(retrieval::Turn::Done(None))),
        _ => answer,
    });
    breaks("visit-fhir", promise, |call, answer| match status(call) {
        Some(404) => Answer::ResumeVisit(Ok(attendance::Turn::Done(Finding::NoShow))),
        _ => answer,
    });
    breaks("chart-fhir", promise, |call, answer| match status(call) {
        Some(418) => Answer::ResumeChart(Ok(write_back::Turn::Done(write_back::Written { references: vec![] }))),
        _ => answer,
    });
    breaks("escalation-inbox", promise, |call, answer| match status(call) {
        Some(418) => Answer::ResumeTask(Ok(hand_over::Turn::Done(hand_over::Raised { reference: String::new() }))),
        _ => answer,
    });
}

#[test]
fn records_that_are_made_up() {
    breaks("records-fhir", "looks for the patient by the numbers that the order gave", |_, mut answer| {
        rewrite(&mut answer, |text| text.replace("ZPHI", "patient "));
        answer
    });
    breaks("records-fhir", "passes addresses on as the chart gave them", |_, answer| match answer {
        Answer::ResumeRetrieval(Ok(retrieval::Turn::Done(Some(mut record)))) => {
            record.reaches.iter_mut().for_each(|reach| reach.address = "+15550100".into());
            Answer::ResumeRetrieval(Ok(retrieval::Turn::Done(Some(record))))
        }
        other => other,
    });
}

#[test]
fn a_chart_that_is_written_twice() {
    breaks("chart-fhir", "writes under the entry's id, so that writing twice writes once", |_, mut answer| {
        rewrite(&mut answer, |text| text.replace("01JD0000000000000000000001", "new"));
        answer
    });
    breaks("chart-fhir", "writes the note as it was given", |_, mut answer| {
        rewrite(&mut answer, |text| text.replace("ZPHIA0ZZ", "note "));
        answer
    });
    breaks("chart-fhir", "finds the patient or the order by the numbers that the referral has", |call, mut answer| {
        if matches!(call, Call::WriteChart { .. }) {
            rewrite(&mut answer, |text| text.replace("ZPHI", ""));
        }
        answer
    });
}

#[test]
fn a_task_that_nobody_understands() {
    breaks("escalation-inbox", "raises under the task's id, so that raising twice raises once", |_, mut answer| {
        rewrite(&mut answer, |text| text.replace("01JD0000000000000000000002", "new"));
        answer
    });
    breaks("escalation-inbox", "tells a person what there is to do", |_, mut answer| {
        rewrite(&mut answer, |text| text.replace("Please telephone.", ""));
        answer
    });
    breaks("escalation-inbox", "names the referral", |_, mut answer| {
        rewrite(&mut answer, |text| text.replace("ZPHIA00600000000000000000000000003", ""));
        answer
    });
    breaks("escalation-inbox", "cuts no token, however long a summary is", |_, mut answer| {
        rewrite(&mut answer, |text| match text.find("\"description\":\"") {
            // As an inbox with room for 140 characters would have it.
            Some(start) => {
                let end = text[start + 15..].find('"').map_or(text.len(), |length| start + 15 + length);
                format!("{}{}", &text[..end.min(start + 155)], &text[end..])
            }
            None => text.to_owned(),
        });
        answer
    });
    breaks("escalation-inbox", "takes tasks for each audience", |call, answer| match call {
        Call::Raise { task, .. } if task.audience == hand_over::Audience::Specialist => {
            Answer::Raise(Err(Failure::Other("no such audience".into())))
        }
        _ => answer,
    });
}

#[test]
fn a_visit_that_is_guessed() {
    breaks(
        "visit-hl7",
        "finds out nothing of a visit that nobody has numbered or heard of",
        |call, answer| match call {
            Call::CheckVisit { visit, .. } if visit.heard.is_empty() => {
                Answer::CheckVisit(Ok(attendance::Turn::Done(Finding::NoShow)))
            }
            _ => answer,
        },
    );
    breaks("visit-hl7", "takes no arrival for an absence, and no absence for an arrival", |call, answer| match call {
        Call::CheckVisit { visit, .. } if visit.heard.iter().any(|heard| heard.what == "no-show") => {
            Answer::CheckVisit(Ok(attendance::Turn::Done(Finding::Attended(visit.starts_at))))
        }
        _ => answer,
    });
    breaks("visit-fhir", "tells who came from who did not", |_, answer| match answer {
        Answer::ResumeVisit(Ok(attendance::Turn::Done(Finding::NoShow))) => {
            Answer::ResumeVisit(Ok(attendance::Turn::Done(Finding::Open(24))))
        }
        other => other,
    });
    breaks("visit-fhir", "asks again after an hour at the earliest", |_, answer| match answer {
        Answer::ResumeVisit(Ok(attendance::Turn::Done(Finding::Open(_)))) => {
            Answer::ResumeVisit(Ok(attendance::Turn::Done(Finding::Open(0))))
        }
        other => other,
    });
    breaks("visit-fhir", "looks for the visit by the numbers that it has", |_, mut answer| {
        rewrite(&mut answer, |text| text.replace("ZPHI", ""));
        answer
    });
}

#[test]
fn a_channel_that_overrides_the_patient() {
    fn sent(call: &Call, answer: Answer, change: impl Fn(&mut Chosen)) -> Answer {
        match (call, answer) {
            (Call::Choose { .. }, Answer::Choose(Ok(Decision::Send(mut chosen)))) => {
                change(&mut chosen);
                Answer::Choose(Ok(Decision::Send(chosen)))
            }
            (_, other) => other,
        }
    }
    let obeys_the_workflow: Spoilt = |call, answer| match call {
        Call::Choose { situation, .. } => match situation.wanted {
            Some(wanted) => sent(call, answer, |chosen| chosen.channel = wanted),
            None => answer,
        },
        _ => answer,
    };
    breaks("channel-consent", "takes no channel that the patient has refused, whoever wishes it", obeys_the_workflow);
    breaks("channel-consent", "takes no channel without an address", |call, answer| {
        sent(call, answer, |chosen| chosen.channel = ChannelKind::Portal)
    });
    breaks("channel-consent", "says why, whatever it decides", |call, answer| {
        sent(call, answer, |chosen| chosen.reason = String::new())
    });
    breaks("channel-consent", "writes in the patient's language where the letter is written in it", |call, answer| {
        sent(call, answer, |chosen| chosen.language = "en".into())
    });
    breaks("channel-consent", "reaches a patient who has agreed to every channel", |_, answer| match answer {
        Answer::Choose(Ok(_)) => Answer::Choose(Ok(Decision::Nobody("not today".into()))),
        other => other,
    });
    breaks("channel-consent", "decides whatever is known of the patient", |call, answer| match call {
        Call::Choose { situation, .. } if situation.reaches.is_empty() => {
            Answer::Choose(Err(Failure::Other("no reaches".into())))
        }
        _ => answer,
    });
}

#[test]
fn a_network_that_goes_in_circles() {
    fn always(id: &str) -> Assessment {
        let specialist = Provider {
            id: id.into(),
            name: String::new(),
            organization: String::new(),
            phone: String::new(),
            specialty: String::new(),
        };
        let opening = Opening { specialist, next_available: None };
        Assessment::Alternative(Alternative { opening, why: Why::NoneNamed })
    }
    breaks("network-roster", "proposes nobody who was tried, and comes to an end", |call, answer| match call {
        Call::Assess { request, .. } if request.cause == Cause::Declined => Answer::Assess(Ok(always("1003000126"))),
        _ => answer,
    });
    breaks(
        "network-roster",
        "proposes nobody whom it called out of the same plan's network",
        |call, answer| match call {
            Call::Assess { request, .. } if request.referred_to.is_none() => Answer::Assess(Ok(always("1003000126"))),
            _ => answer,
        },
    );
    breaks(
        "network-roster",
        "calls in network only whom the order names, and nobody without a name or in the past",
        |_, answer| match answer {
            Answer::Assess(Ok(Assessment::Alternative(it))) => Answer::Assess(Ok(Assessment::InNetwork(it.opening))),
            other => other,
        },
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list of wrongs")]
fn a_trigger_that_tells_too_much_or_too_little() {
    breaks(
        "trigger-webhook",
        "takes foreign bytes for no event, and says how to mend them",
        |_, answer| match answer {
            Answer::Interpret(TriggerReading::V0_2(mut reading)) => {
                if matches!(reading.meaning, Meaning::Unreadable(_)) {
                    reading.meaning = Meaning::Events(vec![]);
                }
                Answer::Interpret(TriggerReading::V0_2(reading))
            }
            other => other,
        },
    );
    breaks("trigger-hl7v2", "names no patient in an answer, a key or a kind", |_, answer| match answer {
        Answer::Interpret(TriggerReading::V0_2(mut reading)) => {
            reading.accepted.body.extend(b"NTE|1||Rosalind Okonkwo is welcome\r");
            Answer::Interpret(TriggerReading::V0_2(reading))
        }
        other => other,
    });
    breaks("trigger-webhook", "answers a delivery that breaks off, and names no patient", |call, answer| {
        match (call, answer) {
            (Call::Interpret { delivery, .. }, Answer::Interpret(TriggerReading::V0_2(mut reading))) => {
                if let Meaning::Unreadable(problem) = &mut reading.meaning {
                    problem.message = format!("cannot read {}", String::from_utf8_lossy(&delivery.body));
                }
                Answer::Interpret(TriggerReading::V0_2(reading))
            }
            (_, other) => other,
        }
    });
    breaks("trigger-webhook", "gives a delivery its own key, whenever it comes", |call, answer| match (call, answer) {
        (Call::Interpret { delivery, .. }, Answer::Interpret(TriggerReading::V0_2(mut reading))) => {
            reading.dedupe_key = format!("webhook|{}", delivery.received_at);
            Answer::Interpret(TriggerReading::V0_2(reading))
        }
        (_, other) => other,
    });
    breaks("trigger-webhook", "gives a delivery its own key, whenever it comes", |_, answer| match answer {
        Answer::Interpret(TriggerReading::V0_2(mut reading)) => {
            reading.dedupe_key = "webhook".into();
            Answer::Interpret(TriggerReading::V0_2(reading))
        }
        other => other,
    });
    breaks("trigger-webhook", "says to which referral each event belongs", |_, answer| match answer {
        Answer::Interpret(TriggerReading::V0_2(mut reading)) => {
            if let Meaning::Events(events) = &mut reading.meaning {
                for event in events {
                    if matches!(event.what, Happening::Withdrawn) {
                        event.about.referral.clear();
                        event.about.patient = None;
                    }
                }
            }
            Answer::Interpret(TriggerReading::V0_2(reading))
        }
        other => other,
    });
    breaks(
        "trigger-webhook",
        "tells a sender what is stored from what has to be sent again",
        |_, answer| match answer {
            Answer::Interpret(TriggerReading::V0_2(mut reading)) => {
                reading.unavailable = reading.accepted.clone();
                Answer::Interpret(TriggerReading::V0_2(reading))
            }
            other => other,
        },
    );
    breaks("trigger-webhook", "believes nothing unsigned where it has signatures checked", |call, answer| match call {
        Call::AuthenticateDelivery { delivery, .. } if delivery.headers.is_empty() => {
            Answer::AuthenticateDelivery(vec![])
        }
        _ => answer,
    });
}
