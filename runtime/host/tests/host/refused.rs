//! What is no plugin is refused when it is loaded, and the error says what to do about it.

use handoff_host::HostError;

use crate::fixtures;

fn refusal(component: &[u8]) -> HostError {
    fixtures::host().load(component).expect_err("refused")
}

#[test]
fn whatever_could_act_is_refused_by_name() {
    for (import, wit) in [
        (
            "wasi:clocks/wall-clock@0.2.0",
            "package wasi:clocks@0.2.0; interface wall-clock { now: func() -> u64; } world test { import wall-clock; export handoff:stage/choice@0.2.0; }",
        ),
        ("log", "package test:test; world test { import log: func(text: string); export handoff:stage/choice@0.2.0; }"),
        (
            "test:test/socket",
            "package test:test; interface socket { resource socket; } world test { import socket; export handoff:stage/choice@0.2.0; }",
        ),
        (
            "handoff:stage/roster@0.2.0",
            "package test:test; world test { import handoff:stage/roster@0.2.0; export handoff:stage/choice@0.2.0; }",
        ),
    ] {
        let component = fixtures::shell(wit);
        let error = refusal(&component);
        let HostError::Imports { import: found, .. } = &error else { panic!("{import}: {error}") };
        assert_eq!(found, import);
        assert!(error.to_string().contains("without WASI"), "{error}");
        let inspection = fixtures::host().inspect(&component).expect("a component");
        assert_eq!(inspection.imports, [import]);
        let choice = inspection.exports.get("handoff:stage/choice@0.2.0").expect("the export");
        assert_eq!(choice, &["choose"]);
    }
}

#[test]
fn another_contract_is_refused() {
    for wit in [
        "package handoff:stage@0.2.0; interface choice { choose: func(letter: string) -> string; } world test { export choice; }",
        "package handoff:stage@0.2.0; interface choice { select: func(); } world test { export choice; }",
    ] {
        let error = refusal(&fixtures::shell(wit));
        assert!(matches!(error, HostError::OtherContract { .. }), "{error}");
        assert!(error.to_string().contains("`choice`"), "{error}");
    }
}

#[test]
fn what_serves_no_stage_is_refused() {
    let component = fixtures::shell("package test:test; world test { export tell: func() -> string; }");
    let error = refusal(&component);
    assert!(matches!(error, HostError::ServesNothing { .. }), "{error}");
    let later = "package handoff:stage@0.9.0; interface choice { choose: func(); } world test { export choice; }";
    let error = refusal(&fixtures::shell(later));
    assert!(matches!(error, HostError::ServesNothing { .. }), "{error}");
}

#[test]
fn what_is_no_component_is_refused() {
    let module = wat::parse_str("(module)").expect("a core module");
    let hostile = fixtures::hostile();
    for bytes in [&b""[..], b"MSH|^~\\&|", &module, &hostile[..hostile.len() / 2]] {
        let error = refusal(bytes);
        assert!(matches!(error, HostError::NotAComponent { .. }), "{error}");
    }
}

#[test]
fn what_needs_more_than_the_limits_is_refused_before_its_first_patient() {
    let choose = r#"(func (export "handoff:stage/choice@0.2.0#choose") (param i32) (result i32) unreachable)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)"#;
    for (parts, fits) in [
        (r#"(memory (export "memory") 1) (table 100000 funcref)"#, false),
        (r#"(memory (export "memory") 60000)"#, false),
        (r#"(memory (export "memory") 1000)"#, true),
        (r#"(memory (export "memory") 1) (memory 1) (memory 1) (memory 1) (memory 1)"#, false),
        (r#"(memory (export "memory") 200) (memory 200)"#, true),
        (r#"(memory (export "memory") 1) (func $start unreachable) (start $start)"#, true),
        (r#"(memory (export "memory") 1) (func $start (loop (br 0))) (start $start)"#, true),
    ] {
        let error = refusal(&fixtures::from_text(&["choice"], &format!("(module {parts} {choose})")));
        match error {
            HostError::DoesNotFit { .. } => assert!(!fits, "{parts}: {error}"),
            HostError::DoesNotStart { .. } => assert!(fits, "{parts}: {error}"),
            _ => panic!("{parts}: {error}"),
        }
    }
}
