//! Builds a workspace of plugins into components, with whichever toolchain the machine has.

#![forbid(unsafe_code)]

mod cargo;
mod toolchain;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wit_component::ComponentEncoder;

pub use cargo::Member;
pub use toolchain::Toolchain;

/// A plugin, built.
pub struct Built {
    /// Its crate's name.
    pub name: String,
    /// The component's file.
    pub component: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(
        "no toolchain here builds for wasm32-unknown-unknown\n\
         help: run `just setup`, which runs plugins/toolchain.sh: `rustup target add wasm32-unknown-unknown`, or Debian's \
         rustc-web, cargo-web and rust-web-src"
    )]
    NoToolchain,
    #[error("HANDOFF_WASM_TOOLCHAIN is `{0}`; it can be `rustup` or `debian`, or be left out")]
    UnknownToolchain(String),
    #[error("could not run {program}")]
    Run { program: PathBuf, source: io::Error },
    #[error("the workspace {} cannot be read:\n{said}", workspace.display())]
    Workspace { workspace: PathBuf, said: String },
    #[error("plugins do not compile: {}\n{said}", plugins.join(", "))]
    Compile { plugins: Vec<String>, said: String },
    #[error("plugin {plugin} does not become a component: {why}")]
    Encode { plugin: String, why: String },
    #[error("could not read or write {}", path.display())]
    File { path: PathBuf, source: io::Error },
}

/// Builds every member of `workspace` that is a `cdylib` into a component in the folder `components`, each named for its
/// crate. `target` is where cargo keeps its work: what has not changed is not compiled again.
pub fn build(workspace: &Path, target: &Path, components: &Path) -> Result<Vec<Built>, BuildError> {
    let toolchain = Toolchain::find()?;
    let mut plugins = cargo::members(&toolchain, workspace)?;
    plugins.retain(|member| member.is_plugin);
    let modules = cargo::build(&toolchain, workspace, target, &plugins)?;
    fs::create_dir_all(components).map_err(|source| BuildError::File { path: components.to_owned(), source })?;
    plugins
        .into_iter()
        .map(|Member { name, .. }| {
            let module = modules.join(format!("{}.wasm", name.replace('-', "_")));
            let component = components.join(format!("{name}.wasm"));
            encode(&name, &module, &component)?;
            Ok(Built { name, component })
        })
        .collect()
}

/// Builds the plugin that is alone in its folder, and gives its component.
pub fn build_one(plugin: &Path, target: &Path) -> Result<Vec<u8>, BuildError> {
    let built = build(plugin, target, target)?;
    let [Built { component, .. }] = built.as_slice() else {
        let said = format!("{} plugins are here, and not one", built.len());
        return Err(BuildError::Workspace { workspace: plugin.to_owned(), said });
    };
    fs::read(component).map_err(|source| BuildError::File { path: component.clone(), source })
}

/// The plugins of a workspace and what they share, by name, so that a build script can watch them.
pub fn members(workspace: &Path) -> Result<Vec<Member>, BuildError> {
    cargo::members(&Toolchain::find()?, workspace)
}

/// Wraps a core module, whose world travels in a custom section, into a component.
fn encode(plugin: &str, module: &Path, component: &Path) -> Result<(), BuildError> {
    let core = fs::read(module).map_err(|source| BuildError::File { path: module.to_owned(), source })?;
    let bytes = ComponentEncoder::default()
        .validate(true)
        .module(&core)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| BuildError::Encode { plugin: plugin.to_owned(), why: format!("{error:#}") })?;
    write_whole(component, &bytes).map_err(|source| BuildError::File { path: component.to_owned(), source })
}

/// Written aside and renamed: another build or test may be reading it.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let aside = path.with_extension(format!("{}.part", std::process::id()));
    fs::write(&aside, bytes)?;
    fs::rename(aside, path)
}
