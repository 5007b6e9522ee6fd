//! DocumentReference: a note that came back, with every attachment. Without its bytes it is never final.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::bundle::{Bundle, Located, list};
use super::elements::{code, identifiers, provider, referred, text};
use super::{bundle, patient};
use crate::answer::Fault;
use crate::moments;
use crate::reading::Meant;
use crate::types::{Code, Event, Reference, VisitNote};
use crate::words;

const LOINC: &str = "http://loinc.org";

pub fn read<'a>(bundle: &Bundle<'a>, located: &Located<'a>) -> Result<Meant, Fault> {
    let document = located.value;
    if document["status"] == "entered-in-error" || document["docStatus"] == "entered-in-error" {
        return Err(Fault::for_a_person(
            &format!("{}/status", located.pointer),
            "a note is taken back, and this cannot be taken over yet",
            "look whether its referral was closed with it; mend the chart, then dismiss the dead letter",
        ));
    }
    if document["status"] != "current" {
        return Ok(Meant::NotForUs("a document that no longer stands".to_owned()));
    }
    let context = &document["context"];
    let mut referral = referred(bundle, document, &context["related"], "ServiceRequest");
    for number in referred(bundle, document, &document["basedOn"], "ServiceRequest") {
        words::push_new(&mut referral, number);
    }
    let appointment = referred(bundle, document, &context["related"], "Appointment");
    let patient = if referral.is_empty() { patient::keys(bundle, document, &document["subject"]) } else { Vec::new() };
    let reference = Reference { referral, appointment, patient };
    if reference.referral.is_empty() && reference.appointment.is_empty() && reference.patient.is_empty() {
        return Err(Fault::content(
            &format!("{}/context/related", located.pointer),
            "the DocumentReference does not say which referral it is for",
            "refer to the ServiceRequest in context.related",
        ));
    }
    let is_final = document["docStatus"] != "preliminary";
    let visited = moments::stated(
        &context["period"]["start"],
        &format!("{}/context/period/start", located.pointer),
        moments::instant,
    )?;
    let dated = moments::stated(&document["date"], &format!("{}/date", located.pointer), moments::instant)?;
    let master = text(&document["masterIdentifier"]["value"]);
    let own = || identifiers(document).into_iter().next().map(|identifier| identifier.value);
    let id = Some(master).filter(|id| !id.is_empty()).or_else(own).or_else(|| bundle::name(document));
    let note = |attachment: &Value, content: String| VisitNote {
        reference: reference.clone(),
        document_id: id.clone().unwrap_or_default(),
        kind: loinc(document).or_else(|| code(&document["type"])).unwrap_or_else(words::empty_code),
        final_: is_final && !content.is_empty(),
        author: provider(bundle, document, &document["author"][0]),
        visited_at: visited.or(dated),
        media_type: text(&attachment["contentType"]),
        content,
    };
    let mut notes = Vec::new();
    for (at, item) in list(&document["content"]).enumerate() {
        let attachment = &item["attachment"];
        // The bytes may be those of a Binary beside it.
        let binary = bundle.resolve(document, &json!({ "reference": attachment["url"] }));
        let data = binary.filter(|it| it["resourceType"] == "Binary").map_or(&attachment["data"], |it| &it["data"]);
        if let Some(content) = content(data, &format!("{}/content/{at}/attachment/data", located.pointer))? {
            let note = note(attachment, content);
            let number = notes.len() + 1;
            let document_id = if number == 1 { note.document_id } else { format!("{}-{number}", note.document_id) };
            notes.push(Event::Note(VisitNote { document_id, ..note }));
        }
    }
    match (notes.is_empty(), is_final) {
        (true, true) => Err(Fault::content(
            &format!("{}/content", located.pointer),
            "the note is final, and its bytes are not here",
            "send them in attachment.data, or as a Binary in the same Bundle",
        )),
        (true, false) => {
            Ok(Meant::Events(vec![Event::Note(note(&document["content"][0]["attachment"], String::new()))]))
        }
        (false, _) => Ok(Meant::Events(notes)),
    }
}

/// The bytes in Base64; none where they are elsewhere. What cannot be read whole is a fault.
fn content(data: &Value, pointer: &str) -> Result<Option<String>, Fault> {
    let Some(data) = data.as_str() else { return Ok(None) };
    let data = if data.contains(char::is_whitespace) { data.split_whitespace().collect() } else { data.to_owned() };
    match STANDARD.decode(&data) {
        Ok(bytes) if bytes.is_empty() => Ok(None),
        Ok(_) => Ok(Some(data)),
        Err(_) => Err(Fault::content(pointer, "the attachment is not Base64", "send its bytes in Base64 with padding")),
    }
}

fn loinc(document: &Value) -> Option<Code> {
    let coding = list(&document["type"]["coding"]).find(|coding| coding["system"] == LOINC)?;
    Some(Code { system: LOINC.to_owned(), code: text(&coding["code"]), display: text(&coding["display"]) })
}
