//! Delivery -> events. The trigger plugin reads the bytes; patient data is sealed; the whole of it is committed at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use handoff_engine::error_chain::Chain;
use handoff_engine::ids::{BlindedName, Digest, PatientId, ReferralId, StageKey};
use handoff_engine::workflow::StageKind;
use handoff_host::contract::interpreter::{self, Meaning};
use handoff_host::contract::types::Attribute;
use handoff_host::{self as host, AnswersToAll, Call, FaultKind, TriggerReading};
use handoff_ingress::callback_fields::Fields;
use handoff_ingress::delivery::{Acknowledgement, DELIVERY_BYTES_MAX, Delivery, SenderProof, Transport, is_credential};
use handoff_ingress::signature::{self, Signed};
use handoff_store::Json;
use handoff_store::entry::{DeliveryVerdict, Record};
use serde_json::json;

use super::Intake;
use super::events::{Applied, Way};
use super::matching::fought_over;
use super::names::Names;
use super::unmatched::settled_by_itself;
use crate::deployments::Installed;
use crate::error::PipelineError;
use crate::foreign_values;
use crate::to_wit;
use crate::transaction::Transaction;

/// What became of a delivery.
pub(super) struct Understood {
    pub answer: Acknowledgement,
    /// Absent when it was refused, or had been understood before.
    pub verdict: Option<DeliveryVerdict>,
    /// Its sender need not send it again.
    pub is_kept: bool,
}

/// What is kept of a delivery beside its bytes.
struct Kept {
    kind: String,
    dedupe_key: BlindedName,
    verdict: DeliveryVerdict,
    /// Under whose key it is sealed, where it names a patient.
    owner: Option<PatientId>,
    waits_for: Vec<BlindedName>,
}

/// A delivery, and what its trigger made of it.
pub(super) struct Read<'a> {
    pub stage: StageKey,
    pub delivery: &'a Delivery,
    /// By which it is known when it comes again.
    pub key: BlindedName,
    pub reading: interpreter::Reading,
    /// The digest of what the plugin said.
    pub answer: Digest,
    /// The referral that a person says it means.
    pub assigned: Option<ReferralId>,
}

impl From<Acknowledgement> for Understood {
    /// Refused.
    fn from(answer: Acknowledgement) -> Understood {
        Understood { answer, verdict: None, is_kept: false }
    }
}

impl Intake {
    /// Takes a delivery in. When it is answered, it is durable.
    pub async fn take_order(&self, delivery: Delivery) -> Acknowledgement {
        let understood = self.trigger(&delivery).await.unwrap_or_else(|error| {
            tracing::error!(source = %delivery.source, error = %Chain(&error), "a delivery was not taken; its sender will try again");
            Acknowledgement::unavailable().into()
        });
        let Understood { answer, verdict, is_kept: _ } = understood;
        // Not under a name that only its sender knows.
        if answer != Acknowledgement::not_found() {
            self.counts.note(&delivery.source, delivery.received_at, verdict.as_ref(), answer.status < 400);
        }
        answer
    }

    #[tracing::instrument(name = "delivery", level = "debug", skip_all, fields(door = delivery.transport.name(), stage))]
    pub(super) async fn trigger(&self, delivery: &Delivery) -> Result<Understood, PipelineError> {
        let installed = self.transactions.deployments.current();
        let stage = StageKind::Trigger.key(&delivery.source);
        let Some(settings) = installed.settings(&stage) else { return Ok(Acknowledgement::not_found().into()) };
        // Not before: what nobody here knows by its name may be anything.
        tracing::Span::current().record("stage", stage.as_str());
        if delivery.transport != Transport::Mllp && delivery.sender != SenderProof::Earlier {
            let call = Call::AuthenticateDelivery { delivery: to_wit::delivery(delivery), settings };
            let host::Answer::AuthenticateDelivery(checks) = self.transactions.call(&installed, &stage, &call)? else {
                return Err(PipelineError::OtherAnswer { stage });
            };
            let fields = Fields::default();
            let signed = Signed { url: &delivery.url, body: &delivery.body, fields: &fields };
            if let Err(forged) =
                signature::verify(&checks, signed, &self.secrets, self.transactions.clock.now(), delivery.sender)
            {
                tracing::warn!(source = %delivery.source, %forged, "delivery refused");
                return Ok(Acknowledgement::forged().into());
            }
        }
        let reading = match self.interpreted(&installed, &stage, delivery)? {
            Ok(reading) => reading,
            Err(fault) => return self.dead_letter(&stage, delivery, fault).await,
        };
        if delivery.too_long.is_some() {
            // It is refused whole, whatever its beginning holds.
            return self.take_whole(installed, stage, delivery, reading).await;
        }
        match reading.into_parts() {
            Ok((parts, answers)) => self.take_parts(&installed, &stage, delivery, parts, answers).await,
            Err(reading) => self.take_whole(installed, stage, delivery, *reading).await,
        }
    }

    /// What the trigger makes of a delivery, or how it failed on it. A full pool is no fault of the message's: its sender tries
    /// again.
    fn interpreted(
        &self,
        installed: &Arc<Installed>,
        stage: &StageKey,
        delivery: &Delivery,
    ) -> Result<Result<TriggerReading, String>, PipelineError> {
        let settings = installed.settings(stage).unwrap_or_default();
        let headers = without_credentials(&delivery.headers);
        let wire = interpreter::Delivery { headers, ..to_wit::delivery(delivery) };
        match self.transactions.call(installed, stage, &Call::Interpret { delivery: wire, settings }) {
            Ok(host::Answer::Interpret(reading)) => Ok(Ok(reading)),
            Ok(_) => Ok(Err("it answered another question".into())),
            Err(PipelineError::Fault(fault)) if fault.kind == FaultKind::Busy => Err(fault.into()),
            Err(fault) => Ok(Err(fault.to_string())),
        }
    }

    /// A delivery of several things, of which some cannot be read: each is taken in as if it had been sent by itself. Where one could
    /// not be kept, the sender is asked to send all again; what was taken is known then.
    async fn take_parts(
        &self,
        installed: &Arc<Installed>,
        stage: &StageKey,
        delivery: &Delivery,
        parts: Vec<Vec<u8>>,
        answers: AnswersToAll,
    ) -> Result<Understood, PipelineError> {
        let mut of_parts: Option<DeliveryVerdict> = None;
        for body in parts {
            let Delivery { source, url, headers, .. } = delivery;
            let (source, url, headers) = (source.clone(), url.clone(), headers.clone());
            let part = Delivery { source, url, headers, body, ..*delivery };
            let understood = match self.interpreted(installed, stage, &part)? {
                Ok(reading) => self.take_whole(Arc::clone(installed), stage.clone(), &part, reading).await?,
                Err(fault) => self.dead_letter(stage, &part, fault).await?,
            };
            if !understood.is_kept {
                return Ok(Acknowledgement::from(answers.unavailable).into());
            }
            of_parts = match (of_parts, understood.verdict) {
                // What is at fault in it waits by itself: of the whole, it counts that something was taken.
                (Some(DeliveryVerdict::Dead { .. }) | None, Some(verdict)) => Some(verdict),
                (known, _) => known,
            };
        }
        Ok(Understood { answer: answers.accepted.into(), verdict: of_parts, is_kept: true })
    }

    /// A delivery whose events belong together, or that is not for us, or cannot be read.
    async fn take_whole(
        &self,
        installed: Arc<Installed>,
        stage: StageKey,
        delivery: &Delivery,
        reading: TriggerReading,
    ) -> Result<Understood, PipelineError> {
        let read = self.admitted(stage, delivery, reading);
        let Read { key, reading, .. } = &read;
        let names = Names::of(&self.transactions.vault, &reading.sender, &delivery.source);
        let keys = std::iter::once(key.clone()).chain(fought_over(&names, &reading.meaning)).collect();
        let _held = self.names.hold(keys).await;
        let answered = |verdict| Understood { answer: reading.accepted.clone().into(), verdict, is_kept: true };
        if let Some(known) = self.transactions.store.index().delivery(key)? {
            // What came to nothing may come to something now: the plugin or its settings were mended, an order came.
            let for_nothing = match &reading.meaning {
                Meaning::Unreadable(problem) => Some(dead(problem.clone())),
                Meaning::Events(_) | Meaning::NotForUs(_) | Meaning::Parts(_) => None,
            };
            // What has been settled since, by itself or by a person, is done with.
            let waits = || self.transactions.store.index().unmatched_item(&known.digest.to_string());
            let came_to_nothing = match &known.verdict {
                DeliveryVerdict::Dead { .. } => true,
                DeliveryVerdict::Unmatched { .. } => waits()?.is_some(),
                DeliveryVerdict::Accepted { .. } | DeliveryVerdict::NotForUs { .. } => false,
            };
            if for_nothing.is_some() || !came_to_nothing {
                return Ok(answered(for_nothing));
            }
            if matches!(known.verdict, DeliveryVerdict::Unmatched { .. }) && !self.means_any(&names, reading)? {
                return Ok(answered(Some(known.verdict)));
            }
        }
        let waited = self.transactions.store.index().unmatched_item(&Digest::of(&delivery.body).to_string())?.is_some();
        if let Meaning::Unreadable(problem) = &reading.meaning
            && !self.has_room(delivery, &format!("{}: {}", problem.location, problem.message))
        {
            return Ok(Acknowledgement::from(reading.unavailable.clone()).into());
        }
        let (accepted, unavailable) = (reading.accepted.clone(), reading.unavailable.clone());
        let transaction = self.transactions.begin(installed);
        match self.take_in(transaction, &names, read, waited).await {
            Ok(verdict) => Ok(Understood { answer: accepted.into(), verdict: Some(verdict), is_kept: true }),
            Err(error) => {
                tracing::error!(source = %delivery.source, error = %Chain(&error), "a delivery could not be stored; its sender is asked to try again");
                Ok(Acknowledgement::from(unavailable).into())
            }
        }
    }

    /// What a trigger made of a delivery, in the present contract's words and with each value in its form.
    pub(super) fn admitted<'d>(&self, stage: StageKey, delivery: &'d Delivery, reading: TriggerReading) -> Read<'d> {
        let answer = Digest(host::Answer::Interpret(reading.clone()).digest().0);
        let mut reading = reading.current();
        reading.meaning = foreign_values::admit(reading.meaning);
        if let Some(bytes) = delivery.too_long
            && !matches!(reading.meaning, Meaning::Unreadable(_))
        {
            // Whatever it makes of the beginning, and however it answers: nothing that was cut off is taken for a whole.
            reading.meaning = Meaning::Unreadable(cut_off(bytes));
            reading.accepted = reading.unavailable.clone();
        }
        // Control numbers are reused in the field: the same message is the same bytes under the same number.
        let digest = Digest::of(&delivery.body);
        let key = self.transactions.vault.blind("delivery", &format!("{}\u{1f}{digest}", reading.dedupe_key));
        Read { stage, delivery, key, reading, answer, assigned: None }
    }

    /// Whether any of what happened means a referral by now.
    fn means_any(&self, names: &Names<'_>, reading: &interpreter::Reading) -> Result<bool, PipelineError> {
        let Meaning::Events(events) = &reading.meaning else { return Ok(false) };
        let transaction = self.transactions.begin_in_force();
        for event in events {
            if !self.concerned(&transaction, names, event)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// All that a delivery says is applied and written down, and with it what waited for this. One that waited itself, and came again
    /// now that it means something, waits no more.
    async fn take_in(
        &self,
        mut transaction: Transaction<'_>,
        names: &Names<'_>,
        read: Read<'_>,
        waited: bool,
    ) -> Result<DeliveryVerdict, PipelineError> {
        let item = Digest::of(&read.delivery.body).to_string();
        let mut held = BTreeSet::new();
        if let Meaning::Events(events) = &read.reading.meaning {
            for event in events {
                held.extend(self.concerned(&transaction, names, event)?);
            }
            transaction.hold(held.iter().copied().collect()).await;
        }
        let verdict = self.understand(&mut transaction, names, read)?;
        if waited && matches!(verdict, DeliveryVerdict::Accepted { .. }) {
            transaction.draft.record(settled_by_itself(item));
        }
        self.take_up_waiting(&mut transaction, &held)?;
        transaction.commit().await?;
        Ok(verdict)
    }

    /// Whoever is concerned is held.
    pub(super) fn understand(
        &self,
        transaction: &mut Transaction<'_>,
        names: &Names<'_>,
        read: Read<'_>,
    ) -> Result<DeliveryVerdict, PipelineError> {
        let Read { stage, delivery, key, reading, answer, assigned } = read;
        let digest = Digest::of(&delivery.body);
        let mut applied = Applied::default();
        let mut waits_for = fought_over(names, &reading.meaning);
        let verdict = match reading.meaning {
            Meaning::NotForUs(why) => DeliveryVerdict::NotForUs { why },
            Meaning::Unreadable(problem) => dead(problem),
            // Whoever takes a delivery in has cut it before.
            Meaning::Parts(_) => DeliveryVerdict::Dead {
                location: stage.to_string(),
                message: "the trigger cuts a part of a delivery again".into(),
                help: format!("mend or replace the plugin of stage {stage}, then replay this delivery"),
            },
            Meaning::Events(events) => {
                for (number, event) in events.into_iter().enumerate() {
                    let way = Way { names, seed: format!("{digest}/{number}"), assigned };
                    self.apply(transaction, event, &way, &mut applied)?;
                }
                applied.verdict()
            }
        };
        if !matches!(verdict, DeliveryVerdict::Unmatched { .. }) {
            waits_for.clear();
        }
        if is_kept(&verdict) {
            // A decision that nobody can make again proves nothing: what is not kept is not recorded as one.
            let Transaction { draft, deployment, .. } = &mut *transaction;
            let recorded = as_recorded(deployment, &stage, delivery)?;
            draft.decided(None, &stage, deployment.digest(&stage)?, recorded, answer);
        }
        let kept =
            Kept { kind: reading.kind, dedupe_key: key, verdict: verdict.clone(), owner: applied.owner, waits_for };
        self.keep(transaction, delivery, kept)?;
        Ok(verdict)
    }

    /// The delivery's own record. Its bytes and headers are kept, sealed, where somebody may need them again: for a proof,
    /// a replay or a repair.
    fn keep(&self, transaction: &mut Transaction<'_>, delivery: &Delivery, kept: Kept) -> Result<(), PipelineError> {
        let draft = &mut transaction.draft;
        let Kept { kind, dedupe_key, verdict, owner, waits_for } = kept;
        let patient = owner.unwrap_or_else(|| self.transactions.vault.intake(draft.now));
        let mut envelope = json!({ "door": delivery.transport.name(), "received_at": delivery.received_at });
        if let Some(bytes) = delivery.too_long {
            envelope["too_long"] = json!(bytes);
        }
        let mut bytes = None;
        if is_kept(&verdict) {
            bytes = Some(draft.sealing.seal_bytes(&patient, "delivery", &delivery.body));
            let headers = without_credentials(&delivery.headers);
            if !headers.is_empty() {
                let headers = draft.sealing.seal_bytes(&patient, "headers", &serde_json::to_vec(&headers)?);
                envelope["headers"] = json!(headers);
            }
        }
        draft.record(Record::Delivery {
            digest: Digest::of(&delivery.body),
            source: delivery.source.clone(),
            kind,
            dedupe_key,
            verdict,
            bytes,
            answer: None,
            envelope,
            waits_for,
        });
        Ok(())
    }

    /// The plugin failed on it. The delivery becomes a dead letter, once, and its sender hears nothing it could misread:
    /// an acknowledgement is the plugin's to write.
    async fn dead_letter(
        &self,
        stage: &StageKey,
        delivery: &Delivery,
        fault: String,
    ) -> Result<Understood, PipelineError> {
        tracing::error!(%stage, fault, "a trigger failed on a delivery");
        let key = self.transactions.vault.blind("delivery", &Digest::of(&delivery.body).to_string());
        let _held = self.names.hold(vec![key.clone()]).await;
        let is_new = self.transactions.store.index().delivery(&key)?.is_none();
        if is_new && !self.has_room(delivery, &fault) {
            return Ok(Acknowledgement::unavailable().into());
        }
        let verdict = DeliveryVerdict::Dead {
            location: stage.to_string(),
            message: fault,
            help: format!("mend or replace the plugin of stage {stage}, then replay this delivery"),
        };
        if is_new {
            let mut transaction = self.transactions.begin_in_force();
            let (kind, verdict) = ("unread".into(), verdict.clone());
            let kept = Kept { kind, dedupe_key: key, verdict, owner: None, waits_for: Vec::new() };
            self.keep(&mut transaction, delivery, kept)?;
            transaction.commit().await?;
        }
        Ok(Understood { answer: Acknowledgement::unavailable(), verdict: Some(verdict), is_kept: true })
    }
}

/// What is no concern of ours is acknowledged and not kept. See `wit/trigger.wit`.
fn is_kept(verdict: &DeliveryVerdict) -> bool {
    match verdict {
        DeliveryVerdict::Accepted { .. } | DeliveryVerdict::Dead { .. } | DeliveryVerdict::Unmatched { .. } => true,
        DeliveryVerdict::NotForUs { .. } => false,
    }
}

/// The trigger's call without what lies sealed beside it.
fn as_recorded(installed: &Installed, stage: &StageKey, delivery: &Delivery) -> Result<Json, PipelineError> {
    let bare = Delivery {
        transport: delivery.transport,
        source: delivery.source.clone(),
        url: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
        too_long: delivery.too_long,
        received_at: delivery.received_at,
        sender: delivery.sender,
    };
    let settings = installed.settings(stage).unwrap_or_default();
    Ok(Json::of(&Call::Interpret { delivery: to_wit::delivery(&bare), settings })?)
}

pub(super) fn without_credentials(headers: &[Attribute]) -> Vec<Attribute> {
    headers.iter().filter(|header| !is_credential(&header.name)).cloned().collect()
}

fn cut_off(bytes: u64) -> interpreter::Problem {
    interpreter::Problem {
        location: "message".into(),
        message: format!("it has {bytes} bytes, and {DELIVERY_BYTES_MAX} are taken"),
        help: "send the document as a smaller file, or a notice that names where it lies".into(),
    }
}

fn dead(problem: interpreter::Problem) -> DeliveryVerdict {
    DeliveryVerdict::Dead { location: problem.location, message: problem.message, help: problem.help }
}
