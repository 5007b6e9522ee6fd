//! Carries a referral, from the delivery that orders it to the receipt that ends its last letter.
//!
//! Read [`pipeline`] first (the walk, and what every stage shares), then along it: [`intake`] (bytes become events),
//! [`referrals`] (events become steps), [`transaction`] (what one commit says), [`contact_rules`] (who may be written to, and
//! when), [`delivery`] (letters become receipts). Beside the walk: [`deployments`] (what decides), [`rollout`] (how what
//! decides is changed), [`plugin_report`] (what a plugin may do), and [`from_wit`] and [`to_wit`] (the border to
//! plugins), with [`foreign_values`] (what a value from outside may be).

#![forbid(unsafe_code)]

pub mod addresses;
pub mod bundled_workflow;
pub mod contact_rules;
pub mod delivery;
pub mod deployments;
pub mod error;
pub mod error_codes;
pub(crate) mod foreign_values;
pub mod from_wit;
pub mod intake;
pub(crate) mod languages;
pub mod pauses;
pub mod pipeline;
pub mod plugin_report;
pub mod referrals;
pub mod rollout;
pub mod search_names;
pub mod to_wit;
pub mod transaction;
