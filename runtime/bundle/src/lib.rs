//! Carries the bundled plugins, each built into a component at compile time.

#![forbid(unsafe_code)]

/// A plugin that comes with Handoff.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bundled {
    /// Its folder in `plugins/`, and its name in a workflow.
    pub name: &'static str,
    pub component: &'static [u8],
}

/// All of them, by name.
pub fn plugins() -> &'static [Bundled] {
    include!(concat!(env!("OUT_DIR"), "/bundled.rs"))
}

/// The bundled plugin of this name.
pub fn plugin(name: &str) -> Option<Bundled> {
    plugins().iter().copied().find(|plugin| plugin.name == name)
}
