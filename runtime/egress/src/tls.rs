//! Whom an endpoint's server has to be, who Handoff is to it, and the proxy on the way there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use handoff_vault::crypto_provider;
use handoff_vault::secrets::Secrets;
use lettre::transport::smtp::client::TlsParameters;
use lettre::transport::smtp::client::{Certificate as MailCertificate, CertificateStore, Identity as MailIdentity};
use reqwest::{Certificate, Client, Identity};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use crate::address_guard::AddressReach;
use crate::endpoint::{Endpoint, EndpointKind};
use crate::http;

/// Shown to a server that asks for one: mutual TLS (RFC 8446, 4.4.2).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// The certificate, and those between it and its root: a file in PEM.
    pub certificate: PathBuf,
    /// The name of the secret that is its private key, PKCS#8 in PEM.
    pub key: String,
}

/// A proxy that an encrypted connection is tunnelled through (RFC 9110, 9.3.6). It resolves the endpoint's name itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// `http://proxy.internal:3128`.
    pub url: String,
    #[serde(default)]
    pub user: String,
    /// A secret's name; no credentials are shown when absent.
    #[serde(default)]
    pub password: Option<String>,
}

/// What of this an endpoint has, read from its files.
pub(super) struct Trust {
    authorities: Option<Vec<u8>>,
    identity: Option<(Vec<u8>, Zeroizing<Vec<u8>>)>,
    proxy: Option<reqwest::Proxy>,
}

/// Why an endpoint cannot be reached as its entry says.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("endpoints.{name}: cannot read {}", path.display())]
    Unreadable { name: String, path: PathBuf, source: std::io::Error },
    #[error("endpoints.{name}: {} holds no certificate", path.display())]
    NoCertificate { name: String, path: PathBuf },
    #[error(
        "endpoints.{name}: its `ca`, `client_certificate` or `proxy` cannot be used\nhelp: files in PEM; a key in PKCS#8"
    )]
    Http { name: String, source: reqwest::Error },
    #[error("endpoints.{name}: its `ca` or `client_certificate` cannot be used\nhelp: files in PEM; a key in PKCS#8")]
    Mail { name: String, source: lettre::transport::smtp::Error },
    #[error("endpoints.{name}: its `ca` or `client_certificate` cannot be used\nhelp: files in PEM; a key in PKCS#8")]
    Mllp { name: String, source: rustls::Error },
}

/// What reaches one endpoint.
pub(super) enum Way {
    Http(Client),
    Mail(Box<TlsParameters>),
    Mllp(Box<Handshake>),
}

/// How a conversation over MLLP begins where it is encrypted.
pub(super) struct Handshake {
    pub connector: TlsConnector,
    /// Whom the server has to be.
    pub server: ServerName<'static>,
}

impl ClientCertificate {
    /// The same with a relative path taken from `folder`.
    pub fn within(self, folder: &Path) -> ClientCertificate {
        ClientCertificate { certificate: folder.join(&self.certificate), key: self.key }
    }
}

/// The endpoint's own way out; nothing when it needs none of its own.
///
/// # Errors
/// When a file cannot be read or used.
pub(super) fn way(endpoint: &Endpoint, secrets: &Secrets) -> Result<Option<Way>, TrustError> {
    let config = &endpoint.config;
    if config.ca.is_none() && config.client_certificate.is_none() && config.proxy.is_none() {
        return Ok(None);
    }
    let name = || endpoint.name.clone();
    let read = |path: &PathBuf| {
        let unreadable = |source| TrustError::Unreadable { name: name(), path: path.clone(), source };
        std::fs::read(path).map_err(unreadable)
    };
    // Invariant: `Egress::new` has seen that every secret named is there.
    let secret = |name: &str| secrets.get(name).map(|secret| Zeroizing::new(secret.as_str().as_bytes().to_vec()));
    let identity = match &config.client_certificate {
        None => None,
        Some(ours) => secret(&ours.key).map(|key| Ok((read(&ours.certificate)?, key))).transpose()?,
    };
    let unusable = |source| TrustError::Http { name: name(), source };
    let proxy = match &config.proxy {
        None => None,
        Some(proxy) => {
            let password = proxy.password.as_deref().and_then(|name| secrets.get(name));
            let made = reqwest::Proxy::https(&proxy.url).map_err(unusable)?;
            Some(match password {
                None => made,
                Some(password) => made.basic_auth(&proxy.user, password.as_str()),
            })
        }
    };
    let authorities = config.ca.as_ref().map(read).transpose()?;
    if let (Some(pem), Some(path)) = (&authorities, &config.ca)
        && CertificateDer::pem_slice_iter(pem).next().is_none()
    {
        return Err(TrustError::NoCertificate { name: name(), path: path.clone() });
    }
    let trust = Trust { authorities, identity, proxy };
    match endpoint.kind {
        EndpointKind::Http => Ok(Some(Way::Http(trust.client(endpoint.reach).map_err(unusable)?))),
        EndpointKind::Mail | EndpointKind::MailTls => {
            let parameters = trust.parameters(endpoint.host());
            let parameters = parameters.map_err(|source| TrustError::Mail { name: name(), source })?;
            Ok(Some(Way::Mail(Box::new(parameters))))
        }
        EndpointKind::Mllp => {
            let handshake = trust.handshake(endpoint.host());
            let handshake = handshake.map_err(|source| TrustError::Mllp { name: name(), source })?;
            Ok(Some(Way::Mllp(Box::new(handshake))))
        }
    }
}

impl Trust {
    fn client(self, reach: AddressReach) -> Result<Client, reqwest::Error> {
        // With a proxy the name that is resolved here is the proxy's, which stands in Handoff.
        let reach = if self.proxy.is_some() { AddressReach::PrivateToo } else { reach };
        let mut builder = http::builder(reach);
        if let Some(pem) = &self.authorities {
            builder = builder.tls_certs_only(Certificate::from_pem_bundle(pem)?);
        }
        if let Some((certificate, key)) = &self.identity {
            let both = Zeroizing::new([certificate.as_slice(), b"\n", key].concat());
            builder = builder.identity(Identity::from_pem(&both)?);
        }
        if let Some(proxy) = self.proxy {
            builder = builder.proxy(proxy);
        }
        builder.build()
    }

    fn parameters(self, host: &str) -> Result<TlsParameters, lettre::transport::smtp::Error> {
        let mut builder = TlsParameters::builder(host.to_string());
        if let Some(pem) = &self.authorities {
            builder = builder.certificate_store(CertificateStore::None);
            builder = builder.add_root_certificate(MailCertificate::from_pem(pem)?);
        }
        if let Some((certificate, key)) = &self.identity {
            builder = builder.identify_with(MailIdentity::from_pem(certificate, key)?);
        }
        builder.build()
    }

    fn handshake(self, host: &str) -> Result<Handshake, rustls::Error> {
        let unread = |error| rustls::Error::General(format!("not PEM: {error}"));
        let certificates =
            |pem: &[u8]| CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(unread);
        let mut roots = RootCertStore::empty();
        for authority in certificates(self.authorities.as_deref().unwrap_or_default())? {
            roots.add(authority)?;
        }
        let builder = ClientConfig::builder_with_provider(crypto_provider::provider())
            .with_protocol_versions(&[&TLS13, &TLS12])?;
        let builder = builder.with_root_certificates(roots);
        let config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let key = PrivateKeyDer::from_pem_slice(key).map_err(unread)?;
                builder.with_client_auth_cert(certificates(certificate)?, key)?
            }
        };
        let server = ServerName::try_from(host.trim_matches(['[', ']']).to_string());
        let server = server.map_err(|error| rustls::Error::General(error.to_string()))?;
        Ok(Handshake { connector: TlsConnector::from(Arc::new(config)), server })
    }
}
