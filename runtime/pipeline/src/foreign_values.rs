//! Where a value from outside becomes one of ours: what it may be made of, and how long it may be, by what it is.
//!
//! Names go into text messages, mails, pages and charts, where a link would be tapped and a character that turns the text around
//! would say something else. What only its spelling is wrong with is spelt right; what breaks the rule is a person's to look at,
//! with the place and never the value: nothing is cut.

use handoff_host::contract::interpreter::{Event, Happening, Identifier, Meaning, Order, Patient, Problem, Reference};
use handoff_host::contract::types::{Code, Provider};

/// A person's or a place's name: a text message that has one in it is to remain one.
const NAME_CHARS_MAX: usize = 120;
/// The words of a code. HL7 v2.5.1 gives CWE.2 199 characters; SNOMED CT's longest terms have 255.
const WORDS_CHARS_MAX: usize = 255;
/// Numbers and codes. FHIR and HL7 name no limit; a URL as a namespace is the longest that is in use.
const NUMBER_CHARS_MAX: usize = 255;
/// RFC 5321, 4.5.3.1.3.
const MAIL_CHARS_MAX: usize = 254;
/// Fifteen digits (E.164), however they are grouped, and an extension.
const PHONE_CHARS_MAX: usize = 40;
/// As few as somebody answers to.
const PHONE_DIGITS_MIN: usize = 3;
/// Fifteen of E.164, and the code by which one dials out of a country.
const PHONE_DIGITS_MAX: usize = 19;
/// A name with so many digits is somebody's telephone number.
const NAME_DIGITS_MAX: usize = 6;

/// What is wrong with a value, never what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ForeignFault {
    #[error("is longer than {max} characters")]
    TooLong { max: usize },
    #[error("holds a control character")]
    Control,
    #[error("holds a character that turns the text around it")]
    Direction,
    #[error("holds a link")]
    Link,
    #[error("holds a telephone number")]
    Telephone,
}

/// What the trigger made of a delivery, with each value in its form; unreadable, where one has none.
pub(crate) fn admit(mut meaning: Meaning) -> Meaning {
    let Meaning::Events(events) = &mut meaning else { return meaning };
    match events.iter_mut().try_for_each(event) {
        Ok(()) => meaning,
        Err(problem) => Meaning::Unreadable(problem),
    }
}

/// Whoever is named in what a decision plugin answers.
pub(crate) fn provider(provider: &mut Provider) -> Result<(), Problem> {
    provider_at("specialist", provider)
}

/// Whether it can be dialled, with an extension perhaps: `+12135550140`, `(213) 555-0140 ext. 12`.
pub(crate) fn is_telephone(text: &str) -> bool {
    let lower = text.trim().to_ascii_lowercase();
    let dialled = lower.strip_prefix("tel:").unwrap_or(&lower);
    let parted = [";ext=", "ext", "x", "#"].iter().find_map(|mark| dialled.split_once(mark));
    let (number, extension) = parted.map_or((dialled, None), |(number, extension)| (number, Some(extension)));
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let extends = |text: &str| text.trim_matches(['.', ':', ' ']).chars().all(|c| c.is_ascii_digit());
    text.len() <= PHONE_CHARS_MAX
        && (PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX).contains(&digits)
        && number.chars().all(|c| c.is_ascii_digit() || "+-.() ".contains(c))
        && extension.is_none_or(extends)
        && !is_link(number)
}

/// Whether one mailbox stands there and nothing else that a header would take for a second one (RFC 5322, 3.4).
pub(crate) fn is_mail(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !is_turning(c) && !"<>()[]\\,;:\"@/".contains(c);
    text.chars().count() <= MAIL_CHARS_MAX
        && !local.is_empty()
        && local.chars().all(plain)
        && domain.split('.').all(|label| !label.is_empty())
        && domain.chars().all(plain)
}

/// Addresses of a patient that are none: nobody can be written to there.
pub(crate) fn no_addresses(patient: &Patient) -> Vec<String> {
    let phones = patient.phones.iter().map(|phone| is_telephone(&phone.number)).enumerate();
    let emails = patient.emails.iter().map(|email| is_mail(email)).enumerate();
    let unfit = |kind: &'static str| move |(at, fits): (usize, bool)| (!fits).then(|| format!("patient.{kind}[{at}]"));
    phones.filter_map(unfit("phones")).chain(emails.filter_map(unfit("emails"))).collect()
}

fn event(event: &mut Event) -> Result<(), Problem> {
    reference_of(&mut event.about)?;
    match &mut event.what {
        Happening::Ordered(order) => ordered(order),
        Happening::Declined(reason) => words("declined", reason),
        Happening::Appointment(notice) => notice.with.iter_mut().try_for_each(|with| provider_at("with", with)),
        Happening::Note(note) => {
            coded("note.kind", &mut note.kind)?;
            for document in &mut note.documents {
                number("note.documents.media-type", &mut document.media_type)?;
                words("note.documents.title", &mut document.title)?;
            }
            note.author.iter_mut().try_for_each(|author| provider_at("note.author", author))
        }
        Happening::PatientUpdated(updated) => patient(updated),
        Happening::PatientMerged(retired) => identifiers("patient-merged", retired),
        Happening::Withdrawn | Happening::NoteRetracted | Happening::PatientDied => Ok(()),
    }
}

fn ordered(order: &mut Order) -> Result<(), Problem> {
    patient(&mut order.patient)?;
    provider_at("referring", &mut order.referring)?;
    order.referred_to.iter_mut().try_for_each(|to| provider_at("referred-to", to))?;
    coded("specialty", &mut order.specialty)?;
    order.services.iter_mut().try_for_each(|service| coded("services", service))?;
    order.diagnoses.iter_mut().try_for_each(|diagnosis| coded("diagnoses", diagnosis))?;
    for plan in &mut order.coverages {
        number("coverages.plan-id", &mut plan.plan_id)?;
        words("coverages.plan-name", &mut plan.plan_name)?;
    }
    Ok(())
}

fn patient(patient: &mut Patient) -> Result<(), Problem> {
    name("patient.given", &mut patient.given)?;
    name("patient.family", &mut patient.family)?;
    number("patient.birth-date", &mut patient.birth_date)?;
    identifiers("patient.identifiers", &mut patient.identifiers)?;
    patient.language.iter_mut().try_for_each(|language| number("patient.language", language))?;
    number("patient.address.state", &mut patient.address.state)?;
    number("patient.address.postal-code", &mut patient.address.postal_code)
}

fn reference_of(about: &mut Reference) -> Result<(), Problem> {
    let Reference { referral, appointment, document, group, patient, by_patient: _ } = about;
    for numbers in [referral, appointment, document, group] {
        for counted in numbers {
            number("about.number", &mut counted.value)?;
            number("about.number", &mut counted.authority)?;
        }
    }
    let Some(patient) = patient else { return Ok(()) };
    identifiers("about.patient", &mut patient.identifiers)?;
    name("about.patient.given", &mut patient.given)?;
    name("about.patient.family", &mut patient.family)?;
    number("about.patient.birth-date", &mut patient.birth_date)
}

fn identifiers(place: &str, identifiers: &mut [Identifier]) -> Result<(), Problem> {
    identifiers.iter_mut().try_for_each(|identifier| {
        number(place, &mut identifier.value)?;
        number(place, &mut identifier.authority)?;
        number(place, &mut identifier.kind)
    })
}

fn provider_at(place: &str, provider: &mut Provider) -> Result<(), Problem> {
    number(&format!("{place}.id"), &mut provider.id)?;
    name(&format!("{place}.name"), &mut provider.name)?;
    name(&format!("{place}.organization"), &mut provider.organization)?;
    words(&format!("{place}.specialty"), &mut provider.specialty)?;
    // The practice's own number stands in a letter where the specialist's is none.
    if !is_telephone(&provider.phone) {
        provider.phone.clear();
    }
    Ok(())
}

fn coded(place: &str, code: &mut Code) -> Result<(), Problem> {
    number(place, &mut code.system)?;
    number(place, &mut code.code)?;
    words(place, &mut code.display)
}

fn name(place: &str, value: &mut String) -> Result<(), Problem> {
    held(place, value, |value| {
        one_line(value, NAME_CHARS_MAX)?;
        if holds_link(value) {
            return Err(ForeignFault::Link);
        }
        if value.chars().filter(|c| c.is_numeric()).count() > NAME_DIGITS_MAX {
            return Err(ForeignFault::Telephone);
        }
        part_dotted_words(value);
        Ok(())
    })
}

/// What people read and patients do not.
fn words(place: &str, value: &mut String) -> Result<(), Problem> {
    held(place, value, |value| {
        one_line(value, WORDS_CHARS_MAX)?;
        if holds_link(value) { Err(ForeignFault::Link) } else { Ok(()) }
    })
}

/// What machines compare.
fn number(place: &str, value: &mut String) -> Result<(), Problem> {
    held(place, value, |value| one_line(value, NUMBER_CHARS_MAX))
}

fn held(
    place: &str,
    value: &mut String,
    rule: impl FnOnce(&mut String) -> Result<(), ForeignFault>,
) -> Result<(), Problem> {
    rule(value).map_err(|fault| Problem {
        location: place.to_string(),
        message: format!("the value {fault}"),
        help: "correct it where it was typed, and have it sent again: it would stand in messages and charts".into(),
    })
}

/// Blanks and line ends of any kind are one blank, and what nobody sees is left out: both say what they said.
fn one_line(value: &mut String, max: usize) -> Result<(), ForeignFault> {
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !is_unseen(c) && !is_turning(c);
    if !value.chars().all(plain) {
        let seen: String = value.chars().filter(|c| !is_unseen(*c)).collect();
        *value = seen.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    if value.chars().any(char::is_control) {
        return Err(ForeignFault::Control);
    }
    if value.chars().any(is_turning) {
        return Err(ForeignFault::Direction);
    }
    if value.chars().count() > max {
        return Err(ForeignFault::TooLong { max });
    }
    Ok(())
}

/// Has no width and joins nothing: soft hyphen, zero-width space, word joiner, byte order mark, and marks of direction that turn no
/// other character. The joiners of Persian and Hindi (U+200C, U+200D) are letters' own.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// Embeddings, overrides and isolates (UAX #9, 2), tags and annotations: they change how what stands around them is read.
fn is_turning(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether somebody wrote a link, not only a blank too few.
fn holds_link(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("://") || text.split_whitespace().any(is_link)
}

fn is_link(word: &str) -> bool {
    const SCHEMES: &[&str] = &["mailto:", "tel:", "sms:", "http:", "https:", "www."];
    const TITLES: &[&str] = &["dr", "mr", "mrs", "ms", "mt", "prof", "rev", "st"];
    let (host, has_path) = word.split_once('/').map_or((word, false), |(host, _)| (host, true));
    let labels: Vec<&str> = host.split(is_dot).collect();
    let is_address = labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok());
    let is_titled = labels.first().is_some_and(|label| TITLES.contains(label));
    let is_page = has_path && !is_titled && labels.len() > 1 && labels.iter().all(|label| !label.is_empty());
    let is_mail = word.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains(is_dot));
    is_address || is_page || is_mail || SCHEMES.iter().any(|scheme| word.starts_with(scheme))
}

/// `Dr.Paul` lacks a blank, and looks like a domain to a telephone: with one it is a name and nothing to tap on.
fn part_dotted_words(value: &mut String) {
    if !value.contains(is_dot) {
        return;
    }
    let chars: Vec<char> = value.chars().collect();
    let is_letter = |at: usize| chars.get(at).is_some_and(|c| c.is_alphabetic());
    let mut parted = String::with_capacity(value.len() + 4);
    for (at, &c) in chars.iter().enumerate() {
        parted.push(c);
        if is_dot(c) && is_letter(at + 1) && is_letter(at + 2) {
            parted.push(' ');
        }
    }
    *value = parted;
}

/// The dots that a browser reads as one (UTS #46, 2.3).
fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

#[cfg(test)]
mod tests;
