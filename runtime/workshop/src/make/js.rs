//! JavaScript: componentize-js runs the module once and freezes the engine as it then is, so that no call waits for the
//! source to be parsed.

use std::path::PathBuf;
use std::process::Command;

use super::{installed, run, target, wit};
use crate::error::WorkshopError;
use crate::project::Project;

/// `disableFeatures` below has to name what this version knows.
pub const PACKAGE: &str = r#"{
  "name": "NAME",
  "version": "0.1.0",
  "private": true,
  "type": "module",
  "devDependencies": {
    "@bytecodealliance/componentize-js": "0.23.0"
  }
}
"#;

/// Everything that WASI could offer is switched off: a call that reaches for the clock or the dice fails.
const SCRIPT: &str = r"
import { componentize } from '@bytecodealliance/componentize-js';
import { writeFile } from 'node:fs/promises';
const [witPath, worldName, out] = process.argv.slice(-3);
const disableFeatures = ['stdio', 'random', 'clocks', 'http', 'fetch-event'];
const { component } = await componentize({ sourcePath: 'plugin.js', witPath, worldName, disableFeatures });
await writeFile(out, component);
";

const HELP: &str = "install Node.js 20 or newer, with npm";

pub fn build(project: &Project) -> Result<PathBuf, WorkshopError> {
    if installed(project, "node_modules/@bytecodealliance/componentize-js").is_none() {
        let how = if project.folder.join("package-lock.json").exists() { "ci" } else { "install" };
        run(Command::new("npm").args([how, "--no-audit", "--no-fund", "--silent"]), &project.folder, HELP)?;
    }
    let out = target(project)?.join("built.wasm");
    let mut node = Command::new("node");
    node.args(["--input-type=module", "--eval", SCRIPT, "--"]).arg(wit(project)?).arg(project.stage.name()).arg(&out);
    run(&mut node, &project.folder, HELP)?;
    Ok(out)
}
