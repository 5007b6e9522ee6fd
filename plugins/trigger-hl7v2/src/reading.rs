//! What a message means: by MSH-9 to the reader of its kind.

use crate::acknowledgement::{self, Header};
use crate::administration;
use crate::answer_to_order;
use crate::appointment;
use crate::batch::Part;
use crate::characters::{self, Settled};
use crate::digest;
use crate::message::{Message, NotHl7, Spelling};
use crate::note;
use crate::problem::{Condition, Fault, Place, Verdict};
use crate::referral;
use crate::service_order;
use crate::settings::{Dedupe, Settings, TestMessages};
use crate::timestamp::Timestamp;
use crate::types::{Delivery, Event, Happening, Instant, Meaning, Order, Problem, Reading};
use crate::zone::Zone;

/// What a message is read by, beside itself.
pub struct Feed<'s> {
    pub settings: &'s Settings,
    pub zone: Zone,
    /// MSH-7, where it has a time of day: a day alone does not say which of two messages is the newer.
    pub sent_at: Option<Instant>,
}

/// A readable message's meaning.
pub enum Meant {
    Events(Vec<Event>),
    /// Why it is no concern of ours.
    NotForUs(String),
    /// Several things, of which some cannot be read.
    Parts(Vec<Part>),
}

/// Never fails and never panics, whatever the bytes: what cannot be read becomes a problem with its answer.
pub fn interpret(delivery: &Delivery, settings: &str) -> Reading {
    let received_at = delivery.received_at;
    let body = delivery.body.as_slice();
    let settings = Settings::read(settings);
    let message = match Message::parse(body) {
        Ok(message) => message,
        Err(error) => {
            let header = legible_header(body, error).unwrap_or_else(Header::unknown);
            let named = Named { key: digest::of(body), kind: "HL7 v2".to_owned(), sender: String::new() };
            // Whether the settings can be used shows without any message.
            return refuse(&header, delivery, named, settings.err().unwrap_or_else(|| not_hl7(error)));
        }
    };
    let header = Header::of(&message);
    let kind = MessageKind::of(&message);
    let settings = match settings {
        Ok(settings) => settings,
        Err(fault) => {
            let named = Named { key: digest::of(body), kind: kind.name(), sender: sender(&message) };
            return refuse(&header, delivery, named, fault);
        }
    };
    let named = Named { key: dedupe_key(&message, body, &settings), kind: kind.name(), sender: sender(&message) };
    if let Some(bytes) = delivery.too_long {
        return refuse(&header, delivery, named, Fault::too_long(bytes));
    }
    let (meaning, accepted) = match read_in_its_characters(&message, body, &kind, &settings) {
        Ok(Meant::Events(events)) => {
            let events = events.into_iter().map(|event| plausible(event, received_at)).collect();
            (Meaning::Events(events), acknowledgement::accepted(&header, received_at))
        }
        Ok(Meant::NotForUs(reason)) => (Meaning::NotForUs(reason), acknowledgement::accepted(&header, received_at)),
        Ok(Meant::Parts(parts)) => {
            let (bodies, faults) = cut(&message, &kind, &settings, parts);
            (Meaning::Parts(bodies), acknowledgement::partly(&header, &faults, received_at))
        }
        Err(fault) => return refuse(&header, delivery, named, fault),
    };
    Reading {
        dedupe_key: named.key,
        kind: named.kind,
        sender: named.sender,
        meaning,
        accepted,
        unavailable: acknowledgement::unavailable(&header, received_at),
    }
}

/// Each part as a message of its own, and what is wrong with those that cannot be read so, for the sender.
fn cut(message: &Message<'_>, kind: &MessageKind, settings: &Settings, parts: Vec<Part>) -> (Vec<Vec<u8>>, Vec<Fault>) {
    let (mut bodies, mut faults) = (Vec::new(), Vec::new());
    for part in parts {
        let body = message.excerpt(&part.segments);
        // The host will read it alone, and so that counts. Where it stands in the whole is the better place to name.
        let alone = Message::parse(&body).map_err(not_hl7);
        if let Err(fault) = alone.and_then(|alone| read_in_its_characters(&alone, &body, kind, settings)) {
            faults.push(part.fault.unwrap_or(fault));
        }
        bodies.push(body);
    }
    (bodies, faults)
}

fn read_in_its_characters(
    message: &Message<'_>,
    body: &[u8],
    kind: &MessageKind,
    settings: &Settings,
) -> Result<Meant, Fault> {
    let rewritten;
    let mut is_rewritten = false;
    let (bytes, spelling) = match characters::settle(message, body, settings.charset.as_deref())? {
        Settled::AsItIs(charset) => (body, Spelling::plain(charset)),
        Settled::Rewritten(bytes, spelling) => {
            (rewritten, is_rewritten) = (bytes, true);
            (rewritten.as_slice(), spelling)
        }
    };
    let message = Message::parse_as(bytes, spelling).map_err(not_hl7)?;
    let zone = Zone::of(&message, settings);
    let sent = Timestamp::parse(&message.header().text(7, 1)).filter(Timestamp::has_time);
    let sent_at = sent.and_then(|sent| sent.instant(&zone));
    match read(&message, kind, &Feed { settings, zone, sent_at })? {
        // Its bytes cannot be cut where those were that it was rewritten from: it is refused whole.
        Meant::Parts(parts) if is_rewritten => {
            Err(parts.into_iter().find_map(|part| part.fault).unwrap_or_else(|| not_hl7(NotHl7::Batch)))
        }
        meant => Ok(meant),
    }
}

/// A message whose MSH-2 alone cannot be used still says whom to answer, and about which message.
fn legible_header(body: &[u8], error: NotHl7) -> Option<Header> {
    if error != NotHl7::XmlEscaped {
        return None;
    }
    let at = body.windows(XML_AMPERSAND.len()).position(|window| window == XML_AMPERSAND)?;
    let mended = [body.get(..=at)?, body.get(at + XML_AMPERSAND.len()..)?].concat();
    Message::parse(&mended).ok().map(|message| Header::of(&message))
}

const XML_AMPERSAND: &[u8] = b"&amp;";

/// Workflows count from the order's time, so one that lies ahead would hold the referral back; and news from ahead would
/// stand against all that follows. The host takes the time of receipt instead. Clocks and zones may be a day apart.
fn plausible(event: Event, received_at: Instant) -> Event {
    let is_past = |at: &Instant| *at <= received_at.saturating_add(CLOCKS_APART_MILLIS);
    let what = match event.what {
        Happening::Ordered(order) => {
            Happening::Ordered(Order { ordered_at: order.ordered_at.filter(is_past), ..order })
        }
        what => what,
    };
    Event { as_of: event.as_of.filter(is_past), what, ..event }
}

const CLOCKS_APART_MILLIS: i64 = 86_400_000;

fn read(message: &Message<'_>, kind: &MessageKind, feed: &Feed<'_>) -> Result<Meant, Fault> {
    let header = message.header();
    if kind.code.is_empty() {
        return Err(Fault::missing_field("MSH", 9, "send the message type in MSH-9, such as REF^I12"));
    }
    if header.text(10, 1).is_empty() {
        return Err(Fault::missing_field("MSH", 10, "give each message a control id of its own in MSH-10"));
    }
    if message.segments().iter().filter(|segment| segment.is("MSH")).count() > 1 {
        let fault =
            Fault::not_hl7("a second message starts in the same frame", "send each message in a frame of its own");
        return Err(Fault { place: "MSH[2]".to_owned(), ..fault });
    }
    let is_real = !["T", "D"].contains(&header.text(11, 1).to_uppercase().as_str());
    if !is_real && feed.settings.test_messages == TestMessages::Ignore {
        return Ok(Meant::NotForUs("a message for training or debugging, as MSH-11 says".to_owned()));
    }
    match (kind.code.as_str(), kind.trigger.as_str()) {
        ("REF" | "RRI" | "SIU" | "MDM", "") => {
            Err(Fault::missing_field("MSH", 9, "send the trigger event in MSH-9.2, such as I12"))
        }
        ("REF", trigger) => referral::read(message, trigger, feed),
        ("RRI", trigger) => answer_to_order::read_referral(message, trigger, feed),
        ("ORR" | "ORG", _) => answer_to_order::read_order(message, feed),
        ("ORM", "O01" | "") | ("OMG", "O19" | "") | ("OSU", "O51" | "") => {
            service_order::read(message, &kind.name(), feed)
        }
        ("SIU", trigger) => appointment::read(message, trigger, feed),
        ("ORU", "R01" | "R30" | "R31" | "R32" | "R40" | "") => note::read_results(message, feed),
        ("MDM", trigger) => note::read_document(message, trigger, feed),
        ("ADT", trigger) => administration::read(message, trigger, feed),
        (code, _) => elsewhere(code),
    }
}

/// Message types that carry nothing of a referral. A type that is not known may carry anything, and is not waved through.
fn elsewhere(code: &str) -> Result<Meant, Fault> {
    let what = match code {
        "BAR" | "DFT" => "billing",
        "VXU" | "VXQ" | "VXR" | "VXX" => "immunization",
        "RDE" | "RDS" | "RGV" | "RAS" | "OMP" | "RDY" | "RRE" | "RRD" | "RRA" | "RRG" | "ORP" => "pharmacy",
        "OML" | "OUL" | "ORU" | "ORL" | "OPL" | "OPR" | "OPU" | "ESU" | "SSU" => "laboratory",
        "OMI" | "ORI" => "imaging",
        "OMD" | "ORD" | "OMN" | "ORN" | "OMS" | "ORS" => "diets and supplies",
        "OMB" | "ORB" | "BPS" | "BRP" | "BTS" | "BRT" => "transfusion",
        "PPR" | "PGL" | "PPP" | "PTR" | "PPG" | "PPT" | "PRR" => "problem list",
        "SRM" | "SRR" => "an appointment request",
        "MFN" | "MFK" | "MFQ" | "MFR" | "PMU" => "a master file",
        "QBP" | "QRY" | "RSP" | "ADR" | "QCK" | "QCN" | "RTB" | "QRF" => "a query",
        "NMD" | "NMQ" | "NMR" | "MCF" | "UDM" => "network management",
        "ACK" => "an acknowledgement",
        _ => {
            return Err(Fault::for_a_person(
                Place::new("MSH", 9),
                "MSH-9 names a message type that is not known here",
                "send referrals as REF, ORM or OMG, visits as SIU, notes as ORU or MDM; stop the others at the engine",
            ));
        }
    };
    Ok(Meant::NotForUs(format!("{what}: no referral, appointment or note in it")))
}

/// MSH-9. Senders of 2.1 leave the trigger out, some put everything into one component.
struct MessageKind {
    code: String,
    trigger: String,
}

/// Message types and triggers are three characters; more is not shown in lists, it might be anything.
const WORD_MAX: usize = 3;

impl MessageKind {
    fn of(message: &Message<'_>) -> MessageKind {
        let header = message.header();
        let (first, second) = (header.text(9, 1), header.text(9, 2));
        let (code, trigger) = match first.split_once('_') {
            Some((code, trigger)) if second.is_empty() => (code.to_owned(), trigger.to_owned()),
            Some(_) | None => (first, second),
        };
        MessageKind { code: word(&code), trigger: word(&trigger) }
    }

    /// `REF^I12`, or `ORM^O01` for an `ORM` of 2.1.
    fn name(&self) -> String {
        match (self.code.as_str(), self.trigger.as_str()) {
            ("", _) => "HL7 v2".to_owned(),
            ("ORM", "") => "ORM^O01".to_owned(),
            ("OMG", "") => "OMG^O19".to_owned(),
            ("OSU", "") => "OSU^O51".to_owned(),
            ("ORU", "") => "ORU^R01".to_owned(),
            (code, "") => code.to_owned(),
            (code, trigger) => format!("{code}^{trigger}"),
        }
    }
}

fn word(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).take(WORD_MAX).collect::<String>().to_uppercase()
}

fn dedupe_key(message: &Message<'_>, body: &[u8], settings: &Settings) -> String {
    let header = message.header();
    let control_id = header.text(10, 1);
    if control_id.is_empty() {
        return digest::of(body);
    }
    let key = format!("{}|{}|{control_id}", header.text(3, 1), header.text(4, 1));
    match settings.dedupe {
        Dedupe::ControlId => key,
        // Without what stood between segments: the same message by another way may come with other line ends.
        Dedupe::Content => {
            let segments = message.segments().iter().flat_map(|segment| [segment.raw(), b"\r".as_slice()]);
            format!("{key}|{}", digest::of_all(segments))
        }
    }
}

/// Who speaks: MSH-3 and MSH-4 by their namespace, else by their universal id.
fn sender(message: &Message<'_>) -> String {
    let header = message.header();
    let name = |field: usize| match header.text(field, 1) {
        name if name.is_empty() => header.text(field, 2),
        name => name,
    };
    match (name(3), name(4)) {
        (application, facility) if application.is_empty() && facility.is_empty() => String::new(),
        (application, facility) => format!("{application}|{facility}"),
    }
}

/// What is known of a message whether it can be read or not.
struct Named {
    key: String,
    kind: String,
    sender: String,
}

fn refuse(header: &Header, delivery: &Delivery, named: Named, fault: Fault) -> Reading {
    Reading {
        dedupe_key: named.key,
        kind: named.kind,
        sender: named.sender,
        accepted: acknowledgement::refused(header, &fault, delivery.received_at),
        unavailable: acknowledgement::unavailable(header, delivery.received_at),
        meaning: Meaning::Unreadable(Problem { location: fault.place, message: fault.message, help: fault.help }),
    }
}

fn not_hl7(error: NotHl7) -> Fault {
    let send_msh = "send an HL7 v2 message that starts with MSH|^~\\&|";
    match error {
        NotHl7::Empty => Fault::not_hl7("the delivery is empty", send_msh),
        NotHl7::Utf16 => {
            Fault::not_hl7("the message is in UTF-16", "send it in UTF-8 and say so in MSH-18: UNICODE UTF-8")
        }
        NotHl7::Batch => Fault::not_hl7("this is a batch (FHS or BHS)", "send each message of the batch by itself"),
        NotHl7::NoHeader => Fault::not_hl7("this is not HL7 v2: it does not start with MSH", send_msh),
        NotHl7::Delimiters => {
            let fault = Fault::not_hl7("MSH-1 and MSH-2 name no usable delimiters", send_msh);
            Fault { place: "MSH-1".to_owned(), ..fault }
        }
        NotHl7::XmlEscaped => {
            let message = "MSH-2 holds &amp;: the message went through XML and was not turned back".to_owned();
            let help = "turn &amp; &lt; and &gt; back into & < and > before sending";
            Fault { verdict: Verdict::Reject, ..Fault::at(Condition::DataType, Place::new("MSH", 2), message, help) }
        }
    }
}
