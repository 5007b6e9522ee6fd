//! The JSON Schema by which editors complete and underline workflows. Made from the reader's own tables, so it cannot drift.

use serde_json::{Map, Value, json};

use super::moves::Others;
use super::timers::VISIT_OPEN;
use super::{ActionKind, FORMAT, Late, OptOutScope, Since, StageKind};
use crate::answer::{ActorRole, AnswerKind, ToldEvent};
use crate::event::{NetworkCause, event_names};
use crate::letter::{Audience, ChartOutcome};
use crate::referral::{Asked, Channel};

/// JSON Schema, draft 2020-12.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Handoff workflow",
        "description": "A statechart for closing the referral loop.",
        "type": "object",
        "additionalProperties": false,
        "required": ["format", "name", "stages", "practice", "contact", "start", "states"],
        "properties": {
            "format": { "const": FORMAT },
            "name": text("What the workflow is called in lists."),
            "stages": stages(),
            "practice": block(&["name", "phone"], json!({
                "name": text("As it stands in letters."),
                "phone": text("As it stands in letters."),
                "sensitive": { "type": "array", "items": { "type": "string" }, "description": "Words or codes of specialties whose letters name neither specialist nor specialty." },
            })),
            "contact": block(&["zone"], json!({
                "hours": { "type": "string", "pattern": "^[0-2]?[0-9]:[0-5][0-9] ?[-–] ?[0-2]?[0-9]:[0-5][0-9]$", "description": "When patients may be written to, at their home." },
                "per_day": count(), "per_week": count(), "sms_characters": count(),
                "holidays": { "type": "array", "items": { "type": "string", "format": "date" } },
                "zone": text("For patients whose address is not known: America/New_York."),
                "opt_out": { "enum": OptOutScope::WORDS },
            })),
            "templates": { "type": ["string", "object"], "description": "A folder with one file per language, or the languages themselves." },
            "language": text("The language for patients whose own has no templates."),
            "letters": { "type": "object", "additionalProperties": block(&["asks"], json!({
                "asks": { "enum": Asked::WORDS },
                "expires": block(&[], json!({ "after": duration(), "before": anchored() })),
            })) },
            "start": text("The state in which a referral is born."),
            "states": { "type": "object", "additionalProperties": { "$ref": "#/$defs/state" } },
            "timers": { "$ref": "#/$defs/timers" },
            "on": { "$ref": "#/$defs/handlers" },
            "actions": { "type": "object", "additionalProperties": act(), "description": "What people may do to a referral. A state takes it as `person.NAME`, or takes what it tells." },
            "resolves": { "type": "object", "additionalProperties": { "type": "array", "items": { "type": "string" } }, "description": "Kind of task: the events that make it moot; `end` is every end." },
            "moves": { "anyOf": [{ "$ref": "#/$defs/moves" }, { "type": "array", "items": { "$ref": "#/$defs/moves" } }], "description": "Which referrals in flight come along; all others stay with the workflow under which they began." },
        },
        "$defs": {
            "stage": { "type": "object", "additionalProperties": false, "required": ["plugin"], "properties": stage() },
            "state": block(&[], json!({
                "enter": { "$ref": "#/$defs/actions" },
                "timers": { "$ref": "#/$defs/timers" },
                "on": { "$ref": "#/$defs/handlers" },
                "ignore": { "type": "array", "items": { "type": "string" } },
                "end": { "type": "boolean" },
            })),
            "timers": { "type": "object", "additionalProperties": timer() },
            "handlers": handlers(),
            "handler": handler(),
            "moves": moves(),
            "actions": { "type": "array", "items": { "$ref": "#/$defs/action" } },
            "action": action(),
        },
    })
}

fn timer() -> Value {
    block(
        &[],
        json!({
            "after": { "anyOf": [duration(), anchored(), { "const": VISIT_OPEN }] },
            "before": anchored(),
            "since": { "enum": Since::WORDS },
            "at_most": duration(),
            "late": { "enum": Late::WORDS },
        }),
    )
}

fn handlers() -> Value {
    let names: Value = event_names().collect();
    json!({
        "type": "object",
        "propertyNames": { "pattern": "^[a-z.-]+[a-z0-9.-]*(, *[a-z.-]+[a-z0-9.-]*)*$", "examples": names },
        "additionalProperties": { "anyOf": [
            { "type": "string", "description": "The next state." },
            { "$ref": "#/$defs/handler" },
            { "type": "array", "items": { "$ref": "#/$defs/handler" }, "description": "The first whose `if` holds." },
        ] },
    })
}

fn handler() -> Value {
    block(
        &[],
        json!({
            "if": text("A condition in CEL."),
            "do": { "$ref": "#/$defs/actions" },
            "to": text("The next state."),
            "reenter": { "type": "boolean", "description": "Start the same state over." },
            "always": { "type": "boolean", "description": "Also after the end." },
        }),
    )
}

fn moves() -> Value {
    block(
        &[],
        json!({
            "from": text("The name of an older workflow, the first digits of a deployment's digest, or `any`."),
            "states": { "type": "object", "additionalProperties": { "type": "string" }, "description": "Old state: present state." },
            "others": { "enum": Others::WRITTEN, "description": "What states do that are not named; `move`: into the state of their own name." },
        }),
    )
}

fn act() -> Value {
    let kinds = json!({ "enum": AnswerKind::WORDS });
    let question =
        block(&["kind"], json!({ "kind": kinds, "label": text("What is asked."), "optional": { "type": "boolean" } }));
    block(
        &["label", "roles"],
        json!({
            "label": text("As it stands on a button."),
            "roles": { "type": "array", "minItems": 1, "items": { "enum": ActorRole::WORDS } },
            "asks": { "type": "object", "additionalProperties": { "anyOf": [kinds, question] } },
            "confirm": text("What is said once it is done."),
            "tells": { "enum": ToldEvent::WORDS, "description": "What the act says has happened; it is handled as if it had come from outside." },
        }),
    )
}

fn action() -> Value {
    let bare: Vec<ActionKind> = ActionKind::ALL.iter().copied().filter(|kind| !kind.takes_argument()).collect();
    let told = |kind: ActionKind, what: Value| block(&[kind.as_str()], json!({ (kind.as_str()): what }));
    let send = block(&["letter"], json!({ "letter": { "type": "string" }, "channel": { "enum": Channel::WORDS } }));
    let task = json!({
        "audience": { "enum": Audience::WORDS },
        "kind": text("The workflow's word for it."),
        "summary": text("One sentence."),
        "urgent": { "type": "boolean" },
        "due_in": duration(),
    });
    json!({ "anyOf": [
        { "enum": bare },
        told(ActionKind::Send, json!({ "anyOf": [{ "type": "string" }, send] })),
        told(ActionKind::AssessNetwork, json!({ "enum": NetworkCause::WORDS })),
        told(ActionKind::WriteChart, json!({ "enum": ChartOutcome::WORDS })),
        told(ActionKind::Mark, json!({ "type": "string" })),
        told(ActionKind::Raise, block(&["audience", "kind", "summary"], task)),
    ] })
}

fn block(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 1 })
}

fn duration() -> Value {
    json!({ "type": "string", "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?$", "examples": ["3d", "24h", "30m"] })
}

fn anchored() -> Value {
    json!({ "type": "string", "pattern": "^appointment +[0-9dhm]+$", "examples": ["appointment 24h"] })
}

fn stage() -> Map<String, Value> {
    let names = json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] });
    let mut keys = Map::new();
    keys.insert(
        "plugin".to_string(),
        text("A bundled plugin, one of the plugins folder, or an oci:// reference that was pulled."),
    );
    keys.insert("endpoint".to_string(), names.clone());
    keys.insert("endpoints".to_string(), names.clone());
    keys.insert("reveal".to_string(), names);
    keys.insert(
        "settings".to_string(),
        json!({ "type": ["object", "string"], "description": "A block, or the path of a file beside the workflow." }),
    );
    keys.insert("clear_phi_because".to_string(), text("Why it may have both patient data in clear and a way out."));
    keys
}

fn stages() -> Value {
    let plain = json!({ "$ref": "#/$defs/stage" });
    let with = |key: &str, value: Value, required: &[&str]| {
        let mut keys = stage();
        keys.insert(key.to_string(), value);
        block(required, Value::Object(keys))
    };
    let carrier = with("channel", json!({ "enum": Channel::WORDS }), &["plugin", "channel"]);
    let reply = with("confidence_min", json!({ "type": "integer", "minimum": 0, "maximum": 100 }), &["plugin"]);
    let stage_of = |kind: StageKind| match kind {
        StageKind::Trigger => json!({ "type": "object", "additionalProperties": plain }),
        StageKind::Outreach => json!({ "type": "object", "additionalProperties": carrier }),
        StageKind::Reply => reply.clone(),
        StageKind::Records
        | StageKind::Channel
        | StageKind::Network
        | StageKind::Visit
        | StageKind::Chart
        | StageKind::Escalation => plain.clone(),
    };
    let stages = StageKind::ALL.iter().map(|kind| (kind.to_string(), stage_of(*kind)));
    block(&[], Value::Object(stages.collect()))
}
