//! The specialists of the region: who they are, which plans they take, how soon they have room, how they report.

use serde::Serialize;
use serde_json::{Value, json};

/// A specialist's office. In JSON as the network roster of Handoff's settings wants it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Specialist {
    /// National Provider Identifier.
    pub id: &'static str,
    pub name: &'static str,
    pub organization: &'static str,
    pub phone: &'static str,
    pub specialties: &'static [&'static str],
    /// Plan ids accepted.
    pub plans: &'static [&'static str],
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

pub static PLANS: [(u32, HealthPlan); 4] = [
    (45, HealthPlan { id: "LKP-PPO", name: "Lakeshore PPO", payer: "Lakeshore Health" }),
    (25, HealthPlan { id: "LKP-HMO", name: "Lakeshore HMO", payer: "Lakeshore Health" }),
    (18, HealthPlan { id: "MCD-STATE", name: "State Medicaid", payer: "Department of Health" }),
    (12, HealthPlan { id: "MCR-ADV", name: "Silver Advantage", payer: "Silver Mutual" }),
];

const ALL: &[&str] = &["LKP-PPO", "LKP-HMO", "MCD-STATE", "MCR-ADV"];
const PRIVATE: &[&str] = &["LKP-PPO", "LKP-HMO"];

/// A full book is 55 days away: too far for any referral of a rehearsal.
const FULL_DAYS: u32 = 55;

macro_rules! office {
    ($id:literal, $name:literal, $organization:literal, $phone:literal, $specialty:literal, $plans:expr, $days:expr) => {
        Specialist {
            id: $id,
            name: $name,
            organization: $organization,
            phone: $phone,
            specialties: &[$specialty],
            plans: $plans,
            next_available_days: $days,
            full: $days >= FULL_DAYS,
            reports_arrival: true,
            forgets_note: false,
        }
    };
}

#[rustfmt::skip]
pub static ROSTER: [Specialist; 15] = [
    office!("1730155001", "Dr. Imogen Hartwell",    "Lakeshore Heart Group",    "+13125550701", "Cardiology", ALL, 4),
    Specialist { reports_arrival: false,
    ..office!("1730155002", "Dr. Rafael Quintero",  "Prairie Cardiology",       "+13125550702", "Cardiology", ALL, 7) },
    office!("1730155003", "Dr. Konrad Ellsworth",   "Ellsworth Heart Clinic",   "+13125550703", "Cardiology", PRIVATE, FULL_DAYS),
    office!("1730155004", "Dr. Beatriz Salcedo",    "Midtown Digestive Health", "+13125550704", "Gastroenterology", ALL, 5),
    Specialist { forgets_note: true,
    ..office!("1730155005", "Dr. Ulrich Pemberton", "Pemberton Endoscopy",      "+13125550705", "Gastroenterology", ALL, 8) },
    office!("1730155006", "Dr. Sunniva Oakes",      "Oakes Private GI",         "+13125550706", "Gastroenterology", &["LKP-PPO"], 3),
    office!("1730155007", "Dr. Thaddeus Birch",     "Birch Bone and Joint",     "+13125550707", "Orthopedics", ALL, 6),
    office!("1730155008", "Dr. Yesenia Caldera",    "Riverbend Orthopedics",    "+13125550708", "Orthopedics", ALL, 9),
    office!("1730155009", "Dr. Magnus Thornbury",   "Thornbury Sports Medicine","+13125550709", "Orthopedics", &["LKP-PPO"], FULL_DAYS),
    Specialist { reports_arrival: false,
    ..office!("1730155010", "Dr. Odalys Winslow",   "Winslow Skin Center",      "+13125550710", "Dermatology", ALL, 7) },
    Specialist { forgets_note: true,
    ..office!("1730155011", "Dr. Lucian Farrow",    "Farrow Dermatology",       "+13125550711", "Dermatology", ALL, 5) },
    office!("1730155012", "Dr. Celestine Marlowe",  "Marlowe Aesthetic Skin",   "+13125550712", "Dermatology", PRIVATE, 3),
    office!("1730155013", "Dr. Anselm Dufresne",    "Clearwater Eye Institute", "+13125550713", "Ophthalmology", ALL, 4),
    office!("1730155014", "Dr. Perpetua Lindqvist", "Lindqvist Retina",         "+13125550714", "Ophthalmology", ALL, 8),
    office!("1730155015", "Dr. Barnaby Osgood",     "Osgood Vision",            "+13125550715", "Ophthalmology", PRIVATE, FULL_DAYS),
];

/// Settings for the network stage: everyone on the roster, and the wait beyond which a specialist counts as over-booked.
pub fn roster_settings() -> Value {
    json!({ "roster": ROSTER, "max_wait_days": MAX_WAIT_DAYS })
}

/// Three weeks: the access standard for specialist visits that most managed-care contracts use.
const MAX_WAIT_DAYS: u32 = 21;

/// The roster's specialists of one field, by their place in [`ROSTER`].
pub(crate) fn of_specialty(name: &str) -> Vec<usize> {
    (0..ROSTER.len()).filter(|&index| ROSTER[index].specialties.contains(&name)).collect()
}

/// Whom a text speaks of: by family name, NPI or telephone number.
pub(crate) fn mentioned_in(text: &str) -> Option<usize> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    ROSTER.iter().position(|specialist| {
        text.contains(specialist.family()) || text.contains(specialist.id) || digits.contains(&specialist.phone[2..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plan_has_a_specialist_with_room_in_every_field() {
        for specialty in &SPECIALTIES {
            for (_, plan) in &PLANS {
                let fits = |index: &usize| !ROSTER[*index].full && ROSTER[*index].takes(plan.id);
                assert!(of_specialty(specialty.name).iter().any(fits), "{} {}", specialty.name, plan.id);
            }
        }
    }

    #[test]
    fn a_specialist_is_recognised_in_words() {
        for (text, expected) in [
            ("Please call Dr. Salcedo", Some(3)),
            ("Llame al (312) 555-0704 hoy", Some(3)),
            ("NPI 1730155001", Some(0)),
            ("Please call the specialist at 312-555-0100", None),
        ] {
            assert_eq!(mentioned_in(text), expected, "{text}");
        }
    }

    #[test]
    fn the_roster_serialises_as_settings() {
        let settings = roster_settings();
        assert_eq!(settings["roster"][0]["next_available_days"], 4);
        assert_eq!(settings["roster"][2]["full"], true);
        assert_eq!(settings["roster"][0].as_object().map(|fields| fields.len()), Some(8));
    }
}
