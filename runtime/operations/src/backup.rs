//! Backup of an instance that runs, and restoring one. A backup is the journal, the key ring, the accounts, the components, the
//! configuration and, sealed, the signing key. The master key is not in it, so that whoever finds a backup finds nobody's name:
//! a backup and the master key are all that a restore needs.

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
use handoff_instance::signing_key;
use handoff_pipeline::deployments::WorkflowSource;
use handoff_store::index::Deployed;
use handoff_store::{Position, Record, durable_file, store};
use handoff_vault::{KEYRING_FILE, MasterKey, Vault, system_dice};
use serde::{Deserialize, Serialize};

use crate::operations::{Operations, Operator, Request};

/// Written last: a backup without it was not finished.
const LABEL: &str = "backup.json";

const FORMAT: &str = "handoff/backup@1";

/// The configuration as it was, to be looked at and put back by hand: a restored instance may stand elsewhere.
const CONFIGURATION: &str = "configuration";

/// The key that signs the journal, sealed under the master key.
const SIGNING_KEY: &str = "signing.sealed";

/// A backup is its owner's alone.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Copy Handoff to a new or empty folder.
#[derive(Serialize, Deserialize)]
pub struct BackUp {
    pub to: PathBuf,
    /// An earlier backup: what it has already is not written once more.
    #[serde(default)]
    pub since: Option<PathBuf>,
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
        let BackUp { to, since } = self;
        let _alone = operations.alone();
        let pipeline = &operations.pipeline;
        // Nobody may find out on the day of a restore: what is damaged is not copied as if it were whole.
        if let Some(damage) = pipeline.store.reader().damaged().first() {
            bail!(Failure::new(
                ErrorCode::JOURNAL_DAMAGED,
                format!(
                    "the journal is damaged, and no backup was made of it: {damage}\n  help: restore this segment from the last good backup, and keep that one"
                )
            ));
        }
        if let Some(since) = since.as_ref().filter(|since| !since.join(LABEL).exists()) {
            bail!(unfit(format!("{} is not a finished backup: it has no {LABEL}", since.display())));
        }
        make_empty(&to)?;
        let Operator { who, why, role: _ } = operator;
        operations.record(Record::BackedUp { through: pipeline.store.last(), who, why })?;
        let through = pipeline.store.backup(&to, since.as_deref())?;
        // After the journal: every slot that it names is then in the ring.
        pipeline.vault.copy_keyring(&to)?;
        let kept = operations.paths.data.join(COMPONENTS);
        let components =
            copy_components(&kept, &to.join(COMPONENTS), since.map(|since| since.join(COMPONENTS)).as_deref())?;
        copy_people(&operations.paths.data, &to)?;
        copy_signing_key(operations, &to)?;
        copy_configuration(operations, &to.join(CONFIGURATION))?;
        // Read back, every byte: a disk that took it need not have it.
        let key = signing_key::signing(&operations.paths.signing, &operations.paths.data)?.verifying_key();
        let sound = handoff_store::journal::verify(&to.join("journal"), &key)
            .with_context(|| unfit(format!("what was copied to {} is not whole", to.display())))?;
        ensure!(sound.last == through, unfit(format!("the copy ends at entry {}, not {through}", sound.last)));
        let label = Label { format: FORMAT.into(), at: pipeline.clock.now(), through, components };
        let path = to.join(LABEL);
        durable_file::create(&path, &serde_json::to_vec_pretty(&label)?, FILE_MODE)
            .with_context(|| cannot_write(&path))?;
        Ok(label)
    }
}

/// What a restored instance finds when it is opened: it holds everything back until an operator has looked.
pub use handoff_instance::open::RESTORED;

/// Where the signing key comes from, and goes.
pub struct SigningKeyOut<'p> {
    pub master: MasterKey,
    /// Written where there is none; one that is there has to be that of the backup's day, or later.
    pub path: &'p Path,
}

/// Proves a backup and makes a data folder of it. `key` is any public key that ever signed its journal.
///
/// # Errors
/// When the backup was not finished or is not sound, or there is something in `data` already.
pub fn restore(
    from: &Path,
    data: &Path,
    key: &VerifyingKey,
    signing: Option<SigningKeyOut<'_>>,
) -> anyhow::Result<Restored> {
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
    let components = copy_components(&from.join(COMPONENTS), &data.join(COMPONENTS), None)?;
    ensure!(
        components == label.components,
        unfit(format!("the backup was made with {} components, and {components} are left", label.components))
    );
    if let Some(signing) = signing {
        restore_signing_key(from, data, signing)?;
    }
    let marker = data.join(RESTORED);
    durable_file::create(&marker, &serde_json::to_vec(&label)?, FILE_MODE).with_context(|| cannot_write(&marker))?;
    Ok(Restored { at: label.at, through: sound.last, segments: sound.segments, bytes: sound.bytes, components })
}

pub(crate) fn make_empty(folder: &Path) -> anyhow::Result<()> {
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

fn copy_signing_key(operations: &Operations, to: &Path) -> anyhow::Result<()> {
    let paths = &operations.paths;
    let key = signing_key::private_pem(&signing_key::signing(&paths.signing, &paths.data)?)?;
    let sealed = operations.pipeline.vault.backup_seal().close(key.as_bytes(), &mut *system_dice());
    let sealed = sealed.context("the signing key is too long to be sealed")?;
    let path = to.join(SIGNING_KEY);
    durable_file::create(&path, &sealed, FILE_MODE).with_context(|| cannot_write(&path))
}

/// Opens the key ring with the master key, and with it the signing key of the backup's day.
fn restore_signing_key(from: &Path, data: &Path, out: SigningKeyOut<'_>) -> anyhow::Result<()> {
    let SigningKeyOut { master, path } = out;
    let vault = Vault::open(data, master, system_dice(), 0)?;
    let sealed = match fs::read(from.join(SIGNING_KEY)) {
        Ok(sealed) => sealed,
        // A backup of an earlier version has none.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| unfit("the signing key in the backup cannot be read".into())),
    };
    if path.exists() {
        return Ok(());
    }
    let pem = vault.backup_seal().open(&sealed);
    let pem = pem.with_context(|| unfit("the signing key in the backup is damaged, or of another instance".into()))?;
    let pem = std::str::from_utf8(&pem).map_err(|_| unfit("the signing key in the backup is no text".into()))?;
    signing_key::establish(path, &signing_key::parse(pem, path)?)
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

/// Each under its digest, and only if it is what its name says. One that lies in `since` as it should lies there only.
fn copy_components(from: &Path, to: &Path, since: Option<&Path>) -> anyhow::Result<u64> {
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
        let name = path.file_name().unwrap_or_default();
        let earlier = since.map(|since| since.join(name));
        let name = to.join(name);
        copied += 1;
        if let Some(earlier) = earlier
            && fs::read(&earlier).is_ok_and(|bytes| bytes == component)
            && fs::hard_link(&earlier, &name).is_ok()
        {
            continue;
        }
        durable_file::create(&name, &component, FILE_MODE).with_context(|| cannot_write(&name))?;
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
