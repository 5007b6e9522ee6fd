//! A referral as a row of a list: why it is there, where it stands, what happens next and when.

use handoff_operations::worklist::WorkRow;

use super::times::Times;
use super::words::{self, Sign};

/// In words.
pub(super) struct Row {
    pub id: String,
    /// By which its task is ticked, where there is one.
    pub task: Option<String>,
    /// Whose it is, where it is somebody's.
    pub assignee: Option<String>,
    /// The patient where the role sees them, else the referral's number.
    pub who: String,
    pub why: String,
    pub office: String,
    pub standing: Sign,
    pub next: Option<String>,
    /// `Wrote 7:52 AM`, `Text, English`.
    pub last: Option<(String, String)>,
    pub act_icon: &'static str,
    pub act: &'static str,
    pub urgent: bool,
}

impl Row {
    pub fn of(row: &WorkRow, times: &Times) -> Row {
        let day = times.days_since(row.ordered_at);
        let name = row.patient.as_ref().map(words::name).unwrap_or_default();
        let why = row.why.as_ref().map(|why| match &why.summary {
            Some(summary) => words::without_name(summary, &name),
            None => words::task(&why.kind),
        });
        let last = row.last.as_ref().map(|last| {
            let did = if last.by_patient { "Wrote" } else { "Sent" };
            let by = format!("{}, {}", words::channel(last.channel), words::language(&last.language));
            (format!("{did} {}", times.lately(last.at)), by)
        });
        let (act_icon, act) = row.why.as_ref().map_or(("doc", "Open"), |why| words::task_act(&why.kind));
        let ordered = || format!("{}, ordered {}", or(&row.specialty, "Referral"), times.date(row.ordered_at));
        Row {
            id: row.id.to_string(),
            task: row.why.as_ref().map(|why| why.task.to_string()),
            assignee: row.why.as_ref().and_then(|why| why.assignee.clone()),
            who: row.patient.as_ref().map_or_else(|| words::number(row.id), |it| words::name_and_age(it, times)),
            why: why.unwrap_or_else(ordered),
            office: or(&row.specialist, "Nobody yet").to_string(),
            standing: words::standing(row.standing, row.stalled, day, times),
            next: row.next.as_ref().map(|next| words::foreseen(next, row.standing, &row.physician, times)),
            last,
            act_icon,
            act,
            urgent: row.why.as_ref().is_some_and(|why| why.urgent),
        }
    }
}

pub(super) fn or<'t>(text: &'t str, instead: &'t str) -> &'t str {
    if text.is_empty() { instead } else { text }
}
