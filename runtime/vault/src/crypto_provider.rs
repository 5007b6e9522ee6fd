//! The one cryptography that TLS is spoken with, whoever listens or dials.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

/// For whoever builds its side of TLS itself.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// For HTTP clients, which take the process's own: to be called before one is built, as often as one is.
pub fn install() {
    // Refused where there is one already. Nobody else installs any, so it is this one.
    let _there_before = aws_lc_rs::default_provider().install_default();
}
