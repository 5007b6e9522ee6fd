//! The host, tried by plugins that behave and by plugins that do not.

mod cache;
mod contract;
mod fixtures;
mod hostile;
mod nonsense;
mod pool;
mod refused;
mod released;
mod samples;
