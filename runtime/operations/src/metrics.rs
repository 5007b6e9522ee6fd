//! The five figures by which the practice sees whether its loop closes.

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::dashboard::{Dashboard, Figure, Target};
use handoff_store::index::{IndexError, PAGE_MAX, ReferralFilter};
use parking_lot::Mutex;
use serde::Serialize;
use utoipa::ToSchema;

use crate::operations::Operations;

/// A hundred thousand referrals are read in seconds; a page that is asked for again and again must not cost that each time.
const FIGURES_FOR: TimeDelta = TimeDelta::minutes(1);

/// As they were counted last.
#[derive(Default)]
pub struct CountedMetrics(Mutex<Option<Figures>>);

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Figures {
    #[schema(value_type = String, format = DateTime)]
    pub counted_at: DateTime<Utc>,
    pub figures: Vec<Share>,
}

/// A share of referrals, beside what practices reach that close the loop.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Share {
    pub figure: String,
    pub count: u64,
    /// Of how many it can be told already.
    pub of: u64,
    pub percent: Option<f64>,
    pub target: String,
    pub on_target: Option<bool>,
}

impl Operations {
    /// # Errors
    /// When the index cannot be read.
    pub fn figures(&self) -> Result<Figures, IndexError> {
        let now = self.pipeline.clock.now();
        // Whoever asks meanwhile waits for the same count.
        let mut counted = self.counted.0.lock();
        if let Some(figures) = counted.as_ref().filter(|figures| now - figures.counted_at < FIGURES_FOR) {
            return Ok(figures.clone());
        }
        let index = self.pipeline.store.index();
        let mut board = Dashboard::empty();
        let mut after = None;
        loop {
            let page = index.referrals(&ReferralFilter::default(), after, PAGE_MAX)?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for listed in page {
                if let Some(referral) = index.referral(&listed.id)? {
                    board.count(&referral, now, self.pipeline.deployments.ended(&referral));
                }
            }
        }
        let figures = Figures { counted_at: now, figures: board.figures().iter().map(Share::of).collect() };
        *counted = Some(figures.clone());
        Ok(figures)
    }
}

impl Share {
    pub fn of(figure: &Figure) -> Share {
        let target = match figure.target {
            Target::AtLeastPercent(least) => format!("at least {least} %"),
            Target::AtMostPercent(most) => format!("below {most} %"),
        };
        let percent = figure.percent().map(|percent| (percent * 10.0).round() / 10.0);
        let Figure { name, count, of, target: _ } = *figure;
        Share { figure: name.into(), count, of, percent, target, on_target: figure.on_target() }
    }
}
