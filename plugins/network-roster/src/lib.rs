//! Checks a specialist against the practice's roster and finds another.

// The allocator of the component: an instance lives for one call.
use bump as _;

mod assess;
mod member;
mod settings;

wit_bindgen::generate!({ path: "../../wit", world: "network", additional_derives: [PartialEq] });

pub use exports::handoff::stage::roster::{Alternative, Assessment, Cause, Guest, Opening, Request, Why};
pub use handoff::stage::types::{Attribute, Code, Failure, Provider};

use settings::Settings;

pub struct NetworkRoster;

impl Guest for NetworkRoster {
    fn assess(request: Request, settings: String) -> Result<Assessment, Failure> {
        Ok(assess::assess(&request, &Settings::read(&settings)?))
    }
}

// Only a component has exports; natively the linker stumbles over their names (`handoff:stage/roster@0.2.0#assess`).
#[cfg(target_family = "wasm")]
export!(NetworkRoster);
