//! What comes in becomes events: orders and notices through a trigger, vendors' calls through a callback, and what waited for
//! a person once more.

pub mod callback;
pub mod redelivery;
pub mod trigger;

use handoff_ingress::delivery::{Answer, Delivery, DeliverySink, Door};

use crate::pipeline::Line;

impl DeliverySink for Line {
    async fn take(&self, delivery: Delivery) -> Answer {
        match delivery.door {
            Door::Mllp | Door::Webhook => Line::take(self, delivery).await,
            Door::Callback => self.take_callback(delivery).await,
        }
    }
}
