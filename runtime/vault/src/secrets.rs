//! Secrets by name: read once at start, wiped when dropped, never shown.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use zeroize::Zeroizing;

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum SecretSource {
    /// A file that only its owner may read. A line end behind the secret is not part of it.
    File(PathBuf),
    /// An environment variable's name.
    Env(String),
    /// A program and its arguments; it prints the secret. For a key service, a smart card, a TPM.
    Command(Vec<String>),
}

/// What stands in a new secret's file. Everybody knows it: it is refused.
pub const FACTORY: &str = "replace-me";

/// A secret in clear.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("cannot read {}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("{} can be read by others (mode {mode:o})\nhelp: chmod 600 {}", path.display(), path.display())]
    Exposed { path: PathBuf, mode: u32 },
    #[error("the environment variable {name} is not set")]
    Unset { name: String },
    #[error("cannot run {program}")]
    NotRun { program: String, source: std::io::Error },
    #[error("{program} printed no secret: {status}")]
    Failed { program: String, status: std::process::ExitStatus },
    #[error("{origin} holds something that is not text")]
    NotText { origin: String },
    #[error("{origin} is empty")]
    Empty { origin: String },
    #[error("{origin} still holds what `handoff init` wrote there: {FACTORY}\nhelp: put the real secret in its place")]
    Factory { origin: String },
    #[error("`command:` names no program\nhelp: command: [/usr/local/bin/print-secret]")]
    NoProgram,
}

/// Which secret could not be had.
#[derive(Debug, thiserror::Error)]
#[error("the secret {name} cannot be read")]
pub struct MissingSecret {
    pub name: String,
    pub source: SecretError,
}

impl SecretSource {
    /// The same source with a relative path taken from `folder`.
    pub fn within(self, folder: &Path) -> SecretSource {
        match self {
            SecretSource::File(path) => SecretSource::File(folder.join(path)),
            SecretSource::Env(name) => SecretSource::Env(name),
            SecretSource::Command(words) => SecretSource::Command(words),
        }
    }

    /// # Errors
    /// When there is nothing to read, others can read it too, or it is empty or no text.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let (bytes, origin) = match self {
            SecretSource::File(path) => (read_file(path)?, path.display().to_string()),
            SecretSource::Env(name) => {
                let text = std::env::var(name).map_err(|_| SecretError::Unset { name: name.clone() })?;
                (Zeroizing::new(text.into_bytes()), name.clone())
            }
            SecretSource::Command(words) => {
                let (program, arguments) = words.split_first().ok_or(SecretError::NoProgram)?;
                (run(program, arguments)?, program.clone())
            }
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| SecretError::NotText { origin: origin.clone() })?;
        match text.trim_end_matches(['\r', '\n']) {
            text if text.trim().is_empty() => Err(SecretError::Empty { origin }),
            FACTORY => Err(SecretError::Factory { origin }),
            secret => Ok(Secret::new(secret.to_string())),
        }
    }
}

impl Secret {
    pub fn new(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Every secret that the configuration names.
#[derive(Clone, Debug, Default)]
pub struct Secrets(BTreeMap<String, Secret>);

impl Secrets {
    /// # Errors
    /// When one of them cannot be had; its name is in the error.
    pub fn read(sources: &BTreeMap<String, SecretSource>) -> Result<Secrets, MissingSecret> {
        let read = |(name, source): (&String, &SecretSource)| match source.read() {
            Ok(secret) => Ok((name.clone(), secret)),
            Err(source) => Err(MissingSecret { name: name.clone(), source }),
        };
        sources.iter().map(read).collect::<Result<_, _>>().map(Secrets)
    }

    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }
}

impl FromIterator<(String, Secret)> for Secrets {
    fn from_iter<T: IntoIterator<Item = (String, Secret)>>(secrets: T) -> Secrets {
        Secrets(secrets.into_iter().collect())
    }
}

fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let failed = |source| SecretError::File { path: path.to_path_buf(), source };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretError::Exposed { path: path.to_path_buf(), mode });
    }
    fs::read(path).map(Zeroizing::new).map_err(failed)
}

fn run(program: &str, arguments: &[String]) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| SecretError::NotRun { program: program.to_string(), source })?;
    let printed = Zeroizing::new(output.stdout);
    match output.status.success() {
        true => Ok(printed),
        false => Err(SecretError::Failed { program: program.to_string(), status: output.status }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("token");
        fs::write(&path, "s3cret\n").expect("written");
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o666, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("changed");
            match SecretSource::File("token".into()).within(dir.path()).read() {
                Ok(secret) => assert!(good && secret.as_str() == "s3cret", "{mode:o}"),
                Err(SecretError::Exposed { mode: found, .. }) => assert!(!good && found == mode),
                Err(other) => panic!("{other}"),
            }
        }
    }

    #[test]
    fn a_program_may_print_it() {
        let source = |words: &[&str]| SecretSource::Command(words.iter().map(|word| word.to_string()).collect());
        assert_eq!(source(&["echo", "s3cret"]).read().expect("read").as_str(), "s3cret");
        assert!(matches!(source(&["false"]).read(), Err(SecretError::Failed { .. })));
        assert!(matches!(source(&["true"]).read(), Err(SecretError::Empty { .. })));
        assert!(matches!(source(&["/nowhere/at-all"]).read(), Err(SecretError::NotRun { .. })));
        assert!(matches!(source(&[]).read(), Err(SecretError::NoProgram)));
        assert!(matches!(SecretSource::Env("HANDOFF_NO_SUCH".into()).read(), Err(SecretError::Unset { .. })));
    }

    #[test]
    fn no_secret_is_shown() {
        let secrets = Secrets::from_iter([("sms".to_string(), Secret::new("hunter2".into()))]);
        assert_eq!(format!("{secrets:?}"), r#"Secrets({"sms": Secret(…)})"#);
    }
}
