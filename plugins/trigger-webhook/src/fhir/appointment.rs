//! Appointment: booked, kept, missed, called off.

use serde_json::Value;

use super::bundle::{Bundle, list};
use super::elements::{numbers, provider, referred, text};
use super::mapped::Site;
use super::patient;
use crate::about::About;
use crate::answer::Fault;
use crate::moments;
use crate::reading::Meant;
use crate::types::{AppointmentChange, AppointmentNotice, Happening, NamedPatient};

pub fn read(site: Site<'_, '_>) -> Result<Meant, Fault> {
    let Site { bundle, located, settings: _ } = site;
    let appointment = located.value;
    let change = match (site.visit_status()?, appointment["status"].as_str()) {
        (Some(told), _) => told,
        (None, Some("booked")) => AppointmentChange::Booked,
        (None, Some("arrived" | "checked-in")) => AppointmentChange::Arrived,
        (None, Some("fulfilled")) => AppointmentChange::Completed,
        (None, Some("cancelled")) => AppointmentChange::Cancelled,
        (None, Some("noshow")) => AppointmentChange::NoShow,
        (None, Some("entered-in-error")) => AppointmentChange::Deleted,
        (None, Some("proposed" | "pending" | "waitlist")) => {
            return Ok(Meant::NotForUs("an appointment that is not agreed yet".to_owned()));
        }
        (None, _) => {
            return Err(Fault::content(
                &format!("{}/status", located.pointer),
                "the Appointment has no status that we know",
                "write booked, arrived, fulfilled, cancelled, noshow or entered-in-error",
            ));
        }
    };
    let referral = referred(bundle, appointment, &appointment["basedOn"], "ServiceRequest");
    let about = About {
        referral,
        appointment: numbers(bundle, appointment),
        patient: participant(bundle, appointment),
        as_of: bundle.as_of(appointment),
        ..About::default()
    };
    let about = site.numbered(about)?;
    if !about.is_findable() {
        return Err(Fault::content(
            &format!("{}/basedOn", located.pointer),
            "the Appointment does not say which referral it is for",
            "refer to the ServiceRequest in basedOn, or send an identifier",
        ));
    }
    let start = format!("{}/start", located.pointer);
    let starts_at = moments::stated(&appointment["start"], &start, moment::read_rfc3339);
    // A visit that is over or called off needs no time; without one, nobody would be reminded of one that is booked.
    let starts_at = match (change, starts_at) {
        (AppointmentChange::Booked, Ok(None)) => {
            return Err(Fault::content(&start, "a visit is booked and has no time", "send the visit's start"));
        }
        (AppointmentChange::Booked, told) => told?,
        (_, told) => told.unwrap_or_default(),
    };
    let ends_at = moment::read_rfc3339(&text(&appointment["end"]));
    let span = starts_at.zip(ends_at).and_then(|(start, end)| u32::try_from((end - start) / 60_000).ok());
    let stated = appointment["minutesDuration"].as_u64().and_then(|minutes| u32::try_from(minutes).ok());
    let notice = AppointmentNotice {
        change,
        starts_at,
        minutes: stated.or(span).filter(|&minutes| minutes > 0),
        with: attending(appointment).and_then(|actor| provider(bundle, appointment, actor)),
        place: actor(appointment, &["Location/"])
            .map(|location| place(bundle, appointment, location))
            .unwrap_or_default(),
    };
    Ok(Meant::Events(vec![about.event(Happening::Appointment(notice))]))
}

fn participant<'a>(bundle: &Bundle<'a>, appointment: &'a Value) -> Option<NamedPatient> {
    let actors = list(&appointment["participant"]).map(|participant| &participant["actor"]);
    let mut patients = actors.filter(|actor| {
        actor["type"] == "Patient"
            || actor["reference"].as_str().is_some_and(|reference| reference.contains("Patient/"))
            || bundle.resolve(appointment, actor).is_some_and(|resource| resource["resourceType"] == "Patient")
    });
    patients.next().and_then(|actor| patient::named(bundle, appointment, actor))
}

/// Of several clinicians, the one who attends or performs, then one of whom nothing is said, then those who assist
/// (Appointment.participant.type, v3 ParticipationType).
fn attending(appointment: &Value) -> Option<&Value> {
    let standing = |participant: &&Value| {
        let types = || list(&participant["type"]).flat_map(|kind| list(&kind["coding"]));
        let is =
            |codes: &[&str]| types().any(|coding| coding["code"].as_str().is_some_and(|code| codes.contains(&code)));
        if is(&["ATND", "PPRF", "CON"]) { 0 } else { 1 + u8::from(is(&["SPRF", "REFB", "REF", "TRANS"])) }
    };
    let clinicians = list(&appointment["participant"])
        .filter(|participant| is_of(&participant["actor"], &["Practitioner/", "PractitionerRole/"]));
    clinicians.min_by_key(standing).map(|participant| &participant["actor"])
}

fn actor<'a>(appointment: &'a Value, kinds: &[&str]) -> Option<&'a Value> {
    list(&appointment["participant"]).map(|participant| &participant["actor"]).find(|actor| is_of(actor, kinds))
}

fn is_of(actor: &Value, kinds: &[&str]) -> bool {
    let reference = actor["reference"].as_str().unwrap_or_default();
    kinds.iter().any(|kind| reference.contains(kind) || actor["type"].as_str() == kind.strip_suffix('/'))
}

fn place<'a>(bundle: &Bundle<'a>, appointment: &'a Value, location: &Value) -> String {
    let name =
        bundle.resolve(appointment, location).map(|location| text(&location["name"])).filter(|name| !name.is_empty());
    name.unwrap_or_else(|| text(&location["display"]))
}
