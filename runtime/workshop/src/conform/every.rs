//! What a plugin of any stage must do: answer the same twice, and name what is wrong with its settings.

use handoff_host::Call;

use super::{Bench, with_settings};
use crate::begin::starter;

/// Settings that nobody could use: no JSON, another kind of JSON, and a member of the wrong kind throughout.
const UNUSABLE: [&str; 3] = ["{", "[]", "7"];

pub fn try_out(bench: &mut Bench) {
    let mut calls: Vec<Call> = bench.calls.to_vec();
    calls.extend(with_settings(&starter::case(bench.stage).0, &bench.settings));
    let kept = calls.iter().try_for_each(|call| same_twice(bench, call));
    bench.note("answers the same when it is called twice", kept);
    let kept = UNUSABLE.iter().try_for_each(|settings| {
        let call = with_settings(&calls[calls.len() - 1], settings).ok_or("no call to try")?;
        bench.answer(&call).map(drop).map_err(|what| format!("settings `{settings}`: {what}"))
    });
    bench.note("does not fall over unusable settings", kept);
}

fn same_twice(bench: &Bench, call: &Call) -> Result<(), String> {
    let answer = || bench.answer(call).map(|answer| answer.digest());
    if answer()? == answer()? { Ok(()) } else { Err(format!("{} gave two answers to one call", call.function())) }
}
