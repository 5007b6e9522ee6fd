//! Each trait of a messy practice does what it says, and a tidy one does none of it.

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Duration;
use url::form_urlencoded;

use super::{ACCOUNT, AUTH_TOKEN, fair_weather, nowhere, start};
use crate::{Mess, OutboundAnswer, OutboundMessage, PracticePlan, Server, Simulation, Truth};

/// The one of a trait.
type Chance = fn(&mut Mess) -> &mut f64;

/// Everything that a practice sends, each message acknowledged, and how it is meant.
fn sent(mess: Mess) -> Vec<(Vec<u8>, Truth)> {
    let mut plan = PracticePlan { days: 60, ..fair_weather(12) };
    plan.profile.patients.self_starting = 1.0;
    plan.profile.mess = mess;
    let world = Simulation::new(plan).expect("a small world");
    world.connect(nowhere());
    acknowledge_all(&world)
}

/// Whatever the world sends in its time.
fn acknowledge_all(world: &Simulation) -> Vec<(Vec<u8>, Truth)> {
    let mut sent = Vec::new();
    while let Some(errands) = world.act(start() + Duration::days(60)) {
        for errand in errands {
            let truth = errand.truth().clone();
            let (OutboundMessage::Hl7(body) | OutboundMessage::Post { body, .. }) =
                world.parcel(&errand).expect("Handoff is somewhere");
            let header = String::from_utf8_lossy(&body).into_owned();
            let control_id = header.split('|').nth(9).unwrap_or_default();
            let answer = match truth {
                Truth::Written(_) => OutboundAnswer::Status(200),
                _ => OutboundAnswer::Acknowledged(format!("MSH|^~\\&|\rMSA|AA|{control_id}\r").into_bytes()),
            };
            sent.push((body, truth));
            world.settle(errand, &answer);
        }
    }
    sent
}

fn has(sent: &[(Vec<u8>, Truth)], part: &str) -> bool {
    sent.iter().any(|(body, _)| String::from_utf8_lossy(body).contains(part))
}

#[test]
fn each_trait_does_what_it_says_and_a_tidy_practice_does_none_of_it() {
    let tidy = sent(Mess::default());
    let parts: [(Chance, &[&str]); 12] = [
        (|mess| &mut mess.shared_numbers, &["DENTSCHED"]),
        (|mess| &mut mess.rebooked, &["1R^REGIONSCHED"]),
        (|mess| &mut mess.constant_control_ids, &["|REGIONSCHED|P|"]),
        (|mess| &mut mess.edited_visits, &["Needs a ramp"]),
        (|mess| &mut mess.other_character_sets, &["|8859/2\r", "|GB 18030-2000\r"]),
        (|mess| &mut mess.documents_in_pieces, &["OBX|2|ED|"]),
        (|mess| &mut mess.corrected_notes, &["MDM^T08"]),
        (|mess| &mut mess.merged_records, &["ADT^A40", "\rMRG|MRN400"]),
        (|mess| &mut mess.new_languages, &["ADT^A31"]),
        (|mess| &mut mess.deaths, &["|Y\r"]),
        (|mess| &mut mess.thin_providers, &["Medical Assistant"]),
        (|mess| &mut mess.national_spelling, &["|(847) 555-"]),
    ];
    for (choose, parts) in parts {
        let mut mess = Mess::default();
        *choose(&mut mess) = 1.0;
        let messy = sent(mess);
        for part in parts {
            assert!(has(&messy, part) && !has(&tidy, part), "{part}");
        }
    }
}

#[test]
fn what_is_cut_is_told_as_cut_and_comes_whole_after() {
    let messy = sent(Mess { cut_documents: 1.0, ..Mess::default() });
    let cut = messy.iter().filter(|(_, truth)| matches!(truth, Truth::Cut(_))).count();
    let notes = messy.iter().filter(|(body, _)| String::from_utf8_lossy(body).contains("MDM^T02")).count();
    assert!(cut > 0);
    assert_eq!(notes, 2 * cut);
}

#[test]
fn news_that_is_held_back_says_when_it_was_written() {
    let messy = sent(Mess { held_back: 1.0, booked_before_order: 1.0, ..Mess::default() });
    let stamps: Vec<String> = messy
        .iter()
        .filter(|(_, truth)| matches!(truth, Truth::Visit(_) | Truth::Of(_)))
        .map(|(body, _)| String::from_utf8_lossy(body).split('|').nth(6).unwrap_or_default().to_string())
        .collect();
    assert!(!stamps.is_sorted(), "news in the order in which it was written");
    let first = messy.iter().find(|(_, truth)| matches!(truth, Truth::Visit(_) | Truth::Of(_)));
    assert!(matches!(first, Some((_, Truth::Visit(_)))), "{first:?}");
}

#[tokio::test]
async fn a_text_to_a_number_that_the_patient_gave_up_is_noted() {
    let mut plan = PracticePlan { days: 60, ..fair_weather(1) };
    plan.profile.mess = Mess { new_telephones: 1.0, ..Mess::default() };
    let world = Simulation::new(plan).expect("a small world");
    world.connect(nowhere());
    acknowledge_all(&world);
    let person = world.people().remove(0);
    let (former, _) = person.annals.former_telephone.clone().expect("another number before");
    for (to, noted) in [(&person.mobile, 0), (&former, 1)] {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("To", to)
            .append_pair("From", "+13125550199")
            .append_pair("Body", &format!("{}, please book", person.given))
            .finish();
        let request = Request::post(format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:{AUTH_TOKEN}"))))
            .body(Body::from(form))
            .expect("a request");
        let answer = world.answer(Server::Carrier, request).await.expect("an answer");
        assert_eq!(answer.status(), 201);
        assert_eq!(world.ledger().misdirected.len(), noted, "{to}");
    }
}
