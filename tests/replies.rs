//! Whose reply it is, and that a STOP is heard by whatever number and for whichever patient of a handset.

use handoff_engine::event::{Event, Intent};
use handoff_engine::ids::ReferralId;
use handoff_store::Record;

use crate::outbox::callback::hears;
use crate::outbox::kinds;
use crate::outbox::office::{Custom, Office};
use crate::outbox::vendor::Mood;

/// What each referral heard, in order.
fn heard(office: &Office) -> Vec<(ReferralId, Intent)> {
    let heard = |record: Record| match record {
        Record::Happened { referral, event: Event::Reply { reply } } => Some((referral, reply.intent)),
        _ => None,
    };
    office.records().into_iter().filter_map(heard).collect()
}

async fn two_on_one_handset() -> Office {
    let office = Office::open(Mood::Well, Custom::default()).await;
    office.order_by_phone(0, "^270^6009800").await;
    office.clock.turn(chrono::TimeDelta::seconds(4));
    office.order_by_phone(1, "^270^6009800").await;
    office.settle().await;
    assert_eq!(office.first.taken().len(), 2);
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_reaches_every_patient_of_a_handset_however_the_number_is_written() {
    for (number, from) in ["+12706009800", "12706009800", "(270) 600-9800"].into_iter().enumerate() {
        let office = two_on_one_handset().await;
        hears(&office, number, from, "STOP").await;
        let heard = heard(&office);
        assert_eq!(heard.len(), 2, "{from}: {heard:?}");
        assert!(heard.iter().all(|(_, intent)| *intent == Intent::OptOut) && heard[0].0 != heard[1].0, "{from}");
        // Whoever is referred next to this handset is not written to.
        office.order_by_phone(2, "^270^6009800").await;
        office.settle().await;
        assert_eq!(office.first.taken().len(), 2, "{from}: a text after a STOP");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_that_names_nobody_moves_nobody_and_a_person_asks() {
    let office = two_on_one_handset().await;
    hears(&office, 0, "+12706009800", "Yes I booked it").await;
    let told = heard(&office);
    assert_eq!(told.iter().map(|(_, intent)| *intent).collect::<Vec<_>>(), [Intent::Unclear], "{told:?}");
    // One patient alone is meant.
    let office = Office::open(Mood::Well, Custom::default()).await;
    office.order_by_phone(0, "^270^6009800").await;
    office.settle().await;
    hears(&office, 1, "+12706009800", "Yes I booked it").await;
    assert_eq!(heard(&office).iter().map(|(_, intent)| *intent).collect::<Vec<_>>(), [Intent::Scheduled]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_reaches_every_patient_of_a_handset() {
    let office = two_on_one_handset().await;
    hears(&office, 0, "+12706009800", "he is not breathing").await;
    let told = heard(&office);
    assert_eq!(told.iter().map(|(_, intent)| *intent).collect::<Vec<_>>(), [Intent::Emergency; 2], "{told:?}");
}

fn tasks(office: &Office, kind: &str) -> usize {
    kinds(office).iter().filter(|known| *known == kind).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn words_after_the_end_reach_a_person_and_a_stop_holds_for_what_may_come() {
    let office = Office::open(Mood::Well, Custom { sequential: true, ..Custom::default() }).await;
    office.order_by_phone(0, "^270^6009800").await;
    office.live_until(office.now() + chrono::TimeDelta::days(61)).await;
    for (number, text) in
        ["I moved, is the referral still good?", "I need to cancel my visit on Friday", "HELP"].into_iter().enumerate()
    {
        hears(&office, number, "+12706009800", text).await;
        office.settle().await;
        assert_eq!(tasks(&office, "late-reply"), number + 1, "{text}");
    }
    for (number, text) in ["Yes I booked it", "STOP"].into_iter().enumerate() {
        hears(&office, 10 + number, "+12706009800", text).await;
    }
    office.settle().await;
    assert_eq!(tasks(&office, "late-reply"), 3, "a yes and a STOP need nobody");
    let texted = office.first.taken().len();
    office.order_by_phone(1, "^270^6009800").await;
    office.settle().await;
    assert_eq!(office.first.taken().len(), texted, "a text after a STOP");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_workflow_has_no_answer_to_is_read_by_a_person() {
    let office = Office::open(Mood::Well, Custom { sequential: true, ..Custom::default() }).await;
    office.order_by_phone(0, "^270^6009800").await;
    office.settle().await;
    hears(&office, 0, "+12706009800", "is parking free?").await;
    office.settle().await;
    assert_eq!(tasks(&office, "read-reply"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_words_are_kept_and_listed_and_read_once_the_number_is_known() {
    let office = Office::open(Mood::Well, Custom { sequential: true, ..Custom::default() }).await;
    hears(&office, 0, "+12706009800", "This is Ines Pardos husband. She has chest pain and cant breathe").await;
    let [item] = &office.dead()[..] else { panic!("one waits: {:?}", office.dead()) };
    // A STOP of a stranger needs nobody, and holds.
    hears(&office, 1, "+12706009801", "STOP").await;
    assert_eq!(office.dead().len(), 1);
    office.order_by_phone(1, "^270^6009801").await;
    office.order_by_phone(0, "^270^6009800").await;
    office.settle().await;
    assert_eq!(office.first.taken().len(), 1, "whoever said STOP is not texted");
    office.pipeline.intake.replay(item, "coordinator", "the husband's number is on file now").await.expect("replayed");
    assert_eq!(heard(&office).into_iter().map(|(_, intent)| intent).collect::<Vec<_>>(), [Intent::Emergency]);
    assert_eq!(office.dead(), [""; 0]);
}
