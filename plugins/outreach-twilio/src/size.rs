//! How long a text will be once the host has put the patient's data in: every token says so itself.

/// `ZPHI`, the character set, three digits of length, 26 opaque digits (`wit/types.wit`).
const TOKEN_LENGTH: usize = 34;
const MARK: &str = "ZPHI";
const CROCKFORD: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a text with its tokens replaced.
pub fn characters(text: &str) -> usize {
    let mut rest = text;
    let mut count = 0;
    while let Some(at) = rest.find(MARK) {
        let (before, tail) = rest.split_at(at);
        count += before.chars().count();
        match token_length(tail) {
            Some(length) => {
                count += length;
                rest = &tail[TOKEN_LENGTH..];
            }
            None => {
                count += MARK.len();
                rest = &tail[MARK.len()..];
            }
        }
    }
    count + rest.chars().count()
}

/// The length that the token at the start of this text declares.
fn token_length(text: &str) -> Option<usize> {
    let token = text.get(..TOKEN_LENGTH)?.strip_prefix(MARK)?;
    let (kind, rest) = token.split_at_checked(1)?;
    let well_formed = matches!(kind, "G" | "A" | "U") && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let digits = rest.get(..3).filter(|_| well_formed)?;
    digits.bytes().try_fold(0, |length, digit| {
        Some(length * CROCKFORD.len() + CROCKFORD.iter().position(|known| *known == digit)?)
    })
}
