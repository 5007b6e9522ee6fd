//! ORU^R01 and MDM (HL7 v2.8, chapters 7 and 9): a note, report or result that came back.
//!
//! A note without a document is never final: there is nothing yet to close a referral with.

use crate::coded;
use crate::document::{self, Document};
use crate::message::{Message, Segment};
use crate::order;
use crate::patient;
use crate::problem::Fault;
use crate::provider;
use crate::reading::Meant;
use crate::settings::Settings;
use crate::timestamp::Timestamp;
use crate::types::{Code, Event, Instant, Provider, VisitNote};

const LOINC: &str = "LN";
/// TXA-17 (table 0271): authenticated, legally authenticated.
const AUTHENTICATED: [&str; 2] = ["AU", "LA"];
/// TXA-19 (table 0273): cancelled, deleted, obsolete.
const GONE: [&str; 3] = ["CA", "DE", "OB"];
/// OBR-25 and OBX-11 (tables 0123 and 0085): final, corrected, final without retransmission.
const FINAL: [&str; 3] = ["F", "C", "U"];

/// MDM^T01 to T11: TXA describes the document, OBX carries it.
pub fn read_document(message: &Message<'_>, trigger: &str, settings: &Settings) -> Result<Meant, Fault> {
    if trigger == "T11" {
        return Ok(Meant::NotForUs("a document was cancelled; nothing has come back".to_owned()));
    }
    let txa = message
        .segment("TXA")
        .ok_or_else(|| Fault::missing_segment("TXA", "send the document's number and status in TXA"))?;
    if GONE.contains(&txa.text(19, 1).as_str()) {
        return Ok(Meant::NotForUs("the document is no longer available".to_owned()));
    }
    let segments = message.segments();
    let (orc, obr) = (order::named(segments, "ORC"), order::named(segments, "OBR"));
    let status = txa.text(17, 1);
    let authored =
        [provider::from_xcn(txa.field(9)), provider::from_xcn(txa.field(10)), provider::from_xcn(txa.field(5))];
    let note = Note {
        referral: coded::numbers([(Some(txa), 14), (orc, 2), (obr, 2), (Some(txa), 15), (orc, 3), (obr, 3)]),
        document_id: txa.text(12, 1),
        kind: obr.and_then(|obr| coded::code_of(obr.field(4), LOINC)).or_else(|| coded::code(txa.field(2))),
        last: if status.is_empty() { results_are_final(segments) } else { AUTHENTICATED.contains(&status.as_str()) },
        author: authored.into_iter().flatten().next(),
        visited_at: time(Some(txa), 4, settings).or_else(|| time(obr, 7, settings)),
        pid: message.segment("PID"),
    };
    note.events(message, &document::find(segments)?, settings).map(Meant::Events)
}

/// ORU^R01: one note for each order whose results it carries.
pub fn read_results(message: &Message<'_>, settings: &Settings) -> Result<Meant, Fault> {
    if message.segment("OBR").is_none() {
        return Err(Fault::missing_segment("OBR", "send the order that the results belong to in OBR"));
    }
    let mut events = Vec::new();
    for group in result_groups(message.segments()) {
        let obr = order::named(group.segments, "OBR");
        let status = obr.map(|obr| obr.text(25, 1)).unwrap_or_default();
        // X: the order was cancelled, there are no results (table 0123).
        if status == "X" {
            continue;
        }
        let observer = order::named(group.segments, "OBX").and_then(|obx| provider::from_xcn(obx.field(16)));
        let note = Note {
            referral: group.numbers.clone(),
            document_id: group.numbers.last().cloned().unwrap_or_default(),
            kind: obr.and_then(|obr| coded::code_of(obr.field(4), LOINC).or_else(|| coded::code(obr.field(4)))),
            last: if status.is_empty() { results_are_final(group.segments) } else { FINAL.contains(&status.as_str()) },
            author: obr.and_then(|obr| provider::from_ndl(obr.field(32))).or(observer),
            visited_at: time(obr, 7, settings),
            pid: group.pid,
        };
        events.extend(note.events(message, &document::find(group.segments)?, settings)?);
    }
    Ok(if events.is_empty() {
        Meant::NotForUs("the order was cancelled; there are no results".to_owned())
    } else {
        Meant::Events(events)
    })
}

/// What the segments around a document tell about it.
struct Note<'a> {
    referral: Vec<String>,
    document_id: String,
    kind: Option<Code>,
    last: bool,
    author: Option<Provider>,
    visited_at: Option<Instant>,
    pid: Option<Segment<'a>>,
}

impl Note<'_> {
    fn events(&self, message: &Message<'_>, documents: &[Document], settings: &Settings) -> Result<Vec<Event>, Fault> {
        let identifiers = self.pid.map(patient::identifiers).unwrap_or_default();
        if self.referral.is_empty() && identifiers.is_empty() {
            return Err(Fault::missing_field(
                "PID",
                3,
                "send the order's number in ORC-2 or OBR-2, or the patient's identifier in PID-3",
            ));
        }
        let id = if self.document_id.is_empty() { message.header().text(10, 1) } else { self.document_id.clone() };
        let note = |document: &Document, id: String| VisitNote {
            reference: order::reference(self.referral.clone(), Vec::new(), identifiers.clone(), settings),
            document_id: id,
            kind: document.loinc.clone().or_else(|| self.kind.clone()).unwrap_or_else(coded::empty_code),
            final_: self.last && !document.content.is_empty(),
            author: self.author.clone(),
            visited_at: self.visited_at,
            media_type: document.media_type.clone(),
            content: document.content.clone(),
        };
        let numbered = |at: usize| if at == 0 { id.clone() } else { format!("{id}-{}", at + 1) };
        let mut events: Vec<Event> =
            documents.iter().enumerate().map(|(at, document)| Event::Note(note(document, numbered(at)))).collect();
        if events.is_empty() {
            events.push(Event::Note(note(&Document::default(), id)));
        }
        Ok(events)
    }
}

struct ResultGroup<'s, 'a> {
    numbers: Vec<String>,
    pid: Option<Segment<'a>>,
    segments: &'s [Segment<'a>],
}

/// Cut where an order with other numbers or another patient starts. An OBR without numbers goes on with the one before.
fn result_groups<'s, 'a>(segments: &'s [Segment<'a>]) -> Vec<ResultGroup<'s, 'a>> {
    let mut groups: Vec<(usize, Vec<String>, Option<Segment<'a>>)> = Vec::new();
    let (mut pid, mut orc, mut new_patient) = (None, None, false);
    for (at, segment) in segments.iter().enumerate() {
        if segment.is("PID") {
            (pid, orc, new_patient) = (Some(*segment), None, true);
        } else if segment.is("ORC") {
            orc = Some((at, *segment));
        } else if segment.is("OBR") {
            let (start, order) = orc.take().map_or((at, None), |(at, orc)| (at, Some(orc)));
            let obr = Some(*segment);
            let numbers = coded::numbers([(order, 2), (obr, 2), (order, 3), (obr, 3)]);
            let goes_on =
                !new_patient && groups.last().is_some_and(|(_, known, _)| numbers.is_empty() || *known == numbers);
            if !goes_on {
                groups.push((start, numbers, pid));
            }
            new_patient = false;
        }
    }
    let ends: Vec<usize> = groups.iter().map(|(start, _, _)| *start).skip(1).chain([segments.len()]).collect();
    groups
        .into_iter()
        .zip(ends)
        .filter_map(|((start, numbers, pid), end)| {
            Some(ResultGroup { numbers, pid, segments: segments.get(start..end)? })
        })
        .collect()
}

fn results_are_final(segments: &[Segment<'_>]) -> bool {
    let mut statuses = segments.iter().filter(|segment| segment.is("OBX")).map(|obx| obx.text(11, 1)).peekable();
    statuses.peek().is_some() && statuses.all(|status| FINAL.contains(&status.as_str()))
}

fn time(segment: Option<Segment<'_>>, field: usize, settings: &Settings) -> Option<Instant> {
    segment
        .and_then(|segment| Timestamp::read(segment.field(field)))
        .and_then(|time| time.instant(&settings.default_offset))
}
