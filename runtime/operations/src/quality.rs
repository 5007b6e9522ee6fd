//! The quality measure of a year, for people who look at it while the instance runs. Counted once a minute at most.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;

use crate::operations::Operations;
use crate::reports::cms50::{self, Cms50, MeasurementYear};

/// A page that is asked for again and again must not read every referral each time.
const COUNTED_FOR: TimeDelta = TimeDelta::minutes(1);

/// As they were counted last, a year each.
#[derive(Default)]
pub(crate) struct LastMeasures(Mutex<Vec<(DateTime<Utc>, Arc<Cms50>)>>);

impl Operations {
    /// The year that it is by the practice's own calendar.
    pub fn measurement_year(&self) -> MeasurementYear {
        MeasurementYear::of(self.pipeline.clock.now().with_timezone(&self.zone()).date_naive())
    }

    /// # Errors
    /// When the index or the journal cannot be read.
    pub fn cms50(&self, year: MeasurementYear) -> anyhow::Result<Arc<Cms50>> {
        let now = self.pipeline.clock.now();
        // Whoever asks meanwhile waits for the same count.
        let mut last = self.measures.0.lock();
        last.retain(|(at, _)| now - *at < COUNTED_FOR);
        if let Some((_, known)) = last.iter().find(|(_, known)| known.year == year) {
            return Ok(Arc::clone(known));
        }
        let store = &self.pipeline.store;
        let counted = Arc::new(cms50::of(store.index(), store.reader(), year, self.zone())?);
        last.push((now, Arc::clone(&counted)));
        Ok(counted)
    }

    fn zone(&self) -> chrono_tz::Tz {
        self.pipeline.deployments.current().workflow().contact.zone
    }
}
