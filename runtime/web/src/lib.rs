//! Shows: what people of the practice see over HTTPS, as pages for a browser and as JSON for a program.
//!
//! Read `pages/routes.rs` and `api/routes.rs` first: whatever can be asked stands there, each with the right that it asks.

#![forbid(unsafe_code)]

pub mod api;
pub mod pages;
