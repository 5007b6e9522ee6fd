//! The specialists of the region: who they are, which plans they take, how soon they have room, how they report.

mod names;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Value, json};

use crate::profile::percent;

pub use names::SPECIALISTS_MAX;

/// Whom a practice refers to, and how well its physicians know them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Orders that name a specialist who does not take the patient's plan or has no room.
    #[serde(with = "percent")]
    pub misdirected: f64,
    #[serde(deserialize_with = "some")]
    pub specialists: Vec<SpecialistOffice>,
}

/// A specialist's office, without its name: names are made up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialistOffice {
    pub specialty: Field,
    /// Every plan, unless it says which.
    #[serde(default = "Coverage::all", skip_serializing_if = "is_all")]
    pub plans: Vec<Coverage>,
    #[serde(deserialize_with = "wait")]
    pub opens_in_days: u32,
    /// Takes nobody new.
    #[serde(default, skip_serializing_if = "is_no")]
    pub full: bool,
    /// Sends an arrival (SIU^S14, SCH-25 `Started`) when the patient turns up.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub reports_arrival: bool,
    /// Sends the consultation note only when reminded.
    #[serde(default, skip_serializing_if = "is_no")]
    pub forgets_note: bool,
}

/// A field of medicine, as a practice file writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    Cardiology,
    Gastroenterology,
    Orthopedics,
    Dermatology,
    Ophthalmology,
}

/// A kind of insurance; each has one made-up product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    Ppo,
    Hmo,
    Medicaid,
    MedicareAdvantage,
}

impl Field {
    fn specialty(self) -> &'static Specialty {
        &SPECIALTIES[match self {
            Field::Cardiology => 0,
            Field::Gastroenterology => 1,
            Field::Orthopedics => 2,
            Field::Dermatology => 3,
            Field::Ophthalmology => 4,
        }]
    }
}

impl Coverage {
    fn all() -> Vec<Coverage> {
        vec![Coverage::Ppo, Coverage::Hmo, Coverage::Medicaid, Coverage::MedicareAdvantage]
    }

    pub(crate) fn plan(self) -> &'static HealthPlan {
        &PLANS[match self {
            Coverage::Ppo => 0,
            Coverage::Hmo => 1,
            Coverage::Medicaid => 2,
            Coverage::MedicareAdvantage => 3,
        }]
    }
}

/// A specialist's office. In JSON as the network roster of Handoff's settings wants it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Specialist {
    /// National Provider Identifier.
    pub id: &'static str,
    pub name: &'static str,
    pub organization: &'static str,
    pub phone: &'static str,
    pub specialties: [&'static str; 1],
    /// Plan ids accepted.
    pub plans: Vec<&'static str>,
    pub next_available_days: u32,
    pub full: bool,
    /// Sends an arrival (SIU^S14, SCH-25 `Started`) when the patient turns up.
    #[serde(skip)]
    pub reports_arrival: bool,
    /// Sends the consultation note only when reminded.
    #[serde(skip)]
    pub forgets_note: bool,
}

impl Specialist {
    pub fn takes(&self, plan: &str) -> bool {
        self.plans.contains(&plan)
    }

    pub fn family(&self) -> &'static str {
        self.name.rsplit(' ').next().unwrap_or(self.name)
    }

    pub fn given(&self) -> &'static str {
        self.name.trim_start_matches("Dr. ").split(' ').next().unwrap_or_default()
    }
}

/// A field of medicine as orders name it: its code, its words, a typical diagnosis and a typical service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Specialty {
    /// NUCC provider taxonomy.
    pub code: &'static str,
    pub name: &'static str,
    /// ICD-10-CM.
    pub diagnosis: (&'static str, &'static str),
    /// CPT.
    pub service: (&'static str, &'static str),
}

pub static SPECIALTIES: [Specialty; 5] = [
    Specialty {
        code: "207RC0000X",
        name: "Cardiology",
        diagnosis: ("I48.91", "Unspecified atrial fibrillation"),
        service: ("93306", "Echocardiography, complete"),
    },
    Specialty {
        code: "207RG0100X",
        name: "Gastroenterology",
        diagnosis: ("K21.9", "Gastro-esophageal reflux disease"),
        service: ("43235", "Upper GI endoscopy, diagnostic"),
    },
    Specialty {
        code: "207X00000X",
        name: "Orthopedics",
        diagnosis: ("M17.11", "Osteoarthritis of right knee"),
        service: ("99244", "Outpatient consultation"),
    },
    Specialty {
        code: "207N00000X",
        name: "Dermatology",
        diagnosis: ("L40.0", "Psoriasis vulgaris"),
        service: ("11102", "Tangential biopsy of skin"),
    },
    Specialty {
        code: "207W00000X",
        name: "Ophthalmology",
        diagnosis: ("E11.319", "Type 2 diabetes with retinopathy"),
        service: ("92134", "Retinal imaging"),
    },
];

/// An insurance product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthPlan {
    pub id: &'static str,
    pub name: &'static str,
    pub payer: &'static str,
}

static PLANS: [HealthPlan; 4] = [
    HealthPlan { id: "LKP-PPO", name: "Lakeshore PPO", payer: "Lakeshore Health" },
    HealthPlan { id: "LKP-HMO", name: "Lakeshore HMO", payer: "Lakeshore Health" },
    HealthPlan { id: "MCD-STATE", name: "State Medicaid", payer: "Department of Health" },
    HealthPlan { id: "MCR-ADV", name: "Silver Advantage", payer: "Silver Mutual" },
];

/// A full book is 55 days away: too far for any referral of a month.
const FULL_DAYS: u32 = 55;

/// Nobody's book is open further ahead.
const WAIT_DAYS_MAX: u32 = 365;

impl Default for Network {
    fn default() -> Network {
        use Coverage::{Hmo, Ppo};
        use Field::{Cardiology, Dermatology, Gastroenterology, Ophthalmology, Orthopedics};
        let office = |specialty, opens_in_days| SpecialistOffice {
            specialty,
            plans: Coverage::all(),
            opens_in_days,
            full: false,
            reports_arrival: true,
            forgets_note: false,
        };
        let full = |specialty, plans| SpecialistOffice { plans, full: true, ..office(specialty, FULL_DAYS) };
        Network {
            misdirected: 0.14,
            specialists: vec![
                office(Cardiology, 4),
                SpecialistOffice { reports_arrival: false, ..office(Cardiology, 7) },
                full(Cardiology, vec![Ppo, Hmo]),
                office(Gastroenterology, 5),
                SpecialistOffice { forgets_note: true, ..office(Gastroenterology, 8) },
                SpecialistOffice { plans: vec![Ppo], ..office(Gastroenterology, 3) },
                office(Orthopedics, 6),
                office(Orthopedics, 9),
                full(Orthopedics, vec![Ppo]),
                SpecialistOffice { reports_arrival: false, ..office(Dermatology, 7) },
                SpecialistOffice { forgets_note: true, ..office(Dermatology, 5) },
                SpecialistOffice { plans: vec![Ppo, Hmo], ..office(Dermatology, 3) },
                office(Ophthalmology, 4),
                office(Ophthalmology, 8),
                full(Ophthalmology, vec![Ppo, Hmo]),
            ],
        }
    }
}

impl Network {
    /// Everybody on it, by name. Each has a made-up one.
    pub fn roster(&self) -> Roster {
        let named = names::NAMES.iter().zip(&self.specialists);
        let specialist = |(&(id, name, organization, phone), office): (&names::Name, &SpecialistOffice)| Specialist {
            id,
            name,
            organization,
            phone,
            specialties: [office.specialty.specialty().name],
            plans: office.plans.iter().map(|plan| plan.plan().id).collect(),
            next_available_days: office.opens_in_days,
            full: office.full,
            reports_arrival: office.reports_arrival,
            forgets_note: office.forgets_note,
        };
        Roster(named.map(specialist).collect())
    }
}

/// Specialists by their place.
#[derive(Clone, Debug, PartialEq)]
pub struct Roster(Vec<Specialist>);

impl std::ops::Index<usize> for Roster {
    type Output = Specialist;

    fn index(&self, place: usize) -> &Specialist {
        &self.0[place]
    }
}

impl Roster {
    /// As the network stage's settings want it.
    pub fn settings(&self) -> Value {
        json!(self.0)
    }

    /// Everybody's National Provider Identifier.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|specialist| specialist.id)
    }

    /// The fields in which there is somebody.
    pub(crate) fn specialties(&self) -> Vec<&'static Specialty> {
        SPECIALTIES.iter().filter(|specialty| !self.of_specialty(specialty.name).is_empty()).collect()
    }

    /// The places of one field's specialists.
    pub(crate) fn of_specialty(&self, name: &str) -> Vec<usize> {
        (0..self.0.len()).filter(|&place| self.0[place].specialties.contains(&name)).collect()
    }

    /// Whom a text speaks of: by family name, NPI or telephone number.
    pub(crate) fn mentioned_in(&self, text: &str) -> Option<usize> {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        self.0.iter().position(|specialist| {
            text.contains(specialist.family())
                || text.contains(specialist.id)
                || digits.contains(&specialist.phone[2..])
        })
    }
}

fn yes() -> bool {
    true
}

fn is_yes(said: &bool) -> bool {
    *said
}

fn is_no(said: &bool) -> bool {
    !*said
}

fn is_all(plans: &[Coverage]) -> bool {
    plans == Coverage::all()
}

fn some<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<SpecialistOffice>, D::Error> {
    let offices = Vec::<SpecialistOffice>::deserialize(from)?;
    match offices.len() {
        0 => Err(de::Error::custom("no specialists: write at least one")),
        1..=SPECIALISTS_MAX => Ok(offices),
        count => Err(de::Error::custom(format!(
            "{count} specialists: write at most {SPECIALISTS_MAX}, those to whom most are referred"
        ))),
    }
}

fn wait<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let days = u32::deserialize(from)?;
    if days <= WAIT_DAYS_MAX {
        return Ok(days);
    }
    Err(de::Error::custom(format!("{days} days to the next opening: write at most {WAIT_DAYS_MAX}, and `full: true`")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_plan_has_a_specialist_with_room_in_every_field() {
        let roster = Network::default().roster();
        assert_eq!(roster.specialties().len(), SPECIALTIES.len());
        for specialty in &SPECIALTIES {
            for plan in &PLANS {
                let fits = |place: &usize| !roster[*place].full && roster[*place].takes(plan.id);
                assert!(roster.of_specialty(specialty.name).iter().any(fits), "{} {}", specialty.name, plan.id);
            }
        }
    }

    #[test]
    fn a_specialist_is_recognised_in_words() {
        let roster = Network::default().roster();
        for (text, expected) in [
            ("Please call Dr. Salcedo", Some(3)),
            ("Llame al (312) 555-0704 hoy", Some(3)),
            ("NPI 1730155001", Some(0)),
            ("Please call the specialist at 312-555-0100", None),
        ] {
            assert_eq!(roster.mentioned_in(text), expected, "{text}");
        }
    }

    #[test]
    fn the_roster_serialises_as_settings() {
        let settings = Network::default().roster().settings();
        assert_eq!(settings[0]["next_available_days"], 4);
        assert_eq!(settings[2]["full"], true);
        assert_eq!(settings[0].as_object().map(|fields| fields.len()), Some(8));
    }

    #[test]
    fn no_name_is_found_in_anothers() {
        let office = Network::default().specialists.remove(0);
        let roster = Network { misdirected: 0.0, specialists: vec![office; SPECIALISTS_MAX] }.roster();
        for (place, specialist) in roster.0.iter().enumerate() {
            let said = format!("{} of {}", specialist.name, specialist.organization);
            assert_eq!(roster.mentioned_in(&said), Some(place), "{said}");
            assert_eq!(roster.mentioned_in(specialist.phone), Some(place), "{said}");
        }
        assert_eq!(roster.0.iter().map(|specialist| specialist.id).collect::<BTreeSet<_>>().len(), SPECIALISTS_MAX);
    }
}
