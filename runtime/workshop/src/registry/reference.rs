//! `oci://registry.example/team/outreach-acme:1.2`, or `…@sha256:…`: a plugin by where it comes from.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::RegistryError;

const SCHEME: &str = "oci://";

/// A whole reference: nothing of it is left to a default. Boxed, for errors carry it along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference(Box<oci_client::Reference>);

impl Reference {
    /// Whether a plugin's name in a workflow is meant as a reference.
    pub fn is_meant(name: &str) -> bool {
        name.starts_with(SCHEME)
    }

    /// As [`oci_client`] has it.
    pub(super) fn inner(&self) -> &oci_client::Reference {
        &self.0
    }

    pub fn registry(&self) -> &str {
        self.0.registry()
    }

    pub fn tag(&self) -> Option<&str> {
        self.0.tag()
    }

    /// Of the manifest, `sha256:…`.
    pub fn digest(&self) -> Option<&str> {
        self.0.digest()
    }

    /// The same repository by a manifest's digest.
    pub fn at(&self, digest: &str) -> Reference {
        let (registry, repository) = (self.0.registry().to_owned(), self.0.repository().to_owned());
        Reference(Box::new(oci_client::Reference::with_digest(registry, repository, digest.to_owned())))
    }

    /// The same repository by a tag.
    pub(super) fn tagged(&self, tag: &str) -> Reference {
        let (registry, repository) = (self.0.registry().to_owned(), self.0.repository().to_owned());
        Reference(Box::new(oci_client::Reference::with_tag(registry, repository, tag.to_owned())))
    }

    /// Where its repository lies below a plugins folder. Neither a registry nor a repository can be `..`: the grammar has
    /// a letter or a digit at either end of each part.
    pub fn folder(&self) -> PathBuf {
        PathBuf::from("oci").join(self.0.registry()).join(self.0.repository())
    }

    /// Whether it names a registry on this machine.
    pub fn is_local(&self) -> bool {
        let host = self.registry();
        let host = host.rsplit_once(':').map_or(host, |(host, _port)| host);
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for Reference {
    type Err = RegistryError;

    fn from_str(text: &str) -> Result<Reference, RegistryError> {
        let wrong = || RegistryError::Reference(text.to_owned());
        let name = text.strip_prefix(SCHEME).ok_or_else(wrong)?;
        let parsed = oci_client::Reference::try_from(name).map_err(|_| wrong())?;
        // What was left out would have been filled in: another registry's, or a tag that nobody chose.
        let is_one = parsed.tag().is_some() != parsed.digest().is_some();
        let is_sha256 = parsed.digest().is_none_or(|digest| digest.starts_with("sha256:"));
        match parsed.whole() == name && is_one && is_sha256 {
            true => Ok(Reference(Box::new(parsed))),
            false => Err(wrong()),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.0.whole())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_whole_or_none() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for whole in [
            "oci://registry.example/team/acme:1.2",
            "oci://127.0.0.1:5000/acme:1",
            &format!("oci://r.example/a@{digest}"),
        ] {
            assert_eq!(whole.parse::<Reference>().expect("a reference").to_string(), whole);
        }
        for part in [
            "acme",
            "registry.example/team/acme:1.2",
            "oci://acme:1.2",
            "oci://registry.example/team/acme",
            "oci://registry.example/../acme:1",
            "oci://registry.example/team/../../acme:1",
            "oci://registry.example/team/acme:../1",
            "oci://registry.example//acme:1",
            "oci://registry.example/Team/acme:1",
            "oci://registry.example/acme@sha256:abc",
            &format!("oci://registry.example/acme:1@{digest}"),
            "oci://",
        ] {
            assert!(part.parse::<Reference>().is_err(), "{part}");
        }
    }

    #[test]
    fn only_this_machine_is_asked_in_clear() {
        let is_local = |text: &str| text.parse::<Reference>().expect("a reference").is_local();
        assert!(is_local("oci://127.0.0.1:5000/acme:1") && is_local("oci://localhost:5000/acme:1"));
        assert!(!is_local("oci://registry.example/acme:1") && !is_local("oci://10.0.0.1:5000/acme:1"));
        assert!(!is_local("oci://127.0.0.1.example/acme:1"));
    }
}
