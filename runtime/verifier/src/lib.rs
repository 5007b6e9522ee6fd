//! Proves what became of one referral to somebody who trusts neither us nor our program: an auditor, years later, offline.
//!
//! [`pack`] is the file that `handoff evidence` writes, [`proof`] checks it. How the journal chains and signs its entries
//! is in the store's `FORMAT.md`; what of it matters here is repeated where it is checked.
//!
//! A sound pack proves that the holder of the key signed these entries, each at its number in the journal, in this order,
//! and that no step of the referral between the first and the last is missing. It does not prove that the holder keeps
//! no second journal, nor that what the entries say is true.

#![forbid(unsafe_code)]

mod hex;
pub mod pack;
pub mod proof;

pub use pack::Line;
pub use proof::{ProofFault, VerifiedProof, verify};
