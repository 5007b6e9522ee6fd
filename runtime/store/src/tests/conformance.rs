//! Every index gives the model's answers, after every batch, whatever lies beneath it.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Duration;
use handoff_engine::ids::{BlindedName, Digest, PatientId, VendorMessageId};
use handoff_engine::letter::Audience;

use super::model::Model;
use super::sample::{Practice, letter_id, noon, referral_id, token};
use crate::index::{
    Index, KeyedIndex, Kind, LiveRows, MemoryRows, PAGE_MAX, ReferralFilter, Rows, Search, SledRows, TaskFilter,
};
use crate::position::Position;

/// The journal that the rows are from, as far as these tests care.
pub const JOURNAL: [u8; 32] = [7; 32];

pub fn open<R: Rows>(rows: R, model: &Model) -> KeyedIndex<R> {
    KeyedIndex::open(rows, Arc::new(model.clone()), JOURNAL, Position(u64::MAX)).expect("rows of this journal")
}

#[test]
fn memory_conforms() {
    let model = Model::default();
    conforms(&model, &open(MemoryRows::default(), &model), 1, |_| {});
}

#[test]
fn sled_conforms() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = Model::default();
    let rows = SledRows::open(folder.path()).expect("sled");
    conforms(&model, &open(rows, &model), 2, |_| {});
}

#[test]
fn layers_over_memory_conform_however_far_the_base_lags() {
    let model = Model::default();
    let live = Arc::new(LiveRows::over(Arc::new(MemoryRows::default())).expect("memory"));
    let index = open(live.clone(), &model);
    conforms(&model, &index, 3, |batch| match batch % 4 {
        0 | 3 => {}
        // Frozen, and not yet written.
        1 => assert!(live.freeze().is_some()),
        _ => assert!(live.carry_over().expect("memory")),
    });
}

#[test]
fn layers_over_sled_conform_and_reopen_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = Model::default();
    {
        let live = Arc::new(LiveRows::over(Arc::new(SledRows::open(folder.path()).expect("sled"))).expect("sled"));
        let index = open(live.clone(), &model);
        conforms(&model, &index, 4, |_| {});
        assert!(live.carry_over().expect("sled"));
        live.sync().expect("sled");
    }
    let index = open(SledRows::open(folder.path()).expect("sled"), &model);
    agrees(&model, &index);
}

/// Applies a practice's life batch by batch and compares after each.
fn conforms(model: &Model, index: &dyn Index, seed: u64, between: impl Fn(u64)) {
    let mut practice = Practice::new(seed);
    agrees(model, index);
    for batch in 0..24 {
        let entries = model.push(practice.entries(7));
        index.apply(&entries).expect("applied");
        // What was applied is skipped.
        index.apply(&entries).expect("applied twice");
        agrees(model, index);
        between(batch);
        agrees(model, index);
    }
}

pub fn agrees(model: &Model, index: &dyn Index) {
    assert_eq!(index.applied_through(), Position(model.all().len() as u64));
    referrals_agree(model, index);
    letters_agree(model, index);
    tasks_agree(model, index);
    names_agree(model, index);
    searches_agree(model, index);
}

fn tasks_agree(model: &Model, index: &dyn Index) {
    let filters = [
        TaskFilter::default(),
        TaskFilter { audience: Some(Audience::Coordinator), ..Default::default() },
        TaskFilter { kind: Some("stalled".to_string()), assignee: Some(None), ..Default::default() },
        TaskFilter { assignee: Some(Some("ana".to_string())), ..Default::default() },
        TaskFilter { due_by: Some(noon() + Duration::hours(24)), ..Default::default() },
        TaskFilter { awake_at: Some(noon() + Duration::hours(1)), ..Default::default() },
        TaskFilter { referral: Some(referral_id(3)), ..Default::default() },
    ];
    for filter in &filters {
        let expected = model.tasks(filter);
        let listed = index.tasks(filter, None, PAGE_MAX);
        assert_eq!(listed.iter().map(|task| task.task).collect::<Vec<_>>(), expected, "{filter:?}");
        // Page by page it is the same list.
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = index.tasks(filter, after, 3);
            let Some(last) = page.last() else { break };
            after = Some((last.due_at, last.task));
            paged.extend(page);
        }
        assert_eq!(paged, listed);
    }
}

fn referrals_agree(model: &Model, index: &dyn Index) {
    let referrals = model.referrals();
    for number in 0..13 {
        let id = referral_id(number);
        let known = referrals.get(&id).map(|(_, referral)| referral.clone());
        assert_eq!(index.referral(&id).expect("referral"), known);
        assert_eq!(index.history(&id).expect("history"), model.history(&id));
    }
    let text = |text: &str| Some(text.to_string());
    let filters = [
        ReferralFilter::default(),
        ReferralFilter { ended: Some(true), ..Default::default() },
        ReferralFilter { ended: Some(false), ..Default::default() },
        ReferralFilter { state: text("scheduled"), ..Default::default() },
        ReferralFilter { specialist: text("npi-1"), ended: Some(false), ..Default::default() },
        ReferralFilter { deployment: Some(Digest::of(&1u64.to_be_bytes())), ..Default::default() },
        ReferralFilter { state: text("seen"), specialist: text("npi-2"), ..Default::default() },
    ];
    for filter in &filters {
        let expected: Vec<_> = referrals
            .iter()
            .filter(|(_, (_, it))| filter.state.as_ref().is_none_or(|state| *state == it.state))
            .filter(|(_, (_, it))| filter.deployment.is_none_or(|deployment| deployment == it.deployment))
            .filter(|(_, (_, it))| filter.ended.is_none_or(|ended| ended == it.timers.is_empty()))
            .filter(|(_, (_, it))| {
                let specialist = it.facts.order.specialist.as_ref().map(|it| it.id.as_str());
                filter.specialist.as_ref().is_none_or(|wanted| specialist == Some(wanted))
            })
            .map(|(id, (at, _))| (*id, *at))
            .collect();
        let listed = |after, limit| -> Vec<_> {
            let listed = index.referrals(filter, after, limit).expect("list");
            listed.into_iter().map(|it| (it.id, it.stepped)).collect()
        };
        assert_eq!(listed(None, PAGE_MAX), expected, "{filter:?}");
        let mut paged = Vec::new();
        while let page @ [_, ..] = &listed(paged.last().map(|(id, _)| *id), 2)[..] {
            paged.extend_from_slice(page);
        }
        assert_eq!(paged, expected, "{filter:?} in pages");
    }
    let timers = model.timers();
    let due: Vec<_> = index
        .timers_due(noon() + Duration::days(400), PAGE_MAX)
        .into_iter()
        .map(|timer| (timer.due, timer.referral, timer.name))
        .collect();
    assert_eq!(due, timers);
    assert_eq!(index.next_timer(), timers.first().map(|(due, ..)| *due));
    if let Some((due, ..)) = timers.first() {
        assert!(index.timers_due(*due - Duration::milliseconds(1), PAGE_MAX).is_empty());
        assert_eq!(index.timers_due(*due, 1).len(), 1);
    }
    let in_flight: u64 = index.in_flight().iter().map(|it| it.referrals).sum();
    assert_eq!(in_flight, referrals.values().filter(|(_, it)| !it.timers.is_empty()).count() as u64);
}

fn letters_agree(model: &Model, index: &dyn Index) {
    let owed = model.outbox();
    for (referral, number) in (0..12).flat_map(|referral| (0..3).map(move |number| (referral, number))) {
        let letter = letter_id(referral, number);
        let item = index.outbox(&letter).expect("outbox");
        let seen = item.as_ref().map(|item| {
            let answered = item.doubt.as_ref().is_some_and(|doubt| doubt.response.is_some());
            let asked = item.doubt.as_ref().map(|doubt| doubt.position);
            (item.due.timestamp_millis(), item.attempts, asked, answered)
        });
        let expected = owed.get(&letter).map(|(_, due, attempts, asked, answered)| {
            (*due, *attempts, *asked, asked.is_some() && answered.is_some())
        });
        assert_eq!(seen, expected, "{letter}");
        let of_referral = index.letters_of(&letter.referral).expect("letters");
        assert_eq!(of_referral.iter().any(|it| it.letter.id == letter), item.is_some());
    }
    let mut due: Vec<_> = owed.iter().map(|(letter, (_, due, ..))| (*due, *letter)).collect();
    due.sort_unstable();
    let later = noon() + Duration::days(400);
    let ids: Vec<_> = due.iter().map(|(_, letter)| *letter).collect();
    assert_eq!(index.letter_ids_due(later, PAGE_MAX), ids);
    let items = index.letters_due(later, 3).expect("letters");
    assert_eq!(items.iter().map(|it| it.letter.id).collect::<Vec<_>>(), ids[..ids.len().min(3)]);
    assert_eq!(index.next_letter().map(|due| due.timestamp_millis()), due.first().map(|(due, _)| *due));
    for number in 0..5 {
        let vendor_id = VendorMessageId::new(format!("SM{number}"));
        assert_eq!(index.letter_by_vendor_id(&vendor_id).expect("vendor id"), model.vendor(&vendor_id));
        assert_eq!(index.reported(&vendor_id).expect("a report").is_some(), model.reported(&vendor_id));
    }
    let dead = index.dead_letters(Position::START, PAGE_MAX).expect("dead letters");
    for item in &dead {
        assert_eq!(index.dead_letter(&item.item).expect("dead letter").as_ref(), Some(item));
    }
    assert_eq!(dead.into_iter().map(|it| it.item).collect::<std::collections::BTreeSet<_>>(), model.dead());
    assert_eq!(index.dead_letter("nothing").expect("dead letter"), None);
    let names = |items: Vec<crate::index::UnmatchedItem>| {
        items.into_iter().map(|it| it.item).collect::<std::collections::BTreeSet<_>>()
    };
    let unmatched = names(index.unmatched(Position::START, 1_000).expect("unmatched"));
    assert_eq!(unmatched, model.unmatched());
    let awaited = BlindedName::new("number:awaited".to_string());
    assert_eq!(names(index.waiting_for(&awaited).expect("waiting")), unmatched, "all of them wait for one name");
    let mut pauses: Vec<_> = index.pauses().expect("pauses").into_iter().map(|it| (it.cause, it.position)).collect();
    pauses.sort_unstable();
    assert_eq!(pauses, model.pauses());
    let holds = index.holds().expect("holds");
    assert_eq!(holds.into_iter().map(|it| (it.referral, it.position)).collect::<Vec<_>>(), model.holds());
}

fn names_agree(model: &Model, index: &dyn Index) {
    for number in 0..12u64 {
        for name in [format!("number:{number}"), format!("patient:{number}")].map(BlindedName::new) {
            assert_eq!(index.find(&name).expect("find"), model.find(&name));
        }
        let patient = PatientId(format!("patient-{number}"));
        assert_eq!(index.key_slot(&patient).expect("slot"), model.key_slot(&patient));
        let token = token(&format!("PHONE{number}"));
        assert_eq!(index.sealed(&token).expect("sealed"), model.sealed(&token));
        let address = BlindedName::new(format!("address:{number}"));
        let consents = index.consent(&address).expect("consent");
        let consents: BTreeMap<_, _> = consents.into_iter().map(|it| (it.channel, (it.position, it.granted))).collect();
        assert_eq!(consents, model.consent(&address));
        let key = BlindedName::new(format!("key-{number}"));
        assert_eq!(index.delivery(&key).expect("delivery").map(|it| it.position), model.delivery(&key));
    }
}

fn searches_agree(model: &Model, index: &dyn Index) {
    let (from, until) = (Some(noon() + Duration::minutes(10)), Some(noon() + Duration::minutes(70)));
    let rows = [
        Search::default(),
        Search { limit: 5, after: Position(60), ..Search::default() },
        Search { from, until, ..Search::default() },
        Search { kind: Some(Kind::Received), ..Search::default() },
        Search { referral: Some(referral_id(3)), kind: Some(Kind::Held), ..Search::default() },
        Search { referral: Some(referral_id(4)), specialist: Some("npi-1".to_string()), from, ..Search::default() },
        Search { referral: Some(referral_id(999)), ..Search::default() },
        Search { kind: Some(Kind::EventOrdered), from, ..Search::default() },
        Search { specialist: Some("npi-1".to_string()), until, ..Search::default() },
        Search { specialist: Some("npi-2".to_string()), kind: Some(Kind::Named), limit: 2, ..Search::default() },
    ];
    for search in &rows {
        assert_eq!(index.search(search).expect("search"), model.search(search), "{search:?}");
    }
    // A token leads to its referral, and so to the referral's whole history.
    for number in 0..12u64 {
        let search = Search { token: Some(token(&format!("ORDER{number}"))), ..Search::default() };
        let ordered = model.referrals().contains_key(&referral_id(number));
        let expected = if ordered { model.history(&referral_id(number)) } else { Vec::new() };
        assert_eq!(index.search(&search).expect("search"), expected);
    }
}
