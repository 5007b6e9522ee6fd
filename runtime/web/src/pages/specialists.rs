//! `/specialists`: how far each office closes the loop, beside the others.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use handoff_operations::census::OfficeRecord;
use url::form_urlencoded;

use super::frame::{Frame, Visitor, render};
use super::rows::or;
use super::words;
use crate::api::Api;
use crate::api::problem::{HttpProblem, failed};

#[derive(Template)]
#[template(path = "specialists.html")]
struct SpecialistsPage {
    frame: Frame,
    lead: String,
    offices: Vec<Office>,
}

struct Office {
    link: String,
    name: String,
    specialty: String,
    phone: String,
    referrals: u64,
    in_flight: u64,
    unbooked: u64,
    stalled: u64,
    to_visit: String,
    missed: String,
    notes: Option<u64>,
    to_note: String,
    awaited: u64,
}

impl Office {
    fn of(record: &OfficeRecord) -> Office {
        let days = |days: Option<i64>| days.map_or_else(|| "–".into(), |days| format!("{days}\u{a0}days"));
        let visits = record.attended + record.missed;
        let share = |part: u64, whole: u64| (whole > 0).then(|| part * 100 / whole);
        Office {
            link: form_urlencoded::Serializer::new(String::from("/worklist?view=everyone&"))
                .append_pair("specialist", &record.id)
                .finish()
                .replacen("&&", "&", 1),
            name: or(&record.name, &record.id).to_string(),
            specialty: record.specialty.clone(),
            phone: words::phone(&record.phone),
            referrals: record.referrals,
            in_flight: record.in_flight,
            unbooked: record.unbooked,
            stalled: record.stalled,
            to_visit: days(record.median_days_to_visit()),
            missed: share(record.missed, visits).map_or_else(|| "–".into(), |it| format!("{it}%")),
            notes: share(record.noted, record.attended),
            to_note: days(record.median_days_to_note()),
            awaited: record.awaited,
        }
    }
}

pub(super) async fn show(State(api): State<Arc<Api>>, visitor: Visitor) -> Result<Response, HttpProblem> {
    api.work(move |api| {
        let census = api.operations.census().map_err(|error| failed(&error))?;
        let records = census.offices();
        let awaited: u64 = records.iter().map(|record| record.awaited).sum();
        let worst = records.iter().max_by_key(|record| record.awaited).filter(|record| record.awaited > 1);
        let owed = match awaited {
            0 => "No office owes a note.".to_string(),
            1 => "One note is owed.".to_string(),
            more => format!("{more} notes are owed."),
        };
        let most = worst.map(|record| format!(" {} owes {} of them.", or(&record.name, &record.id), record.awaited));
        render(&SpecialistsPage {
            frame: visitor.frame(api, "Specialists"),
            lead: format!("{owed}{}", most.unwrap_or_default()),
            offices: records.into_iter().map(Office::of).collect(),
        })
    })
    .await
}
