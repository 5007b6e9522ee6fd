//! An accounting of disclosures (45 CFR 164.528), from the journal: what of one patient left Handoff, when, to whom,
//! under which agreement and why. Tokens only; what they stand for the vault knows.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use handoff_engine::ids::{LetterId, PatientId, ReferralId, StageKey};
use handoff_store::index::{PAGE_MAX, ReferralFilter};
use handoff_store::journal::Entries;
use handoff_store::{Entry, Index, Record};
use handoff_vault::token;
use serde::Serialize;
use serde_json::Value;

/// One request that carried data of the patient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disclosure {
    pub at: DateTime<Utc>,
    pub referral: ReferralId,
    /// The endpoint as the configuration names it.
    pub to: String,
    /// The business associate agreement's reference; absent when the entry is older than such references.
    pub agreement: Option<String>,
    pub why: &'static str,
    pub letter: LetterId,
    /// The tokens that were placed in it, in their order.
    pub what: Vec<String>,
    pub outcome: DisclosureOutcome,
}

/// What is known of its arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisclosureOutcome {
    Answered,
    /// No answer is on record: it may have arrived, and so counts.
    Unanswered,
}

/// Oldest first.
///
/// # Errors
/// When the journal cannot be read.
pub fn of(index: &dyn Index, entries: &dyn Entries, patient: &PatientId) -> anyhow::Result<Vec<Disclosure>> {
    let mut positions = BTreeSet::new();
    let mut after = None;
    loop {
        let page = index.referrals(&ReferralFilter::default(), after, PAGE_MAX)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for listed in page.into_iter().filter(|listed| listed.patient == *patient) {
            positions.extend(index.history(&listed.id)?.into_iter().map(|position| (position, listed.id)));
        }
    }
    let mut disclosures = Vec::new();
    for (position, referral) in positions {
        if let Some(entry) = entries.entry(position)? {
            tell(&entry, referral, &mut disclosures);
        }
    }
    Ok(disclosures)
}

fn tell(entry: &Entry, of: ReferralId, disclosures: &mut Vec<Disclosure>) {
    for record in &entry.records {
        if let Record::Asked { letter, stage, endpoint, agreement, ask, .. } = record
            && letter.referral == of
        {
            // What the plugin remembers beside the request stays in Handoff.
            let ask: Value = ask.read().unwrap_or_default();
            let text = ask["request"].to_string();
            let what: Vec<String> = token::find(&text).map(|range| text[range].to_string()).collect();
            if what.is_empty() {
                continue;
            }
            disclosures.push(Disclosure {
                at: entry.at,
                referral: of,
                to: endpoint.clone(),
                agreement: agreement.clone(),
                why: purpose(stage),
                letter: *letter,
                what,
                outcome: DisclosureOutcome::Unanswered,
            });
        }
        if let Record::Answered { letter, .. } = record
            && letter.referral == of
            && let Some(asked) = disclosures.iter_mut().rev().find(|asked| asked.letter == *letter)
        {
            asked.outcome = DisclosureOutcome::Answered;
        }
    }
}

/// By the stage that asked. All of it is treatment or health care operations (45 CFR 164.501).
fn purpose(stage: &StageKey) -> &'static str {
    match stage.split('.').next().unwrap_or_default() {
        "outreach" => "to write to the patient about the referral",
        "records" => "to read how the patient may be reached",
        "visit" => "to ask whether the patient attended",
        "chart" => "to write the outcome to the chart",
        "escalation" => "to put a task on a clinician",
        _ => "to coordinate the referral",
    }
}
