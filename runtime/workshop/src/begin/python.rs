//! The first source of a plugin in Python.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::starter::{CODE, Gives, REASON, Unwritten};
use crate::error::WorkshopError;
use crate::make::python::REQUIREMENTS;
use crate::project::Project;

pub fn write(project: &Project, functions: &[Unwritten]) -> Result<PathBuf, WorkshopError> {
    super::write(project, "requirements.txt", REQUIREMENTS)?;
    super::write(project, "plugin.py", &source(project, functions))
}

fn source(project: &Project, functions: &[Unwritten]) -> String {
    let Project { name, stage, .. } = project;
    let refuses = functions.iter().any(|it| it.gives == Gives::Refusal);
    let imports = if refuses {
        "from componentize_py_types import Err\nfrom wit_world import exports\nfrom wit_world.imports.types import Failure_Refused, Refusal\n"
    } else {
        "from wit_world import exports\nfrom wit_world.exports.interpreter import Answer, Meaning_Unreadable, Problem, Reading\n"
    };
    let mut text = format!(
        "\"\"\"{name}: a plugin for the stage `{stage}`. `wit/` says what each function is for.\"\"\"\n\n{imports}\n\n"
    );
    text += if refuses { "" } else { UNREADABLE };
    text += &format!("class {}(exports.{0}):\n", camel(stage.interface()));
    for Unwritten { function, gives } in functions {
        let parameters = function.params.iter().map(|parameter| format!(", {}", snake(&parameter.name)));
        let body = match gives {
            Gives::Refusal => format!("raise Err(Failure_Refused(Refusal(\"{CODE}\", \"{REASON}\")))"),
            Gives::Nothing => "return []".to_owned(),
            Gives::Unreadable => "return unreadable()".to_owned(),
        };
        // Infallible: a String takes everything.
        let _ = write!(
            text,
            "    def {}(self{}):\n        {body}\n\n",
            snake(&function.name),
            parameters.collect::<String>()
        );
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

const UNREADABLE: &str = r#"def unreadable():
    """Kept as a dead letter, which a person finds."""
    return Reading(
        dedupe_key="",
        kind="unread",
        meaning=Meaning_Unreadable(
            Problem(location="", message="this plugin is not written yet", help="write `interpret`")
        ),
        accepted=Answer(422, "text/plain", b""),
        unavailable=Answer(503, "text/plain", b""),
    )


"#;

/// The language's own words (reference, 2.3.1), to which the bindings add an underscore.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

fn snake(name: &str) -> String {
    let name = name.replace('-', "_");
    if KEYWORDS.contains(&name.as_str()) { name + "_" } else { name }
}

fn camel(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    name.split('-').map(word).collect()
}
