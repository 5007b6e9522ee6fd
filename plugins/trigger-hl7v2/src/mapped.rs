//! What a site tells in places of its own (`map` in the settings), put where the contract has it.
//!
//! A single fact takes the place of what the standard's field says, a number, address or diagnosis stands before it. Where the
//! site's place is empty, the standard's field counts as ever.

use mapping::{Coded, Fact, Mapping, NotInTable, Rule, Told, put_first};

use crate::coded;
use crate::language;
use crate::message::{Segment, Value};
use crate::number;
use crate::path::Path;
use crate::problem::{Condition, Fault, Location, Verdict, named};
use crate::provider;
use crate::reading::Feed;
use crate::telecom::Telecoms;
use crate::types::{
    AppointmentChange, Attribute, ChannelKind, Code, Coverage, Number, Order, Patient, Phone, Priority, Provider,
};

pub type Map = Mapping<Path>;

/// ICD-10 by its name of table 0396: what a diagnosis is that names no terminology.
const ICD_10: &str = "I10";

/// Numbers of the referral.
pub fn numbers(segments: &[Segment<'_>], feed: &Feed<'_>) -> Result<Vec<Number>, Fault> {
    values(Fact::ReferralNumber, segments, feed, |rule, told| {
        let number = match told {
            Told::Written(value) => number::number(value)?,
            Told::Meant(meant) => Number { value: meant.code, authority: String::new() },
        };
        let authority = if number.authority.is_empty() { rule.system().to_owned() } else { number.authority };
        Some(Number { authority, ..number })
    })
}

/// Which service is ordered.
pub fn visit_types(segments: &[Segment<'_>], feed: &Feed<'_>) -> Result<Vec<Code>, Fault> {
    values(Fact::VisitType, segments, feed, |rule, told| code(rule, told, ""))
}

pub fn visit_status(segments: &[Segment<'_>], feed: &Feed<'_>) -> Result<Option<AppointmentChange>, Fault> {
    let word = word(Fact::VisitStatus, segments, feed)?;
    Ok(word.and_then(|word| match word.as_str() {
        "booked" => Some(AppointmentChange::Booked),
        "moved" => Some(AppointmentChange::Moved),
        "changed" => Some(AppointmentChange::Changed),
        "cancelled" => Some(AppointmentChange::Cancelled),
        "deleted" => Some(AppointmentChange::Deleted),
        "no-show" => Some(AppointmentChange::NoShow),
        "arrived" => Some(AppointmentChange::Arrived),
        "completed" => Some(AppointmentChange::Completed),
        _ => None,
    }))
}

/// How the patient is reached.
pub fn patient(patient: &mut Patient, segments: &[Segment<'_>], feed: &Feed<'_>) -> Result<(), Fault> {
    let mobiles = values(Fact::Mobile, segments, feed, |_, told| mobile(told))?;
    patient.phones.retain(|phone| !mobiles.iter().any(|mobile| mobile.number == phone.number));
    patient.phones.splice(0..0, mobiles);
    let emails = values(Fact::Email, segments, feed, |_, told| match told {
        Told::Written(value) => telecoms(value).emails.into_iter().next(),
        Told::Meant(meant) => Some(meant.code),
    })?;
    put_first(&mut patient.emails, emails);
    let languages = values(Fact::Language, segments, feed, |_, told| match told {
        Told::Written(value) => language::language(value),
        Told::Meant(meant) => Some(meant.code),
    })?;
    if let Some(language) = languages.into_iter().next() {
        patient.language = Some(language);
    }
    match word(Fact::PreferredChannel, segments, feed)?.as_deref() {
        Some("sms") => patient.preferred_channel = Some(ChannelKind::Sms),
        Some("email") => patient.preferred_channel = Some(ChannelKind::Email),
        Some("portal") => patient.preferred_channel = Some(ChannelKind::Portal),
        Some(_) | None => {}
    }
    Ok(())
}

/// What is ordered, its patient included.
pub fn order(order: &mut Order, segments: &[Segment<'_>], feed: &Feed<'_>) -> Result<(), Fault> {
    patient(&mut order.patient, segments, feed)?;
    match word(Fact::Urgency, segments, feed)?.as_deref() {
        Some("routine") => order.priority = Priority::Routine,
        Some("urgent") => order.priority = Priority::Urgent,
        Some("stat") => order.priority = Priority::Stat,
        Some(_) | None => {}
    }
    let specialties = values(Fact::Specialty, segments, feed, |rule, told| code(rule, told, ""))?;
    if let Some(specialty) = specialties.into_iter().next() {
        order.specialty = specialty;
    }
    put_first(&mut order.services, visit_types(segments, feed)?);
    put_first(&mut order.diagnoses, values(Fact::Diagnosis, segments, feed, |rule, told| code(rule, told, ICD_10))?);
    if let Some(number) = texts(Fact::Authorization, segments, feed)?.into_iter().next() {
        order.authorization = Some(number);
    }
    let named = values(Fact::Specialist, segments, feed, |_, told| specialist(told))?;
    if let Some(named) = named.into_iter().next() {
        order.referred_to = Some(named);
    }
    if let Some(plan_id) = texts(Fact::Plan, segments, feed)?.into_iter().next() {
        match order.coverages.first_mut() {
            Some(coverage) => coverage.plan_id = plan_id,
            None => order.coverages.push(Coverage {
                plan_id,
                plan_name: String::new(),
                payer: String::new(),
                member_id: String::new(),
            }),
        }
    }
    for (fact, name) in [(Fact::Reason, "referral-reason"), (Fact::Category, "referral-category")] {
        let said = texts(fact, segments, feed)?.join(" ");
        extra(&mut order.extras, name, Some(said).filter(|said| !said.is_empty()));
    }
    extra(&mut order.extras, "consent", word(Fact::Consent, segments, feed)?);
    Ok(())
}

/// What the site's place holds, each value as `read` makes it out.
fn values<T>(
    fact: Fact,
    segments: &[Segment<'_>],
    feed: &Feed<'_>,
    read: impl Fn(&Rule<Path>, Told<Value<'_>>) -> Option<T>,
) -> Result<Vec<T>, Fault> {
    let Some(rule) = feed.settings.map.rule(fact) else { return Ok(Vec::new()) };
    let told = rule.told(|path| path.find(segments), |value| value.part(1));
    let told = told.map_err(|unknown| not_in_table(&unknown))?;
    Ok(told.into_iter().filter_map(|told| read(rule, told)).collect())
}

/// One of the fact's own words.
fn word(fact: Fact, segments: &[Segment<'_>], feed: &Feed<'_>) -> Result<Option<String>, Fault> {
    Ok(texts(fact, segments, feed)?.into_iter().next())
}

fn texts(fact: Fact, segments: &[Segment<'_>], feed: &Feed<'_>) -> Result<Vec<String>, Fault> {
    values(fact, segments, feed, |_, told| match told {
        // What people write has no components, whatever characters are in it.
        Told::Written(value) if fact == Fact::Reason => Some(value.line()),
        Told::Written(value) => Some(value.part(1)).filter(|text| !text.is_empty()),
        Told::Meant(meant) => Some(meant.code),
    })
}

fn code(rule: &Rule<Path>, told: Told<Value<'_>>, system: &str) -> Option<Code> {
    let code = match told {
        Told::Written(value) => coded::code(value)?,
        Told::Meant(Coded { system, code, display }) => Code { system, code, display },
    };
    let named = [code.system.as_str(), rule.system(), system].into_iter().find(|system| !system.is_empty());
    Some(Code { system: named.unwrap_or_default().to_owned(), ..code })
}

fn mobile(told: Told<Value<'_>>) -> Option<Phone> {
    let number = match told {
        Told::Written(value) => telecoms(value).phones.into_iter().next()?.number,
        Told::Meant(meant) => phone::e164_or_digits(&meant.code),
    };
    (!number.is_empty()).then_some(Phone { number, mobile: true })
}

fn telecoms(value: Value<'_>) -> Telecoms {
    let mut telecoms = Telecoms::default();
    telecoms.add(value);
    telecoms
}

fn specialist(told: Told<Value<'_>>) -> Option<Provider> {
    match told {
        Told::Written(value) => provider::from_xcn(value),
        Told::Meant(meant) => Some(Provider { id: meant.code, ..provider::nobody() }),
    }
}

fn extra(extras: &mut Vec<Attribute>, name: &str, value: Option<String>) {
    let Some(value) = value else { return };
    extras.retain(|extra| extra.name != name);
    extras.push(Attribute { name: name.to_owned(), value });
}

fn not_in_table(unknown: &NotInTable<'_, Path>) -> Fault {
    let path = unknown.place;
    Fault {
        verdict: Verdict::Error,
        condition: Condition::TableValueNotFound,
        location: Some(Location { segment: named(path.segment()), sequence: 1, field: Some(path.field()) }),
        place: path.to_string(),
        message: unknown.message(),
        help: unknown.help(),
        retry: false,
    }
}
