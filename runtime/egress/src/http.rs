//! One HTTP request and its response.

use std::time::Duration;

use ::http::header::{self, Entry, HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handoff_host::contract::exchange::{Body, HttpRequest};
use handoff_host::contract::types::Attribute;
use handoff_vault::crypto_provider;
use handoff_vault::secrets::Secret;
use handoff_vault::substitute::{Placed, TokenPlace};
use handoff_vault::token;
use percent_encoding::percent_decode_str;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Request};
use serde::de::IgnoredAny;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use crate::address_guard::{AddressReach, Forbidden, Resolver};
use crate::denial::Denial;
use crate::egress::Grant;
use crate::endpoint::{Endpoint, HttpMethod};
use crate::idempotency_key;
use crate::substitution::Filling;

/// A server that does not take a connection within this time takes none.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Shorter than the minute after which common servers drop an idle connection under our hands.
const IDLE: Duration = Duration::from_secs(30);

/// Set by Handoff: who we are, where to, how long and how framed.
const RESERVED_HEADERS: [HeaderName; 14] = [
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    header::COOKIE,
    header::HOST,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
    header::EXPECT,
    header::FORWARDED,
];

/// What a stage may read of a response's head, and a resource's place. The rest, cookies above all, is not its business.
const REVEALED_HEADERS: [HeaderName; 6] = [
    header::CONTENT_TYPE,
    header::DATE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::RETRY_AFTER,
    HeaderName::from_static("x-request-id"),
];

/// One client for each reach: the reach is checked where names are resolved, and connections are not shared across it.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    public: Client,
    private_too: Client,
    private_only: Client,
}

impl Clients {
    pub(super) fn new() -> Result<Clients, reqwest::Error> {
        Ok(Clients {
            public: builder(AddressReach::Public).build()?,
            private_too: builder(AddressReach::PrivateToo).build()?,
            private_only: builder(AddressReach::PrivateOnly).build()?,
        })
    }

    pub(super) fn get(&self, reach: AddressReach) -> &Client {
        match reach {
            AddressReach::Public => &self.public,
            AddressReach::PrivateToo => &self.private_too,
            AddressReach::PrivateOnly => &self.private_only,
        }
    }
}

pub(super) fn builder(reach: AddressReach) -> ClientBuilder {
    crypto_provider::install();
    Client::builder()
        .dns_resolver(std::sync::Arc::new(Resolver(reach)))
        // A redirect could lead anywhere; the plugin sees its status instead.
        .redirect(Policy::none())
        // A proxy of the environment would resolve names beyond our check.
        .no_proxy()
        .connect_timeout(CONNECT_WITHIN)
        .pool_idle_timeout(IDLE)
        .user_agent(concat!("handoff/", env!("CARGO_PKG_VERSION")))
}

/// A request with everything in its place but the credentials.
pub(super) struct Prepared {
    method: HttpMethod,
    url: Url,
    headers: HeaderMap,
    /// With its media type.
    body: Option<(HeaderValue, Zeroizing<Vec<u8>>)>,
}

/// Puts the request together, patient data where its tokens stand.
pub(super) fn prepare(
    grant: &Grant,
    endpoint: &Endpoint,
    request: &HttpRequest,
    filling: &mut Filling<'_, '_>,
) -> Result<Prepared, Denial> {
    if !endpoint.allows_method(request.method) {
        let method = HttpMethod::from(request.method).name();
        let allowed = endpoint.config.methods.iter().map(|method| method.name()).collect();
        return Err(Denial::MethodNotAllowed { endpoint: endpoint.name.clone(), method, allowed });
    }
    let malformed = |place: &str, why| Denial::Malformed { stage: grant.stage.clone(), place: place.to_string(), why };
    if let Some(why) = path_fault(&request.path) {
        return Err(malformed("http.path", why));
    }
    if !endpoint.allows_path(&request.path) {
        let (path, allowed) = (request.path.clone(), endpoint.config.paths.clone());
        return Err(Denial::PathNotAllowed { endpoint: endpoint.name.clone(), path, allowed });
    }
    let mut url = endpoint.url.clone();
    let path = filling.fill(&request.path, TokenPlace::Path)?;
    let path = Zeroizing::new(format!("{}{}", url.path().trim_end_matches('/'), *path));
    url.set_path(&path);
    if url.path() != path.as_str() {
        return Err(malformed("http.path", "is not written as a URL's path is"));
    }
    if !request.query.is_empty() {
        url.set_query(Some(&encoded("http.query", &request.query, filling, malformed)?));
    }
    let mut headers = HeaderMap::new();
    for Attribute { name, value } in &request.headers {
        let place = format!("http.headers {}", name.escape_debug());
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| malformed(&place, "is no header's name"))?;
        if RESERVED_HEADERS.contains(&name) {
            return Err(malformed(&place, "is set by Handoff"));
        }
        let value = filling.fill(value, TokenPlace::Header)?;
        let mut value = HeaderValue::from_str(&value)
            .or_else(|_| HeaderValue::from_bytes(value.as_bytes()))
            .map_err(|_| malformed(&place, "has a line end or control character"))?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    if !HttpMethod::from(request.method).is_safe()
        && let Entry::Vacant(place) = headers.entry(idempotency_key::IDEMPOTENCY_KEY)
        && let Ok(key) = HeaderValue::try_from(idempotency_key::of_request(grant, request))
    {
        place.insert(key);
    }
    let body = match &request.body {
        Body::Empty => None,
        Body::Form(fields) => {
            let text = encoded("http.body", fields, filling, malformed)?;
            Some((HeaderValue::from_static("application/x-www-form-urlencoded"), text))
        }
        Body::Json(text) => Some((HeaderValue::from_static("application/json"), json(text, filling, malformed)?)),
        Body::JsonAs(json_as) => {
            let media_type = HeaderValue::from_str(&json_as.media_type)
                .map_err(|_| malformed("http.body", "has no media type that can be sent"))?;
            Some((media_type, json(&json_as.text, filling, malformed)?))
        }
    };
    let body = body.map(|(media_type, text)| (media_type, Zeroizing::new(text.as_bytes().to_vec())));
    Ok(Prepared { method: request.method.into(), url, headers, body })
}

/// Why a path cannot be asked for.
fn path_fault(path: &str) -> Option<&'static str> {
    let written = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '\\');
    if !path.starts_with('/') {
        return Some("does not start with `/`");
    }
    if !path.chars().all(written) {
        return Some("has a character that must be percent-encoded");
    }
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    match decoded.split(['/', '\\']).any(|segment| matches!(segment, "." | "..")) {
        true => Some("climbs with `.` or `..`"),
        false => None,
    }
}

/// Names and values as a query and a form have them. A name is the vendor's word, never patient data.
fn encoded(
    place: &str,
    fields: &[Attribute],
    filling: &mut Filling<'_, '_>,
    malformed: impl Fn(&str, &'static str) -> Denial,
) -> Result<Zeroizing<String>, Denial> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for Attribute { name, value } in fields {
        if token::find(name).next().is_some() {
            return Err(malformed(place, "has a token for a name"));
        }
        form.append_pair(name, &filling.fill(value, TokenPlace::Form)?);
    }
    Ok(Zeroizing::new(form.finish()))
}

/// A bare token is no JSON, so in a text that is, every token stands inside a string.
fn json(
    text: &str,
    filling: &mut Filling<'_, '_>,
    malformed: impl Fn(&str, &'static str) -> Denial,
) -> Result<Zeroizing<String>, Denial> {
    serde_json::from_str::<IgnoredAny>(text).map_err(|_| malformed("http.body", "is not JSON"))?;
    filling.fill(text, TokenPlace::Json)
}

impl Prepared {
    pub(super) fn method(&self) -> HttpMethod {
        self.method
    }

    pub(super) fn request(self, endpoint: &Endpoint) -> Request {
        let method = match self.method {
            HttpMethod::Get => reqwest::Method::GET,
            HttpMethod::Post => reqwest::Method::POST,
            HttpMethod::Put => reqwest::Method::PUT,
            HttpMethod::Patch => reqwest::Method::PATCH,
            HttpMethod::Delete => reqwest::Method::DELETE,
        };
        let mut request = Request::new(method, self.url);
        *request.headers_mut() = self.headers;
        *request.timeout_mut() = Some(endpoint.timeout());
        if let Some((media_type, body)) = self.body {
            request.headers_mut().insert(header::CONTENT_TYPE, media_type);
            *request.body_mut() = Some(body.to_vec().into());
        }
        request
    }
}

/// The value of `Authorization:` by HTTP Basic (RFC 7617); none when it cannot stand in a header.
pub(super) fn basic(user: &str, password: &Secret) -> Option<HeaderValue> {
    let pair = Zeroizing::new(format!("{user}:{}", password.as_str()));
    authorization(&format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

/// The value of `Authorization:`, kept out of debug output.
pub(super) fn authorization(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A response as it came.
pub struct Received {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Zeroizing<Vec<u8>>,
}

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// No connection came about.
    NotSent,
    /// The request left, or may have.
    InDoubt,
    /// The response is longer than the endpoint's may be.
    TooLong,
    /// The name leads to an address that the endpoint may not reach.
    Forbidden,
}

/// Sends and receives, at most `bytes_max` of a body.
pub(super) async fn exchange(client: &Client, request: Request, bytes_max: usize) -> Result<Received, Failed> {
    let mut response = client.execute(request).await.map_err(|error| judge(&error))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(|error| judge(&error))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(Failed::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Received { status, headers, body })
}

/// Only what failed while connecting is known not to have left. An error's text is not used: it has the URL in it.
fn judge(error: &reqwest::Error) -> Failed {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<Forbidden>() {
            return Failed::Forbidden;
        }
        cause = error.source();
    }
    if error.is_builder() || error.is_connect() { Failed::NotSent } else { Failed::InDoubt }
}

/// The part of a response's head that its stage may read, echoes of patient data masked.
pub(super) fn revealed(headers: &HeaderMap, placed: &Placed) -> Vec<Attribute> {
    let revealed = headers.iter().filter(|(name, value)| {
        let is_place = *name == header::LOCATION && value.to_str().is_ok_and(is_resource);
        is_place || REVEALED_HEADERS.contains(name) || is_rate_limit(name)
    });
    let attribute = |(name, value): (&HeaderName, &HeaderValue)| Attribute {
        name: name.as_str().to_string(),
        value: placed.mask(&String::from_utf8_lossy(value.as_bytes())),
    };
    revealed.map(attribute).collect()
}

/// `[base]/Task/9/_history/1`: where a FHIR server put what it was given (R4, RESTful API, 3.1.0.8 create), its id of the kind
/// `[A-Za-z0-9.-]{1,64}`. Any other location is the server's own words, and those could name a patient.
fn is_resource(location: &str) -> bool {
    let path = location.split_once("/_history/").map_or(location, |(path, _version)| path);
    let mut segments = path.rsplit('/');
    let (Some(id), Some(kind)) = (segments.next(), segments.next()) else { return false };
    let fits = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '.');
    let is_kind =
        kind.starts_with(|first: char| first.is_ascii_uppercase()) && kind.chars().all(|it| it.is_ascii_alphabetic());
    is_kind && (1..=64).contains(&id.len()) && id.chars().all(fits)
}

fn is_rate_limit(name: &HeaderName) -> bool {
    name.as_str().starts_with("ratelimit") || name.as_str().starts_with("x-ratelimit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_resource_s_place_is_told() {
        for (location, told) in [
            ("https://chart.example/r4/Task/9/_history/1", true),
            ("Task/40385f64-5717-4562-b3fc-2c963f66afa6", true),
            ("/to/+15125550143", false),
            ("/Patient/Ana%20Cruz", false),
            ("/Patient?name=Cruz", false),
            ("9", false),
            ("", false),
        ] {
            assert_eq!(is_resource(location), told, "{location}");
        }
    }

    #[test]
    fn a_path_cannot_climb() {
        for (path, good) in [
            ("/Task/9", true),
            ("/2010-04-01/Accounts/AC1/Messages.json", true),
            ("/Task/a%2Fb", true),
            ("/Task/..a", true),
            ("Task", false),
            ("", false),
            ("/Task/../Patient", false),
            ("/Task/./9", false),
            ("/Task/%2e%2E/Patient", false),
            ("/Task/a%2F..%2FPatient", false),
            ("/Task/..%5CPatient", false),
            ("/Task?x=1", false),
            ("/Task#x", false),
            ("/Task\\x", false),
            ("/Ta sk", false),
            ("/Täsk", false),
            ("/Task\r\nHost: x", false),
        ] {
            assert_eq!(path_fault(path).is_none(), good, "{path:?}");
        }
    }
}
