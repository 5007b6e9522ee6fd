//! Role by role, door by door: which answers come, and in which of them a patient can be found.

use axum::http::Method;
use handoff_identity::role::Role;
use handoff_web::api::{ROUTES, RouteAccess};
use serde_json::json;

use super::site::{METRICS_TOKEN, REFERRING, Session, Site, chosen, request};
use crate::secrets::{Log, files, found, planted};

/// One who asks: the column.
struct Column {
    name: &'static str,
    role: Role,
    provider: Option<&'static str>,
}

const COLUMNS: [Column; 6] = [
    Column { name: "coordinator", role: Role::Coordinator, provider: None },
    Column { name: "own.physician", role: Role::Physician, provider: Some(REFERRING) },
    Column { name: "other.physician", role: Role::Physician, provider: Some("1932745621") },
    Column { name: "manager", role: Role::Manager, provider: None },
    Column { name: "it", role: Role::It, provider: None },
    Column { name: "auditor", role: Role::Auditor, provider: None },
];

/// What each gets: the status, and `!` where a patient is in clear in the answer.
const MATRIX: &[(&str, [&str; 6])] = &[
    ("/api/session", ["200", "200", "200", "200", "200", "200"]),
    ("/api/session/oidc", ["404", "404", "404", "404", "404", "404"]),
    ("/api/session/oidc/callback", ["404", "404", "404", "404", "404", "404"]),
    ("/api/referrals", ["200!", "200!", "200", "200", "200", "200"]),
    ("/api/referrals/{id}", ["200!", "200!", "404", "200", "200", "200"]),
    ("/api/referrals/{id}/timeline", ["200!", "200!", "404", "200", "200", "200"]),
    ("/api/referrals/{id}/acts", ["200", "200", "404", "200", "403", "403"]),
    ("/api/referrals/{id}/tasks", ["200!", "200!", "404", "200", "403", "403"]),
    ("/api/referrals/01ARZ3NDEKTSV4RRFFQ69G5FAV", ["404", "404", "404", "404", "404", "404"]),
    ("/api/referrals/{name}", ["404", "404", "404", "404", "404", "404"]),
    ("/api/worklists/tasks", ["200", "200", "200", "200", "403", "403"]),
    ("/api/worklists/stalled", ["200", "200", "200", "200", "403", "403"]),
    ("/api/dead-letters", ["200", "403", "403", "200", "200", "403"]),
    ("/api/dead-letters/kinds", ["200", "403", "403", "200", "200", "403"]),
    ("/api/dead-letters/{name}", ["404", "403", "403", "403", "403", "403"]),
    ("/api/unmatched", ["200", "403", "403", "200", "200", "403"]),
    ("/api/unmatched/{name}", ["404", "403", "403", "403", "403", "403"]),
    ("/api/figures", ["200", "403", "403", "200", "403", "403"]),
    ("/api/deployments", ["403", "403", "403", "200", "200", "200"]),
    ("/api/journal", ["403", "403", "403", "403", "403", "200"]),
    ("/api/journal?type=signed-in", ["403", "403", "403", "403", "403", "200"]),
    ("/api/journal?type={name}", ["403", "403", "403", "403", "403", "400"]),
    ("/api/looks", ["403", "403", "403", "403", "403", "200"]),
    ("/api/disclosures/{id}", ["403", "403", "403", "403", "403", "200"]),
    ("/api/people", ["403", "403", "403", "403", "200", "403"]),
    ("/api/openapi.json", ["200", "200", "200", "200", "200", "200"]),
    ("/metrics", ["403", "403", "403", "200", "200", "403"]),
    ("/{name}", ["404", "404", "404", "404", "404", "404"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_role_sees_its_own_and_patients_are_found_nowhere_else() {
    let log = Log::heard();
    let site = Site::open().await;
    let people = site.people();
    let mut sessions: Vec<Session> = Vec::new();
    let mut secrets: Vec<String> = Vec::new();
    for Column { name, role, provider } in COLUMNS {
        sessions.push(site.welcome(name, role, provider).await);
        secrets.push(chosen(name));
    }
    let with_app = site.add("with.an.app", Role::It, None, true).await;
    let url = with_app.second_factor.expect("a second factor");
    let factor = url.split("secret=").nth(1).and_then(|rest| rest.split('&').next()).expect("a secret").to_string();
    let cookie = |session: &Session| session.cookie.split_once('=').expect("a value").1.to_string();
    secrets.extend(sessions.iter().flat_map(|session| [cookie(session), session.csrf.clone()]));
    secrets.extend([factor, METRICS_TOKEN.to_string()]);
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let patients = planted(&people, &[]);
    let planted = planted(&people, &secrets);

    let referral = site.referrals().remove(0);
    for (path, expected) in MATRIX {
        for ((column, session), expected) in COLUMNS.iter().zip(&sessions).zip(expected) {
            let name = format!("{}%20{}", people[0].given, people[0].family).replace(['ñ', 'é', 'í', 'ó'], "n");
            let path = path.replace("{id}", &referral).replace("{name}", &name);
            let answer = site.get(Some(session), &path).await;
            let seen = found(answer.body.as_bytes(), &patients);
            let told = format!("{}{}", answer.status.as_u16(), if seen.is_empty() { "" } else { "!" });
            let is_worklist = path.starts_with("/api/worklists") || path.ends_with("/tasks");
            let list_may_be_empty = is_worklist && told.trim_end_matches('!') == *expected;
            let sees_patients = matches!(column.role, Role::Coordinator | Role::Physician);
            assert!(
                told == *expected || (list_may_be_empty && sees_patients),
                "{path} for {}: {told}, expected {expected}: {seen:?}",
                column.name
            );
            for (header, _) in [("content-security-policy", ""), ("x-content-type-options", "nosniff")] {
                assert!(answer.headers.contains_key(header), "{path} has no {header}");
            }
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert!(answer.headers["strict-transport-security"].to_str().is_ok_and(|it| it.starts_with("max-age=")));
            if !answer.status.is_success() {
                answer.problem();
                let quoted = found(answer.body.as_bytes(), &planted);
                assert_eq!(quoted, [""; 0], "{path} for {} quotes", column.name);
            }
        }
    }
    nobody_gets_anything_without_a_session(&site, &referral).await;
    let known: Vec<&str> = ROUTES.iter().filter(|route| route.method == Method::GET).map(|route| route.path).collect();
    let covered = |path: &&str| {
        let shape = path.replace("{item}", "{name}").replace("{referral}", "{id}");
        MATRIX.iter().any(|(row, _)| row.split('?').next() == Some(shape.as_str()))
    };
    let missing: Vec<&&str> = known.iter().filter(|path| !covered(path)).collect();
    assert_eq!(missing, [&""; 0], "the matrix has no row for them");

    // A monitoring system, by its own token.
    let mut asked = request(Method::GET, "/metrics", None, None);
    asked.headers_mut().insert("authorization", format!("Bearer {METRICS_TOKEN}").parse().expect("a header"));
    let metrics = site.send(asked).await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.body.contains("handoff_journal_healthy 1"), "{}", metrics.body);
    assert_eq!(found(metrics.body.as_bytes(), &planted), [""; 0]);

    for path in files(site.data.path()) {
        let bytes = std::fs::read(&path).expect("a file");
        assert_eq!(found(&bytes, &planted), [""; 0], "in {}", path.display());
    }
    let logged = log.taken();
    assert!(String::from_utf8_lossy(&logged).contains("listening for HL7 v2"), "the log was not heard");
    assert_eq!(found(&logged, &planted), [""; 0], "in the log");
}

async fn nobody_gets_anything_without_a_session(site: &Site, referral: &str) {
    for route in ROUTES {
        let open = route.access == RouteAccess::Open;
        let path = route.path.replace("{id}", referral).replace("{referral}", referral);
        let answer = site.send(request(route.method.clone(), &path, None, Some(json!({})))).await;
        assert_eq!(answer.status == 401, !open, "{} {path}: {}", route.method, answer.status);
    }
}

/// Alerts and dashboard are files of this repository: a metric that is renamed must not silence them.
#[tokio::test(flavor = "multi_thread")]
async fn alerts_and_dashboard_ask_for_metrics_that_exist() {
    let site = Site::open().await;
    site.people();
    let mut asked = request(Method::GET, "/metrics", None, None);
    asked.headers_mut().insert("authorization", format!("Bearer {METRICS_TOKEN}").parse().expect("a header"));
    let metrics = site.send(asked).await.body;
    let told: Vec<&str> = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    assert!(told.len() > 15, "{metrics}");
    let mut named = 0;
    for file in ["ops/alerts.yaml", "ops/dashboard.json"] {
        let path = format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("a file of this repository");
        let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
        for at in text.match_indices("handoff_").map(|(at, _)| at) {
            let name: String = text[at..].chars().take_while(|c| is_name(*c)).collect();
            assert!(told.contains(&name.as_str()), "{file} asks for {name}, which is not in /metrics");
            named += 1;
        }
    }
    assert!(named > 30, "{named}");
}
