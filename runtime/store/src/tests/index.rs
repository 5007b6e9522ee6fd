//! What an index does with rows that are not its own, and with entries it has seen.

use std::sync::Arc;

use crate::index::{Index as _, KeyedIndex, MemoryRows, Rows as _, Unusable, keys};
use crate::position::Position;

use super::conformance::{JOURNAL, open};
use super::model::Model;
use super::sample::{Practice, referral_id, usual};

#[test]
fn rows_of_another_journal_form_or_future_are_of_no_use() {
    let model = Model::default();
    let rows = Arc::new(MemoryRows::default());
    open(rows.clone(), &model).apply(&model.push(Practice::new(1).entries(9))).expect("applied");
    let reopen = |journal, last| KeyedIndex::open(rows.clone(), Arc::new(model.clone()), journal, Position(last)).err();
    assert!(reopen(JOURNAL, 9).is_none());
    assert!(matches!(reopen([8; 32], 9), Some(Unusable::OtherJournal)));
    assert!(matches!(reopen(JOURNAL, 8), Some(Unusable::Ahead(Position(9)))));
    let meta = rows.get(&keys::meta()).expect("memory").expect("written");
    let mut other = meta.to_vec();
    other[8] = 99;
    rows.write([(keys::meta(), Some(other.into()))].into()).expect("memory");
    assert!(matches!(reopen(JOURNAL, 9), Some(Unusable::OtherForm)));
    rows.write([(keys::meta(), Some(meta[..5].into()))].into()).expect("memory");
    assert!(matches!(reopen(JOURNAL, 9), Some(Unusable::Unreadable(_))));
}

#[test]
fn damaged_rows_are_errors_and_no_panics() {
    let model = Model::default();
    let rows = Arc::new(MemoryRows::default());
    let index = open(rows.clone(), &model);
    index.apply(&model.push(vec![usual(1)])).expect("applied");
    for length in [0, 7, 8, 20, 60] {
        rows.write([(keys::in_flight(&referral_id(1)), Some(vec![0xFF; length].into()))].into()).expect("memory");
        assert!(index.referral(&referral_id(1)).is_err(), "{length} bytes");
    }
}
