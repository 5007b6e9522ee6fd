//! The plugin, run natively: sample messages, rows for each rule, and any bytes at all.

mod acknowledgements;
mod batch;
mod characters;
mod documents;
mod field;
mod mapping;
mod messages;
mod properties;
mod readings;
mod samples;
mod told;
