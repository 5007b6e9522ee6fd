//! What referral and order messages share: the parts of the contract's `order` that PID, IN1, DG1 and MSH give.

use crate::coded;
use crate::message::{Message, Segment};
use crate::patient;
use crate::problem::{Fault, Place};
use crate::provider;
use crate::reading::Feed;
use crate::types::{Code, Coverage, Order, Priority};

pub fn named<'a>(segments: &[Segment<'a>], name: &str) -> Option<Segment<'a>> {
    segments.iter().find(|segment| segment.is(name)).copied()
}

/// Runs of segments that each start with one of this name; what stands before the first is left out.
pub fn groups<'s, 'a>(segments: &'s [Segment<'a>], start: &str) -> Vec<&'s [Segment<'a>]> {
    let starts: Vec<usize> =
        segments.iter().enumerate().filter(|(_, segment)| segment.is(start)).map(|(at, _)| at).collect();
    let ends = starts.iter().copied().skip(1).chain([segments.len()]);
    starts.iter().zip(ends).filter_map(|(&from, to)| segments.get(from..to)).collect()
}

/// What is about one order: its own segments, and what stands before the first order of the message.
pub fn scope<'a>(message: &Message<'a>, own: &[Segment<'a>]) -> Vec<Segment<'a>> {
    let is_order = |segment: &&Segment<'a>| segment.is("ORC") || segment.is("OBR");
    let common = message.segments().iter().take_while(|segment| !is_order(segment));
    common.chain(own).copied().collect()
}

/// PID, which every order needs, with a number or a name to know the patient by.
pub fn require_patient<'a>(message: &Message<'a>) -> Result<Segment<'a>, Fault> {
    let pid = message.segment("PID").ok_or_else(|| Fault::missing_segment("PID", "send the patient in PID"))?;
    if pid.field(3).is_empty() && pid.field(2).is_empty() && pid.field(5).is_empty() {
        return Err(Fault::missing_field("PID", 3, "send the patient's identifier in PID-3"));
    }
    Ok(pid)
}

/// The order as far as the segments tell it that are about it, and the message's patient.
pub fn order(
    message: &Message<'_>,
    segments: &[Segment<'_>],
    pid: Segment<'_>,
    feed: &Feed<'_>,
) -> Result<Order, Fault> {
    Ok(Order {
        priority: Priority::Routine,
        ordered_at: feed.zone.instant(Some(message.header()), Place::new("MSH", 7))?,
        expires_at: None,
        patient: patient::patient(message, pid),
        referring: provider::nobody(),
        referred_to: None,
        specialty: coded::empty_code(),
        services: Vec::new(),
        diagnoses: diagnoses(segments),
        coverages: coverages(segments),
        authorization: None,
        extras: Vec::new(),
    })
}

/// RF1-2, OBR-5, ORC-7.6 and TQ1-9 (tables 0280 and 0485).
pub fn priority(word: &str) -> Option<Priority> {
    match word.to_uppercase().as_str() {
        "S" | "STAT" | "E" | "EMERGENT" | "EMERGENCY" => Some(Priority::Stat),
        "A" | "ASAP" | "U" | "URGENT" => Some(Priority::Urgent),
        "R" | "ROUTINE" | "N" | "NORMAL" => Some(Priority::Routine),
        _ => None,
    }
}

fn diagnoses(segments: &[Segment<'_>]) -> Vec<Code> {
    let mut diagnoses: Vec<Code> = Vec::new();
    for segment in segments.iter().filter(|segment| segment.is("DG1")) {
        let mut code = coded::code(segment.field(3)).unwrap_or_else(coded::empty_code);
        if code.display.is_empty() {
            code.display = segment.text(4, 1);
        }
        let told = !code.code.is_empty() || !code.display.is_empty();
        if told && !diagnoses.contains(&code) {
            diagnoses.push(code);
        }
    }
    diagnoses
}

fn coverages(segments: &[Segment<'_>]) -> Vec<Coverage> {
    let first = |choices: [String; 2]| choices.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    segments
        .iter()
        .filter(|segment| segment.is("IN1"))
        .map(|in1| Coverage {
            plan_id: first([in1.text(2, 1), in1.text(3, 1)]),
            plan_name: first([in1.text(2, 2), in1.text(4, 1)]),
            payer: in1.text(4, 1),
            member_id: first([in1.text(36, 1), in1.text(49, 1)]),
        })
        .collect()
}
