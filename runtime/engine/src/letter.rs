//! Effects on their way out, as data. The line performs them; the outbox keeps them until their receipt is in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{LetterId, StageKey, Token};
use crate::referral::{Asked, Channel};
use crate::vocabulary::vocabulary;

pub use crate::task::{Audience, Task};

/// Something the house owes the outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    pub id: LetterId,
    /// Not before this moment: quiet hours, caps and workflow delays have spoken.
    pub due: DateTime<Utc>,
    /// Past this it is of no use (a 2 h reminder after the visit): dropped with a receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime<Utc>>,
    pub body: LetterBody,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "kebab-case")]
pub enum LetterBody {
    /// To the patient.
    Message(Message),
    /// To the chart, asking for the patient's record.
    ReadRecord,
    /// To the scheduling system, asking whether the patient attended.
    CheckVisit,
    /// To the chart, with what came of the referral.
    WriteChart { outcome: ChartOutcome },
    /// To a person.
    Task(Task),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub template: String,
    pub channel: Channel,
    pub to: Token,
    pub language: String,
    pub asked: Asked,
    /// Finished, with tokens where patient data belongs.
    pub subject: String,
    pub text: String,
    /// Vendors already tried for this letter, by stage name; the next named in the workflow takes over.
    #[serde(default)]
    pub vendors_tried: Vec<StageKey>,
    /// How often it is owed again because a vendor that had taken it says that it did not arrive.
    #[serde(default, skip_serializing_if = "is_first")]
    pub again: u32,
}

fn is_first(again: &u32) -> bool {
    *again == 0
}

vocabulary! {
    /// What is written back to the chart.
    pub enum ChartOutcome {
        ClosedWithNote = "closed-with-note",
        ClosedWithoutNote = "closed-without-note",
        Declined = "declined",
        Cancelled = "cancelled",
        Unreachable = "unreachable",
        NoShow = "no-show",
        NoteRetracted = "note-retracted",
    }
}
