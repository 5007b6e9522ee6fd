//! How an outcome reads in FHIR: Task.status, and the business status of Bidirectional Services eReferral.

use crate::Outcome;

pub const BUSINESS_STATUS: &str = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS";

pub struct Wording {
    /// FHIR R4, `task-status`.
    pub status: &'static str,
    /// BSeR, `TaskBusinessStatusCS`.
    pub business_status: (&'static str, &'static str),
    /// Why it was not completed; empty when it was.
    pub reason: &'static str,
}

/// The Task stands for obtaining the consultant's report. CMS50 counts every one that is `completed`, so only an
/// outcome with the report in hand may be.
pub fn wording(outcome: Outcome) -> Wording {
    let (status, business_status, reason) = match outcome {
        Outcome::ClosedWithNote => ("completed", ("7.0", "Service Request Fulfillment Completed"), ""),
        Outcome::ClosedWithoutNote => {
            ("failed", ("5.1.4", "Service Request Event Completed"), "The patient was seen; no report came back")
        }
        Outcome::Declined => {
            ("rejected", ("4.0", "Service Request Declined"), "The specialist or the patient declined")
        }
        Outcome::Cancelled => {
            ("cancelled", ("6.0", "Service Request Fulfillment Cancelled"), "The referral was cancelled")
        }
        Outcome::Unreachable => {
            ("failed", ("6.0", "Service Request Fulfillment Cancelled"), "The patient could not be reached")
        }
        Outcome::NoShow => {
            ("failed", ("5.1.2", "Scheduled Service Request Event Unattended"), "The patient did not come to the visit")
        }
        // No Task says it: what was written is marked.
        Outcome::NoteRetracted => {
            ("entered-in-error", ("5.1.4", "Service Request Event Completed"), "The report was written in error")
        }
    };
    Wording { status, business_status, reason }
}
