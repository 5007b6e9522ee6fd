//! One form for each address, whichever source wrote it. A chart has `(213) 555-0140` where the vendor says `+12135550140`: compared
//! as text they are two patients, and a STOP goes unheard.

use std::collections::BTreeSet;

use phonenumber::country::Id;
use phonenumber::{Mode, parse};

/// Whose telephone numbers are written without a country, and whose addresses without one: `country:` in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct HomeCountry(Id);

/// How addresses are read, and, where patients are not written to yet, which alone may be.
pub(crate) struct AddressRules {
    pub country: HomeCountry,
    /// In one form.
    pub test_recipients: Option<BTreeSet<String>>,
}

impl AddressRules {
    pub fn new(country: HomeCountry, test_recipients: Option<&[String]>) -> AddressRules {
        let listed = test_recipients.map(|listed| listed.iter().map(|to| country.canonical(to)).collect());
        AddressRules { country, test_recipients: listed }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{written}` is no country\n  help: write its two letters (ISO 3166-1), such as `country: US`")]
pub struct NoCountry {
    written: String,
}

impl Default for HomeCountry {
    /// The practices that Handoff is for are in the United States.
    fn default() -> HomeCountry {
        HomeCountry(Id::US)
    }
}

impl std::str::FromStr for HomeCountry {
    type Err = NoCountry;
    fn from_str(written: &str) -> Result<HomeCountry, NoCountry> {
        let known = written.trim().to_uppercase().parse().map(HomeCountry);
        known.map_err(|_| NoCountry { written: written.to_string() })
    }
}

impl TryFrom<String> for HomeCountry {
    type Error = NoCountry;
    fn try_from(written: String) -> Result<HomeCountry, NoCountry> {
        written.parse()
    }
}

impl HomeCountry {
    /// Two letters.
    pub fn code(&self) -> &str {
        self.0.as_ref()
    }

    /// The country of an address that may not say one.
    pub(crate) fn of_address<'a>(&'a self, written: &'a str) -> &'a str {
        if written.trim().is_empty() { self.code() } else { written }
    }

    /// E.164 (ITU-T) for what is a telephone number anywhere; a mail address in lower case, since no mail server that is in use tells
    /// `Ana@` from `ana@` (RFC 5321, 2.4 lets it). What is neither stays what it is, without blanks around it.
    pub(crate) fn canonical(self, address: &str) -> String {
        let address = address.trim();
        if address.contains('@') {
            return address.to_lowercase();
        }
        let number = parse(Some(self.0), address).ok().filter(phonenumber::is_valid);
        // As it comes from whoever leaves the plus sign out.
        let number = number.or_else(|| parse(None, format!("+{address}")).ok().filter(phonenumber::is_valid));
        match number {
            Some(number) => {
                let dialled = number.format().mode(Mode::E164).to_string();
                // An extension is nobody's handset.
                dialled.split([';', ' ']).next().unwrap_or(&dialled).to_string()
            }
            None => address.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HomeCountry;

    fn canonical(text: &str) -> String {
        HomeCountry::default().canonical(text)
    }

    #[test]
    fn another_country_has_other_numbers_without_a_country() {
        let mexico: HomeCountry = "mx".parse().expect("a country");
        assert_eq!((mexico.code(), mexico.canonical("55 1234 5678").as_str()), ("MX", "+525512345678"));
        assert_eq!(mexico.canonical("+1 213 555 0140"), "+12135550140");
        assert!("Utopia".parse::<HomeCountry>().is_err());
    }

    #[test]
    fn a_number_is_one_number_however_it_is_written() {
        let written = [
            "+12135550140",
            "12135550140",
            "2135550140",
            "(213) 555-0140",
            "213.555.0140",
            "1-213-555-0140",
            "+1 (213) 555-0140",
            "tel:+1-213-555-0140",
            " 213 555 0140 ",
            "(213) 555-0140 ext. 12",
            "011 1 213 555 0140",
        ];
        for text in written {
            assert_eq!(canonical(text), "+12135550140", "{text}");
        }
    }

    #[test]
    fn numbers_of_other_countries_keep_their_country() {
        for (text, expected) in [
            ("+52 55 1234 5678", "+525512345678"),
            ("011 52 55 1234 5678", "+525512345678"),
            ("+84 91 234 56 78", "+84912345678"),
            ("+86 138 0013 8000", "+8613800138000"),
            ("525512345678", "+525512345678"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_left_as_it_is() {
        for (text, expected) in [
            ("Ana.Cruz@Example.ORG", "ana.cruz@example.org"),
            (" front desk ", "front desk"),
            ("", ""),
            ("555-0140", "555-0140"),
            ("0000000000", "0000000000"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
    }

    #[test]
    fn whatever_comes_in_has_a_form_that_is_its_own() {
        for text in ["+", "++1", "1e9", "٠١٢٣٤٥٦٧٨٩", "+1 213 555 0140 +1 213 555 0141", "\u{0}", "@", "☎ 213-555-0140"]
        {
            let once = canonical(text);
            assert_eq!(canonical(&once), once, "{text}");
        }
    }
}
