//! Closes a component against the world outside. A language runtime imports WASI whether or not the plugin ever uses it:
//! here each such import is met by one that ends the call, inside the component, so that from outside there is nothing
//! left to grant. What remains imports nothing, like every plugin.

use std::error::Error;

use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions};
use wit_component::{ComponentEncoder, DecodedWasm, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{IndexMap, InterfaceId, ManglingAndAbi, Resolve, TypeDefKind, World, WorldItem};

use crate::error::WorkshopError;

/// The component, closed. One that imports nothing stays as it is, byte for byte.
pub(crate) fn close(plugin: &str, component: Vec<u8>) -> Result<Vec<u8>, WorkshopError> {
    let open = |why: String| WorkshopError::Open { plugin: plugin.to_owned(), why };
    let decoded = wit_component::decode(&component).map_err(|error| open(format!("{error:#}")))?;
    let DecodedWasm::Component(mut resolve, world) = decoded else {
        return Err(open("it is no component".to_owned()));
    };
    if let Some(WorldItem::Function(function)) =
        resolve.worlds[world].imports.values().find(|item| matches!(item, WorldItem::Function(_)))
    {
        return Err(open(format!("it imports the function `{}` by itself", function.name)));
    }
    let world = resolve.worlds[world].clone();
    let (exports, imports): (IndexMap<_, _>, IndexMap<_, _>) = world
        .imports
        .clone()
        .into_iter()
        .partition(|(_, item)| matches!(item, WorldItem::Interface { id, .. } if acts(&resolve, *id)));
    if exports.is_empty() {
        return Ok(component);
    }
    let world = World { name: "nothing".to_owned(), imports, exports, ..world };
    let nothing = nothing(&mut resolve, world).map_err(|error| open(error.to_string()))?;
    plug(component, nothing).map_err(|error| open(error.to_string()))
}

/// Whether there is anything in it to call. An interface of types alone grants nothing.
fn acts(resolve: &Resolve, interface: InterfaceId) -> bool {
    let interface = &resolve.interfaces[interface];
    let is_resource = |id| matches!(resolve.types[id].kind, TypeDefKind::Resource);
    !interface.functions.is_empty() || interface.types.values().any(|id| is_resource(*id))
}

/// A component that exports what was imported, and whose every function ends the call.
fn nothing(resolve: &mut Resolve, world: World) -> Result<Vec<u8>, Box<dyn Error>> {
    let world = resolve.worlds.alloc(world);
    let mut module = dummy_module(resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8, false)?;
    Ok(ComponentEncoder::default().validate(true).module(&module)?.encode()?)
}

fn plug(component: Vec<u8>, nothing: Vec<u8>) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut graph = CompositionGraph::new();
    let nothing = Package::from_bytes("handoff:nothing", None, nothing, graph.types_mut())?;
    let nothing = graph.register_package(nothing)?;
    let plugin = Package::from_bytes("handoff:plugin", None, component, graph.types_mut())?;
    let plugin = graph.register_package(plugin)?;
    wac_graph::plug(&mut graph, vec![nothing], plugin)?;
    Ok(graph.encode(EncodeOptions::default())?)
}
