//! Compiled plugins are kept, and a file that is not what it was is compiled again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use handoff_host::{Host, HostError};

use crate::{fixtures, samples};

fn only_file(folder: &Path) -> PathBuf {
    let files: Vec<_> = fs::read_dir(folder).expect("the cache").map(|entry| entry.expect("a file").path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

fn answers(cache: &Path) {
    let host = Host::new(fixtures::limits(), Some(cache)).expect("a host");
    let plugin = host.load(&fixtures::hostile()).expect("a plugin");
    host.call(&plugin, &samples::choose("behave")).expect("an answer");
}

#[test]
fn a_kept_plugin_is_read_and_a_spoilt_one_compiled_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("deep/cache");
    answers(&cache);
    let file = only_file(&cache);
    let compiled = fs::read(&file).expect("the compiled plugin");
    let written = fs::metadata(&file).and_then(|metadata| metadata.modified()).expect("a time");
    answers(&cache);
    assert_eq!(
        fs::metadata(&file).and_then(|metadata| metadata.modified()).expect("a time"),
        written,
        "read, not made"
    );
    let mut flipped = compiled.clone();
    flipped[compiled.len() / 2] ^= 1;
    // What was spoilt is found out by its checksum, before anything of it is run.
    for spoilt in [&flipped[..], &compiled[..compiled.len() / 2], b""] {
        fs::write(&file, spoilt).expect("spoilt");
        answers(&cache);
        assert_eq!(fs::read(only_file(&cache)).expect("the compiled plugin").len(), compiled.len());
    }
}

#[test]
fn a_folder_that_others_may_write_to_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o770)).expect("permissions");
    let error = Host::new(fixtures::limits(), Some(folder.path())).err().expect("refused");
    assert!(matches!(error, HostError::Cache { .. }), "{error}");
    assert!(error.to_string().contains("chmod 700"), "{error}");
}
