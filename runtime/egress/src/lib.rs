//! Lets out: the only way out of an instance. Knows endpoints, never a referral.
//!
//! Read [`egress`] first (one request from grant to response, and what is denied), then [`endpoint`] (what configuration
//! says of a destination), [`substitution`] (where patient data and secrets are put in), [`transport`] with [`http`],
//! [`smtp`] and [`mllp`] (the wires), [`address_guard`] and [`tls`] (where a connection may end), [`oauth`] and
//! [`jwt_assertion`] (credentials), and last [`pacing`] (when a request gets its turn).

#![forbid(unsafe_code)]

pub mod address_guard;
pub mod connect;
pub mod denial;
pub mod egress;
pub mod endpoint;
mod error_codes;
pub mod http;
pub mod idempotency_key;
pub mod jwt_assertion;
pub mod mllp;
pub mod oauth;
pub mod pacing;
pub mod rate;
pub mod reach;
pub mod smtp;
pub mod substitution;
pub mod tls;
pub mod transport;
