//! A rehearsal: the whole line under a virtual clock, before a simulated practice on real sockets or in one process. The
//! same plugins and the same stations as in production; only the endpoints' addresses differ.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use ed25519_dalek::SigningKey;
use handoff_clock::{Clock, VirtualClock};
use handoff_egress::egress::Egress;
use handoff_egress::endpoint::EndpointConfig;
use handoff_egress::transport::Wire;
use handoff_instance::config::{HttpListener, Listen, MllpListener};
use handoff_instance::open::{InstanceParts, Storage};
use handoff_pipeline::pipeline::Pipeline;
use handoff_practice::{Addresses, Handoff, PracticeServers, Profile, Purpose, Simulation, Webhook};
use handoff_server::service::{self, Service};
use handoff_vault::MasterKey;
use handoff_vault::secrets::{Secret, Secrets};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::in_process::{InProcessTransport, Outward};
use crate::script::{Neighbour, Script};
pub use crate::summary::Summary;

/// A Monday, so that the first orders come in on a working day.
const START: NaiveDate = NaiveDate::from_ymd_opt(2026, 3, 2).expect("a date");

/// What the carrier knows us by, as the recipe's settings have it.
pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000000";
pub(crate) const SMS_NUMBER: &str = "+15550100100";
/// The chart knows our own entries by it.
pub(crate) const OUR_SYSTEM: &str = "urn:northside:handoff";
pub const AUTH_TOKEN: &str = "a rehearsal's auth token";
pub const WEBHOOK_KEY: &str = "a rehearsal's webhook key";

/// Where the neighbours of an instance without sockets are.
pub(crate) const CARRIER_HOST: &str = "sms.example";
pub(crate) const CHART_HOST: &str = "ehr.example";
const MAIL_HOST: &str = "mail.example";

/// The line believes to be reached here.
pub(crate) const PUBLIC_URL: &str = "https://handoff.example";

/// After the practice's last day, letters already owed still leave for so long.
const AFTERMATH: Duration = Duration::days(2);

/// A line and the world around it, with a clock that both live by.
pub struct Rehearsal {
    world: Simulation,
    pipeline: Arc<Pipeline>,
    clock: Arc<VirtualClock>,
    end: DateTime<Utc>,
    way: Way,
}

/// How the two reach each other.
enum Way {
    Sockets(Box<Street>),
    Indoors(InProcessTransport),
}

/// Both with their doors open.
struct Street {
    practice: PracticeServers,
    service: Service,
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
    /// Opens a practice and a line that serves it, both on real sockets of the loopback interface.
    ///
    /// # Errors
    /// When a socket, the data folder or a plugin cannot be opened.
    pub async fn open(seed: u64, referrals: usize, days: u32, data: &Path) -> anyhow::Result<Rehearsal> {
        let plan =
            handoff_practice::PracticePlan { days, ..handoff_practice::PracticePlan::new(seed, referrals, start()) };
        let end = end(&plan);
        let practice = PracticeServers::start(plan).await?;
        let clock = Arc::new(VirtualClock::starting_at(start()));
        let secrets = Arc::new(secrets());
        let Addresses { carrier, fhir, smtp, .. } = practice.addresses();
        let script = Script::shipped(&Profile::default());
        let endpoints = endpoints(&script, &carrier, &fhir, &format!("smtp://{smtp}"))?;
        let egress = Egress::new(endpoints, Arc::clone(&secrets), clock.clone())?;
        let house = InstanceParts { sequential: true, ..house(seed, data, egress, secrets, clock.clone()) };
        let pipeline = Arc::new(house.build()?);
        let any = "127.0.0.1:0".parse().context("loopback")?;
        let listen = Listen {
            mllp: vec![MllpListener::new(crate::script::HL7, any)],
            http: Some(HttpListener::new(any, Some(PUBLIC_URL.into())).taking(&["webhook"])),
            api: None,
        };
        let service = service::start(&listen, Arc::clone(&pipeline)).await?;
        let mllp = *service.mllp.first().context("an MLLP listener")?;
        practice.connect(Handoff {
            mllp,
            http: format!("http://{}", service.http.context("an HTTP listener")?),
            ..handoff()
        });
        let world = practice.world().clone();
        Ok(Rehearsal { world, pipeline, clock, end, way: Way::Sockets(Box::new(Street { practice, service })) })
    }

    /// The same without a socket, on ground that is laid already: what a year takes, or a hundred thousand patients.
    ///
    /// # Errors
    /// When the plan is too large, or a plugin cannot be opened.
    pub fn indoors(plan: handoff_practice::PracticePlan, data: &Path, ground: Storage) -> anyhow::Result<Rehearsal> {
        let script = Script::shipped(&plan.profile);
        Rehearsal::of(&script, plan, data, ground)
    }

    /// As [`Rehearsal::indoors`], with another workflow than the shipped one.
    ///
    /// # Errors
    /// When the plan is too large, or a plugin cannot be opened.
    pub fn of(
        script: &Script,
        plan: handoff_practice::PracticePlan,
        data: &Path,
        ground: Storage,
    ) -> anyhow::Result<Rehearsal> {
        let (seed, end) = (plan.seed, end(&plan));
        let clock = Arc::new(VirtualClock::starting_at(plan.start));
        let world = Simulation::new(plan)?;
        world.connect(script.handoff());
        let secrets = Arc::new(secrets());
        let egress = egress_over(script, Outward { world: world.clone() }, &secrets, clock.clone())?;
        let house = house(seed, data, egress, secrets, clock.clone());
        let house = InstanceParts { sequential: true, workflow: script.source().clone(), ..house };
        let pipeline = Arc::new(house.build_on(ground)?);
        let way = Way::Indoors(InProcessTransport::from(Arc::clone(&pipeline), script.hl7(), script.webhook()));
        Ok(Rehearsal { world, pipeline, clock, end, way })
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
            self.act(now).await?;
            self.pipeline.settle().await?;
            if (now - start).num_days() > day {
                day = (now - start).num_days();
                report(self.progress(day, (self.end - start).num_days()));
            }
            let next = [self.world.next_action(), self.pipeline.next_due()].into_iter().flatten().min();
            match next {
                Some(next) if next <= self.end => self.clock.advance_to(next.max(now)),
                _ => return Ok(()),
            }
        }
    }

    async fn act(&self, now: DateTime<Utc>) -> anyhow::Result<()> {
        let inward = match &self.way {
            Way::Sockets(street) => {
                street.practice.act(now).await?;
                return Ok(());
            }
            Way::Indoors(inward) => inward,
        };
        while let Some(errands) = self.world.act(now) {
            for errand in errands {
                let reply = inward.carry(self.world.parcel(&errand)?).await;
                self.world.settle(errand, &reply);
            }
        }
        Ok(())
    }

    fn progress(&self, day: i64, days: i64) -> Progress {
        self.world.read_ledger(|ledger| Progress {
            day,
            days,
            orders: ledger.sent.iter().filter(|sent| sent.purpose == Purpose::Order).count(),
            texts: ledger.texts.len(),
            mails: ledger.mails.len(),
            visits: ledger.visits.len(),
        })
    }

    /// What came of it, counted on both sides.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn summary(&self) -> anyhow::Result<Summary> {
        Summary::of(&self.pipeline, &self.world, self.clock.now())
    }

    /// The world outside, which keeps a ledger of its own.
    pub fn world(&self) -> &Simulation {
        &self.world
    }

    pub fn clock(&self) -> Arc<VirtualClock> {
        Arc::clone(&self.clock)
    }

    pub fn pipeline(&self) -> Arc<Pipeline> {
        Arc::clone(&self.pipeline)
    }

    pub async fn close(self) {
        match self.way {
            Way::Sockets(street) => street.service.close().await,
            Way::Indoors(_) => {}
        }
    }
}

/// When rehearsals begin.
pub fn start() -> DateTime<Utc> {
    START.and_time(NaiveTime::MIN).and_utc()
}

/// When the last letter of a plan has left.
pub fn end(plan: &handoff_practice::PracticePlan) -> DateTime<Utc> {
    plan.start + Duration::days(i64::from(plan.days)) + AFTERMATH
}

/// Handoff that serves the practice: keys and dice come from the seed.
pub fn house(seed: u64, data: &Path, egress: Egress, secrets: Arc<Secrets>, clock: Arc<dyn Clock>) -> InstanceParts {
    let mut dice = StdRng::seed_from_u64(seed);
    InstanceParts {
        data: data.to_path_buf(),
        plugins: Default::default(),
        workflow: Script::shipped(&Profile::default()).source().clone(),
        takes_workflow_up: true,
        master: MasterKey::generate(&mut dice),
        signing: signing_key(seed),
        secrets,
        egress,
        public_url: Some(PUBLIC_URL.into()),
        clock,
        dice: Box::new(dice),
        outreach: Default::default(),
        intake: Default::default(),
        country: Default::default(),
        begins_live: true,
        sequential: false,
    }
}

/// Signs the journal of a seed's house.
pub fn signing_key(seed: u64) -> SigningKey {
    let mut signing = [0u8; 32];
    StdRng::seed_from_u64(!seed).fill_bytes(&mut signing);
    SigningKey::from_bytes(&signing)
}

/// The way out of an instance without sockets, over a wire that leads to the world.
///
/// # Errors
/// When the rehearsal's endpoints do not fit each other.
pub fn indoor_egress(wire: impl Wire, secrets: &Arc<Secrets>, clock: Arc<dyn Clock>) -> anyhow::Result<Egress> {
    egress_over(&Script::shipped(&Profile::default()), wire, secrets, clock)
}

fn egress_over(
    script: &Script,
    wire: impl Wire,
    secrets: &Arc<Secrets>,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Egress> {
    let [carrier, chart] = [CARRIER_HOST, CHART_HOST].map(|host| format!("https://{host}"));
    let endpoints = endpoints(script, &carrier, &format!("{chart}/fhir"), &format!("smtps://{MAIL_HOST}"))?;
    Ok(Egress::over(Arc::new(wire), endpoints, Arc::clone(secrets), clock)?)
}

/// Where Handoff is and what it shares with its neighbours; with sockets, two of its addresses differ.
pub fn handoff() -> Handoff {
    Handoff {
        mllp: ([127, 0, 0, 1], 0).into(),
        http: PUBLIC_URL.into(),
        public_url: PUBLIC_URL.into(),
        callback_url: format!("{PUBLIC_URL}/callback/sms"),
        twilio_account: ACCOUNT.into(),
        twilio_auth_token: AUTH_TOKEN.into(),
        sms_number: SMS_NUMBER.into(),
        webhook: Some(Webhook { url: format!("{PUBLIC_URL}/in/webhook"), secret: WEBHOOK_KEY.into() }),
    }
}

pub fn secrets() -> Secrets {
    let secrets = [
        ("ehr-password", handoff_practice::ACCESS_TOKEN),
        ("twilio-auth-token", AUTH_TOKEN),
        ("webhook-key", WEBHOOK_KEY),
    ];
    secrets.into_iter().map(|(name, text)| (name.to_string(), Secret::new(text.to_string()))).collect()
}

/// As an IT director writes them, under the names that the workflow has for them; only the addresses are this rehearsal's own.
fn endpoints(
    script: &Script,
    carrier: &str,
    chart: &str,
    mail: &str,
) -> anyhow::Result<BTreeMap<String, EndpointConfig>> {
    let written = |neighbour: &Neighbour| {
        let (url, user) = match neighbour {
            Neighbour::Carrier => (carrier, Some((ACCOUNT, "twilio-auth-token"))),
            Neighbour::Chart => (chart, Some(("handoff", "ehr-password"))),
            Neighbour::Mail => (mail, None),
        };
        let login =
            user.map(|(user, password)| format!("credentials: {{ kind: basic, user: {user}, password: {password} }}"));
        let login = login.unwrap_or_default();
        let yaml = format!("{{ url: {url:?}, allow_private: true, baa: {{ reference: rehearsal }}, {login} }}");
        serde_saphyr::from_str(&yaml).context("the rehearsal's endpoints")
    };
    script.endpoints().iter().map(|(name, neighbour)| Ok((name.clone(), written(neighbour)?))).collect()
}
