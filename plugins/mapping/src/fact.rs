//! What a site may keep in a place of its own.

/// A fact by the name that settings give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    Urgency,
    Specialty,
    VisitType,
    Diagnosis,
    ReferralNumber,
    Authorization,
    Reason,
    Category,
    Consent,
    Language,
    Mobile,
    Email,
    PreferredChannel,
    Specialist,
    Plan,
    VisitStatus,
}

/// What a fact's value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// One of these words.
    Words(&'static [&'static str]),
    /// A code of some terminology.
    Code,
    /// A text, a number, an address.
    Text,
}

impl Fact {
    pub const ALL: [Fact; 16] = [
        Fact::Urgency,
        Fact::Specialty,
        Fact::VisitType,
        Fact::Diagnosis,
        Fact::ReferralNumber,
        Fact::Authorization,
        Fact::Reason,
        Fact::Category,
        Fact::Consent,
        Fact::Language,
        Fact::Mobile,
        Fact::Email,
        Fact::PreferredChannel,
        Fact::Specialist,
        Fact::Plan,
        Fact::VisitStatus,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Fact::Urgency => "urgency",
            Fact::Specialty => "specialty",
            Fact::VisitType => "visit_type",
            Fact::Diagnosis => "diagnosis",
            Fact::ReferralNumber => "referral_number",
            Fact::Authorization => "authorization",
            Fact::Reason => "reason",
            Fact::Category => "category",
            Fact::Consent => "consent",
            Fact::Language => "language",
            Fact::Mobile => "mobile",
            Fact::Email => "email",
            Fact::PreferredChannel => "preferred_channel",
            Fact::Specialist => "specialist",
            Fact::Plan => "plan",
            Fact::VisitStatus => "visit_status",
        }
    }

    pub fn named(name: &str) -> Option<Fact> {
        Fact::ALL.into_iter().find(|fact| fact.name() == name)
    }

    pub fn takes(self) -> Takes {
        match self {
            Fact::Urgency => Takes::Words(&["routine", "urgent", "stat"]),
            Fact::Consent => Takes::Words(&["granted", "denied"]),
            Fact::PreferredChannel => Takes::Words(&["sms", "email", "portal"]),
            Fact::VisitStatus => {
                Takes::Words(&["booked", "moved", "changed", "cancelled", "deleted", "no-show", "arrived", "completed"])
            }
            Fact::Specialty | Fact::VisitType | Fact::Diagnosis => Takes::Code,
            Fact::ReferralNumber
            | Fact::Authorization
            | Fact::Reason
            | Fact::Category
            | Fact::Language
            | Fact::Mobile
            | Fact::Email
            | Fact::Specialist
            | Fact::Plan => Takes::Text,
        }
    }
}

impl std::fmt::Display for Fact {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name())
    }
}
