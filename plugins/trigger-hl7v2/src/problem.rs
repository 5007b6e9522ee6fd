//! What keeps a message from being read, in words for the sender's interface team. Never quotes the message.

/// Table 0357, message error conditions (HL7 v2.8, 2.C).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    SegmentSequence,
    RequiredFieldMissing,
    DataType,
    /// A code that neither the standard nor the settings give a meaning.
    TableValueNotFound,
    /// What the message tells is not for a machine to carry out: a person has to take it from here.
    UnsupportedEvent,
    InternalError,
}

impl Condition {
    pub fn code(self) -> &'static str {
        match self {
            Condition::SegmentSequence => "100",
            Condition::RequiredFieldMissing => "101",
            Condition::DataType => "102",
            Condition::TableValueNotFound => "103",
            Condition::UnsupportedEvent => "201",
            Condition::InternalError => "207",
        }
    }

    pub fn text(self) -> &'static str {
        match self {
            Condition::SegmentSequence => "Segment sequence error",
            Condition::RequiredFieldMissing => "Required field missing",
            Condition::DataType => "Data type error",
            Condition::TableValueNotFound => "Table value not found",
            Condition::UnsupportedEvent => "Unsupported event code",
            Condition::InternalError => "Application internal error",
        }
    }
}

/// How the sender should take it (table 0008).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accept,
    /// The content is wrong: sending it again changes nothing.
    Error,
    /// This is no message we can speak about.
    Reject,
}

/// Where in a message: ERL's segment, sequence and field (HL7 v2.8, 2.A.28).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    /// Its three characters: a site's own segments have names that are not known here.
    pub segment: [u8; 3],
    /// Which segment of that name, counted from 1.
    pub sequence: usize,
    /// Absent when the whole segment is meant.
    pub field: Option<usize>,
}

/// A segment's name as a location has it. HL7 knows none of another length.
pub fn named(segment: &str) -> [u8; 3] {
    segment.as_bytes().try_into().unwrap_or(*b"???")
}

/// A field, for the faults that it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub segment: &'static str,
    /// Which segment of that name, counted from 1.
    pub sequence: usize,
    pub field: usize,
}

impl Place {
    /// A field of the first segment of this name.
    pub fn new(segment: &'static str, field: usize) -> Place {
        Place { segment, sequence: 1, field }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Place { segment, sequence, field } = self;
        if *sequence > 1 { write!(out, "{segment}[{sequence}]-{field}") } else { write!(out, "{segment}-{field}") }
    }
}

/// A reading that failed: what, where and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub verdict: Verdict,
    pub condition: Condition,
    /// Absent when the message has no segments to point at, or the message is not at fault.
    pub location: Option<Location>,
    /// For people: `PID-3`, `segment 1`, `settings`.
    pub place: String,
    pub message: String,
    pub help: String,
    /// The fault is ours or passes: the sender should try again.
    pub retry: bool,
}

impl Fault {
    pub fn missing_segment(segment: &'static str, help: &str) -> Fault {
        Fault {
            verdict: Verdict::Error,
            condition: Condition::SegmentSequence,
            location: Some(Location { segment: named(segment), sequence: 1, field: None }),
            place: segment.to_owned(),
            message: format!("the message has no {segment} segment"),
            help: help.to_owned(),
            retry: false,
        }
    }

    pub fn missing_field(segment: &'static str, field: usize, help: &str) -> Fault {
        let place = Place::new(segment, field);
        Fault::at(Condition::RequiredFieldMissing, place, format!("{place} is empty"), help)
    }

    pub fn at(condition: Condition, place: Place, message: String, help: &str) -> Fault {
        let Place { segment, sequence, field } = place;
        Fault {
            verdict: Verdict::Error,
            condition,
            location: Some(Location { segment: named(segment), sequence, field: Some(field) }),
            place: place.to_string(),
            message,
            help: help.to_owned(),
            retry: false,
        }
    }

    /// Something that was understood and cannot be passed on: it is kept for a person, and its sender is not told that all is
    /// well.
    pub fn for_a_person(place: Place, message: &str, help: &str) -> Fault {
        Fault::at(Condition::UnsupportedEvent, place, message.to_owned(), help)
    }

    pub fn not_hl7(message: &str, help: &str) -> Fault {
        Fault {
            verdict: Verdict::Reject,
            condition: Condition::SegmentSequence,
            location: None,
            place: "segment 1".to_owned(),
            message: message.to_owned(),
            help: help.to_owned(),
            retry: false,
        }
    }

    /// What is not here cannot be read, and would not be here the next time.
    pub fn too_long(bytes: u64) -> Fault {
        Fault {
            place: "message".to_owned(),
            condition: Condition::InternalError,
            ..Fault::not_hl7(
                &format!("the message has {bytes} bytes, more than are taken"),
                "send the document as a smaller file, or a notice that names where it lies (MDM^T01)",
            )
        }
    }

    pub fn settings(message: String) -> Fault {
        Fault::setting("settings", message, "mend the settings of the trigger stage in the workflow")
    }

    /// One key of the settings is wrong: `settings.map.urgency.from`.
    pub fn setting(place: &str, message: String, help: &str) -> Fault {
        Fault {
            verdict: Verdict::Error,
            condition: Condition::InternalError,
            location: None,
            place: place.to_owned(),
            message,
            help: help.to_owned(),
            retry: true,
        }
    }
}
