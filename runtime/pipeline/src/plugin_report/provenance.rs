//! Provenance a component is, and who has tried it with which kit.

use std::fmt;
use std::path::Path;

use handoff_workshop::conform::{Badge, KIT};
use handoff_workshop::signature::{self, Trusted, Untrusted};
use serde::{Deserialize, Serialize};

/// Provenance a component is, as far as its signature says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "whose", rename_all = "kebab-case")]
pub enum Provenance {
    /// It came with this binary.
    Handoffs { version: String },
    /// Signed by a key that is trusted here.
    SignedBy { key: String },
    /// Nobody's that is trusted here, and why.
    Nobodys { why: String },
    /// There is a signature, and no key was named to check it with.
    Unchecked,
}

impl Provenance {
    pub fn handoff() -> Provenance {
        Provenance::Handoffs { version: env!("CARGO_PKG_VERSION").to_owned() }
    }

    /// What the signature beside a component says.
    pub fn of(component: &[u8], path: &Path, trusted: &[Trusted]) -> Provenance {
        let signature = std::fs::read_to_string(signature::beside(path)).ok();
        if signature.is_some() && trusted.is_empty() {
            return Provenance::Unchecked;
        }
        Provenance::from(signature::check(component, signature.as_deref(), trusted))
    }
}

impl From<Result<&Trusted, Untrusted>> for Provenance {
    fn from(checked: Result<&Trusted, Untrusted>) -> Provenance {
        match checked {
            Ok(by) => Provenance::SignedBy { key: by.name.display().to_string() },
            Err(why) => Provenance::Nobodys { why: why.to_string() },
        }
    }
}

/// Who has tried it with its stage's kit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "tried", rename_all = "kebab-case")]
pub enum BadgeStanding {
    /// No badge lies beside it.
    Not,
    /// By the tests that this binary was released with.
    ByOurTests { kit: u32 },
    /// So says the file beside it, which anybody can write.
    ByItsAuthor { kit: u32, kept: usize, broken: usize },
}

impl BadgeStanding {
    pub fn by_our_tests() -> BadgeStanding {
        BadgeStanding::ByOurTests { kit: KIT }
    }

    /// By the badge under a component's digest in `badges/` beside it.
    pub fn of(digest: &str, path: &Path) -> BadgeStanding {
        let badge = path.with_file_name("badges").join(format!("{digest}.json"));
        let badge = std::fs::read_to_string(badge).ok().and_then(|text| serde_json::from_str::<Badge>(&text).ok());
        match badge.filter(|badge| badge.digest == digest) {
            Some(Badge { kit, findings, .. }) => {
                let broken = findings.iter().filter(|finding| finding.broken.is_some()).count();
                BadgeStanding::ByItsAuthor { kit, kept: findings.len() - broken, broken }
            }
            None => BadgeStanding::Not,
        }
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Provenance::Handoffs { version } => write!(f, "came with Handoff {version}"),
            Provenance::SignedBy { key } => write!(f, "signed by {key}"),
            Provenance::Nobodys { why } => write!(f, "nobody's that is trusted here: {why}"),
            Provenance::Unchecked => f.write_str("signed; name a key to say whether it is theirs"),
        }
    }
}

impl fmt::Display for BadgeStanding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadgeStanding::Not => f.write_str("none beside it"),
            BadgeStanding::ByOurTests { kit } => write!(f, "kit {kit}, by Handoff's own tests"),
            BadgeStanding::ByItsAuthor { kit, kept, broken } => {
                let older = if *kit < KIT { format!(", older than kit {KIT} of today") } else { String::new() };
                write!(f, "kit {kit}{older}: {kept} promise(s) kept, {broken} broken, by its author's word")
            }
        }
    }
}
