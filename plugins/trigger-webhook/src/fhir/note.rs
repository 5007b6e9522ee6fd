//! DocumentReference and DiagnosticReport: a note that came back, whole, or is taken back. Without its bytes it is never final.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::bundle::{Bundle, Located, list};
use super::elements::{code, number, numbers, provider, referred, text};
use super::mapped::Site;
use super::patient;
use crate::about::{About, push_number};
use crate::answer::Fault;
use crate::moments;
use crate::reading::Meant;
use crate::types::{Code, Document, Happening, NoteStatus, VisitNote};
use crate::words;

const LOINC: &str = "http://loinc.org";

pub fn read_document(site: Site<'_, '_>) -> Result<Meant, Fault> {
    let Site { bundle, located, settings: _ } = site;
    let document = located.value;
    let context = &document["context"];
    let mut about = site.numbered(about(bundle, document, &[&context["related"], &document["basedOn"]]))?;
    about.appointment = referred(bundle, document, &context["related"], "Appointment");
    let mut own = Vec::new();
    push_number(&mut own, number(&document["masterIdentifier"]));
    for number in numbers(bundle, document) {
        push_number(&mut own, number);
    }
    about.document = own;
    let is_wrong = document["status"] == "entered-in-error" || document["docStatus"] == "entered-in-error";
    if !(about.is_findable() || is_wrong && !about.document.is_empty()) {
        return Err(unfindable(located, "context/related"));
    }
    if is_wrong {
        return Ok(Meant::Events(vec![about.event(Happening::NoteRetracted)]));
    }
    if document["status"] != "current" {
        return Ok(Meant::NotForUs("a document that no longer stands".to_owned()));
    }
    let of_code = |code: &'static str| list(&document["relatesTo"]).filter(move |related| related["code"] == code);
    let replaces = of_code("replaces").next().is_some();
    for related in of_code("replaces").chain(of_code("appends")) {
        for number in referred(bundle, document, &related["target"], "DocumentReference") {
            push_number(&mut about.document, number);
        }
    }
    let status = match document["docStatus"].as_str() {
        Some("preliminary") => NoteStatus::Preliminary,
        Some("amended") => NoteStatus::Corrected,
        _ if replaces => NoteStatus::Corrected,
        _ => NoteStatus::Final,
    };
    let attachments = list(&document["content"]).map(|item| &item["attachment"]);
    let pointer = |at: usize| format!("{}/content/{at}/attachment/data", located.pointer);
    let documents = documents(bundle, document, attachments.enumerate().map(|(at, it)| (pointer(at), it)))?;
    let period = format!("{}/context/period/start", located.pointer);
    let written_at = stated(located, "date")?;
    let note = VisitNote {
        kind: kind(&document["type"]),
        status,
        author: provider(bundle, document, &document["author"][0]),
        visited_at: moments::stated(&context["period"]["start"], &period, moments::instant)?.or(written_at),
        written_at,
        documents,
    };
    arrived(about, note, &format!("{}/content", located.pointer))
}

pub fn read_report(site: Site<'_, '_>) -> Result<Meant, Fault> {
    let Site { bundle, located, settings: _ } = site;
    let report = located.value;
    let is_department = list(&report["category"])
        .flat_map(|category| list(&category["coding"]))
        .any(|coding| coding["code"].as_str().is_some_and(|code| DEPARTMENTS.contains(&code)));
    if is_department {
        return Ok(Meant::NotForUs(
            "results of a laboratory or an imaging department, not a consultation's note".to_owned(),
        ));
    }
    let mut about = site.numbered(about(bundle, report, &[&report["basedOn"]]))?;
    about.document = numbers(bundle, report);
    let is_wrong = report["status"] == "entered-in-error";
    if !(about.is_findable() || is_wrong && !about.document.is_empty()) {
        return Err(unfindable(located, "basedOn"));
    }
    let status = match report["status"].as_str() {
        Some("entered-in-error") => return Ok(Meant::Events(vec![about.event(Happening::NoteRetracted)])),
        Some("registered" | "partial" | "preliminary") => NoteStatus::Preliminary,
        Some("final") => NoteStatus::Final,
        Some("amended" | "corrected" | "appended") => NoteStatus::Corrected,
        Some("cancelled" | "unknown") => {
            return Ok(Meant::NotForUs("a report that did not come to be".to_owned()));
        }
        _ => {
            return Err(Fault::content(
                &format!("{}/status", located.pointer),
                "the DiagnosticReport has no status that we know",
                "write preliminary, final, amended, corrected, appended, cancelled or entered-in-error",
            ));
        }
    };
    let attachments = list(&report["presentedForm"]).enumerate();
    let forms = attachments.map(|(at, form)| (format!("{}/presentedForm/{at}/data", located.pointer), form));
    let mut documents = documents(bundle, report, forms)?;
    let conclusion = report["conclusion"].as_str().unwrap_or_default().trim();
    if !conclusion.is_empty() {
        documents.insert(0, plain_text(conclusion));
    }
    let period = &report["effectivePeriod"]["start"];
    let visited = [(&report["effectiveDateTime"], "effectiveDateTime"), (period, "effectivePeriod/start")];
    let mut visited_at = None;
    for (value, member) in visited {
        visited_at = visited_at.or(moments::stated(value, &format!("{}/{member}", located.pointer), moments::instant)?);
    }
    let written_at = stated(located, "issued")?;
    let by = [&report["resultsInterpreter"][0], &report["performer"][0]];
    let note = VisitNote {
        kind: kind(&report["code"]),
        status,
        author: by.into_iter().find_map(|by| provider(bundle, report, by)),
        visited_at: visited_at.or(written_at),
        written_at,
        documents,
    };
    arrived(about, note, &format!("{}/presentedForm", located.pointer))
}

/// DiagnosticReport.category (v2 table 0074, and US Core's and LOINC's words) of departments that answer with a measurement or
/// an image.
const DEPARTMENTS: [&str; 12] =
    ["LAB", "CH", "HM", "MB", "MCB", "RAD", "IMG", "CT", "NMR", "LP29684-5", "LP29708-2", "laboratory"];

fn about<'a>(bundle: &Bundle<'a>, resource: &'a Value, orders: &[&Value]) -> About {
    let mut referral = Vec::new();
    for number in orders.iter().flat_map(|orders| referred(bundle, resource, orders, "ServiceRequest")) {
        push_number(&mut referral, number);
    }
    About {
        referral,
        patient: patient::named(bundle, resource, &resource["subject"]),
        as_of: bundle.as_of(resource),
        ..About::default()
    }
}

fn unfindable(located: &Located<'_>, member: &str) -> Fault {
    let kind = located.value["resourceType"].as_str().unwrap_or_default();
    Fault::content(
        &format!("{}/{member}", located.pointer),
        &format!("the {kind} does not say which referral it is for"),
        &format!("refer to the ServiceRequest in {}", member.replace('/', ".")),
    )
}

fn stated(located: &Located<'_>, member: &str) -> Result<Option<i64>, Fault> {
    moments::stated(&located.value[member], &format!("{}/{member}", located.pointer), moments::instant)
}

fn arrived(about: About, note: VisitNote, pointer: &str) -> Result<Meant, Fault> {
    if note.documents.is_empty() && note.status != NoteStatus::Preliminary {
        return Err(Fault::content(
            pointer,
            "the note is final, and its bytes are not here",
            "send them in the attachment's data, or as a Binary in the same Bundle",
        ));
    }
    Ok(Meant::Events(vec![about.event(Happening::Note(note))]))
}

/// The attachments whose bytes are here, texts first. The bytes may be those of a Binary beside the resource.
fn documents<'a>(
    bundle: &Bundle<'a>,
    resource: &'a Value,
    attachments: impl Iterator<Item = (String, &'a Value)>,
) -> Result<Vec<Document>, Fault> {
    let mut documents = Vec::new();
    for (pointer, attachment) in attachments {
        let binary = bundle.resolve(resource, &json!({ "reference": attachment["url"] }));
        let data = binary.filter(|it| it["resourceType"] == "Binary").map_or(&attachment["data"], |it| &it["data"]);
        if let Some(content) = content(data, &pointer)? {
            let (media_type, title) = (text(&attachment["contentType"]), text(&attachment["title"]));
            documents.push(Document { media_type, title, content });
        }
    }
    documents.sort_by_key(|document| !document.media_type.starts_with("text/plain"));
    Ok(documents)
}

fn plain_text(text: &str) -> Document {
    let media_type = "text/plain; charset=utf-8".to_owned();
    Document { media_type, title: String::new(), content: STANDARD.encode(text) }
}

/// The bytes in Base64; none where they are elsewhere. What cannot be read whole is a fault.
fn content(data: &Value, pointer: &str) -> Result<Option<String>, Fault> {
    data.as_str().map_or(Ok(None), |data| words::base64(data, pointer))
}

/// LOINC's code where there is one.
fn kind(concept: &Value) -> Code {
    let loinc = list(&concept["coding"]).find(|coding| coding["system"] == LOINC).map(|coding| Code {
        system: LOINC.to_owned(),
        code: text(&coding["code"]),
        display: text(&coding["display"]),
    });
    loinc.or_else(|| code(concept)).unwrap_or_else(words::empty_code)
}
