//! Whether a plugin can use what the workflow sets for it, asked before any message comes.
//!
//! A trigger looks at its settings before it looks at a delivery (`wit/trigger.wit`): an empty one brings out what is wrong with
//! them. It names one fault at a time, so that what it names is left out and it is asked again.

use handoff_engine::workflow::stages::Stage;
use handoff_engine::workflow::{Code, Problem};
use handoff_host::contract::interpreter::{self, Delivery, Meaning, Transport};
use handoff_host::{Answer, Call, Host, Plugin};
use serde_json::Value;

/// So many faults are told of one stage's settings; who makes more of them mends some first.
const FAULTS_MAX: usize = 50;

/// What a problem's location begins with that is of the settings.
const SETTINGS: &str = "settings";

/// What is wrong with the settings of a trigger's stage, each with its place in the file. Nothing where the plugin fails to
/// answer: that shows, and is told, at its first delivery.
pub fn problems(host: &Host, plugin: &Plugin, stage: &Stage) -> Vec<Problem> {
    let mut settings = stage.settings.clone();
    let mut problems: Vec<Problem> = Vec::new();
    let mut told: Vec<String> = Vec::new();
    for _ in 0..FAULTS_MAX {
        let Some(interpreter::Problem { location, message, help }) = fault(host, plugin, &settings) else { break };
        let Some(key) = location.strip_prefix(SETTINGS).map(|key| key.trim_start_matches('.')) else { break };
        // Leaving it out made another fault of what is around it: that goes as well, and is not told.
        let again = told.iter().any(|known| known == key);
        if !again {
            problems.push(problem(stage, key, message, help));
            told.push(key.to_owned());
        }
        let outer = key.rsplit_once('.').map_or("", |(outer, _)| outer);
        if !leave_out(&mut settings, if again { outer } else { key }) && !leave_out(&mut settings, outer) {
            break;
        }
    }
    problems
}

fn fault(host: &Host, plugin: &Plugin, settings: &Value) -> Option<interpreter::Problem> {
    let delivery = Delivery {
        source: String::new(),
        transport: Transport::Http,
        headers: Vec::new(),
        body: Vec::new(),
        too_long: None,
        received_at: 0,
    };
    match host.call(plugin, &Call::Interpret { delivery, settings: settings.to_string() }) {
        Ok(Answer::Interpret(reading)) => match reading.current().meaning {
            Meaning::Unreadable(problem) => Some(problem),
            Meaning::Events(_) | Meaning::NotForUs(_) | Meaning::Parts(_) => None,
        },
        Ok(_) | Err(_) => None,
    }
}

fn problem(stage: &Stage, key: &str, message: String, help: String) -> Problem {
    let written = stage.written.as_ref().map(|written| written.place(key));
    let (file, at) = written.unwrap_or(("", stage.at));
    let within = if key.is_empty() { String::new() } else { format!(", `{key}`") };
    let message = format!("settings of {}{within}: {message}", stage.key);
    Problem { file: file.to_owned(), line: at.line, column: at.column, code: Code::WRONG_SETTING, message, help }
}

/// Takes the value of a dotted key away. A member's own name may have dots.
fn leave_out(value: &mut Value, key: &str) -> bool {
    match value {
        Value::Object(members) => {
            if members.shift_remove(key).is_some() {
                return true;
            }
            let mut splits = key.match_indices('.').map(|(at, _)| (&key[..at], &key[at + 1..]));
            splits.any(|(name, rest)| members.get_mut(name).is_some_and(|inner| leave_out(inner, rest)))
        }
        Value::Array(items) => {
            let (index, rest) = key.split_once('.').unwrap_or((key, ""));
            let Some(index) = index.parse::<usize>().ok().filter(|index| *index < items.len()) else { return false };
            if rest.is_empty() {
                items.remove(index);
                return true;
            }
            leave_out(&mut items[index], rest)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::leave_out;

    #[test]
    fn a_key_is_left_out_wherever_it_stands() {
        let rows = [
            ("map", json!({"zone": "x"})),
            ("map.a.from.0", json!({"map": {"a": {"from": ["y"], "codes": {"I20.0": "b"}}}, "zone": "x"})),
            ("map.a.codes.I20.0", json!({"map": {"a": {"from": ["x", "y"], "codes": {}}}, "zone": "x"})),
            ("map.a.from.2", json!({"map": {"a": {"from": ["x", "y"], "codes": {"I20.0": "b"}}}, "zone": "x"})),
            ("", json!({"map": {"a": {"from": ["x", "y"], "codes": {"I20.0": "b"}}}, "zone": "x"})),
        ];
        for (key, left) in rows {
            let mut value = json!({"map": {"a": {"from": ["x", "y"], "codes": {"I20.0": "b"}}}, "zone": "x"});
            let whole = value.clone();
            assert_eq!(leave_out(&mut value, key), left != whole, "{key}");
            assert_eq!(value, left, "{key}");
        }
    }
}
