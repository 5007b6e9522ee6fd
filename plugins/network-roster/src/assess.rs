//! Is the specialist in network and has room? If not, who else?

use crate::member::Member;
use crate::settings::{Settings, Unknown};
use crate::{Alternative, Assessment, Cause, Opening, Request, Why};

pub fn assess(request: &Request, settings: &Settings) -> Assessment {
    let why = match (request.cause, &request.referred_to) {
        (Cause::OverBooked, _) => Why::OverBooked,
        (Cause::Declined, _) => Why::Declined,
        (Cause::Ordered, None) => Why::NoneNamed,
        (Cause::Ordered, Some(named)) => {
            let member = settings.roster.iter().find(|member| member.is(named));
            let obstacle = match member {
                Some(member) => obstacle(member, request, settings),
                None if request.tried.contains(&named.id) => Some(Why::Declined),
                None => (settings.unknown_specialist == Unknown::Reroute).then_some(Why::OutOfNetwork),
            };
            match (obstacle, member) {
                (Some(why), _) => why,
                (None, Some(member)) => return Assessment::InNetwork(member.opening(request.now)),
                (None, None) => {
                    return Assessment::InNetwork(Opening { specialist: named.clone(), next_available: None });
                }
            }
        }
    };
    match best(request, settings) {
        Some(member) => Assessment::Alternative(Alternative { opening: member.opening(request.now), why }),
        None => Assessment::Nobody(nobody(request, settings)),
    }
}

/// The soonest, then by name, so that the same roster gives the same answer.
fn best<'a>(request: &Request, settings: &'a Settings) -> Option<&'a Member> {
    settings
        .roster
        .iter()
        .filter(|member| !request.referred_to.as_ref().is_some_and(|named| member.is(named)))
        .filter(|member| member.practises(&request.specialty) && obstacle(member, request, settings).is_none())
        .min_by_key(|member| (member.next_available_days.unwrap_or(u32::MAX), &member.name, &member.id))
}

fn obstacle(member: &Member, request: &Request, settings: &Settings) -> Option<Why> {
    if request.tried.contains(&member.id) {
        Some(Why::Declined)
    } else if !in_network(member, request, settings) {
        Some(Why::OutOfNetwork)
    } else if !member.has_room_within(wait_days(request, settings)) {
        Some(Why::OverBooked)
    } else {
        None
    }
}

fn in_network(member: &Member, request: &Request, settings: &Settings) -> bool {
    let is_plan_unknown = request.plan_id.trim().is_empty() && request.plan_name.trim().is_empty();
    (is_plan_unknown && settings.unknown_plan == Unknown::Accept)
        || member.accepts(&request.plan_id, &request.plan_name)
}

fn wait_days(request: &Request, settings: &Settings) -> u32 {
    if request.urgent { settings.urgent_wait_days } else { settings.max_wait_days }
}

/// Which of the conditions nobody meets, widest first, so that a person knows where to begin.
fn nobody(request: &Request, settings: &Settings) -> String {
    let practising = settings.roster.iter().filter(|member| member.practises(&request.specialty));
    let in_plan = practising.clone().filter(|member| in_network(member, request, settings));
    if practising.count() == 0 {
        "the roster has nobody of this specialty".to_owned()
    } else if in_plan.count() == 0 {
        "nobody of this specialty is in the plan's network".to_owned()
    } else {
        format!("nobody else in network has room within {} days", wait_days(request, settings))
    }
}
