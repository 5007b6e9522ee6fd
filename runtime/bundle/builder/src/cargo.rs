//! Asks a second cargo for the plugins of a workspace and has it compile them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::BuildError;
use crate::toolchain::{TARGET, Toolchain};

/// A crate of the workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// A `cdylib`. The others are what plugins share.
    pub is_plugin: bool,
}

/// All of them, by name.
pub(crate) fn members(toolchain: &Toolchain, workspace: &Path) -> Result<Vec<Member>, BuildError> {
    let mut cargo = toolchain.cargo();
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(workspace);
    let output = run(cargo)?;
    let unreadable = |said: String| BuildError::Workspace { workspace: workspace.to_owned(), said };
    if !output.status.success() {
        return Err(unreadable(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| unreadable(error.to_string()))?;
    let mut members: Vec<Member> = array(&metadata["packages"]).iter().filter_map(member).collect();
    members.sort();
    Ok(members)
}

fn member(package: &Value) -> Option<Member> {
    let is_cdylib = |target: &Value| array(&target["crate_types"]).iter().any(|kind| kind == "cdylib");
    let folder = Path::new(package["manifest_path"].as_str()?).parent()?.to_owned();
    let is_plugin = array(&package["targets"]).iter().any(is_cdylib);
    Some(Member { name: package["name"].as_str()?.to_owned(), folder, is_plugin })
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Compiles `plugins` and says where their core modules are.
pub(crate) fn build(
    toolchain: &Toolchain,
    workspace: &Path,
    target: &Path,
    plugins: &[Member],
) -> Result<PathBuf, BuildError> {
    let mut cargo = toolchain.cargo();
    cargo
        .args(["build", "--quiet", "--release", "--lib", "--keep-going", "--target", TARGET])
        .args(toolchain.flags())
        .arg("--target-dir")
        .arg(target)
        .args(plugins.iter().flat_map(|plugin| ["--package", &plugin.name]))
        .env("CARGO_ENCODED_RUSTFLAGS", same_paths(workspace))
        .current_dir(workspace);
    let output = run(cargo)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(BuildError::Compile { plugins: failed(&said), said });
    }
    Ok(target.join(TARGET).join("release"))
}

/// Flags that keep this machine's folders out of panic locations: the same source gives the same component anywhere.
fn same_paths(workspace: &Path) -> String {
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")));
    let mut flags = vec![format!("--remap-path-prefix={}=plugins", workspace.display())];
    flags.extend(home.map(|home| format!("--remap-path-prefix={home}=cargo")));
    flags.join("\u{1f}")
}

/// The crates that cargo says it could not compile.
fn failed(said: &str) -> Vec<String> {
    said.lines()
        .filter_map(|line| line.strip_prefix("error: could not compile `")?.split_once('`'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn run(mut command: Command) -> Result<Output, BuildError> {
    command.output().map_err(|source| BuildError::Run { program: command.get_program().into(), source })
}
