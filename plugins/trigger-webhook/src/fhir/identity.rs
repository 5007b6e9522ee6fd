//! A Patient that comes alone: how they are reached now, that they have died, or that their record has become another's.

use serde_json::Value;

use super::bundle::list;
use super::elements::identifiers;
use super::mapped::Site;
use super::patient;
use crate::about::About;
use crate::answer::Fault;
use crate::reading::Meant;
use crate::types::{Event, Happening, NamedPatient};
use crate::words;

pub fn read(site: Site<'_, '_>) -> Result<Meant, Fault> {
    let Site { bundle, located, settings: _ } = site;
    let resource = located.value;
    let mut described = patient::described(resource, &Value::Null);
    site.patient(&mut described)?;
    let as_of = bundle.as_of(resource);
    let about = |patient: Option<NamedPatient>| About { patient, as_of, ..About::default() };
    let own = words::named(&described).filter(|named| !named.identifiers.is_empty());
    if own.is_none() {
        return Ok(Meant::NotForUs("a patient without a number, whom nothing here could know".to_owned()));
    }
    let mut events: Vec<Event> = Vec::new();
    for (at, link) in list(&resource["link"]).enumerate() {
        let other = patient::named(bundle, resource, &link["other"]).filter(|other| !other.identifiers.is_empty());
        match (link["type"].as_str(), other) {
            // This record is no more used (FHIR R4, Patient.link): what has its numbers is the other's.
            (Some("replaced-by"), Some(other)) => {
                let merged = Happening::PatientMerged(identifiers(resource));
                return Ok(Meant::Events(vec![about(Some(other)).event(merged)]));
            }
            (Some("replaced-by"), None) => {
                return Err(Fault::content(
                    &format!("{}/link/{at}/other", located.pointer),
                    "the record has become another one's, whose numbers are not here",
                    "send the other Patient in the same Bundle, or its identifier in the reference",
                ));
            }
            // Where the other's numbers are not here, its own record tells them.
            (Some("replaces"), Some(other)) => {
                events.push(about(own.clone()).event(Happening::PatientMerged(other.identifiers)));
            }
            (_, _) => {}
        }
    }
    let has_died = resource["deceasedBoolean"] == true || resource["deceasedDateTime"].is_string();
    events.push(about(own).event(match (has_died, resource["active"] == false) {
        (true, _) => Happening::PatientDied,
        (false, false) => Happening::PatientUpdated(described),
        (false, true) => return Ok(Meant::NotForUs("a patient's record that is not in use".to_owned())),
    }));
    Ok(Meant::Events(events))
}
