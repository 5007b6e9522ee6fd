//! The network between an instance and the world: it delays, it loses on the way there and on the way back, it repeats.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use handoff_egress::endpoint::Endpoint;
use handoff_egress::http::{Failed, Received};
use handoff_egress::smtp::{Unsaid, Word};
use handoff_egress::transport::{Carried, Login, Wire};
use handoff_practice::{Outbound, OutboundAnswer, OutboundMessage, Simulation};
use handoff_rehearsal::in_process::{InProcessTransport, Outward};
use handoff_store::journal::{DiskDice, SimDisk};
use lettre::message::Message;
use parking_lot::Mutex;
use tokio::sync::Notify;
use zeroize::Zeroizing;

use super::clock::WallClock;

/// How long a sender waits for an answer: interface engines give up after 15 to 60 s.
const SENDER_WAITS: Duration = Duration::from_secs(20);

/// Chances in a thousand, each for one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// No connection comes about.
    pub unreachable: u64,
    /// What was sent never arrives.
    pub lost: u64,
    /// The other side acts, and its answer never arrives.
    pub unanswered: u64,
    /// What was sent to Handoff arrives twice.
    pub repeated: u64,
    /// The longest delay on a way, in milliseconds.
    pub delay_ms_max: u64,
}

impl Weather {
    pub const CALM: Weather = Weather { unreachable: 0, lost: 0, unanswered: 0, repeated: 0, delay_ms_max: 200 };

    pub fn of(dice: &mut DiskDice) -> Weather {
        match dice.below(4) {
            0 => Weather { delay_ms_max: 2_000, ..Weather::CALM },
            1 => Weather { unreachable: 30, lost: 10, unanswered: 30, repeated: 30, delay_ms_max: 5_000 },
            2 => Weather { unreachable: 100, lost: 60, unanswered: 100, repeated: 100, delay_ms_max: 20_000 },
            _ => Weather { unreachable: 20, lost: 20, unanswered: 250, repeated: 20, delay_ms_max: 40_000 },
        }
    }
}

/// Shared by both directions and by all lives of an instance.
pub struct Network {
    outward: Outward,
    clock: Arc<WallClock>,
    disk: Mutex<SimDisk>,
    weather: Weather,
    dice: Mutex<DiskDice>,
    lost: Mutex<u64>,
    /// Rung when the world has something new to do.
    pub stirred: Notify,
}

impl Network {
    pub fn new(world: Simulation, clock: Arc<WallClock>, disk: SimDisk, weather: Weather, dice: DiskDice) -> Network {
        Network {
            outward: Outward { world },
            clock,
            disk: Mutex::new(disk),
            weather,
            dice: Mutex::new(dice),
            lost: Mutex::default(),
            stirred: Notify::new(),
        }
    }

    /// The machine was switched on again.
    pub fn house_is_on(&self, disk: SimDisk) {
        *self.disk.lock() = disk;
    }

    pub fn lost(&self) -> u64 {
        *self.lost.lock()
    }

    fn happens(&self, in_thousand: u64) -> bool {
        let happens = self.below(1000) < in_thousand;
        *self.lost.lock() += u64::from(happens);
        happens
    }

    fn below(&self, limit: u64) -> u64 {
        self.dice.lock().below(limit)
    }

    async fn delay(&self) {
        tokio::time::sleep(Duration::from_millis(self.below(self.weather.delay_ms_max + 1))).await;
    }

    /// A dead process sends nothing more, and hears nothing.
    async fn only_alive(&self) {
        if self.disk.lock().power_is_off() {
            pending::<()>().await;
        }
    }

    /// One exchange of Handoff with the outside, within the endpoint's time.
    async fn out<A>(&self, endpoint: &Endpoint, exchange: impl Future<Output = A>, unreachable: A, in_doubt: A) -> A {
        self.only_alive().await;
        if self.happens(self.weather.unreachable) {
            self.delay().await;
            return unreachable;
        }
        let lost = self.happens(self.weather.lost);
        let conversation = async {
            self.delay().await;
            if lost {
                pending::<()>().await;
            }
            self.outward.world.tell_time(self.clock.true_now());
            let answer = exchange.await;
            self.stirred.notify_one();
            self.delay().await;
            answer
        };
        let within = Duration::from_secs(u64::from(endpoint.config.timeout_seconds));
        let answered = tokio::time::timeout(within, conversation).await;
        self.only_alive().await;
        match answered {
            Ok(answer) if !self.happens(self.weather.unanswered) => answer,
            Ok(_) | Err(_) => in_doubt,
        }
    }

    /// Carries an errand into Handoff. None where no answer came back.
    pub async fn carry(&self, inward: &InProcessTransport, errand: &Outbound) -> OutboundAnswer {
        let world = &self.outward.world;
        let parcel = || world.parcel(errand).expect("the world knows where Handoff is");
        self.delay().await;
        if self.happens(self.weather.lost) {
            tokio::time::sleep(SENDER_WAITS).await;
            return OutboundAnswer::None("lost on the way");
        }
        let repeated = self.happens(self.weather.repeated);
        let answer = async {
            match repeated {
                false => inward.carry(parcel()).await,
                true => tokio::join!(inward.carry(parcel()), self.again(inward, parcel())).0,
            }
        };
        let answered = tokio::time::timeout(SENDER_WAITS, answer).await;
        self.only_alive().await;
        self.delay().await;
        match answered {
            Ok(reply) if !self.happens(self.weather.unanswered) => reply,
            Ok(_) | Err(_) => OutboundAnswer::None("no answer came"),
        }
    }

    async fn again(&self, inward: &InProcessTransport, parcel: OutboundMessage) {
        self.delay().await;
        // Nobody waits for the answer to a repetition.
        let _unheard = inward.carry(parcel).await;
    }
}

/// The way out of an instance, through the weather.
pub struct Out(pub Arc<Network>);

impl Wire for Out {
    fn http<'w>(
        &'w self,
        endpoint: &'w Endpoint,
        request: reqwest::Request,
        bytes_max: usize,
    ) -> Carried<'w, Result<Received, Failed>> {
        let exchange = self.0.outward.http(endpoint, request, bytes_max);
        Box::pin(self.0.out(endpoint, exchange, Err(Failed::NotSent), Err(Failed::InDoubt)))
    }

    fn mail<'w>(
        &'w self,
        endpoint: &'w Endpoint,
        login: Option<Login<'w>>,
        mail: &'w Message,
    ) -> Carried<'w, Result<Word, Unsaid>> {
        let exchange = self.0.outward.mail(endpoint, login, mail);
        Box::pin(self.0.out(endpoint, exchange, Err(Unsaid::NotSent), Err(Unsaid::InDoubt)))
    }

    fn mllp<'w>(&'w self, endpoint: &'w Endpoint, message: &'w str) -> Carried<'w, Result<Zeroizing<Vec<u8>>, Failed>> {
        let exchange = self.0.outward.mllp(endpoint, message);
        Box::pin(self.0.out(endpoint, exchange, Err(Failed::NotSent), Err(Failed::InDoubt)))
    }
}
