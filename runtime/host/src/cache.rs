//! Compiled plugins on disk, so that a start costs milliseconds and not a compilation.

use std::fs;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::digest::ComponentDigest;
use crate::fault::HostError;

/// A directory of ours alone. A file is named for the component, the engine's version and its settings, and opens with
/// the SHA-256 of the rest.
pub(crate) struct Cache {
    path: PathBuf,
    /// Changes with Wasmtime's version, the settings that matter to compiled code, and the processor.
    engine: u64,
}

impl Cache {
    pub fn open(path: &Path, engine: &Engine) -> Result<Cache, HostError> {
        let unfit = |why, source| HostError::Cache { path: path.to_owned(), why, source };
        create_private(path).map_err(|error| unfit("it cannot be made", Some(error)))?;
        if !is_private(path).map_err(|error| unfit("it cannot be read", Some(error)))? {
            return Err(unfit("others may write to it; run `chmod 700` on it, or name another directory", None));
        }
        let engine = BuildHasherDefault::<DefaultHasher>::default().hash_one(Hashed(engine));
        Ok(Cache { path: path.to_owned(), engine })
    }

    /// The plugin compiled before, if its file is there and whole.
    fn read(&self, engine: &Engine, plugin: ComponentDigest) -> Option<Component> {
        let file = fs::read(self.file(plugin)).ok()?;
        let (checksum, compiled) = file.split_first_chunk::<32>()?;
        if ComponentDigest::of(compiled) != ComponentDigest(*checksum) {
            return None;
        }
        deserialize(engine, compiled).ok()
    }

    /// Whole or not there at all: written aside, then renamed. Its name need not outlast a power cut, and other processes may
    /// write the same file: so this is not the store's way, which the host does not know.
    fn write(&self, plugin: ComponentDigest, compiled: &[u8]) -> io::Result<()> {
        let path = self.file(plugin);
        let aside = path.with_extension(format!("{}.part", std::process::id()));
        let mut file = fs::File::create(&aside)?;
        file.write_all(&ComponentDigest::of(compiled).0)?;
        file.write_all(compiled)?;
        file.sync_all()?;
        fs::rename(&aside, path)
    }

    fn file(&self, plugin: ComponentDigest) -> PathBuf {
        self.path.join(format!("{plugin}-{:016x}.cwasm", self.engine))
    }
}

/// The component, compiled now or before. A cached file that is missing, torn or unwritable costs a compilation, never
/// the plugin.
pub(crate) fn component(
    engine: &Engine,
    cache: Option<&Cache>,
    plugin: ComponentDigest,
    bytes: &[u8],
) -> Result<Component, HostError> {
    if let Some(component) = cache.and_then(|cache| cache.read(engine, plugin)) {
        return Ok(component);
    }
    let compiled = engine.precompile_component(bytes).map_err(|source| HostError::NotAComponent { plugin, source })?;
    let component = deserialize(engine, &compiled).map_err(|source| HostError::DoesNotFit { plugin, source })?;
    if let Some(Err(error)) = cache.map(|cache| cache.write(plugin, &compiled)) {
        tracing::warn!(%plugin, %error, "a compiled plugin was not kept; the next start compiles it again");
    }
    Ok(component)
}

struct Hashed<'a>(&'a Engine);

impl std::hash::Hash for Hashed<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.precompile_compatibility_hash().hash(state);
    }
}

/// The host's one unsafe spot.
#[expect(unsafe_code, reason = "only so does Wasmtime take back what it compiled; why it holds stands within")]
fn deserialize(engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `compiled` is machine code and has to be what `Engine::precompile_component` made. Either it was made a
    // moment ago by this engine, or it comes from a file in a directory that only the host's own user may write to
    // (`Cache::open` refuses any other) and is whole (its checksum was compared). Who can write there as that user can
    // replace this program as well, so a keyed checksum would add nothing. Wasmtime itself compares version and settings.
    unsafe { Component::deserialize(engine, compiled) }
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Ours, and writable by nobody else. Whose it is shows in a file made there.
#[cfg(unix)]
fn is_private(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    const WRITABLE_BY_OTHERS: u32 = 0o022;
    let folder = fs::metadata(path)?;
    if folder.permissions().mode() & WRITABLE_BY_OTHERS != 0 {
        return Ok(false);
    }
    let probe = path.join(format!("owner.{}.part", std::process::id()));
    let owner = fs::File::create(&probe)?.metadata()?.uid();
    fs::remove_file(&probe)?;
    Ok(folder.uid() == owner)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// A profile's directories are private by default where permissions are inherited.
#[cfg(not(unix))]
fn is_private(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.is_dir())
}
