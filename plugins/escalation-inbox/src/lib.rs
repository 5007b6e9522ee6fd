//! Puts a task before a person as a FHIR R4 Task in the chart's inbox.

// The allocator of the component: an instance lives for one call.
use bump as _;

mod settings;
mod task;

wit_bindgen::generate!({
    path: "../../wit",
    world: "escalation",
    additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
    with: {
        "handoff:stage/types@0.2.0": fhir::wit::types,
        "handoff:stage/exchange@0.2.0": fhir::wit::exchange,
    },
});

pub use exports::handoff::stage::hand_over::{Audience, Guest, Raised, Task, Turn};
pub use fhir::wit::exchange::{Ask, Body, HttpRequest, HttpResponse, JsonAs, MailResponse, Method, Request, Response};
pub use fhir::wit::types::{Attribute, Failure, Provider};

use fhir::ask::{self, Identifier};
use fhir::judge;
use settings::Settings;

pub struct EscalationInbox;

impl Guest for EscalationInbox {
    fn raise(task: Task, settings: String) -> Result<Turn, Failure> {
        let settings = Settings::read(&settings)?;
        let identifier = Identifier { system: &settings.identifier_system, value: &task.id };
        let resource = task::resource(&task, &identifier, &settings);
        Ok(Turn::Ask(ask::create_once(&settings.endpoint, &resource, &identifier, String::new())))
    }

    fn resume(_state: String, response: Response, settings: String) -> Result<Turn, Failure> {
        let settings = Settings::read(&settings)?;
        let reference = judge::created(response, &settings.endpoint, "Task")?;
        Ok(Turn::Done(Raised { reference }))
    }
}

// Only a component has exports; natively the linker stumbles over their names (`handoff:stage/hand-over@0.2.0#raise`).
#[cfg(target_family = "wasm")]
export!(EscalationInbox);
