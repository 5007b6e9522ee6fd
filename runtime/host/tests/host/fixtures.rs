//! Where the tests' plugins come from: Rust built like any plugin, WebAssembly text, and empty shells of a world.

use std::path::{Path, PathBuf};
use std::time::Duration;

use handoff_host::{Host, PluginLimits};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve, WorldId};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// Tight, so that running into them takes no time; the deadline is wide enough for a busy machine.
pub fn limits() -> PluginLimits {
    PluginLimits {
        memory_bytes: 16 << 20,
        output_bytes: 1 << 20,
        deadline: Duration::from_millis(500),
        wait: Duration::from_secs(20),
        concurrent_calls: 4,
        ..PluginLimits::default()
    }
}

pub fn host() -> Host {
    Host::new(limits(), None).expect("a host")
}

/// `tests/fixtures/hostile`, built.
pub fn hostile() -> Vec<u8> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile");
    let built = handoff_builder::build_one(&root().join("tests/fixtures/hostile"), &target);
    built.unwrap_or_else(|error| panic!("{error}"))
}

/// The contract, and beside it a package of the test's own with a world `test`.
fn resolve(wit: &str) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    if !wit.starts_with("package handoff:stage@0.2.0;") {
        resolve.push_dir(root().join("wit")).expect("the contract");
    }
    let package = resolve.push_source("test.wit", wit).expect("wit");
    let world = resolve.select_world(&[package], Some("test")).expect("a world named test");
    (resolve, world)
}

/// A component whose functions are all there and all trap.
pub fn shell(wit: &str) -> Vec<u8> {
    let (resolve, world) = resolve(wit);
    let module = wit_component::dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    encode(module, &resolve, world)
}

/// The contract's folder.
pub fn wit() -> PathBuf {
    root().join("wit")
}

/// The folders of the contracts that were released.
pub fn released() -> Vec<PathBuf> {
    let entries = wit().join("released").read_dir().expect("wit/released");
    entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()).collect()
}

/// A shell of a world as the contract in `folder` has it.
pub fn shell_from(folder: &Path, world: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(folder).expect("a contract");
    let world = resolve.select_world(&[package], Some(world)).expect("a world of it");
    let module = wit_component::dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    encode(module, &resolve, world)
}

/// A shell that exports these interfaces of the contract.
pub fn shell_of(interfaces: &[&str]) -> Vec<u8> {
    shell(&world_of(interfaces))
}

/// A component around a core module in WebAssembly text, which exports these interfaces of the contract.
pub fn from_text(interfaces: &[&str], text: &str) -> Vec<u8> {
    let (resolve, world) = resolve(&world_of(interfaces));
    encode(wat::parse_str(text).expect("WebAssembly text"), &resolve, world)
}

fn world_of(interfaces: &[&str]) -> String {
    let exports: Vec<_> = interfaces.iter().map(|name| format!("export handoff:stage/{name}@0.2.0;")).collect();
    format!("package test:test; world test {{ {} }}", exports.join(" "))
}

fn encode(mut module: Vec<u8>, resolve: &Resolve, world: WorldId) -> Vec<u8> {
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).expect("metadata");
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .expect("a module of this world")
        .encode()
        .expect("a component")
}
