use std::collections::BTreeSet;

use chrono::TimeZone as _;
use handoff_engine::calendar::Window;
use handoff_engine::workflow::contact::OptOutScope;
use proptest::prelude::*;

use super::*;

fn contact() -> Contact {
    let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("a time");
    Contact {
        hours: Window { opens: time(8), closes: time(21) },
        per_day: 1,
        per_week: 3,
        holidays: BTreeSet::new(),
        sms_characters: 160,
        zone: Tz::America__New_York,
        opt_out: OptOutScope::Everything,
    }
}

fn passage(texted: &[DateTime<Utc>]) -> Passage<'_> {
    Passage {
        channel: Channel::Sms,
        consent: None,
        deceased: false,
        is_barred: false,
        zone: Some(Tz::America__Los_Angeles),
        other_zone: None,
        texted,
        units: 150,
        expires: None,
    }
}

/// `day hour:minute` in March 2026, Los Angeles; summer time begins on the 8th.
fn at(day: u32, hour: u32, minute: u32) -> DateTime<Utc> {
    Tz::America__Los_Angeles.with_ymd_and_hms(2026, 3, day, hour, minute, 0).single().expect("a moment").to_utc()
}

#[test]
fn who_may_live_in_either_of_two_zones_is_written_to_when_both_permit() {
    let both = || Passage { other_zone: Some(Tz::America__Denver), ..passage(&[]) };
    let until = |at| ContactVerdict::Wait { until: at, rule: "quiet-hours" };
    // Eight in Los Angeles is nine in Denver; twenty there is twenty-one here.
    for (asked, expected) in [
        (at(5, 7, 30), until(at(5, 8, 0))),
        (at(5, 8, 0), ContactVerdict::Go),
        (at(5, 19, 59), ContactVerdict::Go),
        (at(5, 20, 0), until(at(6, 8, 0))),
    ] {
        assert_eq!(admit(&contact(), &both(), asked), expected, "{asked}");
    }
    // Hours that the two never share: never, and not for ever.
    let noon = NaiveTime::from_hms_opt(12, 0, 0).expect("a time");
    let half_past = NaiveTime::from_hms_opt(12, 30, 0).expect("a time");
    let narrow = Contact { hours: Window { opens: noon, closes: half_past }, ..contact() };
    assert_eq!(admit(&narrow, &both(), at(5, 12, 0)), ContactVerdict::Never { rule: "quiet-hours" });
}

#[test]
fn each_rule_is_kept_by_name() {
    let texted = [at(2, 9, 0), at(3, 9, 0), at(4, 9, 0)];
    let rows: [(&str, Passage<'_>, DateTime<Utc>, ContactVerdict); 12] = [
        ("long", Passage { units: 161, ..passage(&[]) }, at(5, 12, 0), ContactVerdict::Never { rule: "text-too-long" }),
        (
            "long, with consent",
            Passage { units: 161, consent: Some(true), ..passage(&[]) },
            at(5, 12, 0),
            ContactVerdict::Go,
        ),
        ("by day", passage(&[]), at(5, 12, 0), ContactVerdict::Go),
        ("at night", passage(&[]), at(5, 22, 0), ContactVerdict::Wait { until: at(6, 8, 0), rule: "quiet-hours" }),
        (
            "before summer time",
            passage(&[]),
            at(7, 23, 0),
            ContactVerdict::Wait { until: at(8, 8, 0), rule: "quiet-hours" },
        ),
        ("by mail at night", Passage { channel: Channel::Email, ..passage(&[]) }, at(5, 22, 0), ContactVerdict::Go),
        (
            "opted out",
            Passage { consent: Some(false), ..passage(&[]) },
            at(5, 12, 0),
            ContactVerdict::Never { rule: "opted-out" },
        ),
        (
            "deceased",
            Passage { deceased: true, ..passage(&[]) },
            at(5, 12, 0),
            ContactVerdict::Never { rule: "deceased" },
        ),
        (
            "twice a day",
            passage(&texted[2..]),
            at(4, 12, 0),
            ContactVerdict::Wait { until: at(5, 8, 0), rule: "quiet-hours" },
        ),
        (
            "four a week",
            passage(&texted),
            at(5, 12, 0),
            ContactVerdict::Wait { until: at(9, 9, 0) + TimeDelta::hours(1), rule: "texts-per-week" },
        ),
        ("consented", Passage { consent: Some(true), ..passage(&texted) }, at(4, 12, 0), ContactVerdict::Go),
        (
            "of no use by morning",
            Passage { expires: Some(at(6, 7, 0)), ..passage(&[]) },
            at(5, 22, 0),
            ContactVerdict::Never { rule: "quiet-hours" },
        ),
    ];
    for (name, passage, now, expected) in rows {
        assert_eq!(admit(&contact(), &passage, now), expected, "{name}");
    }
}

proptest! {
    /// Whatever is asked, whenever: texts go by day, once a day and three times a week, and never after an opt-out.
    #[test]
    fn no_order_of_asking_breaks_a_rule(minutes in prop::collection::vec(0i64..60 * 24 * 3, 1..60), stops_after in 0usize..60) {
        let contact = contact();
        let zone = Tz::America__Los_Angeles;
        let mut now = at(1, 0, 0);
        let mut texted: Vec<DateTime<Utc>> = Vec::new();
        for (asked, wait) in minutes.into_iter().enumerate() {
            now += TimeDelta::minutes(wait);
            let consent = (asked >= stops_after).then_some(false);
            match admit(&contact, &Passage { consent, ..passage(&texted) }, now) {
                ContactVerdict::Go => texted.push(now),
                ContactVerdict::Wait { until, .. } => {
                    prop_assert!(until > now);
                    prop_assert_eq!(admit(&contact, &passage(&texted), until), ContactVerdict::Go);
                    now = until;
                    texted.push(now);
                }
                ContactVerdict::Never { rule } => prop_assert!(consent.is_some(), "{}", rule),
            }
            let sent = texted.last().filter(|&&sent| sent == now);
            prop_assert!(consent.is_none() || sent.is_none());
            if let Some(sent) = sent {
                let local = sent.with_timezone(&zone);
                prop_assert!(contact.hours.contains(local.time()));
                prop_assert_eq!(texted.iter().filter(|it| it.with_timezone(&zone).date_naive() == local.date_naive()).count(), 1);
                prop_assert!(texted.iter().filter(|&&it| it > *sent - TimeDelta::days(7)).count() <= 3);
            }
        }
    }
}
