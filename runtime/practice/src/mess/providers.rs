//! Whom the news of a visit names beside the patient: often fewer people than it should, or more.

use crate::ehr::segment::{doctor, segment};
use crate::specialists::Specialist;
use crate::town::SimulationState;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Staff {
    /// The physician, everywhere.
    Physician,
    Nobody,
    /// Who rooms the patient, and no physician.
    Assistant,
    /// Both, the assistant first.
    Several,
    /// The physician's number, without a name.
    Number,
}

/// No physician of the region.
const ASSISTANT: &str = "MA7731^Pruitt^Gwendolyn";
const NURSE: &str = "RN2208^Abernethy^Cuthbert";

impl Staff {
    /// AIP-3 and AIP-4 (HL7 table 0411 is the sender's own).
    pub fn resources(self, specialist: &Specialist) -> Vec<(String, &'static str)> {
        let assistant = (ASSISTANT.to_string(), "MA^Medical Assistant");
        match self {
            Staff::Physician => vec![(doctor(specialist), "")],
            Staff::Nobody => Vec::new(),
            Staff::Assistant => vec![assistant],
            Staff::Several => {
                vec![assistant, (doctor(specialist), "ATT^Attending"), (NURSE.to_string(), "RN^Registered Nurse")]
            }
            Staff::Number => vec![(specialist.id.to_string(), "")],
        }
    }

    /// Whether the rest of the message names the physician as well.
    pub fn is_whole(self) -> bool {
        self == Staff::Physician
    }

    /// PV1 where the rest names nobody.
    pub fn bare_visit() -> String {
        segment("PV1", &[(1, "1"), (2, "O")])
    }
}

impl SimulationState {
    pub(crate) fn staff(&self, person: usize, control_id: &str) -> Staff {
        let purpose = format!("thin providers {control_id}");
        if !self.has_trait(person, &purpose, self.plan.profile.mess.thin_providers) {
            return Staff::Physician;
        }
        let mut dice = self.mess_dice(person, &purpose, 1);
        dice.pick(&[Staff::Nobody, Staff::Assistant, Staff::Several, Staff::Number])
    }
}
