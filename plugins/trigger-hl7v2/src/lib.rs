//! Reads HL7 v2: referrals, appointments and notes, and writes their acknowledgements.
//!
//! [`message`] is a parser of its own: lossless, tolerant, and usable without the rest.

// The allocator of the component: an instance lives for one call.
use bump as _;

pub mod message;

mod about;
mod acknowledgement;
mod administration;
mod answer_to_order;
mod appointment;
mod batch;
mod characters;
mod coded;
mod digest;
mod document;
mod encapsulated;
mod language;
mod mapped;
mod note;
mod number;
mod order;
mod path;
mod patient;
mod problem;
mod provider;
mod reading;
mod referral;
mod results;
mod service;
mod service_order;
mod settings;
mod telecom;
mod timestamp;
mod zone;

#[allow(clippy::all, reason = "generated")]
mod contract {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "trigger",
        generate_all,
        pub_export_macro: true,
        additional_derives: [PartialEq, Clone],
    });
}

/// The contract's words, of `wit/trigger.wit` and `wit/types.wit`.
pub mod types {
    pub use crate::contract::exports::handoff::stage::interpreter::*;
}

use contract::exports::handoff::stage::interpreter::{Delivery, Guest, Reading, SignatureCheck};

/// The plugin.
pub struct Hl7v2;

impl Guest for Hl7v2 {
    /// HL7 v2 signs nothing: the listener's mutual TLS or network is what there is.
    fn authenticate(_delivery: Delivery, _settings: String) -> Vec<SignatureCheck> {
        Vec::new()
    }

    fn interpret(delivery: Delivery, settings: String) -> Reading {
        reading::interpret(&delivery, &settings)
    }
}

/// Reads one delivery, as the host does through the component.
pub fn interpret(delivery: &Delivery, settings: &str) -> Reading {
    reading::interpret(delivery, settings)
}

#[cfg(target_arch = "wasm32")]
contract::export!(Hl7v2 with_types_in contract);
