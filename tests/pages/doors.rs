//! Forms: what each must prove, what it does, and what a person is told where it could not be done.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use handoff_identity::role::Role;
use handoff_ingress::http::Scheme;
use handoff_store::Record;
use handoff_web::api::{Api, RouteAccess};
use handoff_web::pages::PAGES;
use tower::ServiceExt as _;

use crate::people::site::{Answer, ORIGIN, REFERRING, Session, Site, chosen};
use crate::secrets::{found, planted};

/// As a browser sends it.
pub async fn ask(
    site: &Site,
    method: Method,
    path: &str,
    session: Option<&Session>,
    fields: &[(&str, &str)],
) -> Answer {
    site.send(request(method, path, session, fields)).await
}

fn request(method: Method, path: &str, session: Option<&Session>, fields: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(&method).uri(path).header("host", "handoff.example");
    request = request.header("accept", "text/html,application/xhtml+xml");
    if let Some(Session { cookie, .. }) = session {
        request = request.header("cookie", cookie);
    }
    if method == Method::GET {
        return request.body(Body::empty()).expect("a request");
    }
    let pairs = fields.iter().map(|(name, value)| (*name, value.to_string()));
    let csrf = session.map(|session| ("csrf", session.csrf.clone()));
    let body: Vec<String> = pairs.chain(csrf).map(|(name, value)| format!("{name}={}", percent(&value))).collect();
    let request = request.header("origin", ORIGIN).header("content-type", "application/x-www-form-urlencoded");
    request.body(Body::from(body.join("&"))).expect("a request")
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn post(site: &Site, session: &Session, path: &str, fields: &[(&str, &str)]) -> Answer {
    ask(site, Method::POST, path, Some(session), fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_does_anything_unless_our_own_page_sent_it() {
    let site = Site::open().await;
    let it = site.welcome("it", Role::It, None).await;
    let other = site.welcome("other", Role::It, None).await;
    let before = site.records().len();
    for route in PAGES.iter().filter(|route| route.method == Method::POST && route.access != RouteAccess::Open) {
        let path = route.path.replace("{name}", "other").replace("{item}", "x").replace("{id}", "x");
        let change = |set: &dyn Fn(&mut Request<Body>)| {
            let mut asked = request(Method::POST, &path, Some(&it), &[("why", "a test"), ("theme", "dark")]);
            set(&mut asked);
            asked
        };
        let header = |name: &'static str, value: &'static str| {
            change(&|asked| drop(asked.headers_mut().insert(name, value.parse().expect("a header"))))
        };
        let without = |name: &'static str| change(&|asked| drop(asked.headers_mut().remove(name)));
        let crossed = Session { cookie: it.cookie.clone(), csrf: other.csrf.clone() };
        for (asked, status) in [
            (header("origin", "https://evil.example"), 403),
            (header("origin", "null"), 403),
            (header("content-type", "text/plain"), 400),
            (without("cookie"), 401),
            (request(Method::POST, &path, Some(&crossed), &[("why", "a test")]), 403),
        ] {
            let answer = site.send(asked).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.body);
            assert!(answer.body.contains("role=\"alert\""), "{path} says why on a page");
        }
    }
    assert_eq!(site.records().len(), before, "nothing was written down, because nothing was done");
    assert_eq!(post(&site, &it, "/people/other/lock", &[("why", "a test")]).await.status, 303);
    assert_eq!(site.records().len(), before + 1);
    let gone = ask(&site, Method::GET, "/people", Some(&other), &[]).await;
    assert_eq!(gone.headers["location"], "/sign-in", "who is locked is out at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_step_by_step_and_out() {
    let site = Site::open().await;
    let welcome = site.add("ada", Role::Coordinator, None, false).await;
    let once = welcome.password.expect("one was made");
    let shown = ask(&site, Method::GET, "/sign-in", None, &[]).await;
    assert!(shown.status == 200 && shown.body.contains("Cedar Family Medicine"), "{}", shown.body);
    let wrong = ask(&site, Method::POST, "/sign-in", None, &[("name", "ada"), ("password", "no")]).await;
    let unknown = ask(&site, Method::POST, "/sign-in", None, &[("name", "adb"), ("password", "no")]).await;
    assert_eq!((wrong.status.as_u16(), unknown.body), (401, wrong.body.replace("value=\"ada\"", "value=\"adb\"")));

    let first = [("name", "Ada "), ("password", once.as_str())];
    let step = ask(&site, Method::POST, "/sign-in", None, &first).await;
    assert!(step.status == 200 && step.body.contains("Choose a password"), "{}", step.body);
    assert!(!step.body.contains(once.as_str()), "the password is not on the page");
    let kept = |answer: &Answer| {
        let cookie = answer.headers["set-cookie"].to_str().expect("a cookie");
        assert!(cookie.ends_with("Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=300"), "{cookie}");
        Session { cookie: cookie.split(';').next().expect("one").to_string(), csrf: String::new() }
    };
    let new = chosen("ada");
    let mistyped = [("new_password", new.as_str()), ("again", "another")];
    let again = ask(&site, Method::POST, "/sign-in/step", Some(&kept(&step)), &mistyped).await;
    assert!(again.status == 401 && again.body.contains("are not the same"), "{}", again.body);
    let short = [("new_password", "short"), ("again", "short")];
    let again = ask(&site, Method::POST, "/sign-in/step", Some(&kept(&again)), &short).await;
    assert!(again.status == 401 && again.body.contains("too short"), "{}", again.body);
    let right = [("new_password", new.as_str()), ("again", new.as_str())];
    let there = kept(&again);
    let admitted = ask(&site, Method::POST, "/sign-in/step", Some(&there), &right).await;
    assert_eq!((admitted.status.as_u16(), &admitted.headers["location"]), (303, &"/worklist".parse().expect("one")));
    let late = ask(&site, Method::POST, "/sign-in/step", Some(&there), &right).await;
    assert_eq!(late.status, 401, "a step is taken once");

    let cookie = admitted.headers["set-cookie"].to_str().expect("a cookie").split(';').next().expect("one");
    let ada = Session { cookie: cookie.to_string(), csrf: String::new() };
    let page = ask(&site, Method::GET, "/worklist", Some(&ada), &[]).await;
    let csrf = page.body.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let ada = Session { csrf: csrf.expect("every form has it").to_string(), ..ada };
    assert_eq!(post(&site, &ada, "/sign-out", &[]).await.headers["location"], "/sign-in");
    let out = ask(&site, Method::GET, "/worklist", Some(&ada), &[]).await;
    assert_eq!(out.headers["location"], "/sign-in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_is_found_by_whoever_sees_them_and_the_look_is_written_down() {
    let site = Site::open().await;
    let ada = site.welcome("ada", Role::Coordinator, None).await;
    let own = site.welcome("own.physician", Role::Physician, Some(REFERRING)).await;
    let other = site.welcome("other.physician", Role::Physician, Some("1932745621")).await;
    let manager = site.welcome("manager", Role::Manager, None).await;
    let people = site.people();
    let planted = planted(&people, &[]);
    let person = &people[0];
    let digits = person.mobile.trim_start_matches("+1");
    let phone = format!("({}) {}-{}", &digits[..3], &digits[3..6], &digits[6..]);
    let born = person.born.format("%-m/%-d/%Y").to_string();
    let whole = format!("{} {}", person.given.to_uppercase(), person.family);
    let terms = [&whole, &person.family, &born, &phone, &person.record_number, &person.referral.number, &person.email];
    for typed in terms {
        let looks = site.looks().len();
        let answer = post(&site, &ada, "/search", &[("q", typed)]).await;
        assert_eq!(answer.status, 200);
        let row = format!("{} {}", person.given, person.family);
        assert!(answer.body.contains(&row), "{} is found by {typed}", "the patient");
        assert_eq!(site.looks().len(), looks + 1, "{typed}");
        let theirs = post(&site, &own, "/search", &[("q", typed)]).await;
        assert!(theirs.body.contains(&row));
        let nobodys = post(&site, &other, "/search", &[("q", typed)]).await;
        assert!(nobodys.status == 200 && nobodys.body.contains("Nobody was found"), "{}", nobodys.status);
        assert_eq!(post(&site, &manager, "/search", &[("q", typed)]).await.status, 403);
    }
    let looks = site.looks().len();
    for typed in ["", "nobody", "1/1/1801", "%", "R'; --"] {
        let answer = post(&site, &ada, "/search", &[("q", typed)]).await;
        assert!(answer.status == 200 && answer.body.contains("Nobody was found"), "{typed}");
    }
    assert_eq!(site.looks().len(), looks, "nobody was seen");
    let by_address = ask(&site, Method::GET, &format!("/search?q={}", percent(&person.family)), Some(&ada), &[]).await;
    assert_eq!(by_address.status, 405, "an address never asks for a patient");
    assert_eq!(found(by_address.body.as_bytes(), &planted), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_opens_somebody_elses_referral_and_what_is_dead_is_settled() {
    let site = Site::open().await;
    let other = site.welcome("other.physician", Role::Physician, Some("1932745621")).await;
    let planted = planted(&site.people(), &[]);
    let path = format!("/referrals/{}", site.noted());
    let closed = ask(&site, Method::GET, &path, Some(&other), &[]).await;
    let nowhere = ask(&site, Method::GET, "/referrals/01ARZ3NDEKTSV4RRFFQ69G5FAV", Some(&other), &[]).await;
    let same = |page: &str| page.split("What is the emergency").nth(1).map(str::len);
    assert_eq!(same(&closed.body), same(&nowhere.body), "as if there were none");
    let glass = format!("{path}/glass");
    let curious = post(&site, &other, &glass, &[("reason", "curious")]).await;
    assert!(curious.body.contains("It was not opened") && curious.body.contains("curious"), "what was typed stays");
    assert_eq!(found(curious.body.as_bytes(), &planted), [""; 0]);
    let reason = [("reason", "Brought in unconscious; the specialist's findings are needed.")];
    let opened = post(&site, &other, &glass, &reason).await;
    assert_eq!((opened.status.as_u16(), opened.headers["location"].to_str().expect("one")), (303, path.as_str()));
    let page = ask(&site, Method::GET, &path, Some(&other), &[]).await;
    assert!(!found(page.body.as_bytes(), &planted).is_empty(), "it is open");
    let note = ask(&site, Method::GET, &format!("{path}/note"), Some(&other), &[]).await;
    assert!(note.headers["content-disposition"].to_str().is_ok_and(|it| it.starts_with("attachment")));
    let broke = |record: &Record| matches!(record, Record::BrokeGlass { who, .. } if who == "other.physician");
    assert_eq!(site.records().iter().filter(|(_, record)| broke(record)).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_takes_a_task_does_what_it_wants_and_ends_it() {
    let site = Site::midway().await;
    let ada = site.welcome("ada", Role::Coordinator, None).await;
    let list = ask(&site, Method::GET, "/worklist", Some(&ada), &[]).await.body;
    let after = |page: &str, mark: &str| {
        let rest = page.split(mark).nth(1).unwrap_or_else(|| panic!("no {mark}")).to_string();
        rest.split('"').next().expect("it ends").to_string()
    };
    let task = after(&list, "name=\"t\" value=\"");
    let path = format!("/referrals/{}", task.rsplit_once('-').expect("of a referral").0);
    let shown = ask(&site, Method::GET, &path, Some(&ada), &[]).await.body;
    assert!(shown.contains("Wanted of a person") && shown.contains("Log a call"), "{path}");

    let taken = post(&site, &ada, "/tasks", &[("t", &task), ("change", "take"), ("back", &path)]).await;
    assert_eq!((taken.status.as_u16(), taken.headers["location"].to_str().expect("one")), (303, path.as_str()));
    let shown = ask(&site, Method::GET, &path, Some(&ada), &[]).await.body;
    assert!(shown.contains("with ada"), "it is hers");

    let words = "Reached her daughter; she calls back tomorrow.";
    let call = [("act", "call"), ("a.outcome", "reached"), ("a.words", words), ("why", "no appointment yet")];
    let called = post(&site, &ada, &format!("{path}/acts"), &call).await;
    assert_eq!(called.headers["location"].to_str().expect("one"), format!("{path}?done=call"));
    let done = ask(&site, Method::GET, &format!("{path}?done=call"), Some(&ada), &[]).await.body;
    assert!(done.contains("The call is noted.") && done.contains("no appointment yet"), "it is told, with its reason");
    let unfit = post(&site, &ada, &format!("{path}/acts"), &[("act", "call"), ("a.outcome", "sang")]).await;
    assert_eq!(unfit.status, 422, "an answer that is none");
    let unknown = post(&site, &ada, &format!("{path}/acts"), &[("act", "fly")]).await;
    assert_eq!(unknown.status, 404);

    let nothing = post(&site, &ada, "/tasks", &[("change", "done")]).await;
    assert!(nothing.status == 422 && nothing.body.contains("nothing was ticked"), "{}", nothing.status);
    let elsewhere = [("t", task.as_str()), ("change", "done"), ("back", "https://evil.example/")];
    let ended = post(&site, &ada, "/tasks", &elsewhere).await;
    assert_eq!(ended.headers["location"], "/worklist", "nobody is sent to another site");
    let list = ask(&site, Method::GET, "/worklist", Some(&ada), &[]).await.body;
    assert!(!list.contains(&format!("name=\"t\" value=\"{task}\"")), "it is done");
    let again = post(&site, &ada, "/tasks", &[("t", &task), ("change", "done")]).await;
    assert_eq!(again.status, 409, "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_says_which_referral_a_message_means() {
    let site = Site::midway().await;
    let ada = site.welcome("ada", Role::Coordinator, None).await;
    let it = site.welcome("it", Role::It, None).await;
    let planted = planted(&site.people(), &[]);
    let id = site.awaiting_note();
    let (number, taken) = site.note_of_two_patients().await;
    assert!(taken.contains("MSA|AA"), "{taken}");
    let page = ask(&site, Method::GET, "/unmatched", Some(&ada), &[]).await;
    assert!(page.body.contains(&format!("value=\"{id}\"")), "it is offered");
    assert!(!found(page.body.as_bytes(), &planted).is_empty(), "with the patient's name");
    let theirs = ask(&site, Method::GET, "/unmatched", Some(&it), &[]).await;
    assert_eq!(found(theirs.body.as_bytes(), &planted), [""; 0], "and without it for whoever sees none");
    let item =
        page.body.split("/unmatched/").nth(1).and_then(|rest| rest.split('/').next()).expect("an item").to_string();
    let bytes = ask(&site, Method::GET, &format!("/unmatched/{item}/bytes"), Some(&ada), &[]).await;
    assert!(bytes.body.starts_with("MSH|"));
    let assign = format!("/unmatched/{item}/assign");
    let why = ("why", "The office confirmed it by telephone.");
    let nobody = post(&site, &ada, &assign, &[why]).await;
    assert!(nobody.status == 422 && nobody.body.contains("no referral was chosen"), "{}", nobody.body);
    let unknown = post(&site, &ada, &assign, &[why, ("other", "Nobody Ofthatname")]).await;
    assert!(unknown.status == 422 && unknown.body.contains("finds no referral"), "{}", unknown.body);
    let applied = post(&site, &ada, &assign, &[why, ("other", number.as_str())]).await;
    assert_eq!(applied.status, 303, "{}", applied.body);
    let state = site.get(Some(&ada), &format!("/api/referrals/{id}")).await.json()["state"].clone();
    assert!(state != "awaiting-note", "the note is here: {state}");
    let after = ask(&site, Method::GET, "/unmatched", Some(&ada), &[]).await;
    assert!(!after.body.contains(&item));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_that_came_by_fax_is_attached_on_its_referrals_page() {
    let site = Site::midway().await;
    let ada = site.welcome("ada", Role::Coordinator, None).await;
    let id = site.awaiting_note();
    let path = format!("/referrals/{id}");
    let page = ask(&site, Method::GET, &path, Some(&ada), &[]).await.body;
    assert!(page.contains("enctype=\"multipart/form-data\"") && page.contains("type=\"file\""), "it can be attached");
    let form = |csrf: &str, kind: &str, file: &[u8]| {
        let field = |name: &str, text: &str| {
            format!("--cut\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
        };
        let fields =
            [field("csrf", csrf), field("act", "attach-note"), field("why", "It came by fax this morning.")].concat();
        let head = format!(
            "--cut\r\ncontent-disposition: form-data; name=\"a.note\"; filename=\"fax.pdf\"\r\ncontent-type: {kind}\r\n\r\n"
        );
        [fields.as_bytes(), head.as_bytes(), file, b"\r\n--cut--\r\n"].concat()
    };
    let sent = async |session: Option<&Session>, body: Vec<u8>| {
        let request =
            Request::builder().method(Method::POST).uri(format!("{path}/acts")).header("host", "handoff.example");
        let request = request.header("origin", ORIGIN).header("content-type", "multipart/form-data; boundary=cut");
        let cookie = session.map(|session| session.cookie.clone()).unwrap_or_default();
        site.send(request.header("cookie", cookie).body(Body::from(body)).expect("a request")).await
    };
    let file = [b"%PDF-1.7\n".as_slice(), &[0x9C; 3_000_000]].concat();
    let stranger = sent(None, form(&ada.csrf, "application/pdf", &file)).await;
    assert_ne!(stranger.status, 303, "nobody who has not signed in sends files");
    let forged = sent(Some(&ada), form("forged", "application/pdf", &file)).await;
    assert_eq!(forged.status, 403);
    let script = sent(Some(&ada), form(&ada.csrf, "image/svg+xml", b"<svg onload=alert(1)>")).await;
    assert_eq!(script.status, 422, "{}", script.body);
    let long = sent(Some(&ada), form(&ada.csrf, "application/pdf", &[b'%'; 12_000_000])).await;
    assert_eq!(long.status, 413);
    let broken = sent(Some(&ada), b"--cut\r\nnonsense".to_vec()).await;
    assert_eq!(broken.status, 400);
    let done = sent(Some(&ada), form(&ada.csrf, "application/pdf", &file)).await;
    assert_eq!(done.status, 303, "{}", done.body);
    let request = request(Method::GET, &format!("{path}/note"), Some(&ada), &[]);
    let response = site.router.clone().oneshot(request).await.expect("a router does not fail");
    let kept = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    assert!(kept == file, "{} bytes", kept.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_account_is_made_by_a_link_that_works_once() {
    let mut site = Site::open().await;
    let api = || Api::new(Arc::clone(&site.operations), Some(ORIGIN.into()), Scheme::Https, None);
    let (first, path) = api().with_set_up();
    let path = path.expect("nobody has an account");
    let (second, other) = api().with_set_up();
    site.router = first.router();
    let page = ask(&site, Method::GET, &path, None, &[]).await;
    assert!(page.status == 200 && page.body.contains("The first account"), "{}", page.body);
    let elsewhere = ask(&site, Method::GET, &other.expect("another start"), None, &[]).await;
    assert_eq!(elsewhere.status, 404, "another start's link");
    let password = chosen("jo");
    let make = async |site: &Site, password: &str, again: &str| {
        ask(site, Method::POST, &path, None, &[("name", "jo"), ("password", password), ("again", again)]).await
    };
    let unlike = make(&site, &password, "other").await;
    assert!(unlike.status == 422 && unlike.body.contains("not the same"), "{}", unlike.body);
    let short = make(&site, "short", "short").await;
    assert!(short.status == 422 && !short.body.contains(">short<"), "{}", short.body);
    let made = make(&site, &password, &password).await;
    assert_eq!(made.headers.get("location").and_then(|it| it.to_str().ok()), Some("/system"), "{}", made.body);
    let made =
        |record: &Record| matches!(record, Record::Account { person, who, .. } if person == "jo" && who == "set-up");
    assert_eq!(site.records().iter().filter(|(_, record)| made(record)).count(), 1, "it is written down");
    assert_eq!(make(&site, &password, &password).await.status, 404, "once");
    let entered = ask(&site, Method::POST, "/sign-in", None, &[("name", "jo"), ("password", &password)]).await;
    assert_eq!(entered.headers.get("location").and_then(|it| it.to_str().ok()), Some("/system"), "{}", entered.body);
    drop(second);
    assert!(api().with_set_up().1.is_none(), "somebody has an account");
}
