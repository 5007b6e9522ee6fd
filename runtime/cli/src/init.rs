//! `handoff init DIR`: a folder that `handoff serve` runs as it is, on loopback.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_instance::config;
use handoff_instance::signing_key;
use handoff_pipeline::bundled_workflow;
use handoff_store::durable_file;
use handoff_vault::{MasterKey, secrets, system_dice};

#[derive(Args)]
pub(crate) struct Init {
    /// Made if it is not there; refused if a configuration is in it already
    dir: PathBuf,
}

/// Keys and secrets are their owner's alone.
const PRIVATE: u32 = 0o600;
const OWN_FOLDER: u32 = 0o700;

impl Init {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let dir = &self.dir;
        let configuration = dir.join("handoff.yaml");
        if configuration.exists() {
            bail!(Failure::new(
                ErrorCode::ALREADY_THERE,
                format!("{} is there already; nothing was changed\n  help: name a new folder", configuration.display())
            ));
        }
        for folder in ["keys", "plugins", "workflows/templates", "workflows/settings", "data"] {
            let path = dir.join(folder);
            fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        }
        // Whatever the umask lets others do.
        for folder in ["keys", "data"] {
            let path = dir.join(folder);
            fs::set_permissions(&path, fs::Permissions::from_mode(OWN_FOLDER))
                .with_context(|| format!("cannot keep others from {}", path.display()))?;
        }
        let mut dice = system_dice();
        write(&dir.join("keys/master.key"), MasterKey::generate(&mut *dice).to_hex().as_bytes(), PRIVATE)?;
        let mut seed = [0u8; 32];
        dice.fill_bytes(&mut seed);
        let signing = ed25519_dalek::SigningKey::from_bytes(&seed);
        signing_key::establish(&dir.join("keys/journal.pem"), &signing)?;
        for secret in ["ehr-password", "twilio-auth-token", "webhook-key"] {
            write(&dir.join("keys").join(secret), format!("{}\n", secrets::FACTORY).as_bytes(), PRIVATE)?;
        }
        for plugin in handoff_bundle::plugins() {
            write(&dir.join("plugins").join(format!("{}.wasm", plugin.name)), plugin.component, 0o644)?;
        }
        for file in bundled_workflow::FILES.iter().chain([&bundled_workflow::PRACTICE]) {
            write(&dir.join("workflows").join(file.path), file.text.as_bytes(), 0o644)?;
        }
        write(&configuration, config::TEMPLATE.as_bytes(), 0o644)?;
        say!("{} is ready:", dir.display());
        say!("  1. read {} and name your EHR, text vendor and mail server", configuration.display());
        say!("  2. put their real secrets into the files in {}", dir.join("keys").display());
        say!("  3. keep a copy of {} apart from the backups", dir.join("keys/master.key").display());
        say!("  4. handoff doctor --config {}", configuration.display());
        say!("  5. handoff serve --config {}", configuration.display());
        Ok(ExitCode::SUCCESS)
    }
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    durable_file::create(path, bytes, mode).with_context(|| format!("cannot write {}", path.display()))
}
