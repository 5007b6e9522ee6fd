//! Connects: takes orders in, carries letters out, and keeps the gate between.

#![forbid(unsafe_code)]

pub mod api;
pub mod audit;
pub mod chain;
pub mod change;
pub mod cli;
pub mod clock;
pub mod config;
pub mod deployments;
pub mod disclosures;
pub mod evidence;
pub mod gate;
pub mod house;
pub mod label;
pub mod line;
pub mod log;
pub mod office;
pub mod people;
pub mod recipe;
pub mod rehearsal;
mod rounds;
pub mod service;
pub mod timeline;
