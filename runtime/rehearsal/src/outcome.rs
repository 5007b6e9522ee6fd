//! What came of one patient's referral, by our own index and by the practice's ledger. Numbers only: no name leaves here.

use std::collections::BTreeMap;

use anyhow::ensure;
use handoff_engine::dashboard::{Dashboard, Figure};
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_practice::{Ledger, SimulatedPatient};
use serde::Serialize;

use crate::rehearsal::Rehearsal;
use crate::summary;

/// The figures by which practices see whether their loop closes, in the dashboard's order.
pub const FIGURES: [&str; 5] =
    ["confirmed_in_7_days", "no_show", "closed_with_note", "stalled_at_day_14", "out_of_network"];

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RehearsalOutcome {
    /// For each figure whether it counts this referral; none where that cannot be told of it.
    pub figures: [Option<bool>; FIGURES.len()],
    pub messages: Messages,
    /// Open tasks in the chart's inbox: work for a person.
    pub tasks: u64,
    /// Came before the physician because nothing else had helped.
    pub escalated: bool,
}

/// Messages that reached the patient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Messages {
    pub texts: u64,
    /// As texts are billed.
    pub text_parts: u64,
    pub mails: u64,
}

/// The mark with which a workflow says that the physician was asked.
const ESCALATED: &str = "escalated";

/// One for each patient of a panel, in the same order whatever the workflow.
///
/// # Errors
/// When the index cannot be read, or an acknowledged order is not in it.
pub fn of_panel(rehearsal: &Rehearsal) -> anyhow::Result<Vec<RehearsalOutcome>> {
    let (pipeline, world) = (rehearsal.pipeline(), rehearsal.world());
    let (people, ledger) = (world.people(), world.ledger());
    let by_number: BTreeMap<&str, usize> =
        people.iter().enumerate().map(|(place, person)| (person.referral.number.as_str(), place)).collect();
    let mut outcomes = contacts(&people, &ledger);
    let mut ours = vec![false; people.len()];
    for referral in summary::all(&pipeline)? {
        let numbers = summary::numbers_of(&pipeline, &referral)?;
        let Some(&person) = numbers.iter().find_map(|number| by_number.get(number.as_str())) else { continue };
        let mut board = Dashboard::empty();
        board.count(&referral, pipeline.clock.now(), pipeline.deployments.ended(&referral));
        ours[person] = true;
        outcomes[person].figures = board.figures().map(|Figure { count, of, .. }| (of > 0).then_some(count > 0));
        outcomes[person].escalated = referral.facts.marks.iter().any(|mark| mark.name == ESCALATED);
    }
    let lost = ledger.accepted_orders().filter(|person| !ours[*person]).count();
    let text = format!("{lost} acknowledged order(s) are lost: a rehearsal that loses one says nothing");
    ensure!(lost == 0, Failure::new(ErrorCode::REHEARSAL_BROKEN, text));
    Ok(outcomes)
}

/// What reached each patient, and what people had to do for them.
fn contacts(people: &[SimulatedPatient], ledger: &Ledger) -> Vec<RehearsalOutcome> {
    let mut outcomes = vec![RehearsalOutcome::default(); people.len()];
    for text in &ledger.texts {
        let Messages { texts, text_parts, .. } = &mut outcomes[text.person].messages;
        *texts += 1;
        *text_parts += u64::from(text.segments);
    }
    for mail in &ledger.mails {
        // Mails to offices are about a patient as well.
        if let Some(person) = mail.person.filter(|person| mail.to.eq_ignore_ascii_case(&people[*person].email)) {
            outcomes[person].messages.mails += 1;
        }
    }
    for person in ledger.writes.iter().filter(|write| write.asks_somebody()).filter_map(|write| write.person) {
        outcomes[person].tasks += 1;
    }
    outcomes
}
