//! What a plugin that is not written yet does: it takes no delivery and carries no letter, and says so. Nothing is lost
//! to it: what it refuses goes to the next vendor or to a person, what it cannot read is kept as a dead letter.

use handoff_host::contract::exchange::{HttpResponse, Response};
use handoff_host::contract::types::{ChannelKind, Code, Failure, Refusal};
use handoff_host::contract::{attendance, carrier, choice, hand_over, interpreter, roster, understanding, write_back};
use handoff_host::{Answer, Call, ChartEntry, TriggerReading, WitWorld};
use wit_parser::{Function, InterfaceId, Resolve, Type, TypeDefKind, WorldId, WorldItem};

/// The refusal's word and sentence, in every language.
pub const CODE: &str = "not-written";
pub const REASON: &str = "this plugin is not written yet";

/// 2026-11-23T09:00:00Z.
const NOW: i64 = 1_795_424_400_000;

/// A function of the stage's interface, and what it gives while nobody has written it.
pub struct Unwritten {
    pub function: Function,
    pub gives: Gives,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// `failure.refused`.
    Refusal,
    /// An empty list: asks for nothing, and of `authenticate` refuses every caller.
    Nothing,
    /// A reading that calls the delivery unreadable.
    Unreadable,
}

/// The functions of the one interface that a stage's world exports.
pub fn functions(resolve: &Resolve, world: WorldId) -> Vec<Unwritten> {
    let interface = exported(resolve, world);
    let functions = interface.map(|id| resolve.interfaces[id].functions.values()).into_iter().flatten();
    functions.map(|function| Unwritten { function: function.clone(), gives: gives(resolve, function) }).collect()
}

pub fn exported(resolve: &Resolve, world: WorldId) -> Option<InterfaceId> {
    resolve.worlds[world].exports.values().find_map(|item| match item {
        WorldItem::Interface { id, .. } => Some(*id),
        WorldItem::Function(_) | WorldItem::Type { .. } => None,
    })
}

fn gives(resolve: &Resolve, function: &Function) -> Gives {
    let kind = match function.result {
        Some(Type::Id(id)) => Some(&resolve.types[id].kind),
        _ => None,
    };
    match kind {
        Some(TypeDefKind::Result(_)) => Gives::Refusal,
        Some(TypeDefKind::List(_)) => Gives::Nothing,
        _ => Gives::Unreadable,
    }
}

/// A call of the stage and the unwritten plugin's answer.
pub fn case(stage: WitWorld) -> (Call, Answer) {
    let settings = || "{}".to_owned();
    let refusal = || Failure::Refused(Refusal { code: CODE.to_owned(), reason: REASON.to_owned() });
    match stage {
        WitWorld::Trigger => (
            Call::Interpret { delivery: delivery(), settings: settings() },
            Answer::Interpret(TriggerReading::V0_2(unreadable())),
        ),
        WitWorld::Records => (
            Call::ResumeRetrieval {
                state: "asked".to_owned(),
                response: Response::Http(HttpResponse { status: 200, headers: Vec::new(), body: settings() }),
                settings: settings(),
            },
            Answer::ResumeRetrieval(Err(refusal())),
        ),
        WitWorld::Channel => {
            (Call::Choose { situation: situation(), settings: settings() }, Answer::Choose(Err(refusal())))
        }
        WitWorld::Outreach => {
            (Call::Compose { letter: letter(), settings: settings() }, Answer::Compose(Err(refusal())))
        }
        WitWorld::Reply => {
            (Call::Understand { message: message(), settings: settings() }, Answer::Understand(Err(refusal())))
        }
        WitWorld::Network => {
            (Call::Assess { request: request(), settings: settings() }, Answer::Assess(Err(refusal())))
        }
        WitWorld::Visit => {
            (Call::CheckVisit { visit: visit(), settings: settings() }, Answer::CheckVisit(Err(refusal())))
        }
        WitWorld::Chart => (
            Call::WriteChart { entry: ChartEntry::V0_2(Box::new(entry())), settings: settings() },
            Answer::WriteChart(Err(refusal())),
        ),
        WitWorld::Escalation => (Call::Raise { task: task(), settings: settings() }, Answer::Raise(Err(refusal()))),
    }
}

fn delivery() -> interpreter::Delivery {
    interpreter::Delivery {
        source: "ehr".to_owned(),
        transport: interpreter::Transport::Http,
        headers: Vec::new(),
        body: b"{}".to_vec(),
        too_long: None,
        received_at: NOW,
    }
}

fn situation() -> choice::Situation {
    choice::Situation {
        letter: "first-contact".to_owned(),
        wanted: None,
        reaches: vec![choice::Reachable { channel: ChannelKind::Sms, consent: choice::ConsentState::Granted }],
        preferred: None,
        languages: vec!["es".to_owned()],
        available: vec!["en".to_owned(), "es".to_owned()],
        attempts: Vec::new(),
        now: NOW,
        extras: Vec::new(),
    }
}

fn message() -> understanding::Message {
    understanding::Message {
        text: "sí, ya tengo cita".to_owned(),
        language: "es".to_owned(),
        asked: understanding::Question::Schedule,
        received_at: NOW,
    }
}

fn request() -> roster::Request {
    roster::Request {
        specialty: Code { system: "SCT".to_owned(), code: "394579002".to_owned(), display: "Cardiology".to_owned() },
        plan_id: "P1".to_owned(),
        plan_name: "Plan One".to_owned(),
        referred_to: None,
        cause: roster::Cause::Ordered,
        tried: Vec::new(),
        urgent: false,
        now: NOW,
        extras: Vec::new(),
    }
}

fn visit() -> attendance::Visit {
    attendance::Visit {
        referral: Vec::new(),
        appointment: Vec::new(),
        starts_at: NOW,
        minutes: 30,
        heard: vec![attendance::Heard { what: "booked".to_owned(), at: NOW }],
        now: NOW,
        extras: Vec::new(),
    }
}

fn entry() -> write_back::Entry {
    write_back::Entry {
        id: "01JD0000000000000000000001".to_owned(),
        referral: Vec::new(),
        patient: Vec::new(),
        ordered_at: NOW,
        outcome: write_back::Outcome::ClosedWithoutNote,
        specialist: None,
        visited_at: None,
        note: None,
        retracts: Vec::new(),
        now: NOW,
        extras: Vec::new(),
    }
}

fn task() -> hand_over::Task {
    hand_over::Task {
        id: "01JD0000000000000000000002".to_owned(),
        audience: hand_over::Audience::Coordinator,
        kind: "stalled".to_owned(),
        urgent: false,
        to: None,
        summary: "No visit after 14 days.".to_owned(),
        referral: Vec::new(),
        patient: Vec::new(),
        due_at: NOW,
        now: NOW,
        extras: Vec::new(),
    }
}

/// A letter as Handoff hands it over: tokens where patient data belongs.
pub fn letter() -> carrier::Letter {
    carrier::Letter {
        id: "01JD0000000000000000000003".to_owned(),
        channel: ChannelKind::Sms,
        to: "ZPHIG00C00000000000000000000000001".to_owned(),
        language: "en".to_owned(),
        subject: String::new(),
        text: "Please call us about your visit.".to_owned(),
        callback_url: None,
        extras: Vec::new(),
    }
}

fn unreadable() -> interpreter::Reading {
    let answer = |status| interpreter::Answer { status, content_type: "text/plain".to_owned(), body: Vec::new() };
    interpreter::Reading {
        dedupe_key: String::new(),
        kind: "unread".to_owned(),
        sender: String::new(),
        meaning: interpreter::Meaning::Unreadable(interpreter::Problem {
            location: String::new(),
            message: REASON.to_owned(),
            help: "write `interpret`".to_owned(),
        }),
        accepted: answer(422),
        unavailable: answer(503),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_begins_with_a_case_of_its_own() {
        for &stage in WitWorld::ALL {
            let (call, answer) = case(stage);
            assert_eq!(call.function().world(), stage);
            assert_eq!(answer.function(), call.function());
        }
    }
}
