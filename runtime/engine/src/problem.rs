//! What is wrong with a workflow, where, and how to mend it.

use std::fmt;

use crate::error_code::Coded;
pub use crate::error_code::ErrorCode as Code;

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

impl Problem {
    /// For what does not keep the file from being used.
    pub fn as_warning(&self) -> impl fmt::Display {
        fmt::from_fn(|f| self.write(f, "warning"))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, grade: &str) -> fmt::Result {
        writeln!(f, "{grade}[{}]: {}", self.code, self.message)?;
        writeln!(f, "  --> {}:{}:{}", self.file, self.line, self.column)?;
        write!(f, "  help: {}", self.help)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "error")
    }
}

impl std::error::Error for Problem {}

impl Coded for Problem {
    fn code(&self) -> Code {
        self.code
    }

    fn place(&self) -> Option<String> {
        Some(format!("{}:{}:{}", self.file, self.line, self.column))
    }
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
