//! Decides what happens next to a referral. No clock, no socket, no disk, no dice.
//!
//! Read in this order: [`referral`] is what we know, [`event`] is what happened, [`workflow`] is what the practice wants,
//! [`step`] is the decision, [`letter`] is what leaves the house.

#![forbid(unsafe_code)]

pub mod calendar;
pub mod dashboard;
pub mod deployment;
pub mod error_chain;
pub mod event;
pub mod guard;
pub mod ids;
pub mod letter;
pub mod referral;
pub mod render;
pub mod scenario;
pub mod silence;
pub mod step;
pub mod workflow;
