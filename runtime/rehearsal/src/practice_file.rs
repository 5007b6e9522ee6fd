//! Reads a practice file: what is assumed of a practice in a rehearsal, and which of it somebody wrote down.

use std::path::{Path, PathBuf};

use handoff_engine::workflow::problem::did_you_mean;
use handoff_engine::workflow::{Code, Problem};
use handoff_practice::Profile;
use serde::Serialize;
use serde_json::Value;
use serde_saphyr::Error;

#[derive(Debug, thiserror::Error)]
pub enum PracticeFileError {
    #[error("cannot read {path}\n  help: `workflows/practice.yaml` is one to begin with")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Faulty(#[from] Problem),
}

/// A practice, and the file it was read from.
#[derive(Clone, Debug, Default)]
pub struct PracticeFile {
    pub profile: Profile,
    /// As written, to tell what was.
    written: Value,
}

/// Something taken for granted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assumption {
    /// `patients.languages.es`.
    pub key: String,
    pub value: Value,
    /// Nobody wrote it down for this practice.
    pub default: bool,
}

impl PracticeFile {
    /// # Errors
    /// When it cannot be read, or says something that cannot be.
    pub fn read(path: &Path) -> Result<PracticeFile, PracticeFileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| PracticeFileError::Unreadable { path: path.to_path_buf(), source })?;
        Ok(PracticeFile::parse(&path.display().to_string(), &text)?)
    }

    /// # Errors
    /// What is wrong with it, where, and how to mend it.
    pub fn parse(file: &str, text: &str) -> Result<PracticeFile, Problem> {
        let profile = serde_saphyr::from_str(text).map_err(|error| problem(file, &error))?;
        let written = serde_saphyr::from_str(text).map_err(|error| problem(file, &error))?;
        Ok(PracticeFile { profile, written })
    }

    /// Everything, in the file's own words.
    pub fn assumptions(&self) -> Vec<Assumption> {
        let mut assumptions = Vec::new();
        let told = serde_json::to_value(&self.profile).unwrap_or_default();
        spread("", &told, Some(&self.written), &mut assumptions);
        assumptions
    }
}

/// One for each value; a list is one value, and a list of blocks one for each block.
fn spread(key: &str, told: &Value, written: Option<&Value>, into: &mut Vec<Assumption>) {
    match told {
        Value::Object(members) => {
            // Of shares, what is not named is none: that was written as well.
            let below = |name: &str| if key.is_empty() { name.to_string() } else { format!("{key}.{name}") };
            for (name, value) in members {
                spread(&below(name), value, written.and_then(|written| written.get(name)), into);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let default = written.is_none();
            let item = |(place, value): (usize, &Value)| Assumption {
                key: format!("{key}.{}", place + 1),
                value: value.clone(),
                default,
            };
            into.extend(items.iter().enumerate().map(item));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            into.push(Assumption { key: key.to_string(), value: told.clone(), default: written.is_none() });
        }
    }
}

/// In the words of the workflow's reader.
#[expect(clippy::wildcard_enum_match_arm, reason = "the parser's other errors say it well enough themselves")]
fn problem(file: &str, error: &Error) -> Problem {
    let error = error.without_snippet();
    let (line, column) = error.location().map_or((0, 0), |at| (at.line(), at.column()));
    let explained = "workflows/practice.yaml explains every key".to_string();
    let (code, message, help) = match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            let keys = expected.iter().copied();
            (Code::UNKNOWN_KEY, format!("a practice has no key `{field}` here"), did_you_mean(field, keys))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            let words = expected.iter().copied();
            (Code::BAD_VALUE, format!("`{variant}` is nothing that could stand here"), did_you_mean(variant, words))
        }
        Error::SerdeMissingField { field, .. } => {
            (Code::MISSING_KEY, format!("`{field}` is missing here"), format!("add `{field}:`; {explained}"))
        }
        Error::Message { msg, .. } | Error::ExternalMessage { msg, .. } => match msg.split_once(": write ") {
            Some((what, cure)) => (Code::BAD_VALUE, what.to_string(), format!("write {cure}")),
            None => (Code::BAD_VALUE, msg.clone(), explained),
        },
        other => {
            let told = other.to_string();
            let told = told.split(" at line ").next().unwrap_or_default().to_string();
            (Code::WRONG_KIND, told, explained)
        }
    };
    Problem { file: file.to_string(), line, column, code, message, help }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_a_practice_and_all_of_it_is_assumed() {
        let file = PracticeFile::parse("p.yaml", "# nothing yet\n").expect("a practice");
        assert_eq!(file.profile, Profile::default());
        let assumptions = file.assumptions();
        assert!(assumptions.len() > 40 && assumptions.iter().all(|it| it.default), "{assumptions:?}");
    }

    /// The file says what is assumed where there is none, and so must say all of it.
    #[test]
    fn the_example_is_the_default_written_out() {
        let file = PracticeFile::parse("practice.yaml", handoff_pipeline::bundled_workflow::PRACTICE.text)
            .expect("a practice");
        assert_eq!(file.profile, Profile::default());
        assert!(file.assumptions().iter().all(|it| !it.default), "{:?}", file.assumptions());
    }

    #[test]
    fn what_was_written_is_told_from_what_was_not() {
        let text = "answers: { heeded: [40, 30] }\npatients:\n  hear: { texts: 60, mails: 40 }\n";
        let file = PracticeFile::parse("p.yaml", text).expect("a practice");
        let written: Vec<String> = file.assumptions().into_iter().filter(|it| !it.default).map(|it| it.key).collect();
        assert_eq!(written, ["patients.hear.texts", "patients.hear.mails", "answers.heeded"]);
    }

    #[test]
    fn a_fault_is_shown_with_its_place_and_its_cure() {
        for (text, place, told) in [
            ("answers:\n  heded: [1]\n", "p.yaml:2:3", "write `heeded`"),
            ("patients:\n  hear: { texts: 90, mails: 30 }\n", "p.yaml:2:9", "add up to 120 %"),
            ("patients:\n  languages: { en: 90, fr: 10 }\n", "p.yaml:2:24", "`fr`"),
            ("visits:\n  missed: 130\n", "p.yaml:2:11", "130 is no share"),
            ("referrals_per_week: many\n", "p.yaml:1:21", "practice.yaml explains every key"),
            ("network:\n  specialists:\n    - { opens_in_days: 3 }\n", "p.yaml:3:9", "add `specialty:`"),
            ("answers: [\n", "p.yaml:1", ""),
        ] {
            let problem = PracticeFile::parse("p.yaml", text).expect_err("a fault").to_string();
            assert!(
                problem.contains(place) && problem.contains(told) && problem.contains("help: "),
                "{text}: {problem}"
            );
        }
    }
}
