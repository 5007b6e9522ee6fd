//! Deliveries as they were met in the field, and what each must come to.

use std::path::Path;

use trigger_webhook::types::{Event, Happening, Meaning, Reading};

use crate::told::{read, tell};

fn reading(name: &str) -> Reading {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/field").join(format!("{name}.json"));
    let body = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    // Received once all of them had been sent.
    let mut delivery = crate::told::delivery(body.as_bytes(), &[]);
    delivery.received_at = moment::read_rfc3339("2026-11-29T02:00:00Z").unwrap_or_default();
    trigger_webhook::interpret(&delivery, "{}")
}

fn events(name: &str) -> Vec<Event> {
    match reading(name).meaning {
        Meaning::Events(events) => events,
        other => panic!("{name}: {other:?}"),
    }
}

fn check(name: &str, begins: &str) {
    let told = tell(&reading(name));
    assert!(told.starts_with(begins), "{name}: {told}");
}

#[test]
fn requests_of_one_requisition_are_referrals_each() {
    let number = |name: &str, id: &str| format!("{name}@https://cedar.example/referral ServiceRequest/{id}");
    let group = "group RQ-5510@https://cedar.example/requisition";
    check("10-requisition-a", &format!("202 ordered [{}|||{group}]", number("R-10A", "sr10a")));
    check("10-requisition-b", &format!("202 ordered [{}|||{group}]", number("R-10B", "sr10b")));
    let told = tell(&reading("10-requisition-bundle"));
    let orders: Vec<&str> = told.lines().map(|line| line.split(" Priority::").next().unwrap_or_default()).collect();
    assert_eq!(
        orders,
        [
            format!("202 ordered [{}|||group RQ-5511]", number("R-10C", "sr10c")),
            format!("ordered [{}|||group RQ-5511]", number("R-10D", "sr10d")),
        ]
    );
}

#[test]
fn what_is_no_order_begins_no_referral_and_holds_up_none() {
    check("11a-doNotPerform", "202 not for us: a referral that is not ordered");
    check("11b-intent-plan", "202 not for us: a referral that is not ordered");
    check("11c-intent-proposal", "202 not for us: a referral that is not ordered");
    check("11d-status-unknown", "202 not for us: a referral of which its sender does not know how it stands");
    check("11f-lab-order", "202 not for us: an order for a test or an image, not a referral");
    check("11e-batch-one-bad", "202 ordered [R-11E1@https://cedar.example/referral ServiceRequest/sr11e1||]");
    assert_eq!(events("11e-batch-one-bad").len(), 1);
}

#[test]
fn a_version_is_as_of_when_it_was_written() {
    check("12-a-revoked-first", "202 withdrawn [R-12@https://cedar.example/referral ServiceRequest/sr12||]");
    check("12-b-active-late", "202 ordered [R-12@https://cedar.example/referral ServiceRequest/sr12||]");
    let as_of = |name: &str| events(name)[0].as_of.map(moment::rfc3339);
    assert_eq!(as_of("12-a-revoked-first").as_deref(), Some("2026-11-29T01:05:00.000Z"));
    assert_eq!(as_of("12-b-active-late").as_deref(), Some("2026-11-29T01:00:00.000Z"));
}

#[test]
fn a_visit_that_was_touched_is_the_same_visit() {
    let versions = ["13-appt-v1", "13-appt-v2", "13-appt-v3"].map(events);
    for version in &versions {
        assert_eq!((&version[0].about, &version[0].what), (&versions[0][0].about, &versions[0][0].what));
    }
    assert!(versions.windows(2).all(|pair| pair[0][0].as_of < pair[1][0].as_of));
    check(
        "13-appt-v1",
        "202 AppointmentChange::Booked [ServiceRequest/sr13|A-13@https://valley.example/appt Appointment/ap13|] \
         at 2026-12-15T17:30:00.000Z for Some(30) with 1003000126/Dr. Paul McWilliams/// in Suite 4",
    );
    check("13-appt-pending", "202 not for us: an appointment that is not agreed yet");
    check("13-order", "202 ordered [R-13@https://cedar.example/referral ServiceRequest/sr13||]");
}

/// The host knows states by name and languages by every code: it is given what was sent.
#[test]
fn states_and_languages_come_through_as_they_were_sent() {
    let patient = |name: &str| match &events(name)[0].what {
        Happening::Ordered(order) => order.patient.clone(),
        other => panic!("{name}: {other:?}"),
    };
    let states = ["14-state-0", "14-state-1", "14-state-2", "14-state-3", "14-state-4", "14-state-5"];
    let told = states.map(|name| format!("{} {}", patient(name).address.state, patient(name).address.postal_code));
    assert_eq!(told, ["California 90012", "Arizona 85004", "Guam 96910", "CA 90012", "Puerto Rico ", "Calif. 90012"]);
    let languages = [
        ("SPA", "SPA"),
        ("Spanish", "Spanish"),
        ("chi", "chi"),
        ("es-MX", "es-MX"),
        ("es_419", "es_419"),
        ("spa", "spa"),
        ("textonly", "Spanish"),
        ("vie", "vie"),
        ("zh-Hant", "zh-Hant"),
    ];
    for (name, expected) in languages {
        assert_eq!(patient(&format!("15-language-{name}")).language.as_deref(), Some(expected), "{name}");
    }
}

#[test]
fn a_notification_without_its_resource_is_refused_plainly() {
    check("23-id-only", "422 unreadable at /entry: the notification names resources and does not carry them; ");
    assert!(tell(&reading("23-id-only")).ends_with("; a sender that cannot is of no use here"));
    assert_eq!(reading("23-id-only").dedupe_key, read(include_str!("data/field/23-id-only.json")).dedupe_key);
}
