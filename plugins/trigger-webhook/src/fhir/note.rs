//! DocumentReference: a note that came back. Without its bytes it is never final.

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
    // The first attachment whose bytes are here; else the first, for its media type.
    let attachments = || list(&document["content"]).map(|content| &content["attachment"]);
    let attachment = attachments().find(|attachment| attachment["data"].is_string()).or_else(|| attachments().next());
    let content: String =
        attachment.map(|attachment| text(&attachment["data"])).unwrap_or_default().split_whitespace().collect();
    let preliminary = document["docStatus"] == "preliminary" || document["docStatus"] == "entered-in-error";
    let visited = [&context["period"]["start"], &document["date"]];
    let master = text(&document["masterIdentifier"]["value"]);
    let own = || identifiers(document).into_iter().next().map(|identifier| identifier.value);
    Ok(Meant::Events(vec![Event::Note(VisitNote {
        reference,
        document_id: Some(master)
            .filter(|id| !id.is_empty())
            .or_else(own)
            .or_else(|| bundle::name(document))
            .unwrap_or_default(),
        kind: loinc(document).or_else(|| code(&document["type"])).unwrap_or_else(words::empty_code),
        final_: !preliminary && !content.is_empty(),
        author: provider(bundle, document, &document["author"][0]),
        visited_at: visited.into_iter().find_map(|time| moments::instant(&text(time))),
        media_type: attachment.map(|attachment| text(&attachment["contentType"])).unwrap_or_default(),
        content,
    })]))
}

fn loinc(document: &serde_json::Value) -> Option<Code> {
    let coding = list(&document["type"]["coding"]).find(|coding| coding["system"] == LOINC)?;
    Some(Code { system: LOINC.to_owned(), code: text(&coding["code"]), display: text(&coding["display"]) })
}
