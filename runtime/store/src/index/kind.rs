//! What an entry is about, as a set: searched by, and small enough to keep beside every entry.

use std::fmt;

use handoff_engine::event::Event;

use crate::entry::{Entry, Record};

macro_rules! kinds {
    ($($kind:ident = $bit:literal $name:literal),* $(,)?) => {
        /// A record's type, and an event's where it holds one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($kind = $bit),* }

        impl Kind {
            pub const ALL: &[Kind] = &[$(Kind::$kind),*];

            /// The word for it in searches and lists.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name),* }
            }
        }
    };
}

// Invariant: a bit keeps its meaning; the numbers are stored in the index. New kinds take new bits.
kinds! {
    Delivery = 0 "delivery",
    Happened = 1 "happened",
    Stepped = 2 "stepped",
    Ignored = 3 "ignored",
    Decided = 4 "decided",
    Queued = 5 "queued",
    Asked = 6 "asked",
    Answered = 7 "answered",
    Deferred = 8 "deferred",
    Received = 9 "received",
    Refused = 10 "refused",
    Dropped = 11 "dropped",
    Settled = 12 "settled",
    Named = 13 "named",
    Deployed = 14 "deployed",
    Consented = 15 "consented",
    Looked = 16 "looked",
    Keyed = 17 "keyed",
    Held = 18 "held",
    Released = 19 "released",
    Purged = 20 "purged",
    Rotated = 21 "rotated",
    BackedUp = 22 "backed-up",
    Account = 23 "account",
    SignedIn = 24 "signed-in",
    SignedOut = 25 "signed-out",
    SignInRefused = 26 "sign-in-refused",
    LockedOut = 27 "locked-out",
    BrokeGlass = 28 "broke-glass",
    Paused = 29 "paused",
    Resumed = 30 "resumed",
    EventOrdered = 32 "event.ordered",
    EventWithdrawn = 33 "event.withdrawn",
    EventRecord = 34 "event.record",
    EventNetwork = 35 "event.network",
    EventLetterSent = 36 "event.letter-sent",
    EventLetterStatus = 37 "event.letter-status",
    EventUnreachable = 38 "event.unreachable",
    EventReply = 39 "event.reply",
    EventAppointment = 40 "event.appointment",
    EventNoteReceived = 41 "event.note-received",
    EventVisit = 42 "event.visit",
    EventDone = 43 "event.done",
    EventTimer = 44 "event.timer",
    EventPerson = 45 "event.person",
    EventTask = 46 "event.task",
    EventOptedOut = 47 "event.opted-out",
    Reported = 48 "reported",
    EventOrderChanged = 52 "event.order-changed",
    EventDeclined = 53 "event.declined",
    EventPatientUpdated = 54 "event.patient-updated",
    EventPatientDied = 55 "event.patient-died",
    EventNoteRetracted = 56 "event.note-retracted",
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such record or event type; the types are those of the journal's records, and `event.` with an event's name"
)]
pub struct UnknownKind;

impl std::str::FromStr for Kind {
    type Err = UnknownKind;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Kind::ALL.iter().copied().find(|kind| kind.name() == text).ok_or(UnknownKind)
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(pub u64);

impl Kinds {
    pub fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.iter().copied().filter(move |kind| self.has(*kind))
    }

    pub fn add(&mut self, kind: Kind) {
        self.0 |= 1 << kind as u8;
    }

    pub fn of(entry: &Entry) -> Kinds {
        let mut kinds = Kinds::default();
        for record in &entry.records {
            kinds.add(record_kind(record));
            if let Record::Happened { event, .. } = record {
                kinds.add(event_kind(event));
            }
        }
        kinds
    }
}

fn record_kind(record: &Record) -> Kind {
    match record {
        Record::Delivery { .. } => Kind::Delivery,
        Record::Happened { .. } => Kind::Happened,
        Record::Stepped { .. } => Kind::Stepped,
        Record::Ignored { .. } => Kind::Ignored,
        Record::Decided { .. } => Kind::Decided,
        Record::Queued { .. } => Kind::Queued,
        Record::Asked { .. } => Kind::Asked,
        Record::Answered { .. } => Kind::Answered,
        Record::Deferred { .. } => Kind::Deferred,
        Record::Received { .. } => Kind::Received,
        Record::Reported { .. } => Kind::Reported,
        Record::Refused { .. } => Kind::Refused,
        Record::Dropped { .. } => Kind::Dropped,
        Record::Settled { .. } => Kind::Settled,
        Record::Named { .. } => Kind::Named,
        Record::Deployed { .. } => Kind::Deployed,
        Record::Consented { .. } => Kind::Consented,
        Record::Looked { .. } => Kind::Looked,
        Record::Keyed { .. } => Kind::Keyed,
        Record::Held { .. } => Kind::Held,
        Record::Released { .. } => Kind::Released,
        Record::Paused { .. } => Kind::Paused,
        Record::Resumed { .. } => Kind::Resumed,
        Record::Purged { .. } => Kind::Purged,
        Record::Rotated { .. } => Kind::Rotated,
        Record::BackedUp { .. } => Kind::BackedUp,
        Record::Account { .. } => Kind::Account,
        Record::SignedIn { .. } => Kind::SignedIn,
        Record::SignedOut { .. } => Kind::SignedOut,
        Record::SignInRefused { .. } => Kind::SignInRefused,
        Record::LockedOut { .. } => Kind::LockedOut,
        Record::BrokeGlass { .. } => Kind::BrokeGlass,
    }
}

fn event_kind(event: &Event) -> Kind {
    match event {
        Event::Ordered { .. } => Kind::EventOrdered,
        Event::Withdrawn { .. } => Kind::EventWithdrawn,
        Event::OrderChanged { .. } => Kind::EventOrderChanged,
        Event::Declined { .. } => Kind::EventDeclined,
        Event::PatientUpdated { .. } => Kind::EventPatientUpdated,
        Event::PatientDied => Kind::EventPatientDied,
        Event::NoteRetracted => Kind::EventNoteRetracted,
        Event::Record { .. } => Kind::EventRecord,
        Event::Network { .. } => Kind::EventNetwork,
        Event::LetterSent { .. } => Kind::EventLetterSent,
        Event::LetterStatus { .. } => Kind::EventLetterStatus,
        Event::Unreachable { .. } => Kind::EventUnreachable,
        Event::Reply { .. } => Kind::EventReply,
        Event::OptedOut { .. } => Kind::EventOptedOut,
        Event::Appointment { .. } => Kind::EventAppointment,
        Event::NoteReceived { .. } => Kind::EventNoteReceived,
        Event::Visit { .. } => Kind::EventVisit,
        Event::Done { .. } => Kind::EventDone,
        Event::Timer { .. } => Kind::EventTimer,
        Event::Person { .. } => Kind::EventPerson,
        Event::Task { .. } => Kind::EventTask,
    }
}
