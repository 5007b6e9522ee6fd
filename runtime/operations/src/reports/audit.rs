//! A journal's entry as an auditor reads it: what it is about, what happened, and who did or saw what.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use handoff_engine::ids::ReferralId;
use handoff_store::index::{Kind, Kinds, touched_by};
use handoff_store::{Entry, Position, Record};
use serde::Serialize;
use utoipa::ToSchema;

use super::timeline;

/// One entry. Tokens only.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Found {
    #[schema(value_type = u64)]
    pub position: Position,
    #[schema(value_type = String, format = DateTime)]
    pub at: DateTime<Utc>,
    /// The types of its records and events.
    pub types: Vec<&'static str>,
    #[schema(value_type = Vec<String>)]
    pub referrals: BTreeSet<ReferralId>,
    /// What it says of those referrals.
    pub told: Vec<String>,
    /// What people did.
    pub deeds: Vec<Deed>,
}

/// What somebody did, or saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Deed {
    /// The record's type.
    pub deed: &'static str,
    /// Absent where nobody knows: a name that no account has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    pub what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Found {
    pub fn of(position: Position, entry: &Entry) -> Found {
        let referrals: BTreeSet<ReferralId> = entry.records.iter().flat_map(touched_by).collect();
        let told = referrals.iter().flat_map(|referral| timeline::told(entry, *referral));
        let told = told.map(|moment| moment.what.trim_start().to_string()).collect();
        let types = Kinds::of(entry).iter().map(Kind::name).collect();
        let deeds = entry.records.iter().filter_map(deed).collect();
        Found { position, at: entry.at, types, told, deeds, referrals }
    }
}

fn deed(record: &Record) -> Option<Deed> {
    let by = |deed: Kind, who: &str, what: String, why: Option<&str>| {
        let (who, why) = (Some(who.to_string()), why.map(str::to_string));
        Some(Deed { deed: deed.name(), who, role: None, what, why })
    };
    match record {
        Record::Looked { who, role, what, why, referrals: _ } => {
            let looked = by(Kind::Looked, who, what.clone(), Some(why))?;
            Some(Deed { role: role.clone(), ..looked })
        }
        Record::BrokeGlass { referral, who, until, why } => {
            let what = format!("opened referral {referral} until {}", until.format("%Y-%m-%d %H:%M:%S"));
            by(Kind::BrokeGlass, who, what, Some(why))
        }
        Record::Account { person, change, role, who, why, second_factor } => {
            let factors = if *second_factor { ", with a second factor" } else { "" };
            by(Kind::Account, who, format!("account {person} ({role}): {}{factors}", word(change)), Some(why))
        }
        Record::SignedIn { person, from, second_factor } => {
            let factors = if *second_factor { " with two factors" } else { "" };
            by(Kind::SignedIn, person, format!("signed in from {from}{factors}"), None)
        }
        Record::SignedOut { person } => by(Kind::SignedOut, person, "signed out".into(), None),
        Record::SignInRefused { person, because, from } => Some(Deed {
            deed: Kind::SignInRefused.name(),
            who: person.clone(),
            role: None,
            what: format!("was not let in from {from}: {}", word(because)),
            why: None,
        }),
        Record::LockedOut { person, until } => {
            by(Kind::LockedOut, person, format!("locked out until {}", until.format("%Y-%m-%d %H:%M:%S")), None)
        }
        Record::Settled { item, how, who, why } => by(Kind::Settled, who, format!("{}: {item}", word(how)), Some(why)),
        Record::Held { referral, who, why } => by(Kind::Held, who, format!("held referral {referral}"), Some(why)),
        Record::Paused { cause, scope, who, why } => {
            by(Kind::Paused, who, format!("paused {scope} ({cause})"), Some(why))
        }
        Record::Resumed { cause, who, why } => by(Kind::Resumed, who, format!("resumed ({cause})"), Some(why)),
        Record::Released { referral, who, why } => {
            by(Kind::Released, who, format!("released referral {referral}"), Some(why))
        }
        Record::Purged { before, entries, who, why, segments: _ } => {
            let what = format!("purged {entries} entries from before {}", before.format("%Y-%m-%d"));
            by(Kind::Purged, who, what, Some(why))
        }
        Record::Rotated { key, who, why } => by(Kind::Rotated, who, format!("another {} key", word(key)), Some(why)),
        Record::BackedUp { through, who, why } => {
            by(Kind::BackedUp, who, format!("copied everything through entry {through}"), Some(why))
        }
        Record::Deployed { deployment, canary, who, why, .. } => {
            let what = if canary.is_some() { "canary" } else { "deployment" };
            by(Kind::Deployed, who, format!("{what} {}", deployment.short()), Some(why))
        }
        Record::Delivery { .. }
        | Record::Happened { .. }
        | Record::Stepped { .. }
        | Record::Ignored { .. }
        | Record::Decided { .. }
        | Record::Queued { .. }
        | Record::Asked { .. }
        | Record::Answered { .. }
        | Record::Deferred { .. }
        | Record::Received { .. }
        | Record::Reported { .. }
        | Record::Refused { .. }
        | Record::Dropped { .. }
        | Record::Named { .. }
        | Record::Consented { .. }
        | Record::Keyed { .. } => None,
    }
}

/// A word of the journal's, as the journal writes it.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}
