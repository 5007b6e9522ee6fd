//! The words of this plugin: languages, meanings and the questions they answer.

/// A language whose phrases we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    English,
    Spanish,
    Chinese,
    Vietnamese,
}

impl Language {
    pub const ALL: [Language; 4] = [Language::English, Language::Spanish, Language::Chinese, Language::Vietnamese];

    /// The language of a BCP 47 tag; `None` for one we do not know.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Spanish => "es",
            Language::Chinese => "zh",
            Language::Vietnamese => "vi",
        }
    }
}

/// What a phrase means: an intent of the contract, or something that keeps one from being read.
///
/// In order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    Emergency,
    OptOut,
    WrongPerson,
    OptIn,
    Help,
    CancelVisit,
    Decline,
    Reschedule,
    Scheduled,
    Attended,
    Confirm,
    Question,
    Unclear,
    /// Looks like something and is not: `dying to see you`. Hides what lies within it.
    Nothing,
    /// Makes its clause uncertain: `maybe`, `I will try`.
    Hedge,
    /// Makes the whole message uncertain: rolling eyes, `yeah right`.
    Doubt,
    /// Takes an opt-out before it back: `changed my mind`, `by mistake`.
    TakenBack,
    /// Written by a telephone or an office while its owner is away: nobody has answered.
    Machine,
}

impl Meaning {
    /// The intents a clinic may add phrases to, by their names in the contract.
    pub const INTENTS: [(&'static str, Meaning); 13] = [
        ("emergency", Meaning::Emergency),
        ("opt-out", Meaning::OptOut),
        ("wrong-person", Meaning::WrongPerson),
        ("opt-in", Meaning::OptIn),
        ("help", Meaning::Help),
        ("cancel-visit", Meaning::CancelVisit),
        ("decline", Meaning::Decline),
        ("reschedule", Meaning::Reschedule),
        ("scheduled", Meaning::Scheduled),
        ("attended", Meaning::Attended),
        ("confirm", Meaning::Confirm),
        ("question", Meaning::Question),
        ("unclear", Meaning::Unclear),
    ];
}

/// What our last message asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Schedule,
    ConfirmVisit,
    Reminder,
    NoShowFollowUp,
    Info,
}

impl Asked {
    /// The bit by which a rule names this question.
    pub fn bit(self) -> u8 {
        match self {
            Asked::Schedule => 1,
            Asked::ConfirmVisit => 1 << 1,
            Asked::Reminder => 1 << 2,
            Asked::NoShowFollowUp => 1 << 3,
            Asked::Info => 1 << 4,
        }
    }
}
