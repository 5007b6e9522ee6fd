//! Tells the patient's own words from those that came along: a reaction that repeats our text, a mail quoted below or
//! above, a forward, a signature.
//!
//! Our texts end in `STOP`: whoever likes one sends that word back, and has asked for nothing.

use crate::forms::{self, INSTRUCTIONS, QUOTED_MAILS, REACTED, REACTED_AFTER, REACTED_TO_MEDIA, SIGNATURES};
use crate::words;
use std::borrow::Cow;

/// Whose words a message holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Own<'a> {
    /// What the patient wrote, without what was quoted.
    Words(Cow<'a, str>),
    /// A heart, a thumb: a sign on a text of ours, which says nothing that we dare to act on.
    Reaction,
    /// Nothing but what somebody else wrote.
    Quoted,
}

const OPENING: [char; 6] = ['“', '"', '„', '«', '「', '『'];
const CLOSING: [char; 6] = ['”', '"', '“', '»', '」', '』'];
/// `Laughed at “…”`, `A doña Rosa le encantó “…”`: a longer beginning is a sentence of its own.
const REACTION_LETTERS_MAX: usize = 60;
/// What is looked at for its form: the beginning of a line. A line may be as long as the message.
const LINE_LETTERS_MAX: usize = 200;

pub fn of(text: &str) -> Own<'_> {
    if is_reaction(text) {
        return Own::Reaction;
    }
    // Most replies are a line without a quotation.
    if !text.contains(['>', '＞', '\n', '\r', ':', '：', '-', '—']) && !text.contains(OPENING) {
        return Own::Words(Cow::Borrowed(text));
    }
    let kept = without_instructions(&without_quoted_lines(text));
    let kept = kept.trim();
    if kept == text.trim() {
        return Own::Words(Cow::Borrowed(text));
    }
    match kept.chars().any(char::is_alphanumeric) || kept.chars().any(words::is_emoji) {
        true => Own::Words(Cow::Owned(kept.to_owned())),
        false => Own::Quoted,
    }
}

/// Whether the whole message is a verb and the text it is about: `Liked “…”`, `对“…”表示赞`, `👍 to “…”`.
fn is_reaction(text: &str) -> bool {
    let text = text.trim_matches(|letter: char| letter.is_whitespace() || words::is_unseen(letter));
    let Some(open) = text.find(OPENING) else {
        return text.chars().count() <= REACTION_LETTERS_MAX && forms::is_one_of(REACTED_TO_MEDIA, text);
    };
    let verb = text[..open].trim_end_matches([' ', ':', '：', '\u{a0}']);
    if verb.is_empty() || verb.chars().count() > REACTION_LETTERS_MAX {
        return false;
    }
    // A long text is cut off, and its closing mark with it.
    let close = text.rfind(CLOSING).filter(|close| *close > open);
    let after = close.map_or("", |close| text[close..].trim_matches(|letter| !char::is_alphanumeric(letter)));
    if !after.is_empty() {
        return forms::starts_with_any(REACTED_AFTER, after);
    }
    forms::ends_with_any(REACTED, verb) || is_sign_to(verb)
}

/// `👍 to`: a sign and a small word, without a verb.
fn is_sign_to(verb: &str) -> bool {
    let signs = verb.chars().any(words::is_emoji);
    let letters: String = verb.chars().filter(|letter| letter.is_alphabetic()).collect();
    signs
        && matches!(letters.to_lowercase().as_str(), "" | "to" | "a" | "en" | "với" | "cho" | "对" | "對" | "给" | "給")
}

/// Drops `>` lines, what follows the head of a quoted mail, and the signature of a telephone.
fn without_quoted_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut kept: Vec<&str> = Vec::with_capacity(lines.len());
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let bare = line.trim_start();
        if let Some(head) = head_of_quote(&lines[at..]) {
            if kept.iter().any(|line| !line.trim().is_empty()) || head == Head::Original {
                break;
            }
            // The answer stands below what it answers.
            at += if head == Head::WroteOnTwoLines { 2 } else { 1 };
            at += lines[at.min(lines.len())..]
                .iter()
                .take_while(|line| !is_marked(line) && follows_marked(&lines, at))
                .count();
            continue;
        }
        at += 1;
        if is_marked(bare) {
            continue;
        }
        if forms::starts_with_any(SIGNATURES, bare.trim_start_matches(['-', '–', '—', ' '])) {
            break;
        }
        kept.push(line);
    }
    let kept = kept.join("\n");
    match forms::signature_in(&kept) {
        Some(signature) => kept[..signature].to_owned(),
        None => kept,
    }
}

fn is_marked(line: &str) -> bool {
    line.trim_start().starts_with(['>', '＞'])
}

/// Whether a `>` line follows at `at` or later: what stands before it still belongs to the head.
fn follows_marked(lines: &[&str], at: usize) -> bool {
    lines.get(at).is_some_and(|line| line.trim().is_empty()) && lines[at..].iter().any(|line| is_marked(line))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    /// `On Tuesday … wrote:`; the quotation may stand above the answer.
    Wrote,
    WroteOnTwoLines,
    /// `-----Original Message-----`, `From: … Sent: …`: all that follows is quoted.
    Original,
}

fn head_of_quote(lines: &[&str]) -> Option<Head> {
    let line = beginning(lines.first()?.trim());
    let next = lines.get(1).map(|next| beginning(next.trim()));
    let dashed = line.starts_with(['-', '_', '—', '=']);
    let heading = line.trim_matches(['-', '_', '—', '=', ' ', '*']);
    if (dashed || heading.ends_with([':', '：'])) && forms::starts_with_any(QUOTED_MAILS, heading) {
        return Some(Head::Original);
    }
    let (from, sent) = (forms::is_from(line), next.is_some_and(forms::is_sent));
    if from && sent || forms::is_forward(line) {
        return Some(Head::Original);
    }
    if forms::is_wrote(line, line) {
        return Some(Head::Wrote);
    }
    next.is_some_and(|next| forms::is_wrote(line, next)).then_some(Head::WroteOnTwoLines)
}

fn beginning(line: &str) -> &str {
    line.char_indices().nth(LINE_LETTERS_MAX).map_or(line, |(end, _)| &line[..end])
}

/// Drops quotation marks and what they hold where that tells how to answer a text: `they wrote "Reply STOP to end"`.
fn without_instructions(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(OPENING) {
        let inner = open + rest[open..].chars().next().map_or(1, char::len_utf8);
        let Some(close) = rest[inner..].find(CLOSING).map(|close| inner + close) else { break };
        let end = close + rest[close..].chars().next().map_or(1, char::len_utf8);
        kept.push_str(&rest[..open]);
        match forms::contains_any(INSTRUCTIONS, &rest[inner..close]) {
            true => kept.push_str(", "),
            false => kept.push_str(&rest[open..end]),
        }
        rest = &rest[end..];
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::{Own, of};

    const OURS: &str = "Cedar: Ana, your visit is on Friday. Reply YES to confirm, STOP to end texts.";

    fn words(text: &str) -> String {
        match of(text) {
            Own::Words(words) => words.into_owned(),
            Own::Reaction => "(reaction)".to_owned(),
            Own::Quoted => "(quoted)".to_owned(),
        }
    }

    #[test]
    fn a_reaction_is_told_by_its_verb() {
        for verb in [
            "Liked",
            "Loved",
            "Disliked",
            "Laughed at",
            "Emphasized",
            "Questioned",
            "Reacted 🎉 to",
            "Removed a heart from",
            "👍 to",
            " \u{200b}❤️\u{200b}  to",
            "Ana liked",
            "Le gustó",
            "A Ana le encantó",
            "No le gustó",
            "Se rió de",
            "Le dio énfasis a",
            "Reaccionó con 😂 a",
            "赞了",
            "喜欢了",
            "點讚了",
            "不喜欢",
            "强调了",
            "Đã thích",
            "Đã yêu thích",
            "Đã cười",
            "Đã nhấn mạnh",
            "Đã bày tỏ cảm xúc ❤️ với",
        ] {
            assert_eq!(words(&format!("{verb} “{OURS}”")), "(reaction)", "{verb}");
            assert_eq!(words(&format!("{verb} \"{OURS}")), "(reaction)", "{verb}, cut off");
        }
        assert_eq!(words("对「回复1确认」表示赞"), "(reaction)");
        assert_eq!(words("Loved an image"), "(reaction)");
    }

    #[test]
    fn a_sentence_is_no_reaction() {
        for text in ["I liked “Dr. Chen” but stop texting me", "he said “stop”", "loved it, thanks", "me gustó"]
        {
            assert_eq!(words(text), text);
        }
    }

    #[test]
    fn what_is_quoted_is_left_out() {
        for (text, own) in [
            (format!("> {OURS}\nYes"), "Yes"),
            (format!("No, remove me\n\nOn Tue, Dec 8, 2026 at 9:00 AM Cedar wrote:\n> {OURS}"), "No, remove me"),
            (format!("No, remove me\n\nOn Tue, Dec 8, 2026 Cedar\n<a@b.example> wrote:\n\n{OURS}"), "No, remove me"),
            (format!("On Tue, Dec 8, 2026 Cedar wrote:\n> {OURS}\nsee you"), "see you"),
            (format!("Ahí estaré\nEl mar, 8 dic 2026, Cedar escribió:\n{OURS}"), "Ahí estaré"),
            (format!("好的\n在 2026年12月8日 Cedar 写道：\n{OURS}"), "好的"),
            (format!("dạ được\nVào Th 3, 8 thg 12 Cedar đã viết:\n{OURS}"), "dạ được"),
            (format!("ok\n-----Original Message-----\nFrom: Cedar\n{OURS}"), "ok"),
            (format!("sí\nDe: Cedar\nEnviado: martes\n{OURS}"), "sí"),
            (format!("Fwd: {OURS}"), "(quoted)"),
            (format!("---------- Forwarded message ---------\n{OURS}"), "(quoted)"),
            (format!("> {OURS}"), "(quoted)"),
            ("Yes\nSent from my iPhone".to_owned(), "Yes"),
            ("yes -- Sent from Yahoo Mail on Android".to_owned(), "yes"),
            ("sí\n\nEnviado desde mi iPhone".to_owned(), "sí"),
            ("好\n发自我的iPhone".to_owned(), "好"),
            ("what does \"Reply STOP to end\" do".to_owned(), "what does ,  do"),
            ("STOP".to_owned(), "STOP"),
        ] {
            assert_eq!(words(&text), own, "{text}");
        }
    }
}
