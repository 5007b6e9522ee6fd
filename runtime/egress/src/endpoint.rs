//! Named ways out, as the practice's IT writes them into the configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::NaiveDate;
use handoff_host::contract::exchange::Method;
use serde::Deserialize;
use url::{Host, Url};

use crate::address_guard::AddressReach;
use crate::rate::Rate;
use crate::tls::{ClientCertificate, Proxy};

/// One entry of `endpoints:`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// `https://api.vendor.example/v1`, `smtps://mail.example:465`, `smtp://mail.example:587` (STARTTLS),
    /// `mllps://ehr.internal:2576`, `mllp://ehr.internal:2575`. Plugins ask for paths below it. `http` and `mllp` are not
    /// encrypted: they need `allow_private` and reach private addresses only, as does `smtp` to a server without STARTTLS.
    pub url: String,
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE`. All of them when absent.
    #[serde(default)]
    pub methods: Vec<HttpMethod>,
    /// Paths, below the URL, that may be asked for, with everything under them. All of them when absent.
    #[serde(default)]
    pub paths: Vec<String>,
    /// The business associate agreement (45 CFR 164.504(e)). Without one, no patient data goes there.
    #[serde(default)]
    pub baa: Option<Baa>,
    #[serde(default)]
    pub credentials: Credentials,
    /// From the first byte sent to the last received.
    #[serde(default = "timeout_seconds_default")]
    pub timeout_seconds: u32,
    /// Whether the name may lead to loopback and private addresses.
    #[serde(default)]
    pub allow_private: bool,
    #[serde(default = "response_bytes_max_default")]
    pub response_bytes_max: usize,
    /// Believed instead of the public authorities: a file in PEM.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    #[serde(default)]
    pub client_certificate: Option<ClientCertificate>,
    /// For https only: nothing in clear passes through it.
    #[serde(default)]
    pub proxy: Option<Proxy>,
    /// How fast it may be asked: `{ requests: 10, per_seconds: 1, burst: 20 }`. As fast as letters come when absent.
    #[serde(default)]
    pub rate: Option<Rate>,
}

/// Vendors answer within seconds; a chart under load within half a minute.
fn timeout_seconds_default() -> u32 {
    30
}

/// A page of a FHIR search is some hundred kilobytes.
fn response_bytes_max_default() -> usize {
    4 * 1024 * 1024
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baa {
    /// Where the agreement is filed: its number, or why none is needed.
    pub reference: String,
    /// The last day on which it holds.
    #[serde(default)]
    pub expires: Option<NaiveDate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum HttpMethod {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// How Handoff shows who it is. Secrets by their names in `secrets:`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Credentials {
    #[default]
    None,
    /// HTTP Basic (RFC 7617).
    Basic { user: String, password: String },
    /// `Authorization:` with a fixed secret. `prefix` is what stands before it, `Bearer ` (RFC 6750) when absent.
    Bearer {
        token: String,
        #[serde(default = "bearer_prefix_default")]
        prefix: String,
    },
    /// OAuth 2.0 client credentials (RFC 6749, 4.4); the client's secret is sent by HTTP Basic.
    Oauth2 {
        token_url: String,
        client_id: String,
        client_secret: String,
        #[serde(default)]
        scopes: Vec<String>,
    },
    /// SMART Backend Services: OAuth 2.0 client credentials with an assertion signed by RS384 or ES384.
    SmartBackend {
        token_url: String,
        client_id: String,
        /// The private key: RSA or elliptic curve P-384, PKCS#8 in PEM.
        key: String,
        /// The public key's `kid` in the JWK Set that the server has of us.
        key_id: String,
        #[serde(default)]
        scopes: Vec<String>,
    },
    /// SMTP AUTH XOAUTH2 (Microsoft 365, Google) with a token by OAuth 2.0 client credentials; over TLS only.
    Xoauth2 {
        user: String,
        token_url: String,
        client_id: String,
        client_secret: String,
        #[serde(default)]
        scopes: Vec<String>,
    },
    /// SMTP AUTH PLAIN or LOGIN (RFC 4954), over TLS only unless the server is on a private address.
    Login { user: String, password: String },
}

fn bearer_prefix_default() -> String {
    "Bearer ".to_string()
}

/// An endpoint that can be used.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub name: String,
    pub url: Url,
    pub kind: EndpointKind,
    pub reach: AddressReach,
    pub config: EndpointConfig,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointKind {
    Http,
    /// TLS from the first byte (RFC 8314).
    MailTls,
    /// STARTTLS (RFC 3207).
    Mail,
    Mllp,
}

/// What is wrong with an entry of `endpoints:`.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("endpoints.{name}.url is not a URL\nhelp: url: https://api.vendor.example")]
    NotAUrl { name: String, source: url::ParseError },
    #[error("endpoints.{name}.url has the scheme {scheme}\nhelp: https, http, smtps, smtp, mllps or mllp")]
    OtherScheme { name: String, scheme: String },
    #[error("endpoints.{name}.url has no host, or has a user, a query or a fragment\nhelp: url: https://host/path")]
    NotABase { name: String },
    #[error("endpoints.{name}.url names no port\nhelp: mllps://host:2576")]
    NoPort { name: String },
    #[error("endpoints.{name}.url is not encrypted\nhelp: use https or mllps, or {}", allow_private(name))]
    NotEncrypted { name: String },
    #[error("endpoints.{name}.url is a private address, which is not allowed\nhelp: {}", allow_private(name))]
    Forbidden { name: String },
    #[error(
        "endpoints.{name}.credentials do not fit {scheme}\n\
         help: `login` and `xoauth2` are for smtp; `basic`, `bearer`, `oauth2` and `smart-backend` are for http"
    )]
    OtherCredentials { name: String, scheme: String },
    #[error("endpoints.{name}.{key} must be at least 1")]
    Zero { name: String, key: &'static str },
    #[error("endpoints.{name}.paths: a path starts with `/`")]
    NotAPath { name: String },
    #[error(
        "endpoints.{name}.{key} is of no use with {scheme}\nhelp: `ca` and `client_certificate` are for https, smtp and mllps; `proxy` for https"
    )]
    OfNoUse { name: String, key: &'static str, scheme: String },
    #[error(
        "endpoints.{name}.ca is missing: an interface engine's certificate comes from its hospital's own authority\n\
         help: ca: /etc/handoff/hospital-ca.pem"
    )]
    NoAuthority { name: String },
    #[error(
        "endpoints.{name}.credentials: the secret {secret} is not a key that can sign\n\
         help: RSA of at least 2048 bits or elliptic curve P-384, PKCS#8 in PEM: \
         openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384"
    )]
    NotAKey { name: String, secret: String },
    #[error(
        "endpoints.{name}.credentials name the secret {secret}, which is not configured\n\
         help: add to the configuration:\n  secrets:\n    {secret}:\n      file: keys/{secret}"
    )]
    NoSecret { name: String, secret: String },
}

fn allow_private(name: &str) -> String {
    format!("within your own network, add to the configuration:\n  endpoints:\n    {name}:\n      allow_private: true")
}

impl Endpoint {
    /// # Errors
    /// When the entry cannot work, or would send patient data unencrypted beyond the practice's own network.
    pub fn new(name: &str, config: EndpointConfig) -> Result<Endpoint, EndpointError> {
        let name = name.to_string();
        let url = Url::parse(&config.url).map_err(|source| EndpointError::NotAUrl { name: name.clone(), source })?;
        let kind = match url.scheme() {
            "https" | "http" => EndpointKind::Http,
            "smtps" => EndpointKind::MailTls,
            "smtp" => EndpointKind::Mail,
            "mllps" | "mllp" => EndpointKind::Mllp,
            scheme => return Err(EndpointError::OtherScheme { name, scheme: scheme.to_string() }),
        };
        let encrypted = !matches!(url.scheme(), "http" | "mllp");
        let reach = match (config.allow_private, encrypted) {
            (false, false) => return Err(EndpointError::NotEncrypted { name }),
            (false, true) => AddressReach::Public,
            (true, true) => AddressReach::PrivateToo,
            (true, false) => AddressReach::PrivateOnly,
        };
        let endpoint = Endpoint { name, url, kind, reach, config };
        endpoint.check()?;
        Ok(endpoint)
    }

    fn check(&self) -> Result<(), EndpointError> {
        let name = || self.name.clone();
        let url = &self.url;
        let extras = !url.username().is_empty() || url.password().is_some();
        if url.host_str().is_none_or(str::is_empty) || extras || url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::NotABase { name: name() });
        }
        if self.kind == EndpointKind::Mllp && url.port().is_none() {
            return Err(EndpointError::NoPort { name: name() });
        }
        if self.address().is_some_and(|address| !self.reach.permits(address)) {
            return Err(EndpointError::Forbidden { name: name() });
        }
        let fitting = match &self.config.credentials {
            Credentials::None => true,
            Credentials::Basic { .. }
            | Credentials::Bearer { .. }
            | Credentials::Oauth2 { .. }
            | Credentials::SmartBackend { .. } => self.kind == EndpointKind::Http,
            Credentials::Login { .. } | Credentials::Xoauth2 { .. } => {
                matches!(self.kind, EndpointKind::Mail | EndpointKind::MailTls)
            }
        };
        if !fitting {
            return Err(EndpointError::OtherCredentials { name: name(), scheme: url.scheme().to_string() });
        }
        self.check_trust()?;
        if let Some(token_url) = self.config.credentials.token_url() {
            let plain = EndpointConfig { ca: None, client_certificate: None, proxy: None, ..self.config.clone() };
            let config = EndpointConfig { url: token_url.to_string(), credentials: Credentials::None, ..plain };
            // The token's own way out is an endpoint too, with the same limits.
            if Endpoint::new(&format!("{}.credentials.token_url", self.name), config)?.kind != EndpointKind::Http {
                return Err(EndpointError::OtherScheme { name: name(), scheme: token_url.to_string() });
            }
        }
        let rate = self.config.rate;
        for (key, value) in [
            ("timeout_seconds", self.config.timeout_seconds as usize),
            ("response_bytes_max", self.config.response_bytes_max),
            ("rate.requests", rate.map_or(1, |rate| rate.requests as usize)),
            ("rate.per_seconds", rate.map_or(1, |rate| rate.per_seconds as usize)),
            ("rate.burst", rate.map_or(1, |rate| rate.burst() as usize)),
        ] {
            if value == 0 {
                return Err(EndpointError::Zero { name: name(), key });
            }
        }
        match self.config.paths.iter().all(|path| path.starts_with('/')) {
            true => Ok(()),
            false => Err(EndpointError::NotAPath { name: name() }),
        }
    }

    fn check_trust(&self) -> Result<(), EndpointError> {
        let (https, mllps) = (self.url.scheme() == "https", self.url.scheme() == "mllps");
        let may_be_shown_who = https || mllps || matches!(self.kind, EndpointKind::Mail | EndpointKind::MailTls);
        let config = &self.config;
        for (key, given, useful) in [
            ("ca", config.ca.is_some(), may_be_shown_who),
            ("client_certificate", config.client_certificate.is_some(), may_be_shown_who),
            ("proxy", config.proxy.is_some(), https),
        ] {
            if given && !useful {
                let scheme = self.url.scheme().to_string();
                return Err(EndpointError::OfNoUse { name: self.name.clone(), key, scheme });
            }
        }
        match mllps && config.ca.is_none() {
            true => Err(EndpointError::NoAuthority { name: self.name.clone() }),
            false => Ok(()),
        }
    }

    /// The host where it is written as an address, which nobody resolves.
    fn address(&self) -> Option<std::net::IpAddr> {
        match self.url.host()? {
            // Schemes other than http leave an IPv4 address unread.
            Host::Domain(name) => name.parse().ok(),
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
        }
    }

    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The port written, or the scheme's own: 465 (RFC 8314, 7.3), 587 (RFC 6409, 3.1).
    pub fn port(&self) -> u16 {
        let known = match self.kind {
            EndpointKind::Http | EndpointKind::Mllp => self.url.port_or_known_default(),
            EndpointKind::MailTls => self.url.port().or(Some(465)),
            EndpointKind::Mail => self.url.port().or(Some(587)),
        };
        known.unwrap_or_default()
    }

    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.config.timeout_seconds.into())
    }

    pub fn allows_method(&self, method: Method) -> bool {
        self.config.methods.is_empty() || self.config.methods.contains(&method.into())
    }

    /// A prefix allows whole segments: `/Task` allows `/Task/9`, not `/Tasks`.
    pub fn allows_path(&self, path: &str) -> bool {
        let under = |prefix: &String| match path.strip_prefix(prefix.as_str()) {
            Some(rest) => rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/'),
            None => false,
        };
        self.config.paths.is_empty() || self.config.paths.iter().any(under)
    }

    /// The secrets that its entry names.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let shown = match &self.config.credentials {
            Credentials::None => None,
            Credentials::Basic { password, .. } | Credentials::Login { password, .. } => Some(password),
            Credentials::Bearer { token, .. } => Some(token),
            Credentials::Oauth2 { client_secret, .. } | Credentials::Xoauth2 { client_secret, .. } => {
                Some(client_secret)
            }
            Credentials::SmartBackend { key, .. } => Some(key),
        };
        let certificate = self.config.client_certificate.as_ref().map(|ours| &ours.key);
        let proxy = self.config.proxy.as_ref().and_then(|proxy| proxy.password.as_ref());
        [shown, certificate, proxy].into_iter().flatten().map(String::as_str)
    }
}

impl EndpointConfig {
    /// The same with relative paths taken from `folder`.
    pub fn within(self, folder: &Path) -> EndpointConfig {
        let client_certificate = self.client_certificate.map(|ours| ours.within(folder));
        EndpointConfig { ca: self.ca.map(|ca| folder.join(ca)), client_certificate, ..self }
    }
}

impl Credentials {
    /// The entry's own lines, as they stand below `credentials:`; secrets by their names.
    pub fn lines(&self) -> String {
        let (kind, pairs): (_, Vec<(&str, &str)>) = match self {
            Credentials::None => ("none", Vec::new()),
            Credentials::Basic { user, password } => ("basic", vec![("user", user), ("password", password)]),
            Credentials::Login { user, password } => ("login", vec![("user", user), ("password", password)]),
            Credentials::Bearer { token, .. } => ("bearer", vec![("token", token)]),
            Credentials::Oauth2 { token_url, client_id, client_secret, .. } => {
                let pairs = [("token_url", token_url), ("client_id", client_id), ("client_secret", client_secret)];
                ("oauth2", pairs.map(|(key, value)| (key, value.as_str())).to_vec())
            }
            Credentials::SmartBackend { token_url, client_id, key, key_id, .. } => {
                let pairs = [("token_url", token_url), ("client_id", client_id), ("key", key), ("key_id", key_id)];
                ("smart-backend", pairs.map(|(key, value)| (key, value.as_str())).to_vec())
            }
            Credentials::Xoauth2 { user, token_url, client_id, client_secret, .. } => {
                let app = [("token_url", token_url), ("client_id", client_id), ("client_secret", client_secret)];
                let pairs = [("user", user)].into_iter().chain(app);
                ("xoauth2", pairs.map(|(key, value)| (key, value.as_str())).collect())
            }
        };
        std::iter::once(("kind", kind)).chain(pairs).map(|(key, value)| format!("\n        {key}: {value}")).collect()
    }

    /// Where access tokens come from, when they are needed.
    pub fn token_url(&self) -> Option<&str> {
        match self {
            Credentials::Oauth2 { token_url, .. }
            | Credentials::SmartBackend { token_url, .. }
            | Credentials::Xoauth2 { token_url, .. } => Some(token_url),
            Credentials::None | Credentials::Basic { .. } | Credentials::Bearer { .. } | Credentials::Login { .. } => {
                None
            }
        }
    }
}

impl From<Method> for HttpMethod {
    fn from(method: Method) -> HttpMethod {
        match method {
            Method::Get => HttpMethod::Get,
            Method::Post => HttpMethod::Post,
            Method::Put => HttpMethod::Put,
            Method::Patch => HttpMethod::Patch,
            Method::Delete => HttpMethod::Delete,
        }
    }
}

impl HttpMethod {
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Asking twice changes nothing (RFC 9110, 9.2.1).
    pub fn is_safe(self) -> bool {
        self == HttpMethod::Get
    }
}

#[cfg(test)]
mod tests;
