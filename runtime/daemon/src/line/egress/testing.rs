//! A plain HTTP client for this crate's tests.

pub(crate) fn client() -> reqwest::Client {
    let _installed_before = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}
