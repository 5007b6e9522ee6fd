//! Reads referrals and events from JSON webhooks: a plain schema, and FHIR R4 resources, bundles and notifications.

// The allocator of the component: an instance lives for one call.
use bump as _;

mod about;
mod answer;
mod fhir;
mod moments;
mod node;
mod plain;
mod reading;
mod settings;
mod signing;
mod words;

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
    pub use crate::contract::handoff::stage::signature::{Algorithm, Encoding, Part};
}

use types::{Delivery, Guest, Reading, SignatureCheck};

/// The plugin.
pub struct Webhook;

impl Guest for Webhook {
    fn authenticate(delivery: Delivery, settings: String) -> Vec<SignatureCheck> {
        signing::checks(&delivery, &settings)
    }

    fn interpret(delivery: Delivery, settings: String) -> Reading {
        reading::interpret(&delivery, &settings)
    }
}

/// Reads one delivery, as the host does through the component.
pub fn interpret(delivery: &Delivery, settings: &str) -> Reading {
    reading::interpret(delivery, settings)
}

/// What has to be true for a delivery to be from whom it says.
pub fn authenticate(delivery: &Delivery, settings: &str) -> Vec<SignatureCheck> {
    signing::checks(delivery, settings)
}

#[cfg(target_arch = "wasm32")]
contract::export!(Webhook with_types_in contract);
