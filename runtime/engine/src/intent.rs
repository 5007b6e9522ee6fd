//! What a patient means, by whichever way they say it.

use crate::vocabulary::vocabulary;

vocabulary! {
    /// As `wit/reply.wit` has them, in order of precedence.
    pub enum Intent of "reply" {
        Emergency = "emergency",
        OptOut = "opt-out",
        WrongPerson = "wrong-person",
        OptIn = "opt-in",
        Help = "help",
        CancelVisit = "cancel-visit",
        Decline = "decline",
        Reschedule = "reschedule",
        Scheduled = "scheduled",
        Attended = "attended",
        Confirm = "confirm",
        Question = "question",
        Unclear = "unclear",
    }
}

impl Intent {
    /// The same as [`Intent::as_str`].
    pub fn name(self) -> &'static str {
        self.as_str()
    }

    /// Acted on however unsure the reading is: contacting too little here is safe, contacting too much is not.
    pub fn needs_no_certainty(self) -> bool {
        match self {
            Intent::Emergency | Intent::OptOut => true,
            Intent::WrongPerson
            | Intent::OptIn
            | Intent::Help
            | Intent::CancelVisit
            | Intent::Decline
            | Intent::Reschedule
            | Intent::Scheduled
            | Intent::Attended
            | Intent::Confirm
            | Intent::Question
            | Intent::Unclear => false,
        }
    }
}
