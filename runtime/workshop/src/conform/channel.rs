//! `channel`: a no is a no, a channel without an address is none, and whoever can be reached is, in a language that they
//! read. Every combination of what is known of three channels is tried.

use handoff_host::contract::choice::{Chosen, ConsentState, Decision, Reachable, Situation};
use handoff_host::contract::types::ChannelKind;
use handoff_host::{Answer, Call};

use super::Bench;
use super::turn::{OTHER_FUNCTION, said};

/// 2026-11-23T09:00:00Z.
const NOW: i64 = 1_795_424_400_000;

const CHANNELS: [ChannelKind; 3] = [ChannelKind::Sms, ChannelKind::Email, ChannelKind::Portal];

/// What is known of one channel: no address, or an address and the patient's last word.
const STANDINGS: [Option<ConsentState>; 4] =
    [None, Some(ConsentState::Granted), Some(ConsentState::Denied), Some(ConsentState::Unknown)];

const WISHES: [Option<ChannelKind>; 4] =
    [None, Some(ChannelKind::Sms), Some(ChannelKind::Email), Some(ChannelKind::Portal)];

pub fn try_out(bench: &mut Bench) {
    let situations: Vec<Situation> = WISHES.iter().flat_map(|wish| everything_known(*wish)).collect();
    let decided: Result<Vec<(Situation, Decision)>, String> = situations
        .into_iter()
        .map(|situation| choose(bench, &situation).map(|decision| (situation, decision)))
        .collect();
    bench.note("decides whatever is known of the patient", decided.as_ref().map(drop).map_err(Clone::clone));
    let Ok(decided) = decided else { return };
    let each = |rule: fn(&Situation, &Decision) -> Result<(), String>| {
        decided.iter().try_for_each(|(situation, decision)| rule(situation, decision))
    };
    let promises = [
        ("takes no channel that the patient has refused, whoever wishes it", each(respects_a_no)),
        ("takes no channel without an address", each(has_an_address)),
        ("says why, whatever it decides", each(says_why)),
        ("reaches a patient who has agreed to every channel", each(reaches_the_willing)),
        ("writes in the patient's language where the letter is written in it", each(speaks_their_language)),
    ];
    for (promise, kept) in promises {
        bench.note(promise, kept);
    }
}

/// Every combination of standings, with a wish of the workflow's and the patient's for the same channel.
fn everything_known(wish: Option<ChannelKind>) -> Vec<Situation> {
    let pairs = STANDINGS.iter().flat_map(|first| STANDINGS.iter().map(move |second| (*first, *second)));
    let triples = pairs.flat_map(|(first, second)| STANDINGS.iter().map(move |third| [first, second, *third]));
    let reaches = |standings: [Option<ConsentState>; 3]| {
        let known = CHANNELS.into_iter().zip(standings);
        known.filter_map(|(channel, consent)| Some(Reachable { channel, consent: consent? })).collect()
    };
    triples
        .map(|standings| Situation {
            letter: "first-contact".into(),
            wanted: wish,
            reaches: reaches(standings),
            preferred: wish,
            languages: vec!["es".into()],
            available: vec!["en".into(), "es".into()],
            attempts: vec![],
            now: NOW,
            extras: vec![],
        })
        .collect()
}

fn choose(bench: &Bench, situation: &Situation) -> Result<Decision, String> {
    let call = Call::Choose { situation: situation.clone(), settings: bench.settings.clone() };
    let Answer::Choose(chosen) = bench.answer(&call)? else { return Err(OTHER_FUNCTION.into()) };
    chosen.map_err(|failure| said(&failure))
}

fn respects_a_no(situation: &Situation, decision: &Decision) -> Result<(), String> {
    let Decision::Send(Chosen { channel, .. }) = decision else { return Ok(()) };
    let refused = |reach: &Reachable| reach.channel == *channel && reach.consent == ConsentState::Denied;
    match situation.reaches.iter().any(refused) {
        true => Err(format!("it took {channel:?}, which the patient had refused")),
        false => Ok(()),
    }
}

fn has_an_address(situation: &Situation, decision: &Decision) -> Result<(), String> {
    match decision {
        Decision::Send(Chosen { channel, .. }) if situation.reaches.iter().all(|it| it.channel != *channel) => {
            Err(format!("it took {channel:?}, for which no address is on file"))
        }
        Decision::Send(_) | Decision::Nobody(_) => Ok(()),
    }
}

fn says_why(_: &Situation, decision: &Decision) -> Result<(), String> {
    let (Decision::Send(Chosen { reason, .. }) | Decision::Nobody(reason)) = decision;
    if reason.trim().is_empty() { Err("it gave no reason".into()) } else { Ok(()) }
}

fn reaches_the_willing(situation: &Situation, decision: &Decision) -> Result<(), String> {
    let agreed = situation.reaches.iter().filter(|reach| reach.consent == ConsentState::Granted).count();
    match decision {
        Decision::Nobody(why) if agreed == CHANNELS.len() => Err(format!("it found nobody to write to: {why}")),
        Decision::Nobody(_) | Decision::Send(_) => Ok(()),
    }
}

fn speaks_their_language(_: &Situation, decision: &Decision) -> Result<(), String> {
    match decision {
        Decision::Send(Chosen { language, .. }) if language != "es" => {
            Err(format!("it wrote in `{language}` to a patient who reads `es`"))
        }
        Decision::Send(_) | Decision::Nobody(_) => Ok(()),
    }
}
