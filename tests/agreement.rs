//! A business associate agreement that has run out: somebody is asked to renew it, once.

use chrono::NaiveDate;
use handoff_engine::letter::LetterBody;
use handoff_rehearsal::rehearsal::Rehearsal;
use handoff_store::index::{PAGE_MAX, ReferralFilter};
use handoff_store::{Position, Record};

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_once_for_each_renewal_and_the_task_arrives() {
    let data = tempfile::tempdir().expect("a folder");
    let rehearsal = Rehearsal::open(1, 1, 3, data.path()).await.expect("a rehearsal");
    rehearsal.run(|_| {}).await.expect("three days");
    let pipeline = rehearsal.pipeline();
    let listed = pipeline.store.index().referrals(&ReferralFilter::default(), None, PAGE_MAX).expect("an index");
    let referral = listed.first().expect("a referral").id;
    let day = |day| NaiveDate::from_ymd_opt(2026, 3, day).expect("a date");
    for (endpoint, expired) in [("sms", day(1)), ("sms", day(1)), ("mail", day(1)), ("sms", day(2))] {
        pipeline.delivery.ask_for_renewal(referral, endpoint, expired).await.expect("journaled");
    }
    pipeline.settle().await.expect("settled");
    let (mut asked, mut arrived) = (Vec::new(), Vec::new());
    for entry in pipeline.store.entries(Position::START) {
        for record in &entry.expect("an entry").1.records {
            match record {
                Record::Queued { letter, .. } => match &letter.body {
                    LetterBody::Task(task) if task.kind == "agreement-expired" => asked.push(letter.id),
                    _ => {}
                },
                Record::Received { letter, .. } => arrived.push(*letter),
                _ => {}
            }
        }
    }
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked.iter().all(|letter| arrived.contains(letter)), "{asked:?} {arrived:?}");
    rehearsal.close().await;
}
