//! A stand-in for Handoff: naive, but it reminds. Enough to rehearse the rehearsal.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{ACCOUNT, AUTH_TOKEN, nowhere};
use crate::carrier::signature::signature;
use crate::ehr::line::framed;
use crate::ehr::webhook;
use crate::specialists::{Network, Roster};
use crate::{Addresses, Handoff, Webhook, hours};

/// One referral as the peer sees it.
#[derive(Clone, Default)]
struct Case {
    referral: String,
    phone: String,
    email: String,
    /// An in-network specialist with room, where the order named another.
    rerouted_to: Option<usize>,
    visit: Option<DateTime<Utc>>,
    stopped: bool,
    noted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Text,
    Mail,
    Coordinate,
    Remind(DateTime<Utc>),
    AskForNote,
}

#[derive(Default)]
struct Book {
    now: DateTime<Utc>,
    cases: BTreeMap<String, Case>,
    seen: BTreeMap<String, u32>,
    due: BTreeMap<(DateTime<Utc>, String, u32), Step>,
    forged: u32,
    texts: u32,
}

type Shared = Arc<Mutex<Book>>;

pub struct Peer {
    book: Shared,
    pub handoff: Handoff,
    practice: Addresses,
    http: reqwest::Client,
}

const CALLBACK: &str = "https://handoff.example/callback";

impl Peer {
    pub async fn start(practice: Addresses, start: DateTime<Utc>) -> Peer {
        let book = Shared::default();
        lock(&book).now = start;
        let mllp = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let http = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let handoff = Handoff {
            mllp: mllp.local_addr().expect("an address"),
            http: format!("http://{}", http.local_addr().expect("an address")),
            webhook: Some(Webhook {
                url: format!("http://{}/orders", http.local_addr().expect("an address")),
                secret: AUTH_TOKEN.to_string(),
            }),
            ..nowhere()
        };
        let shared = book.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = mllp.accept().await {
                tokio::spawn(answer(stream, shared.clone()));
            }
        });
        let routes =
            Router::new().route("/callback", post(callback)).route("/orders", post(order)).with_state(book.clone());
        tokio::spawn(async move { axum::serve(http, routes).await });
        Peer { book, handoff, practice, http: reqwest::Client::new() }
    }

    pub fn next(&self) -> Option<DateTime<Utc>> {
        lock(&self.book).due.keys().next().map(|(at, _, _)| *at)
    }

    pub fn forged(&self) -> u32 {
        lock(&self.book).forged
    }

    pub async fn work(&self, now: DateTime<Utc>) {
        lock(&self.book).now = now;
        while self.next().is_some_and(|next| next <= now) {
            let taken = {
                let mut book = lock(&self.book);
                book.due
                    .pop_first()
                    .and_then(|((_, key, _), step)| book.cases.get(&key).cloned().map(|case| (case, step)))
            };
            let Some((case, step)) = taken else { continue };
            match step {
                Step::Text if case.visit.is_none() && !case.stopped => {
                    let whom = case.rerouted_to.map_or("the specialist", |place| roster()[place].phone);
                    self.text(&case, &format!("Your doctor referred you. Reply YES or call {whom}.")).await;
                }
                Step::Mail if case.visit.is_none() && !case.email.is_empty() => self.mail(&case).await,
                Step::Coordinate if case.visit.is_none() => self.task(&case, "stalled").await,
                Step::Remind(at) if case.visit == Some(at) && !case.stopped => {
                    self.text(&case, &format!("Reminder: your visit is on {}.", at.format("%A %d"))).await;
                }
                Step::AskForNote if case.visit.is_some() && !case.noted => self.task(&case, "nudge-note").await,
                Step::Text | Step::Mail | Step::Coordinate | Step::Remind(_) | Step::AskForNote => {}
            }
        }
    }

    async fn text(&self, case: &Case, text: &str) {
        let text = {
            let mut book = lock(&self.book);
            book.texts += 1;
            format!("{text} #{}", book.texts)
        };
        let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", self.practice.carrier);
        let form =
            [("To", case.phone.as_str()), ("From", "+13125550199"), ("Body", &text), ("StatusCallback", CALLBACK)];
        let request = self.http.post(url).basic_auth(ACCOUNT, Some(AUTH_TOKEN)).form(&form);
        // A text that fails is not repeated: the next reminder follows anyway.
        let _lost_on_bad_days = request.send().await;
    }

    async fn mail(&self, case: &Case) {
        let mut stream = BufReader::new(TcpStream::connect(self.practice.smtp).await.expect("connected"));
        let to = format!("RCPT TO:<{}>\r\n", case.email);
        let lines = [
            "EHLO peer\r\n",
            "MAIL FROM:<a@b>\r\n",
            &to,
            "DATA\r\n",
            "Subject: Your referral\r\n\r\nPlease call.\r\n.\r\n",
        ];
        for line in lines {
            stream.get_mut().write_all(line.as_bytes()).await.expect("writable");
            let mut answer = String::new();
            while !answer.starts_with(['5', '3']) && !answer.starts_with("250 ") {
                answer.clear();
                stream.read_line(&mut answer).await.expect("readable");
            }
            if answer.starts_with('5') {
                return;
            }
        }
    }

    async fn task(&self, case: &Case, why: &str) {
        let body = json!({
            "resourceType": "Task", "status": "requested", "intent": "order",
            "description": format!("{why}: referral {}", case.referral),
        });
        let url = format!("{}/Task", self.practice.fhir);
        let request = self.http.post(url).bearer_auth(crate::ACCESS_TOKEN).json(&body);
        assert_eq!(request.send().await.expect("an answer").status(), 201);
    }
}

/// As the practice of the default refers.
fn roster() -> Roster {
    Network::default().roster()
}

fn lock(book: &Shared) -> std::sync::MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn callback(
    State(book): State<Shared>,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> StatusCode {
    let mut book = lock(&book);
    if headers["x-twilio-signature"] != signature(AUTH_TOKEN, CALLBACK, &fields) {
        book.forged += 1;
        return StatusCode::FORBIDDEN;
    }
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    if field("OptOutType").as_deref() == Some("STOP") {
        let phone = field("From").unwrap_or_default();
        book.cases.values_mut().filter(|case| case.phone == phone).for_each(|case| case.stopped = true);
    }
    StatusCode::NO_CONTENT
}

/// Opened like one that came as HL7.
async fn order(State(book): State<Shared>, headers: HeaderMap, body: String) -> StatusCode {
    let mut book = lock(&book);
    if headers["x-signature"] != webhook::signature(AUTH_TOKEN, body.as_bytes()) {
        book.forged += 1;
        return StatusCode::FORBIDDEN;
    }
    let order: Value = serde_json::from_str(&body).expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let patient = &order["patient"];
    let case = Case {
        referral: text(&order["referral"]),
        phone: text(&patient["phones"][0]["number"]),
        email: text(&patient["emails"][0]),
        ..Case::default()
    };
    let record = text(&patient["identifiers"][0]["value"]);
    if !book.cases.contains_key(&record) {
        book.enter(record, case, &text(&order["coverages"][0]["plan_id"]), &body);
    }
    StatusCode::ACCEPTED
}

async fn answer(mut stream: TcpStream, book: Shared) {
    let mut bytes = Vec::new();
    let mut chunk = [0u8; 8192];
    while let Ok(count @ 1..) = stream.read(&mut chunk).await {
        bytes.extend_from_slice(&chunk[..count]);
        while let Some(end) = bytes.windows(2).position(|pair| pair == [0x1C, 0x0D]) {
            let frame: Vec<u8> = bytes.drain(..end + 2).collect();
            let message = String::from_utf8_lossy(&frame[1..end]).into_owned();
            let (code, id) = lock(&book).read(&message);
            let reply = format!("MSH|^~\\&|HANDOFF|NPC|||20260914||ACK|{id}|P|2.5.1\rMSA|{code}|{id}\r");
            if stream.write_all(&framed(reply.as_bytes())).await.is_err() {
                return;
            }
        }
    }
}

impl Book {
    fn read(&mut self, message: &str) -> (&'static str, String) {
        let field = |segment: &str, number: usize| {
            let found = message.split('\r').find(|line| line.starts_with(&format!("{segment}|")));
            found.and_then(|line| line.split('|').nth(number)).unwrap_or_default().to_string()
        };
        let id = field("MSH", 9);
        if id.is_empty() {
            return ("AR", id);
        }
        let record = field("PID", 3).split('^').next().unwrap_or_default().to_string();
        if record.is_empty() {
            return ("AE", id);
        }
        let seen = self.seen.entry(id.clone()).or_default();
        *seen += 1;
        if *seen > 1 {
            return ("AA", id);
        }
        match field("MSH", 8).split('^').nth(1).unwrap_or_default() {
            "I12" => self.open(record, message, &field),
            "I14" => {
                self.cases.remove(&record);
            }
            "S12" | "S13" => self.booked(record, &field("TQ1", 7)),
            "S15" | "S26" => {
                let follow_up = (hours::office(self.now + Duration::hours(3)), record.clone(), 90);
                self.due.insert(follow_up, Step::Text);
                self.cases.entry(record).or_default().visit = None;
            }
            "R01" | "T02" => self.cases.entry(record).or_default().noted = true,
            _ => {}
        }
        ("AA", id)
    }

    fn open(&mut self, record: String, message: &str, field: &impl Fn(&str, usize) -> String) {
        let telecoms = field("PID", 13);
        let mut telecoms = telecoms.split('~');
        let phone = telecoms.next().unwrap_or_default().replace("^PRN^CP^^1^", "+1").replace('^', "");
        let email = telecoms.next().unwrap_or_default().split('^').nth(3).unwrap_or_default().to_string();
        let referral = field("RF1", 6).split('^').next().unwrap_or_default().to_string();
        let case = Case { referral, phone, email, ..Case::default() };
        self.enter(record, case, &field("IN1", 3), message);
    }

    fn enter(&mut self, record: String, mut case: Case, plan: &str, message: &str) {
        let roster = roster();
        let named = roster.mentioned_in(message).unwrap_or_default();
        let fits = |place: &usize| roster[*place].takes(plan) && !roster[*place].full;
        if !fits(&named) {
            case.rerouted_to = roster.of_specialty(roster[named].specialties[0]).into_iter().find(fits);
        }
        self.cases.insert(record.clone(), case);
        for (nth, (hour, step)) in [
            (0, Step::Text),
            (24, Step::Mail),
            (48, Step::Text),
            (96, Step::Text),
            (168, Step::Text),
            (240, Step::Coordinate),
            (336, Step::Coordinate),
        ]
        .into_iter()
        .enumerate()
        {
            let at = hours::office(self.now + Duration::hours(hour));
            self.due.insert((at, record.clone(), u32::try_from(nth).unwrap_or_default()), step);
        }
    }

    fn booked(&mut self, record: String, starts: &str) {
        let starts = DateTime::parse_from_str(starts, "%Y%m%d%H%M%S%z").expect("a moment").with_timezone(&Utc);
        self.cases.entry(record.clone()).or_default().visit = Some(starts);
        for (nth, hours_before) in [(100, 48), (101, 22)] {
            let at = hours::awake(starts - Duration::hours(hours_before), chrono_tz::America::Chicago);
            self.due.insert((at.max(self.now), record.clone(), nth), Step::Remind(starts));
        }
        self.due.insert((hours::office(starts + Duration::days(7)), record, 102), Step::AskForNote);
    }
}
