//! TLS at a listener: who we are, and who the other side has to be. Read from files, and again when they change.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use handoff_vault::crypto_provider;
use handoff_vault::secrets::{SecretError, SecretSource};
use parking_lot::Mutex;
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem};
use rustls::server::{ParsedCertificate, VerifierBuilderError, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// `tls:` of a listener. TLS 1.2 and 1.3; every file is PEM.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// Our certificate, and those between it and its root.
    pub certificate: PathBuf,
    /// Its private key; only its owner may read the file.
    pub key: PathBuf,
    /// Who may connect, by certificate; anyone when absent.
    #[serde(default)]
    pub clients: Option<Clients>,
}

/// Mutual authentication (RFC 8446, 4.4.2).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    /// The authority that their certificates come from.
    pub ca: PathBuf,
    /// Names, or addresses, of which a certificate must have one (subjectAltName).
    pub names: Vec<String>,
}

/// How often files are looked at, at most: a renewed certificate serves the first connection after it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A listener's TLS with the files as they last were in order.
pub struct Tls {
    config: TlsConfig,
    names: Vec<(String, ServerName<'static>)>,
    current: Mutex<Current>,
}

struct Current {
    server: Arc<ServerConfig>,
    stamps: Vec<Stamp>,
    looked: Instant,
}

/// By which a file that was replaced or rewritten is told.
type Stamp = Option<(u64, i64, i64, u64)>;

/// Why a listener has no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {}: a file in PEM is needed", path.display())]
    Pem { path: PathBuf, source: pem::Error },
    #[error("{} holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    #[error("the private key cannot be read")]
    Key(#[from] SecretError),
    #[error("{} does not belong to {}, or cannot be used", key.display(), certificate.display())]
    Unusable { certificate: PathBuf, key: PathBuf, source: rustls::Error },
    #[error("{} cannot be an authority for clients", path.display())]
    Authority { path: PathBuf, source: rustls::Error },
    #[error("clients cannot be checked")]
    Verifier(#[from] VerifierBuilderError),
    #[error("`clients: names:` is empty, so nobody may connect\nhelp: clients:\n  names: [ehr.clinic.example]")]
    NoNames,
    #[error("`clients: names:` has {0:?}, which is neither a host's name nor an address")]
    NotAName(String),
}

/// Why a connection came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Unwelcome {
    #[error("the TLS handshake failed")]
    Handshake(#[from] std::io::Error),
    #[error("the client's certificate has none of the names in `clients: names:`")]
    Stranger,
}

impl TlsConfig {
    /// The same with relative paths taken from `folder`.
    pub fn within(self, folder: &Path) -> TlsConfig {
        let clients = self.clients.map(|clients| Clients { ca: folder.join(&clients.ca), ..clients });
        TlsConfig { certificate: folder.join(&self.certificate), key: folder.join(&self.key), clients }
    }

    fn stamps(&self) -> Vec<Stamp> {
        let files = [Some(&self.certificate), Some(&self.key), self.clients.as_ref().map(|clients| &clients.ca)];
        let stamp = |path: &PathBuf| {
            let file = fs::metadata(path).ok()?;
            Some((file.ino(), file.mtime(), file.mtime_nsec(), file.len()))
        };
        files.into_iter().flatten().map(stamp).collect()
    }

    fn load(&self) -> Result<ServerConfig, TlsError> {
        let provider = crypto_provider::provider();
        let unusable =
            |source| TlsError::Unusable { certificate: self.certificate.clone(), key: self.key.clone(), source };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(unusable)?;
        let builder = match &self.clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(&clients.ca)? {
                    let authority = |source| TlsError::Authority { path: clients.ca.clone(), source };
                    roots.add(certificate).map_err(authority)?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build()?)
            }
        };
        let pem = SecretSource::File(self.key.clone()).read()?;
        let key = PrivateKeyDer::from_pem_slice(pem.as_str().as_bytes())
            .map_err(|source| TlsError::Pem { path: self.key.clone(), source })?;
        let mut server = builder.with_single_cert(certificates(&self.certificate)?, key).map_err(unusable)?;
        // A resumed session would not show its certificate again, and connections here are long.
        server.send_tls13_tickets = 0;
        Ok(server)
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unread = |source| TlsError::Pem { path: path.to_path_buf(), source };
    let found = CertificateDer::pem_file_iter(path).map_err(unread)?.collect::<Result<Vec<_>, _>>().map_err(unread)?;
    match found.is_empty() {
        true => Err(TlsError::NoCertificate(path.to_path_buf())),
        false => Ok(found),
    }
}

impl Tls {
    /// # Errors
    /// When a file cannot be read, or certificate and key do not belong together.
    pub fn open(config: TlsConfig) -> Result<Tls, TlsError> {
        let mut names = Vec::new();
        if let Some(clients) = &config.clients {
            for name in &clients.names {
                let parsed = ServerName::try_from(name.clone()).map_err(|_| TlsError::NotAName(name.clone()))?;
                names.push((name.clone(), parsed));
            }
            if names.is_empty() {
                return Err(TlsError::NoNames);
            }
        }
        let stamps = config.stamps();
        let server = Arc::new(config.load()?);
        let current = Mutex::new(Current { server, stamps, looked: Instant::now() });
        Ok(Tls { config, names, current })
    }

    /// Shakes hands. With the stream comes the client's name, where clients have to show one.
    ///
    /// # Errors
    /// When the other side does not speak TLS 1.2 or later, or is not one of those who may connect.
    pub async fn greet<S>(&self, stream: S) -> Result<(TlsStream<S>, Option<String>), Unwelcome>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let stream = TlsAcceptor::from(self.server()).accept(stream).await?;
        if self.config.clients.is_none() {
            return Ok((stream, None));
        }
        let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let parsed = shown.and_then(|certificate| ParsedCertificate::try_from(certificate).ok());
        let has = |name: &ServerName<'_>| parsed.as_ref().is_some_and(|it| verify_server_name(it, name).is_ok());
        let name = self.names.iter().find(|(_, parsed)| has(parsed)).map(|(name, _)| name.clone());
        match name {
            Some(name) => Ok((stream, Some(name))),
            None => Err(Unwelcome::Stranger),
        }
    }

    /// As the files are now; as they last were in order, while they are not. A certificate and its key are two files,
    /// and there is a moment between the two.
    fn server(&self) -> Arc<ServerConfig> {
        let mut current = self.current.lock();
        if current.looked.elapsed() >= LOOK_EVERY {
            current.looked = Instant::now();
            let stamps = self.config.stamps();
            if stamps != current.stamps {
                current.stamps = stamps;
                match self.config.load() {
                    Ok(server) => {
                        tracing::info!(certificate = %self.config.certificate.display(), "certificate read again");
                        current.server = Arc::new(server);
                    }
                    Err(error) => {
                        let error = handoff_engine::error_chain::Chain(&error).to_string();
                        tracing::warn!(error, "a changed certificate cannot be used; the one before still serves");
                    }
                }
            }
        }
        Arc::clone(&current.server)
    }
}

#[cfg(test)]
pub(crate) mod testing;
