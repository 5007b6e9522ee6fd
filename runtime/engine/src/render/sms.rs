//! How long a text message is on the air, tokens counted as what they stand for (3GPP TS 23.038).

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsEncoding {
    Gsm7,
    Ucs2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmsSize {
    pub encoding: SmsEncoding,
    /// Septets for GSM-7, UTF-16 units for UCS-2.
    pub units: usize,
    /// Billed parts.
    pub parts: usize,
}

/// The default alphabet, escape excluded.
const GSM7: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension table: two septets each.
const GSM7_EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// A token's form (`wit/types.wit`): `ZPHI`, one letter for the character set, three base32 digits for the length.
const TOKEN_MARK: &str = "ZPHI";
const TOKEN_CHARS: usize = 34;
const CROCKFORD: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

pub fn measure_sms(text: &str) -> SmsSize {
    let (mut septets, mut units, mut fits_gsm7) = (0, 0, true);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((gsm, length)) = token(rest) {
            septets += length;
            units += length;
            fits_gsm7 &= gsm;
            rest = &rest[TOKEN_CHARS..];
            continue;
        }
        units += c.len_utf16();
        if GSM7.contains(c) {
            septets += 1;
        } else if GSM7_EXTENDED.contains(c) {
            septets += 2;
        } else {
            fits_gsm7 = false;
        }
        rest = &rest[c.len_utf8()..];
    }
    // A concatenated message spends a header in each part.
    let (encoding, units, single, part) =
        if fits_gsm7 { (SmsEncoding::Gsm7, septets, 160, 153) } else { (SmsEncoding::Ucs2, units, 70, 67) };
    let parts = if units <= single { 1 } else { units.div_ceil(part) };
    SmsSize { encoding, units, parts }
}

/// Whether the text begins with a token: does its value fit GSM-7, and how long is it?
fn token(text: &str) -> Option<(bool, usize)> {
    let token = text.get(..TOKEN_CHARS)?;
    let described = token.strip_prefix(TOKEN_MARK)?;
    if !token.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
        return None;
    }
    let length =
        described[1..4].chars().try_fold(0, |sum, digit| Some(sum * CROCKFORD.len() + CROCKFORD.find(digit)?))?;
    Some((described.starts_with('G'), length))
}
