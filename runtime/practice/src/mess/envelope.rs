//! How a message is written on the wire: its character set (MSH-18, HL7 table 0211), and the control id that it bears.

use crate::dice::Dice;
use crate::town::SimulationState;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CharacterSet {
    Utf8,
    Latin1,
    Latin2,
    Latin9,
    Windows1252,
    Gb18030,
}

/// Given and family names that need their set. 誠 ends in a byte that looks like HL7's escape character.
const UNUSUAL_NAMES: [(CharacterSet, &str, &str); 6] = [
    (CharacterSet::Latin1, "Zoë", "Bjørnstad"),
    (CharacterSet::Latin2, "Wisława", "Żółkiewska"),
    (CharacterSet::Latin9, "Žofie", "Œuvrard"),
    (CharacterSet::Windows1252, "Maëlys", "O’Donnell"),
    (CharacterSet::Gb18030, "誠", "王"),
    (CharacterSet::Utf8, "Đurđa", "Šćepanović"),
];

pub(crate) fn unusual_name(dice: &mut Dice) -> (CharacterSet, &'static str, &'static str) {
    dice.pick(&UNUSUAL_NAMES)
}

impl CharacterSet {
    fn name(self) -> &'static str {
        match self {
            CharacterSet::Utf8 => "UNICODE UTF-8",
            CharacterSet::Latin1 => "8859/1",
            CharacterSet::Latin2 => "8859/2",
            CharacterSet::Latin9 => "8859/15",
            CharacterSet::Windows1252 => "WINDOWS-1252",
            CharacterSet::Gb18030 => "GB 18030-2000",
        }
    }

    /// The letters that the names above need, beside ASCII.
    fn letters(self) -> &'static [(char, &'static [u8])] {
        match self {
            CharacterSet::Utf8 => &[],
            CharacterSet::Latin1 => &[('ë', &[0xEB]), ('ø', &[0xF8])],
            CharacterSet::Latin2 => &[('ł', &[0xB3]), ('Ż', &[0xAF]), ('ó', &[0xF3])],
            CharacterSet::Latin9 => &[('Ž', &[0xB4]), ('Œ', &[0xBC])],
            CharacterSet::Windows1252 => &[('ë', &[0xEB]), ('’', &[0x92])],
            CharacterSet::Gb18030 => &[('誠', &[0xD5, 0x5C]), ('王', &[0xCD, 0xF5])],
        }
    }

    /// None where a letter is not of this set.
    pub fn encode(self, text: &str) -> Option<Vec<u8>> {
        if self == CharacterSet::Utf8 {
            return Some(text.as_bytes().to_vec());
        }
        let mut bytes = Vec::with_capacity(text.len());
        for letter in text.chars() {
            match self.letters().iter().find(|(known, _)| *known == letter) {
                Some((_, written)) => bytes.extend_from_slice(written),
                None => bytes.push(u8::try_from(letter).ok().filter(u8::is_ascii)?),
            }
        }
        Some(bytes)
    }
}

/// Places of MSH's fields when it is cut at `|`, which is MSH-1 itself.
const SENDER: usize = 2;
const CONTROL_ID: usize = 9;
const CHARACTER_SET: usize = 17;

impl SimulationState {
    /// A message as it goes over the line, and the control id that its acknowledgement names.
    pub(crate) fn on_the_wire(&self, person: Option<usize>, control_id: &str, body: &str) -> (String, Vec<u8>) {
        let plain = || (control_id.to_string(), body.as_bytes().to_vec());
        let Some((header, rest)) = body.split_once('\r').filter(|_| body.starts_with("MSH|")) else { return plain() };
        let mut fields: Vec<&str> = header.split('|').collect();
        let sender = fields[SENDER];
        let is_constant =
            self.has_trait(usize::MAX, &format!("control id of {sender}"), self.plan.profile.mess.constant_control_ids);
        if is_constant {
            fields[CONTROL_ID] = sender;
        }
        let bears = fields[CONTROL_ID].to_string();
        let set = person.map_or(CharacterSet::Utf8, |person| self.people[person].written_in);
        if let Some(field) = fields.get_mut(CHARACTER_SET) {
            let utf8 = std::mem::replace(field, set.name());
            if let Some(bytes) = set.encode(&format!("{}\r{rest}", fields.join("|"))) {
                return (bears, bytes);
            }
            fields[CHARACTER_SET] = utf8;
        }
        (bears, format!("{}\r{rest}", fields.join("|")).into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::{CharacterSet, UNUSUAL_NAMES};

    #[test]
    fn each_name_can_be_written_in_its_set_and_not_in_ascii() {
        for (set, given, family) in UNUSUAL_NAMES {
            let written = set.encode(&format!("{family}^{given}")).expect("its letters");
            assert!(!written.is_ascii(), "{given}");
            assert_eq!(set == CharacterSet::Utf8, std::str::from_utf8(&written).is_ok(), "{given}");
        }
        assert_eq!(CharacterSet::Latin2.encode("誠"), None);
    }
}
