//! Lets in: bytes come in here, and are handed on whole. Nothing is believed yet; no way leads out.
//!
//! Read [`delivery`] first (what came in, and how it is answered), then [`listener`] (who may connect at all, with [`tls`]
//! and [`connection_limits`]), then [`mllp`] and [`http`] (the two wires), and last [`signature`] and [`callback_fields`]
//! (who vouches for a webhook or a callback, and what it says).

#![forbid(unsafe_code)]

pub mod callback_fields;
pub mod connection_limits;
pub mod delivery;
mod error_codes;
pub mod http;
pub mod listener;
pub mod mllp;
pub mod signature;
pub mod tls;
mod write_deadline;
