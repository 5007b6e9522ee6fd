//! Builds the plugins and writes the list that `src/lib.rs` includes.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use handoff_builder::{Built, Member};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in chain(error.as_ref()).lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    let workspace = root.join("plugins");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-env-changed=HANDOFF_WASM_TOOLCHAIN");
    watch(&root.join("wit"));
    watch(&workspace.join("Cargo.toml"));
    // A plugin that is new is in here, too.
    watch(&workspace.join("Cargo.lock"));
    for member in handoff_builder::members(&workspace)? {
        watch_member(&member)?;
    }
    let built = handoff_builder::build(&workspace, &shared(&out), &out.join("components"))?;
    fs::write(out.join("bundled.rs"), list(&built)?)?;
    Ok(())
}

/// Where cargo builds the plugins: one folder for every profile and set of features that this script is run for.
fn shared(out: &Path) -> PathBuf {
    let build = out.ancestors().find(|folder| folder.ends_with("build"));
    build.and_then(|build| build.ancestors().nth(2)).unwrap_or(out).join("plugins")
}

fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}

/// Everything that a plugin, or what plugins share, is built from: its folder without tests and prose.
fn watch_member(member: &Member) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(&member.folder)? {
        let path = entry?.path();
        let is_source = !path.ends_with("tests") && path.extension().is_none_or(|extension| extension != "md");
        if is_source {
            watch(&path);
        }
    }
    Ok(())
}

/// The bundle as a Rust expression.
fn list(plugins: &[Built]) -> Result<String, Box<dyn Error>> {
    let mut source = String::from("&[\n");
    for Built { name, component } in plugins {
        writeln!(source, "    Bundled {{ name: {name:?}, component: include_bytes!({component:?}) }},")?;
    }
    source.push_str("]\n");
    Ok(source)
}
