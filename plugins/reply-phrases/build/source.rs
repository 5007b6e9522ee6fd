//! Reads a phrase file: headings, phrases and lists, as the README explains them to a clinic.

use std::collections::BTreeMap;

/// One phrase file.
#[derive(Default)]
pub struct Source {
    pub rules: Vec<Rule>,
    pub lists: BTreeMap<String, Vec<String>>,
}

/// A heading and the phrases below it.
pub struct Rule {
    pub intent: String,
    pub name: String,
    pub strength: u8,
    /// The questions it answers; empty for any.
    pub after: Vec<String>,
    /// The meanings it hides; empty for all.
    pub hides: Vec<String>,
    pub even_negated: bool,
    pub shouted: bool,
    pub loan: bool,
    pub phrases: Vec<(usize, Vec<Piece>)>,
}

/// A part of a phrase.
#[derive(Clone, PartialEq)]
pub enum Piece {
    Text(String),
    OneOf(Vec<String>),
    Maybe(Vec<String>),
    List(String),
    MaybeList(String),
    Few,
    Many,
    Near,
    MessageStart,
    MessageEnd,
    ClauseStart,
    ClauseEnd,
}

pub fn parse(text: &str) -> Result<Source, String> {
    let mut source = Source::default();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(heading) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            source.rules.push(heading_of(heading).map_err(|mistake| format!("line {number}: {mistake}"))?);
        } else if let Some((name, words)) = line.strip_prefix('<').and_then(|rest| rest.split_once("> =")) {
            let words = words.split('|').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty());
            source.lists.entry(name.trim().to_owned()).or_default().extend(words);
        } else {
            let rule = source.rules.last_mut().ok_or(format!("line {number}: a phrase before the first heading"))?;
            // `{today|$}`: one of the words, or the end of the clause.
            let ends = line.find("|$}").and_then(|end| Some((line[..end].rfind('{')?, end)));
            let ending = ends.map(|(from, end)| format!("{}${}", &line[..from], &line[end + "|$}".len()..]));
            // `one & other`: near each other, in either order.
            let orders = match line.split_once(" & ") {
                Some((one, other)) => vec![format!("{one} ~ {other}"), format!("{other} ~ {one}")],
                None => Vec::new(),
            };
            let line = orders.first().map_or(line, String::as_str);
            let ending = ending.into_iter().chain(orders.get(1).cloned());
            for line in [line.replacen("|$}", "}", 1)].into_iter().chain(ending) {
                let pieces = pieces(&line).map_err(|mistake| format!("line {number}: {mistake}"))?;
                rule.phrases.push((number, pieces));
            }
        }
    }
    Ok(source)
}

fn heading_of(heading: &str) -> Result<Rule, String> {
    let mut parts = heading.split(';').map(str::trim);
    let (intent, name) = parts.next().and_then(|first| first.split_once(':')).ok_or("write [intent: name]")?;
    let mut rule = Rule {
        intent: intent.trim().to_owned(),
        name: name.trim().to_owned(),
        strength: 85,
        after: Vec::new(),
        hides: Vec::new(),
        even_negated: false,
        shouted: false,
        loan: false,
        phrases: Vec::new(),
    };
    for part in parts {
        if let Some(strength) = part.strip_prefix("strength ") {
            rule.strength = strength.parse().map_err(|_| format!("no strength: {strength}"))?;
        } else if let Some(after) = part.strip_prefix("after ") {
            rule.after = after.split(',').map(|question| question.trim().to_owned()).collect();
        } else if let Some(hides) = part.strip_prefix("hides ") {
            rule.hides = hides.split(',').map(|meaning| meaning.trim().to_owned()).collect();
        } else if part == "even negated" {
            rule.even_negated = true;
        } else if part == "shouted" {
            rule.shouted = true;
        } else if part == "loan" {
            rule.loan = true;
        } else {
            return Err(format!("unknown word in heading: {part}"));
        }
    }
    Ok(rule)
}

fn pieces(line: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = line;
    let whole = rest.starts_with('=');
    if whole {
        pieces.push(Piece::MessageStart);
        rest = &rest[1..];
    }
    while let Some(first) = rest.chars().next() {
        let (piece, length) = match first {
            ' ' => (None, 1),
            '~' => (Some(Piece::Near), 1),
            '^' => (Some(Piece::ClauseStart), 1),
            '$' => (Some(Piece::ClauseEnd), 1),
            '<' => {
                let end = rest.find('>').ok_or("a < without its >")?;
                (Some(Piece::List(rest[1..end].trim().to_owned())), end + 1)
            }
            '{' => {
                let end = rest.find('}').ok_or("a { without its }")?;
                (Some(Piece::OneOf(alternatives(&rest[1..end]))), end + 1)
            }
            '(' => {
                let end = rest.find(')').ok_or("a ( without its )")?;
                let inner = rest[1..end].trim();
                let list = inner
                    .strip_prefix('<')
                    .and_then(|inner| inner.strip_suffix('>'))
                    .filter(|name| !name.contains('|'));
                let piece =
                    list.map_or_else(|| Piece::Maybe(alternatives(inner)), |name| Piece::MaybeList(name.to_owned()));
                (Some(piece), end + 1)
            }
            '.' if rest.starts_with("...") => (Some(Piece::Many), 3),
            '.' if rest.starts_with("..") => (Some(Piece::Few), 2),
            _ => {
                let end =
                    rest.find([' ', '<', '(', '{', '.', '^', '$', '~']).unwrap_or(rest.len()).max(first.len_utf8());
                let text = &rest[..end];
                let piece =
                    if text.contains('|') { Piece::OneOf(alternatives(text)) } else { Piece::Text(text.to_owned()) };
                (Some(piece), end)
            }
        };
        pieces.extend(piece);
        rest = &rest[length..];
    }
    if whole {
        pieces.push(Piece::MessageEnd);
    }
    Ok(pieces)
}

fn alternatives(text: &str) -> Vec<String> {
    text.split('|').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}
