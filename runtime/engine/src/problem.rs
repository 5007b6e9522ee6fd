//! What is wrong with a workflow, where, and how to mend it.

use std::fmt;

/// One fault in a workflow or template file. `Display` reads like a compiler's message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub file: String,
    /// From 1; 0 when the fault is the whole file's.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
    pub code: Code,
    pub message: String,
    pub help: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error[{}]: {}", self.code, self.message)?;
        writeln!(f, "  --> {}:{}:{}", self.file, self.line, self.column)?;
        write!(f, "  help: {}", self.help)
    }
}

impl std::error::Error for Problem {}

/// A fault's stable number: what manuals and searches refer to. Numbers are never given out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "H{:04}", self.0)
    }
}

impl Code {
    pub const NOT_YAML: Code = Code(1);
    pub const DUPLICATE_KEY: Code = Code(2);
    pub const UNKNOWN_KEY: Code = Code(3);
    pub const WRONG_KIND: Code = Code(4);
    pub const MISSING_KEY: Code = Code(5);
    pub const WRONG_FORMAT: Code = Code(6);
    pub const BAD_NAME: Code = Code(8);
    pub const BAD_VALUE: Code = Code(9);
    pub const UNKNOWN_STATE: Code = Code(10);
    pub const UNKNOWN_EVENT: Code = Code(11);
    pub const UNKNOWN_ACTION: Code = Code(12);
    pub const UNKNOWN_LETTER: Code = Code(13);
    pub const UNKNOWN_TIMER: Code = Code(14);
    pub const UNUSED_TIMER: Code = Code(15);
    pub const MISSING_STAGE: Code = Code(16);
    pub const NO_FILE: Code = Code(17);
    pub const BAD_DURATION: Code = Code(20);
    pub const BAD_ZONE: Code = Code(21);
    pub const BAD_GUARD: Code = Code(22);
    pub const UNKNOWN_VARIABLE: Code = Code(23);
    pub const UNREACHABLE_STATE: Code = Code(30);
    pub const NO_WAY_TO_AN_END: Code = Code(31);
    pub const WAITS_FOR_EVER: Code = Code(32);
    pub const NOT_AT_AN_END: Code = Code(33);
    pub const NEVER_TAKEN: Code = Code(34);
    pub const BAD_MOVE: Code = Code(35);
    pub const UNANSWERED: Code = Code(36);
    pub const NEVER_SET: Code = Code(37);
    pub const UNKNOWN_PLACEHOLDER: Code = Code(40);
    pub const MISSING_TEMPLATE: Code = Code(41);
}

/// The candidate that a mistyped word most likely meant, when one is near enough to be worth naming.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Two slips, or a third of a long word: beyond that a guess misleads more than it helps.
    let slips_max = (word.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| (slips(word, candidate), candidate))
        .filter(|(slips, _)| *slips <= slips_max)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance.
fn slips(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

/// A cure that names the nearest spelling, or else everything that could stand there.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    // More names than this read as noise; the nearest or the manual serves better.
    const LISTED_MAX: usize = 16;
    if let Some(near) = nearest(word, candidates.clone()) {
        return format!("write `{near}`");
    }
    let all: Vec<&str> = candidates.into_iter().collect();
    match all.len() {
        0 => "there is none to choose from yet; declare it first".to_string(),
        count if count > LISTED_MAX => format!("one of: {}, …", all[..LISTED_MAX].join(", ")),
        _ => format!("one of: {}", all.join(", ")),
    }
}
