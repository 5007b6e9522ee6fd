//! Knows people: who may sign in, in which role, for how long. Knows no referral.
//!
//! Read [`role`] first (what each role may do) and [`person`] (who has one), then [`accounts`] with [`account`] and
//! [`account_file`] (who is known), [`sign_in`] with [`password`] and [`totp`] (how somebody is let in), [`session`] (for
//! how long), and [`oidc`] (people for whom the practice's own directory vouches).

#![forbid(unsafe_code)]

pub mod account;
pub mod account_file;
pub mod accounts;
mod error_codes;
pub mod oidc;
pub mod password;
pub mod person;
pub mod role;
pub mod session;
pub mod sign_in;
pub mod totp;
