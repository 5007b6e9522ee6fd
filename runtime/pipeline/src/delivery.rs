//! What goes out: a letter from the outbox to its receipt.
//!
//! [`outbox`] leases it and sets the hour of the next try, [`first_call`] says which stage speaks, [`conversation`] lets it ask,
//! [`receipt`] ends it; [`failover`] and [`plugin_breaker`] are for vendors and plugins that fail.

pub mod baa_renewal;
pub mod conversation;
pub mod failover;
pub mod first_call;
pub mod outbox;
pub mod plugin_breaker;
pub mod receipt;
