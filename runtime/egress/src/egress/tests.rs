//! The way out on real sockets: what leaves, what does not, and what a stage gets to see of the answer.

mod hostile;
mod mail;
mod ways;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request as Received, State};
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use handoff_clock::VirtualClock;
use handoff_engine::ids::{ReferralId, Token};
use handoff_host::contract::exchange::{Body, JsonAs, Method};
use handoff_host::contract::types::Attribute;
use handoff_mllp::frame;
use handoff_vault::{MasterKey, MemoryLookup, Vault, system_dice};
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::*;

/// An instance with one patient, `Ana "Nena" Cruz`, +1 512 555 0143.
struct House {
    _dir: tempfile::TempDir,
    vault: Vault,
    index: MemoryLookup,
    patient: PatientId,
    name: Token,
    phone: Token,
    foreign: Token,
}

const NAME: &str = "Ana \"Nena\" Cruz";
const PHONE: &str = "+15125550143";

fn vault(dir: &Path) -> Vault {
    let mut dice = system_dice();
    Vault::open(dir, MasterKey::generate(&mut *dice), dice, 0).expect("opened")
}

fn house() -> House {
    let dir = tempfile::tempdir().expect("a directory");
    let (vault, index) = (vault(dir.path()), MemoryLookup::default());
    let (patient, other) = (vault.patient_id("MAIN", "1"), vault.patient_id("MAIN", "2"));
    let mut sealing = vault.sealing(&index);
    let (name, phone) = (sealing.seal(&patient, "name", NAME), sealing.seal(&patient, "phone", PHONE));
    let foreign = sealing.seal(&other, "phone", "+15125550199");
    index.apply(sealing.finish().expect("finished"));
    House { _dir: dir, vault, index, patient, name, phone, foreign }
}

impl House {
    async fn perform(&self, egress: &Egress, ask: Ask) -> Result<Performed, Denial> {
        self.perform_for(1, egress, ask).await
    }

    /// For the patient's letter of that number.
    async fn perform_for(&self, number: u32, egress: &Egress, ask: Ask) -> Result<Performed, Denial> {
        let referral = ReferralId::derive(now(), b"a referral");
        let grant = Grant {
            letter: LetterId { referral, number },
            again: 0,
            stage: "outreach.sms".into(),
            endpoints: vec!["out".into(), "gone".into()],
            reveal: vec!["sid".into(), "message".into()],
            patient: self.patient.clone(),
        };
        let mut sealing = self.vault.sealing(&self.index);
        let performed = egress.perform(&grant, &ask, &mut sealing).await;
        self.index.apply(sealing.finish().expect("finished"));
        performed
    }

    fn clear(&self, token: &str) -> String {
        self.vault.reveal(&Token(token.into()), &self.index).expect("sealed").as_str().to_string()
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).expect("a moment")
}

/// One endpoint, `out`; `more` are further lines of its JSON.
fn egress(url: &str, more: &str) -> Egress {
    let json = format!(
        r#"{{"url": "{url}", "allow_private": true, "baa": {{"reference": "BAA-7"}}, "timeout_seconds": 2{more}}}"#
    );
    let config: EndpointConfig = serde_json::from_str(&json).expect("a configuration");
    let secrets = Secrets::from_iter([("pw".to_string(), Secret::new("s3cret".into()))]);
    let clock = Arc::new(VirtualClock::starting_at(now()));
    Egress::new(BTreeMap::from([("out".to_string(), config)]), Arc::new(secrets), clock).expect("an egress")
}

fn attribute(name: &str, value: impl Into<String>) -> Attribute {
    Attribute { name: name.into(), value: value.into() }
}

fn http(method: Method, path: &str, body: Body) -> Ask {
    let request = HttpRequest { method, path: path.into(), query: Vec::new(), headers: Vec::new(), body };
    Ask { endpoint: "out".into(), request: Request::Http(request), reveal: Vec::new(), state: String::new() }
}

fn post(body: Body) -> Ask {
    http(Method::Post, "/Messages", body)
}

fn answered(performed: Result<Performed, Denial>) -> HttpResponse {
    match performed {
        Ok(Performed::Answered(Response::Http(response))) => response,
        other => panic!("{other:?}"),
    }
}

/// What a vendor got: method and URL, authorization, content type, body.
type Log = Arc<Mutex<Vec<[String; 4]>>>;

async fn keep(log: &Log, request: Received) {
    let (head, body) = request.into_parts();
    let header =
        |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_string();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let line = format!("{} {}", head.method, head.uri);
    let entry = [line, header("authorization"), header("content-type"), String::from_utf8_lossy(&body).into_owned()];
    log.lock().push(entry);
}

/// A vendor that keeps what it gets and answers `status`, `content_type`, `body`.
async fn vendor(status: u16, content_type: &'static str, body: &'static str) -> (String, Log) {
    let log = Log::default();
    let serve = async move |State(log): State<Log>, request: Received| {
        keep(&log, request).await;
        let status = axum::http::StatusCode::from_u16(status).expect("a status");
        let headers = [("content-type", content_type), ("location", "/to/+15125550143"), ("set-cookie", "a=b")];
        (status, headers, body).into_response()
    };
    let router = Router::new().fallback(serve).with_state(Arc::clone(&log));
    (listen(router).await, log)
}

async fn listen(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A port that takes connections and does `work` with each.
async fn raw<F>(scheme: &str, work: impl Fn(tokio::net::TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("{scheme}://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(work(stream));
        }
    });
    url
}

#[tokio::test]
async fn patient_data_arrives_escaped_for_its_place_and_comes_back_as_tokens() {
    let house = house();
    let answer =
        r#"{"sid":"SM1","message":"cannot reach +15125550143","to":"+15125550143","name":"Ana \"Nena\" Cruz","n":1}"#;
    let (url, log) = vendor(201, "application/json", answer).await;
    let credentials = r#", "credentials": {"kind": "basic", "user": "AC1", "password": "pw"}"#;
    let egress = egress(&format!("{url}/base/"), credentials);
    let (name, phone) = (&house.name.0, &house.phone.0);
    let mut ask = http(
        Method::Post,
        &format!("/to/{phone}"),
        Body::Form(vec![attribute("To", phone), attribute("Body", format!("Hi {name} & co"))]),
    );
    if let Request::Http(request) = &mut ask.request {
        request.query = vec![attribute("q", format!("{name}=1"))];
    }
    ask.reveal = vec!["sid".into(), "message".into()];
    let response = answered(house.perform(&egress, ask).await);
    {
        let log = log.lock();
        let [line, authorization, content_type, body] = &log[0];
        assert_eq!(line, "POST /base/to/%2B15125550143?q=Ana+%22Nena%22+Cruz%3D1");
        assert_eq!(authorization, "Basic QUMxOnMzY3JldA==");
        assert_eq!(content_type, "application/x-www-form-urlencoded");
        assert_eq!(body, "To=%2B15125550143&Body=Hi+Ana+%22Nena%22+Cruz+%26+co");
    }
    assert_eq!(response.status, 201);
    assert!(!response.body.contains("555") && !response.body.contains("Cruz"), "{}", response.body);
    let seen: serde_json::Value = serde_json::from_str(&response.body).expect("JSON");
    assert_eq!((&seen["sid"], &seen["n"]), (&"SM1".into(), &1.into()));
    assert_eq!(seen["message"], format!("cannot reach {phone}"), "granted, but an echo stays a token");
    assert_eq!(house.clear(seen["to"].as_str().expect("a token")), PHONE);
    assert_eq!(house.clear(seen["name"].as_str().expect("a token")), NAME);
    let header = |name: &str| response.headers.iter().find(|header| header.name == name).map(|it| it.value.as_str());
    assert_eq!(header("location"), None, "no resource's place, but the vendor's words");
    assert_eq!(header("set-cookie"), None);
}

#[tokio::test]
async fn json_bodies_keep_their_bytes_around_the_tokens() {
    let house = house();
    let (url, log) = vendor(200, "text/plain", "thank you, Ana").await;
    let egress = egress(&url, r#", "credentials": {"kind": "bearer", "token": "pw", "prefix": "Token token="}"#);
    let text = format!(r#"{{"n": 1.10, "name":"{}"}}"#, house.name);
    let json_as = JsonAs { media_type: "application/fhir+json".into(), text: text.clone() };
    answered(house.perform(&egress, post(Body::JsonAs(json_as))).await);
    let response = answered(house.perform(&egress, post(Body::Json(text))).await);
    let log = log.lock();
    let sent = r#"{"n": 1.10, "name":"Ana \"Nena\" Cruz"}"#;
    assert_eq!(log[0][1..], ["Token token=s3cret", "application/fhir+json", sent]);
    assert_eq!(log[1][1..], ["Token token=s3cret", "application/json", sent]);
    assert_eq!(house.clear(&response.body), "thank you, Ana");
}

#[tokio::test]
async fn what_may_not_leave_does_not() {
    let house = house();
    let (url, log) = vendor(200, "application/json", "{}").await;
    let open = egress(&url, r#", "methods": ["POST"], "paths": ["/Messages"]"#);
    let no_baa = {
        let config = format!(r#"{{"url": "{url}", "allow_private": true}}"#);
        let config = serde_json::from_str(&config).expect("a configuration");
        let clock = Arc::new(VirtualClock::starting_at(now()));
        Egress::new(BTreeMap::from([("out".to_string(), config)]), Arc::default(), clock).expect("an egress")
    };
    let form = |value: &str| Body::Form(vec![attribute("To", value)]);
    let with_header = |name: &str, value: &str| {
        let mut ask = post(Body::Empty);
        if let Request::Http(request) = &mut ask.request {
            request.headers = vec![attribute(name, value)];
        }
        ask
    };
    let elsewhere = |endpoint: &str| Ask { endpoint: endpoint.into(), ..post(Body::Empty) };
    let revealing = Ask { reveal: vec!["sid".into(), "entry[].id".into()], ..post(Body::Empty) };
    let mllp = Ask { request: Request::Mllp("MSH|^~\\&|".into()), ..post(Body::Empty) };
    let unknown = format!("ZPHIG00C{}", "0".repeat(26));
    for (egress, ask, expected) in [
        (&open, elsewhere("other"), "EndpointNotGranted"),
        (&open, elsewhere("gone"), "UnknownEndpoint"),
        (&open, revealing, "RevealNotGranted"),
        (&open, mllp, "OtherProtocol"),
        (&open, http(Method::Get, "/Messages", Body::Empty), "MethodNotAllowed"),
        (&open, http(Method::Post, "/Accounts", Body::Empty), "PathNotAllowed"),
        (&open, http(Method::Post, "/Messages/../Accounts", Body::Empty), "Malformed"),
        (&open, post(form(&house.foreign.0)), "ForeignToken"),
        (&open, post(form(&unknown)), "Sealed"),
        (&open, post(Body::Form(vec![attribute(&house.name.0, "x")])), "Malformed"),
        (&open, post(Body::Json(format!(r#"{{"a": {}}}"#, house.name))), "Malformed"),
        (&open, with_header("Authorization", "Bearer x"), "Malformed"),
        (&open, with_header("X-Name", "a\r\nX-Evil: 1"), "Malformed"),
        (&no_baa, post(form(&house.phone.0)), "NoAgreement"),
    ] {
        let denial = house.perform(egress, ask).await.expect_err(expected);
        assert!(format!("{denial:?}").starts_with(expected), "{expected}: {denial:?}");
        let shown = format!("{denial:?} {denial}");
        assert!(!shown.contains("5550") && !shown.contains("Nena") && !shown.contains("s3cret"), "{shown}");
    }
    assert!(log.lock().is_empty());
    assert_eq!(answered(house.perform(&no_baa, post(form("no patient data"))).await).status, 200);
}

#[tokio::test]
async fn an_agreement_holds_to_the_end_of_its_last_day() {
    let house = house();
    let (url, _) = vendor(200, "application/json", "{}").await;
    for (expires, allowed) in [("2026-09-21", true), ("2026-09-20", false)] {
        let json = format!(
            r#"{{"url": "{url}", "allow_private": true, "baa": {{"reference": "x", "expires": "{expires}"}}}}"#
        );
        let config = serde_json::from_str(&json).expect("a configuration");
        let clock = Arc::new(VirtualClock::starting_at(now()));
        let egress =
            Egress::new(BTreeMap::from([("out".to_string(), config)]), Arc::default(), clock).expect("an egress");
        let performed = house.perform(&egress, post(Body::Form(vec![attribute("To", &house.phone.0)]))).await;
        assert_eq!(performed.is_ok(), allowed, "{} against {expires}", now().date_naive());
    }
}

#[tokio::test]
async fn silence_is_judged_by_whether_the_request_left() {
    let house = house();
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    let hangs_up = raw("http", async |mut stream| stream.read(&mut [0; 64]).await.map(drop)).await;
    let silent = raw("http", async |mut stream| {
        loop {
            if stream.read(&mut [0; 4096]).await? == 0 {
                return Ok(());
            }
        }
    })
    .await;
    let cut_off = raw("http", async |mut stream| {
        let _request = stream.read(&mut [0; 4096]).await?;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await
    })
    .await;
    for (url, left) in [(closed, false), (hangs_up, true), (silent, true), (cut_off, true)] {
        let performed = house.perform(&egress(&url, ""), post(Body::Json("{}".into()))).await;
        match performed {
            Ok(Performed::NotSent(_)) => assert!(!left, "{url}"),
            Ok(Performed::InDoubt(_)) => assert!(left, "{url}"),
            other => panic!("{url}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_long_answer_and_a_redirect_go_no_further() {
    let house = house();
    let (url, _) = vendor(200, "application/json", r#"{"a":"0123456789"}"#).await;
    let egress_small = egress(&url, r#", "response_bytes_max": 17"#);
    let denial = house.perform(&egress_small, http(Method::Get, "/x", Body::Empty)).await;
    assert!(matches!(denial, Err(Denial::ResponseTooLong { bytes_max: 17, .. })));
    assert!(matches!(house.perform(&egress_small, post(Body::Empty)).await, Ok(Performed::InDoubt(_))));
    let egress_fits = egress(&url, r#", "response_bytes_max": 18"#);
    assert_eq!(answered(house.perform(&egress_fits, post(Body::Empty)).await).status, 200);

    let (url, log) = vendor(307, "text/plain", "").await;
    assert_eq!(answered(house.perform(&egress(&url, ""), post(Body::Empty)).await).status, 307);
    assert_eq!(log.lock().len(), 1);
}

#[tokio::test]
async fn a_name_that_leads_home_is_refused_without_leave() {
    let house = house();
    let json = r#"{"url": "https://localhost:1"}"#;
    let config = serde_json::from_str(json).expect("a configuration");
    let clock = Arc::new(VirtualClock::starting_at(now()));
    let egress = Egress::new(BTreeMap::from([("out".to_string(), config)]), Arc::default(), clock).expect("an egress");
    let denial = house.perform(&egress, post(Body::Empty)).await.expect_err("denied");
    assert!(matches!(denial, Denial::AddressForbidden { .. }), "{denial:?}");
    assert!(denial.to_string().ends_with("    out:\n      allow_private: true"));
}

#[tokio::test]
async fn an_access_token_is_fetched_once_and_again_when_it_was_refused() {
    let house = house();
    let fetched = Arc::new(AtomicUsize::new(0));
    let log = Log::default();
    let router = Router::new()
        .route(
            "/token",
            axum::routing::post({
                let (fetched, log) = (Arc::clone(&fetched), Log::clone(&log));
                async move |request: Received| {
                    keep(&log, request).await;
                    let count = fetched.fetch_add(1, Ordering::SeqCst);
                    axum::Json(serde_json::json!({ "access_token": format!("t{count}"), "expires_in": 3600 }))
                }
            }),
        )
        .fallback(async |request: Received| match request.headers()["authorization"].to_str() {
            Ok("Bearer t1") => axum::http::StatusCode::OK,
            Ok(_) | Err(_) => axum::http::StatusCode::UNAUTHORIZED,
        });
    let url = listen(router).await;
    let credentials = |path: &str| {
        format!(
            r#", "credentials": {{"kind": "oauth2", "token_url": "{url}/{path}", "client_id": "us", "client_secret": "pw", "scopes": ["a", "b"]}}"#
        )
    };
    let out = egress(&url, &credentials("token"));
    for status in [401, 200, 200] {
        assert_eq!(answered(house.perform(&out, post(Body::Empty)).await).status, status);
    }
    assert_eq!(fetched.load(Ordering::SeqCst), 2);
    assert_eq!(log.lock()[0][1], "Basic dXM6czNjcmV0");
    assert_eq!(log.lock()[0][3], "grant_type=client_credentials&scope=a+b");
    let refused = egress(&url, &credentials("nothing-here"));
    let denial = house.perform(&refused, post(Body::Empty)).await.expect_err("no token");
    assert!(denial.to_string().contains("the token endpoint answered 401"), "{denial}");
}

#[tokio::test]
async fn a_message_over_mllp_is_escaped_acknowledged_and_stripped() {
    let house = house();
    let got: Arc<Mutex<Vec<u8>>> = Arc::default();
    let keeper = Arc::clone(&got);
    let url = raw("mllp", move |mut stream| {
        let got = Arc::clone(&keeper);
        async move {
            let mut chunk = [0; 4096];
            let count = stream.read(&mut chunk).await?;
            got.lock().extend_from_slice(&chunk[..count]);
            let answer = frame(b"MSH|^~\\&|EHR\rMSA|AE|7|Cruz is unknown\rPID|1||Cruz\r");
            stream.write_all(&answer[..9]).await?;
            stream.write_all(&answer[9..]).await
        }
    })
    .await;
    let mut sealing = house.vault.sealing(&house.index);
    let note = sealing.seal(&house.patient, "note", "a|b\rPV1|x");
    house.index.apply(sealing.finish().expect("finished"));
    let ask = |text: String| Ask { request: Request::Mllp(text), ..post(Body::Empty) };
    let performed = house.perform(&egress(&url, ""), ask(format!("MSH|^~\\&|H\rOBX|1|{note}\r"))).await;
    let Ok(Performed::Answered(Response::Mllp(answer))) = performed else { panic!("{performed:?}") };
    let sent = frame(b"MSH|^~\\&|H\rOBX|1|a\\F\\b\\X0D\\PV1\\F\\x\r");
    assert_eq!(*got.lock(), sent);
    let text = answer.strip_prefix("MSH|^~\\&|EHR\rMSA|AE|7|").and_then(|rest| rest.strip_suffix('\r')).expect(&answer);
    assert_eq!(house.clear(text), "Cruz is unknown");
    let breaks_out = ask("MSH|^~\\&|\u{1c}\r\u{b}MSH|".into());
    assert!(matches!(house.perform(&egress(&url, ""), breaks_out).await, Err(Denial::Malformed { .. })));
    let mute = raw("mllp", async |_| Ok(())).await;
    let performed = house.perform(&egress(&mute, ""), ask("MSH|^~\\&|H\r".into())).await;
    assert!(matches!(performed, Ok(Performed::InDoubt(_))), "{performed:?}");
}

#[tokio::test]
async fn every_request_that_changes_something_carries_its_letters_key() {
    let house = house();
    let keys = Arc::new(Mutex::new(Vec::new()));
    let serve = async move |State(keys): State<Arc<Mutex<Vec<String>>>>, request: Received| {
        let key = request.headers().get("idempotency-key").map(|key| key.to_str().expect("text").to_string());
        keys.lock().push(key.unwrap_or_default());
    };
    let out = egress(&listen(Router::new().fallback(serve).with_state(Arc::clone(&keys))).await, "");
    let mut own = post(Body::Empty);
    if let Request::Http(request) = &mut own.request {
        request.headers = vec![attribute("Idempotency-Key", "the plugin's own")];
    }
    let later = Body::Json(r#"{"lastModified": "now"}"#.into());
    for (number, ask) in [
        (1, post(Body::Empty)),
        (1, post(later)),
        (2, post(Body::Empty)),
        (1, http(Method::Post, "/Task", Body::Empty)),
        (1, http(Method::Put, "/Messages", Body::Empty)),
        (1, http(Method::Get, "/Messages", Body::Empty)),
        (1, own),
    ] {
        house.perform_for(number, &out, ask).await.expect("sent");
    }
    let keys = keys.lock().clone();
    assert_eq!((keys[0].len(), &keys[0]), (32, &keys[1]), "the next attempt, however its body differs");
    let others: std::collections::BTreeSet<&String> = [0, 2, 3, 4].map(|at| &keys[at]).into();
    assert_eq!(others.len(), 4, "other letters, paths and methods have keys of their own: {keys:?}");
    assert_eq!(keys[5..], ["", "the plugin's own"]);
}

#[test]
fn an_endpoint_needs_the_secrets_it_names() {
    let json = r#"{"url": "https://api.vendor.example", "credentials": {"kind": "basic", "user": "a", "password": "nobody's"}}"#;
    let config = serde_json::from_str(json).expect("a configuration");
    let clock = Arc::new(VirtualClock::starting_at(now()));
    let made = Egress::new(BTreeMap::from([("out".to_string(), config)]), Arc::default(), clock);
    assert!(matches!(made, Err(EgressError::Endpoint(EndpointError::NoSecret { .. }))));
}

#[tokio::test]
async fn time_limits_are_kept() {
    let house = house();
    let silent = raw("http", async |stream| {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
        Ok(())
    })
    .await;
    let began = std::time::Instant::now();
    let performed = house.perform(&egress(&silent, ""), post(Body::Empty)).await;
    assert!(matches!(performed, Ok(Performed::InDoubt(_))));
    assert!(began.elapsed() < Duration::from_secs(10), "two seconds are allowed");
}
