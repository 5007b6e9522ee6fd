//! `network`: whoever was tried is not proposed again, whoever was called out of network does not come back for the same
//! plan, and the search ends.

use handoff_host::contract::roster::{Alternative, Assessment, Cause, Opening, Request, Why};
use handoff_host::contract::types::Provider;
use handoff_host::{Answer, Call};

use super::turn::{OTHER_FUNCTION, said};
use super::{Bench, settings_of};
use crate::begin::starter;

/// No practice refers to so many of one specialty: a search that goes on longer goes in a circle.
const PROPOSALS_MAX: usize = 64;

pub fn try_out(bench: &mut Bench) {
    let requests = requests(bench);
    let assessed: Result<Vec<Assessment>, String> = requests.iter().map(|request| assess(bench, request)).collect();
    bench.note("assesses each request", assessed.as_ref().map(drop).map_err(Clone::clone));
    let Ok(assessed) = assessed else { return };
    let pairs = || requests.iter().zip(&assessed);
    let kept = pairs().try_for_each(|(request, assessment)| is_sound(request, assessment));
    bench.note("calls in network only whom the order names, and nobody without a name or in the past", kept);
    let searches: Result<Vec<Vec<Provider>>, String> = requests.iter().map(|it| search(bench, it)).collect();
    bench.note("proposes nobody who was tried, and comes to an end", searches.as_ref().map(drop).map_err(Clone::clone));
    let kept = searches.and_then(|searches| {
        let found: Vec<(&Request, &Vec<Provider>)> = requests.iter().zip(&searches).collect();
        pairs().try_for_each(|(request, assessment)| keeps_to_the_plan(request, assessment, &found))
    });
    bench.note("proposes nobody whom it called out of the same plan's network", kept);
}

/// The author's own, and each again without the specialist named; and one of which nothing is known.
fn requests(bench: &Bench) -> Vec<Request> {
    let starter = starter::case(bench.stage).0;
    let calls = bench.calls.iter().filter(|call| settings_of(call).as_ref() == Some(&bench.settings));
    let own = calls.chain([&starter]).filter_map(|call| {
        let Call::Assess { request, .. } = call else { return None };
        Some(request.clone())
    });
    own.flat_map(|request| [Request { referred_to: None, cause: Cause::Ordered, ..request.clone() }, request]).collect()
}

fn assess(bench: &Bench, request: &Request) -> Result<Assessment, String> {
    let call = Call::Assess { request: request.clone(), settings: bench.settings.clone() };
    let Answer::Assess(assessed) = bench.answer(&call)? else { return Err(OTHER_FUNCTION.into()) };
    assessed.map_err(|failure| said(&failure))
}

fn is_sound(request: &Request, assessment: &Assessment) -> Result<(), String> {
    let opening = match assessment {
        Assessment::Nobody(why) if why.trim().is_empty() => return Err("it found nobody and gave no reason".into()),
        Assessment::Nobody(_) => return Ok(()),
        Assessment::Alternative(Alternative { opening, .. }) => opening,
        Assessment::InNetwork(opening) => {
            let named = request.referred_to.as_ref();
            if !named.is_some_and(|named| is_same(named, &opening.specialist)) {
                return Err("it called somebody in network whom the order does not name".into());
            }
            opening
        }
    };
    let Opening { specialist, next_available } = opening;
    if specialist.id.is_empty() && specialist.name.is_empty() && specialist.organization.is_empty() {
        return Err("it proposed somebody without an id or a name".into());
    }
    match next_available {
        Some(at) if *at < request.now => Err("a free visit lies in the past".into()),
        Some(_) | None => Ok(()),
    }
}

/// Refuses each proposal in turn, as an instance does whose specialists decline, until there is nobody left.
fn search(bench: &Bench, request: &Request) -> Result<Vec<Provider>, String> {
    let mut request = request.clone();
    let mut proposed: Vec<Provider> = Vec::new();
    while let Assessment::InNetwork(opening) | Assessment::Alternative(Alternative { opening, .. }) =
        assess(bench, &request)?
    {
        let specialist = opening.specialist;
        if request.tried.contains(&specialist.id) || proposed.iter().any(|known| is_same(known, &specialist)) {
            return Err(format!("it proposed `{}` after that was tried", specialist.id));
        }
        proposed.push(specialist.clone());
        if proposed.len() > PROPOSALS_MAX {
            return Err(format!("it proposed more than {PROPOSALS_MAX} specialists for one referral"));
        }
        request.tried.push(specialist.id.clone());
        request.referred_to = Some(specialist);
        request.cause = Cause::Declined;
    }
    Ok(proposed)
}

fn keeps_to_the_plan(
    request: &Request,
    assessment: &Assessment,
    searches: &[(&Request, &Vec<Provider>)],
) -> Result<(), String> {
    let (Assessment::Alternative(Alternative { why: Why::OutOfNetwork, .. }), Some(named)) =
        (assessment, &request.referred_to)
    else {
        return Ok(());
    };
    let plan = |it: &Request| (it.plan_id.clone(), it.plan_name.clone());
    let same_plan = searches.iter().filter(|(other, _)| plan(other) == plan(request));
    match same_plan.flat_map(|(_, proposed)| proposed.iter()).any(|it| is_same(it, named)) {
        true => Err(format!("it proposed `{}` for a plan whose network it had called them out of", named.id)),
        false => Ok(()),
    }
}

fn is_same(one: &Provider, other: &Provider) -> bool {
    if one.id.is_empty() || other.id.is_empty() { one.name == other.name } else { one.id == other.id }
}
