//! The contract's words as Rust types, generated from `wit/`. Each type exists once, whichever world it serves.
//!
//! The umbrella world is the host's side only: no plugin is built against it. A plugin exports one or more of the nine
//! interfaces, and the indices of those it exports are looked up one by one when it is loaded.
//!
//! These types show everything in `Debug`, patient data included: format a [`Call`](crate::Call) or an
//! [`Answer`](crate::Answer) instead, which name their function only.
//!
//! `carrier.lookup` stays the last function of its interface: the generated code has a local variable of that name, and
//! any function declared after it would not compile.

wasmtime::component::bindgen!({
    inline: "
        package handoff:umbrella;

        world every-stage {
            export handoff:stage/interpreter@0.2.0;
            export handoff:stage/retrieval@0.2.0;
            export handoff:stage/choice@0.2.0;
            export handoff:stage/carrier@0.2.0;
            export handoff:stage/understanding@0.2.0;
            export handoff:stage/roster@0.2.0;
            export handoff:stage/attendance@0.2.0;
            export handoff:stage/write-back@0.2.0;
            export handoff:stage/hand-over@0.2.0;
        }
    ",
    path: "../../wit",
    world: "handoff:umbrella/every-stage",
    additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
});

/// What version 0.1.0 said otherwise. Whatever it said the same is the present contract's type.
pub mod v0_1 {
    wasmtime::component::bindgen!({
        inline: "
            package handoff:umbrella;

            world changed-since {
                export handoff:stage/interpreter@0.1.0;
                export handoff:stage/write-back@0.1.0;
            }
        ",
        path: "../../wit/released/0.1.0",
        world: "handoff:umbrella/changed-since",
        with: {
            "handoff:stage/types@0.1.0": crate::contract::types,
            "handoff:stage/exchange@0.1.0": crate::contract::exchange,
            "handoff:stage/signature@0.1.0": crate::contract::signature,
        },
        additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
    });

    pub use exports::handoff::stage::{interpreter, write_back};
}

pub use exports::handoff::stage::{
    attendance, carrier, choice, hand_over, interpreter, retrieval, roster, understanding, write_back,
};
pub use handoff::stage::{exchange, signature, types};
