//! The first source of a plugin in JavaScript.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::starter::{CODE, Gives, REASON, Unwritten};
use crate::error::WorkshopError;
use crate::make::js::PACKAGE;
use crate::project::Project;

pub fn write(project: &Project, functions: &[Unwritten]) -> Result<PathBuf, WorkshopError> {
    super::write(project, "package.json", &PACKAGE.replace("NAME", &project.name))?;
    super::write(project, "plugin.js", &source(project, functions))
}

fn source(project: &Project, functions: &[Unwritten]) -> String {
    let Project { name, stage, .. } = project;
    let mut text = format!(
        "// {name}: a plugin for the stage `{stage}`. `wit/` says what each function is for.\n\
         // A failure is thrown: {{ tag: 'retry-after', val: {{ seconds, reason }} }}, and so on.\n\n\
         export const {} = {{\n",
        camel(stage.interface())
    );
    for Unwritten { function, gives } in functions {
        let parameters: Vec<_> = function.params.iter().map(|parameter| camel(&parameter.name)).collect();
        let body = match gives {
            Gives::Refusal => "throw notWritten();",
            Gives::Nothing => "return [];",
            Gives::Unreadable => "return unreadable();",
        };
        // Infallible: a String takes everything.
        let _ = write!(text, "  {}({}) {{\n    {body}\n  }},\n\n", camel(&function.name), parameters.join(", "));
    }
    text.truncate(text.trim_end().len());
    text += "\n};\n\n";
    if functions.iter().any(|it| it.gives == Gives::Unreadable) {
        return text + UNREADABLE;
    }
    text + &format!(
        "function notWritten() {{\n  return {{ tag: 'refused', val: {{ code: '{CODE}', reason: '{REASON}' }} }};\n}}\n"
    )
}

const UNREADABLE: &str = r#"// Kept as a dead letter, which a person finds.
function unreadable() {
  const answer = (status) => ({ status, contentType: 'text/plain', body: new Uint8Array() });
  return {
    dedupeKey: '',
    kind: 'unread',
    meaning: {
      tag: 'unreadable',
      val: { location: '', message: 'this plugin is not written yet', help: 'write `interpret`' },
    },
    accepted: answer(422),
    unavailable: answer(503),
  };
}
"#;

fn camel(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        name + &letters.next().map(|first| first.to_ascii_uppercase().to_string()).unwrap_or_default()
            + letters.as_str()
    })
}
