//! Signing in and out, what a page must prove, broken glass, and looks that are written down before they are answered.

use axum::body::Body;
use axum::http::{Method, Request};
use chrono::TimeDelta;
use handoff_identity::account::{FAILURES_MAX, LOCKED_OUT_FOR};
use handoff_identity::role::Role;
use handoff_identity::session::IDLE_MAX;
use handoff_operations::referrals::GLASS_OPEN_FOR;
use handoff_store::Record;
use handoff_store::journal::DiskFault;
use serde_json::json;

use super::site::{ORIGIN, REFERRING, Session, Site, chosen, request, session};
use crate::secrets::{found, planted};

const EMERGENCY: &str = "The patient was brought in unconscious and the specialist's findings are needed.";

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_is_locked_out_and_signs_out() {
    let site = Site::open().await;
    let ada = site.welcome("ada", Role::Coordinator, None).await;
    let who = site.get(Some(&ada), "/api/session").await.json();
    assert_eq!(
        (&who["name"], &who["role"], &who["csrf"]),
        (&"ada".into(), &"coordinator".into(), &ada.csrf.clone().into())
    );

    let attempt = |name: &str, password: String| json!({ "name": name, "password": password });
    let wrong = site.post(None, "/api/session", attempt("ada", "not this one, for sure".into())).await;
    let unknown = site.post(None, "/api/session", attempt("nobody", chosen("ada"))).await;
    assert_eq!((wrong.problem(), &wrong.body), ("sign-in-refused".to_string(), &unknown.body), "told alike");
    for _ in 1..FAILURES_MAX {
        site.post(None, "/api/session", attempt("ada", "not this one, for sure".into())).await;
    }
    let locked = site.post(None, "/api/session", attempt("ada", chosen("ada"))).await;
    assert_eq!((locked.status.as_u16(), &locked.body), (401, &wrong.body), "who is locked out is told nothing else");
    assert_eq!(site.get(Some(&ada), "/api/session").await.status, 200, "whoever is in stays in");
    site.advance(LOCKED_OUT_FOR);
    let again = session(&site.post(None, "/api/session", attempt("ada", chosen("ada"))).await);

    assert_eq!(site.send(request(Method::DELETE, "/api/session", Some(&again), None)).await.status, 204);
    assert_eq!(site.get(Some(&again), "/api/session").await.problem(), "not-signed-in");
    let kinds: Vec<&str> = site.records().iter().filter_map(|(_, record)| kind(record)).collect();
    let refused = vec!["refused"; FAILURES_MAX as usize + 1];
    let expected = [vec!["account", "account", "in"], refused, vec!["locked", "refused", "in", "out"]].concat();
    assert_eq!(kinds, expected);
}

fn kind(record: &Record) -> Option<&'static str> {
    match record {
        Record::Account { .. } => Some("account"),
        Record::SignedIn { .. } => Some("in"),
        Record::SignedOut { .. } => Some("out"),
        Record::SignInRefused { .. } => Some("refused"),
        Record::LockedOut { .. } => Some("locked"),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_proves_where_it_comes_from_and_a_session_ends() {
    let site = Site::open().await;
    let it = site.welcome("it", Role::It, None).await;
    let lock = |session: &Session| {
        request(Method::POST, "/api/people/it/unlock", Some(session), Some(json!({ "why": "a test" })))
    };
    let problem = async |change: &dyn Fn(&mut Request<Body>)| {
        let mut asked = lock(&it);
        change(&mut asked);
        let answer = site.send(asked).await;
        if answer.status.is_success() { answer.status.to_string() } else { answer.problem() }
    };
    let set = |asked: &mut Request<Body>, name: &'static str, value: &str| {
        asked.headers_mut().insert(name, value.parse().expect("a header"));
    };
    assert_eq!(problem(&|asked| set(asked, "origin", "https://evil.example")).await, "other-origin");
    assert_eq!(problem(&|asked| set(asked, "origin", "null")).await, "other-origin");
    assert_eq!(problem(&|asked| set(asked, "origin", "http://handoff.example")).await, "other-origin");
    assert_eq!(problem(&|asked| set(asked, "origin", &format!("{ORIGIN}.evil.example"))).await, "other-origin");
    assert_eq!(problem(&|asked| drop(asked.headers_mut().remove("x-csrf-token"))).await, "no-csrf-token");
    assert_eq!(problem(&|asked| set(asked, "x-csrf-token", "A")).await, "no-csrf-token");
    assert_eq!(problem(&|asked| drop(asked.headers_mut().remove("cookie"))).await, "not-signed-in");
    assert_eq!(problem(&|asked| set(asked, "cookie", "__Host-handoff=AAAA")).await, "not-signed-in");
    assert_eq!(problem(&|asked| set(asked, "content-type", "text/plain")).await, "not-json");
    // Signing in too: another site's page must not sign anybody in as somebody else.
    let mut asked =
        request(Method::POST, "/api/session", None, Some(json!({ "name": "it", "password": chosen("it") })));
    set(&mut asked, "origin", "https://evil.example");
    assert_eq!(site.send(asked).await.problem(), "other-origin");
    let other = session(&site.post(None, "/api/session", json!({ "name": "it", "password": chosen("it") })).await);
    let crossed = Session { cookie: it.cookie.clone(), csrf: other.csrf.clone() };
    assert_eq!(site.send(lock(&crossed)).await.problem(), "no-csrf-token", "another session's token");

    assert_eq!(site.get(Some(&other), "/api/people").await.status, 200);
    site.advance(IDLE_MAX - TimeDelta::seconds(1));
    assert_eq!(site.get(Some(&other), "/api/people").await.status, 200);
    site.advance(IDLE_MAX - TimeDelta::seconds(1));
    assert_eq!(site.get(Some(&it), "/api/people").await.problem(), "not-signed-in", "it was left alone");
    assert_eq!(site.get(Some(&other), "/api/people").await.status, 200, "it was not");
    // Sent by itself, an unlock changes the account, and what was open under it ends.
    assert_eq!(site.send(lock(&other)).await.status, 204);
    assert_eq!(site.get(Some(&other), "/api/people").await.problem(), "not-signed-in");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_look_in_clear_is_in_the_journal_before_it_is_answered() {
    let site = Site::open().await;
    let ada = site.welcome("ada", Role::Coordinator, None).await;
    let manager = site.welcome("manager", Role::Manager, None).await;
    let referral = site.referrals().remove(0);
    let paths =
        ["/api/referrals", &format!("/api/referrals/{referral}"), &format!("/api/referrals/{referral}/timeline")];
    for path in paths {
        let before = site.looks().len();
        assert_eq!(site.get(Some(&manager), path).await.status, 200);
        assert_eq!(site.looks().len(), before, "tokens are no look");
        assert_eq!(site.get(Some(&ada), path).await.status, 200);
        let looks = site.looks();
        assert_eq!(looks.len(), before + 1, "{path}");
        let Some(Record::Looked { who, role, why, referrals, .. }) = looks.last() else { panic!("no look") };
        assert_eq!(
            (who.as_str(), role.as_deref(), why.as_str()),
            ("ada", Some("coordinator"), "coordination of the referral")
        );
        assert!(referrals.iter().any(|id| id.to_string() == referral), "{path}");
    }
    let empty = site.get(Some(&ada), "/api/referrals?state=no-such-state").await.json();
    assert_eq!(empty["items"], json!([]));
    assert_eq!(site.looks().len(), 3, "nobody was seen");
    let pages = site.get(Some(&ada), "/api/referrals?limit=5").await.json();
    assert_eq!(pages["items"].as_array().map(Vec::len), Some(5));
    let next = pages["next"].as_str().expect("there are more");
    let rest = site.get(Some(&ada), &format!("/api/referrals?cursor={next}")).await.json();
    assert_eq!(rest["items"].as_array().map(Vec::len), Some(site.referrals().len() - 5));
    assert!(rest["next"].is_null());
    let late = site.get(Some(&ada), "/api/referrals?since=2999-01-01T00:00:00Z").await.json();
    assert_eq!(late["items"], json!([]));

    let auditor = site.welcome("auditor", Role::Auditor, None).await;
    let told = site.get(Some(&auditor), &format!("/api/looks?referral={referral}")).await.json();
    let deeds: Vec<_> =
        told["items"].as_array().expect("items").iter().map(|item| item["deeds"][0]["who"].clone()).collect();
    assert!(deeds.len() >= 4 && deeds.iter().all(|who| who == "ada"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_journal_does_not_take_is_not_shown() {
    let (site, disk) = Site::breakable().await;
    let ada = site.welcome("ada", Role::Coordinator, None).await;
    let other = site.welcome("other.physician", Role::Physician, Some("1932745621")).await;
    let planted = planted(&site.people(), &[]);
    let referral = site.referrals().remove(0);
    let seen = site.get(Some(&ada), &format!("/api/referrals/{referral}")).await;
    assert!(!found(seen.body.as_bytes(), &planted).is_empty(), "the search finds the patient where they are shown");
    disk.restart(Some(DiskFault::PowerCut { operation: 0 }));
    let one = format!("/api/referrals/{referral}");
    for path in ["/api/referrals", &one, &format!("{one}/timeline")] {
        let answer = site.get(Some(&ada), path).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (503, "unjournaled"), "{path}");
        assert_eq!(found(answer.body.as_bytes(), &planted), [""; 0], "{path}");
    }
    let broken = site.post(Some(&other), &format!("{one}/glass"), json!({ "reason": EMERGENCY })).await;
    assert_eq!(broken.problem(), "unjournaled");
    let attempt = json!({ "name": "ada", "password": chosen("ada") });
    assert_eq!(site.post(None, "/api/session", attempt).await.problem(), "unjournaled", "nobody is let in unseen");
}

#[tokio::test(flavor = "multi_thread")]
async fn worklists_show_each_role_what_it_is_to_do() {
    let site = Site::midway().await;
    let ada = site.welcome("ada", Role::Coordinator, None).await;
    let own = site.welcome("own.physician", Role::Physician, Some(REFERRING)).await;
    let other = site.welcome("other.physician", Role::Physician, Some("1932745621")).await;
    let manager = site.welcome("manager", Role::Manager, None).await;
    let planted = planted(&site.people(), &[]);
    let ask = async |session: &Session, path: &str| {
        let answer = site.get(Some(session), path).await;
        let items = answer.json()["items"].as_array().expect("items").clone();
        (items, !found(answer.body.as_bytes(), &planted).is_empty())
    };
    let (all, shown) = ask(&ada, "/api/worklists/tasks").await;
    assert!(!all.is_empty() && shown, "somebody has something to do");
    assert!(all.iter().all(|task| task["summary"].as_str().is_some_and(|text| !text.contains("ZPHI"))), "{all:?}");
    let (tokens, shown) = ask(&manager, "/api/worklists/tasks").await;
    assert_eq!((tokens.len(), shown), (all.len(), false));
    assert!(tokens.iter().all(|task| task.get("summary").is_none()));
    let physicians = all.iter().filter(|task| task["audience"] == "physician").count();
    let (theirs, _) = ask(&own, "/api/worklists/tasks").await;
    assert_eq!(theirs.len(), physicians);
    assert!(theirs.iter().all(|task| task["audience"] == "physician"));
    assert_eq!(ask(&other, "/api/worklists/tasks").await, (Vec::new(), false));

    let (stalled, shown) = ask(&ada, "/api/worklists/stalled").await;
    assert!(!stalled.is_empty() && shown, "somebody has stalled");
    assert!(stalled.iter().all(|referral| referral["ended"] == false && referral["view"] == "clear"));
    let (tokens, shown) = ask(&manager, "/api/worklists/stalled").await;
    assert_eq!((tokens.len(), shown), (stalled.len(), false));
    assert_eq!(ask(&other, "/api/worklists/stalled").await, (Vec::new(), false));
    let figures = site.get(Some(&manager), "/api/figures").await.json();
    assert_eq!(figures["figures"].as_array().map(Vec::len), Some(5), "{figures}");
    assert!(figures["figures"][3]["count"].as_u64().is_some_and(|count| count >= stalled.len() as u64), "{figures}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_physician_breaks_the_glass_for_an_hour_and_the_auditor_reads_why() {
    let site = Site::open().await;
    let own = site.welcome("own.physician", Role::Physician, Some(REFERRING)).await;
    let other = site.welcome("other.physician", Role::Physician, Some("1932745621")).await;
    let third = site.welcome("third.physician", Role::Physician, Some("1932745622")).await;
    let auditor = site.welcome("auditor", Role::Auditor, None).await;
    let referral = site.referrals().remove(0);
    let (path, glass) = (format!("/api/referrals/{referral}"), format!("/api/referrals/{referral}/glass"));
    assert_eq!(site.get(Some(&own), &path).await.json()["view"], "clear");
    let there = site.get(Some(&other), &path).await;
    let nowhere = site.get(Some(&other), "/api/referrals/01ARZ3NDEKTSV4RRFFQ69G5FAV").await;
    assert_eq!((there.status.as_u16(), &there.body), (404, &nowhere.body), "as if there were none");
    for (reason, status) in [("", 422), ("curious", 422), (&"x".repeat(501), 422), (EMERGENCY, 201)] {
        let answer = site.post(Some(&other), &glass, json!({ "reason": reason })).await;
        assert_eq!(answer.status, status, "{reason}");
    }
    assert_eq!(site.post(Some(&auditor), &glass, json!({ "reason": EMERGENCY })).await.problem(), "not-allowed-to-you");
    let nowhere = "/api/referrals/01ARZ3NDEKTSV4RRFFQ69G5FAV/glass";
    assert_eq!(site.post(Some(&other), nowhere, json!({ "reason": EMERGENCY })).await.status, 404);
    assert_eq!(site.get(Some(&other), &path).await.json()["view"], "clear");
    assert_eq!(site.get(Some(&third), &path).await.status, 404, "it is open to one physician");
    let listed = site.get(Some(&other), "/api/referrals").await.json();
    assert_eq!(listed["items"], json!([]), "a list shows one's own");
    let other_referral = site.referrals().remove(1);
    assert_eq!(
        site.get(Some(&other), &format!("/api/referrals/{other_referral}")).await.status,
        404,
        "and one referral"
    );

    let told = site.get(Some(&auditor), &format!("/api/looks?referral={referral}")).await.json();
    let items = told["items"].as_array().expect("items").clone();
    let broke = items.iter().find(|item| item["deeds"][0]["deed"] == "broke-glass").expect("it is listed");
    assert_eq!((&broke["deeds"][0]["who"], &broke["deeds"][0]["why"]), (&"other.physician".into(), &EMERGENCY.into()));
    let looked = items.last().expect("a look").clone();
    assert_eq!(looked["deeds"][0]["why"], "an emergency: the glass was broken");

    // An hour is longer than a session may idle.
    for _ in 0..6 {
        site.advance(GLASS_OPEN_FOR / 6);
        assert_eq!(site.get(Some(&other), "/api/session").await.status, 200);
    }
    assert_eq!(site.get(Some(&other), &path).await.status, 404, "an hour has passed");
}
