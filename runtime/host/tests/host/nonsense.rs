//! Plugins written by hand in WebAssembly text, which return what no compiler would.

use handoff_host::{Call, FaultKind};

use crate::{fixtures, samples};

/// A channel plugin whose answer is written at 1024: `result` and `decision` cases, then the payload.
fn channel(memory: &str, body: &str) -> Vec<u8> {
    fixtures::from_text(
        &["choice"],
        &format!(
            r#"(module
                (memory (export "memory") 1)
                {memory}
                (global $next (mut i32) (i32.const 8192))
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    global.get $next
                    global.get $next local.get 3 i32.add i32.const 7 i32.add i32.const -8 i32.and global.set $next)
                (func (export "handoff:stage/choice@0.2.0#choose") (param i32) (result i32)
                    {body}))"#
        ),
    )
}

fn kind(component: &[u8], call: &Call) -> Option<FaultKind> {
    let host = fixtures::host();
    let plugin = host.load(component).expect("a plugin");
    host.call(&plugin, call).err().map(|fault| fault.kind)
}

#[test]
fn what_the_contract_does_not_allow_is_bad_output() {
    let rows = [
        // `nobody` with the text at 2048.
        (
            "plain text",
            r#"(data (i32.const 1028) "\01\00\00\00\00\08\00\00\04\00\00\00") (data (i32.const 2048) "none")"#,
            None,
        ),
        (
            "no UTF-8",
            r#"(data (i32.const 1028) "\01\00\00\00\00\08\00\00\02\00\00\00") (data (i32.const 2048) "\ff\fe")"#,
            Some(FaultKind::BadOutput),
        ),
        (
            "text out of memory",
            r#"(data (i32.const 1028) "\01\00\00\00\00\08\00\00\00\00\00\7f")"#,
            Some(FaultKind::BadOutput),
        ),
        (
            "text at nowhere",
            r#"(data (i32.const 1028) "\01\00\00\00\00\00\ff\7f\04\00\00\00")"#,
            Some(FaultKind::BadOutput),
        ),
        ("a result that is neither", r#"(data (i32.const 1024) "\07")"#, Some(FaultKind::BadOutput)),
        ("a decision of no kind", r#"(data (i32.const 1028) "\09")"#, Some(FaultKind::BadOutput)),
        // `send` by channel 77.
        ("a channel of no kind", r#"(data (i32.const 1032) "\4d")"#, Some(FaultKind::BadOutput)),
    ];
    for (what, data, expected) in rows {
        assert_eq!(kind(&channel(data, "i32.const 1024"), &samples::choose("{}")), expected, "{what}");
    }
    for (what, pointer) in [("an answer out of memory", "i32.const 0x7fff0000"), ("an answer askew", "i32.const 1025")]
    {
        let found = kind(&channel("", pointer), &samples::choose("{}"));
        assert_eq!(found, Some(FaultKind::BadOutput), "{what}");
    }
}

#[test]
fn tables_and_memories_count_together() {
    let tables = "(table $a 1 funcref) (table $b 1 funcref)";
    let grow = |table: &str| {
        format!("(loop (br_if 0 (i32.ne (i32.const -1) (table.grow {table} (ref.null func) (i32.const 1000)))))")
    };
    for (what, body) in [("one table", grow("$a")), ("two tables in turn", grow("$a") + &grow("$b"))] {
        let component = channel(tables, &format!("{body} i32.const 1024"));
        assert_eq!(kind(&component, &samples::choose("{}")), Some(FaultKind::OutOfMemory), "{what}");
    }
    // Ten MiB in each of two memories, where sixteen are allowed together.
    let memories = "(memory $more 1)";
    let grow = "(drop (memory.grow (i32.const 160))) (drop (memory.grow $more (i32.const 160))) i32.const 1024";
    assert_eq!(kind(&channel(memories, grow), &samples::choose("{}")), Some(FaultKind::OutOfMemory), "two memories");
}

#[test]
fn a_plugin_s_own_maximum_is_no_fault() {
    let table = "(table $small 1 2 funcref)";
    let body = "(drop (table.grow $small (ref.null func) (i32.const 5))) i32.const 1024";
    let data = r#"(data (i32.const 1028) "\01\00\00\00\00\08\00\00\00\00\00\00")"#;
    assert_eq!(kind(&channel(&format!("{table} {data}"), body), &samples::choose("{}")), None);
}

#[test]
fn recursion_without_end_exhausts_the_stack() {
    let body = "call $deep) (func $deep (result i32) (i32.add (call $deep) (i32.const 1))";
    assert_eq!(kind(&channel("", body), &samples::choose("{}")), Some(FaultKind::StackExhausted));
}

#[test]
fn a_small_answer_that_unfolds_to_a_large_one_is_too_large() {
    // `done` with a list of 1,000 references, each to the same 60 KiB of zeros: 8 KB in the plugin, 60 MB outside.
    let text = r#"(module
        (memory (export "memory") 8)
        (data (i32.const 1024) "\00\00\00\00\01\00\00\00\00\00\02\00\e8\03\00\00")
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 65536)
        (func (export "handoff:stage/write-back@0.2.0#write") (param i32) (result i32)
            (local $at i32)
            (local.set $at (i32.const 131072))
            (loop
                (i32.store (local.get $at) (i32.const 262144))
                (i32.store offset=4 (local.get $at) (i32.const 61440))
                (local.set $at (i32.add (local.get $at) (i32.const 8)))
                (br_if 0 (i32.lt_u (local.get $at) (i32.const 139072))))
            i32.const 1024)
        (func (export "handoff:stage/write-back@0.2.0#resume")
            (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable))"#;
    let component = fixtures::from_text(&["write-back"], text);
    assert_eq!(kind(&component, &samples::write_chart()), Some(FaultKind::OutputTooLarge));
}
