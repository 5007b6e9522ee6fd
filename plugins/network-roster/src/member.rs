//! One specialist of the roster.

use serde::Deserialize;

use crate::{Code, Opening, Provider};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The NPI.
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub organization: String,
    #[serde(default)]
    pub phone: String,
    /// Codes or names: `394579002`, `Cardiology`.
    pub specialties: Vec<String>,
    /// Ids or names of plans; `*` is every plan.
    #[serde(default)]
    pub plans: Vec<String>,
    /// Days until the next free visit; absent when nobody knows, which counts as room.
    pub next_available_days: Option<u32>,
    /// Takes no new patients.
    #[serde(default)]
    pub full: bool,
}

const DAY_MILLIS: i64 = 86_400_000;

impl Member {
    /// By id, else, where the order has no id, by name.
    pub fn is(&self, provider: &Provider) -> bool {
        if provider.id.is_empty() { same(&self.name, &provider.name) } else { self.id == provider.id }
    }

    pub fn practises(&self, specialty: &Code) -> bool {
        let is_named = |own: &String| same(own, &specialty.code) || same(own, &specialty.display);
        self.specialties.iter().any(is_named)
    }

    pub fn accepts(&self, plan_id: &str, plan_name: &str) -> bool {
        self.plans.iter().any(|own| own == "*" || same(own, plan_id) || same(own, plan_name))
    }

    pub fn has_room_within(&self, days: u32) -> bool {
        !self.full && self.next_available_days.is_none_or(|next| next <= days)
    }

    pub fn opening(&self, now: i64) -> Opening {
        Opening {
            specialist: Provider {
                id: self.id.clone(),
                name: self.name.clone(),
                organization: self.organization.clone(),
                phone: self.phone.clone(),
                specialty: self.specialties.first().cloned().unwrap_or_default(),
            },
            next_available: self.next_available_days.map(|days| now.saturating_add(i64::from(days) * DAY_MILLIS)),
        }
    }
}

/// The same words, whatever the case, spacing and punctuation: `Dr. Ana Ruiz` and `dr ana ruiz`. An empty text equals
/// none.
fn same(one: &str, other: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        text.to_lowercase()
            .split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let one = words(one);
    !one.is_empty() && one == words(other)
}
