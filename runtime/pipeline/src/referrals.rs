//! What happens to a referral: [`transition`] steps it, [`plugin_calls`] asks the stages that decide, [`compose_message`] writes
//! what it wants sent, [`opt_out`] keeps from being written to who does not want it, [`acts`] are what people do to it, [`timers`] wake
//! it, [`migration`] moves it to another workflow.

pub mod acts;
pub mod compose_message;
pub mod migration;
pub(crate) mod opt_out;
pub mod plugin_calls;
pub mod timers;
pub mod transition;
