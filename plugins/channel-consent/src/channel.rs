//! By which channel? First what is allowed, then what works, then what is preferred.

use crate::settings::Settings;
use crate::{AttemptOutcome, ChannelKind, ConsentState, Situation};

/// The channel and why it was taken, or why none is left.
pub fn choose(situation: &Situation, settings: &Settings) -> Result<(ChannelKind, &'static str), String> {
    let order: Vec<ChannelKind> = settings.order.iter().map(|channel| ChannelKind::from(*channel)).collect();
    let usable: Vec<ChannelKind> =
        order.iter().copied().filter(|channel| obstacle(*channel, situation, settings).is_none()).collect();

    let wanted = situation.wanted.filter(|channel| usable.contains(channel));
    let preferred = situation.preferred.filter(|channel| usable.contains(channel));
    let granted = usable.iter().copied().find(|channel| consent(*channel, situation) == Some(ConsentState::Granted));
    let first = usable.first().copied();

    wanted
        .map(|channel| (channel, "asked for by the workflow"))
        .or(preferred.map(|channel| (channel, "preferred by the patient")))
        .or(granted.map(|channel| (channel, "consented to by the patient")))
        .or(first.map(|channel| (channel, "the first channel left")))
        .ok_or_else(|| {
            let obstacles: Vec<String> = order
                .iter()
                .filter_map(|channel| Some(format!("{}: {}", name(*channel), obstacle(*channel, situation, settings)?)))
                .collect();
            obstacles.join("; ")
        })
}

/// What keeps a letter from this channel.
fn obstacle(channel: ChannelKind, situation: &Situation, settings: &Settings) -> Option<&'static str> {
    match consent(channel, situation) {
        None => Some("no address"),
        Some(ConsentState::Denied) => Some("consent denied"),
        Some(ConsentState::Unknown) if !settings.unknown_consent.allows(channel) => Some("consent unknown"),
        Some(ConsentState::Unknown | ConsentState::Granted) => {
            (undeliverable_in_a_row(channel, situation) >= settings.undeliverable_max).then_some("undeliverable")
        }
    }
}

/// The patient's word on a channel. Of several addresses the strictest speaks for all: this stage names a channel, not
/// an address, so a `stop` from one phone must not be heard as leave to text the other.
fn consent(channel: ChannelKind, situation: &Situation) -> Option<ConsentState> {
    let strictness = |consent: &ConsentState| match consent {
        ConsentState::Granted => 0,
        ConsentState::Unknown => 1,
        ConsentState::Denied => 2,
    };
    situation.reaches.iter().filter(|reach| reach.channel == channel).map(|reach| reach.consent).max_by_key(strictness)
}

fn undeliverable_in_a_row(channel: ChannelKind, situation: &Situation) -> u32 {
    let mut attempts: Vec<_> = situation.attempts.iter().filter(|attempt| attempt.channel == channel).collect();
    attempts.sort_by_key(|attempt| attempt.at);
    attempts.iter().fold(0, |run, attempt| match attempt.outcome {
        AttemptOutcome::Undeliverable => run + 1,
        AttemptOutcome::Delivered | AttemptOutcome::Answered => 0,
        AttemptOutcome::Pending => run,
    })
}

fn name(channel: ChannelKind) -> &'static str {
    match channel {
        ChannelKind::Sms => "sms",
        ChannelKind::Email => "email",
        ChannelKind::Portal => "portal",
    }
}
