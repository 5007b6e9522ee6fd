//! What is read off the journal for people outside: a referral's timeline, an evidence pack, an accounting of disclosures, and
//! the audit trail.

pub mod audit;
pub mod disclosures;
pub mod evidence;
pub mod timeline;
