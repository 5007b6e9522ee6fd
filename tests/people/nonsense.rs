//! Whatever comes in, Handoff answers for itself: never with a failure of its own, never with what it was sent.

use axum::body::Body;
use axum::http::{Method, Request};
use handoff_identity::role::Role;
use handoff_web::api::{ROUTES, openapi};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::site::{ORIGIN, Session, Site};

/// Each is a request or two into a real store: a minute's worth.
const CASES: u32 = 400;

/// Stands for whatever somebody typed.
const TYPED: &str = "Everyman-Adam-270-555-0143";

#[test]
fn the_document_and_the_routes_are_the_same() {
    let document = serde_json::to_value(openapi::whole()).expect("JSON");
    let mut told: Vec<(String, String)> = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            told.push((path.clone(), method.to_uppercase()));
            let problem = &operation["responses"]["default"]["content"]["application/problem+json"];
            assert!(problem.is_object(), "{method} {path} has no problem");
        }
    }
    let mut known: Vec<(String, String)> =
        ROUTES.iter().map(|route| (route.path.to_string(), route.method.to_string())).collect();
    told.sort();
    known.sort();
    assert_eq!(told, known);
    assert!(document["components"]["schemas"]["Problem"].is_object());
    assert!(document["components"]["securitySchemes"]["session"].is_object());
}

/// A request as nobody means it.
#[derive(Clone, Debug)]
struct Nonsense {
    method: Method,
    path: String,
    query: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    who: usize,
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(Value::from(TYPED)),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let key = prop::sample::select(vec!["name", "password", "why", "reason", "role", "code", "new_password", "x"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6).prop_map(|pairs| Value::Object(
                pairs.into_iter().map(|(key, value)| (key.to_string(), value)).collect()
            )),
        ]
    })
}

fn nonsense() -> impl Strategy<Value = Nonsense> {
    let method = prop::sample::select(vec![Method::GET, Method::POST, Method::DELETE, Method::PUT, Method::HEAD]);
    let part = prop_oneof!["[A-Za-z0-9%._~-]{0,40}", Just(TYPED.to_string()), Just("%00%ff".to_string())];
    let path = (0..ROUTES.len(), part.clone()).prop_map(|(at, part)| {
        ROUTES[at]
            .path
            .replace("{id}", &part)
            .replace("{item}", &part)
            .replace("{name}", &part)
            .replace("{referral}", &part)
    });
    let key = prop::sample::select(vec!["limit", "after", "since", "type", "cursor", "state", "token", "from", "q"]);
    let query = prop::collection::vec((key, part), 0..3)
        .prop_map(|pairs| pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&"));
    let header = prop_oneof![
        Just(("content-type", "application/json".to_string())),
        Just(("content-type", "text/plain".to_string())),
        "[ -~]{0,30}".prop_map(|value| ("content-type", value)),
        "[ -~]{0,30}".prop_map(|value| ("origin", value)),
        "[ -~]{0,60}".prop_map(|value| ("cookie", value)),
        "[ -~]{0,60}".prop_map(|value| ("authorization", value)),
    ];
    let body = prop_oneof![
        value().prop_map(|value| value.to_string().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..200),
        Just(vec![b'['; 70_000]),
    ];
    (method, path, query, prop::collection::vec(header, 0..4), body, 0..6_usize)
        .prop_map(|(method, path, query, headers, body, who)| Nonsense { method, path, query, headers, body, who })
}

fn asked(nonsense: &Nonsense, sessions: &[Session]) -> Option<Request<Body>> {
    let uri = format!("{}?{}", nonsense.path, nonsense.query);
    let mut request = Request::builder().method(&nonsense.method).uri(uri).header("host", "handoff.example");
    // Mostly well brought in: what lies behind the guard is what is to be tried.
    if let Some(Session { cookie, csrf }) = sessions.get(nonsense.who) {
        request = request.header("cookie", cookie).header("x-csrf-token", csrf).header("origin", ORIGIN);
        request = request.header("content-type", "application/json");
    }
    let has = |request: &axum::http::request::Builder, name: &str| {
        request.headers_ref().is_some_and(|headers| headers.contains_key(name))
    };
    for (name, value) in &nonsense.headers {
        if !has(&request, name) {
            request = request.header(*name, value);
        }
    }
    request.body(Body::from(nonsense.body.clone())).ok()
}

#[test]
fn no_request_makes_the_house_fail_or_is_quoted() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let site = runtime.block_on(Site::open());
    let sessions: Vec<Session> = runtime.block_on(async {
        let mut sessions = Vec::new();
        for role in Role::ALL {
            let provider = (role == Role::Physician).then_some("1932745621");
            sessions.push(site.welcome(role.name(), role, provider).await);
        }
        sessions
    });
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let run = runner.run(&nonsense(), |nonsense| {
        let Some(asked) = asked(&nonsense, &sessions) else { return Ok(()) };
        let answer = runtime.block_on(site.send(asked));
        prop_assert!(!answer.status.is_server_error(), "{nonsense:?}: {}", answer.body);
        if !answer.status.is_success() && nonsense.method != Method::HEAD {
            prop_assert_eq!(&answer.headers["content-type"], "application/problem+json");
            prop_assert!(!answer.body.contains(TYPED), "{} quotes what was sent", answer.body);
        }
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(runtime.block_on(site.get(None, "/api/session")).json()["status"], json!(401));
}
