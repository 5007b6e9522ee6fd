//! ORU^R01 and MDM (HL7 v2.8, chapters 7 and 9): a note, report or result that came back.
//!
//! Invariant: a final note has a document. One that says it is final and brings none, or does not say whether it is final, is
//! a fault: it would leave the referral open with nobody told.

use crate::answer_to_order;
use crate::coded;
use crate::document::{self, Contents, Document};
use crate::message::{Message, Segment};
use crate::order;
use crate::patient;
use crate::problem::{Condition, Fault, Place};
use crate::provider;
use crate::reading::{Feed, Meant};
use crate::results;
use crate::service::{self, Service};
use crate::settings::Services;
use crate::types::{Code, Event, Instant, Provider, VisitNote};

const LOINC: &str = "LN";
/// TXA-17 (table 0271): authenticated, legally authenticated.
const AUTHENTICATED: [&str; 2] = ["AU", "LA"];
/// TXA-19 (table 0273): cancelled, deleted, obsolete.
const GONE: [&str; 3] = ["CA", "DE", "OB"];
/// Triggers of notifications that bring no document (HL7 v2.8, 9.6): it is in a system of the sender's.
const WITHOUT_CONTENT: [&str; 5] = ["T01", "T03", "T05", "T07", "T09"];
/// OBR-25 and OBX-11 (tables 0123 and 0085): final, corrected, final without retransmission.
const FINAL: [&str; 3] = ["F", "C", "U"];

/// MDM^T01 to T11: TXA describes the document, OBX carries it.
pub fn read_document(message: &Message<'_>, trigger: &str, feed: &Feed) -> Result<Meant, Fault> {
    if trigger == "T11" {
        return Err(taken_back(Place::new("MSH", 9)));
    }
    let txa = message
        .segment("TXA")
        .ok_or_else(|| Fault::missing_segment("TXA", "send the document's number and status in TXA"))?;
    if GONE.contains(&txa.text(19, 1).as_str()) {
        return Err(taken_back(Place::new("TXA", 19)));
    }
    let segments = message.segments();
    let (orc, obr) = (order::named(segments, "ORC"), order::named(segments, "OBR"));
    let body = results::after(segments, "TXA");
    let contents = document::find(body, service::sequence_of(message, body, "OBX"))?;
    let place = Place::new("TXA", 17);
    let last = match txa.text(17, 1).as_str() {
        "" if WITHOUT_CONTENT.contains(&trigger) => false,
        "" => results_are_final(body, place)?,
        status => AUTHENTICATED.contains(&status) && !results_are_preliminary(body),
    };
    if !WITHOUT_CONTENT.contains(&trigger) {
        check(&contents, last)?;
    }
    let authored =
        [provider::from_xcn(txa.field(9)), provider::from_xcn(txa.field(10)), provider::from_xcn(txa.field(5))];
    let author = authored.into_iter().flatten().next().or_else(|| interpreter(obr)).or_else(|| observer(body));
    let written = feed.zone.instant(Some(txa), Place::new("TXA", 4))?;
    let note = Note {
        referral: coded::numbers([(Some(txa), 14), (orc, 2), (obr, 2), (Some(txa), 15), (orc, 3), (obr, 3)]),
        document_id: txa.text(12, 1),
        kind: obr.and_then(|obr| coded::code_of(obr.field(4), LOINC)).or_else(|| coded::code(txa.field(2))),
        last,
        author,
        visited_at: written.or(feed.zone.instant(obr, Place::new("OBR", 7))?).or(observed_at(message, body, feed)?),
        pid: message.segment("PID"),
    };
    note.events(message, contents.documents, feed).map(Meant::Events)
}

/// ORU^R01: one note for each order whose results it carries.
pub fn read_results(message: &Message<'_>, feed: &Feed) -> Result<Meant, Fault> {
    if message.segment("OBR").is_none() {
        return Err(Fault::missing_segment("OBR", "send the order that the results belong to in OBR"));
    }
    let mut events = Vec::new();
    for group in results::groups(message.segments()) {
        let is_ours = feed.settings.results == Services::All
            || service::of_result(group.segments, &feed.settings) != Service::Other;
        if is_ours {
            events.extend(read_result(message, &group, feed)?);
        }
    }
    Ok(if events.is_empty() {
        Meant::NotForUs("results of a laboratory or an imaging department, not a consultation's note".to_owned())
    } else {
        Meant::Events(events)
    })
}

fn read_result(message: &Message<'_>, group: &results::Group<'_, '_>, feed: &Feed) -> Result<Vec<Event>, Fault> {
    let obr = order::named(group.segments, "OBR");
    let obr_place =
        |field: usize| Place { segment: "OBR", sequence: service::sequence_of(message, group.segments, "OBR"), field };
    let status = obr.map(|obr| obr.text(25, 1)).unwrap_or_default();
    // X: the order was cancelled, there are no results (table 0123).
    if status == "X" {
        return Err(answer_to_order::declined(obr_place(25)));
    }
    let body = results::after(group.segments, "OBR");
    let contents = document::find(body, service::sequence_of(message, body, "OBX"))?;
    let last = match status.as_str() {
        "" => results_are_final(body, obr_place(25))?,
        status => FINAL.contains(&status) && !results_are_preliminary(body),
    };
    check(&contents, last)?;
    let note = Note {
        referral: group.numbers.clone(),
        document_id: group.document_id(),
        kind: obr.and_then(|obr| coded::code_of(obr.field(4), LOINC).or_else(|| coded::code(obr.field(4)))),
        last,
        author: interpreter(obr).or_else(|| observer(body)),
        visited_at: feed.zone.instant(obr, obr_place(7))?.or(observed_at(message, body, feed)?),
        pid: group.pid,
    };
    note.events(message, contents.documents, feed)
}

/// A note that was taken back opens the loop again, which the contract cannot say yet.
fn taken_back(place: Place) -> Fault {
    Fault::for_a_person(
        place,
        "a note is taken back, and this cannot be taken over yet",
        "look whether its referral was closed with it; mend the chart, then dismiss the dead letter",
    )
}

fn check(contents: &Contents, last: bool) -> Result<(), Fault> {
    let is_empty = contents.documents.is_empty();
    match contents.retracted.first() {
        Some(&sequence) if !contents.is_standing => Err(taken_back(Place { segment: "OBX", sequence, field: 11 })),
        _ if last && is_empty && contents.has_pointer => Err(Fault::at(
            Condition::DataType,
            Place::new("OBX", 5),
            "the note is final, and OBX-5 only points at it".to_owned(),
            "send the document itself in OBX-5, as text (TX) or as a file (ED)",
        )),
        _ if last && is_empty => {
            Err(Fault::missing_field("OBX", 5, "a final note needs its text or file in OBX-5, or its text in NTE-3"))
        }
        Some(_) | None => Ok(()),
    }
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
    fn events(&self, message: &Message<'_>, documents: Vec<Document>, feed: &Feed) -> Result<Vec<Event>, Fault> {
        let identifiers = self.pid.map(patient::identifiers).unwrap_or_default();
        if self.referral.is_empty() && identifiers.is_empty() {
            return Err(Fault::missing_field(
                "PID",
                3,
                "send the order's number in ORC-2 or OBR-2, or the patient's identifier in PID-3",
            ));
        }
        let id = if self.document_id.is_empty() { message.header().text(10, 1) } else { self.document_id.clone() };
        let note = |(at, document): (usize, Document)| {
            Event::Note(VisitNote {
                reference: order::reference(self.referral.clone(), Vec::new(), identifiers.clone(), feed),
                document_id: if at == 0 { id.clone() } else { format!("{id}-{}", at + 1) },
                kind: document.loinc.or_else(|| self.kind.clone()).unwrap_or_else(coded::empty_code),
                final_: self.last && !document.content.is_empty(),
                author: self.author.clone(),
                visited_at: self.visited_at,
                media_type: document.media_type,
                content: document.content,
            })
        };
        let documents = if documents.is_empty() { vec![Document::default()] } else { documents };
        Ok(documents.into_iter().enumerate().map(note).collect())
    }
}

/// OBR-32, who is responsible for what the report says.
fn interpreter(obr: Option<Segment<'_>>) -> Option<Provider> {
    obr.and_then(|obr| provider::from_ndl(obr.field(32)))
}

/// OBX-16, the observer, with the place in OBX-15 and OBX-23 beside them.
fn observer(body: &[Segment<'_>]) -> Option<Provider> {
    let observations = || body.iter().filter(|segment| segment.is("OBX"));
    let person = observations().find_map(|obx| provider::from_xcn(obx.field(16)));
    let place = observations().find_map(|obx| {
        let organization = [obx.text(23, 1), obx.text(15, 2), obx.text(15, 1)];
        organization.into_iter().find(|text| !text.is_empty())
    });
    match (person, place) {
        (Some(person), Some(organization)) => Some(Provider { organization, ..person }),
        (Some(person), None) => Some(person),
        (None, Some(organization)) => Some(Provider { organization, ..provider::nobody() }),
        (None, None) => None,
    }
}

/// OBX-14 of the first observation that has one.
fn observed_at(message: &Message<'_>, body: &[Segment<'_>], feed: &Feed) -> Result<Option<Instant>, Fault> {
    let first = service::sequence_of(message, body, "OBX");
    for (obx, sequence) in body.iter().filter(|segment| segment.is("OBX")).zip(first..) {
        let at = feed.zone.instant(Some(*obx), Place { segment: "OBX", sequence, field: 14 })?;
        if at.is_some() {
            return Ok(at);
        }
    }
    Ok(None)
}

/// By OBX-11, where nothing above the observations says it. A status that nobody gave is not "final".
fn results_are_final(body: &[Segment<'_>], place: Place) -> Result<bool, Fault> {
    let statuses: Vec<String> = told(body).map(|obx| obx.text(11, 1)).collect();
    let is_final = |status: &String| FINAL.contains(&status.as_str());
    if statuses.iter().any(|status| !status.is_empty() && !is_final(status)) {
        return Ok(false);
    }
    if !statuses.is_empty() && statuses.iter().all(is_final) {
        return Ok(true);
    }
    let message = format!("neither {place} nor OBX-11 says whether the note is final");
    let help = "send F in OBR-25 and OBX-11, or AU or LA in TXA-17, once the note is final; P before";
    Err(Fault::at(Condition::RequiredFieldMissing, place, message, help))
}

/// Whether a part of the note is announced as not the last word: a final report does not stand on it.
fn results_are_preliminary(body: &[Segment<'_>]) -> bool {
    told(body).any(|obx| ["P", "R", "S", "I"].contains(&obx.text(11, 1).as_str()) && !obx.field(5).is_empty())
}

/// The observations that count: not those taken back or not obtained.
fn told<'s, 'a>(body: &'s [Segment<'a>]) -> impl Iterator<Item = &'s Segment<'a>> {
    body.iter().filter(|obx| obx.is("OBX") && !["D", "W", "X"].contains(&obx.text(11, 1).as_str()))
}
