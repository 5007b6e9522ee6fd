//! Turns punctuation that was dictated as words back into pauses: `stop period`, `sí coma ahí estaré`.

use crate::words::{Pause, Word, Words};

/// What a dictated mark does.
#[derive(Clone, Copy)]
enum Mark {
    Clause,
    Sentence,
    Question,
}

/// Marks that nobody writes in words otherwise, by their words without marks; the longest first.
const MARKS: &[(&[&str], Mark)] = &[
    (&["signo", "de", "interrogacion"], Mark::Question),
    (&["signo", "de", "exclamacion"], Mark::Sentence),
    (&["punto", "y", "aparte"], Mark::Sentence),
    (&["punto", "y", "seguido"], Mark::Sentence),
    (&["dau", "cham", "hoi"], Mark::Question),
    (&["dau", "cham", "than"], Mark::Sentence),
    (&["question", "mark"], Mark::Question),
    (&["exclamation", "point"], Mark::Sentence),
    (&["exclamation", "mark"], Mark::Sentence),
    (&["new", "line"], Mark::Sentence),
    (&["new", "paragraph"], Mark::Sentence),
    (&["full", "stop"], Mark::Sentence),
    (&["punto", "final"], Mark::Sentence),
    (&["nueva", "linea"], Mark::Sentence),
    (&["感", "叹", "号"], Mark::Sentence),
    (&["惊", "叹", "号"], Mark::Sentence),
    (&["句", "号"], Mark::Sentence),
    (&["逗", "号"], Mark::Clause),
    (&["问", "号"], Mark::Question),
    (&["换", "行"], Mark::Sentence),
    (&["dau", "hoi"], Mark::Question),
    (&["dau", "cham"], Mark::Sentence),
    (&["dau", "phay"], Mark::Clause),
    (&["cham", "hoi"], Mark::Question),
    (&["cham", "het"], Mark::Sentence),
    (&["comma"], Mark::Clause),
];

/// Before these a `period` is one of the calendar or of the body.
const OWNS_A_PERIOD: [&str; 16] = [
    "my", "her", "the", "a", "this", "that", "grace", "waiting", "heavy", "missed", "late", "time", "long", "each",
    "same", "on",
];
/// After these a `coma` is a comma; elsewhere somebody lies in one.
const BEFORE_A_COMA: [&str; 12] =
    ["si", "no", "ok", "bueno", "gracias", "hola", "claro", "listo", "alto", "dale", "confirmo", "manana"];
const OWNS_A_PUNTO: [&str; 12] = ["a", "el", "un", "en", "al", "ese", "este", "buen", "mi", "que", "de", "cierto"];

/// Takes the marks out of `text` and leaves the pauses they stand for.
pub fn punctuate(text: &mut Words) {
    if !(0..text.words.len()).any(|at| mark_at(&text.words, at).is_some()) {
        return;
    }
    let words = std::mem::take(&mut text.words);
    let asks = std::mem::take(&mut text.asks);
    let mut pause = Pause::None;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if let Some((length, mark)) = mark_at(&words, at) {
            pause = pause.max(match mark {
                Mark::Clause => Pause::Clause,
                Mark::Sentence | Mark::Question => Pause::Sentence,
            });
            let asked = matches!(mark, Mark::Question) || asks[at..at + length].contains(&true);
            if let (true, Some(last)) = (asked, text.asks.last_mut()) {
                *last = true;
            }
            at += length;
            continue;
        }
        text.words.push(Word { pause: word.pause.max(std::mem::take(&mut pause)), ..word.clone() });
        text.asks.push(asks[at]);
        at += 1;
    }
}

/// The mark dictated at `at` and how many words it takes. The first word of a message is never one.
fn mark_at(words: &[Word], at: usize) -> Option<(usize, Mark)> {
    let before = words[..at].last()?.plain.as_str();
    let word = words[at].plain.as_str();
    let is_last = at + 1 == words.len();
    match word {
        "period" if !OWNS_A_PERIOD.contains(&before) && (is_last || ends_a_thought(words, at)) => {
            return Some((1, Mark::Sentence));
        }
        "punto" if is_last && !OWNS_A_PUNTO.contains(&before) => return Some((1, Mark::Sentence)),
        "coma" if BEFORE_A_COMA.contains(&before) => return Some((1, Mark::Clause)),
        // `đau` hurts; only `dấu` is a mark.
        "dau" if words[at].toned.starts_with('đ') => return None,
        _ => {}
    }
    let begins = |known: &&[&str]| {
        words[at..].len() >= known.len() && words[at..].iter().zip(*known).all(|(a, b)| a.plain == *b)
    };
    MARKS.iter().find(|(known, _)| begins(known)).map(|(known, mark)| (known.len(), *mark))
}

/// Whether what follows `period` reads like the next sentence rather than like the rest of this one.
fn ends_a_thought(words: &[Word], at: usize) -> bool {
    const GOES_ON: [&str; 14] = [
        "pain", "pains", "started", "is", "was", "came", "of", "cramps", "blood", "that", "to", "for", "ended",
        "between",
    ];
    !GOES_ON.contains(&words[at + 1].plain.as_str())
}

#[cfg(test)]
mod tests {
    use super::punctuate;
    use crate::words;

    #[test]
    fn dictated_marks_become_pauses() {
        for (text, kept) in [
            ("stop period", "stop"),
            ("yes comma I'll be there period thank you exclamation point", "yes ill be there thank you"),
            ("yes question mark", "yes"),
            ("I got my period", "i got my period"),
            ("period pains", "period pains"),
            ("alto punto", "alto"),
            ("sí coma ahí estaré punto final", "si ahi estare"),
            ("mi mamá está en coma", "mi mama esta en coma"),
            ("está a punto", "esta a punto"),
            ("好的句号", "好 的"),
            ("ngực đau chậm", "nguc dau cham"),
            ("được dấu chấm", "duoc"),
            ("comma", "comma"),
        ] {
            let mut text = words::split(text, 40, |letter| letter);
            punctuate(&mut text);
            let plain: Vec<&str> = text.words.iter().map(|word| word.plain.as_str()).collect();
            assert_eq!(plain.join(" "), kept);
            assert_eq!(text.asks.len(), text.words.len());
        }
    }
}
