//! `trigger`: whatever comes in gets an answer, foreign bytes are never an event, no answer names a patient, and what is
//! delivered twice is known again.

use handoff_host::contract::interpreter::{
    Delivery, Event, Happening, Meaning, Order, Patient, Reading, Reference, Transport,
};
use handoff_host::contract::signature::SignatureCheck;
use handoff_host::{Answer, Call};
use serde_json::Value;

use super::turn::OTHER_FUNCTION;
use super::{Bench, settings_of};

/// 2026-11-23T09:00:00Z.
const NOW: i64 = 1_795_424_400_000;

const DAY_MILLIS: i64 = 86_400_000;

/// More than any frame's buffer, and nothing in it.
const LONG_BYTES: usize = 64 << 10;

/// Of so many lengths are the author's own deliveries cut.
const CUTS: usize = 16;

/// A shorter word than this is found in anything.
const NAME_CHARACTERS_MIN: usize = 4;

pub fn try_out(bench: &mut Bench) {
    let own = own(bench);
    let kept = foreign().iter().try_for_each(|delivery| refuses(bench, delivery));
    bench.note("takes foreign bytes for no event, and says how to mend them", kept);
    let kept = own.iter().try_for_each(|delivery| answers_when_torn(bench, delivery));
    bench.note("answers a delivery that breaks off, and names no patient", kept);
    let events: Vec<(&Delivery, Reading)> = own
        .iter()
        .filter_map(|delivery| Some((delivery, interpret(bench, delivery).ok()?)))
        .filter(|(_, reading)| matches!(reading.meaning, Meaning::Events(_)))
        .collect();
    let kept =
        if events.is_empty() { Err("none of the cases is an event: give one that should be".into()) } else { Ok(()) };
    bench.note("reads the events of its own dialect", kept);
    let kept = events.iter().try_for_each(|(_, reading)| names_nobody(reading, &names(reading)));
    bench.note("names no patient in an answer, a key or a kind", kept);
    let kept = knows_again(bench, &events);
    bench.note("gives a delivery its own key, whenever it comes", kept);
    let kept = events.iter().try_for_each(|(_, reading)| can_be_filed(reading));
    bench.note("says to which referral each event belongs", kept);
    let kept = events.iter().try_for_each(|(delivery, reading)| tells_the_sender(delivery, reading));
    bench.note("tells a sender what is stored from what has to be sent again", kept);
    let kept = believes_nobody(bench, &own);
    bench.note("believes nothing unsigned where it has signatures checked", kept);
}

/// The deliveries of the author's cases that come with the settings tried.
fn own(bench: &Bench) -> Vec<Delivery> {
    let calls = bench.calls.iter().filter(|call| settings_of(call).as_ref() == Some(&bench.settings));
    let deliveries = calls.filter_map(|call| {
        let Call::Interpret { delivery, .. } = call else { return None };
        Some(delivery.clone())
    });
    deliveries.collect()
}

/// What no EHR means: nothing, every byte there is, and one character without end.
fn foreign() -> Vec<Delivery> {
    let long = |letter: u8| vec![letter; LONG_BYTES];
    let bodies =
        [vec![], (0..=u8::MAX).collect(), vec![0xFF; 64], long(b'A'), long(b'{'), long(b'['), long(b'|'), long(0)];
    let both = [Transport::Mllp, Transport::Http];
    let each = bodies.into_iter().flat_map(|body| both.map(|transport| (transport, body.clone())));
    let delivery = |(transport, body)| Delivery {
        source: "ehr".into(),
        transport,
        headers: vec![],
        body,
        too_long: None,
        received_at: NOW,
    };
    each.map(delivery).collect()
}

fn interpret(bench: &Bench, delivery: &Delivery) -> Result<Reading, String> {
    let call = Call::Interpret { delivery: delivery.clone(), settings: bench.settings.clone() };
    let Answer::Interpret(reading) = bench.answer(&call)? else { return Err(OTHER_FUNCTION.into()) };
    Ok(reading.current())
}

fn refuses(bench: &Bench, delivery: &Delivery) -> Result<(), String> {
    let of = || format!("{} foreign bytes", delivery.body.len());
    match interpret(bench, delivery).map_err(|why| format!("{}: {why}", of()))?.meaning {
        Meaning::Events(_) => Err(format!("it found events in {}", of())),
        Meaning::Parts(_) => Err(format!("it found several things in {}", of())),
        Meaning::NotForUs(why) if why.is_empty() => Err(format!("{}: no word of why they are not for us", of())),
        Meaning::Unreadable(problem) if problem.message.is_empty() || problem.help.is_empty() => {
            Err(format!("{}: no word of what is wrong, or of how to mend it", of()))
        }
        Meaning::NotForUs(_) | Meaning::Unreadable(_) => Ok(()),
    }
}

fn answers_when_torn(bench: &Bench, delivery: &Delivery) -> Result<(), String> {
    let names = names(&interpret(bench, delivery)?);
    (1..CUTS).try_for_each(|cut| {
        let body = delivery.body[..delivery.body.len() * cut / CUTS].to_vec();
        let reading = interpret(bench, &Delivery { body, ..delivery.clone() })?;
        names_nobody(&reading, &names)
    })
}

/// What tells who somebody is, of every patient in a reading.
fn names(reading: &Reading) -> Vec<String> {
    let Meaning::Events(events) = &reading.meaning else { return vec![] };
    let named = events.iter().filter_map(|event| event.about.patient.as_ref()).flat_map(|patient| {
        let numbers = patient.identifiers.iter().map(|it| &it.value);
        [&patient.given, &patient.family, &patient.birth_date].into_iter().chain(numbers).cloned().collect::<Vec<_>>()
    });
    let texts = events.iter().filter_map(described).flat_map(|patient| {
        let numbers = patient.identifiers.iter().map(|it| &it.value).chain(patient.phones.iter().map(|it| &it.number));
        let written = [&patient.given, &patient.family, &patient.birth_date, &patient.address.line];
        written.into_iter().chain(numbers).chain(&patient.emails).cloned().collect::<Vec<_>>()
    });
    texts.chain(named).filter(|text| text.chars().count() >= NAME_CHARACTERS_MIN).collect()
}

/// The patient whom an event describes.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other describes one")]
fn described(event: &Event) -> Option<&Patient> {
    match &event.what {
        Happening::Ordered(order) => Some(&order.patient),
        Happening::PatientUpdated(patient) => Some(patient),
        _ => None,
    }
}

fn names_nobody(reading: &Reading, names: &[String]) -> Result<(), String> {
    let bodies =
        [&reading.accepted.body, &reading.unavailable.body].map(|body| String::from_utf8_lossy(body).into_owned());
    let mut told = vec![reading.dedupe_key.clone(), reading.kind.clone()];
    told.extend(bodies);
    match &reading.meaning {
        // What the parts are is not told to anybody.
        Meaning::Events(_) | Meaning::Parts(_) => {}
        Meaning::NotForUs(why) => told.push(why.clone()),
        Meaning::Unreadable(it) => told.extend([it.location.clone(), it.message.clone(), it.help.clone()]),
    }
    match told.iter().any(|text| names.iter().any(|name| says(text, name))) {
        true => Err("a name, number or address of the patient's is in what the sender or a list is told".into()),
        false => Ok(()),
    }
}

/// As a word of its own: `Hill` is not said by `Goodhill`.
fn says(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + name.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

fn knows_again(bench: &Bench, events: &[(&Delivery, Reading)]) -> Result<(), String> {
    for (delivery, reading) in events {
        let later = Delivery { received_at: delivery.received_at + DAY_MILLIS, ..(*delivery).clone() };
        let again = interpret(bench, &later)?;
        if reading.dedupe_key.is_empty() {
            return Err("an event has no key to be known again by".into());
        }
        if again.dedupe_key != reading.dedupe_key || again.kind != reading.kind {
            return Err("the same delivery has another key, or another kind, a day later".into());
        }
    }
    let is_other = |(delivery, _): &(&Delivery, Reading)| delivery.body != events[0].0.body;
    let is_one_key = events.iter().all(|(_, reading)| reading.dedupe_key == events[0].1.dedupe_key);
    match events.iter().any(is_other) && is_one_key {
        true => Err("all deliveries have one key: the second would be taken for the first".into()),
        false => Ok(()),
    }
}

fn can_be_filed(reading: &Reading) -> Result<(), String> {
    let Meaning::Events(events) = &reading.meaning else { return Ok(()) };
    if events.is_empty() {
        return Err("`events` without an event: say `not-for-us`, and why".into());
    }
    events.iter().try_for_each(|event| match &event.what {
        Happening::Ordered(_) if event.about.referral.is_empty() => {
            Err("an order has no number: every delivery of it would begin a referral".into())
        }
        Happening::Ordered(order) if names_no_patient(order) => Err("nobody can tell whose order it is".into()),
        Happening::Ordered(_) => Ok(()),
        Happening::PatientUpdated(_) | Happening::PatientDied | Happening::PatientMerged(_) => {
            match event.about.patient.as_ref().is_some_and(|patient| !patient.identifiers.is_empty()) {
                true => Ok(()),
                false => Err("news of a patient names no number of theirs".into()),
            }
        }
        Happening::Withdrawn if is_of_none(&event.about) => Err("a withdrawal names no referral".into()),
        Happening::Declined(_) if is_of_none(&event.about) => Err("a refusal names no referral".into()),
        Happening::Appointment(_) if is_of_none(&event.about) => Err("an appointment names no referral".into()),
        Happening::Note(_) | Happening::NoteRetracted if is_of_none(&event.about) => {
            Err("a note names no referral".into())
        }
        Happening::Note(note) if note.documents.is_empty() => Err("a note has no document".into()),
        Happening::Withdrawn
        | Happening::Declined(_)
        | Happening::Appointment(_)
        | Happening::Note(_)
        | Happening::NoteRetracted => Ok(()),
    })
}

fn is_of_none(about: &Reference) -> bool {
    let Reference { referral, appointment, document, group, patient, by_patient: _ } = about;
    [referral, appointment, document, group].into_iter().all(Vec::is_empty) && patient.is_none()
}

fn names_no_patient(order: &Order) -> bool {
    order.patient.identifiers.is_empty() && order.patient.family.is_empty() && order.patient.given.is_empty()
}

/// `wit/trigger.wit`, `reading.unavailable`. By HL7 a sender may have asked for no answer at all.
fn tells_the_sender(delivery: &Delivery, reading: &Reading) -> Result<(), String> {
    let (accepted, unavailable) = (&reading.accepted, &reading.unavailable);
    match delivery.transport {
        Transport::Http if !(200..300).contains(&accepted.status) => {
            Err(format!("what is stored is answered with {}", accepted.status))
        }
        Transport::Http if !matches!(unavailable.status, 429 | 500..=599) => {
            Err(format!("what could not be stored is answered with {}: no sender tries again", unavailable.status))
        }
        Transport::Mllp if !accepted.body.is_empty() && accepted.body == unavailable.body => {
            Err("what is stored and what could not be stored are answered alike".into())
        }
        Transport::Http | Transport::Mllp => Ok(()),
    }
}

/// Whoever has signatures checked has them checked when the header is missing, and when the settings cannot be read.
fn believes_nobody(bench: &Bench, own: &[Delivery]) -> Result<(), String> {
    for delivery in own {
        let stripped = Delivery { headers: vec![], ..delivery.clone() };
        let checks = authenticate(bench, &stripped, &bench.settings)?;
        if authenticate(bench, delivery, &bench.settings)?.is_empty() {
            continue;
        }
        if checks.iter().all(|check| !check.signature.is_empty()) {
            return Err("a delivery without its headers has nothing to check, or a signature".into());
        }
        for settings in ["{".to_owned(), misread(&bench.settings)] {
            if authenticate(bench, &stripped, &settings)?.is_empty() {
                return Err("settings that cannot be read open the door to everybody".into());
            }
        }
    }
    Ok(())
}

/// The same settings, each of a kind that it cannot be.
fn misread(settings: &str) -> String {
    let mut value: Value = serde_json::from_str(settings).unwrap_or_default();
    value.as_object_mut().into_iter().flat_map(|members| members.values_mut()).for_each(|it| *it = 7.into());
    value.to_string()
}

fn authenticate(bench: &Bench, delivery: &Delivery, settings: &str) -> Result<Vec<SignatureCheck>, String> {
    let call = Call::AuthenticateDelivery { delivery: delivery.clone(), settings: settings.to_owned() };
    let Answer::AuthenticateDelivery(checks) = bench.answer(&call)? else { return Err(OTHER_FUNCTION.into()) };
    Ok(checks)
}
