//! What a component is, asked before anyone trusts it: its worlds, its imports, its size.

use std::collections::BTreeMap;

use serde::Serialize;
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::cache::{self, Cache};
use crate::digest::ComponentDigest;
use crate::exports::interface;
use crate::fault::HostError;
use crate::function::{PACKAGE, WitWorld};

/// A component as it is, fit or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// SHA-256 of the component, in hexadecimal digits.
    pub digest: String,
    /// In bytes.
    pub size: usize,
    /// The stages it serves.
    pub worlds: Vec<WitWorld>,
    /// What it imports and could act with. A plugin with any is refused.
    pub imports: Vec<String>,
    /// What it exports: each interface with its functions.
    pub exports: BTreeMap<String, Vec<String>>,
}

pub(crate) fn inspect(engine: &Engine, cache: Option<&Cache>, bytes: &[u8]) -> Result<Inspection, HostError> {
    let digest = ComponentDigest::of(bytes);
    let component = cache::component(engine, cache, digest, bytes)?;
    let serves = |world: &WitWorld| interface(&component, *world).is_some();
    Ok(Inspection {
        digest: digest.to_string(),
        size: bytes.len(),
        worlds: WitWorld::ALL.iter().copied().filter(serves).collect(),
        imports: effects(engine, &component),
        exports: exports(engine, &component),
    })
}

/// The imports that could act. The contract's own interfaces of types are imported by every plugin and do nothing.
pub(crate) fn effects(engine: &Engine, component: &Component) -> Vec<String> {
    let harmless = |name: &str, item: &ComponentItem| match item {
        ComponentItem::ComponentInstance(instance) => {
            name.starts_with(&format!("{PACKAGE}/"))
                && instance.exports(engine).all(|(_, item)| matches!(item.ty, ComponentItem::Type(_)))
        }
        ComponentItem::Type(_) => true,
        ComponentItem::ComponentFunc(_)
        | ComponentItem::CoreFunc(_)
        | ComponentItem::Module(_)
        | ComponentItem::Component(_)
        | ComponentItem::Resource(_) => false,
    };
    let imports = component.component_type();
    imports.imports(engine).filter(|(name, item)| !harmless(name, &item.ty)).map(|(name, _)| name.to_owned()).collect()
}

fn exports(engine: &Engine, component: &Component) -> BTreeMap<String, Vec<String>> {
    let exports = component.component_type();
    exports
        .exports(engine)
        .map(|(name, item)| {
            let functions = match item.ty {
                ComponentItem::ComponentInstance(instance) => instance
                    .exports(engine)
                    .filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)))
                    .map(|(name, _)| name.to_owned())
                    .collect(),
                ComponentItem::ComponentFunc(_)
                | ComponentItem::CoreFunc(_)
                | ComponentItem::Module(_)
                | ComponentItem::Component(_)
                | ComponentItem::Type(_)
                | ComponentItem::Resource(_) => Vec::new(),
            };
            (name.to_owned(), functions)
        })
        .collect()
}
