//! Signing in elsewhere: OpenID Connect's code flow (Core 1.0, 3.1) with a proof of the code's owner (PKCE, RFC 7636). The
//! practice's own directory says who somebody is; this configuration says what they are here.
//!
//! Not by the crate `openidconnect` (4.1): it brings `rsa` (RUSTSEC-2023-0071: timing tells of a private key, and there is no
//! fix), and `p256` and `p384` as a second elliptic cryptography beside AWS-LC. No feature leaves them out. Together they are
//! 41 crates that we have not, to spare the two requests of `provider` and the claims of `id_token`.

mod id_token;
mod provider;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use handoff_vault::SecureRandom;
use handoff_vault::secrets::{Secret, Secrets};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;
use zeroize::Zeroizing;

use self::id_token::{ExpectedClaims, IdTokenError, UnverifiedIdToken};
use self::provider::{OpenIdProvider, ProviderError};
use crate::person::Person;
use crate::role::Role;

/// Where the directory sends somebody back to, below our public URL.
pub const CALLBACK: &str = "/api/session/oidc/callback";

/// To type a password and a code elsewhere, and to look for the telephone.
const PENDING_FOR: TimeDelta = TimeDelta::minutes(10);

/// More people than a practice has do not sign in within ten minutes; whoever begins without end displaces only others who
/// have not finished.
const PENDING_MAX: usize = 1_000;

/// 256 bits for each: not to be guessed.
const RANDOM_BYTES: usize = 32;

/// Of the digest of issuer and subject: enough that no two of a directory have the same.
const KEY_BYTES: usize = 9;

/// Longer names are no names; see `account::AccountName`.
const NAME_CHARS_MAX: usize = 64;

/// `people: oidc:` in the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcConfig {
    /// As its tokens name it; below it lies `.well-known/openid-configuration`.
    pub issuer: String,
    pub client_id: String,
    /// The name of the secret that we share with it.
    pub secret: String,
    /// What a value of the claim makes somebody here. Who has none of them is not let in; who has several is the first.
    pub roles: BTreeMap<String, Role>,
    /// The claim that holds a text or a list of them.
    #[serde(default = "roles_claim")]
    pub claim: String,
    /// The claim that holds the number by which referrals name a physician.
    #[serde(default = "provider_claim")]
    pub provider_claim: String,
    /// Asked for beside `openid`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Believed instead of the public authorities.
    #[serde(default)]
    pub ca: Option<PathBuf>,
}

fn roles_claim() -> String {
    "roles".into()
}

fn provider_claim() -> String {
    "npi".into()
}

/// A directory that vouches for people.
pub struct Oidc {
    config: OidcConfig,
    secret: Secret,
    redirect_uri: String,
    provider: OpenIdProvider,
    pending: Mutex<HashMap<[u8; 32], Pending>>,
    dice: Mutex<SecureRandom>,
}

/// One who was sent there and has not come back.
struct Pending {
    nonce: String,
    verifier: Zeroizing<String>,
    began: DateTime<Utc>,
}

/// Where a browser is sent, and what it has to bring back.
pub struct AuthorizationRequest {
    pub url: String,
    pub state: Zeroizing<String>,
}

/// Why it is not set up.
#[derive(Debug, thiserror::Error)]
pub enum OidcConfigError {
    #[error("`people: oidc: secret:` names the secret {0}, which is not among `secrets:`\nhelp: add it there")]
    NoSecret(String),
    #[error(
        "`people: oidc:` needs the address at which browsers reach Handoff\nhelp: write `public_url:` under `listen: api:`"
    )]
    NoPublicUrl,
    #[error(
        "`people: oidc: issuer:` must be an https URL, or on this machine\n\
         help: issuer: https://login.example.org"
    )]
    Issuer,
    #[error("`people: oidc: roles:` is empty, so that nobody could be let in\nhelp: roles: {{ handoff-it: it }}")]
    NoRoles,
    #[error("cannot read {}", path.display())]
    Authority { path: PathBuf, source: std::io::Error },
    #[error("TLS cannot be set up for `people: oidc:`")]
    Tls(#[source] reqwest::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    #[error("the directory cannot be reached, or does not answer as it should")]
    Unreachable(#[from] ProviderError),
    #[error("this sign-in was not begun in this browser, or too long ago\nhelp: begin again at the sign-in page")]
    UnknownState,
    #[error("the directory's ID token is not valid")]
    Untrusted(#[from] IdTokenError),
    #[error(
        "the directory gives this person no role here\n\
         help: `people: oidc: roles:` lists the directory's values that give a role"
    )]
    NoRole,
    #[error(
        "the directory does not give this physician's provider number, by which referrals name them\n\
         help: let it send the claim that `people: oidc: provider_claim:` names"
    )]
    NoProvider,
    #[error(
        "this role takes two factors, and the directory does not say that it saw two\n\
         help: let it ask for a second factor, and say so in the claim `amr`"
    )]
    OneFactor,
}

/// Whom the directory vouches for.
#[derive(Debug)]
pub struct VouchedPerson {
    person: Person,
    /// It says that it saw two factors (`amr` with `mfa`, RFC 8176).
    second_factor: bool,
}

impl VouchedPerson {
    /// Who it is, and whether by two factors.
    ///
    /// # Errors
    /// When their role takes two, and the directory speaks of one.
    pub fn admitted(self, takes_two_factors: impl Fn(Role) -> bool) -> Result<(Person, bool), OidcError> {
        let VouchedPerson { person, second_factor } = self;
        match second_factor || !takes_two_factors(person.role) {
            true => Ok((person, second_factor)),
            false => Err(OidcError::OneFactor),
        }
    }
}

impl OidcConfig {
    /// The same with a relative path taken from `folder`.
    pub fn within(self, folder: &Path) -> OidcConfig {
        OidcConfig { ca: self.ca.map(|ca| folder.join(ca)), ..self }
    }
}

impl Oidc {
    /// # Errors
    /// When something is missing or cannot be used. Nobody is asked yet.
    pub fn new(
        config: OidcConfig,
        secrets: &Secrets,
        public_url: Option<&str>,
        dice: SecureRandom,
    ) -> Result<Oidc, OidcConfigError> {
        let no_secret = || OidcConfigError::NoSecret(config.secret.clone());
        let secret = secrets.get(&config.secret).cloned().ok_or_else(no_secret)?;
        let public_url = public_url.ok_or(OidcConfigError::NoPublicUrl)?;
        if config.roles.is_empty() {
            return Err(OidcConfigError::NoRoles);
        }
        let authority = match &config.ca {
            None => None,
            Some(path) => {
                let unreadable = |source| OidcConfigError::Authority { path: path.clone(), source };
                Some(std::fs::read(path).map_err(unreadable)?)
            }
        };
        let provider = OpenIdProvider::new(&config.issuer, authority)?;
        let redirect_uri = format!("{}{CALLBACK}", public_url.trim_end_matches('/'));
        Ok(Oidc { config, secret, redirect_uri, provider, pending: Mutex::default(), dice: Mutex::new(dice) })
    }

    /// Sends a browser there.
    ///
    /// # Errors
    /// When the directory does not say where.
    pub async fn begin(&self, now: DateTime<Utc>) -> Result<AuthorizationRequest, OidcError> {
        let endpoint = self.provider.authorization_endpoint(now).await?;
        let [state, nonce, verifier] = [(); 3].map(|()| self.random());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let scopes = ["openid"].into_iter().chain(self.config.scopes.iter().map(String::as_str)).collect::<Vec<_>>();
        let mut url = endpoint;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        let mut pending = self.pending.lock();
        pending.retain(|_, pending| now - pending.began < PENDING_FOR);
        if pending.len() >= PENDING_MAX
            && let Some(oldest) = pending.iter().min_by_key(|(_, pending)| pending.began).map(|(hash, _)| *hash)
        {
            pending.remove(&oldest);
        }
        pending.insert(hash(&state), Pending { nonce: nonce.to_string(), verifier, began: now });
        Ok(AuthorizationRequest { url: url.into(), state })
    }

    /// Who came back, with the code that they brought. `kept` is the state that this browser was given.
    ///
    /// # Errors
    /// When it is another browser, the directory's word is not valid, or they have no role here.
    pub async fn finish(
        &self,
        code: &str,
        state: &str,
        kept: &str,
        now: DateTime<Utc>,
    ) -> Result<VouchedPerson, OidcError> {
        if !bool::from(state.as_bytes().ct_eq(kept.as_bytes())) {
            return Err(OidcError::UnknownState);
        }
        // Taken out: a state counts once.
        let pending = self.pending.lock().remove(&hash(state));
        let Pending { nonce, verifier, .. } =
            pending.filter(|pending| now - pending.began < PENDING_FOR).ok_or(OidcError::UnknownState)?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &verifier),
        ];
        let token = self.provider.redeem(&form, &self.config.client_id, &self.secret, now).await?;
        let expected =
            ExpectedClaims { issuer: &self.config.issuer, client_id: &self.config.client_id, nonce: &nonce, now };
        let read = UnverifiedIdToken::read(&token)?;
        let key = self.provider.key(read.key_id(), now).await?.ok_or(IdTokenError::UnknownKey)?;
        let claims = read.verify(&key, &expected)?;
        self.person(&claims)
    }

    fn person(&self, claims: &Value) -> Result<VouchedPerson, OidcError> {
        let OidcConfig { roles, claim, provider_claim, .. } = &self.config;
        let given = texts(&claims[claim]);
        let role = roles.iter().find(|(value, _)| given.contains(&value.as_str())).map(|(_, role)| *role);
        let role = role.ok_or(OidcError::NoRole)?;
        let provider = claims[provider_claim].as_str().map(str::to_string).filter(|provider| !provider.is_empty());
        let provider = match role {
            Role::Physician => Some(provider.ok_or(OidcError::NoProvider)?),
            Role::Coordinator | Role::Manager | Role::It | Role::Auditor => None,
        };
        let subject = claims["sub"].as_str().ok_or(IdTokenError::Malformed)?;
        let known_as = claims["preferred_username"].as_str().unwrap_or(subject);
        let printable = |text: &str| text.chars().filter(|letter| !letter.is_control()).take(NAME_CHARS_MAX).collect();
        let known_as: String = printable(known_as);
        // A name there may change, and go to somebody else: only issuer and subject are one person's for ever (OpenID Connect
        // Core 1.0, 5.7). No account's name has a colon: nobody from there is taken for somebody from here.
        let key = hash(&format!("{}\u{1f}{subject}", self.config.issuer));
        let key = URL_SAFE_NO_PAD.encode(&key[..KEY_BYTES]);
        let person = Person { name: format!("oidc:{key}:{known_as}"), role, provider };
        Ok(VouchedPerson { person, second_factor: texts(&claims["amr"]).contains(&"mfa") })
    }

    fn random(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; RANDOM_BYTES]);
        self.dice.lock().fill_bytes(&mut *bytes);
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes))
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// A claim's text, or the texts of its list.
fn texts(claim: &Value) -> Vec<&str> {
    match claim {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

/// Whether plain HTTP goes no further than this machine.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
