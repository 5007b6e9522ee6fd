//! The first source of a plugin in Rust: the crate, and each function in the types that `wit-bindgen` gives it.

use std::fmt::Write as _;
use std::path::PathBuf;

use wit_parser::{Resolve, Type, TypeDefKind};

use super::starter::{CODE, Gives, REASON, Unwritten};
use crate::error::WorkshopError;
use crate::project::Project;

const MANIFEST: &str = r#"[package]
name = "NAME"
version = "0.1.0"
edition = "2024"
publish = false

# It stands alone, also inside another workspace's folder.
[workspace]

[lib]
crate-type = ["cdylib"]

[dependencies]
wit-bindgen = { version = "0.60", default-features = false, features = ["macros", "realloc", "std"] }

[profile.release]
opt-level = 3
lto = true
codegen-units = 1
panic = "abort"
strip = true
"#;

pub fn write(project: &Project, resolve: &Resolve, functions: &[Unwritten]) -> Result<PathBuf, WorkshopError> {
    super::write(project, "Cargo.toml", &MANIFEST.replace("NAME", &project.name))?;
    super::write(project, "src/lib.rs", &source(project, resolve, functions))
}

fn source(project: &Project, resolve: &Resolve, functions: &[Unwritten]) -> String {
    let Project { name, stage, .. } = project;
    let interface = snake(stage.interface());
    let mut text = format!(
        "//! {name}: a plugin for the stage `{stage}`. `wit/` says what each function is for.\n\n\
         wit_bindgen::generate!({{ path: \"wit\", world: \"{stage}\", generate_all }});\n\n\
         use exports::handoff::stage::{interface}::*;\n\
         use handoff::stage::types::Refusal;\n\n\
         struct Plugin;\n\n\
         impl Guest for Plugin {{\n"
    );
    for Unwritten { function, gives } in functions {
        let parameters: Vec<_> = function
            .params
            .iter()
            .map(|parameter| format!("_{}: {}", snake(&parameter.name), name_of(resolve, &parameter.ty)))
            .collect();
        let result = function.result.map(|result| name_of(resolve, &result)).unwrap_or_default();
        let body = match gives {
            Gives::Refusal => "Err(not_written())",
            Gives::Nothing => "Vec::new()",
            Gives::Unreadable => "unreadable()",
        };
        // Infallible: a String takes everything.
        let _ = write!(
            text,
            "    fn {}({}) -> {result} {{\n        {body}\n    }}\n\n",
            snake(&function.name),
            parameters.join(", ")
        );
    }
    text.truncate(text.trim_end().len());
    text += "\n}\n\n";
    text += &format!(
        "fn not_written() -> Failure {{\n    Failure::Refused(Refusal {{ code: \"{CODE}\".into(), reason: \"{REASON}\".into() }})\n}}\n\n"
    );
    if functions.iter().any(|it| it.gives == Gives::Unreadable) {
        text = text.replace("use handoff::stage::types::Refusal;\n", "");
        text.truncate(text.find("fn not_written").unwrap_or(text.len()));
        text += UNREADABLE;
    }
    text + "export!(Plugin);\n"
}

const UNREADABLE: &str = r#"/// Kept as a dead letter, which a person finds.
fn unreadable() -> Reading {
    let answer = |status| Answer { status, content_type: "text/plain".into(), body: Vec::new() };
    let problem = Problem {
        location: String::new(),
        message: "this plugin is not written yet".into(),
        help: "write `interpret`".into(),
    };
    Reading {
        dedupe_key: String::new(),
        kind: "unread".into(),
        meaning: Meaning::Unreadable(problem),
        accepted: answer(422),
        unavailable: answer(503),
    }
}

"#;

/// A type as the generated bindings spell it.
fn name_of(resolve: &Resolve, of: &Type) -> String {
    match of {
        Type::Bool => "bool".into(),
        Type::U8 => "u8".into(),
        Type::U16 => "u16".into(),
        Type::U32 => "u32".into(),
        Type::U64 => "u64".into(),
        Type::S64 => "i64".into(),
        Type::String => "String".into(),
        Type::Id(id) => match (&resolve.types[*id].name, &resolve.types[*id].kind) {
            (Some(name), _) => camel(name),
            (None, TypeDefKind::List(item)) => format!("Vec<{}>", name_of(resolve, item)),
            (None, TypeDefKind::Option(item)) => format!("Option<{}>", name_of(resolve, item)),
            (None, TypeDefKind::Result(result)) => {
                let side = |side: Option<Type>| side.map_or("()".into(), |it| name_of(resolve, &it));
                format!("Result<{}, {}>", side(result.ok), side(result.err))
            }
            // The contract's functions take and give nothing else; the tests build each stage.
            (None, kind) => kind.as_str().to_owned(),
        },
        Type::S8 | Type::S16 | Type::S32 | Type::F32 | Type::F64 | Type::Char | Type::ErrorContext => format!("{of:?}"),
    }
}

fn snake(name: &str) -> String {
    name.replace('-', "_")
}

fn camel(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    name.split('-').map(word).collect()
}
