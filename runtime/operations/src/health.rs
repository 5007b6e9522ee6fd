//! How the machine is, for whoever runs it: counts, names of endpoints and sources, and no patient.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use handoff_pipeline::intake::counts::SourceCount;
use handoff_pipeline::pauses::PauseState;
use handoff_store::Position;
use handoff_store::index::{DeadCount, IndexError, Kind, Search};

use crate::disk::DiskUse;
use crate::operations::Operations;

#[derive(Clone, Debug)]
pub struct InstanceHealth {
    /// Why nothing is taken, where nothing is.
    pub problem: Option<String>,
    pub entries: u64,
    /// Segments to be restored from a backup.
    pub damaged: Vec<String>,
    pub disk: DiskUse,
    pub endpoints: BTreeMap<String, EndpointHealth>,
    pub sources: BTreeMap<String, SourceCount>,
    pub pauses: PauseState,
    /// Plugins that keep failing, and until when each is left alone.
    pub resting: BTreeMap<String, DateTime<Utc>>,
    pub dead: DeadCount,
    pub letters_due: usize,
    pub backed_up: Option<DateTime<Utc>>,
    /// Since when the oldest due timer has waited.
    pub timer_due: Option<DateTime<Utc>>,
}

/// How one endpoint is.
#[derive(Clone, Debug)]
pub struct EndpointHealth {
    /// `open`, `paused`, `down` or `trying`.
    pub state: &'static str,
    /// When it is asked again.
    pub until: Option<DateTime<Utc>>,
    pub waiting: usize,
    pub under_way: usize,
}

impl Operations {
    /// # Errors
    /// When the index cannot be read.
    pub fn health(&self) -> Result<InstanceHealth, IndexError> {
        let pipeline = &self.pipeline;
        let (index, now) = (pipeline.store.index(), pipeline.clock.now());
        let endpoints = pipeline.endpoints().into_iter().map(|(name, it)| {
            let (state, until, waiting, under_way) = (it.state, it.until, it.waiting, it.under_way);
            (name, EndpointHealth { state, until, waiting, under_way })
        });
        let problem = pipeline.readiness().err().map(|error| handoff_engine::error_chain::Chain(&error).to_string());
        Ok(InstanceHealth {
            problem,
            entries: pipeline.store.last().0,
            damaged: pipeline.store.reader().damaged().iter().map(ToString::to_string).collect(),
            disk: self.disk(),
            endpoints: endpoints.collect(),
            sources: pipeline.intake.counts(),
            pauses: pipeline.pauses.state(),
            resting: pipeline.resting(),
            dead: index.dead_count()?,
            letters_due: index.letter_ids_due(now, usize::MAX).len(),
            backed_up: self.backed_up()?,
            timer_due: index.next_timer().filter(|due| *due < now),
        })
    }

    /// When a backup was made last.
    fn backed_up(&self) -> Result<Option<DateTime<Utc>>, IndexError> {
        let index = self.pipeline.store.index();
        let (mut search, mut last) = (Search { kind: Some(Kind::BackedUp), ..Search::default() }, None);
        while let Some(position) = index.search(&search)?.last().copied() {
            (search.after, last) = (position, Some(position));
        }
        let read = |position: Position| self.pipeline.store.read(position).ok().flatten();
        Ok(last.and_then(read).map(|entry| entry.at))
    }
}
