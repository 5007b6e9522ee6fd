//! The plugin, run natively: both schemas, signatures, faults, and any bytes at all.

mod batch;
mod fhir;
mod field;
mod mapping;
mod plain;
mod properties;
mod signing;
mod told;
