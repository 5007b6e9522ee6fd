//! Carries letters as text messages through Twilio's Programmable Messaging (API version 2010-04-01).

// The allocator of the component: an instance lives for one call.
use bump as _;

mod callback;
mod codes;
mod judge;
mod lookup;
mod send;
mod settings;
mod signature;
mod size;

wit_bindgen::generate!({ path: "../../wit", world: "outreach", additional_derives: [PartialEq] });

pub use exports::handoff::stage::carrier::{
    Callback, Guest, Inbound, InboundEvent, InboundReply, InboundStatus, Letter, Outcome, Receipt, Turn,
};
pub use handoff::stage::exchange::{Ask, Body, HttpRequest, HttpResponse, MailResponse, Method, Request, Response};
pub use handoff::stage::signature::{Algorithm, Encoding, Part, SignatureCheck};
pub use handoff::stage::types::{Attribute, ChannelKind, Failure, Refusal, Retry};

use settings::Settings;

pub struct OutreachTwilio;

impl Guest for OutreachTwilio {
    fn compose(letter: Letter, settings: String) -> Result<Turn, Failure> {
        send::ask(&letter, &Settings::read(&settings)?).map(Turn::Ask)
    }

    fn resume(state: String, response: Response, settings: String) -> Result<Turn, Failure> {
        Settings::read(&settings)?;
        let receipt = if state == send::STATE { send::judge(response) } else { lookup::judge(&state, response) };
        receipt.map(Turn::Done)
    }

    fn lookup(letter: Letter, settings: String) -> Result<Turn, Failure> {
        lookup::ask(&letter, &Settings::read(&settings)?).map(Turn::Ask)
    }

    fn clear_fields() -> Vec<String> {
        callback::CLEAR_FIELDS.map(str::to_owned).to_vec()
    }

    fn authenticate(callback: Callback, settings: String) -> Vec<SignatureCheck> {
        Settings::read(&settings).map_or(Vec::new(), |settings| signature::checks(&callback, &settings))
    }

    fn receive(callback: Callback, _settings: String) -> Result<Inbound, Failure> {
        Ok(callback::read(&callback))
    }
}

// Only a component has exports; natively the linker stumbles over their names (`handoff:stage/carrier@0.2.0#compose`).
#[cfg(target_family = "wasm")]
export!(OutreachTwilio);
