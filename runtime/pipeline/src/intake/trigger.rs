//! Delivery -> events. The trigger plugin reads the bytes; patient data is sealed; the whole of it is committed at once.

use handoff_engine::error_chain::Chain;
use handoff_engine::event::Event;
use handoff_engine::ids::{BlindedName, Digest, PatientId, ReferralId, StageKey};
use handoff_engine::workflow::StageKind;
use handoff_host::contract::interpreter::{self, Meaning};
use handoff_host::contract::types::Attribute;
use handoff_host::{self as host, Call, FaultKind};
use handoff_ingress::callback_fields::Fields;
use handoff_ingress::delivery::{Acknowledgement, Delivery, SenderProof, Transport, is_credential};
use handoff_ingress::signature::{self, Signed};
use handoff_store::Json;
use handoff_store::entry::{DeliveryVerdict, Record};
use serde_json::json;

use super::Intake;
use super::matching::reference;
use crate::deployments::Installed;
use crate::error::PipelineError;
use crate::foreign_values::{self, no_addresses};
use crate::transaction::Transaction;
use crate::{from_wit, search_names, to_wit};

/// What became of a delivery.
pub(super) struct Understood {
    pub answer: Acknowledgement,
    /// Absent when it was refused, or had been understood before.
    pub verdict: Option<DeliveryVerdict>,
}

/// What is kept of a delivery beside its bytes.
struct Kept {
    kind: String,
    dedupe_key: BlindedName,
    verdict: DeliveryVerdict,
    /// Under whose key it is sealed, where it names a patient.
    owner: Option<PatientId>,
}

impl From<Acknowledgement> for Understood {
    fn from(answer: Acknowledgement) -> Understood {
        Understood { answer, verdict: None }
    }
}

impl Intake {
    /// Takes a delivery in. When it is answered, it is durable.
    pub async fn take_order(&self, delivery: Delivery) -> Acknowledgement {
        let understood = self.trigger(&delivery).await.unwrap_or_else(|error| {
            tracing::error!(source = %delivery.source, error = %Chain(&error), "a delivery was not taken; its sender will try again");
            Acknowledgement::unavailable().into()
        });
        let Understood { answer, verdict } = understood;
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
        let wire = to_wit::delivery(delivery);
        if delivery.transport != Transport::Mllp && delivery.sender != SenderProof::Earlier {
            let call = Call::AuthenticateDelivery { delivery: wire.clone(), settings: settings.clone() };
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
        let wire = interpreter::Delivery { headers: without_credentials(&delivery.headers), ..wire };
        let reading = match self.transactions.call(&installed, &stage, &Call::Interpret { delivery: wire, settings }) {
            Ok(host::Answer::Interpret(reading)) => reading,
            Ok(_) => return self.dead_letter(&stage, delivery, "it answered another question".into()).await,
            // A full pool is no fault of the message's: its sender tries again.
            Err(PipelineError::Fault(fault)) if fault.kind == FaultKind::Busy => return Err(fault.into()),
            Err(fault) => return self.dead_letter(&stage, delivery, fault.to_string()).await,
        };
        let answer = Digest(host::Answer::Interpret(reading.clone()).digest().0);
        let reading = interpreter::Reading { meaning: foreign_values::admit(reading.meaning), ..reading };
        // Control numbers are reused in the field: the same message is the same bytes under the same number.
        let digest = Digest::of(&delivery.body);
        let key = self.transactions.vault.blind("delivery", &format!("{}\u{1f}{digest}", reading.dedupe_key));
        let keys = std::iter::once(key.clone()).chain(self.keys_of(&reading.meaning)).collect();
        let _held = self.names.hold(keys).await;
        if let Some(known) = self.transactions.store.index().delivery(&key)? {
            // What could not be read may be readable now: the plugin or its settings have been mended.
            let still_dead = match &reading.meaning {
                Meaning::Unreadable(problem) => Some(dead(problem.clone())),
                Meaning::Events(_) | Meaning::NotForUs(_) => None,
            };
            if still_dead.is_some() || !matches!(known.verdict, DeliveryVerdict::Dead { .. }) {
                return Ok(Understood { answer: reading.accepted.into(), verdict: still_dead });
            }
        }
        if let Meaning::Unreadable(problem) = &reading.meaning
            && !self.has_room(delivery, &format!("{}: {}", problem.location, problem.message))
        {
            return Ok(Acknowledgement::from(reading.unavailable).into());
        }
        let (accepted, unavailable) = (reading.accepted.clone(), reading.unavailable.clone());
        let transaction = self.transactions.begin(installed);
        match self.interpret(transaction, &stage, delivery, key, reading, answer).await {
            Ok(verdict) => Ok(Understood { answer: accepted.into(), verdict: Some(verdict) }),
            Err(error) => {
                tracing::error!(%stage, error = %Chain(&error), "a delivery could not be stored; its sender is asked to try again");
                Ok(Acknowledgement::from(unavailable).into())
            }
        }
    }

    async fn interpret(
        &self,
        mut transaction: Transaction<'_>,
        stage: &StageKey,
        delivery: &Delivery,
        dedupe_key: BlindedName,
        reading: interpreter::Reading,
        answer: Digest,
    ) -> Result<DeliveryVerdict, PipelineError> {
        let digest = Digest::of(&delivery.body);
        let mut owner = None;
        let verdict = match reading.meaning {
            Meaning::Events(events) => {
                let known = events.iter().map(|event| self.known(event)).collect::<Result<Vec<_>, _>>()?;
                transaction.hold(known.iter().flatten().copied().collect()).await;
                let mut referrals = Vec::new();
                for (number, (event, known)) in events.into_iter().zip(known).enumerate() {
                    let seed = format!("{digest}/{number}");
                    if let Some((referral, patient)) = self.apply(&mut transaction, event, known, &seed)? {
                        referrals.push(referral);
                        owner.get_or_insert(patient);
                    }
                }
                if referrals.is_empty() {
                    DeliveryVerdict::Unmatched { why: "it names no referral that is open here".into() }
                } else {
                    DeliveryVerdict::Accepted { referrals }
                }
            }
            Meaning::NotForUs(why) => DeliveryVerdict::NotForUs { why },
            Meaning::Unreadable(problem) => dead(problem),
        };
        if is_kept(&verdict) {
            // A decision that nobody can make again proves nothing: what is not kept is not recorded as one.
            let Transaction { draft, deployment, .. } = &mut transaction;
            let recorded = as_recorded(deployment, stage, delivery)?;
            draft.decided(None, stage, deployment.digest(stage)?, recorded, answer);
        }
        self.keep(
            &mut transaction,
            delivery,
            Kept { kind: reading.kind, dedupe_key, verdict: verdict.clone(), owner },
        )?;
        transaction.commit().await?;
        Ok(verdict)
    }

    /// The delivery's own record. Its bytes and headers are kept, sealed, where somebody may need them again: for a proof,
    /// a replay or a repair.
    fn keep(&self, transaction: &mut Transaction<'_>, delivery: &Delivery, kept: Kept) -> Result<(), PipelineError> {
        let draft = &mut transaction.draft;
        let Kept { kind, dedupe_key, verdict, owner } = kept;
        let patient = owner.unwrap_or_else(|| self.transactions.vault.intake(draft.now));
        let mut envelope = json!({ "door": delivery.transport.name(), "received_at": delivery.received_at });
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
            self.keep(&mut transaction, delivery, Kept { kind, dedupe_key: key, verdict, owner: None })?;
            transaction.commit().await?;
        }
        Ok(Understood { answer: Acknowledgement::unavailable(), verdict: Some(verdict) })
    }

    /// One event of a delivery, on the referral it means. Nothing when no referral is meant.
    fn apply(
        &self,
        transaction: &mut Transaction<'_>,
        event: interpreter::Event,
        known: Option<ReferralId>,
        seed: &str,
    ) -> Result<Option<(ReferralId, PatientId)>, PipelineError> {
        let known =
            known.or_else(|| reference(&event).referral.iter().find_map(|n| transaction.draft.named(&self.number(n))));
        if let interpreter::Event::Ordered(order) = event {
            return match known {
                Some(id) => {
                    transaction.draft.ignored(id, "the order came again".into());
                    Ok(Some((id, transaction.current(id)?.facts.patient.id.clone())))
                }
                None => self.create_referral(transaction, order, seed).map(Some),
            };
        }
        let Some(id) = known else { return Ok(None) };
        let patient = transaction.current(id)?.facts.patient.id.clone();
        let event = match event {
            interpreter::Event::Ordered(_) | interpreter::Event::Withdrawn(_) => Event::Withdrawn,
            interpreter::Event::Appointment(notice) => {
                let numbers = &notice.reference.appointment;
                let names: Vec<_> =
                    numbers.iter().map(|number| self.transactions.vault.blind("appointment", number)).collect();
                if !names.is_empty() {
                    transaction.draft.named_as(id, names);
                }
                Event::Appointment {
                    change: from_wit::appointment_change(notice.change),
                    appointment: from_wit::appointment(&mut transaction.draft.sealing, &patient, &notice),
                    with: notice.with.map(from_wit::provider),
                }
            }
            interpreter::Event::Note(note) => {
                let last = note.final_;
                let now = transaction.now();
                Event::NoteReceived { note: from_wit::note(&mut transaction.draft.sealing, &patient, note, now), last }
            }
        };
        transaction.transition(id, event)?;
        Ok(Some((id, patient)))
    }

    fn create_referral(
        &self,
        transaction: &mut Transaction<'_>,
        order: interpreter::Order,
        seed: &str,
    ) -> Result<(ReferralId, PatientId), PipelineError> {
        let id = ReferralId::derive(transaction.now(), seed.as_bytes());
        let vault = &self.transactions.vault;
        let patient_id = from_wit::patient_id(vault, &order.patient);
        let mut names: Vec<_> = order.reference.referral.iter().map(|number| self.number(number)).collect();
        names.extend(order.patient.identifiers.iter().map(|identifier| self.patient_name(identifier)));
        let addresses = order.patient.phones.iter().map(|phone| &phone.number).chain(&order.patient.emails);
        names.extend(addresses.map(|address| vault.blind("address", &self.transactions.country.canonical(address))));
        names.extend(search_names::of_patient(vault, &order.patient));
        let draft = &mut transaction.draft;
        draft.named_as(id, names);
        for place in no_addresses(&order.patient) {
            draft.ignored(id, format!("{place} is no address"));
        }
        let patient =
            from_wit::patient(&mut draft.sealing, patient_id.clone(), order.patient.clone(), self.transactions.country);
        let order = from_wit::order(&mut draft.sealing, &patient_id, order);
        transaction.create_referral(id, patient.into(), order.into())?;
        Ok((id, patient_id))
    }
}

/// What is no concern of ours is acknowledged and not kept. See `wit/trigger.wit`.
fn is_kept(verdict: &DeliveryVerdict) -> bool {
    match verdict {
        DeliveryVerdict::Accepted { .. } | DeliveryVerdict::Dead { .. } => true,
        DeliveryVerdict::NotForUs { .. } | DeliveryVerdict::Unmatched { .. } => false,
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
        received_at: delivery.received_at,
        sender: delivery.sender,
    };
    let settings = installed.settings(stage).unwrap_or_default();
    Ok(Json::of(&Call::Interpret { delivery: to_wit::delivery(&bare), settings })?)
}

pub(super) fn without_credentials(headers: &[Attribute]) -> Vec<Attribute> {
    headers.iter().filter(|header| !is_credential(&header.name)).cloned().collect()
}

fn dead(problem: interpreter::Problem) -> DeliveryVerdict {
    DeliveryVerdict::Dead { location: problem.location, message: problem.message, help: problem.help }
}
