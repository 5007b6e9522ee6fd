//! Carries letters as plain-text mail.

// The allocator of the component: an instance lives for one call.
use bump as _;

mod codes;
mod judge;
mod mail;
mod settings;

wit_bindgen::generate!({ path: "../../wit", world: "outreach", additional_derives: [PartialEq] });

pub use exports::handoff::stage::carrier::{Callback, Guest, Inbound, Letter, Outcome, Receipt, Turn};
pub use handoff::stage::exchange::{Ask, HttpResponse, Mail, MailResponse, Request, Response};
pub use handoff::stage::signature::SignatureCheck;
pub use handoff::stage::types::{Attribute, ChannelKind, Failure, Refusal, Retry};

use settings::Settings;

pub struct OutreachEmail;

impl Guest for OutreachEmail {
    fn compose(letter: Letter, settings: String) -> Result<Turn, Failure> {
        mail::ask(&letter, &Settings::read(&settings)?).map(Turn::Ask)
    }

    fn resume(_state: String, response: Response, settings: String) -> Result<Turn, Failure> {
        Settings::read(&settings)?;
        judge::judge(response).map(Turn::Done)
    }

    /// SMTP has no question for it.
    fn lookup(_letter: Letter, _settings: String) -> Result<Turn, Failure> {
        Err(Failure::Refused(Refusal {
            code: "no-lookup".to_owned(),
            reason: "a mail server cannot be asked whether it took a mail".to_owned(),
        }))
    }

    fn clear_fields() -> Vec<String> {
        vec![]
    }

    /// Mail has no callbacks: an empty list refuses every one.
    fn authenticate(_callback: Callback, _settings: String) -> Vec<SignatureCheck> {
        vec![]
    }

    fn receive(_callback: Callback, _settings: String) -> Result<Inbound, Failure> {
        Err(Failure::Refused(Refusal { code: "no-callback".to_owned(), reason: "mail has no callbacks".to_owned() }))
    }
}

// Only a component has exports; natively the linker stumbles over their names (`handoff:stage/carrier@0.2.0#compose`).
#[cfg(target_family = "wasm")]
export!(OutreachEmail);
