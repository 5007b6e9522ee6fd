//! Role by role, page by page: which open, in which of them a patient can be found, and what every one of them tells a browser.

use axum::http::Method;
use handoff_identity::role::Role;
use handoff_web::pages::PAGES;

use super::doors::ask;
use crate::people::site::{REFERRING, Session, Site};
use crate::secrets::{found, planted};

/// One who asks: the column.
pub struct Column {
    pub name: &'static str,
    pub role: Role,
    pub provider: Option<&'static str>,
}

pub const COLUMNS: [Column; 6] = [
    Column { name: "coordinator", role: Role::Coordinator, provider: None },
    Column { name: "own.physician", role: Role::Physician, provider: Some(REFERRING) },
    Column { name: "other.physician", role: Role::Physician, provider: Some("1932745621") },
    Column { name: "manager", role: Role::Manager, provider: None },
    Column { name: "it", role: Role::It, provider: None },
    Column { name: "auditor", role: Role::Auditor, provider: None },
];

/// What each gets: the status, and `!` where a patient is in clear on the page.
const MATRIX: &[(&str, [&str; 6])] = &[
    ("/", ["303", "303", "303", "303", "303", "303"]),
    ("/sign-in", ["303", "303", "303", "303", "303", "303"]),
    ("/sign-in/link/{name}", ["404", "404", "404", "404", "404", "404"]),
    ("/set-up/{name}", ["404", "404", "404", "404", "404", "404"]),
    ("/assets/{name}", ["404", "404", "404", "404", "404", "404"]),
    ("/worklist?view=everyone", ["200!", "200!", "200", "200", "403", "403"]),
    ("/worklist?view=not-booked&sort=next", ["200!", "200!", "200", "200", "403", "403"]),
    ("/worklist?q={name}", ["400", "400", "400", "400", "403", "403"]),
    ("/mine", ["403", "200!", "200", "403", "403", "403"]),
    // Another physician is asked for the emergency that opens it.
    ("/referrals/{id}", ["200!", "200!", "200", "200", "200", "200"]),
    ("/referrals/{id}/note", ["200", "200", "404", "404", "404", "404"]),
    ("/referrals/{id}/note/{nth}", ["404", "404", "404", "404", "404", "404"]),
    ("/referrals/{name}", ["404", "404", "404", "404", "404", "404"]),
    ("/huddle", ["200", "403", "403", "200", "403", "403"]),
    ("/specialists", ["200", "403", "403", "200", "403", "403"]),
    ("/figures", ["200", "403", "403", "200", "403", "403"]),
    ("/figures?by=physician", ["200", "403", "403", "200", "403", "403"]),
    ("/figures.csv", ["200", "403", "403", "200", "403", "403"]),
    ("/dead-letters", ["200", "403", "403", "200", "200", "403"]),
    ("/dead-letters/{name}/bytes", ["404", "403", "403", "403", "403", "403"]),
    ("/unmatched", ["200", "403", "403", "200", "200", "403"]),
    ("/unmatched?all=true", ["200", "403", "403", "200", "200", "403"]),
    ("/unmatched/{name}/bytes", ["404", "403", "403", "403", "403", "403"]),
    ("/workflow", ["403", "403", "403", "200", "200", "200"]),
    ("/plugins", ["403", "403", "403", "200", "200", "200"]),
    ("/system", ["403", "403", "403", "200", "200", "403"]),
    ("/people", ["403", "403", "403", "403", "200", "403"]),
    ("/audit", ["403", "403", "403", "403", "403", "200"]),
    ("/audit?what=all", ["403", "403", "403", "403", "403", "200"]),
    ("/audit?referral={name}", ["403", "403", "403", "403", "403", "200"]),
    ("/{name}", ["404", "404", "404", "404", "404", "404"]),
];

/// With stylesheet and script: on a telephone in a cellar it is there in a second.
const WEIGHT_MAX: usize = 150_000;

#[tokio::test(flavor = "multi_thread")]
async fn each_role_opens_its_pages_and_patients_are_found_nowhere_else() {
    let site = Site::midway().await;
    let people = site.people();
    let planted = planted(&people, &[]);
    let mut sessions: Vec<Session> = Vec::new();
    for Column { name, role, provider } in COLUMNS {
        sessions.push(site.welcome(name, role, provider).await);
    }
    let referral = site.noted();
    let patient = format!("{}%20{}", people[0].given, people[0].family).replace(['ñ', 'é', 'í', 'ó', 'á', 'ú'], "n");
    for (path, expected) in MATRIX {
        for ((column, session), expected) in COLUMNS.iter().zip(&sessions).zip(expected) {
            let path = path.replace("{id}", &referral).replace("{name}", &patient).replace("{nth}", "99");
            let answer = ask(&site, Method::GET, &path, Some(session), &[]).await;
            let seen = found(answer.body.as_bytes(), &planted);
            let is_file = path.ends_with("/note");
            let told = format!("{}{}", answer.status.as_u16(), if seen.is_empty() || is_file { "" } else { "!" });
            assert_eq!(told, *expected, "{path} for {}: {seen:?}", column.name);
            let header = |name: &str| answer.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
            let policy = header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
            assert!(!policy.contains("unsafe") && !policy.contains('*'), "{path}: {policy}");
            assert_eq!(header("cache-control"), "no-store", "{path}");
            assert_eq!(header("x-frame-options"), "DENY", "{path}");
            for (name, value) in &answer.headers {
                let seen = found(value.as_bytes(), &planted);
                assert_eq!(seen, [""; 0], "in {name} of {path} for {}", column.name);
            }
            if header("content-type").starts_with("text/html") {
                is_sound(&answer.body, &path);
            }
        }
        // Whoever is not signed in gets to the door, or nothing.
        let path = path.replace("{id}", &referral).replace("{name}", &patient);
        let answer = ask(&site, Method::GET, &path, None, &[]).await;
        let open = path.starts_with("/sign-in")
            || path.starts_with("/set-up")
            || path.starts_with("/assets")
            || answer.status == 404;
        assert!(open || answer.headers.get("location").is_some_and(|it| it == "/sign-in"), "{path}: {}", answer.status);
        assert_eq!(found(answer.body.as_bytes(), &planted), [""; 0], "{path} without a session");
    }
    let known = PAGES.iter().filter(|route| route.method == Method::GET).map(|route| route.path);
    let covered = |path: &&str| {
        let shape = path.replace("{item}", "{name}").replace("{token}", "{name}");
        MATRIX.iter().any(|(row, _)| row.split('?').next() == Some(shape.as_str()))
    };
    assert_eq!(known.filter(|path| !covered(path)).collect::<Vec<_>>(), [""; 0], "the matrix has no row for them");
}

/// What holds for every page: no script or style of its own, no address of another site, and not heavy.
fn is_sound(page: &str, path: &str) {
    for inline in [" style=", "<style", "javascript:", " onclick=", " onload=", " onerror="] {
        assert!(!page.contains(inline), "{path} has {inline}");
    }
    for script in page.match_indices("<script").map(|(at, _)| &page[at..]) {
        assert!(script.starts_with("<script src=\"/assets/"), "{path} has a script of its own");
    }
    assert!(!page.contains("=\"http"), "{path} loads from elsewhere");
    let loaded: usize = ["css", "js"].iter().map(|kind| asset(kind).len()).sum();
    assert!(page.len() + loaded <= WEIGHT_MAX, "{path} weighs {} bytes", page.len() + loaded);
    assert!(page.contains("<html lang=\"en\"") && page.contains("<h1"), "{path}");
}

fn asset(kind: &str) -> String {
    let file = if kind == "css" { "handoff.css" } else { "keys.js" };
    let path = format!("{}/../runtime/web/assets/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("a file of this repository")
}
