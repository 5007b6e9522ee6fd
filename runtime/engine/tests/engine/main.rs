//! The engine's tests: one binary, one module per concern.

#![expect(clippy::disallowed_methods, reason = "tests read files and clocks; the engine may not")]

mod acts;
mod calendar;
mod dashboard;
mod error_chain;
mod given;
mod moves;
mod problems;
mod properties;
mod reading_order;
mod recipe;
mod render;
mod steps;
mod vocabulary;
