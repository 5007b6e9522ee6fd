//! The measure over a journal: whose first order of the year it was, and whether its report came and stayed. And what people see of it.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use ed25519_dalek::SigningKey;
use handoff_engine::event::Event;
use handoff_engine::ids::ReferralId;
use handoff_engine::referral::{Note, Referral};
use handoff_engine::step;
use handoff_identity::role::Role;
use handoff_operations::reports::cms50::{self, Cms50, PopulationCounts};
use handoff_store::{Entry, Record, Store, StoreOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::people::site::Site;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).expect("a moment").to_utc()
}

/// A referral of a year, in a few words.
struct Told {
    patient: &'static str,
    clinician: (&'static str, &'static str),
    came: &'static str,
    authored: Option<&'static str>,
    withdrawn: bool,
    news: Vec<News>,
}

enum News {
    Preliminary(&'static str),
    Note(&'static str),
    Corrected(&'static str),
    Retracted,
}

const MARSH: (&str, &str) = ("1999000111", "Ines Marsh");
const OKAFOR: (&str, &str) = ("1548236790", "Ngozi Okafor");

fn told(patient: &'static str, came: &'static str, news: Vec<News>) -> Told {
    Told { patient, clinician: MARSH, came, authored: None, withdrawn: false, news }
}

impl Told {
    /// Before any news of it.
    fn referral(&self) -> Referral {
        let Told { patient, clinician: (id, name), came, authored, withdrawn, news: _ } = self;
        let came = at(came);
        let referral: Value = json!({
            "id": ReferralId::derive(came, patient.as_bytes()), "deployment": "0".repeat(64), "state": "closed",
            "entered_at": came, "ordered_at": came, "version": 1, "timers": [], "letters": 0,
            "facts": {
                "patient": { "id": patient, "given": "G", "family": "F", "identifiers": [], "reaches": [], "languages": [] },
                "order": {
                    "numbers": [], "priority": "routine", "specialty": { "system": "", "code": "", "display": "" },
                    "plan_id": "", "plan_name": "", "authored_at": authored.map(at),
                    "referring": { "id": id, "name": name, "organization": "", "phone": "", "specialty": "" },
                },
                "withdrawn": withdrawn.then_some(came),
            },
        });
        serde_json::from_value(referral).expect("a referral")
    }

    fn write(&self, store: &Store) {
        let (mut referral, came) = (self.referral(), at(self.came));
        let mut records = Vec::new();
        for news in &self.news {
            let note = |received: &str, last: bool, corrects: bool| {
                let note: Note = serde_json::from_value(json!({
                    "document_id": "D", "kind": { "system": "LN", "code": "11488-4", "display": "" }, "media_type": "text/plain",
                    "content": "C", "received_at": at(received),
                }))
                .expect("a note");
                Event::NoteReceived { note, last, corrects }
            };
            let event = match news {
                News::Preliminary(received) => note(received, false, false),
                News::Note(received) => note(received, true, false),
                News::Corrected(received) => note(received, true, true),
                News::Retracted => Event::NoteRetracted,
            };
            if let Event::NoteReceived { note, last: true, .. } = &event {
                referral.facts.note = Some(note.clone());
            }
            records.push(Record::Happened { referral: referral.id, event });
        }
        records.push(Record::Stepped { referral: Arc::new(referral), because: "a test".into() });
        store.commit(Entry { at: came, records, sealed: Vec::new() }).wait().expect("kept");
    }
}

fn store(folder: &Path) -> Store {
    Store::open(StoreOptions::new(folder, SigningKey::from_bytes(&[3; 32]))).expect("a store").0
}

/// A folder whose journal tells these.
fn journal(referrals: &[Told]) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let store = store(folder.path());
    referrals.iter().for_each(|told| told.write(&store));
    folder
}

fn measured(referrals: &[Told], year: &str) -> Cms50 {
    let folder = journal(referrals);
    let store = store(folder.path());
    cms50::of(store.index(), store.reader(), year.parse().expect("a year"), "America/Chicago".parse().expect("a zone"))
        .expect("measured")
}

fn counts([initial_population, denominator, numerator]: [u64; 3]) -> PopulationCounts {
    PopulationCounts { initial_population, denominator, numerator }
}

fn check(says: &str, told: Told, expected: [u64; 3]) {
    assert_eq!(measured(&[told], "2026").populations, counts(expected), "{says}");
}

#[test]
fn a_report_that_came_within_the_year_and_stayed_closes_the_loop() {
    use News::{Corrected, Note, Preliminary, Retracted};
    let referred = |news| told("P1", "2026-03-02T15:00:00Z", news);
    check("none came", referred(vec![]), [1, 1, 0]);
    check("one came", referred(vec![Note("2026-04-20T15:00:00Z")]), [1, 1, 1]);
    check("only a preliminary one", referred(vec![Preliminary("2026-04-20T15:00:00Z")]), [1, 1, 0]);
    check("on the last evening in Chicago", referred(vec![Note("2027-01-01T05:59:59Z")]), [1, 1, 1]);
    check("after it", referred(vec![Note("2027-01-01T06:00:00Z")]), [1, 1, 0]);
    let corrected = vec![Note("2026-12-30T15:00:00Z"), Corrected("2027-01-05T15:00:00Z")];
    check("corrected in the next year: the first one counts", referred(corrected), [1, 1, 1]);
    check("taken back", referred(vec![Note("2026-04-20T15:00:00Z"), Retracted]), [1, 1, 0]);
    let again = vec![Note("2026-04-20T15:00:00Z"), Retracted, Note("2026-05-20T15:00:00Z")];
    check("taken back, and the right one came", referred(again), [1, 1, 1]);
    check("before the order", referred(vec![Note("2026-03-02T14:59:59Z")]), [1, 1, 0]);
}

#[test]
fn an_order_counts_on_the_day_it_was_written_in_the_first_ten_months() {
    let authored = |came, authored| Told { authored, ..told("P1", came, vec![]) };
    check("the first minute in Chicago", authored("2026-01-01T06:00:00Z", None), [1, 1, 0]);
    check("the minute before", authored("2026-01-01T05:59:59Z", None), [0, 0, 0]);
    check("the last of October", authored("2026-11-01T04:59:59Z", None), [1, 1, 0]);
    check("the first of November", authored("2026-11-01T05:00:00Z", None), [0, 0, 0]);
    check(
        "written in October, here in November",
        authored("2026-11-20T12:00:00Z", Some("2026-10-20T12:00:00Z")),
        [1, 1, 0],
    );
    check("written last year", authored("2026-01-20T12:00:00Z", Some("2025-12-20T12:00:00Z")), [0, 0, 0]);
    check("withdrawn", Told { withdrawn: true, ..authored("2026-03-02T12:00:00Z", None) }, [0, 0, 0]);
}

#[test]
fn an_order_that_comes_again_keeps_the_day_it_was_written() {
    let written = |authored| Told { authored, ..told("P1", "2026-03-02T12:00:00Z", vec![]) }.referral();
    let again = written(Some("2026-05-02T12:00:00Z")).facts.order;
    let event = Event::OrderChanged { order: again, redirected: false };
    for known in [Some("2026-02-28T12:00:00Z"), None] {
        assert!(!step::is_news(&written(known), &event), "known: {known:?}");
    }
}

#[test]
fn a_patient_counts_once_with_whoever_wrote_the_first_order() {
    let note = || vec![News::Note("2026-06-20T15:00:00Z")];
    let year = [
        // The second order's report closes nothing.
        told("P1", "2026-03-02T15:00:00Z", vec![]),
        Told { clinician: OKAFOR, ..told("P1", "2026-04-02T15:00:00Z", note()) },
        // It came later, and was written first.
        told("P2", "2026-05-02T15:00:00Z", vec![]),
        Told {
            clinician: OKAFOR,
            authored: Some("2026-05-01T15:00:00Z"),
            ..told("P2", "2026-05-03T15:00:00Z", note())
        },
        // The first was withdrawn.
        Told { withdrawn: true, ..told("P3", "2026-03-03T15:00:00Z", vec![]) },
        told("P3", "2026-03-04T15:00:00Z", note()),
        Told { clinician: ("", ""), ..told("P4", "2026-03-05T15:00:00Z", vec![]) },
        // Another year's.
        told("P5", "2025-03-05T15:00:00Z", note()),
    ];
    let measured = measured(&year, "2026");
    assert_eq!((measured.populations, measured.score), (counts([4, 4, 2]), Some(0.5)));
    let rows: Vec<_> =
        measured.clinicians.iter().map(|it| (it.id.as_str(), it.name.as_str(), it.populations, it.score)).collect();
    let expected = [
        ("", "", counts([1, 1, 0]), Some(0.0)),
        ("1999000111", "Ines Marsh", counts([2, 2, 1]), Some(0.5)),
        ("1548236790", "Ngozi Okafor", counts([1, 1, 1]), Some(1.0)),
    ];
    assert_eq!(rows, expected);
    assert_eq!(self::measured(&year[7..], "2026").score, None);
}

/// Two patients of two clinicians, one report.
pub fn small_year() -> TempDir {
    journal(&[
        told("P1", "2026-03-02T15:00:00Z", vec![News::Note("2026-06-20T15:00:00Z")]),
        Told { clinician: OKAFOR, ..told("P2", "2026-04-02T15:00:00Z", vec![]) },
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_show_the_measure_to_whoever_sees_figures() {
    let site = Site::midway().await;
    let manager = site.welcome("manager", Role::Manager, None).await;
    let year = site.operations.measurement_year();
    let measured = site.operations.cms50(year).expect("measured");
    let PopulationCounts { initial_population, denominator, numerator } = measured.populations;
    assert!(numerator > 0 && numerator < denominator && denominator == initial_population, "{measured:?}");
    let page = site.get(Some(&manager), "/figures").await.body;
    assert!(page.contains("Closing the Referral Loop (CMS50)") && page.contains("sees no encounter"), "{page}");
    let row = |name: &str, [initial, denominator, numerator]: [u64; 3]| {
        format!(
            "<tr><th scope=\"row\">{name}</th><td class=\"n\" data-label=\"Initial population\">{initial}</td>\
             <td class=\"n\" data-label=\"Denominator\">{denominator}</td><td class=\"n\" data-label=\"Numerator\">{numerator}</td>"
        )
    };
    assert!(page.contains(&row("All", [initial_population, denominator, numerator])), "{page}");
    let [clinician] = measured.clinicians.as_slice() else { panic!("one who refers: {measured:?}") };
    assert!(page.contains(&row(&clinician.name, [initial_population, denominator, numerator])), "{page}");
    let before = site.get(Some(&manager), &format!("/figures?year={}", year.before())).await.body;
    assert!(before.contains(&row("All", [0, 0, 0])), "{before}");
}
