//! `/audit`: who looked at whom, who did what, and what happened, the newest first. Tokens only.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use handoff_engine::ids::ReferralId;
use handoff_operations::deeds::DeedQuery;
use handoff_operations::reports::audit::Found;
use handoff_store::Position;
use handoff_store::index::Kind;
use serde::Deserialize;
use url::form_urlencoded;

use super::frame::{Frame, Visitor, render, times};
use super::times::Times;
use super::words;
use super::worklist::Choice;
use crate::api::Api;
use crate::api::extract::Asked;
use crate::api::problem::{HttpProblem, failed};

/// What a person looks through without losing their place.
const ROWS_MAX: usize = 50;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    what: Option<String>,
    referral: Option<String>,
    from: Option<String>,
    until: Option<String>,
    before: Option<u64>,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
    choices: Vec<Choice>,
    referral: String,
    from: String,
    until: String,
    problem: Option<&'static str>,
    rows: Vec<AuditRow>,
    next: Option<String>,
}

struct AuditRow {
    machine: String,
    at: String,
    position: u64,
    who: String,
    what: Vec<String>,
    why: Vec<String>,
    referrals: Vec<(String, String)>,
}

/// What an auditor asks for most, each with the kinds of records that it is in.
const WHATS: [(&str, &str, &[Kind]); 5] = [
    ("looks", "Looks at patients", &[Kind::Looked, Kind::BrokeGlass]),
    ("emergencies", "Opened in an emergency", &[Kind::BrokeGlass]),
    ("sign-ins", "Signing in and out", &[Kind::SignedIn, Kind::SignedOut, Kind::SignInRefused, Kind::LockedOut]),
    (
        "acts",
        "What people did",
        &[
            Kind::Account,
            Kind::Settled,
            Kind::Held,
            Kind::Released,
            Kind::Paused,
            Kind::Resumed,
            Kind::Purged,
            Kind::Rotated,
            Kind::BackedUp,
            Kind::Deployed,
        ],
    ),
    ("all", "Everything", &[]),
];

impl Query {
    fn kinds(&self) -> &'static [Kind] {
        let (_, _, kinds) = WHATS.iter().find(|(name, _, _)| Some(*name) == self.what.as_deref()).unwrap_or(&WHATS[0]);
        kinds
    }

    fn deeds(&self, times: &Times) -> Result<DeedQuery, &'static str> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let day = |text: &Option<String>| match given(text) {
            None => Ok(None),
            Some(text) => {
                let day = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d");
                day.map(Some).map_err(|_| "A date is written as 2026-03-31.")
            }
        };
        let referral: Option<ReferralId> = match given(&self.referral) {
            None => None,
            Some(text) => Some(text.trim().parse().map_err(|_| "A referral’s id has 26 letters and digits.")?),
        };
        let begins = |day: NaiveDate| -> Option<DateTime<Utc>> {
            day.and_time(NaiveTime::MIN).and_local_timezone(times.zone).earliest().map(|at| at.with_timezone(&Utc))
        };
        Ok(DeedQuery {
            kinds: self.kinds().to_vec(),
            referral,
            from: day(&self.from)?.and_then(begins),
            until: day(&self.until)?.and_then(|day| begins(day + Days::new(1))),
            before: self.before.map(Position),
            limit: ROWS_MAX,
        })
    }

    fn older(&self, before: Position) -> String {
        let mut address = form_urlencoded::Serializer::new(String::new());
        let kept = [("what", &self.what), ("referral", &self.referral), ("from", &self.from), ("until", &self.until)];
        for (name, value) in kept {
            if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
                address.append_pair(name, value);
            }
        }
        format!("/audit?{}", address.append_pair("before", &before.0.to_string()).finish())
    }
}

impl AuditRow {
    fn of(found: &Found, times: &Times) -> AuditRow {
        let by = |deed: &handoff_operations::reports::audit::Deed| {
            let who = deed.who.clone().unwrap_or_else(|| "a name that no account has".into());
            deed.role.as_ref().map_or(who.clone(), |role| format!("{who} ({role})"))
        };
        let mut who: Vec<String> = found.deeds.iter().map(by).collect();
        who.dedup();
        let what: Vec<String> = match found.deeds.is_empty() {
            true => found.types.iter().map(|kind| words::sentence(kind)).collect(),
            false => found.deeds.iter().map(|deed| deed.what.clone()).collect(),
        };
        AuditRow {
            machine: times.machine(found.at),
            at: times.exactly(found.at),
            position: found.position.0,
            who: if who.is_empty() { "Handoff".into() } else { who.join(", ") },
            what,
            why: found.deeds.iter().filter_map(|deed| deed.why.clone()).collect(),
            referrals: found.referrals.iter().map(|id| (id.to_string(), words::number(*id))).collect(),
        }
    }
}

pub(super) async fn show(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Asked(query): Asked<Query>,
) -> Result<Response, HttpProblem> {
    api.work(move |api| {
        let times = times(api);
        let (rows, next, problem) = match query.deeds(&times) {
            Err(problem) => (Vec::new(), None, Some(problem)),
            Ok(deeds) => {
                let (found, next) = api.operations.deeds(&deeds).map_err(|error| failed(&error))?;
                let rows = found.iter().map(|found| AuditRow::of(found, &times)).collect();
                (rows, next.map(|before| query.older(before)), None)
            }
        };
        let chosen = query.what.as_deref().unwrap_or("looks");
        let choice = |(value, title, _): (&str, &str, _)| Choice {
            value: value.into(),
            title: title.into(),
            is_chosen: value == chosen,
        };
        render(&AuditPage {
            frame: visitor.frame(api, "Audit"),
            choices: WHATS.map(choice).into_iter().collect(),
            // What cannot be read is not shown again: who knows what somebody typed.
            referral: query.referral.clone().filter(|_| problem.is_none()).unwrap_or_default(),
            from: query.from.clone().filter(|_| problem.is_none()).unwrap_or_default(),
            until: query.until.clone().filter(|_| problem.is_none()).unwrap_or_default(),
            problem,
            rows,
            next,
        })
    })
    .await
}
