//! Tokens as `wit/types.wit` has them: 34 characters that stand for one piece of patient data, or for nothing once one of
//! them is missing.

use handoff_host::Call;
use serde::Serialize;

use super::Bench;
use super::turn::response;

const MARK: &str = "ZPHI";
const LENGTH: usize = 34;

/// Every token that the plugin can have got: with the opening, or with one of the vendor's answers.
pub fn known(bench: &Bench, opening: &Call) -> Vec<String> {
    let mut texts = vec![json(opening)];
    texts.extend(bench.calls.iter().filter_map(response).map(json));
    texts.iter().flat_map(|text| within(text)).collect()
}

/// The whole tokens in a text.
pub fn within(text: &str) -> Vec<String> {
    starts(text)
        .filter_map(|start| text.get(start..start + LENGTH))
        .filter(|token| is_one(token))
        .map(str::to_owned)
        .collect()
}

/// That whatever looks like a token in a text is one of those known, to its last character.
pub fn whole(text: &str, known: &[String]) -> Result<(), String> {
    let is_known = |start: usize| known.iter().any(|token| text[start..].starts_with(token.as_str()));
    match starts(text).all(is_known) {
        true => Ok(()),
        false => Err("a piece of a token is in a request, or one that nobody gave it: it stands for nothing".into()),
    }
}

fn starts(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices(MARK).map(|(start, _)| start)
}

fn is_one(token: &str) -> bool {
    token.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// The contract has no maps and no floats, so its types always serialise.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "ZPHIG00C00000000000000000000000001";

    #[test]
    fn a_token_is_whole_or_stands_for_nothing() {
        let known = within(&format!("to {TOKEN}, and ZPHI is no token"));
        assert_eq!(known, [TOKEN]);
        assert!(whole(&format!("Dear {TOKEN}:"), &known).is_ok());
        assert!(whole(&format!("Dear {}", &TOKEN[..20]), &known).is_err());
        assert!(whole("ZPHIG00C00000000000000000000000009", &known).is_err());
        assert!(whole("nothing sealed in it", &known).is_ok());
    }
}
