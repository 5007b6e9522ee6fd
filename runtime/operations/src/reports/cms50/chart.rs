//! What a FHIR bundle of one patient says of encounters, interventions, referrals and reports: the resources that the measure asks
//! for, as CQL's retrieves see them.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;

use super::moment::FhirMoment;
use super::value_sets::ValueSet;

/// Why a file's content is no patient's bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotABundle {
    #[error(
        "it is no JSON: line {line}, column {column}\n  help: export the patient's record again, as a FHIR bundle in JSON"
    )]
    Json { line: usize, column: usize },
    #[error(
        "it is JSON, and no FHIR resource of the type Bundle\n  help: give the bundle that the EHR exports for a patient"
    )]
    OtherContent,
    #[error("it has {0} patients, and the measure is one patient's\n  help: export a bundle for each patient")]
    Patients(usize),
}

/// The resources of one type each, in the order of the bundle. All are its patient's, whomever their `subject` names: in the measure's
/// own test deck some name another.
#[derive(Default)]
pub(super) struct PatientChart<'b> {
    pub encounters: Vec<FhirResource<'b>>,
    pub procedures: Vec<FhirResource<'b>>,
    pub service_requests: Vec<FhirResource<'b>>,
    pub tasks: Vec<FhirResource<'b>>,
}

impl<'b> PatientChart<'b> {
    /// # Errors
    /// When it is no bundle, or has several patients.
    pub fn of(bundle: &'b Value) -> Result<PatientChart<'b>, NotABundle> {
        let resources = resources(bundle)?;
        let of_type = |name: &'static str| resources.iter().filter(move |resource| resource.kind() == name).copied();
        let patients: BTreeSet<Option<&str>> = of_type("Patient").map(|patient| patient.text("id")).collect();
        if patients.len() > 1 {
            return Err(NotABundle::Patients(patients.len()));
        }
        let usable = |name: &'static str| of_type(name).filter(|resource| !resource.is_modified()).collect();
        Ok(PatientChart {
            encounters: usable("Encounter"),
            procedures: usable("Procedure"),
            service_requests: usable("ServiceRequest"),
            tasks: usable("Task"),
        })
    }
}

/// Those of the bundle and of bundles in it. What is there twice is taken as it stands outermost.
fn resources(bundle: &Value) -> Result<Vec<FhirResource<'_>>, NotABundle> {
    if FhirResource(bundle).kind() != "Bundle" {
        return Err(NotABundle::OtherContent);
    }
    let (mut found, mut known, mut bundles) = (Vec::new(), BTreeSet::new(), VecDeque::from([bundle]));
    while let Some(bundle) = bundles.pop_front() {
        for resource in list(&bundle["entry"]).map(|entry| FhirResource(&entry["resource"])) {
            match (resource.kind(), resource.text("id")) {
                ("Bundle", _) => bundles.push_back(resource.0),
                (kind, Some(id)) if !known.insert((kind, id)) => {}
                _ => found.push(resource),
            }
        }
    }
    Ok(found)
}

#[derive(Clone, Copy)]
pub(super) struct FhirResource<'b>(&'b Value);

impl<'b> FhirResource<'b> {
    fn kind(self) -> &'b str {
        self.text("resourceType").unwrap_or_default()
    }

    pub fn text(self, element: &str) -> Option<&'b str> {
        self.0[element].as_str()
    }

    pub fn is(self, element: &str, code: &str) -> bool {
        self.text(element) == Some(code)
    }

    /// Whether it may say the contrary of what it seems to: an order that something be not done, or a modifier that nobody here knows
    /// (FHIR R4, extensibility: whoever does not know one must not use the resource).
    fn is_modified(self) -> bool {
        self.0["doNotPerform"] == true || list(&self.0["modifierExtension"]).next().is_some()
    }

    pub fn moment(self, element: &str) -> Option<FhirMoment> {
        self.text(element).and_then(FhirMoment::read)
    }

    /// A Period, or a dateTime for a period of that moment alone.
    pub fn span(self, period: &str, moment: Option<&str>) -> FhirPeriod {
        let at = moment.and_then(|element| self.moment(element));
        let FhirResource(resource) = self;
        let bound = |bound: &str| resource[period][bound].as_str().and_then(FhirMoment::read);
        FhirPeriod { start: at.or_else(|| bound("start")), end: at.or_else(|| bound("end")) }
    }

    /// Whether a CodeableConcept, or one of several, has a code of which this is so. A version says nothing.
    pub fn is_coded(self, element: &str, is: impl Fn(&str, &str) -> bool) -> bool {
        let codings = one_or_more(&self.0[element]).flat_map(|concept| list(&concept["coding"]));
        codings
            .filter_map(|coding| coding["system"].as_str().zip(coding["code"].as_str()))
            .any(|(system, code)| is(system, code))
    }

    pub fn is_coded_in(self, element: &str, sets: &[ValueSet]) -> bool {
        self.is_coded(element, |system, code| sets.iter().any(|set| set.has(system, code)))
    }

    /// What `basedOn` refers to, by the last part of each reference.
    pub fn is_based_on(self, id: &str) -> bool {
        let references = list(&self.0["basedOn"]).filter_map(|reference| reference["reference"].as_str());
        references.map(last_part).any(|based_on| based_on == id)
    }
}

/// A Period: each end known or not.
pub(super) struct FhirPeriod {
    start: Option<FhirMoment>,
    end: Option<FhirMoment>,
}

impl FhirPeriod {
    /// `included in … day of`. One that is open at either end is not.
    pub fn is_within(&self, first: chrono::NaiveDate, last: chrono::NaiveDate) -> bool {
        let starts = self.start.is_some_and(|start| start.is_from(first));
        starts && self.end().is_some_and(|end| end.is_until(last))
    }

    /// Nothing where it goes on, or ends before it starts.
    pub fn end(&self) -> Option<FhirMoment> {
        self.end.filter(|end| !self.start.is_some_and(|start| start.is_after(end)))
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn one_or_more(value: &Value) -> impl Iterator<Item = &Value> {
    let one = (!value.is_array()).then_some(value);
    one.into_iter().chain(list(value))
}

fn last_part(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or_default()
}
