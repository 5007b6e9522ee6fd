//! Chooses channel and language for a letter: what the patient allows, then what works, then what is preferred.

// The allocator of the component: an instance lives for one call.
use bump as _;

mod channel;
mod language;
mod settings;

wit_bindgen::generate!({ path: "../../wit", world: "channel", additional_derives: [PartialEq] });

pub use exports::handoff::stage::choice::{
    Attempt, AttemptOutcome, Chosen, ConsentState, Decision, Guest, Reachable, Situation,
};
pub use handoff::stage::types::{Attribute, ChannelKind, Failure};

use settings::Settings;

pub struct ChannelConsent;

impl Guest for ChannelConsent {
    fn choose(situation: Situation, settings: String) -> Result<Decision, Failure> {
        let settings = Settings::read(&settings)?;
        let language = language::choose(&situation, &settings)?;
        Ok(match channel::choose(&situation, &settings) {
            Ok((channel, reason)) => Decision::Send(Chosen { channel, language, reason: reason.to_owned() }),
            Err(reason) => Decision::Nobody(reason),
        })
    }
}

// Only a component has exports; natively the linker stumbles over their names (`handoff:stage/choice@0.2.0#choose`).
#[cfg(target_family = "wasm")]
export!(ChannelConsent);
