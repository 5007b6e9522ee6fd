//! A rehearsal: the whole line under a virtual clock, before a simulated practice on real sockets. The same plugins and
//! the same stations as in production; only the endpoints' addresses differ.

mod summary;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use ed25519_dalek::SigningKey;
use handoff_practice::{Addresses, Handoff, Practice, Purpose, Webhook};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;

pub use self::summary::Summary;
use crate::clock::{Clock as _, VirtualClock};
use crate::config::{HttpListener, Listen, MllpListener};
use crate::deployments::Source;
use crate::house::Plan;
use crate::line::Line;
use crate::line::egress::Egress;
use crate::line::egress::endpoint::EndpointConfig;
use crate::line::egress::secrets::{Secret, Secrets};
use crate::recipe;
use crate::service::{self, Service};
use crate::vault::MasterKey;

/// A Monday, so that the first orders come in on a working day.
const START: NaiveDate = NaiveDate::from_ymd_opt(2026, 3, 2).expect("a date");

/// What the carrier knows us by, as the recipe's settings have it.
const ACCOUNT: &str = "AC00000000000000000000000000000000";
const SMS_NUMBER: &str = "+15550100100";
pub const AUTH_TOKEN: &str = "a rehearsal's auth token";
pub const WEBHOOK_KEY: &str = "a rehearsal's webhook key";

/// After the practice's last day, letters already owed still leave for so long.
const AFTERMATH: Duration = Duration::days(2);

pub struct Rehearsal {
    practice: Practice,
    line: Arc<Line>,
    service: Service,
    clock: Arc<VirtualClock>,
    end: DateTime<Utc>,
}

/// What is shown while it runs.
pub struct Progress {
    pub day: i64,
    pub days: i64,
    pub orders: usize,
    pub texts: usize,
    pub mails: usize,
    pub visits: usize,
}

impl Rehearsal {
    /// Opens a practice and a line that serves it, both on loopback.
    ///
    /// # Errors
    /// When a socket, the data folder or a plugin cannot be opened.
    pub async fn open(seed: u64, referrals: usize, days: u32, data: &Path) -> anyhow::Result<Rehearsal> {
        let start = START.and_time(NaiveTime::MIN).and_utc();
        let mut plan = handoff_practice::Plan::new(seed, referrals, start);
        plan.days = days;
        let practice = Practice::start(plan).await?;
        let clock = Arc::new(VirtualClock::starting_at(start));
        let mut dice = StdRng::seed_from_u64(seed);
        let mut signing = [0u8; 32];
        dice.fill_bytes(&mut signing);
        let secrets = Arc::new(secrets(&practice.addresses()));
        let egress = Egress::new(endpoints(&practice.addresses())?, Arc::clone(&secrets), clock.clone())?;
        let line = Plan {
            data: data.to_path_buf(),
            plugins: None,
            workflow: workflow(),
            master: MasterKey::generate(&mut dice),
            signing: SigningKey::from_bytes(&signing),
            secrets,
            egress,
            public_url: Some(PUBLIC_URL.into()),
            clock: clock.clone(),
            dice: Box::new(dice),
            sequential: true,
        }
        .build()?;
        let line = Arc::new(line);
        let any = "127.0.0.1:0".parse().context("loopback")?;
        let listen = Listen {
            mllp: vec![MllpListener { source: "hl7".into(), address: any }],
            http: HttpListener { address: any, public_url: Some(PUBLIC_URL.into()) },
        };
        let service = service::start(&listen, Arc::clone(&line)).await?;
        practice.connect(Handoff {
            mllp: *service.mllp.first().context("an MLLP listener")?,
            http: format!("http://{}", service.http),
            public_url: PUBLIC_URL.into(),
            callback_url: format!("{PUBLIC_URL}/callback/sms"),
            twilio_account: ACCOUNT.into(),
            twilio_auth_token: AUTH_TOKEN.into(),
            sms_number: SMS_NUMBER.into(),
            webhook: Some(Webhook { url: format!("http://{}/in/webhook", service.http), secret: WEBHOOK_KEY.into() }),
        });
        let end = start + Duration::days(i64::from(days)) + AFTERMATH;
        Ok(Rehearsal { practice, line, service, clock, end })
    }

    /// Lives through it. Both sides take turns: the clock moves only when neither has anything left to do.
    ///
    /// # Errors
    /// When the line's journal or index fails, or the practice cannot go on.
    pub async fn run(&self, mut report: impl FnMut(Progress)) -> anyhow::Result<()> {
        let start = self.clock.now();
        let mut day = -1;
        loop {
            let now = self.clock.now();
            self.practice.act(now).await?;
            self.line.settle().await?;
            if (now - start).num_days() > day {
                day = (now - start).num_days();
                report(self.progress(day, (self.end - start).num_days()));
            }
            let next = [self.practice.next_action(), self.line.next_due()].into_iter().flatten().min();
            match next {
                Some(next) if next <= self.end => self.clock.advance_to(next.max(now)),
                _ => return Ok(()),
            }
        }
    }

    fn progress(&self, day: i64, days: i64) -> Progress {
        let ledger = self.practice.ledger();
        Progress {
            day,
            days,
            orders: ledger.sent.iter().filter(|sent| sent.purpose == Purpose::Order).count(),
            texts: ledger.texts.len(),
            mails: ledger.mails.len(),
            visits: ledger.visits.len(),
        }
    }

    /// What came of it, counted on both sides.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn summary(&self) -> anyhow::Result<Summary> {
        Summary::of(&self.line, &self.practice, self.clock.now())
    }

    /// The world outside, which keeps a ledger of its own.
    pub fn practice(&self) -> &Practice {
        &self.practice
    }

    pub async fn close(self) {
        self.service.close().await;
    }

    pub fn line(&self) -> Arc<Line> {
        Arc::clone(&self.line)
    }
}

/// The line believes to be reached here; the practice knows the port that is really open.
const PUBLIC_URL: &str = "https://handoff.example";

/// The recipe as it is shipped; its settings files name this practice's chart, roster, carrier account and webhook key.
fn workflow() -> Source {
    let systems = json!({ "NPC": handoff_practice::RECORD_SYSTEM });
    let ours = "urn:northside:handoff";
    let settings = [
        ("network", handoff_practice::roster_settings()),
        ("sms", json!({ "account_sid": ACCOUNT, "from": SMS_NUMBER })),
        ("records", json!({ "identifier_systems": systems, "consent_codes": { "sms": ["text-message"] } })),
        (
            "chart",
            json!({
                "identifier_systems": systems,
                "order_system": handoff_practice::REFERRAL_SYSTEM,
                "identifier_system": ours,
            }),
        ),
        (
            "escalation",
            json!({
                "patient_system": handoff_practice::RECORD_SYSTEM,
                "order_system": handoff_practice::REFERRAL_SYSTEM,
                "identifier_system": ours,
            }),
        ),
    ];
    let mut source = recipe::source();
    source.files.extend(settings.into_iter().map(|(stage, it)| (format!("settings/{stage}.yaml"), it.to_string())));
    source
}

fn secrets(addresses: &Addresses) -> Secrets {
    let secrets = [
        ("ehr-password", addresses.fhir_token.as_str()),
        ("twilio-auth-token", AUTH_TOKEN),
        ("webhook-key", WEBHOOK_KEY),
    ];
    secrets.into_iter().map(|(name, text)| (name.to_string(), Secret::new(text.to_string()))).collect()
}

/// As an IT director writes them; only the addresses are this rehearsal's own.
fn endpoints(addresses: &Addresses) -> anyhow::Result<BTreeMap<String, EndpointConfig>> {
    let Addresses { carrier, fhir, smtp, .. } = addresses;
    let yaml = format!(
        "ehr:  {{ url: {fhir:?}, allow_private: true, baa: {{ reference: rehearsal }},
                  credentials: {{ kind: basic, user: handoff, password: ehr-password }} }}
sms:  {{ url: {carrier:?}, allow_private: true, baa: {{ reference: rehearsal }},
                  credentials: {{ kind: basic, user: {ACCOUNT}, password: twilio-auth-token }} }}
mail: {{ url: \"smtp://{smtp}\", allow_private: true, baa: {{ reference: rehearsal }} }}
"
    );
    serde_saphyr::from_str(&yaml).context("the rehearsal's endpoints")
}
