//! Plugins in an OCI registry: fetched into the plugins folder, or put there, by whoever types the command. A running instance
//! never asks a registry: it takes what lies in its folder.
//!
//! A component is laid out as the CNCF's Wasm OCI artifact
//! (<https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/>): a config of `application/vnd.wasm.config.v0+json`
//! and one layer of `application/wasm`, which is all that other tools allow it to have. So its signature is a referrer of
//! it (OCI image specification 1.1, "subject"): an artifact of the type [`SIGNATURE`] whose one layer is the minisign file.

mod client;
mod reference;
pub mod shelf;

use oci_client::errors::OciDistributionError;

pub use client::{Pulled, Registry, RegistryAccess};
pub use reference::Reference;

/// The type of the artifact that signs a component, and of its layer.
pub const SIGNATURE: &str = "application/vnd.handoff.minisig.v1";

/// Of the Wasm OCI artifact layout.
pub const CONFIG: &str = "application/vnd.wasm.config.v0+json";
pub const COMPONENT: &str = "application/wasm";

/// A component with a whole language engine in it has some forty megabytes.
pub const COMPONENT_BYTES_MAX: usize = 128 << 20;

/// A minisign file has four lines of a hundred characters; the comments are free.
const SIGNATURE_BYTES_MAX: usize = 16 << 10;

/// More keys than this sign no plugin; a registry that lists more is not believed.
const SIGNATURES_MAX: usize = 16;

#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error(
        "`{0}` is not a complete reference\n  \
         help: name registry, repository and tag or digest: oci://registry.example/team/outreach-acme:1.2"
    )]
    Reference(String),
    #[error(
        "{0} may not be asked without encryption\n  help: leave --plain-http out; it is for registries on this machine (127.0.0.1, \
         localhost) alone"
    )]
    PlainHttp(String),
    #[error("the registry did not give {reference}\n  help: check its name, and whether the registry wants --user", reference = .0)]
    Asked(Reference, #[source] Box<OciDistributionError>),
    #[error(
        "the registry did not take {0}\n  help: registries want --user and HANDOFF_REGISTRY_PASSWORD of whoever pushes"
    )]
    Put(Reference, #[source] Box<OciDistributionError>),
    #[error(
        "{reference} is not a WebAssembly component: {why}\n  help: it has to be pushed as a Wasm OCI artifact, as by `handoff plugin push`"
    )]
    NoComponent { reference: Reference, why: String },
    #[error("{reference}: {what} is larger than {max} bytes; nothing was kept")]
    TooLarge { reference: Reference, what: &'static str, max: usize },
    #[error(
        "{reference}: what came is not what was named: {expected} was expected, and {found} came\n  \
         help: do not use this registry until somebody knows why"
    )]
    OtherBytes { reference: Reference, expected: String, found: String },
    #[error("cannot read or write {}", path.display())]
    File { path: std::path::PathBuf, source: std::io::Error },
    #[error(
        "{} is not what was pulled: its bytes are others than its manifest says\n  help: pull it again", .0.display()
    )]
    Damaged(std::path::PathBuf),
}
