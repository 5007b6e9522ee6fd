//! People act: a referral worked by hand from the first call to the chart, a stop told by telephone, tasks from hand to hand.

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::event::{Event, Intent};
use handoff_engine::ids::ReferralId;
use handoff_engine::letter::LetterBody;
use handoff_engine::referral::{Consent, Referral};
use handoff_identity::role::Role;
use handoff_operations::operations::{Operator, Request as _};
use handoff_operations::replay_decisions::{Proof, Prove};
use handoff_store::Record;
use serde_json::{Value, json};

use super::site::{Answer, REFERRING, Session, Site, chosen, session};

/// The smallest file that calls itself a PDF.
const NOTE: &str = "JVBERi0xLjQK";

/// Words that only a person of the practice knows.
const SECRET_WORDS: &str = "her daughter Xiomara drives";

impl Site {
    async fn act(&self, session: &Session, referral: &str, act: &str, answers: Value, why: &str) -> Answer {
        let body = json!({ "act": act, "answers": answers, "why": why });
        self.post(Some(session), &format!("/api/referrals/{referral}/acts"), body).await
    }

    async fn in_state(&self, session: &Session, state: &str) -> Vec<String> {
        let listed = self.get(Some(session), &format!("/api/referrals?state={state}")).await.json();
        let ids = listed["items"].as_array().expect("items").iter().map(|it| it["id"].as_str().expect("an id"));
        ids.map(str::to_string).collect()
    }

    fn now(&self) -> DateTime<Utc> {
        self.operations.pipeline.clock.now()
    }

    /// The practice's days go by; nobody outside says anything.
    async fn wait(&self, step: TimeDelta) {
        let until = self.now() + step;
        let pipeline = self.rehearsal.pipeline();
        loop {
            pipeline.settle().await.expect("a sound pipeline");
            match pipeline.next_due().filter(|due| *due <= until) {
                Some(due) => self.rehearsal.clock().advance_to(due.max(self.now())),
                None => break,
            }
        }
        self.rehearsal.clock().advance_to(until);
    }

    /// A session ends while nobody does anything.
    async fn back(&self, name: &str) -> Session {
        let attempt = json!({ "name": name, "password": chosen(name) });
        session(&self.post(None, "/api/session", attempt).await)
    }

    fn stands(&self, id: &str) -> std::sync::Arc<Referral> {
        let id = id.parse::<ReferralId>().expect("an id");
        self.operations.pipeline.store.index().referral(&id).expect("an index").expect("a referral")
    }

    fn messages_to(&self, id: &str) -> usize {
        let owed = |record: &Record| {
            matches!(record, Record::Queued { letter, .. }
                if letter.id.referral.to_string() == id && matches!(letter.body, LetterBody::Message(_)))
        };
        self.records().iter().filter(|(_, record)| owed(record)).count()
    }

    async fn prove(&self) -> Proof {
        let operations = std::sync::Arc::clone(&self.operations);
        let operator = Operator { who: "root".into(), role: None, why: "a test".into() };
        let proof = tokio::task::spawn_blocking(move || Prove {}.perform(&operations, operator)).await;
        proof.expect("no panic").expect("a proof")
    }
}

fn done(answer: &Answer) -> (String, Vec<String>) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let done = answer.json();
    let moot = done["moot"].as_array().expect("a list").iter().map(|it| it.as_str().expect("a kind").to_string());
    (done["state"].as_str().expect("a state").to_string(), moot.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_works_a_referral_from_the_first_call_to_the_chart() {
    let site = Site::midway().await;
    let ada = site.welcome("ada", Role::Coordinator, None).await;
    let id = site.in_state(&ada, "contacting").await.remove(0);
    let offered = site.get(Some(&ada), &format!("/api/referrals/{id}/acts")).await.json();
    let names: Vec<&str> = offered.as_array().expect("a list").iter().filter_map(|act| act["name"].as_str()).collect();
    assert!(names.contains(&"book") && !names.contains(&"reopen"), "{names:?}");
    let call = offered.as_array().and_then(|acts| acts.iter().find(|act| act["name"] == "call")).expect("a call");
    assert_eq!(call["asks"][0]["choices"], json!(["reached", "message-left", "no-answer", "wrong-number"]));

    let call = json!({ "outcome": "reached", "words": SECRET_WORDS });
    let (state, _) = done(&site.act(&ada, &id, "call", call, "I phoned").await);
    assert_eq!(state, "contacting");
    let visit = site.now() + TimeDelta::days(3);
    let book = json!({ "appointment": visit.to_rfc3339(), "specialist": "Dr. Vera Lindqvist", "specialist.phone": "555-0111" });
    let (state, _) = done(&site.act(&ada, &id, "book", book, "she goes on Friday").await);
    assert_eq!(state, "scheduled");
    let facts = site.stands(&id).facts.clone();
    assert_eq!(facts.appointment.map(|it| it.starts_at.timestamp()), Some(visit.timestamp()));
    assert_eq!(facts.order.specialist.as_ref().map(|it| it.name.as_str()), Some("Dr. Vera Lindqvist"));
    let later = json!({ "appointment": (visit + TimeDelta::days(1)).to_rfc3339() });
    assert_eq!(done(&site.act(&ada, &id, "move", later, "the office called").await).0, "scheduled");
    assert_eq!(done(&site.act(&ada, &id, "attended", json!({}), "the office says so").await).0, "awaiting-note");
    assert_eq!(done(&site.act(&ada, &id, "request-note", json!({}), "it is not here").await).0, "awaiting-note");
    let tasks = site.get(Some(&ada), &format!("/api/referrals/{id}/tasks")).await.json();
    let asked = tasks.as_array().and_then(|tasks| tasks.last()).expect("a task").clone();
    assert_eq!(
        (&asked["kind"], &asked["audience"], asked.get("ended")),
        (&json!("nudge-note"), &json!("specialist"), None)
    );
    assert!(asked["summary"].as_str().is_some_and(|told| told.starts_with("Please send the consultation note for ")));
    let note = json!({ "note": NOTE });
    let (state, moot) = done(&site.act(&ada, &id, "attach-note", note, "it came by fax").await);
    assert!(state == "closing" && moot.contains(&"nudge-note".to_string()), "{state}, moot: {moot:?}");
    site.wait(TimeDelta::hours(1)).await;
    assert_eq!(site.stands(&id).state, "closed", "the chart has the note");

    let acts: Vec<(String, String, Option<String>, String)> = site
        .records()
        .into_iter()
        .filter_map(|(_, record)| match record {
            Record::Happened { event: Event::Person { verb, who, role, reason, .. }, .. } => {
                Some((verb, who, role, reason))
            }
            _ => None,
        })
        .collect();
    let act =
        |verb: &str, why: &str| (verb.to_string(), "ada".to_string(), Some("coordinator".to_string()), why.to_string());
    assert_eq!(acts.len(), 6);
    assert_eq!((acts[0].clone(), acts[5].clone()), (act("call", "I phoned"), act("attach-note", "it came by fax")));
    let ada = site.back("ada").await;
    let timeline = site.get(Some(&ada), &format!("/api/referrals/{id}/timeline")).await;
    assert!(timeline.body.contains("person.book by ada: she goes on Friday"), "{}", timeline.body);
    assert!(timeline.body.contains(SECRET_WORDS), "whoever sees the patient reads what was said");
    let journal = serde_json::to_string(&site.records()).expect("JSON");
    assert!(!journal.contains("Xiomara") && !journal.contains(NOTE), "what was told of the patient is sealed");
    let proof = site.prove().await;
    assert!(proof.proven > 0 && proof.unproven == 0, "{proof:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_told_by_telephone_stops_every_message() {
    let site = Site::midway().await;
    let ada = site.welcome("ada", Role::Coordinator, None).await;
    let waiting = site.in_state(&ada, "contacting").await;
    let (id, relative) = (waiting[0].clone(), waiting[1].clone());
    // They share a handset.
    let shared = json!({ "address": "(213) 555-0177", "consent": "granted" });
    for who in [&id, &relative] {
        assert_eq!(done(&site.act(&ada, who, "address", shared.clone(), "she told me").await).0, "contacting");
    }
    let words = json!({ "words": "The office has moved to Elm Street." });
    let written = site.act(&ada, &id, "write", words, "she asked where it is").await;
    assert_eq!(written.json()["owed"][0]["letter"], "message", "{}", written.body);

    let (state, _) = done(&site.act(&ada, &id, "opt-out", json!({}), "she wants no more texts").await);
    assert_eq!(state, "by-hand");
    let reaches = |id: &str| site.stands(id).facts.patient.reaches.clone();
    assert!(reaches(&id).iter().all(|reach| reach.consent == Consent::Denied));
    let heard = site.records().into_iter().filter(|(_, record)| {
        matches!(record, Record::Happened { event: Event::Reply { reply }, referral }
            if reply.intent == Intent::OptOut && referral.to_string() == relative)
    });
    assert_eq!(heard.count(), 1, "whoever shares the handset hears of it");
    let reasons: Vec<String> = site
        .records()
        .into_iter()
        .filter_map(|(_, record)| match record {
            Record::Consented { granted: false, why, .. } => Some(why),
            _ => None,
        })
        .collect();
    assert!(reasons.contains(&"the patient told ada: she wants no more texts".to_string()), "{reasons:?}");

    let (texts, letters) =
        (site.rehearsal.world().read_ledger(|it| it.texts.len() + it.mails.len()), site.messages_to(&id));
    // What no EHR may send, nobody may type: two mailboxes in one, a link for a number.
    for (channel, address) in [
        ("email", "ana@example.org,eve@example.com"),
        ("email", "Eve <eve@example.com>"),
        ("sms", "555.0178.evil.example"),
    ] {
        let typed = json!({ "address": address, "address.channel": channel });
        let refused = site.act(&ada, &id, "address", typed, "a new address").await;
        assert_eq!(refused.status, 422, "{address}: {}", refused.body);
    }
    let another = json!({ "address": "213-555-0178" });
    done(&site.act(&ada, &id, "address", another, "a new telephone").await);
    assert!(reaches(&id).iter().all(|reach| reach.consent == Consent::Denied), "a new number is no new consent");
    let refused = site.act(&ada, &id, "write", json!({ "words": "One more thing." }), "it was forgotten").await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (409, "conflict"));
    let book = json!({ "appointment": (site.now() + TimeDelta::days(2)).to_rfc3339() });
    assert_eq!(done(&site.act(&ada, &id, "book", book, "the office called").await).0, "scheduled");
    site.wait(TimeDelta::days(30)).await;
    assert_eq!(site.messages_to(&id), letters, "nothing is written to who wants nothing");
    assert!(site.rehearsal.world().read_ledger(|it| it.texts.len() + it.mails.len()) > texts, "others are");
    let ada = site.back("ada").await;
    let granted = json!({ "channel": "sms" });
    done(&site.act(&ada, &id, "opt-in", granted, "texts are fine again").await);
    assert!(reaches(&id).iter().any(|reach| reach.consent == Consent::Granted));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_acted_upon_as_a_person_reads_it() {
    let site = Site::midway().await;
    let ada = site.welcome("ada", Role::Coordinator, None).await;
    let tasks = site.get(Some(&ada), "/api/worklists/tasks?kind=read-reply").await.json();
    let items = tasks["items"].as_array().expect("a list");
    let is_asked = |item: &&Value| {
        let id = item["referral"].as_str().expect("an id");
        ["contacting", "scheduled", "rebooking"].contains(&site.stands(id).state.as_str())
    };
    let task =
        items.iter().find(is_asked).expect("a reply that nobody understood, of somebody who may still decline").clone();
    let id = task["referral"].as_str().expect("an id");
    let before = site.stands(id).state.clone();
    let read = site.act(&ada, id, "read-reply", json!({ "meaning": "decline" }), "she says she is well").await;
    let (state, moot) = done(&read);
    assert!(before != state && state == "declined", "{before} -> {state}");
    assert!(moot.contains(&"read-reply".to_string()), "{moot:?}");
    let records = site.records();
    let replies: Vec<_> = records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Happened { referral, event: Event::Reply { reply } } if referral.to_string() == id => Some(reply),
            _ => None,
        })
        .collect();
    let [.., heard, read] = replies.as_slice() else { panic!("{} replies", replies.len()) };
    assert_eq!(
        (&heard.text, heard.channel, read.intent, read.confidence),
        (&read.text, read.channel, Intent::Decline, 100)
    );
    let silent = site.in_state(&ada, "contacting").await.into_iter().find(|id| {
        !records.iter().any(|(_, record)| {
            matches!(record, Record::Happened { referral, event: Event::Reply { .. } } if referral.to_string() == *id)
        })
    });
    let silent = silent.expect("somebody has not replied");
    let nothing = site.act(&ada, &silent, "read-reply", json!({ "meaning": "decline" }), "a mistake").await;
    assert_eq!((nothing.status.as_u16(), nothing.problem().as_str()), (409, "conflict"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_goes_from_hand_to_hand_and_ends() {
    let site = Site::midway().await;
    let ada = site.welcome("ada", Role::Coordinator, None).await;
    let manager = site.welcome("manager", Role::Manager, None).await;
    let list = async |session: &Session, query: &str| {
        let page = site.get(Some(session), &format!("/api/worklists/tasks{query}")).await.json();
        page["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|it| it["task"].as_str().expect("a task").to_string())
            .collect::<Vec<_>>()
    };
    let change = async |session: &Session, task: &str, what: Value| {
        site.post(Some(session), &format!("/api/tasks/{task}"), json!({ "what": what, "why": "a test" })).await
    };
    let all = list(&ada, "").await;
    let task = all.first().expect("a task").clone();
    // Page by page it is the same list.
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = site.get(Some(&ada), &format!("/api/worklists/tasks?limit=3{cursor}")).await.json();
        paged.extend(
            page["items"].as_array().expect("items").iter().map(|it| it["task"].as_str().expect("a task").to_string()),
        );
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, all);
    let given = change(&manager, &task, json!({ "change": "assigned", "to": "ada" })).await;
    assert_eq!((given.status.as_u16(), &given.json()["assignee"]), (200, &json!("ada")), "{}", given.body);
    assert_eq!(list(&ada, "?assignee=ada").await, std::slice::from_ref(&task));
    assert!(!list(&ada, "?assignee=").await.contains(&task));
    let not_theirs = change(&manager, &task, json!({ "change": "done" })).await;
    assert_eq!((not_theirs.status.as_u16(), not_theirs.problem().as_str()), (403, "not-allowed-to-you"));
    let until = (site.now() + TimeDelta::days(2)).to_rfc3339();
    assert_eq!(change(&ada, &task, json!({ "change": "snoozed", "until": until })).await.status, 200);
    assert!(!list(&ada, "").await.contains(&task) && list(&ada, "?snoozed=true").await.contains(&task));
    site.advance(TimeDelta::days(2));
    let ada = site.back("ada").await;
    assert!(list(&ada, "").await.contains(&task), "it comes back");
    let far = (site.now() + TimeDelta::days(91)).to_rfc3339();
    assert_eq!(change(&ada, &task, json!({ "change": "snoozed", "until": far })).await.status, 422);
    assert_eq!(change(&ada, &task, json!({ "change": "done" })).await.status, 200);
    assert!(!list(&ada, "?snoozed=true").await.contains(&task));
    let again = change(&ada, &task, json!({ "change": "done" })).await;
    assert_eq!((again.status.as_u16(), again.problem().as_str()), (409, "conflict"));
    let referral = task.split('-').next().expect("a referral");
    let tasks = site.get(Some(&ada), &format!("/api/referrals/{referral}/tasks")).await.json();
    let ended = tasks.as_array().and_then(|all| all.iter().find(|it| it["task"] == task.as_str())).expect("it");
    assert_eq!(
        (&ended["ended"]["how"], &ended["ended"]["by"], &ended["ended"]["why"]),
        (&json!("done"), &json!("ada"), &json!("a test"))
    );
    assert_eq!(change(&ada, &task, json!({ "change": "reopened" })).await.status, 200);
    assert!(list(&ada, "").await.contains(&task));
    assert_eq!(change(&ada, &format!("{referral}-9999"), json!({ "change": "done" })).await.status, 404);
}

/// What each role gets for what it may not, and what nobody can take.
#[tokio::test(flavor = "multi_thread")]
async fn each_role_does_its_own_and_nonsense_does_nothing() {
    let site = Site::midway().await;
    let columns = [
        ("ada", Role::Coordinator, None),
        ("own.physician", Role::Physician, Some(REFERRING)),
        ("other.physician", Role::Physician, Some("1932745621")),
        ("manager", Role::Manager, None),
        ("it", Role::It, None),
        ("auditor", Role::Auditor, None),
    ];
    let mut sessions = Vec::new();
    for (name, role, provider) in columns {
        sessions.push(site.welcome(name, role, provider).await);
    }
    let ada = &sessions[0];
    let id = site.in_state(ada, "contacting").await.remove(0);
    let tasks = site.get(Some(ada), "/api/worklists/tasks?audience=coordinator").await.json();
    let task = tasks["items"][0]["task"].as_str().expect("a task").to_string();
    let assign = json!({ "what": { "change": "assigned", "to": null }, "why": "a test" });
    let rows: [(&str, &str, Value, [u16; 6]); 4] = [
        (
            "a call",
            "acts",
            json!({ "act": "call", "answers": { "outcome": "reached" }, "why": "a test" }),
            [200, 200, 404, 403, 403, 403],
        ),
        (
            "an address",
            "acts",
            json!({ "act": "address", "answers": { "address": "213-555-0179" }, "why": "a test" }),
            [200, 403, 404, 403, 403, 403],
        ),
        ("nothing known", "acts", json!({ "act": "dance", "why": "a test" }), [404, 404, 404, 404, 403, 403]),
        ("a task", "task", assign, [200, 404, 404, 200, 403, 403]),
    ];
    for (what, door, body, expected) in rows {
        let path = if door == "acts" { format!("/api/referrals/{id}/acts") } else { format!("/api/tasks/{task}") };
        for (session, ((name, ..), expected)) in sessions.iter().zip(columns.iter().zip(expected)) {
            let answer = site.post(Some(session), &path, body.clone()).await;
            assert_eq!(answer.status.as_u16(), expected, "{what} by {name}: {}", answer.body);
        }
    }
    let before = site.stands(&id);
    let nonsense = [
        (json!({ "act": "reopen", "why": "a test" }), 409),
        (json!({ "act": "book", "why": "a test" }), 422),
        (json!({ "act": "book", "answers": { "appointment": "on Friday, Xiomara" }, "why": "a test" }), 422),
        (json!({ "act": "call", "answers": { "outcome": "reached", "mood": "good" }, "why": "a test" }), 422),
        (json!({ "act": "attach-note", "answers": { "note": "Xiomara" }, "why": "a test" }), 422),
        (json!({ "act": "call", "answers": { "outcome": "reached" }, "why": " " }), 422),
        (json!({ "act": "call", "answers": { "outcome": "reached" } }), 400),
        (json!({ "act": "call", "answers": [], "why": "a test" }), 400),
    ];
    for (body, status) in nonsense {
        let told = body.to_string();
        let answer = site.post(Some(ada), &format!("/api/referrals/{id}/acts"), body).await;
        assert_eq!(answer.status.as_u16(), status, "{told}: {}", answer.body);
        answer.problem();
        assert!(!answer.body.contains("Xiomara"), "{told} is quoted: {}", answer.body);
    }
    assert_eq!(site.stands(&id), before, "nothing happened");
}
