//! The practice's electronic health record and the region's scheduling system, as HL7 v2.5.1 senders.

mod dispatch;
pub(crate) mod line;
pub(crate) mod message;
pub(crate) mod segment;
pub(crate) mod webhook;
