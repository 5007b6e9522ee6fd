//! What is read off the journal for people outside: a referral's timeline, an evidence pack, an accounting of disclosures, the audit
//! trail, and a quality measure.

pub mod audit;
pub mod cms50;
pub mod disclosures;
pub mod evidence;
pub mod timeline;
