//! The plugin, run natively: both schemas, signatures, faults, and any bytes at all.

mod fhir;
mod field;
mod plain;
mod properties;
mod signing;
mod told;
