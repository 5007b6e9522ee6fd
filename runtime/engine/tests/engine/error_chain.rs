//! An error with its causes, on one line.

use handoff_engine::error_chain::Chain;

#[derive(Debug, thiserror::Error)]
#[error("the journal cannot be opened")]
struct Outer(#[source] Inner);

#[derive(Debug, thiserror::Error)]
#[error("no such folder")]
struct Inner;

#[test]
fn each_cause_follows_what_it_caused() {
    assert_eq!(Chain(&Outer(Inner)).to_string(), "the journal cannot be opened: no such folder");
}
