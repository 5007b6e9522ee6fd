//! Contract values that both schemas make.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::answer::Fault;
use crate::types::{Address, Code, NamedPatient, Patient, Phone, Provider};

pub fn empty_code() -> Code {
    Code { system: String::new(), code: String::new(), display: String::new() }
}

pub fn nobody() -> Provider {
    Provider {
        id: String::new(),
        name: String::new(),
        organization: String::new(),
        phone: String::new(),
        specialty: String::new(),
    }
}

pub fn nowhere() -> Address {
    Address {
        line: String::new(),
        city: String::new(),
        state: String::new(),
        postal_code: String::new(),
        country: String::new(),
    }
}

pub fn unknown_patient() -> Patient {
    Patient {
        identifiers: Vec::new(),
        given: String::new(),
        family: String::new(),
        birth_date: String::new(),
        language: None,
        phones: Vec::new(),
        emails: Vec::new(),
        address: nowhere(),
        preferred_channel: None,
    }
}

/// A patient as far as events name one; nobody where there is neither a number nor a name.
pub fn named(patient: &Patient) -> Option<NamedPatient> {
    let Patient { identifiers, given, family, birth_date, .. } = patient;
    let is_named = !identifiers.is_empty() || !given.is_empty() || !family.is_empty();
    is_named.then(|| NamedPatient {
        identifiers: identifiers.clone(),
        given: given.clone(),
        family: family.clone(),
        // A year alone tells nobody apart.
        birth_date: Some(birth_date.clone()).filter(|date| date.len() == "YYYY-MM-DD".len()).unwrap_or_default(),
    })
}

/// Trimmed, on one line and without control characters: a NUL in a name would go out in a text message.
pub fn clean(text: &str) -> String {
    let text = text.trim();
    if !text.contains(char::is_control) {
        return text.to_owned();
    }
    let spaced = text.replace(['\r', '\n', '\t'], " ");
    spaced.chars().filter(|c| !c.is_control()).collect()
}

/// A document's bytes; none where there are none. What cannot be read whole is a fault.
pub fn base64(data: &str, pointer: &str) -> Result<Option<String>, Fault> {
    let data = if data.contains(char::is_whitespace) { data.split_whitespace().collect() } else { data.to_owned() };
    match STANDARD.decode(&data) {
        Ok(bytes) if bytes.is_empty() => Ok(None),
        Ok(_) => Ok(Some(data)),
        Err(_) => Err(Fault::content(pointer, "the attachment is not Base64", "send its bytes in Base64 with padding")),
    }
}

/// Nothing when the text has no digits.
pub fn phone(text: &str, mobile: bool) -> Option<Phone> {
    let number = phone::e164_or_digits(text);
    (!number.is_empty()).then_some(Phone { number, mobile })
}

pub fn push_new(list: &mut Vec<String>, text: String) {
    if !text.is_empty() && !list.contains(&text) {
        list.push(text);
    }
}
