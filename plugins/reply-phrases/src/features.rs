//! What the voter sees of a message: words, their neighbours and the question they answer, as numbers.
//!
//! Also compiled into the build script, so that rows and messages are seen alike.

use crate::words::Words;

/// A longer word is also known by how it begins: `cancelled`, `cancelación`.
const STEM_LETTERS: usize = 4;
/// These answer a numbered question; any other number is just a number.
const CHOICES: [&str; 3] = ["1", "2", "3"];
const NUMBER: &str = "#";
const START: &str = "^";
const END: &str = "$";

/// So many neighbouring letters are seen whatever word they stand in: `unsubcribe`, `cancelenlo`.
const LETTERS: usize = 3;

/// The features of a message that answers the question numbered `asked`; sorted, each once.
pub fn of(words: &Words, asked: u8) -> Vec<u32> {
    let signs = signs(words);
    let mut features = vec![hash(&["asked", &asked.to_string()])];
    for (index, sign) in signs.iter().enumerate() {
        features.push(hash(&[sign]));
        if sign.is_ascii() && sign.len() > STEM_LETTERS {
            features.push(hash(&["begins", &sign[..STEM_LETTERS]]));
        }
        add_letters(&mut features, sign);
        if let [first, second, ..] = signs[index..] {
            features.push(hash(&[first, second]));
        }
        if let [first, second, third, ..] = signs[index..] {
            features.push(hash(&[first, second, third]));
            features.push(hash(&[first, "any", third]));
        }
    }
    features.sort_unstable();
    features.dedup();
    features
}

/// The words of a message alone, without its beginning and end.
pub fn of_words(words: &Words) -> impl Iterator<Item = u32> {
    let signs = signs(words);
    (1..signs.len() - 1).map(move |index| hash(&[signs[index]]))
}

/// The neighbouring letters of a word, its beginning and end included.
fn add_letters(features: &mut Vec<u32>, sign: &str) {
    if sign.is_ascii() && sign.len() >= LETTERS {
        let edged = format!("<{sign}>");
        features.extend((0..=edged.len() - LETTERS).map(|from| hash(&["letters", &edged[from..from + LETTERS]])));
    }
}

fn signs(words: &Words) -> Vec<&str> {
    let mut signs = vec![START];
    for (word, asks) in words.words.iter().zip(&words.asks) {
        // Vietnamese told apart by its marks alone: `dừng` stop, `đúng` right.
        let plain = if word.vietnamese { word.toned.as_str() } else { word.plain.as_str() };
        let number = plain.starts_with(|letter: char| letter.is_ascii_digit()) && !CHOICES.contains(&plain);
        signs.push(if number { NUMBER } else { plain });
        if *asks {
            signs.push("?");
        }
    }
    signs.push(END);
    signs
}

/// FNV-1a.
fn hash(parts: &[&str]) -> u32 {
    const BASIS: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    const BETWEEN: u8 = 0x1f;
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([BETWEEN]));
    bytes.fold(BASIS, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(PRIME))
}
