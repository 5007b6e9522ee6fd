//! `visit`: silence is neither attendance nor absence, an arrival and a missed visit are told apart, and nobody is asked
//! again at once and for ever.

use handoff_host::contract::attendance::{Finding, Heard, Visit};
use handoff_host::{Call, End, Turn};

use super::Bench;
use super::turn::{self, asks, holds, said};

/// 2026-11-23T09:00:00Z.
const STARTS_AT: i64 = 1_795_424_400_000;

const MINUTES: u32 = 30;

pub fn try_out(bench: &mut Bench) {
    let check = |visit: Visit| Call::CheckVisit { visit, settings: bench.settings.clone() };
    let unknown = check(Visit { referral: vec![], appointment: vec![], ..visit(&[]) });
    let booked = check(visit(&[("booked", -86_400_000)]));
    let arrived = check(visit(&[("booked", -86_400_000), ("arrived", 0)]));
    let missed = check(visit(&[("booked", -86_400_000), ("no-show", 600_000)]));

    let kept = is_open(bench, &unknown);
    bench.note("finds out nothing of a visit that nobody has numbered or heard of", kept);
    let kept = is_not(bench, &arrived, |finding| matches!(finding, Finding::NoShow | Finding::Cancelled));
    let kept = kept.and_then(|()| is_not(bench, &missed, |finding| matches!(finding, Finding::Attended(_))));
    bench.note("takes no arrival for an absence, and no absence for an arrival", kept);
    let kept = tells_apart(bench);
    bench.note("tells who came from who did not", kept);
    let conversation = match turn::converse(bench, &booked) {
        Ok(conversation) => conversation,
        Err(why) => return bench.note("goes on from each of the scheduling system's answers", Err(why)),
    };
    let kept = conversation.ends.iter().try_for_each(comes_again_later);
    let kept = kept.and_then(|()| findings(bench).iter().try_for_each(comes_again_later));
    bench.note("asks again after an hour at the earliest", kept);
    // One that judges by what was heard has nobody to ask.
    if !conversation.asks.is_empty() {
        let kept = looks_for(bench, &booked);
        bench.note("looks for the visit by the numbers that it has", kept);
        turn::try_out(bench, &conversation, &booked, |_, end| is_settled(end));
    }
}

fn visit(heard: &[(&str, i64)]) -> Visit {
    let heard = heard.iter().map(|(what, after)| Heard { what: (*what).into(), at: STARTS_AT + after });
    Visit {
        referral: vec!["ZPHIA00600000000000000000000000003".into()],
        appointment: vec!["ZPHIA00600000000000000000000000006".into()],
        starts_at: STARTS_AT,
        minutes: MINUTES,
        heard: heard.collect(),
        // At its end: whoever was heard of has come by then, and a front desk has closed nothing yet.
        now: STARTS_AT + i64::from(MINUTES) * 60_000,
        extras: vec![],
    }
}

/// Whether anybody is taken at their word: all but `open`.
fn is_settled(end: &End) -> bool {
    match end {
        End::Finding(Finding::Open(_)) => false,
        End::Finding(Finding::Attended(_) | Finding::NoShow | Finding::Cancelled | Finding::Moved(_)) => true,
        End::Receipt(_) | End::Record(_) | End::Written(_) | End::Raised(_) => false,
    }
}

fn is_open(bench: &Bench, call: &Call) -> Result<(), String> {
    match turn::turn(bench, call)? {
        Ok(Turn::Done(end)) if is_settled(&end) => Err("nothing was known, and it found something".into()),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn is_not(bench: &Bench, call: &Call, wrong: fn(&Finding) -> bool) -> Result<(), String> {
    match turn::turn(bench, call)? {
        Ok(Turn::Done(End::Finding(finding))) if wrong(&finding) => Err(format!("it found {finding:?}")),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// What the author's cases end in.
fn findings(bench: &Bench) -> Vec<End> {
    let visits = bench.calls.iter().filter(|call| matches!(call, Call::CheckVisit { .. } | Call::ResumeVisit { .. }));
    let turns = visits.filter_map(|call| turn::turn(bench, call).ok()?.ok());
    turns.filter_map(|turn| if let Turn::Done(end) = turn { Some(end) } else { None }).collect()
}

fn tells_apart(bench: &Bench) -> Result<(), String> {
    let found = findings(bench);
    let came = found.iter().any(|end| matches!(end, End::Finding(Finding::Attended(_))));
    let stayed_away = found.iter().any(|end| matches!(end, End::Finding(Finding::NoShow)));
    match (came, stayed_away) {
        (true, true) => Ok(()),
        (false, _) => Err("none of the cases ends in `attended`: give one that should".into()),
        (_, false) => Err("none of the cases ends in `no-show`: give one that should".into()),
    }
}

fn comes_again_later(end: &End) -> Result<(), String> {
    if matches!(end, End::Finding(Finding::Open(0))) {
        return Err("`open` in no hours at all asks without end".into());
    }
    Ok(())
}

fn looks_for(bench: &Bench, booked: &Call) -> Result<(), String> {
    let Call::CheckVisit { visit, .. } = booked else { return Ok(()) };
    let ask = match turn::turn(bench, booked)? {
        Ok(Turn::Done(_)) => return Ok(()),
        Ok(Turn::Ask(_)) => asks(bench, booked)?,
        Err(failure) => return Err(said(&failure)),
    };
    let numbers: Vec<&str> = visit.appointment.iter().chain(&visit.referral).map(String::as_str).collect();
    match holds([&ask], &numbers) {
        true => Ok(()),
        false => Err("the first request names neither the appointment nor the order".into()),
    }
}
