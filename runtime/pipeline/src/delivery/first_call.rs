//! Letter -> the first call of its conversation: which stage speaks for it, and what it is told.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use handoff_engine::ids::{LetterId, StageKey, Token};
use handoff_engine::letter::{LetterBody, Message};
use handoff_engine::referral::Referral;
use handoff_host::contract::exchange::Ask;
use handoff_host::contract::types::Attribute;
use handoff_host::contract::{attendance, carrier, hand_over, retrieval};
use handoff_host::{Call, ChartEntry, StageCaller};
use handoff_store::Record;
use handoff_store::index::{Doubt, OutboxItem};

use super::LetterDelivery;
use super::vendor::{vendor_name, vendor_of};
use crate::deployments::Installed;
use crate::error::PipelineError;
use crate::to_wit;
use crate::transaction::Transactions;

/// The extras by which a vendor's plugin looks for a letter: when it was asked for and what time it is, by our clock,
/// and which of the vendor's messages to this address are other letters.
const ASKED_AT: &str = "asked-at";
const NOW: &str = "now";
const KNOWN_IDS: &str = "known-ids";

/// Who speaks for a letter, and what it is told first.
pub(super) struct FirstCall {
    pub speaker: StageCaller,
    pub stage: StageKey,
    pub call: Call,
}

impl LetterDelivery {
    /// Nothing when the workflow has no stage for this letter.
    pub(super) fn first_call(
        &self,
        installed: &Installed,
        referral: &Referral,
        item: &OutboxItem,
    ) -> Result<Option<FirstCall>, PipelineError> {
        let speaker = speaker_for(&item.letter.body);
        let stage = match (&item.doubt, &item.letter.body) {
            // Whoever was asked knows, not whoever would be asked today.
            (Some(doubt), _) => Some(doubt.stage.clone()),
            (None, LetterBody::Message(message)) => installed.carrier(message.channel, &message.vendors_tried),
            (None, _) => Some(StageKey::new(speaker.stage().name())),
        };
        let Some((stage, settings)) =
            stage.and_then(|stage| installed.settings(&stage).map(|settings| (stage, settings)))
        else {
            return Ok(None);
        };
        let call = match &item.doubt {
            // The answer came, and the plugin could not be asked what it means.
            Some(Doubt { response: Some(response), ask, .. }) => {
                let ask: Ask = ask.read()?;
                speaker.resume(ask.state, response.read()?, settings)
            }
            Some(Doubt { response: None, .. }) | None => self.call_for(referral, item, &stage, settings)?,
        };
        Ok(Some(FirstCall { speaker, stage, call }))
    }

    fn call_for(
        &self,
        referral: &Referral,
        item: &OutboxItem,
        stage: &StageKey,
        settings: String,
    ) -> Result<Call, PipelineError> {
        let id = item.letter.id;
        let now = to_wit::instant(self.transactions.clock.now());
        Ok(match &item.letter.body {
            LetterBody::Message(message) => match &item.doubt {
                Some(doubt) => {
                    let mut letter = self.wire_letter(stage, id, message);
                    let asked = self.transactions.store.read(doubt.position)?.map(|entry| moment(entry.at));
                    letter.extras.extend(asked.map(|value| Attribute { name: ASKED_AT.into(), value }));
                    let known = self.known_ids(stage, &message.to)?;
                    letter.extras.push(Attribute { name: KNOWN_IDS.into(), value: known });
                    letter.extras.push(Attribute { name: NOW.into(), value: moment(self.transactions.clock.now()) });
                    Call::Lookup { letter, settings }
                }
                None => Call::Compose { letter: self.wire_letter(stage, id, message), settings },
            },
            LetterBody::ReadRecord => {
                let query = retrieval::Query { patient: to_wit::patient_identifiers(referral), wanted: Vec::new() };
                Call::Retrieve { query, settings }
            }
            LetterBody::CheckVisit => {
                let appointment = referral.facts.appointment.as_ref();
                let visit = attendance::Visit {
                    referral: to_wit::order_numbers(referral),
                    appointment: appointment.iter().flat_map(|a| &a.numbers).map(|n| n.0.clone()).collect(),
                    starts_at: to_wit::instant(appointment.map_or(referral.entered_at, |a| a.starts_at)),
                    minutes: appointment.map_or(0, |a| a.minutes),
                    heard: to_wit::heard(referral),
                    now,
                    extras: Vec::new(),
                };
                Call::CheckVisit { visit, settings }
            }
            LetterBody::WriteChart { outcome } => {
                let entry = to_wit::chart_entry(id, referral, *outcome, now);
                Call::WriteChart { entry: ChartEntry::V0_2(Box::new(entry)), settings }
            }
            LetterBody::Task(task) => {
                let due_at = item.letter.due + TimeDelta::hours(i64::from(task.due_in_hours));
                let task = hand_over::Task {
                    id: id.to_string(),
                    audience: to_wit::audience(task.audience),
                    kind: task.kind.clone(),
                    urgent: task.urgent,
                    to: to_wit::addressee(referral, task.audience),
                    summary: task.summary.clone(),
                    referral: to_wit::order_numbers(referral),
                    patient: referral.facts.patient.identifiers.iter().map(|id| id.value.0.clone()).collect(),
                    due_at: to_wit::instant(due_at),
                    now,
                    extras: Vec::new(),
                };
                Call::Raise { task, settings }
            }
        })
    }

    /// The letter as it is sent; nothing when it is no message.
    pub(super) fn compose(&self, stage: &StageKey, id: LetterId, item: &OutboxItem, settings: String) -> Option<Call> {
        match &item.letter.body {
            LetterBody::Message(message) => {
                Some(Call::Compose { letter: self.wire_letter(stage, id, message), settings })
            }
            LetterBody::ReadRecord | LetterBody::CheckVisit | LetterBody::WriteChart { .. } | LetterBody::Task(_) => {
                None
            }
        }
    }

    /// The vendor's ids of letters to an address that have their receipts, with spaces between them.
    fn known_ids(&self, stage: &StageKey, address: &Token) -> Result<String, PipelineError> {
        let Transactions { store, vault, .. } = &*self.transactions;
        let index = store.index();
        let clear = vault.reveal(address, store)?;
        let mut known = Vec::new();
        for referral in index.find(&vault.blind("address", &self.transactions.country.canonical(clear.as_str())))? {
            for position in index.history(&referral)? {
                let Some(entry) = store.read(position)? else { continue };
                known.extend(entry.records.iter().filter_map(|record| {
                    let Record::Received { vendor_id: Some(id), .. } = record else { return None };
                    id.strip_prefix(vendor_name(vendor_of(stage), "").as_str()).map(str::to_string)
                }));
            }
        }
        Ok(known.join(" "))
    }

    fn wire_letter(&self, stage: &StageKey, id: LetterId, message: &Message) -> carrier::Letter {
        let vendor = vendor_of(stage);
        carrier::Letter {
            id: id.to_string(),
            channel: to_wit::channel(message.channel),
            to: message.to.0.clone(),
            language: message.language.clone(),
            subject: message.subject.clone(),
            text: message.text.clone(),
            callback_url: self.public_url.as_ref().map(|base| format!("{base}/callback/{vendor}")),
            extras: Vec::new(),
        }
    }
}

/// For carriers the vendor's name follows the stage's in the workflow.
fn speaker_for(body: &LetterBody) -> StageCaller {
    match body {
        LetterBody::Message(_) => StageCaller::Outreach,
        LetterBody::ReadRecord => StageCaller::Records,
        LetterBody::CheckVisit => StageCaller::Visit,
        LetterBody::WriteChart { .. } => StageCaller::Chart,
        LetterBody::Task(_) => StageCaller::Escalation,
    }
}

/// RFC 3339 in UTC, as extras have it.
fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
