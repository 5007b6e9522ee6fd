//! What a delivery really is, whatever it looks like. The practice alone knows, and whoever looks for broken promises compares with it.

use chrono::{DateTime, Utc};

#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// No referral of ours may change by it: another system's, a stranger's, or not to be read.
    NotOurs,
    /// Of this person's referral.
    Of(usize),
    /// The same, and it must be refused: its document is not whole.
    Cut(usize),
    /// Of a visit of theirs.
    Visit(VisitTold),
    /// Of this person, not of a referral: who is told of it may be nobody.
    Patient(usize),
    /// That this person has died.
    Death(usize),
    /// The first of these people wrote it: a handset may be several's.
    Written(Vec<usize>),
    /// What became of a text.
    Report,
}

/// A visit as its scheduling system told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitTold {
    pub person: usize,
    pub number: String,
    /// By the sender's clock, to the second.
    pub said_at: DateTime<Utc>,
    pub starts_at: DateTime<Utc>,
    /// Whether the patient is expected then.
    pub stands: bool,
    /// Whether it names the referral by its number.
    pub names_referral: bool,
}
