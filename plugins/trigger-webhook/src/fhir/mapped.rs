//! What a site tells in places of its own (`map` in the settings), put where the contract has it.
//!
//! A single fact takes the place of what the standard's element says, a number, address or diagnosis stands before it. Where the
//! site's place is empty, the standard's element counts as ever.

use mapping::{Coded, Fact, Mapping, NotInTable, Rule, Told, put_first};
use serde_json::Value;

use super::bundle::{Bundle, Located};
use super::elements::{self, text};
use super::path::Path;
use crate::about::{About, push_number};
use crate::answer::Fault;
use crate::settings::Settings;
use crate::types::{
    AppointmentChange, Attribute, ChannelKind, Code, Coverage, Number, Order, Patient, Phone, Priority, Provider,
};
use crate::words;

pub type Map = Mapping<Path>;

/// As FHIR names ICD-10-CM: what a diagnosis is that names no terminology.
const ICD_10: &str = "http://hl7.org/fhir/sid/icd-10-cm";

/// A resource, and what is known of the site that sends it.
#[derive(Clone, Copy)]
pub struct Site<'r, 'a> {
    pub bundle: &'r Bundle<'a>,
    pub located: &'r Located<'a>,
    pub settings: &'r Settings,
}

impl Site<'_, '_> {
    /// With the referral's numbers that the site sends in a place of its own, before the standard's.
    pub fn numbered(self, about: About) -> Result<About, Fault> {
        let mut referral = self.values(Fact::ReferralNumber, |rule, told| {
            let number = match told {
                Told::Written(value) if value.is_object() => elements::number(value),
                Told::Written(value) => Number { value: plain(value), authority: String::new() },
                Told::Meant(meant) => Number { value: meant.code, authority: String::new() },
            };
            let authority = if number.authority.is_empty() { rule.system().to_owned() } else { number.authority };
            Some(Number { authority, ..number })
        })?;
        for number in about.referral {
            push_number(&mut referral, number);
        }
        Ok(About { referral, ..about })
    }

    pub fn visit_status(self) -> Result<Option<AppointmentChange>, Fault> {
        Ok(self.first(Fact::VisitStatus)?.and_then(|word| match word.as_str() {
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
    pub fn patient(self, patient: &mut Patient) -> Result<(), Fault> {
        let mobiles = self.values(Fact::Mobile, |_, told| words::phone(&as_text(told), true))?;
        patient.phones.retain(|phone| !mobiles.iter().any(|mobile: &Phone| mobile.number == phone.number));
        patient.phones.splice(0..0, mobiles);
        let emails = self.texts(Fact::Email)?;
        put_first(&mut patient.emails, emails);
        if let Some(language) = self.first(Fact::Language)? {
            patient.language = Some(language);
        }
        match self.first(Fact::PreferredChannel)?.as_deref() {
            Some("sms") => patient.preferred_channel = Some(ChannelKind::Sms),
            Some("email") => patient.preferred_channel = Some(ChannelKind::Email),
            Some("portal") => patient.preferred_channel = Some(ChannelKind::Portal),
            Some(_) | None => {}
        }
        Ok(())
    }

    /// What is ordered, its patient included.
    pub fn order(self, order: &mut Order) -> Result<(), Fault> {
        self.patient(&mut order.patient)?;
        match self.first(Fact::Urgency)?.as_deref() {
            Some("routine") => order.priority = Priority::Routine,
            Some("urgent") => order.priority = Priority::Urgent,
            Some("stat") => order.priority = Priority::Stat,
            Some(_) | None => {}
        }
        if let Some(specialty) = self.codes(Fact::Specialty, "")?.into_iter().next() {
            order.specialty = specialty;
        }
        put_first(&mut order.services, self.codes(Fact::VisitType, "")?);
        put_first(&mut order.diagnoses, self.codes(Fact::Diagnosis, ICD_10)?);
        if let Some(number) = self.first(Fact::Authorization)? {
            order.authorization = Some(number);
        }
        let named = self.values(Fact::Specialist, |_, told| Some(self.specialist(told)))?;
        if let Some(named) = named.into_iter().next().flatten() {
            order.referred_to = Some(named);
        }
        if let Some(plan_id) = self.first(Fact::Plan)? {
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
            let said = self.texts(fact)?.join(" ");
            extra(&mut order.extras, name, Some(said).filter(|said| !said.is_empty()));
        }
        extra(&mut order.extras, "consent", self.first(Fact::Consent)?);
        Ok(())
    }

    fn specialist(self, told: Told<&Value>) -> Option<Provider> {
        match told {
            Told::Written(value) if value.is_object() => elements::provider(self.bundle, self.located.value, value),
            told => Some(Provider { id: as_text(told), ..words::nobody() }),
        }
    }

    /// What the site's place holds, each value as `read` makes it out.
    fn values<T>(self, fact: Fact, read: impl Fn(&Rule<Path>, Told<&Value>) -> Option<T>) -> Result<Vec<T>, Fault> {
        let Some(rule) = self.settings.map.rule(fact) else { return Ok(Vec::new()) };
        let told = rule.told(|path| path.find(self.bundle, self.located.value), |value| plain(value));
        let told = told.map_err(|unknown| self.not_in_table(&unknown))?;
        Ok(told.into_iter().filter_map(|told| read(rule, told)).collect())
    }

    fn texts(self, fact: Fact) -> Result<Vec<String>, Fault> {
        let texts = self.values(fact, |_, told| Some(as_text(told)))?;
        Ok(texts.into_iter().filter(|text| !text.is_empty()).collect())
    }

    fn first(self, fact: Fact) -> Result<Option<String>, Fault> {
        Ok(self.texts(fact)?.into_iter().next())
    }

    fn codes(self, fact: Fact, system: &str) -> Result<Vec<Code>, Fault> {
        self.values(fact, |rule, told| {
            let code = match told {
                Told::Written(value) => coded(value)?,
                Told::Meant(Coded { system, code, display }) => Code { system, code, display },
            };
            let named = [code.system.as_str(), rule.system(), system].into_iter().find(|system| !system.is_empty());
            Some(Code { system: named.unwrap_or_default().to_owned(), ..code })
        })
    }

    fn not_in_table(self, unknown: &NotInTable<'_, Path>) -> Fault {
        let place = format!("{}/{}", self.located.pointer, unknown.place);
        Fault::content(&place, &unknown.message(), &unknown.help())
    }
}

/// A CodeableConcept, a Coding, or a code alone.
fn coded(value: &Value) -> Option<Code> {
    if value["coding"].is_array() || value["text"].is_string() {
        return elements::code(value);
    }
    let [system, display] = [text(&value["system"]), text(&value["display"])];
    let code = plain(value);
    (!code.is_empty() || !display.is_empty()).then_some(Code { system, code, display })
}

fn as_text(told: Told<&Value>) -> String {
    match told {
        Told::Written(value) => plain(value),
        Told::Meant(meant) => meant.code,
    }
}

/// What a value says in one word: a text, a number, the code of a concept, the value of an identifier or a quantity.
fn plain(value: &Value) -> String {
    match value {
        Value::String(_) => text(value),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Object(members) => {
            let coding = &value["coding"][0]["code"];
            let parts = [coding, &value["code"], &value["value"], &value["text"], &value["display"]];
            let said = parts.into_iter().find(|part| part.is_string() || part.is_number());
            said.filter(|_| !members.is_empty()).map(plain).unwrap_or_default()
        }
        Value::Null | Value::Array(_) => String::new(),
    }
}

fn extra(extras: &mut Vec<Attribute>, name: &str, value: Option<String>) {
    let Some(value) = value else { return };
    extras.retain(|extra| extra.name != name);
    extras.push(Attribute { name: name.to_owned(), value });
}
