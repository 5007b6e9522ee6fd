//! `handoff-verify PACK [--key journal.pub]`: proves an evidence pack, without network and without Handoff.

#![forbid(unsafe_code)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use handoff_verifier::verify;

const USAGE: &str = "usage: handoff-verify PACK [--key journal.pub]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let told = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [pack] => check(pack.into(), None),
        [pack, "--key", key] | ["--key", key, pack] => check(pack.into(), Some(key.into())),
        _ => Err(USAGE.to_string()),
    };
    let (text, code) = match told {
        Ok(text) => (text, ExitCode::SUCCESS),
        Err(text) => (text, ExitCode::FAILURE),
    };
    // Whoever does not read on has the exit code.
    let _unread = writeln!(std::io::stdout(), "{text}");
    code
}

fn check(pack: PathBuf, key: Option<PathBuf>) -> Result<String, String> {
    let bytes = std::fs::read(&pack).map_err(|error| format!("cannot read {}: {error}", pack.display()))?;
    let trusted = key.as_deref().map(public_key).transpose()?;
    let sound = verify(&bytes, trusted.as_ref()).map_err(|fault| format!("not sound: {fault}"))?;
    let trust = match trusted {
        Some(_) => "signed by the key given",
        None => "signed by the key that it names itself: compare it with the one that the practice published",
    };
    Ok(format!(
        "sound: referral {}\n  {} entries in {} signed batches, {} to {}\n  steps {} to {} without a gap\n  key {}: {trust}",
        sound.about.referral,
        sound.entries,
        sound.batches,
        sound.from,
        sound.to,
        sound.first_step,
        sound.last_step,
        sound.about.key,
    ))
}

fn public_key(path: &Path) -> Result<[u8; 32], String> {
    let unusable = |why: String| format!("cannot use {}: {why}", path.display());
    let pem = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    let key = VerifyingKey::from_public_key_pem(&pem).map_err(|_| unusable("no Ed25519 public key in PEM".into()))?;
    Ok(key.to_bytes())
}
