//! Reads `confrim` as `confirm`: one slip in a word that no phrase knows.

use crate::phrases::PLAIN;

/// In shorter words one slip makes another word: `stop`, `shop`, `step`.
const LETTERS_MIN: usize = 5;

/// The number of the one known word that is one slip away from `word` and begins alike; 0 when there is none.
pub fn correct(word: &str) -> u16 {
    if word.len() < LETTERS_MIN || !word.bytes().all(|letter| letter.is_ascii_lowercase()) {
        return 0;
    }
    let begins = &word[..1];
    let from = PLAIN.partition_point(|(known, _)| *known < begins);
    let alike = PLAIN[from..].iter().take_while(|(known, _)| known.starts_with(begins));
    alike
        .filter(|(known, _)| known.len() >= LETTERS_MIN && one_slip(word.as_bytes(), known.as_bytes()))
        .map(|(_, id)| *id)
        .next()
        .unwrap_or_default()
}

/// Whether `word` is `stop` with a slip, and no word of its own that a patient may send.
pub fn is_stop(word: &str) -> bool {
    const OWN_WORDS: [&str; 4] = ["step", "shop", "spot", "top"];
    word.len() >= 3 && word.is_ascii() && !OWN_WORDS.contains(&word) && one_slip(word.as_bytes(), b"stop")
}

/// Whether one letter was added, left out, replaced or swapped with its neighbour.
fn one_slip(typed: &[u8], meant: &[u8]) -> bool {
    if typed.len().abs_diff(meant.len()) > 1 {
        return false;
    }
    let same = typed.iter().zip(meant).take_while(|(a, b)| a == b).count();
    let (typed, meant) = (&typed[same..], &meant[same..]);
    match typed.len().cmp(&meant.len()) {
        std::cmp::Ordering::Greater => typed[1..] == *meant,
        std::cmp::Ordering::Less => *typed == meant[1..],
        std::cmp::Ordering::Equal => match (typed, meant) {
            ([a, b, typed @ ..], [c, d, meant @ ..]) if a == d && b == c => typed == meant,
            ([_, typed @ ..], [_, meant @ ..]) => typed == meant,
            _ => true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::one_slip;

    #[test]
    fn one_slip_is_one() {
        for (typed, meant, expected) in [
            ("confrim", "confirm", true),
            ("confim", "confirm", true),
            ("connfirm", "confirm", true),
            ("confurm", "confirm", true),
            ("confrmi", "confirm", false),
            ("conform", "confirms", false),
        ] {
            assert_eq!(one_slip(typed.as_bytes(), meant.as_bytes()), expected, "{typed} for {meant}");
        }
    }
}
