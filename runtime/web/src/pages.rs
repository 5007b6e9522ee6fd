//! Handoff for people with a browser. Every act is a form that works without script; what a role may not see is not in the view
//! that its page is made from.
//!
//! Architecture Invariant: of a patient, a page has only what an operation gave for the role that asks.

mod access;
mod acts;
mod assets;
mod audit;
mod charts;
mod dead_letters;
mod figures;
mod files;
mod frame;
mod huddle;
mod mine;
mod people;
mod plugins;
mod problem_page;
mod referral;
mod routes;
mod rows;
mod search;
mod set_up;
pub mod sign_in;
mod specialists;
mod system;
mod theme;
mod times;
mod unmatched;
mod words;
mod workflow;
mod worklist;

pub(crate) use problem_page::nowhere;
pub(crate) use routes::router;
pub use routes::{PAGES, PageRoute};
pub(crate) use set_up::SetUpLink;
