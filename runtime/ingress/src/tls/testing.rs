//! What a listener is configured with in this crate's tests.

use std::path::Path;

use handoff_authority::{Authority, ListenerFiles};

use super::{Clients, TlsConfig};

/// `tls:` of a listener that is `localhost`, and of clients named `names` by `authority`, when there are any.
pub(crate) fn config(folder: &Path, authority: &Authority, names: &[&str]) -> TlsConfig {
    let ListenerFiles { certificate, key, ca } = authority.write_listener(folder);
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    TlsConfig { certificate, key, clients: (!names.is_empty()).then_some(Clients { ca, names }) }
}
