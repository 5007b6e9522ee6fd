//! `/system`: whether Handoff is well, what it reaches, what holds letters back. No patient.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use handoff_operations::health::{EndpointHealth, InstanceHealth};
use handoff_pipeline::intake::counts::SourceCount;
use handoff_store::{PauseCause, PauseScope};

use super::frame::{Frame, Visitor, render, times};
use super::times::{Times, span};
use super::words::{self, Sign};
use crate::api::Api;
use crate::api::problem::{HttpProblem, failed};

/// Below this somebody should look: a busy practice's journal grows by less in a month.
const FREE_BYTES_MIN: u64 = 5_000_000_000;

/// A day's backup that has not been made by the next noon.
const BACKUP_HOURS_MAX: i64 = 36;

#[derive(Template)]
#[template(path = "system.html")]
struct SystemPage {
    frame: Frame,
    lead: String,
    notes: Vec<Note>,
    endpoints: Vec<EndpointRow>,
    sources: Vec<SourceRow>,
    facts: Vec<(&'static str, Sign)>,
}

/// Something that wants somebody.
struct Note {
    class: &'static str,
    title: String,
    text: String,
}

struct EndpointRow {
    name: String,
    sign: Sign,
    waiting: usize,
    under_way: usize,
    until: String,
}

struct SourceRow {
    name: String,
    last: String,
    count: SourceCount,
}

impl EndpointRow {
    fn of((name, state): (&String, &EndpointHealth), times: &Times) -> EndpointRow {
        let sign = match state.state {
            "open" => Sign::new("done", "ok", "Answers"),
            "paused" => Sign::new("clock", "", "Asked for a pause"),
            "down" => Sign::new("alert", "bad", "Does not answer"),
            "trying" => Sign::new("wait", "warn", "Is tried again"),
            other => Sign::new("wait", "", words::sentence(other)),
        };
        let until = state.until.map(|until| format!("asked again {}", times.when(until))).unwrap_or_default();
        EndpointRow { name: name.clone(), sign, waiting: state.waiting, under_way: state.under_way, until }
    }
}

fn cause(cause: PauseCause) -> &'static str {
    match cause {
        PauseCause::Operator => "Somebody paused it",
        PauseCause::NotLive => "This instance has not gone live",
        PauseCause::Restored => "This instance was restored from a backup",
        PauseCause::Volume => "More messages were to leave than is usual",
    }
}

fn scope(scope: PauseScope) -> &'static str {
    match scope {
        PauseScope::Outreach => "messages to patients are held back",
        PauseScope::All => "everything is held back",
    }
}

fn notes(health: &InstanceHealth, times: &Times) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut note = |class, title: &str, text: String| notes.push(Note { class, title: title.into(), text });
    if let Some(problem) = &health.problem {
        note("bad", "Nothing is taken now.", problem.clone());
    }
    for segment in &health.damaged {
        note("bad", "The journal is damaged.", format!("{segment}. Restore this segment from a backup."));
    }
    for pause in &health.pauses.pauses {
        let text = format!(
            "{}, since {} by {}: {}. `handoff resume` lets it go on.",
            scope(pause.scope),
            times.exactly(pause.at),
            pause.who,
            pause.why
        );
        note("warn", &format!("{}.", cause(pause.cause)), words::sentence(&text));
    }
    if let Some(doubt) = &health.pauses.clock {
        let text = format!("It is {} seconds off, held against {}. Letters wait.", doubt.off_seconds, doubt.witness);
        note("bad", "The clock is in doubt.", text);
    }
    for (plugin, until) in &health.resting {
        let text = format!("It is left alone until {}.", times.exactly(*until));
        note("warn", &format!("The plugin {} keeps failing.", &plugin[..plugin.len().min(12)]), text);
    }
    if let Some(due) = health.timer_due.filter(|due| times.now - *due > chrono::TimeDelta::minutes(5)) {
        note("warn", "Timers are late.", format!("The oldest has waited for {}.", span(times.now - due)));
    }
    notes
}

fn facts(health: &InstanceHealth, times: &Times) -> Vec<(&'static str, Sign)> {
    let gigabytes = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
    let free = health.disk.free_bytes;
    let disk = match free >= FREE_BYTES_MIN {
        true => Sign::new("done", "ok", format!("{} free", gigabytes(free))),
        false => Sign::new("alert", "warn", format!("{} free: make room", gigabytes(free))),
    };
    let backup = match health.backed_up {
        None => Sign::new("alert", "warn", "None was made yet"),
        Some(at) if (times.now - at).num_hours() > BACKUP_HOURS_MAX => {
            Sign::new("alert", "warn", format!("The last was made {}", times.exactly(at)))
        }
        Some(at) => Sign::new("done", "ok", format!("Made {}", times.exactly(at))),
    };
    let dead = health.dead.letters + health.dead.deliveries;
    vec![
        (
            "Journal",
            Sign::new("doc", "", format!("{} entries, {}", health.entries, gigabytes(health.disk.journal_bytes))),
        ),
        ("Disk", disk),
        ("Backup", backup),
        ("Letters due now", Sign::new("clock", "", health.letters_due.to_string())),
        ("Messages held back", Sign::new("clock", "", health.pauses.parked.to_string())),
        (
            "Waits for a person",
            Sign::new(if dead > 0 { "alert" } else { "done" }, if dead > 0 { "warn" } else { "ok" }, dead.to_string()),
        ),
    ]
}

pub(super) async fn show(State(api): State<Arc<Api>>, visitor: Visitor) -> Result<Response, HttpProblem> {
    api.work(move |api| {
        let times = times(api);
        let health = api.operations.health().map_err(|error| failed(&error))?;
        let notes = notes(&health, &times);
        let down = health.endpoints.values().filter(|state| state.state == "down").count();
        let lead = match (notes.len(), down) {
            (0, 0) => "All is well: everything that is due leaves, and everything that comes is taken.".to_string(),
            (0, 1) => "One endpoint does not answer. Its letters wait and keep their place.".to_string(),
            (0, more) => format!("{more} endpoints do not answer. Their letters wait and keep their place."),
            (1, _) => "One thing wants you.".to_string(),
            (more, _) => format!("{more} things want you."),
        };
        let source = |(name, count): (&String, &SourceCount)| SourceRow {
            name: name.clone(),
            last: count.last.map_or_else(|| "nothing since the start".into(), |at| times.exactly(at)),
            count: *count,
        };
        render(&SystemPage {
            frame: visitor.frame(api, "System"),
            lead,
            notes,
            endpoints: health.endpoints.iter().map(|it| EndpointRow::of(it, &times)).collect(),
            sources: health.sources.iter().map(source).collect(),
            facts: facts(&health, &times),
        })
    })
    .await
}
