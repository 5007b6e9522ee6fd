//! `chart`: what came of a referral is written to the right patient's chart, under the entry's own number, so that
//! writing twice writes once.

use handoff_host::contract::types::{Code, Provider};
use handoff_host::contract::write_back::{ChartIdentifier, Document, Entry, Note, Outcome};
use handoff_host::{Call, ChartEntry};

use super::Bench;
use super::turn::{self, Conversation, asks, holds, texts, writes};

/// 2026-11-23T09:00:00Z.
const NOW: i64 = 1_795_424_400_000;

const DAY_MILLIS: i64 = 86_400_000;

const OUTCOMES: [Outcome; 7] = [
    Outcome::ClosedWithNote,
    Outcome::ClosedWithoutNote,
    Outcome::Declined,
    Outcome::Cancelled,
    Outcome::Unreachable,
    Outcome::NoShow,
    Outcome::NoteRetracted,
];

pub fn try_out(bench: &mut Bench) {
    let entry = entry(bench);
    let opening = |outcome| write(bench, &entry, outcome);
    let openings = OUTCOMES.map(opening);
    let asked = asks(bench, &openings[0]);
    bench.note("asks the chart to take a closed referral", asked.clone().map(drop));
    let Ok(_) = asked else { return };
    let kept = openings.iter().try_for_each(|opening| bench.answer(opening).map(drop));
    bench.note("has an answer to each outcome", kept);
    let conversation = match turn::converse(bench, &openings[0]) {
        Ok(conversation) => conversation,
        Err(why) => return bench.note("goes on from each of the chart's answers", Err(why)),
    };
    let kept = finds(&conversation, &entry);
    bench.note("finds the patient or the order by the numbers that the referral has", kept);
    let kept = writes_once(&conversation, &entry);
    bench.note("writes under the entry's id, so that writing twice writes once", kept);
    let kept = writes_the_note(&conversation, &entry);
    bench.note("writes the note as it was given", kept);
    turn::try_out(bench, &conversation, &openings[0], |_, _| false);
}

fn write(bench: &Bench, entry: &Entry, outcome: Outcome) -> Call {
    let note = entry.note.clone().filter(|_| outcome == Outcome::ClosedWithNote);
    let written = (outcome == Outcome::NoteRetracted).then(|| "DocumentReference/77".to_owned());
    let retracts = written.into_iter().collect();
    let entry = ChartEntry::V0_2(Box::new(Entry { outcome, note, retracts, ..entry.clone() }));
    Call::WriteChart { entry, settings: bench.settings.clone() }
}

/// The author's own with a note, for its numbers may be given out by whom their settings know.
fn entry(bench: &Bench) -> Entry {
    let mut own = bench.calls.iter().filter_map(|call| {
        let Call::WriteChart { entry: ChartEntry::V0_2(entry), .. } = call else { return None };
        (entry.note.is_some() && !entry.patient.is_empty()).then(|| Entry::clone(entry))
    });
    own.find(|entry| asks(bench, &write(bench, entry, Outcome::ClosedWithNote)).is_ok()).unwrap_or_else(|| Entry {
        id: "01JD0000000000000000000001".into(),
        referral: vec!["ZPHIA00600000000000000000000000003".into()],
        patient: vec![ChartIdentifier {
            value: "ZPHIA00700000000000000000000000004".into(),
            authority: "2.16.840.1.113883.19.5".into(),
            kind: "MR".into(),
        }],
        ordered_at: NOW - 14 * DAY_MILLIS,
        outcome: Outcome::ClosedWithNote,
        specialist: Some(Provider {
            id: "1003000126".into(),
            name: "Dr. Paul McWilliams".into(),
            organization: "Valley Heart".into(),
            phone: String::new(),
            specialty: "Cardiology".into(),
        }),
        visited_at: Some(NOW - DAY_MILLIS),
        note: Some(Note {
            kind: Code { system: "LN".into(), code: "11488-4".into(), display: "Consult note".into() },
            author: None,
            written_at: None,
            received_at: NOW - DAY_MILLIS / 2,
            documents: vec![Document {
                media_type: "application/pdf".into(),
                title: String::new(),
                content: "ZPHIA0ZZ00000000000000000000000005".into(),
            }],
            replaces: Vec::new(),
        }),
        retracts: Vec::new(),
        now: NOW,
        extras: vec![],
    })
}

fn finds(conversation: &Conversation, entry: &Entry) -> Result<(), String> {
    let patient = entry.patient.iter().map(|number| number.value.as_str());
    let numbers: Vec<&str> = patient.chain(entry.referral.iter().map(String::as_str)).collect();
    match holds(conversation.asks.first(), &numbers) {
        true => Ok(()),
        false => Err("the first request names neither the patient nor the order".into()),
    }
}

/// `wit/chart.wit`, `entry.id`.
fn writes_once(conversation: &Conversation, entry: &Entry) -> Result<(), String> {
    let mut written = conversation.asks.iter().filter(|ask| writes(ask)).peekable();
    if written.peek().is_none() {
        return Err(
            "the cases never come as far as writing: give one with each of the chart's answers before it".into()
        );
    }
    match written.all(|ask| texts(ask).iter().any(|text| text.contains(&entry.id))) {
        true => Ok(()),
        false => Err("a request that writes does not carry the entry's id".into()),
    }
}

fn writes_the_note(conversation: &Conversation, entry: &Entry) -> Result<(), String> {
    let written = conversation.asks.iter().filter(|ask| writes(ask));
    let documents = entry.note.iter().flat_map(|note| &note.documents);
    let content: Vec<&str> = documents.map(|document| document.content.as_str()).collect();
    match holds(written, &content) {
        true => Ok(()),
        false => Err("no request that writes holds the note's token".into()),
    }
}
