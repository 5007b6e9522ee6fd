//! Telephone numbers and mail addresses out of XTN (HL7 v2.8, 2.A.89), old and new ways of writing them alike.

use crate::message::Value;
use crate::types::Phone;

#[derive(Default)]
pub struct Telecoms {
    pub phones: Vec<Phone>,
    pub emails: Vec<String>,
}

/// XTN-3 (table 0202) of what cannot take a call or a text: fax, modem, beeper.
const NOT_A_PHONE: [&str; 3] = ["FX", "MD", "BP"];
/// XTN-3 CP is a cellular phone; XTN-2 PRS (2.7, personal) is one as well. The others are habits of senders.
const MOBILE: [&str; 5] = ["CP", "CELL", "MOB", "MOBILE", "PRS"];

impl Telecoms {
    /// Reads every repetition of a field. What is known already is not added twice.
    pub fn add(&mut self, field: Value<'_>) {
        for xtn in field.repetitions().filter(|xtn| !xtn.is_empty()) {
            if let Some(email) = email(xtn)
                && !self.emails.contains(&email)
            {
                self.emails.push(email);
            }
            if let Some(phone) = phone(xtn) {
                match self.phones.iter_mut().find(|known| known.number == phone.number) {
                    Some(known) => known.mobile |= phone.mobile,
                    None => self.phones.push(phone),
                }
            }
        }
    }
}

/// The first dialable number of a clinician or a practice; empty when there is none.
pub fn first_phone(field: Value<'_>) -> String {
    field.repetitions().find_map(phone).map(|phone| phone.number).unwrap_or_default()
}

fn email(xtn: Value<'_>) -> Option<String> {
    [4, 1].into_iter().map(|component| xtn.component(component).line()).find(|text| {
        text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.')) && !text.contains(' ')
    })
}

fn phone(xtn: Value<'_>) -> Option<Phone> {
    let (usage, equipment) = (xtn.part(2).to_uppercase(), xtn.part(3).to_uppercase());
    let internet = usage == "NET" || equipment == "INTERNET" || equipment == "X.400";
    if internet || NOT_A_PHONE.contains(&equipment.as_str()) || xtn.part(1).contains('@') {
        return None;
    }
    let candidates = candidates(xtn);
    let digits = || candidates.iter().map(|text| phone::e164_or_digits(text)).max_by_key(String::len);
    let number =
        candidates.iter().find_map(|text| phone::e164(text)).or_else(digits).filter(|number| !number.is_empty())?;
    let mobile = MOBILE.contains(&usage.as_str()) || MOBILE.contains(&equipment.as_str());
    Some(Phone { number, mobile })
}

/// XTN-12 (unformatted), XTN-5 to 7 (country, area, local), XTN-1 (as people write it).
fn candidates(xtn: Value<'_>) -> [String; 3] {
    let (country, area, local) = (xtn.part(5), xtn.part(6), xtn.part(7));
    let country = country.trim_start_matches('+');
    let international = !local.is_empty() && !country.is_empty() && country != "1";
    let parts = if international { format!("+{country}{area}{local}") } else { format!("{area}{local}") };
    [xtn.part(12), if local.is_empty() { String::new() } else { parts }, xtn.part(1)]
}
