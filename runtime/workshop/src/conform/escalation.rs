//! `escalation`: a person is told what to do and about whom, by tokens alone, and once however often the task is raised.

use handoff_host::Call;
use handoff_host::contract::exchange::{Ask, Request};
use handoff_host::contract::hand_over::{Audience, Task};

use super::Bench;
use super::token;
use super::turn::{self, Conversation, asks, holds, texts, writes};

/// 2026-11-23T09:00:00Z.
const NOW: i64 = 1_795_424_400_000;

const NAME: &str = "ZPHIA00500000000000000000000000002";

/// How far from a summary's start a token is put: before, on and behind each place where an inbox might cut.
const PLACES: [usize; 10] = [40, 70, 90, 110, 130, 160, 190, 230, 250, 500];

pub fn try_out(bench: &mut Bench) {
    let task = task();
    let raise = |task: Task| Call::Raise { task, settings: bench.settings.clone() };
    let opening = raise(task.clone());
    let each = [Audience::Physician, Audience::Coordinator, Audience::Specialist]
        .map(|audience| raise(Task { audience, urgent: true, ..task.clone() }));
    let long: Vec<Call> = PLACES.iter().map(|place| raise(Task { summary: long(*place), ..task.clone() })).collect();
    let asked = asks(bench, &opening);
    bench.note("asks an inbox to take an ordinary task", asked.clone().map(drop));
    let Ok(_) = asked else { return };
    let kept = each.iter().try_for_each(|opening| asks(bench, opening).map(drop));
    bench.note("takes tasks for each audience", kept);
    let conversation = match turn::converse(bench, &opening) {
        Ok(conversation) => conversation,
        Err(why) => return bench.note("goes on from each of the inbox's answers", Err(why)),
    };
    let kept = raises_once(&conversation, &task);
    bench.note("raises under the task's id, so that raising twice raises once", kept);
    let kept = tells(&conversation, &task.summary, "what there is to do is not in the task, word for word");
    bench.note("tells a person what there is to do", kept);
    let kept = tells(&conversation, &task.referral[0], "the order's number is not in the task");
    bench.note("names the referral", kept);
    turn::try_out(bench, &conversation, &opening, |_, _| false);
    let kept = long.iter().try_for_each(|opening| leaves_whole(bench, opening));
    bench.note("cuts no token, however long a summary is", kept);
}

fn task() -> Task {
    Task {
        id: "01JD0000000000000000000002".into(),
        audience: Audience::Coordinator,
        kind: "stalled".into(),
        urgent: false,
        to: None,
        summary: format!("{NAME} has not answered for 14 days. Please telephone."),
        referral: vec!["ZPHIA00600000000000000000000000003".into()],
        patient: vec!["ZPHIA00700000000000000000000000004".into()],
        due_at: NOW + 86_400_000,
        now: NOW,
        extras: vec![],
    }
}

fn long(place: usize) -> String {
    let words = "has not come ".repeat(place / 13 + 1);
    format!("{} {NAME} was not seen", &words[..place])
}

/// `wit/escalation.wit`, `raise`. A mail has its id from the host.
fn raises_once(conversation: &Conversation, task: &Task) -> Result<(), String> {
    let mut written = conversation.asks.iter().filter(|ask| writes(ask)).peekable();
    if written.peek().is_none() {
        return Err(
            "the cases never come as far as raising it: give one with each of the inbox's answers before it".into()
        );
    }
    let carries =
        |ask: &Ask| matches!(ask.request, Request::Mail(_)) || texts(ask).iter().any(|text| text.contains(&task.id));
    match written.all(carries) {
        true => Ok(()),
        false => Err("a request that raises it does not carry the task's id".into()),
    }
}

fn tells(conversation: &Conversation, wanted: &str, otherwise: &str) -> Result<(), String> {
    let written = conversation.asks.iter().filter(|ask| writes(ask));
    if holds(written, &[wanted]) { Ok(()) } else { Err(otherwise.into()) }
}

fn leaves_whole(bench: &Bench, opening: &Call) -> Result<(), String> {
    let known = token::known(bench, opening);
    let conversation = turn::converse(bench, opening)?;
    conversation.asks.iter().try_for_each(|ask| texts(ask).iter().try_for_each(|text| token::whole(text, &known)))
}
