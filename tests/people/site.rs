//! A practice's month behind the listener for people, in this process: real referrals, real accounts, a clock that moves
//! when it is told to.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use chrono::TimeDelta;
use handoff_clock::Clock as _;
use handoff_engine::referral::Referral;
use handoff_host::{Host, PluginLimits};
use handoff_identity::role::Role;
use handoff_ingress::delivery::{Delivery, SenderProof, Transport};
use handoff_ingress::http::Scheme;
use handoff_instance::open::Storage;
use handoff_operations::accounts::{Add, Welcome};
use handoff_operations::operations::{Operations, Operator, Paths, Request as _};
use handoff_practice::SimulatedPatient;
use handoff_rehearsal::rehearsal::{Rehearsal, signing_key, start};
use handoff_store::index::MemoryRows;
use handoff_store::journal::SimDisk;
use handoff_store::{Record, Store, StoreOptions};
use handoff_vault::secrets::Secret;
use handoff_web::api::Api;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

const SEED: u64 = 11;
const REFERRALS: usize = 12;
const DAYS: u32 = 30;

/// Two weeks after the first orders some have no appointment.
const MIDWAY_REFERRALS: usize = 120;
const MIDWAY_DAYS: u32 = 18;

/// Who orders every referral of the rehearsed practice.
pub const REFERRING: &str = "1730155900";

/// Where browsers find Handoff.
pub const ORIGIN: &str = "https://handoff.example";

pub const METRICS_TOKEN: &str = "a monitoring system's token";

/// What somebody chose, by their name.
pub fn chosen(name: &str) -> String {
    format!("{} geese fly south", name.bytes().map(u32::from).sum::<u32>())
}

pub struct Site {
    pub data: TempDir,
    pub rehearsal: Rehearsal,
    pub operations: Arc<Operations>,
    pub router: Router,
}

/// What a browser holds of a session.
#[derive(Clone)]
pub struct Session {
    pub cookie: String,
    pub csrf: String,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{}: {error}", self.status))
    }

    /// The problem's name, without what is before it.
    pub fn problem(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem = self.json();
        for field in ["title", "detail", "help"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{problem} has no {field}");
        }
        assert_eq!(problem["status"], self.status.as_u16());
        problem["type"].as_str().expect("a type").trim_start_matches("urn:handoff:problem:").to_string()
    }
}

impl Site {
    /// The month has been lived through.
    pub async fn open() -> Site {
        let data = TempDir::new().expect("a folder");
        let rehearsal = Rehearsal::open(SEED, REFERRALS, DAYS, data.path()).await.expect("a rehearsal");
        rehearsal.run(|_| {}).await.expect("a month");
        Site::over(data, rehearsal)
    }

    /// The same without sockets, on a simulated disk that can be made to fail.
    pub async fn breakable() -> (Site, SimDisk) {
        Site::indoors(REFERRALS, DAYS).await
    }

    /// More referrals, and half of them under way.
    pub async fn midway() -> Site {
        Site::indoors(MIDWAY_REFERRALS, MIDWAY_DAYS).await.0
    }

    async fn indoors(referrals: usize, days: u32) -> (Site, SimDisk) {
        let data = TempDir::new().expect("a folder");
        let host = Host::new(PluginLimits::default(), Some(&data.path().join("compiled"))).expect("a host");
        let journal = SimDisk::new(SEED, None);
        let options = StoreOptions::new(data.path(), signing_key(SEED));
        let rows = Arc::new(MemoryRows::default());
        let (store, _) = Store::inline(Arc::new(journal.clone()), rows, options).expect("a store");
        let ground = Storage { host: Arc::new(host), store, keys: Arc::new(SimDisk::new(SEED, None)) };
        let plan =
            handoff_practice::PracticePlan { days, ..handoff_practice::PracticePlan::new(SEED, referrals, start()) };
        let rehearsal = Rehearsal::indoors(plan, data.path(), ground).expect("a rehearsal");
        rehearsal.run(|_| {}).await.expect("a month");
        (Site::over(data, rehearsal), journal)
    }

    fn over(data: TempDir, rehearsal: Rehearsal) -> Site {
        let operations = operations(&rehearsal, data.path());
        let metrics = Some(Secret::new(METRICS_TOKEN.into()));
        let router = Api::new(Arc::clone(&operations), Some(ORIGIN.into()), Scheme::Https, metrics).router();
        Site { data, rehearsal, operations, router }
    }

    pub fn people(&self) -> Vec<SimulatedPatient> {
        self.rehearsal.world().people()
    }

    pub fn advance(&self, step: TimeDelta) {
        self.rehearsal.clock().advance(step);
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("a router does not fail");
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body in memory");
        Answer { status: head.status, headers: head.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    pub async fn get(&self, session: Option<&Session>, path: &str) -> Answer {
        self.send(request(Method::GET, path, session, None)).await
    }

    pub async fn post(&self, session: Option<&Session>, path: &str, body: Value) -> Answer {
        self.send(request(Method::POST, path, session, Some(body))).await
    }

    /// Makes an account, as an operator does.
    pub async fn add(&self, name: &str, role: Role, provider: Option<&str>, second_factor: bool) -> Welcome {
        let operations = Arc::clone(&self.operations);
        let (name, provider) = (name.to_string(), provider.map(str::to_string));
        let operator = Operator { who: "root".into(), role: None, why: "a test".into() };
        let added = tokio::task::spawn_blocking(move || {
            Add { name, role, provider, password: None, second_factor }.perform(&operations, operator)
        });
        added.await.expect("no panic").expect("added")
    }

    /// Somebody with an account of their own who has just signed in for the first time.
    pub async fn welcome(&self, name: &str, role: Role, provider: Option<&str>) -> Session {
        let welcome = self.add(name, role, provider, false).await;
        let once = welcome.password.expect("one was made");
        let attempt = json!({ "name": name, "password": once.as_str(), "new_password": chosen(name) });
        session(&self.post(None, "/api/session", attempt).await)
    }

    /// Every record of the journal, with its place.
    pub fn records(&self) -> Vec<(u64, Record)> {
        let entries = self.operations.pipeline.store.entries(handoff_store::Position::START);
        let entries = entries.map(|entry| entry.expect("a sound journal"));
        entries.flat_map(|(at, entry)| entry.records.clone().into_iter().map(move |record| (at.0, record))).collect()
    }

    pub fn looks(&self) -> Vec<Record> {
        let records = self.records().into_iter().map(|(_, record)| record);
        records.filter(|record| matches!(record, Record::Looked { .. })).collect()
    }

    /// The referrals' ids, oldest first.
    pub fn referrals(&self) -> Vec<String> {
        let index = self.operations.pipeline.store.index();
        let listed = index.referrals(&Default::default(), None, 1_000).expect("an index");
        listed.into_iter().map(|listed| listed.id.to_string()).collect()
    }
}

impl Site {
    /// A referral whose note has come.
    pub fn noted(&self) -> String {
        self.referral_with(|referral| referral.facts.note.is_some())
    }

    /// A referral about which much was said.
    pub fn talkative(&self) -> String {
        self.referral_with(|referral| referral.facts.attempts.len() >= 3 && referral.facts.note.is_none())
    }

    /// The EHR orders one more, for a patient of this name.
    pub async fn order_for(&self, given: &str, family: &str) {
        let order = String::from_utf8(crate::mllp::order(7)).expect("the sample is UTF-8");
        let named = order.replacen("EVERYMAN^ADAM", &format!("{family}^{given}"), 1);
        assert_ne!(order, named, "the sample has another patient");
        let answer = self.told(named.into_bytes(), None).await;
        assert!(answer.contains("MSA|AA"), "it is taken");
    }

    /// Answers an HL7 message; `too_long` is how many bytes it had, where this is only its beginning.
    pub async fn told(&self, message: Vec<u8>, too_long: Option<u64>) -> String {
        let delivery = Delivery {
            transport: Transport::Mllp,
            source: "hl7".into(),
            url: String::new(),
            headers: Vec::new(),
            body: message,
            too_long,
            received_at: self.rehearsal.clock().now(),
            sender: SenderProof::Connection,
        };
        let answer = self.operations.pipeline.intake.take_order(delivery).await;
        String::from_utf8_lossy(&answer.body).into_owned()
    }

    /// A referral whose visit is over.
    pub fn awaiting_note(&self) -> String {
        self.referral_with(|referral| referral.state == "awaiting-note")
    }

    /// Whose a referral is, by the order's number.
    pub fn patient_of(&self, referral: &str) -> SimulatedPatient {
        let Operations { pipeline, .. } = &*self.operations;
        let id = referral.parse().expect("an id");
        let referral = pipeline.store.index().referral(&id).expect("an index").expect("a referral");
        let numbers = referral.facts.order.numbers.iter().map(|number| pipeline.vault.reveal(number, &pipeline.store));
        let numbers: Vec<String> = numbers.map(|number| number.expect("revealed").as_str().to_string()).collect();
        self.people().into_iter().find(|person| numbers.contains(&person.referral.number)).expect("whose it is")
    }

    fn referral_with(&self, wanted: impl Fn(&Referral) -> bool) -> String {
        let index = self.operations.pipeline.store.index();
        let has = |id: &String| {
            let id = id.parse().expect("an id");
            index.referral(&id).expect("an index").is_some_and(|referral| wanted(&referral))
        };
        self.referrals().into_iter().find(has).expect("somebody has it")
    }
}

fn operations(rehearsal: &Rehearsal, data: &Path) -> Arc<Operations> {
    let signing = data.join("journal.pem");
    handoff_instance::signing_key::establish(&signing, &signing_key(SEED)).expect("written");
    let paths = Paths {
        data: data.to_path_buf(),
        configuration: data.join("handoff.yaml"),
        workflow: data.join("referral.yaml"),
        signing,
        retention_years: 7,
    };
    Arc::new(Operations::new(rehearsal.pipeline(), paths).expect("an operations"))
}

/// What an answer to a sign-in gives a browser.
pub fn session(answer: &Answer) -> Session {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let cookie = answer.headers["set-cookie"].to_str().expect("a cookie");
    let (cookie, attributes) = cookie.split_once(';').expect("attributes");
    assert!(cookie.starts_with("__Host-"), "{cookie}");
    assert_eq!(attributes.trim(), "Path=/; Secure; HttpOnly; SameSite=Strict");
    let csrf = answer.json()["csrf"].as_str().expect("a token").to_string();
    Session { cookie: cookie.to_string(), csrf }
}

/// As Handoff's own page sends it.
pub fn request(method: Method, path: &str, session: Option<&Session>, body: Option<Value>) -> Request<Body> {
    let mut request = Request::builder().method(&method).uri(path).header("host", "handoff.example");
    if method != Method::GET {
        request = request.header("origin", ORIGIN);
    }
    if let Some(Session { cookie, csrf }) = session {
        request = request.header("cookie", format!("theme=dark; {cookie}")).header("x-csrf-token", csrf);
    }
    match body {
        Some(body) => {
            request.header("content-type", "application/json").body(Body::from(body.to_string())).expect("a request")
        }
        None => request.body(Body::empty()).expect("a request"),
    }
}
