//! A vendor's call -> events: a patient's reply, or what became of a letter.

use handoff_engine::event::{self, Event, Intent};
use handoff_engine::ids::{Digest, LetterId, ReferralId, Token};
use handoff_engine::referral::{Asked, Channel, Referral};
use handoff_host::contract::carrier::{Callback, Inbound, InboundEvent, InboundReply, InboundStatus};
use handoff_host::contract::understanding;
use handoff_host::{self as host, Call};
use handoff_store::Json;
use handoff_store::entry::{Record, Verdict};
use serde_json::json;

use crate::deployments::Installed;
use crate::pipeline::{Line, LineError};
use crate::transaction::draft::Draft;
use crate::{from_wit, to_wit};
use handoff_engine::error_chain::Chain;
use handoff_ingress::callback_fields::Fields;
use handoff_ingress::delivery::{Answer, Delivery};
use handoff_ingress::signature;
use handoff_ingress::signature::{Signed, Unsigned, Vouched};

/// What a callback tells, and whom of.
enum News {
    Reply(Option<ReferralId>, InboundReply),
    Status(Option<LetterId>, InboundStatus),
}

impl News {
    fn referral(&self) -> Option<ReferralId> {
        match self {
            News::Reply(referral, _) => *referral,
            News::Status(letter, _) => letter.map(|letter| letter.referral),
        }
    }
}

impl Line {
    /// Takes a vendor's callback in. When it is answered, what it means is durable.
    pub async fn take_callback(&self, delivery: Delivery) -> Answer {
        match self.callback(&delivery).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(vendor = %delivery.source, error = %Chain(&error), "a callback was not taken");
                Answer::unavailable()
            }
        }
    }

    #[tracing::instrument(name = "callback", level = "debug", skip_all, fields(stage))]
    async fn callback(&self, delivery: &Delivery) -> Result<Answer, LineError> {
        let stage = format!("outreach.{}", delivery.source);
        let speakers = self.deployments.with_stage(&stage);
        if speakers.is_empty() {
            return Ok(Answer::not_found());
        }
        tracing::Span::current().record("stage", &stage);
        let content_type = delivery.headers.iter().find(|header| header.name == "content-type");
        let content_type = content_type.map(|header| header.value.as_str()).unwrap_or_default();
        let fields = match Fields::open(content_type, &delivery.body) {
            Ok(fields) => fields,
            Err(error) => {
                tracing::warn!(vendor = %delivery.source, %error, "callback refused");
                return Ok(Answer::malformed());
            }
        };
        let owner = self.vault.intake(delivery.received_at);
        let mut vouched = None;
        // Whoever had the vendor's place before may have written the letter that this is about.
        for installed in speakers {
            let settings = installed.settings(&stage).unwrap_or_default();
            let mut draft = self.draft();
            let callback = fields.callback(
                &delivery.headers,
                installed.clear_fields(&stage),
                &owner,
                &mut draft.sealing,
                delivery.received_at,
            );
            let signed = Signed { url: &delivery.url, body: &delivery.body, fields: &fields };
            if let Some(Vouched(words)) = self.authentic(&installed, &stage, &callback, &settings, signed)? {
                vouched = Some((installed, settings, draft, callback, words));
                break;
            }
        }
        let Some((installed, settings, mut draft, callback, words)) = vouched else { return Ok(Answer::forged()) };
        // Played again within its time a callback is answered as before; after it, its signature is too old.
        let key = self.vault.blind("callback", &format!("{stage} {words}"));
        let _held = self.names.hold(vec![key.clone()]).await;
        let call = Call::Receive { callback, settings };
        let inbound = match self.call(&installed, &stage, &call)? {
            host::Answer::Receive(Ok(inbound)) => inbound,
            host::Answer::Receive(Err(failure)) => {
                let reason = crate::delivery::receipt::reason(&failure);
                tracing::error!(stage, reason, "the vendor's plugin cannot read a callback");
                return Ok(Answer::unavailable());
            }
            _ => return Err(LineError::OtherAnswer { stage }),
        };
        let answer = Answer {
            status: inbound.status,
            content_type: inbound.content_type.clone(),
            body: inbound.body.clone().into_bytes(),
        };
        if self.store.index().delivery(&key)?.is_some() {
            return Ok(answer);
        }
        let plugin = installed.digest(&stage)?;
        let outcome = Digest(host::Answer::Receive(Ok(inbound.clone())).digest().0);
        draft.decided(None, &stage, plugin, Json::of(&call)?, outcome);
        self.believe(&installed, draft, delivery, key, inbound).await?;
        Ok(answer)
    }

    fn authentic(
        &self,
        installed: &Installed,
        stage: &str,
        callback: &Callback,
        settings: &str,
        signed: Signed<'_>,
    ) -> Result<Option<Vouched>, LineError> {
        let call = Call::AuthenticateCallback { callback: callback.clone(), settings: settings.into() };
        let host::Answer::AuthenticateCallback(checks) = self.call(installed, stage, &call)? else {
            return Err(LineError::OtherAnswer { stage: stage.into() });
        };
        let verified = signature::verify(&checks, signed, &self.secrets, self.clock.now(), Unsigned::Refused);
        Ok(verified.inspect_err(|forged| tracing::warn!(stage, %forged, "callback refused")).ok())
    }

    async fn believe(
        &self,
        installed: &Installed,
        mut draft: Draft<'_>,
        delivery: &Delivery,
        dedupe_key: String,
        inbound: Inbound,
    ) -> Result<(), LineError> {
        let mut news = Vec::new();
        for event in inbound.events {
            news.push(match event {
                InboundEvent::Reply(reply) => News::Reply(self.answerer(&draft, &reply)?, reply),
                InboundEvent::Status(status) => {
                    let vendor_id = vendor_name(&delivery.source, &status.vendor_id);
                    News::Status(self.store.index().letter_by_vendor_id(&vendor_id)?, status)
                }
            });
        }
        let referrals: Vec<ReferralId> = news.iter().filter_map(News::referral).collect();
        let _held = self.referrals.hold(referrals.clone()).await;
        for news in news {
            match news {
                News::Reply(Some(id), reply) => self.replied(installed, &mut draft, id, delivery, reply)?,
                // Nobody we know: still, a stranger's STOP holds for that number.
                News::Reply(None, reply) => self.stranger(installed, &mut draft, delivery, reply)?,
                News::Status(letter, status) => {
                    if let (Some(letter), Some(status)) = (letter, from_wit::letter_status(status.receipt.outcome)) {
                        let event = Event::LetterStatus { letter, status, channel: None };
                        self.transition(&mut draft, letter.referral, event)?;
                    }
                }
            }
        }
        let verdict = match referrals.is_empty() {
            true => Verdict::Unmatched { why: "it answers no letter of ours".into() },
            false => Verdict::Accepted { referrals },
        };
        draft.record(Record::Delivery {
            digest: Digest::of(&delivery.body),
            source: delivery.source.clone(),
            kind: "callback".into(),
            dedupe_key,
            verdict,
            bytes: None,
            answer: None,
            envelope: json!({ "door": delivery.door.name(), "received_at": delivery.received_at }),
        });
        self.commit(draft).await
    }

    /// Whose reply this is: among the referrals that this address belongs to, the one written to last.
    fn answerer(&self, draft: &Draft<'_>, reply: &InboundReply) -> Result<Option<ReferralId>, LineError> {
        let mut known = Vec::new();
        for id in self.store.index().find(&self.address_name(draft, &Token(reply.from.clone()))?)? {
            known.extend(self.store.index().referral(&id)?);
        }
        let written_at = |referral: &Referral| referral.facts.last_letter.as_ref().map(|letter| letter.at);
        known.sort_by_key(|referral| (!self.deployments.ended(referral), written_at(referral), referral.id));
        Ok(known.pop().map(|referral| referral.id))
    }

    fn replied(
        &self,
        installed: &Installed,
        draft: &mut Draft<'_>,
        id: ReferralId,
        delivery: &Delivery,
        reply: InboundReply,
    ) -> Result<(), LineError> {
        let referral = self.current(draft, id)?;
        let channel = installed.channel_of(&delivery.source).unwrap_or(Channel::Sms);
        let text = self.reveal(draft, &Token(reply.text))?;
        let last = referral.facts.last_letter.as_ref();
        let language = last.map(|letter| letter.language.clone());
        let language = language.or_else(|| referral.facts.patient.languages.first().cloned()).unwrap_or("en".into());
        let asked = last.map_or(Asked::Info, |letter| letter.asked);
        // Sealed anew under the patient it turned out to be from, so that erasing the patient erases the reply.
        let token = draft.sealing.seal(&referral.facts.patient.id, "reply", text.as_str());
        let reading = self.understand(installed, draft, Some(id), text.as_str(), &token, language, asked)?;
        let from = Token(reply.from);
        match reading.intent {
            Intent::OptOut | Intent::OptIn => {
                self.opt(installed, draft, &referral, channel, reading.intent == Intent::OptIn)?;
                self.note_consent(draft, &from, channel, reading.intent == Intent::OptIn, "the patient replied so")?;
            }
            _ => {}
        }
        let from = self.own_address(draft, &referral, channel, &from)?;
        let reply = event::Reply { channel, from, text: token, ..reading };
        self.transition(draft, id, Event::Reply { reply })
    }

    /// The token by which the referral has the address that a reply came from.
    fn own_address(
        &self,
        draft: &Draft<'_>,
        referral: &Referral,
        channel: Channel,
        from: &Token,
    ) -> Result<Option<Token>, LineError> {
        let from = self.address_name(draft, from)?;
        for reach in referral.facts.patient.reaches.iter().filter(|reach| reach.channel == channel) {
            if self.address_name(draft, &reach.address)? == from {
                return Ok(Some(reach.address.clone()));
            }
        }
        Ok(None)
    }

    fn stranger(
        &self,
        installed: &Installed,
        draft: &mut Draft<'_>,
        delivery: &Delivery,
        reply: InboundReply,
    ) -> Result<(), LineError> {
        let (from, text) = (Token(reply.from), Token(reply.text));
        let clear = self.reveal(draft, &text)?;
        let reading = self.understand(installed, draft, None, clear.as_str(), &text, "en".into(), Asked::Info)?;
        let channel = installed.channel_of(&delivery.source).unwrap_or(Channel::Sms);
        match reading.intent {
            Intent::OptOut => self.note_consent(draft, &from, channel, false, "the sender replied so"),
            Intent::OptIn => self.note_consent(draft, &from, channel, true, "the sender replied so"),
            _ => Ok(()),
        }
    }

    /// What a reply means. A reply that the stage fails on is unclear, and a person reads it.
    #[allow(clippy::too_many_arguments, reason = "a reply and where it stands")]
    fn understand(
        &self,
        installed: &Installed,
        draft: &mut Draft<'_>,
        referral: Option<ReferralId>,
        clear: &str,
        token: &Token,
        language: String,
        asked: Asked,
    ) -> Result<event::Reply, LineError> {
        let settings = installed.settings("reply").unwrap_or_default();
        let message = understanding::Message {
            text: clear.into(),
            language: language.clone(),
            asked: to_wit::question(asked),
            received_at: to_wit::instant(draft.now),
        };
        let mut recorded = message.clone();
        recorded.text = token.0.clone();
        let recorded = Json::of(&Call::Understand { message: recorded, settings: settings.clone() })?;
        let call = Call::Understand { message, settings };
        let unclear = event::Reply {
            intent: Intent::Unclear,
            language,
            confidence: 0,
            channel: Channel::Sms,
            from: None,
            text: token.clone(),
        };
        let answer = match self.call(installed, "reply", &call) {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(error = %Chain(&error), "a reply could not be read; a person reads it");
                return Ok(unclear);
            }
        };
        draft.decided(referral, "reply", installed.digest("reply")?, recorded, Digest(answer.digest().0));
        Ok(match answer {
            host::Answer::Understand(Ok(reading)) => event::Reply {
                intent: from_wit::intent(reading.intent),
                language: reading.language,
                confidence: reading.confidence,
                ..unclear
            },
            _ => unclear,
        })
    }

    /// Opting out of one channel opts out of all where the workflow says so: every address on file hears of it.
    fn opt(
        &self,
        installed: &Installed,
        draft: &mut Draft<'_>,
        referral: &Referral,
        channel: Channel,
        granted: bool,
    ) -> Result<(), LineError> {
        for reach in &referral.facts.patient.reaches {
            if reach.channel == channel || installed.opts_out_of_everything() {
                self.note_consent(draft, &reach.address, reach.channel, granted, "the patient replied so")?;
            }
        }
        Ok(())
    }
}

/// A vendor's own number for a letter, told apart from other vendors'.
pub(crate) fn vendor_name(vendor: &str, id: &str) -> String {
    format!("{vendor}:{id}")
}

/// The vendor's name in the workflow, from its stage's key.
pub(crate) fn vendor_of(stage: &str) -> &str {
    stage.strip_prefix("outreach.").unwrap_or(stage)
}
