//! What people do, in a row's words.

use super::{Scene, moment};
use crate::act::{GivenAnswer, GivenAnswers, Minted, told_events};
use crate::answer::{ActAnswer, ActAnswers};
use crate::event::Event;
use crate::ids::Token;
use crate::referral::Consent;
use crate::task::TaskChange;
use crate::workflow::{ActRule, Workflow};

const WHO: &str = "coordinator";

/// `book appointment 12d, specialist Dr. Ana Ruiz "I phoned"`; an act that asks nothing is followed by the reason alone.
pub(super) fn act(text: &str, scene: &Scene<'_>, workflow: &Workflow) -> Result<Vec<Event>, String> {
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rule = workflow.act(name).ok_or_else(|| format!("`{name}` is no action of this workflow"))?;
    let (answers, reason) = match rest.trim().strip_suffix('"').and_then(|rest| rest.split_once('"')) {
        Some((answers, reason)) => (answers.trim(), reason),
        None if rule.asks.is_empty() => ("", rest.trim()),
        None => (rest.trim(), ""),
    };
    let answers = read(answers, rule, scene, workflow)?;
    let (verb, who, reason) = (name.to_string(), WHO.to_string(), reason.to_string());
    let minted = Minted { words: token(1), document: token(2) };
    let told = told_events(rule, &answers, scene.referral, None, &minted, scene.now);
    let done = Event::Person { verb, who, reason, role: Some(WHO.to_string()), answers };
    Ok(std::iter::once(done).chain(told).collect())
}

fn read(text: &str, rule: &ActRule, scene: &Scene<'_>, workflow: &Workflow) -> Result<ActAnswers, String> {
    let mut given = GivenAnswers::default();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (question, answer) = part.split_once(' ').ok_or_else(|| format!("`{part}` needs an answer"))?;
        // A moment of the story stands for its date.
        let answer = match moment(answer, scene) {
            Some(at) => at.to_rfc3339(),
            None => answer.trim().to_string(),
        };
        given.0.insert(question.to_string(), answer);
    }
    let read = given.read(rule, workflow, scene.zone, scene.now).map_err(|fault| fault.to_string())?;
    Ok(read.into_iter().map(|(question, answer)| (question, sealed(answer))).collect())
}

fn sealed(answer: GivenAnswer) -> ActAnswer {
    match answer {
        GivenAnswer::Plain(answer) => answer,
        GivenAnswer::Text(_) => ActAnswer::Text { text: token(3) },
        GivenAnswer::Address { channel, .. } => {
            ActAnswer::Address { channel, address: token(4), replaces: None, consent: Consent::Unknown }
        }
        GivenAnswer::Document { media_type, .. } => ActAnswer::Document { media_type, content: token(5) },
    }
}

/// `done stalled`, `assigned stalled ana`, `snoozed stalled 3d`, `reopened stalled`: the last task of that kind.
pub(super) fn task(word: &str, rest: &str, scene: &Scene<'_>) -> Option<Event> {
    let (kind, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let change = match word {
        "done" => TaskChange::Done,
        "reopened" => TaskChange::Reopened,
        "assigned" => TaskChange::Assigned { to: (!rest.is_empty()).then(|| rest.to_string()) },
        "snoozed" => TaskChange::Snoozed { until: moment(rest, scene)? },
        _ => return None,
    };
    let known = scene.referral.tasks.iter().rfind(|task| task.kind == kind && task.takes(&change))?;
    Some(Event::Task {
        task: known.id(scene.referral.id),
        kind: kind.to_string(),
        change,
        who: WHO.to_string(),
        role: Some(WHO.to_string()),
        why: String::new(),
    })
}

fn token(number: u8) -> Token {
    Token(format!("ZPHIU00A{number:0>26}"))
}
