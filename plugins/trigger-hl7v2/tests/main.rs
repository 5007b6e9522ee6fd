//! The plugin, run natively: sample messages, rows for each rule, and any bytes at all.

mod acknowledgements;
mod characters;
mod documents;
mod field;
mod messages;
mod properties;
mod readings;
mod samples;
mod told;
