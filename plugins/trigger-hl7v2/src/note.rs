//! ORU^R01 and MDM (HL7 v2.8, chapters 7 and 9): a note, report or result that came back, or is taken back.
//!
//! Invariant: a note that is final or corrected has a document. One that says it is final and brings none, or does not say
//! whether it is final, is a fault: it would leave the referral open with nobody told.

use crate::about::About;
use crate::answer_to_order;
use crate::batch::Batch;
use crate::coded;
use crate::document::{self, Contents, Document};
use crate::message::{Message, Segment};
use crate::number;
use crate::order;
use crate::problem::{Condition, Fault, Place};
use crate::provider;
use crate::reading::{Feed, Meant};
use crate::results;
use crate::service::{self, Service};
use crate::settings::Services;
use crate::timestamp::Timestamp;
use crate::types::{Code, Event, Happening, Instant, NoteStatus, Provider, VisitNote};

const LOINC: &str = "LN";
/// TXA-17 (table 0271): authenticated, legally authenticated.
const AUTHENTICATED: [&str; 2] = ["AU", "LA"];
/// TXA-19 (table 0273): cancelled, deleted, obsolete.
const GONE: [&str; 3] = ["CA", "DE", "OB"];
/// Triggers of notifications that bring no document (HL7 v2.8, 9.6): it is in a system of the sender's.
const WITHOUT_CONTENT: [&str; 5] = ["T01", "T03", "T05", "T07", "T09"];
/// Edited, and replaced by another document (9.6.7 to 9.6.10): what came before stands no more.
const REPLACES: [&str; 2] = ["T08", "T10"];
/// OBR-25 and OBX-11 (tables 0123 and 0085): final, corrected, final without retransmission.
const FINAL: [&str; 3] = ["F", "C", "U"];

/// MDM^T01 to T11: TXA describes the document, OBX carries it.
pub fn read_document(message: &Message<'_>, trigger: &str, feed: &Feed<'_>) -> Result<Meant, Fault> {
    let txa = message
        .segment("TXA")
        .ok_or_else(|| Fault::missing_segment("TXA", "send the document's number and status in TXA"))?;
    let about = about_document(message, txa).mapped(message.segments(), feed)?;
    let own = About { document: number::numbers([(Some(txa), 12)]), ..about.clone() };
    if trigger == "T11" || GONE.contains(&txa.text(19, 1).as_str()) {
        return taken_back(own, feed).map(|event| Meant::Events(vec![event]));
    }
    about.require_key(Place::new("PID", 3), KEY_HELP)?;
    let segments = message.segments();
    let obr = order::named(segments, "OBR");
    let body = results::after(segments, "TXA");
    let contents = document::find(body, service::sequence_of(message, body, "OBX"))?;
    if contents.is_withdrawn() {
        return taken_back(own, feed).map(|event| Meant::Events(vec![event]));
    }
    let place = Place::new("TXA", 17);
    let last = match txa.text(17, 1).as_str() {
        _ if WITHOUT_CONTENT.contains(&trigger) => false,
        "" => results_are_final(body, place)?,
        status => AUTHENTICATED.contains(&status) && !results_are_preliminary(body),
    };
    check(&contents, last)?;
    let authored =
        [provider::from_xcn(txa.field(9)), provider::from_xcn(txa.field(10)), provider::from_xcn(txa.field(5))];
    let author = authored.into_iter().flatten().next().or_else(|| interpreter(obr)).or_else(|| observer(body));
    let active = feed.zone.instant(Some(txa), Place::new("TXA", 4))?;
    let observed = observed_at(message, body, feed)?;
    let note = Note {
        kind: obr.and_then(|obr| coded::code_of(obr.field(4), LOINC)).or_else(|| coded::code(txa.field(2))),
        status: status(&contents, last, REPLACES.contains(&trigger)),
        author,
        visited_at: active.or(feed.zone.instant(obr, Place::new("OBR", 7))?).or(observed),
        // Transcribed, else dictated.
        written_at: written(Some(txa), 7, feed).or_else(|| written(Some(txa), 6, feed)).or(active).or(observed),
        file_name: txa.text(16, 1),
    };
    let arrived = note.happening(contents.documents);
    if trigger == "T09" {
        // The document that stood is obsolete, and the one in its place is not here.
        let parent = number::numbers([(Some(txa), 13)]);
        let document = if parent.is_empty() { own.document.clone() } else { parent };
        let gone = About { document, ..own.clone() };
        return Ok(Meant::Events(vec![gone.event(Happening::NoteRetracted, feed), own.event(arrived, feed)]));
    }
    Ok(Meant::Events(vec![about.event(arrived, feed)]))
}

/// TXA-12 is the document's own number, TXA-13 that of the one which it adds to or replaces.
fn about_document<'a>(message: &Message<'a>, txa: Segment<'a>) -> About<'a> {
    let (orc, obr) = (order::named(message.segments(), "ORC"), order::named(message.segments(), "OBR"));
    About {
        referral: number::numbers([(Some(txa), 14), (orc, 2), (obr, 2), (Some(txa), 15), (orc, 3), (obr, 3)]),
        document: number::numbers([(Some(txa), 12), (Some(txa), 13)]),
        group: number::numbers([(orc, 4)]),
        pid: message.segment("PID"),
        ..About::default()
    }
}

/// ORU^R01: one note for each order whose results it carries.
pub fn read_results(message: &Message<'_>, feed: &Feed<'_>) -> Result<Meant, Fault> {
    if message.segment("OBR").is_none() {
        return Err(Fault::missing_segment("OBR", "send the order that the results belong to in OBR"));
    }
    let mut batch = Batch::default();
    for group in results::groups(message.segments()) {
        let is_ours = feed.settings.results == Services::All
            || service::of_result(group.segments, feed.settings) != Service::Other;
        let meant = if is_ours {
            read_result(message, &group, feed).map(|event| Meant::Events(vec![event]))
        } else {
            let why = "results of a laboratory or an imaging department, not a consultation's note";
            Ok(Meant::NotForUs(why.to_owned()))
        };
        batch.take(group.with_patient(), meant);
    }
    batch.meant(message)
}

fn read_result(message: &Message<'_>, group: &results::Group<'_, '_>, feed: &Feed<'_>) -> Result<Event, Fault> {
    let about = group.about().mapped(&order::scope(message, group.segments), feed)?;
    let obr = order::named(group.segments, "OBR");
    let obr_place =
        |field: usize| Place { segment: "OBR", sequence: service::sequence_of(message, group.segments, "OBR"), field };
    let said = obr.map(|obr| obr.text(25, 1)).unwrap_or_default();
    // The order was cancelled, there are no results (table 0123).
    if said == "X" {
        about.require_key(Place::new("PID", 3), KEY_HELP)?;
        return Ok(about.event(answer_to_order::declined("OBR-25"), feed));
    }
    let body = results::after(group.segments, "OBR");
    let contents = document::find(body, service::sequence_of(message, body, "OBX"))?;
    if contents.is_withdrawn() {
        return taken_back(about, feed);
    }
    about.require_key(Place::new("PID", 3), KEY_HELP)?;
    let last = match said.as_str() {
        "" => results_are_final(body, obr_place(25))?,
        said => FINAL.contains(&said) && !results_are_preliminary(body),
    };
    check(&contents, last)?;
    let observed = observed_at(message, body, feed)?;
    let note = Note {
        kind: obr.and_then(|obr| coded::code_of(obr.field(4), LOINC).or_else(|| coded::code(obr.field(4)))),
        status: status(&contents, last, said == "C"),
        author: interpreter(obr).or_else(|| observer(body)),
        visited_at: feed.zone.instant(obr, obr_place(7))?.or(observed),
        // OBR-22: when the report came to its status.
        written_at: written(obr, 22, feed).or(observed),
        file_name: String::new(),
    };
    Ok(about.event(note.happening(contents.documents), feed))
}

const KEY_HELP: &str = "send the order's number in ORC-2 or OBR-2, or the patient's identifier in PID-3";

/// A document that is here already is found by its own number alone.
fn taken_back(about: About<'_>, feed: &Feed<'_>) -> Result<Event, Fault> {
    if about.document.is_empty() {
        about.require_key(Place::new("PID", 3), KEY_HELP)?;
    }
    Ok(about.event(Happening::NoteRetracted, feed))
}

impl Contents {
    /// Every observation was wrong: the note is taken back.
    fn is_withdrawn(&self) -> bool {
        self.is_retracted && !self.is_standing
    }
}

/// A part that is corrected, or taken back beside others that stand, makes the whole another than the one before.
fn status(contents: &Contents, last: bool, replaces: bool) -> NoteStatus {
    match (last, replaces || contents.is_corrected || contents.is_retracted) {
        (false, _) => NoteStatus::Preliminary,
        (true, false) => NoteStatus::Final,
        (true, true) => NoteStatus::Corrected,
    }
}

fn check(contents: &Contents, last: bool) -> Result<(), Fault> {
    match (last && contents.documents.is_empty(), contents.has_pointer) {
        (false, _) => Ok(()),
        (true, true) => Err(Fault::at(
            Condition::DataType,
            Place::new("OBX", 5),
            "the note is final, and OBX-5 only points at it".to_owned(),
            "send the document itself in OBX-5, as text (TX) or as a file (ED)",
        )),
        (true, false) => {
            Err(Fault::missing_field("OBX", 5, "a final note needs its text or file in OBX-5, or its text in NTE-3"))
        }
    }
}

/// What the segments around a document tell about it.
struct Note {
    kind: Option<Code>,
    status: NoteStatus,
    author: Option<Provider>,
    visited_at: Option<Instant>,
    written_at: Option<Instant>,
    /// TXA-16: the name of the one file that there is.
    file_name: String,
}

impl Note {
    fn happening(self, mut documents: Vec<Document>) -> Happening {
        let is_text = |document: &Document| document.media_type == document::PLAIN_TEXT && document.title.is_empty();
        let mut files: Vec<&mut Document> = documents.iter_mut().filter(|document| !is_text(document)).collect();
        if let ([file], false) = (files.as_mut_slice(), self.file_name.is_empty()) {
            file.title = self.file_name;
        }
        let kind = documents.first().and_then(|document| document.loinc.clone()).or(self.kind);
        Happening::Note(VisitNote {
            kind: kind.unwrap_or_else(coded::empty_code),
            status: self.status,
            author: self.author,
            visited_at: self.visited_at,
            written_at: self.written_at,
            documents: documents.into_iter().map(Into::into).collect(),
        })
    }
}

/// Nobody is written to by it, so one that cannot be read holds up no note.
fn written(segment: Option<Segment<'_>>, field: usize, feed: &Feed<'_>) -> Option<Instant> {
    Timestamp::parse(&segment?.text(field, 1))?.instant(&feed.zone)
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
fn observed_at(message: &Message<'_>, body: &[Segment<'_>], feed: &Feed<'_>) -> Result<Option<Instant>, Fault> {
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
