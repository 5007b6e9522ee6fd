//! Handoff over HTTP: who sees what, who is let in, what is written down, and that patients' data goes nowhere else.

mod acts;
mod directory;
mod doors;
mod matrix;
mod nonsense;
mod notes;
pub mod site;
mod sockets;
