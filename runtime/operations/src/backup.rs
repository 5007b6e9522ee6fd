//! Backup of an instance that runs, and restoring one. A backup is the journal, the key ring, the accounts, the components and
//! the configuration; the master key is not in it, so that whoever finds a backup finds nobody's name.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, Utc};
use ed25519_dalek::VerifyingKey;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_engine::ids::Digest;
use handoff_identity::accounts;
use handoff_instance::open::COMPONENTS;
use handoff_pipeline::deployments::WorkflowSource;
use handoff_store::index::Deployed;
use handoff_store::{Position, Record, durable_file, store};
use handoff_vault::KEYRING_FILE;
use serde::{Deserialize, Serialize};

use crate::operations::{Operations, Operator, Request};

/// Written last: a backup without it was not finished.
const LABEL: &str = "backup.json";

const FORMAT: &str = "handoff/backup@1";

/// The configuration as it was, to be looked at and put back by hand: a restored instance may stand elsewhere.
const CONFIGURATION: &str = "configuration";

/// A backup is its owner's alone.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Copy Handoff to a new or empty folder.
#[derive(Serialize, Deserialize)]
pub struct BackUp {
    pub to: PathBuf,
}

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    pub format: String,
    pub at: DateTime<Utc>,
    /// The last entry in it.
    pub through: Position,
    pub components: u64,
}

/// What was restored.
#[derive(Debug, Serialize)]
pub struct Restored {
    pub at: DateTime<Utc>,
    pub through: Position,
    pub segments: u64,
    pub bytes: u64,
    pub components: u64,
}

impl Request for BackUp {
    const PATH: &'static str = "/backup";
    const WHY: Option<&'static str> = Some("backup");
    type Answer = Label;

    fn perform(self, operations: &Operations, operator: Operator) -> anyhow::Result<Label> {
        let BackUp { to } = self;
        let _alone = operations.alone();
        make_empty(&to)?;
        let pipeline = &operations.pipeline;
        let Operator { who, why, role: _ } = operator;
        operations.record(Record::BackedUp { through: pipeline.store.last(), who, why })?;
        let through = pipeline.store.backup(&to)?;
        // After the journal: every slot that it names is then in the ring.
        pipeline.vault.copy_keyring(&to)?;
        let kept = operations.paths.data.join(COMPONENTS);
        let components = copy_components(&kept, &to.join(COMPONENTS))?;
        copy_people(&operations.paths.data, &to)?;
        copy_configuration(operations, &to.join(CONFIGURATION))?;
        let label = Label { format: FORMAT.into(), at: pipeline.clock.now(), through, components };
        let path = to.join(LABEL);
        durable_file::create(&path, &serde_json::to_vec_pretty(&label)?, FILE_MODE)
            .with_context(|| cannot_write(&path))?;
        Ok(label)
    }
}

/// Proves a backup and makes a data folder of it. `key` is any public key that ever signed its journal.
///
/// # Errors
/// When the backup was not finished or is not sound, or there is something in `data` already.
pub fn restore(from: &Path, data: &Path, key: &VerifyingKey) -> anyhow::Result<Restored> {
    let label = from.join(LABEL);
    let label = fs::read(&label)
        .with_context(|| unfit(format!("{} is not a finished backup: it has no {LABEL}", from.display())))?;
    let label: Label = serde_json::from_slice(&label).with_context(|| unfit(format!("{LABEL} cannot be read")))?;
    ensure!(
        label.format == FORMAT,
        unfit(format!("the backup has format {:?}; this version restores {FORMAT:?}", label.format))
    );
    make_empty(data)?;
    let sound = store::restore(from, data, key)?;
    ensure!(
        sound.last == label.through,
        Failure::new(
            ErrorCode::END_MISSING,
            format!("the backup was made through entry {}, but its journal ends at {}", label.through, sound.last)
        )
    );
    let keyring = data.join(KEYRING_FILE);
    let ring = fs::read(from.join(KEYRING_FILE)).with_context(|| unfit("the backup has no key ring".into()))?;
    durable_file::create(&keyring, &ring, FILE_MODE).with_context(|| cannot_write(&keyring))?;
    copy_people(from, data)?;
    let components = copy_components(&from.join(COMPONENTS), &data.join(COMPONENTS))?;
    ensure!(
        components == label.components,
        unfit(format!("the backup was made with {} components, and {components} are left", label.components))
    );
    Ok(Restored { at: label.at, through: sound.last, segments: sound.segments, bytes: sound.bytes, components })
}

fn make_empty(folder: &Path) -> anyhow::Result<()> {
    let made = || -> io::Result<bool> {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
        Ok(fs::read_dir(folder)?.next().is_none())
    };
    if !made().with_context(|| cannot_write(folder))? {
        bail!(Failure::new(
            ErrorCode::FOLDER_NOT_EMPTY,
            format!("{} is not empty\n  help: name a new or an empty folder", folder.display())
        ));
    }
    Ok(())
}

fn unfit(text: String) -> Failure {
    Failure::new(ErrorCode::BACKUP_UNFIT, text)
}

/// The accounts as they lie, sealed; an instance that nobody signs in to has none.
fn copy_people(from: &Path, to: &Path) -> anyhow::Result<()> {
    let (from, to) = (from.join(accounts::FILE), to.join(accounts::FILE));
    match fs::read(&from) {
        Ok(sealed) => durable_file::create(&to, &sealed, FILE_MODE).with_context(|| cannot_write(&to)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", from.display())),
    }
}

/// Each under its digest, and only if it is what its name says.
fn copy_components(from: &Path, to: &Path) -> anyhow::Result<u64> {
    fs::create_dir(to).with_context(|| cannot_write(to))?;
    let mut copied = 0;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let path = entry?.path();
        let Some(digest) = digest_in(&path) else { continue };
        let component = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let found = Digest::of(&component);
        ensure!(
            found == digest,
            Failure::new(
                ErrorCode::COMPONENT_DAMAGED,
                format!("{} is damaged: its digest is {found}, not its name", path.display())
            )
        );
        let name = to.join(path.file_name().unwrap_or_default());
        durable_file::create(&name, &component, FILE_MODE).with_context(|| cannot_write(&name))?;
        copied += 1;
    }
    Ok(copied)
}

/// Drafts and strangers' files have no digest for a name.
fn digest_in(path: &Path) -> Option<Digest> {
    path.file_name()?.to_str()?.strip_suffix(".wasm")?.parse().ok()
}

/// `handoff.yaml` as it lies on disk, and the workflow that is in force, which is in the journal.
fn copy_configuration(operations: &Operations, to: &Path) -> anyhow::Result<()> {
    let mut files = vec![("handoff.yaml".to_string(), fs::read(&operations.paths.configuration)?)];
    let known = operations.pipeline.store.index().deployments()?;
    if let Some(deployed) = Deployed::in_force(&known) {
        let source: WorkflowSource = serde_json::from_str(&deployed.workflow)?;
        let name = Path::new(&source.file).file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.push((format!("workflows/{name}"), source.text.into_bytes()));
        let beside = source.files.into_iter().map(|(name, text)| (format!("workflows/{name}"), text.into_bytes()));
        files.extend(beside);
    }
    for (name, bytes) in files {
        let path = to.join(name);
        let folder = path.parent().unwrap_or(to);
        fs::create_dir_all(folder).with_context(|| cannot_write(folder))?;
        durable_file::create(&path, &bytes, FILE_MODE).with_context(|| cannot_write(&path))?;
    }
    Ok(())
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
