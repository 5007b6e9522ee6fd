//! Signing in with the practice's own directory: a small OpenID provider on a real socket, honest and not.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use handoff_clock::Clock;
use handoff_identity::oidc::{Oidc, OidcConfig};
use handoff_identity::role::Role;
use handoff_ingress::http::Scheme;
use handoff_store::{Record, SignInFault};
use handoff_vault::secrets::{Secret, Secrets};
use handoff_vault::system_dice;
use handoff_web::api::Api;
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::site::{ORIGIN, REFERRING, Site, request, session};

const CLIENT: &str = "handoff";
const SHARED: &str = "what: both sides know";
const CALLBACK: &str = "https://handoff.example/api/session/oidc/callback";

/// Whom it vouches for next, and how it misbehaves.
#[derive(Clone, Default)]
struct Wish {
    claims: Value,
    nonce: Option<String>,
}

struct Directory {
    address: SocketAddr,
    pair: EcdsaKeyPair,
    wish: Mutex<Wish>,
    /// By code: the nonce and the challenge it was asked with.
    codes: Mutex<HashMap<String, (String, String)>>,
    clock: Arc<dyn Clock>,
}

type Known = State<Arc<Directory>>;
type Asked = HashMap<String, String>;

impl Directory {
    async fn open(clock: Arc<dyn Clock>) -> Arc<Directory> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let dice = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &dice).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).expect("a key");
        let address = listener.local_addr().expect("an address");
        let directory = Arc::new(Directory { address, pair, wish: Mutex::default(), codes: Mutex::default(), clock });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(redeem))
            .with_state(Arc::clone(&directory));
        tokio::spawn(async move { axum::serve(listener, router).await });
        directory
    }

    fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    fn vouches(&self, claims: Value) {
        *self.wish.lock() = Wish { claims, nonce: None };
    }
}

async fn discovery(State(directory): Known) -> Json<Value> {
    let issuer = directory.issuer();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
    }))
}

async fn keys(State(directory): Known) -> Json<Value> {
    let point = directory.pair.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let other = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "other", "x": "AA" });
    Json(json!({ "keys": [other, { "kty": "EC", "crv": "P-256", "kid": "1", "x": x, "y": y, "use": "sig" }] }))
}

/// Whoever comes is somebody already: back at once.
async fn authorize(State(directory): Known, Query(asked): Query<Asked>) -> Redirect {
    assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", CLIENT));
    assert_eq!((asked["redirect_uri"].as_str(), asked["code_challenge_method"].as_str()), (CALLBACK, "S256"));
    assert_eq!(asked["scope"], "openid profile");
    let mut codes = directory.codes.lock();
    let code = format!("code-{}", codes.len());
    codes.insert(code.clone(), (asked["nonce"].clone(), asked["code_challenge"].clone()));
    Redirect::to(&format!("{CALLBACK}?code={code}&state={}&iss=x", asked["state"]))
}

async fn redeem(
    State(directory): Known,
    headers: HeaderMap,
    Form(asked): Form<Asked>,
) -> Result<Json<Value>, StatusCode> {
    // RFC 6749, 2.3.1.
    let login = STANDARD.encode(format!("{CLIENT}:what%3A+both+sides+know"));
    assert_eq!(SHARED, "what: both sides know");
    if headers["authorization"] != format!("Basic {login}").as_str() || asked["redirect_uri"] != CALLBACK {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let redeemed = directory.codes.lock().remove(&asked["code"]);
    let (nonce, challenge) = redeemed.ok_or(StatusCode::BAD_REQUEST)?;
    if URL_SAFE_NO_PAD.encode(Sha256::digest(asked["code_verifier"].as_bytes())) != challenge {
        return Err(StatusCode::BAD_REQUEST);
    }
    let wish = directory.wish.lock().clone();
    let now = directory.clock.now().timestamp();
    let mut claims = json!({
        "iss": directory.issuer(), "aud": CLIENT, "sub": "17", "iat": now, "exp": now + 300,
        "nonce": wish.nonce.unwrap_or(nonce),
    });
    for (claim, value) in wish.claims.as_object().into_iter().flatten() {
        claims[claim] = value.clone();
    }
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(json!({ "alg": "ES256", "kid": "1" })), part(claims));
    let signature = directory.pair.sign(&SystemRandom::new(), message.as_bytes()).expect("signed");
    let id_token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
    Ok(Json(json!({ "access_token": "x", "token_type": "Bearer", "id_token": id_token })))
}

fn oidc(directory: &Directory) -> Oidc {
    let roles = [("practice-it", Role::It), ("practice-doctors", Role::Physician), ("a-desk", Role::Coordinator)];
    let config = OidcConfig {
        issuer: directory.issuer(),
        client_id: CLIENT.into(),
        secret: "directory".into(),
        roles: roles.into_iter().map(|(value, role)| (value.to_string(), role)).collect(),
        claim: "groups".into(),
        provider_claim: "npi".into(),
        scopes: vec!["profile".into()],
        ca: None,
    };
    let secrets: Secrets = [("directory".to_string(), Secret::new(SHARED.into()))].into_iter().collect();
    Oidc::new(config, &secrets, Some(ORIGIN), system_dice()).expect("set up")
}

/// What a browser has after it was sent there and back: the cookie, and the way in that it comes back to.
async fn there_and_back(site: &Site) -> (String, String) {
    let sent = site.get(None, "/api/session/oidc").await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    let kept = sent.headers["set-cookie"].to_str().expect("a cookie").split(';').next().expect("one").to_string();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let there = sent.headers["location"].to_str().expect("a URL").to_string();
    let back = client.get(there).send().await.expect("a directory").headers()["location"].clone();
    let back = back.to_str().expect("a URL").strip_prefix(ORIGIN).expect("to us").to_string();
    (kept, back)
}

async fn come_back(site: &Site, kept: &str, back: &str) -> super::site::Answer {
    let mut asked = request(Method::GET, back, None, None);
    asked.headers_mut().insert("cookie", kept.parse().expect("a header"));
    site.send(asked).await
}

/// By a page of ours: the cookie of another site's redirect goes no further.
async fn a_browser_is_led_on(site: &Site, directory: &Directory) {
    directory.vouches(json!({ "groups": "a-desk" }));
    let (kept, back) = there_and_back(site).await;
    let mut asked = request(Method::GET, &back, None, None);
    asked.headers_mut().insert("cookie", kept.parse().expect("a header"));
    asked.headers_mut().insert("accept", "text/html".parse().expect("a header"));
    let welcome = site.send(asked).await;
    assert!(welcome.status == 200 && welcome.body.contains("content=\"0; url=/worklist\""), "{}", welcome.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_practices_own_directory_lets_people_in_by_its_groups() {
    let mut site = Site::open().await;
    handoff_vault::crypto_provider::install();
    assert_eq!(site.get(None, "/api/session/oidc").await.status, 404, "nobody set one up");
    let clock: Arc<dyn Clock> = site.rehearsal.clock();
    let directory = Directory::open(clock).await;
    let operations = Arc::clone(&site.operations);
    site.router =
        Api::new(operations, Some(ORIGIN.into()), Scheme::Https, None).with_directory(oidc(&directory)).router();

    // A physician, with the number by which referrals name them.
    directory.vouches(json!({ "groups": ["x", "practice-doctors"], "npi": REFERRING, "preferred_username": "ada" }));
    let (kept, back) = there_and_back(&site).await;
    assert!(come_back(&site, "__Host-handoff-oidc=other", &back).await.problem() == "sign-in-refused");
    let (kept, back) = {
        drop((kept, back));
        there_and_back(&site).await
    };
    let ada = session(&come_back(&site, &kept, &back).await);
    let who = site.get(Some(&ada), "/api/session").await.json();
    assert_eq!(who["role"], "physician");
    let name = who["name"].as_str().expect("a name").to_string();
    assert!(name.starts_with("oidc:") && name.ends_with(":ada"), "{name}");
    let referral = site.referrals().remove(0);
    assert_eq!(site.get(Some(&ada), &format!("/api/referrals/{referral}")).await.json()["view"], "clear");
    assert_eq!(come_back(&site, &kept, &back).await.problem(), "sign-in-refused", "a way in counts once");

    for (claims, expected) in [
        (json!({ "groups": "practice-it" }), "200"),
        (json!({ "groups": ["somebody-else"] }), "not-allowed-to-you"),
        (json!({}), "not-allowed-to-you"),
        (json!({ "groups": "practice-doctors" }), "not-allowed-to-you"),
        (json!({ "groups": "practice-it", "aud": "another" }), "sign-in-refused"),
        (json!({ "groups": "practice-it", "iss": "https://other.example" }), "sign-in-refused"),
        (json!({ "groups": "practice-it", "exp": 1 }), "sign-in-refused"),
        (json!({ "groups": "practice-it", "nonce": "of another request" }), "sign-in-refused"),
    ] {
        directory.vouches(claims.clone());
        let (kept, back) = there_and_back(&site).await;
        let answer = come_back(&site, &kept, &back).await;
        let told = if answer.status.is_success() { "200".to_string() } else { answer.problem() };
        assert_eq!(told, expected, "{claims}");
    }
    // The name there has gone to somebody else, who is another person here; and a renamed one is who they were.
    let mut known_as = Vec::new();
    for (subject, username) in [("18", "ada"), ("17", "lovelace")] {
        directory.vouches(json!({ "groups": "practice-it", "sub": subject, "preferred_username": username }));
        let (kept, back) = there_and_back(&site).await;
        let session = session(&come_back(&site, &kept, &back).await);
        known_as
            .push(site.get(Some(&session), "/api/session").await.json()["name"].as_str().expect("a name").to_string());
    }
    let key = |name: &str| name.rsplit_once(':').expect("a key and a name").0.to_string();
    assert_ne!(key(&known_as[0]), key(&name));
    assert_eq!(key(&known_as[1]), key(&name));
    a_browser_is_led_on(&site, &directory).await;

    let faults: Vec<SignInFault> = site
        .records()
        .into_iter()
        .filter_map(|(_, record)| match record {
            Record::SignInRefused { because, .. } => Some(because),
            _ => None,
        })
        .collect();
    let (untrusted, no_role) = (SignInFault::Untrusted, SignInFault::NoRole);
    assert_eq!(faults, [vec![untrusted; 2], vec![no_role; 3], vec![untrusted; 4]].concat());
    let begun: DateTime<Utc> = site.rehearsal.clock().now();
    let (kept, back) = there_and_back(&site).await;
    site.advance(chrono::TimeDelta::minutes(10));
    assert!(site.rehearsal.clock().now() > begun);
    assert_eq!(come_back(&site, &kept, &back).await.problem(), "sign-in-refused", "too late");
}
