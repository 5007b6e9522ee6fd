//! One call of each function.

use handoff_host::contract::exchange::{HttpResponse, Response};
use handoff_host::contract::types::{ChannelKind, Code};
use handoff_host::contract::{
    attendance, carrier, choice, hand_over, interpreter, retrieval, roster, understanding, write_back,
};
use handoff_host::{Call, ChartEntry};

/// 2026-11-23T09:00:00Z.
const NOW: i64 = 1_795_424_400_000;

/// Stands where a patient's name could be; no error may repeat it.
pub const PATIENT: &str = "Rosalind Okonkwo-Featherstone";

pub fn choose(settings: &str) -> Call {
    Call::Choose {
        situation: choice::Situation {
            letter: PATIENT.to_owned(),
            wanted: None,
            reaches: vec![choice::Reachable { channel: ChannelKind::Sms, consent: choice::ConsentState::Granted }],
            preferred: None,
            languages: vec!["es".to_owned()],
            available: vec!["en".to_owned(), "es".to_owned()],
            attempts: Vec::new(),
            now: NOW,
            extras: Vec::new(),
        },
        settings: settings.to_owned(),
    }
}

pub fn write_chart() -> Call {
    Call::WriteChart {
        entry: ChartEntry::V0_2(Box::new(write_back::Entry {
            id: "letter-1".to_owned(),
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
        })),
        settings: "{}".to_owned(),
    }
}

#[expect(clippy::too_many_lines, reason = "a call of every kind")]
pub fn all() -> Vec<Call> {
    let settings = || "{}".to_owned();
    let state = || "asked".to_owned();
    let ok = || Response::Http(HttpResponse { status: 200, headers: Vec::new(), body: settings() });
    let code = || Code { system: "SCT".to_owned(), code: "394579002".to_owned(), display: "Cardiology".to_owned() };
    let delivery = || interpreter::Delivery {
        source: "ehr".to_owned(),
        transport: interpreter::Transport::Mllp,
        headers: Vec::new(),
        body: b"MSH|^~\\&|".to_vec(),
        too_long: None,
        received_at: NOW,
    };
    let letter = || carrier::Letter {
        id: "letter-1".to_owned(),
        channel: ChannelKind::Sms,
        to: "ZPHIG00C00000000000000000000000001".to_owned(),
        language: "en".to_owned(),
        subject: String::new(),
        text: "Please call us.".to_owned(),
        callback_url: None,
        extras: Vec::new(),
    };
    let callback = || carrier::Callback { headers: Vec::new(), fields: Vec::new(), received_at: NOW };
    vec![
        Call::AuthenticateDelivery { delivery: delivery(), settings: settings() },
        Call::Interpret { delivery: delivery(), settings: settings() },
        Call::Retrieve {
            query: retrieval::Query { patient: Vec::new(), wanted: vec!["language".to_owned()] },
            settings: settings(),
        },
        Call::ResumeRetrieval { state: state(), response: ok(), settings: settings() },
        choose("{}"),
        Call::Compose { letter: letter(), settings: settings() },
        Call::ResumeCarrier { state: state(), response: ok(), settings: settings() },
        Call::Lookup { letter: letter(), settings: settings() },
        Call::ClearFields,
        Call::AuthenticateCallback { callback: callback(), settings: settings() },
        Call::Receive { callback: callback(), settings: settings() },
        Call::Understand {
            message: understanding::Message {
                text: "sí".to_owned(),
                language: "es".to_owned(),
                asked: understanding::Question::Schedule,
                received_at: NOW,
            },
            settings: settings(),
        },
        Call::Assess {
            request: roster::Request {
                specialty: code(),
                plan_id: "P1".to_owned(),
                plan_name: "Plan".to_owned(),
                referred_to: None,
                cause: roster::Cause::Ordered,
                tried: Vec::new(),
                urgent: false,
                now: NOW,
                extras: Vec::new(),
            },
            settings: settings(),
        },
        Call::CheckVisit {
            visit: attendance::Visit {
                referral: Vec::new(),
                appointment: Vec::new(),
                starts_at: NOW,
                minutes: 30,
                heard: vec![attendance::Heard { what: "booked".to_owned(), at: NOW }],
                now: NOW,
                extras: Vec::new(),
            },
            settings: settings(),
        },
        Call::ResumeVisit { state: state(), response: ok(), settings: settings() },
        write_chart(),
        Call::ResumeChart { state: state(), response: ok(), settings: settings() },
        Call::Raise {
            task: hand_over::Task {
                id: "letter-2".to_owned(),
                audience: hand_over::Audience::Physician,
                kind: "day-21".to_owned(),
                urgent: true,
                to: None,
                summary: "No visit after 21 days.".to_owned(),
                referral: Vec::new(),
                patient: Vec::new(),
                due_at: NOW,
                now: NOW,
                extras: Vec::new(),
            },
            settings: settings(),
        },
        Call::ResumeTask { state: state(), response: ok(), settings: settings() },
    ]
}
