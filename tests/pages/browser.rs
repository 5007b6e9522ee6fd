//! A real Chromium on a real socket: each role signs in and reads its pages, at two widths and in both themes; and other sites'
//! pages, stored scripts and frames get nowhere.

use std::path::{Path, PathBuf};

use handoff_identity::role::Role;
use serde_json::json;

use super::desk::{Browser, WIDE};
use super::matrix::{COLUMNS, Column};
use super::office::Office;
use crate::people::site::{Site, chosen};
use crate::secrets::{found, planted};

/// Each role's pages, as its navigation has them; `{id}` is a referral.
const PAGES_BY_ROLE: &[(Role, &[&str])] = &[
    (
        Role::Coordinator,
        &[
            "/worklist",
            "/worklist?view=everyone",
            "/worklist?view=replies",
            "/referrals/{id}",
            "/huddle",
            "/specialists",
            "/figures",
            "/unmatched",
            "/dead-letters",
            "/no-such-page",
        ],
    ),
    (Role::Physician, &["/mine", "/referrals/{id}"]),
    (Role::Manager, &["/huddle", "/worklist", "/referrals/{id}", "/figures?by=specialist", "/workflow"]),
    (Role::It, &["/system", "/people", "/plugins", "/workflow", "/unmatched", "/dead-letters"]),
    (Role::Auditor, &["/audit", "/audit?what=sign-ins", "/referrals/{id}"]),
];

/// Two widths: a desk and a telephone.
const WIDTHS: [u32; 2] = [WIDE, 390];

fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Through the form, as a person does: a one-time password, then one of their own.
async fn sign_in(site: &Site, office: &Office, browser: &Browser, column: &Column) {
    let welcome = site.add(column.name, column.role, column.provider, false).await;
    let once = welcome.password.expect("one was made");
    browser.goto(&office.url("/sign-in")).await;
    browser.write("#name", column.name).await;
    browser.write("#password", once.as_str()).await;
    browser.press("main form button.main").await;
    browser.write("#new", &chosen(column.name)).await;
    browser.write("#again", &chosen(column.name)).await;
    browser.press("main form button.main").await;
    browser.find("form.out").await;
}

async fn keep(browser: &Browser, width: u32, name: &str) {
    let picture = browser.picture(width).await;
    std::fs::write(pictures().join(format!("{name}-{width}.png")), picture).expect("written");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_reads_its_pages_at_a_desk_and_on_a_telephone() {
    let site = Site::midway().await;
    let (_, taken) = site.note_of_two_patients().await;
    assert!(taken.contains("MSA|AA"), "it waits for a person: {taken}");
    let office = Office::open(&site).await;
    let people = site.people();
    let planted = planted(&people, &[]);
    let referral = site.talkative();
    let axe = office.axe();
    for (role, pages) in PAGES_BY_ROLE {
        let column = COLUMNS.iter().find(|column| column.role == *role).expect("a column");
        let browser = Browser::open(&office).await;
        if *role == Role::Coordinator {
            for width in WIDTHS {
                browser.widen(width).await;
                browser.goto(&office.url("/sign-in")).await;
                keep(&browser, width, "sign-in").await;
            }
        }
        sign_in(&site, &office, &browser, column).await;
        for path in *pages {
            let path = path.replace("{id}", &referral);
            for width in WIDTHS {
                browser.widen(width).await;
                browser.goto(&office.url(&path)).await;
                let title = browser.title().await;
                assert!(title.ends_with("· Handoff"), "{path}: {title}");
                let address = browser.address().await;
                for place in [&title, &address] {
                    assert_eq!(found(place.as_bytes(), &planted), [""; 0], "{path} for {role}");
                }
                if matches!(role, Role::Manager | Role::It | Role::Auditor) {
                    let page = browser.source().await;
                    assert_eq!(found(page.as_bytes(), &planted), [""; 0], "{path} for {role}");
                }
                let ground = "return getComputedStyle(document.documentElement).getPropertyValue('--paper')";
                assert_ne!(browser.run(ground).await, json!(""), "{path} has its stylesheet");
                let wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
                assert_eq!(browser.run(wider).await, json!(0), "{path} at {width} scrolls sideways");
                let name = format!("{role}{}", path.replace(&referral, "one").replace(['/', '?', '='], "-"));
                keep(&browser, width, &name).await;
            }
            if path == "/huddle" {
                assert_eq!(browser.sheets().await, 1, "the huddle is one sheet of paper");
            }
            if let Some(axe) = &axe {
                for theme in ["light", "dark"] {
                    browser.run(&format!("document.documentElement.dataset.theme = '{theme}'")).await;
                    let faults = faults(&browser, axe).await;
                    assert_eq!(faults, [""; 0], "{path} for {role} in {theme}");
                }
            }
        }
        browser.close().await;
    }
}

/// What axe-core has against a page (WCAG 2.1 AA).
async fn faults(browser: &Browser, axe: &str) -> Vec<String> {
    browser.run(axe).await;
    let script = "const done = arguments[arguments.length - 1];
        axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }).then(found => done(
            found.violations.map(it => it.id + ': ' + it.nodes.map(node => node.target.join(' ')).slice(0, 3).join(', '))));";
    let told = browser.run_until(script).await;
    told.as_array().expect("a list").iter().map(|it| it.as_str().unwrap_or_default().to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_works_with_keys_and_without_script() {
    let site = Site::midway().await;
    let office = Office::open(&site).await;
    let people = site.people();
    let browser = Browser::open(&office).await;
    sign_in(&site, &office, &browser, &COLUMNS[0]).await;
    browser.goto(&office.url("/worklist?view=everyone")).await;
    browser.write("body", "jjk").await;
    let place = "return [...document.querySelectorAll('.work .row:not(.row-head)')].findIndex(row => row.ariaCurrent)";
    assert_eq!(browser.run(place).await, json!(0), "two down, one up");
    browser.write("body", "/").await;
    assert_eq!(browser.run("return document.activeElement.id").await, json!("q"));
    let person = &people[0];
    browser.write("#q", &format!("{}\u{e007}", person.family)).await;
    browser.find("#again").await;
    assert_eq!(browser.address().await, office.url("/search"), "nobody is in an address");
    let page = browser.source().await;
    assert!(page.contains(&person.family), "the patient was found");
    keep(&browser, WIDE, "coordinator-search").await;
    browser.close().await;

    let browser = Browser::without_script(&office).await;
    browser.goto(&office.url("/sign-in")).await;
    browser.write("#name", COLUMNS[0].name).await;
    browser.write("#password", &chosen(COLUMNS[0].name)).await;
    browser.press("main form button.main").await;
    browser.find(".work").await;
    browser.press("button[name=theme][value=dark]").await;
    browser.find("html[data-theme=dark]").await;
    browser.press("a.who").await;
    browser.find("#said").await;
    browser.press("form.out button").await;
    browser.find("#password").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_pages_and_stored_scripts_get_nowhere() {
    let site = Site::open().await;
    let office = Office::open(&site).await;
    let browser = Browser::open(&office).await;
    let it = COLUMNS.iter().find(|column| column.role == Role::It).expect("a column");
    sign_in(&site, &office, &browser, it).await;
    browser.goto(&office.url("/people")).await;

    // In a frame of another site's.
    let page = format!(
        "<title>evil</title><iframe id=f src='{0}'></iframe>\
         <form id=lock method=post action='{0}/{1}/lock'><input name=why value=evil><input name=csrf value=x></form>",
        office.url("/people"),
        it.name
    );
    browser.goto(&office.neighbour(&page).await).await;
    browser.enter_frame("#f").await;
    let framed = browser.source().await;
    assert!(!framed.contains("Add somebody") && !framed.contains("name=\"csrf\""), "a frame shows nothing of ours");
    browser.leave_frame().await;

    // A form of another site's.
    let before = site.records().len();
    browser.run("document.getElementById('lock').submit()").await;
    browser.find("[role=alert]").await;
    assert_eq!(site.records().len(), before, "nothing was done");
    browser.goto(&office.url("/people")).await;
    assert_eq!(browser.address().await, office.url("/people"), "and nobody was signed out");

    // What somebody else wrote: a reason is shown on the audit page as it was typed, a patient's name wherever it stands.
    let script = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>";
    browser.press("details summary.btn.main").await;
    browser.write("#name", "planted").await;
    browser.write("#why", script).await;
    browser.press("form[action='/people'] button.main").await;
    browser.find("[role=status]").await;
    browser.close().await;
    let browser = Browser::open(&office).await;
    let auditor = COLUMNS.iter().find(|column| column.role == Role::Auditor).expect("a column");
    sign_in(&site, &office, &browser, auditor).await;
    browser.goto(&office.url("/audit?what=acts")).await;
    let text = browser.text("main").await;
    assert!(text.contains(script), "it is shown as it was typed");
    assert_eq!(browser.title().await, "Audit · Handoff", "and does not run");
    assert_eq!(browser.run("return document.querySelectorAll('main img, main script').length").await, json!(0));
    browser.close().await;

    // A link would be refused; an alert that opens would let no command of the browser's through.
    site.order_for("<img src=x onerror=\"alert(1)\">", "<script>alert(1)</script>").await;
    let browser = Browser::open(&office).await;
    sign_in(&site, &office, &browser, &COLUMNS[0]).await;
    browser.goto(&office.url("/worklist?view=everyone")).await;
    let row = "//a[contains(., 'onerror')]";
    let found = format!("return document.evaluate(\"{row}\", document, null, 9, null).singleNodeValue?.pathname");
    let referral = browser.run(&found).await;
    browser.goto(&office.url(referral.as_str().expect("the patient is on the list, as words"))).await;
    let heading = browser.text("h1").await;
    assert!(heading.contains("onerror=") && heading.contains("<script>"), "{heading}");
    assert!(browser.title().await.starts_with("Referral "), "and does not run");
    assert_eq!(browser.run("return document.querySelectorAll('main img, main script').length").await, json!(0));
    browser.close().await;
}
