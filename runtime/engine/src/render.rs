//! Fills letters in: the patient's language and zone, tokens for patient data, and no more than the recipient needs.

use chrono_tz::Tz;

mod sms;

pub use sms::{SmsEncoding, SmsSize, measure_sms};

pub use crate::template::{
    ClockStyle, Language, LetterTexts, LocalCalendar, MailText, Placeholder, Template, TemplateFault, TemplatePlace,
    Words,
};

use crate::ids::Token;
use crate::letter::Task;
use crate::referral::{Channel, ContactPoint, Facts, Provider};
use crate::workflow::states::RaiseRule;
use crate::workflow::{Practice, Workflow};

/// A finished letter, with tokens where patient data belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub language: String,
    /// Empty for text messages.
    pub subject: String,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    #[error("letter `{letter}` has no {channel} text; add one to every language")]
    NoTemplate { letter: String, channel: Channel },
    #[error("letter `{letter}` names the appointment, and there is none; send it only while one is booked")]
    NoAppointment { letter: String },
    #[error("letter `{letter}` carries a person's words, and nobody wrote any; send it from an act that asks a text")]
    NoWords { letter: String },
}

/// Fills a letter in, in `language` or, where that has no templates, in the workflow's own. `words` are a person's, for a
/// letter that carries some. To an address that nobody has confirmed it names neither specialist nor specialty.
pub fn render(
    workflow: &Workflow,
    facts: &Facts,
    letter: &str,
    to: &ContactPoint,
    language: &str,
    words: Option<&Token>,
) -> Result<Rendered, RenderError> {
    let channel = to.channel;
    let no_template = || RenderError::NoTemplate { letter: letter.to_string(), channel };
    let chosen = choose_language(workflow, language).ok_or_else(no_template)?;
    let texts = chosen.letters.get(letter).ok_or_else(no_template)?;
    let mut filling = Filling { words_written: words, ..Filling::new(workflow, facts, chosen) };
    filling.sensitive |= !to.confirmed;
    let fill = |template: &Template| {
        let letter = || letter.to_string();
        template.fill(|placeholder| filling.of(placeholder)).ok_or_else(|| {
            match words.is_none() && template.asks(Placeholder::Message) {
                true => RenderError::NoWords { letter: letter() },
                false => RenderError::NoAppointment { letter: letter() },
            }
        })
    };
    let (subject, text) = match channel {
        Channel::Sms => (String::new(), fill(texts.sms.as_ref().ok_or_else(no_template)?)?),
        Channel::Email | Channel::Portal => {
            let own = if channel == Channel::Portal { texts.portal.as_ref() } else { None };
            let mail = own.or(texts.email.as_ref()).ok_or_else(no_template)?;
            (fill(&mail.subject)?, fill(&mail.text)?)
        }
    };
    Ok(Rendered { language: chosen.tag.clone(), subject, text })
}

/// The exact tag, else the same language (`zh-Hans` for `zh`, `es` for `es-MX`), else the workflow's own.
fn choose_language<'w>(workflow: &'w Workflow, wanted: &str) -> Option<&'w Language> {
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let languages = &workflow.languages;
    let exact = languages.values().find(|language| language.tag.eq_ignore_ascii_case(wanted));
    exact
        .or_else(|| languages.values().find(|language| primary(&language.tag) == primary(wanted)))
        .or_else(|| languages.get(&workflow.default_language))
}

/// A task's summary, for staff: names specialist and specialty whatever the content tier.
pub(crate) fn fill_task(workflow: &Workflow, facts: &Facts, rule: &RaiseRule) -> Task {
    let summary = match workflow.languages.get(&workflow.default_language) {
        Some(language) => {
            let filling = Filling { sensitive: false, staff: true, ..Filling::new(workflow, facts, language) };
            rule.summary.fill(|placeholder| Some(filling.of(placeholder).unwrap_or_else(|| "(no visit)".to_string())))
        }
        None => rule.summary.fill(|placeholder| Some(format!("({placeholder})"))),
    };
    Task {
        audience: rule.audience,
        kind: rule.kind.clone(),
        urgent: rule.urgent,
        summary: summary.unwrap_or_default(),
        due_in_hours: rule.due_in_hours,
    }
}

/// Whether letters about this referral must not name specialist or specialty: either alone can disclose a diagnosis.
/// An unknown specialty counts as sensitive.
pub fn is_sensitive(practice: &Practice, facts: &Facts) -> bool {
    let specialty = &facts.order.specialty;
    let names = [
        specialty.display.to_lowercase(),
        facts.order.specialist.as_ref().map(|specialist| specialist.specialty.to_lowercase()).unwrap_or_default(),
    ];
    if names.iter().all(String::is_empty) {
        return true;
    }
    practice
        .sensitive
        .iter()
        .any(|word| specialty.code.eq_ignore_ascii_case(word) || names.iter().any(|name| name.contains(word.as_str())))
}

/// What stands for each placeholder in one letter.
struct Filling<'a> {
    practice: &'a Practice,
    facts: &'a Facts,
    language: &'a Language,
    zone: Tz,
    sensitive: bool,
    staff: bool,
    words_written: Option<&'a Token>,
}

impl<'a> Filling<'a> {
    fn new(workflow: &'a Workflow, facts: &'a Facts, language: &'a Language) -> Filling<'a> {
        Filling {
            practice: &workflow.practice,
            facts,
            language,
            zone: facts.patient.zone.unwrap_or(workflow.contact.zone),
            sensitive: is_sensitive(&workflow.practice, facts),
            staff: false,
            words_written: None,
        }
    }

    /// `None` only for an appointment that there is not, and for words that nobody wrote.
    fn of(&self, placeholder: Placeholder) -> Option<String> {
        let words = &self.language.words;
        let starts_at =
            || self.facts.appointment.as_ref().map(|it| it.starts_at.with_timezone(&self.zone).naive_local());
        Some(match placeholder {
            Placeholder::Given => self.facts.patient.given.to_string(),
            Placeholder::Family => self.facts.patient.family.to_string(),
            Placeholder::Practice => self.practice.name.clone(),
            Placeholder::PracticePhone => self.practice.phone.clone(),
            Placeholder::Specialist => {
                self.specialist().map(named).filter(|name| !name.is_empty()).unwrap_or(&words.specialist).to_string()
            }
            // The practice can always put the patient through; the specialist's own number would name them.
            Placeholder::SpecialistPhone => {
                let phone = self.specialist().map(|specialist| specialist.phone.as_str()).unwrap_or_default();
                if phone.is_empty() { self.practice.phone.clone() } else { phone.to_string() }
            }
            Placeholder::Specialty => self.specialty(),
            Placeholder::Date => self.language.calendar.date(starts_at()?),
            Placeholder::Time => self.language.calendar.time(starts_at()?),
            Placeholder::Yes => words.yes.clone(),
            Placeholder::Help => words.help.clone(),
            Placeholder::Stop => words.stop.clone(),
            Placeholder::Message => self.words_written?.to_string(),
        })
    }

    fn specialist(&self) -> Option<&'a Provider> {
        self.facts.order.specialist.as_ref().filter(|_| !self.sensitive)
    }

    fn specialty(&self) -> String {
        let display = &self.facts.order.specialty.display;
        if self.staff && !display.is_empty() {
            return display.clone();
        }
        let known = || self.language.specialties.get(&display.to_lowercase());
        let named = if self.sensitive { None } else { known() };
        named.unwrap_or(&self.language.words.specialty).clone()
    }
}

fn named(provider: &Provider) -> &str {
    if provider.name.is_empty() { &provider.organization } else { &provider.name }
}
