//! Judges from what the HL7 v2 feed has said whether the patient attended. Never asks anyone.

// The allocator of the component: an instance lives for one call.
use bump as _;

mod judgement;
mod settings;

#[allow(clippy::all, reason = "generated")]
mod contract {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "visit",
        generate_all,
        pub_export_macro: true,
        additional_derives: [PartialEq, Clone],
    });
}

/// The contract's words, of `wit/visit.wit` and `wit/types.wit`.
pub mod types {
    pub use crate::contract::exports::handoff::stage::attendance::*;
}

use settings::Settings;
use types::{Failure, Guest, Response, Turn, Visit};

/// The plugin.
pub struct VisitHl7;

impl Guest for VisitHl7 {
    fn check(visit: Visit, settings: String) -> Result<Turn, Failure> {
        Ok(Turn::Done(judgement::judge(&visit, &Settings::read(&settings)?)))
    }

    fn resume(_state: String, _response: Response, _settings: String) -> Result<Turn, Failure> {
        Err(Failure::Other("visit-hl7 asks nobody, so there is nothing to resume".to_owned()))
    }
}

#[cfg(target_arch = "wasm32")]
contract::export!(VisitHl7 with_types_in contract);
