//! ServiceRequest: a referral is ordered or withdrawn.

use serde_json::Value;

use super::bundle::{Bundle, Located, list};
use super::elements::{code, codes, number, numbers, provider, text};
use super::mapped::Site;
use super::patient;
use crate::about::{About, push_number};
use crate::answer::Fault;
use crate::moments;
use crate::reading::Meant;
use crate::settings::Orders;
use crate::types::{Code, Happening, Order, Priority};
use crate::words;

pub fn read(site: Site<'_, '_>) -> Result<Meant, Fault> {
    let Site { bundle, located, settings } = site;
    let request = located.value;
    if settings.orders == Orders::ByService && is_diagnostic(request) {
        return Ok(Meant::NotForUs("an order for a test or an image, not a referral".to_owned()));
    }
    let is_asked_for = request["doNotPerform"] != true
        && !matches!(request["intent"].as_str(), Some("proposal" | "plan" | "directive" | "option"));
    // The requisition numbers the group that a request was signed in: others have it too.
    let mut group = Vec::new();
    push_number(&mut group, number(&request["requisition"]));
    let about = About {
        referral: numbers(bundle, request),
        group,
        patient: patient::named(bundle, request, &request["subject"]),
        as_of: bundle.as_of(request),
        ..About::default()
    };
    let about = site.numbered(about)?;
    if about.referral.is_empty() {
        return Err(Fault::content(
            &format!("{}/identifier", located.pointer),
            "the ServiceRequest has neither an identifier nor an id",
            "send the order's number as an identifier",
        ));
    }
    match request["status"].as_str() {
        Some("active") if is_asked_for => {}
        Some("active") => return Ok(Meant::NotForUs("a referral that is not ordered".to_owned())),
        Some("revoked" | "entered-in-error") => {
            return Ok(Meant::Events(vec![about.event(Happening::Withdrawn)]));
        }
        Some("draft" | "on-hold") => return Ok(Meant::NotForUs("a referral that is not ordered yet".to_owned())),
        // A legal status that orders nothing: whoever wrote it does not know (FHIR R4, request-status).
        Some("unknown") => {
            return Ok(Meant::NotForUs("a referral of which its sender does not know how it stands".to_owned()));
        }
        Some("completed") => return Ok(Meant::NotForUs("a referral that is over".to_owned())),
        _ => {
            return Err(Fault::content(
                &format!("{}/status", located.pointer),
                "the ServiceRequest has no status that we know",
                "write active, revoked, draft, on-hold, completed, entered-in-error or unknown",
            ));
        }
    }
    let mut order = order(bundle, located)?;
    site.order(&mut order)?;
    if order.patient.identifiers.is_empty() && order.patient.family.is_empty() {
        return Err(Fault::content(
            &format!("{}/subject", located.pointer),
            "the patient is not here",
            "send the Patient contained, in the bundle, or by an identifier in the reference",
        ));
    }
    let about = About { patient: words::named(&order.patient), ..about };
    Ok(Meant::Events(vec![about.event(Happening::Ordered(order))]))
}

/// ServiceRequest.category and observation-category or v2 table 0074 in its place: laboratory, imaging, diagnostic and
/// surgical procedures.
const DIAGNOSTIC: [&str; 11] = [
    "108252007",
    "363679005",
    "103693007",
    "387713003",
    "laboratory",
    "imaging",
    "procedure",
    "LAB",
    "RAD",
    "PAT",
    "IMG",
];
/// SNOMED CT: referral, consultation.
const REFERRALS: [&str; 4] = ["3457005", "306206005", "11429006", "103696004"];

/// Said of it by its category, its specimen or a LOINC that is no referral note's, and not a referral by any of them.
fn is_diagnostic(request: &Value) -> bool {
    let concepts = || list(&request["category"]).chain([&request["code"]]);
    let codings = || concepts().flat_map(|concept| list(&concept["coding"]));
    let words = concepts().chain(codings()).flat_map(|it| [text(&it["text"]), text(&it["display"])]);
    let words = words.collect::<Vec<_>>().join(" ").to_lowercase();
    let is = |known: &[&str]| codings().any(|coding| coding["code"].as_str().is_some_and(|code| known.contains(&code)));
    let loinc = list(&request["code"]["coding"])
        .any(|coding| coding["system"] == "http://loinc.org" && coding["code"] != "57133-1");
    let is_referral = is(&REFERRALS) || words.contains("refer") || words.contains("consult");
    !is_referral && (is(&DIAGNOSTIC) || loinc || request["specimen"][0].is_object())
}

fn order<'a>(bundle: &Bundle<'a>, located: &Located<'a>) -> Result<Order, Fault> {
    let request = located.value;
    let pointer = |member: &str| format!("{}/{member}", located.pointer);
    let authored = moments::stated(&request["authoredOn"], &pointer("authoredOn"), moments::instant)?;
    let expires = &request["occurrencePeriod"]["end"];
    let service = code(&request["code"]);
    let specialty =
        code(&request["performerType"]).or_else(|| code(&request["category"][0])).or_else(|| service.clone());
    let conditions = request["reasonReference"].as_array().into_iter().flatten();
    let conditions = conditions
        .filter_map(|reason| bundle.resolve(request, reason))
        .filter_map(|condition| code(&condition["code"]));
    let diagnoses: Vec<Code> = codes(&request["reasonCode"]).into_iter().chain(conditions).collect();
    Ok(Order {
        priority: match request["priority"].as_str() {
            Some("stat") => Priority::Stat,
            Some("urgent" | "asap") => Priority::Urgent,
            _ => Priority::Routine,
        },
        ordered_at: authored.or_else(|| moments::instant(&text(&request["meta"]["lastUpdated"]))),
        expires_at: moments::stated(expires, &pointer("occurrencePeriod/end"), moments::end)?,
        patient: patient::patient(bundle, request, &request["subject"]),
        referring: provider(bundle, request, &request["requester"]).unwrap_or_else(words::nobody),
        referred_to: provider(bundle, request, &request["performer"][0]),
        specialty: specialty.unwrap_or_else(words::empty_code),
        services: service.into_iter().chain(codes(&request["orderDetail"])).collect(),
        diagnoses,
        coverages: patient::coverages(bundle, request, &request["insurance"]),
        authorization: None,
        extras: Vec::new(),
    })
}
