//! Telephone numbers as E.164. A number without a country is one of the North American plan.

/// E.164 allows at most 15 digits; fewer than 8 with a country code are no subscriber's number.
const INTERNATIONAL_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// Nothing when the text is no dialable number. An extension (`x12`, `ext. 12`) is left out.
pub fn e164(text: &str) -> Option<String> {
    let main = main_number(text);
    let digits: String = main.chars().filter(char::is_ascii_digit).collect();
    let international = main.starts_with('+').then_some(digits.as_str()).or_else(|| digits.strip_prefix("011"));
    match international {
        Some(digits) if digits.starts_with('1') => north_american(digits),
        Some(digits) if INTERNATIONAL_DIGITS.contains(&digits.len()) && !digits.starts_with('0') => {
            Some(format!("+{digits}"))
        }
        Some(_) => None,
        None => north_american(&digits),
    }
}

/// E.164 where it can be read as such, else its digits as sent.
pub fn e164_or_digits(text: &str) -> String {
    e164(text).unwrap_or_else(|| main_number(text).chars().filter(char::is_ascii_digit).collect())
}

/// Up to the first letter after a digit: what follows is an extension or a remark.
fn main_number(text: &str) -> &str {
    let text = text.trim().trim_start_matches("tel:");
    let first_digit = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let remark =
        text.char_indices().find(|&(at, c)| at > first_digit && (c.is_alphabetic() || matches!(c, '#' | ';' | ',')));
    text.get(..remark.map_or(text.len(), |(at, _)| at)).unwrap_or(text)
}

/// Area code and exchange both start with 2 to 9 (North American Numbering Plan).
fn north_american(digits: &str) -> Option<String> {
    let national = if digits.len() == 11 { digits.strip_prefix('1')? } else { digits };
    let starts_well = |at: usize| national.as_bytes().get(at).is_some_and(|digit| (b'2'..=b'9').contains(digit));
    (national.len() == 10 && starts_well(0) && starts_well(3)).then(|| format!("+1{national}"))
}

#[cfg(test)]
mod tests {
    use super::e164_or_digits;

    #[test]
    fn numbers_read_as_they_are_written() {
        let rows = [
            ("(626)555-1234", "+16265551234"),
            ("626.555.1234", "+16265551234"),
            ("1-626-555-1234", "+16265551234"),
            ("+1 (626) 555-1234", "+16265551234"),
            ("tel:+1-626-555-1234", "+16265551234"),
            ("(626)555-1234X12", "+16265551234"),
            ("(626) 555-1234 ext. 12", "+16265551234"),
            ("011 44 20 7946 0018", "+442079460018"),
            ("+44 20 7946 0018", "+442079460018"),
            ("(126)555-1234", "1265551234"),
            ("(626)155-1234", "6261551234"),
            ("(206)752-121", "206752121"),
            ("78788788", "78788788"),
            ("+1 626", "1626"),
            ("+0044 20 7946 0018", "00442079460018"),
            ("none", ""),
            ("", ""),
        ];
        for (written, expected) in rows {
            assert_eq!(e164_or_digits(written), expected, "{written}");
        }
    }
}
