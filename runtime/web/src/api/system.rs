//! `/api/figures`, `/api/deployments` and `/metrics`: how the practice and the machine are doing. Counts, and no patient.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use handoff_operations::metrics::Figures;
use handoff_pipeline::intake::counts::SourceCount;
use handoff_pipeline::pauses::PauseState;
use handoff_store::index::IndexError;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::problem::{HttpProblem, failed};

/// Prometheus' text format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A workflow with its plugins, as it took effect.
#[derive(Serialize, ToSchema)]
pub(super) struct Deployed {
    /// By which referrals name it.
    digest: String,
    #[schema(value_type = String, format = DateTime)]
    at: DateTime<Utc>,
    who: String,
    why: String,
    /// Digests of components by stage.
    plugins: BTreeMap<String, String>,
    /// Whether new referrals get it.
    current: bool,
    /// Referrals that are in flight on it.
    in_flight: u64,
}

/// The five figures of the practice.
#[utoipa::path(get, path = "/api/figures", tag = "instance", responses((status = 200, body = Figures), HttpProblem))]
pub(super) async fn figures(State(api): State<Arc<Api>>) -> Result<Json<Figures>, HttpProblem> {
    api.work(|api| api.operations.figures().map(Json).map_err(|error| failed(&error))).await
}

/// Workflows with their plugins, oldest first.
#[utoipa::path(get, path = "/api/deployments", tag = "instance", responses((status = 200, body = [Deployed]), HttpProblem))]
pub(super) async fn deployments(State(api): State<Arc<Api>>) -> Result<Json<Vec<Deployed>>, HttpProblem> {
    api.work(|api| {
        let pipeline = &api.operations.pipeline;
        let (current, in_flight) =
            (pipeline.deployments.current().deployment.digest, pipeline.store.index().in_flight());
        let known = pipeline.store.index().deployments().map_err(|error| failed(&error))?;
        let deployed = known.into_iter().map(|it| Deployed {
            digest: it.deployment.to_string(),
            at: it.at,
            who: it.who,
            why: it.why,
            plugins: it.plugins.into_iter().map(|(stage, digest)| (stage.to_string(), digest.to_string())).collect(),
            current: it.deployment == current,
            in_flight: in_flight
                .iter()
                .filter(|flight| flight.deployment == it.deployment)
                .map(|it| it.referrals)
                .sum(),
        });
        Ok(Json(deployed.collect()))
    })
    .await
}

/// For Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "instance", security(("session" = []), ("monitoring" = [])),
    responses((status = 200, body = String, content_type = "text/plain"), HttpProblem)
)]
pub(super) async fn metrics(State(api): State<Arc<Api>>) -> Result<impl IntoResponse, HttpProblem> {
    let text = api.work(|api| exposition(api).map_err(|error| failed(&error))).await?;
    Ok(([(CONTENT_TYPE, EXPOSITION)], text))
}

/// Labels are names out of workflow and configuration, never anything that came in.
fn exposition(api: &Api) -> Result<String, IndexError> {
    let pipeline = &api.operations.pipeline;
    let (index, now) = (pipeline.store.index(), pipeline.clock.now());
    let mut by_state: BTreeMap<String, u64> = BTreeMap::new();
    for flight in index.in_flight() {
        *by_state.entry(flight.state).or_default() += flight.referrals;
    }
    let endpoints = pipeline.endpoints();
    let mut page = Exposition(String::new());
    page.one("journal_entries_total", "counter", "Entries committed", pipeline.store.last().0);
    page.one(
        "journal_healthy",
        "gauge",
        "1 while the journal takes entries",
        u64::from(pipeline.store.healthy().is_ok()),
    );
    let damaged = pipeline.store.reader().damaged().len() as u64;
    page.one("journal_segments_damaged", "gauge", "Segments to be restored from a backup", damaged);
    let dead = index.dead_count()?;
    let dead = [("letter".to_string(), dead.letters), ("delivery".to_string(), dead.deliveries)];
    page.many("dead_letters", "gauge", "What waits for a person", "kind", dead);
    page.one("letters_due", "gauge", "Letters that are due", index.letter_ids_due(now, usize::MAX).len() as u64);
    let overdue = index.next_timer().map_or(0, |due| (now - due).num_seconds().max(0));
    page.one("timer_overdue_seconds", "gauge", "How long the oldest due timer has waited", overdue.unsigned_abs());
    braked(&mut page, &pipeline.pauses.state());
    taken_in(&mut page, &pipeline.intake.counts());
    let ends = pipeline.letter_ends();
    let ends = ends.into_iter().map(|((stage, end), count)| (format!("stage=\"{stage}\",end=\"{end}\""), count));
    page.labelled("letter_attempts_total", "counter", "Attempts at letters since the start, by how they ended", ends);
    let faults: u64 = pipeline.sender_faults().values().map(|fault| fault.times).sum();
    page.one(
        "sender_faults_total",
        "counter",
        "Letters that failed through a fault of the sender's own since the start",
        faults,
    );
    let now_seconds = now.timestamp().unsigned_abs();
    let left = pipeline.egress.agreements().filter_map(|(endpoint, expires)| {
        let end = expires.succ_opt()?.and_time(chrono::NaiveTime::MIN).and_utc().timestamp().unsigned_abs();
        Some((endpoint, end.saturating_sub(now_seconds)))
    });
    page.many("agreement_seconds_left", "gauge", "Until a business associate agreement expires", "endpoint", left);
    let disk = api.operations.disk();
    page.one("data_free_bytes", "gauge", "Free on the disk of the data folder", disk.free_bytes);
    page.one("journal_bytes", "gauge", "Taken by the journal", disk.journal_bytes);
    let calls = pipeline.plugin_calls();
    page.one("plugin_calls_total", "counter", "Calls of plugins since the start", calls);
    page.one(
        "plugins_resting",
        "gauge",
        "Plugins that keep failing and are left alone",
        pipeline.resting().len() as u64,
    );
    page.one("sessions", "gauge", "People who are signed in", api.sessions.count(now) as u64);
    page.many("referrals_in_flight", "gauge", "Referrals under way", "state", by_state);
    let up = endpoints.iter().map(|(name, lane)| (name.clone(), u64::from(lane.state == "open")));
    page.many("endpoint_up", "gauge", "1 while requests go there", "endpoint", up);
    let waiting = endpoints.iter().map(|(name, lane)| (name.clone(), lane.waiting as u64));
    page.many("endpoint_letters_waiting", "gauge", "Letters that wait for it", "endpoint", waiting);
    Ok(page.0)
}

/// What holds letters back: 1 for each cause, the clock's doubt among them.
fn braked(page: &mut Exposition, state: &PauseState) {
    let PauseState { pauses, clock, parked } = state;
    let causes = pauses.iter().map(|pause| (pause.cause.to_string(), 1));
    let clock_doubt = clock.iter().map(|_| ("clock".to_string(), 1));
    page.many("paused", "gauge", "1 for each cause that holds letters back", "cause", causes.chain(clock_doubt));
    page.one("messages_held", "gauge", "Messages to patients that are due and held", *parked as u64);
    let off = clock.as_ref().map_or(0, |doubt| doubt.off_seconds);
    page.one("clock_off_seconds", "gauge", "How far the clock is in doubt, either way", off.unsigned_abs());
}

fn taken_in(page: &mut Exposition, counts: &BTreeMap<String, SourceCount>) {
    let last =
        counts.iter().filter_map(|(source, count)| Some((source.clone(), count.last?.timestamp().unsigned_abs())));
    page.many("source_last_seconds", "gauge", "When the last delivery came in, in seconds since 1970", "source", last);
    let verdicts = counts.iter().flat_map(|(source, count)| {
        let SourceCount { last: _, taken, dead, unmatched, turned_away, refused } = *count;
        // What is turned away is refused, for a reason of its own.
        let refused = refused.saturating_sub(turned_away);
        let verdicts = [
            ("taken", taken),
            ("dead", dead),
            ("unmatched", unmatched),
            ("turned-away", turned_away),
            ("refused", refused),
        ];
        verdicts.map(|(verdict, count)| (format!("source=\"{source}\",verdict=\"{verdict}\""), count))
    });
    page.labelled("deliveries_total", "counter", "Deliveries since the start, by what became of them", verdicts);
}

struct Exposition(String);

impl Exposition {
    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.head(name, kind, help);
        self.line(format_args!("handoff_{name} {value}"));
    }

    fn many(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (String, u64)>,
    ) {
        self.head(name, kind, help);
        for (of, value) in values {
            let of = of.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            self.line(format_args!("handoff_{name}{{{label}=\"{of}\"}} {value}"));
        }
    }

    /// With labels that are written out already: names of the workflow and of this file, which hold nothing to escape.
    fn labelled(&mut self, name: &str, kind: &str, help: &str, values: impl IntoIterator<Item = (String, u64)>) {
        self.head(name, kind, help);
        for (labels, value) in values {
            self.line(format_args!("handoff_{name}{{{labels}}} {value}"));
        }
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP handoff_{name} {help}\n# TYPE handoff_{name} {kind}"));
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        // A String takes whatever is written to it.
        let _written = writeln!(self.0, "{line}");
    }
}
