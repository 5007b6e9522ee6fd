//! Shows: what people of the practice see over HTTPS. Today a JSON interface.
//!
//! Read `api/routes.rs` first: the whole interface stands there, each route with the right that it asks.

#![forbid(unsafe_code)]

pub mod api;
