//! `records`: the patient is looked for by the numbers that the order gave, what the chart knows is passed on as tokens,
//! and nothing that is no chart's answer passes for a record.

use handoff_host::contract::exchange::Response;
use handoff_host::contract::retrieval::{PatientIdentifier, PatientRecord, Query};
use handoff_host::{Call, End, Turn};

use super::Bench;
use super::turn::{self, asks, holds, response};

pub fn try_out(bench: &mut Bench) {
    let query = query(bench);
    let opening = retrieve(bench, &query);
    let asked = asks(bench, &opening);
    bench.note("asks the chart for an ordinary patient", asked.clone().map(drop));
    let Ok(asked) = asked else { return };
    let numbers: Vec<&str> = query.patient.iter().map(|number| number.value.as_str()).collect();
    let kept = match holds([&asked], &numbers) {
        true => Ok(()),
        false => Err("none of the patient's numbers is in the first request".into()),
    };
    bench.note("looks for the patient by the numbers that the order gave", kept);
    match turn::converse(bench, &opening) {
        Ok(conversation) => turn::try_out(bench, &conversation, &opening, is_a_record),
        Err(why) => bench.note("goes on from each of the chart's answers", Err(why)),
    }
    let kept = knows_nobody(bench);
    bench.note("makes nobody up where the order gave no number", kept);
    let kept = passes_on(bench);
    bench.note("passes addresses on as the chart gave them", kept);
}

fn retrieve(bench: &Bench, query: &Query) -> Call {
    Call::Retrieve { query: query.clone(), settings: bench.settings.clone() }
}

/// The author's own, for its numbers may be given out by whom their settings know; else by an OID, which every system has.
fn query(bench: &Bench) -> Query {
    let mut own = bench.calls.iter().filter_map(|call| {
        let Call::Retrieve { query, .. } = call else { return None };
        (!query.patient.is_empty()).then(|| query.clone())
    });
    own.find(|query| asks(bench, &retrieve(bench, query)).is_ok()).unwrap_or_else(|| Query {
        patient: vec![PatientIdentifier {
            value: "ZPHIA00700000000000000000000000004".into(),
            authority: "2.16.840.1.113883.19.5".into(),
            kind: "MR".into(),
        }],
        wanted: vec![],
    })
}

/// `done` without a record says that the chart does not know the patient, and says nothing wrong. Nor does a record to
/// which a later 404 adds nothing: not every chart keeps all that can be asked for.
fn is_a_record(status: u16, end: &End) -> bool {
    status != 404 && matches!(end, End::Record(Some(_)))
}

fn knows_nobody(bench: &Bench) -> Result<(), String> {
    match turn::turn(bench, &retrieve(bench, &Query { patient: vec![], wanted: vec![] }))? {
        Ok(Turn::Done(End::Record(Some(_)))) => Err("it has a record of a patient without a number".into()),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Only the author knows what a chart's answer looks like: the promise is tried on the cases.
fn passes_on(bench: &Bench) -> Result<(), String> {
    for call in bench.calls {
        let (Call::ResumeRetrieval { state, .. }, Some(Response::Http(response))) = (call, response(call)) else {
            continue;
        };
        let Ok(Ok(Turn::Done(End::Record(Some(record))))) = turn::turn(bench, call) else { continue };
        let given = |text: &str| response.body.contains(text) || state.contains(text);
        if !addresses(&record).all(given) {
            return Err("an address or a postal code is in no answer of the chart's".into());
        }
    }
    Ok(())
}

fn addresses(record: &PatientRecord) -> impl Iterator<Item = &str> {
    record.reaches.iter().map(|reach| reach.address.as_str()).chain(record.postal_code.as_deref())
}
