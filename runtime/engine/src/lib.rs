//! Decides what happens next to a referral. No clock, no socket, no disk, no dice.
//!
//! To read in this order; each module knows only those above it:
//!
//! - [`vocabulary`]: how a closed list of words becomes a type, each word spelled once
//! - [`error_code`]: the number under which an operator finds an error explained
//! - [`ids`]: the names of things, each a type of its own
//! - [`calendar`]: permitted hours, time zones, durations
//! - [`task`]: what people are asked to do about a referral, and what becomes of that
//! - [`referral`]: what we know of one referral
//! - [`intent`]: what a patient means
//! - [`answer`]: what people answer when they act
//! - [`event`]: what can happen to it
//! - [`letter`]: what leaves Handoff, as data
//! - [`problem`]: what is wrong with a file, where, and the cure
//! - [`guard`]: conditions on what is known and what has just happened
//! - [`template`]: texts with gaps, in each language
//! - [`workflow`]: what the practice wants, read from its file and checked
//! - [`act`]: what people do to a referral, from their answers to what follows
//! - [`deployment`]: a workflow with its plugins pinned
//! - [`render`]: a template's gaps filled in for one patient
//! - [`step`]: the decision; all above is for its sake
//! - [`silence`]: what would be written to a patient who never answers
//! - [`scenario`]: stories that a clinic can read, run as tests
//! - [`dashboard`]: the five figures by which a practice sees whether its loop closes
//! - [`error_chain`]: an error with its causes, on one line

#![forbid(unsafe_code)]

pub mod act;
pub mod answer;
pub mod calendar;
pub mod dashboard;
pub mod deployment;
pub mod error_chain;
pub mod error_code;
pub mod event;
pub mod guard;
pub mod ids;
pub mod intent;
pub mod letter;
pub mod problem;
pub mod referral;
pub mod render;
pub mod scenario;
pub mod silence;
pub mod step;
pub mod task;
pub mod template;
pub mod vocabulary;
pub mod workflow;
