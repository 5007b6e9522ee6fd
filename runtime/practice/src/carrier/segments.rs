//! Counts the parts a text is billed as. 3GPP TS 23.038 for the alphabet, TS 23.040 for the joining header.

/// Characters of the basic table; each is one septet.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// Characters behind the escape; each is two septets.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// 140 bytes of payload hold 160 septets or 70 UTF-16 units; the joining header takes 7 or 3 of them.
const GSM_SINGLE: usize = 160;
const GSM_JOINED: usize = 153;
const UCS2_SINGLE: usize = 70;
const UCS2_JOINED: usize = 67;

pub(crate) fn segments(text: &str) -> u32 {
    let (units, single, joined) = match septets(text) {
        Some(septets) => (septets, GSM_SINGLE, GSM_JOINED),
        None => (text.encode_utf16().count(), UCS2_SINGLE, UCS2_JOINED),
    };
    let parts = if units <= single { 1 } else { units.div_ceil(joined) };
    u32::try_from(parts).unwrap_or(u32::MAX)
}

fn septets(text: &str) -> Option<usize> {
    text.chars()
        .map(|letter| match letter {
            letter if BASIC.contains(letter) => Some(1),
            letter if EXTENDED.contains(letter) => Some(2),
            _ => None,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_as_billed() {
        for (text, expected) in [
            (String::new(), 1),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            ("ñ".repeat(160), 1),
            ("á".to_string() + &"a".repeat(69), 1),
            ("á".to_string() + &"a".repeat(70), 2),
            ("👍".repeat(35), 1),
            ("👍".repeat(36), 2),
        ] {
            assert_eq!(segments(&text), expected, "{} characters", text.chars().count());
        }
    }
}
