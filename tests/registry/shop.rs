//! A registry on loopback, as the OCI distribution specification has it: manifests, blobs, chunked uploads, referrers. It
//! can be closed to strangers, send readers elsewhere, and lie.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Of a component: more than any has.
const TOO_LARGE_BYTES: usize = (128 << 20) + 1;

/// How it behaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Answers the referrers API itself; without it there is the tag for them.
    pub lists_referrers: bool,
    /// Sends whoever wants a blob to another address.
    pub redirects: bool,
    /// Wants a token, which `ada` gets for `secret`.
    pub is_closed: bool,
    pub lie: Option<Lie>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Another manifest under the digest that was asked for.
    Manifest,
    /// A component with one byte changed.
    Component,
    /// A component without end.
    Endless,
    /// No signature, as if there were none.
    Unsigned,
}

#[derive(Default)]
struct Stock {
    manner: Manner,
    address: String,
    blobs: BTreeMap<String, Vec<u8>>,
    /// By repository and tag or digest, with its media type.
    manifests: BTreeMap<(String, String), (String, Vec<u8>)>,
    uploads: Vec<Vec<u8>>,
    asked: usize,
}

pub struct Shop {
    pub address: SocketAddr,
    stock: Arc<Mutex<Stock>>,
    /// Dropped, the shop closes.
    _open: tokio::runtime::Runtime,
}

impl Shop {
    pub fn open(manner: Manner) -> Shop {
        let open = tokio::runtime::Runtime::new().expect("a runtime");
        let listener = open.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("its address");
        let stock = Arc::new(Mutex::new(Stock { manner, address: address.to_string(), ..Stock::default() }));
        let router = Router::new().fallback(answer).layer(DefaultBodyLimit::disable()).with_state(Arc::clone(&stock));
        open.spawn(async move { axum::serve(listener, router).await });
        Shop { address, stock, _open: open }
    }

    pub fn behave(&self, manner: Manner) {
        self.stock.lock().manner = manner;
    }

    /// How often anybody asked for anything.
    pub fn asked(&self) -> usize {
        self.stock.lock().asked
    }

    /// Writes a tag's manifest anew.
    pub fn rewrite(&self, tag: &str, anew: impl Fn(&mut Value)) {
        let mut stock = self.stock.lock();
        let (_, manifest) = stock.manifests.iter_mut().find(|((_, known), _)| known == tag).expect("a manifest").1;
        let mut value: Value = serde_json::from_slice(manifest).expect("JSON");
        anew(&mut value);
        *manifest = value.to_string().into_bytes();
    }
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

async fn answer(
    State(stock): State<Arc<Mutex<Stock>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut stock = stock.lock();
    stock.asked += 1;
    let authorization = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok()).unwrap_or_default();
    if uri.path() == "/token" {
        let right = format!("Basic {}", STANDARD.encode("ada:secret"));
        return match authorization == right {
            true => json!({ "token": "come-in" }).to_string().into_response(),
            false => StatusCode::UNAUTHORIZED.into_response(),
        };
    }
    if let Some(digest) = uri.path().strip_prefix("/elsewhere/") {
        return stock.blob(digest);
    }
    if stock.manner.is_closed && authorization != "Bearer come-in" {
        let challenge = format!("Bearer realm=\"http://{}/token\",service=\"shop\"", stock.address);
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response();
    }
    let rest = uri.path().strip_prefix("/v2/").unwrap_or_default();
    if let Some((repository, reference)) = rest.split_once("/manifests/") {
        return stock.manifest(&method, repository, reference, &headers, &body);
    }
    if let Some((_, digest)) = rest.split_once("/referrers/") {
        return stock.referrers(digest);
    }
    if let Some((repository, upload)) = rest.split_once("/blobs/uploads/") {
        return stock.upload(&method, repository, upload, uri.query().unwrap_or_default(), &body);
    }
    match rest.split_once("/blobs/") {
        Some((_, digest)) if stock.manner.redirects => {
            let elsewhere = format!("http://{}/elsewhere/{digest}", stock.address);
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, elsewhere)]).into_response()
        }
        Some((_, digest)) => stock.blob(digest),
        None if rest.is_empty() => StatusCode::OK.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Stock {
    fn manifest(
        &mut self,
        method: &Method,
        repository: &str,
        name: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Response {
        if *method == Method::PUT {
            let media_type = headers[header::CONTENT_TYPE].to_str().expect("a media type").to_string();
            let digest = sha256(body);
            for name in [name, digest.as_str()] {
                let key = (repository.to_string(), name.to_string());
                self.manifests.insert(key, (media_type.clone(), body.to_vec()));
            }
            let at = format!("/v2/{repository}/manifests/{digest}");
            return (StatusCode::CREATED, [(header::LOCATION, at)]).into_response();
        }
        let is_signature = name.starts_with("sha256-");
        match self.manifests.get(&(repository.to_string(), name.to_string())) {
            Some(_) if is_signature && self.manner.lie == Some(Lie::Unsigned) => StatusCode::NOT_FOUND.into_response(),
            Some((media_type, manifest)) => {
                let mut manifest = manifest.clone();
                if self.manner.lie == Some(Lie::Manifest) {
                    manifest.push(b' ');
                }
                ([(header::CONTENT_TYPE, media_type.clone())], manifest).into_response()
            }
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }

    fn referrers(&self, digest: &str) -> Response {
        if !self.manner.lists_referrers {
            return StatusCode::NOT_FOUND.into_response();
        }
        let signs = |manifest: &Value| manifest["subject"]["digest"] == digest;
        let listed: Vec<Value> = self
            .manifests
            .iter()
            .filter(|((_, name), _)| name.starts_with("sha256:") && self.manner.lie != Some(Lie::Unsigned))
            .filter_map(|(_, (media_type, bytes))| Some((media_type, bytes, serde_json::from_slice(bytes).ok()?)))
            .filter(|(_, _, manifest)| signs(manifest))
            .map(|(media_type, bytes, manifest)| {
                json!({ "mediaType": media_type, "digest": sha256(bytes), "size": bytes.len(), "artifactType": manifest["artifactType"] })
            })
            .collect();
        json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": listed })
            .to_string()
            .into_response()
    }

    fn upload(&mut self, method: &Method, repository: &str, upload: &str, query: &str, body: &[u8]) -> Response {
        let at = |upload: usize| format!("/v2/{repository}/blobs/uploads/{upload}");
        if *method == Method::POST {
            self.uploads.push(Vec::new());
            return (StatusCode::ACCEPTED, [(header::LOCATION, at(self.uploads.len() - 1))]).into_response();
        }
        let number: usize = upload.parse().expect("an upload");
        self.uploads[number].extend_from_slice(body);
        if *method == Method::PATCH {
            return (StatusCode::ACCEPTED, [(header::LOCATION, at(number))]).into_response();
        }
        let blob = self.uploads[number].clone();
        let digest = sha256(&blob);
        assert!(query.replace("%3A", ":").contains(&digest), "the blob is what its digest says: {query}");
        let place = format!("/v2/{repository}/blobs/{digest}");
        self.blobs.insert(digest, blob);
        (StatusCode::CREATED, [(header::LOCATION, place)]).into_response()
    }

    fn blob(&self, digest: &str) -> Response {
        let Some(blob) = self.blobs.get(digest) else { return StatusCode::NOT_FOUND.into_response() };
        let is_component = blob.starts_with(b"\0asm");
        let mut blob = blob.clone();
        match self.manner.lie {
            Some(Lie::Component) if is_component => *blob.last_mut().expect("a byte") ^= 1,
            Some(Lie::Endless) if is_component => blob.resize(TOO_LARGE_BYTES, 0),
            Some(_) | None => {}
        }
        Body::from(blob).into_response()
    }
}
