//! Contract values that both schemas make.

use crate::types::{Address, Code, Patient, Phone, Provider};

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

/// Trimmed, on one line and without control characters: a NUL in a name would go out in a text message.
pub fn clean(text: &str) -> String {
    let text = text.trim();
    if !text.contains(char::is_control) {
        return text.to_owned();
    }
    let spaced = text.replace(['\r', '\n', '\t'], " ");
    spaced.chars().filter(|c| !c.is_control()).collect()
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
