//! How fast an endpoint may be asked, as the practice's IT writes it into the configuration.

use serde::Deserialize;

/// So many requests in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub requests: u32,
    #[serde(default = "per_seconds_default")]
    pub per_seconds: u32,
    /// Requests that may go at once after a rest. As many as `requests` when absent.
    #[serde(default)]
    pub burst: Option<u32>,
}

impl Rate {
    pub fn burst(self) -> u32 {
        self.burst.unwrap_or(self.requests)
    }
}

fn per_seconds_default() -> u32 {
    1
}
