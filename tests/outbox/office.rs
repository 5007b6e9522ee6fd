//! A house with two text vendors and an inbox, whose clock a test turns.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::SigningKey;
use handoff_clock::Clock;
use handoff_egress::egress::Egress;
use handoff_egress::endpoint::EndpointConfig;
use handoff_ingress::delivery::{Delivery, SenderProof, Transport};
use handoff_instance::open::InstanceParts;
use handoff_pipeline::deployments::{Catalogue, WorkflowSource};
use handoff_pipeline::pauses::OutreachLimits;
use handoff_pipeline::pipeline::Pipeline;
use handoff_store::{Position, Record};
use handoff_vault::MasterKey;
use handoff_vault::secrets::{Secret, Secrets};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tempfile::TempDir;

use super::vendor::{Mood, Vendor};
use crate::{house, mllp};

/// Texts each patient by the first vendor, and by the second where the workflow names it; tells the inbox of each order.
const WORKFLOW: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/outbox/workflow.yaml");

/// With which the vendors sign their callbacks.
pub const TWILIO_TOKEN: &str = "a test's token";

/// Noon in New York: texts may go.
const NOON: i64 = 1_790_006_400;

/// A clock that also goes back, and can be set wrong.
pub struct Hand {
    millis: AtomicI64,
    wrong_millis: AtomicI64,
}

impl Clock for Hand {
    fn now(&self) -> DateTime<Utc> {
        let millis = self.millis.load(Ordering::SeqCst) + self.wrong_millis.load(Ordering::SeqCst);
        DateTime::from_timestamp_millis(millis).expect("a moment")
    }

    fn steady(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.millis.load(Ordering::SeqCst)).expect("after 1970"))
    }

    fn is_kept(&self) -> bool {
        false
    }
}

impl Hand {
    pub fn set(&self, to: DateTime<Utc>) {
        self.millis.store(to.timestamp_millis(), Ordering::SeqCst);
    }

    pub fn turn(&self, by: TimeDelta) {
        self.millis.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }

    /// Somebody sets it while no time passes.
    pub fn set_wrong(&self, by: TimeDelta) {
        self.wrong_millis.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }
}

pub struct Office {
    pub pipeline: Arc<Pipeline>,
    pub clock: Arc<Hand>,
    pub first: Vendor,
    pub second: Vendor,
    pub inbox: Vendor,
    data: TempDir,
}

/// How an office differs from the usual one.
#[derive(Default)]
pub struct Custom {
    /// Lines of the first vendor's endpoint.
    pub endpoint: &'static str,
    pub has_no_second: bool,
    /// The first vendor's plugin panics whatever it is asked.
    pub first_panics: bool,
    pub sequential: bool,
    pub outreach: OutreachLimits,
}

impl Office {
    pub async fn open(mood: Mood, custom: Custom) -> Office {
        let clock = Arc::new(Hand { millis: AtomicI64::new(NOON * 1000), wrong_millis: AtomicI64::new(0) });
        let [first, second, inbox] = [mood, Mood::Well, Mood::Well].map(|mood| Vendor::open(mood, clock.clone()));
        let vendors = [first.await, second.await, inbox.await];
        let data = TempDir::new().expect("a folder");
        Office::begin(vendors, clock, data, custom)
    }

    /// The same house after somebody has pulled the plug: what was under way is not finished.
    pub fn reopen(self, custom: Custom) -> Office {
        let Office { pipeline, clock, first, second, inbox, data } = self;
        assert_eq!(Arc::strong_count(&pipeline), 1, "somebody still works there");
        drop(pipeline);
        Office::begin([first, second, inbox], clock, data, custom)
    }

    fn begin([first, second, inbox]: [Vendor; 3], clock: Arc<Hand>, data: TempDir, custom: Custom) -> Office {
        let endpoint = |vendor: &Vendor, more: &str| {
            let (url, baa) = (&vendor.url, r#""baa": {"reference": "test"}"#);
            let json = format!(r#"{{"url": "{url}", "allow_private": true, "timeout_seconds": 60, {baa}{more}}}"#);
            serde_json::from_str::<EndpointConfig>(&json).expect("an endpoint")
        };
        let endpoints = BTreeMap::from([
            ("first".to_string(), endpoint(&first, custom.endpoint)),
            ("second".to_string(), endpoint(&second, "")),
            ("inbox".to_string(), endpoint(&inbox, "")),
        ]);
        let mut workflow = WorkflowSource::read(Path::new(WORKFLOW)).expect("the workflow of this test");
        if custom.has_no_second {
            let text = &mut workflow.text;
            let second = text.find("    second:").expect("a second vendor")..text.find("  reply:").expect("a stage");
            text.replace_range(second, "");
        }
        let mut plugins = Catalogue::default();
        if custom.first_panics {
            let folder = data.path().join("plugins");
            std::fs::create_dir(&folder).expect("a folder");
            std::fs::write(folder.join("hostile.wasm"), house::hostile()).expect("a plugin");
            plugins = Catalogue { folder: Some(folder), unsigned_because: Some("a test".into()), ..plugins };
            let first = "plugin: hostile\n      channel: sms\n      endpoint: first\n      \
                         settings: { deed: tell by a panic }\n";
            let text = &mut workflow.text;
            let stage = text.find("plugin: outreach-twilio").expect("a first vendor");
            text.replace_range(stage..text.find("    second:").expect("a second vendor"), first);
        }
        let token = ("twilio-auth-token".to_string(), Secret::new(TWILIO_TOKEN.into()));
        let secrets = Arc::new(Secrets::from_iter([token]));
        let mut dice = StdRng::seed_from_u64(7);
        let pipeline = InstanceParts {
            outreach: custom.outreach,
            intake: Default::default(),
            country: Default::default(),
            begins_live: true,
            data: data.path().to_path_buf(),
            plugins,
            workflow,
            takes_workflow_up: true,
            master: MasterKey::generate(&mut dice),
            signing: SigningKey::from_bytes(&[7; 32]),
            secrets: Arc::clone(&secrets),
            egress: Egress::new(endpoints, secrets, clock.clone()).expect("an egress"),
            public_url: None,
            clock: clock.clone(),
            dice: Box::new(dice),
            sequential: custom.sequential,
        };
        let pipeline = Arc::new(pipeline.build().unwrap_or_else(|error| panic!("{error:?}")));
        Office { pipeline, clock, first, second, inbox, data }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// An order for a patient of its own.
    pub async fn order(&self, number: usize) {
        self.order_by_phone(number, &format!("^270^600{number:04}")).await;
    }

    /// As [`Office::order`], with this area code and number (PID-13, XTN-6 and 7).
    pub async fn order_by_phone(&self, number: usize, phone: &str) {
        let text = String::from_utf8(mllp::order(number)).expect("UTF-8");
        let text = text.replacen("PATID1234", &format!("PAT{number:06}"), 1).replacen("^270^6009800", phone, 1);
        let (source, received_at) = ("hl7".to_string(), self.now());
        let (url, headers) = (String::new(), Vec::new());
        let delivery = Delivery {
            transport: Transport::Mllp,
            source,
            url,
            headers,
            body: text.into_bytes(),
            too_long: None,
            received_at,
            sender: SenderProof::Connection,
        };
        let answer = self.pipeline.intake.take_order(delivery).await;
        assert!(String::from_utf8_lossy(&answer.body).contains("MSA|AA"), "order {number} is not taken");
    }

    pub async fn orders(&self, count: usize) {
        for number in 0..count {
            self.order(number).await;
        }
    }

    pub async fn settle(&self) {
        self.pipeline.settle().await.expect("settled");
    }

    /// Lives from due moment to due moment until then.
    pub async fn live_until(&self, end: DateTime<Utc>) {
        loop {
            self.settle().await;
            match self.pipeline.next_due() {
                Some(due) if due <= end => {
                    assert!(due > self.now(), "something is due and nothing happens");
                    self.clock.set(due);
                }
                Some(_) | None => return self.clock.set(end),
            }
        }
    }

    pub fn records(&self) -> Vec<Record> {
        let entries = self.pipeline.store.entries(Position::START.next());
        entries.flat_map(|entry| entry.expect("an entry").1.records.clone()).collect()
    }

    /// What a letter is called that waits for a person.
    pub fn dead(&self) -> Vec<String> {
        let dead = self.pipeline.store.index().dead_letters(Position::START, 100).expect("an index");
        dead.into_iter().map(|dead| dead.item).collect()
    }
}
