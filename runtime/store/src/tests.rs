//! Tests of the store, in the order in which it is built: frames, journal, index, store.

mod conformance;
mod crash;
mod damage;
mod format;
mod frames;
mod index;
mod model;
mod purge;
mod sample;
mod store;
