//! The five figures by which the practice sees whether its loop closes.

use chrono::{DateTime, Utc};
use handoff_engine::dashboard::{Figure, Target};
use handoff_store::index::IndexError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::operations::Operations;

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
        let census = self.census()?;
        Ok(Figures { counted_at: census.counted_at, figures: census.all.figures().iter().map(Share::of).collect() })
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
