//! Thin views of FHIR R4 over serde_json, shared by the plugins that speak it: asking, judging, reading, writing.
//!
//! No model of FHIR: a resource stays JSON, for the model would be larger than all plugins together and would lose what
//! it does not know. A library, not a plugin; the words of the contract that it shares with them are [`wit`]'s.

pub mod ask;
pub mod judge;
pub mod patient;
pub mod read;
pub mod settings;
pub mod write;

/// The contract's exchange and failure types. A plugin names them in `with:`, so that all of them are one type.
pub mod wit {
    wit_bindgen::generate!({
        inline: "
            package handoff:fhir;
            world shared {
                import handoff:stage/types@0.2.0;
                import handoff:stage/exchange@0.2.0;
            }
        ",
        path: "../../wit",
        additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
        generate_all,
    });
    pub use handoff::stage::{exchange, types};
}
