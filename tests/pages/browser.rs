//! A real Chromium on a real socket: each role signs in and reads its pages, at two widths and in both themes; and other sites'
//! pages, stored scripts and frames get nowhere.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fantoccini::{Client, Locator};
use handoff_identity::role::Role;
use serde_json::{Value, json};

use super::matrix::{COLUMNS, Column};
use super::office::{Browser, Office, WIDE};
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
            "/dead-letters",
            "/no-such-page",
        ],
    ),
    (Role::Physician, &["/mine", "/referrals/{id}"]),
    (Role::Manager, &["/huddle", "/worklist", "/referrals/{id}", "/figures?by=specialist", "/workflow"]),
    (Role::It, &["/system", "/people", "/plugins", "/workflow", "/dead-letters"]),
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
async fn sign_in(site: &Site, office: &Office, client: &Client, column: &Column) {
    let welcome = site.add(column.name, column.role, column.provider, false).await;
    let once = welcome.password.expect("one was made");
    client.goto(&office.url("/sign-in")).await.expect("a page");
    fill(client, "name", column.name).await;
    fill(client, "password", once.as_str()).await;
    press(client, "main form button.main").await;
    fill(client, "new", &chosen(column.name)).await;
    fill(client, "again", &chosen(column.name)).await;
    press(client, "main form button.main").await;
}

async fn fill(client: &Client, id: &str, text: &str) {
    let field = client.wait().at_most(Duration::from_secs(20)).for_element(Locator::Id(id)).await;
    field.expect("the field is there").send_keys(text).await.expect("typed");
}

async fn press(client: &Client, selector: &str) {
    let button = client.find(Locator::Css(selector)).await.expect("the button is there");
    button.click().await.expect("pressed");
}

async fn run(client: &Client, script: &str) -> Value {
    client.execute(script, Vec::new()).await.expect("the script runs")
}

/// Whole, however long the page is.
async fn picture(client: &Client, width: u32, name: &str) {
    let height = run(client, "return document.documentElement.scrollHeight").await.as_u64().unwrap_or(900);
    let height = u32::try_from(height.clamp(700, 6_000)).expect("a height");
    client.set_window_size(width, height).await.expect("a size");
    let picture = client.screenshot().await.expect("a picture");
    std::fs::write(pictures().join(format!("{name}-{width}.png")), picture).expect("written");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_reads_its_pages_at_a_desk_and_on_a_telephone() {
    let site = Site::midway().await;
    let office = Office::open(&site).await;
    let people = site.people();
    let planted = planted(&people, &[]);
    let referral = site.talkative();
    let axe = office.axe();
    for (role, pages) in PAGES_BY_ROLE {
        let column = COLUMNS.iter().find(|column| column.role == *role).expect("a column");
        let browser = Browser::open(&office, WIDE).await;
        let client = &browser.client;
        if *role == Role::Coordinator {
            client.goto(&office.url("/sign-in")).await.expect("a page");
            picture(client, WIDE, "sign-in").await;
        }
        sign_in(&site, &office, client, column).await;
        for path in *pages {
            let path = path.replace("{id}", &referral);
            for width in WIDTHS {
                browser.widen(width).await;
                client.goto(&office.url(&path)).await.expect("a page");
                let title = client.title().await.expect("a title");
                assert!(title.ends_with("· Handoff"), "{path}: {title}");
                let address = client.current_url().await.expect("an address").to_string();
                for place in [&title, &address] {
                    assert_eq!(found(place.as_bytes(), &planted), [""; 0], "{path} for {role}");
                }
                if matches!(role, Role::Manager | Role::It | Role::Auditor) {
                    let page = client.source().await.expect("a page");
                    assert_eq!(found(page.as_bytes(), &planted), [""; 0], "{path} for {role}");
                }
                let ground = "return getComputedStyle(document.documentElement).getPropertyValue('--paper')";
                assert_ne!(run(client, ground).await, json!(""), "{path} has its stylesheet");
                let wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
                assert_eq!(run(client, wider).await, json!(0), "{path} at {width} scrolls sideways");
                let name = format!("{role}{}", path.replace(&referral, "one").replace(['/', '?', '='], "-"));
                picture(client, width, &name).await;
                browser.widen(width).await;
            }
            if let Some(axe) = &axe {
                for theme in ["light", "dark"] {
                    run(client, &format!("document.documentElement.dataset.theme = '{theme}'")).await;
                    let faults = faults(client, axe).await;
                    assert_eq!(faults, [""; 0], "{path} for {role} in {theme}");
                }
            }
        }
        browser.close().await;
    }
}

/// What axe-core has against a page (WCAG 2.1 AA).
async fn faults(client: &Client, axe: &str) -> Vec<String> {
    run(client, axe).await;
    let script = "const done = arguments[arguments.length - 1];
        axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }).then(found => done(
            found.violations.map(it => it.id + ': ' + it.nodes.map(node => node.target.join(' ')).slice(0, 3).join(', '))));";
    let told = client.execute_async(script, Vec::new()).await.expect("axe runs");
    told.as_array().expect("a list").iter().map(|it| it.as_str().unwrap_or_default().to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_works_with_keys_and_without_script() {
    let site = Site::midway().await;
    let office = Office::open(&site).await;
    let people = site.people();
    let browser = Browser::open(&office, WIDE).await;
    let client = &browser.client;
    sign_in(&site, &office, client, &COLUMNS[0]).await;
    client.goto(&office.url("/worklist?view=everyone")).await.expect("a page");
    let body = client.find(Locator::Css("body")).await.expect("a body");
    body.send_keys("jjk").await.expect("typed");
    let place = "return [...document.querySelectorAll('.work .row:not(.row-head)')].findIndex(row => row.ariaCurrent)";
    assert_eq!(run(client, place).await, json!(0), "two down, one up");
    body.send_keys("/").await.expect("typed");
    assert_eq!(run(client, "return document.activeElement.id").await, json!("q"));
    let person = &people[0];
    let field = client.find(Locator::Id("q")).await.expect("a field");
    field.send_keys(&format!("{}\u{e007}", person.family)).await.expect("typed");
    client.wait().at_most(Duration::from_secs(20)).for_element(Locator::Css("ol.rows")).await.expect("a list");
    let address = client.current_url().await.expect("an address");
    assert_eq!((address.path(), address.query()), ("/search", None), "nobody is in an address");
    let page = client.source().await.expect("a page");
    assert!(page.contains(&person.family), "the patient was found");
    picture(client, WIDE, "coordinator-search").await;
    browser.close().await;

    let browser = Browser::without_script(&office).await;
    let client = &browser.client;
    client.goto(&office.url("/sign-in")).await.expect("a page");
    fill(client, "name", COLUMNS[0].name).await;
    fill(client, "password", &chosen(COLUMNS[0].name)).await;
    press(client, "main form button.main").await;
    client.wait().at_most(Duration::from_secs(20)).for_element(Locator::Css(".work")).await.expect("a worklist");
    press(client, "button[name=theme][value=dark]").await;
    client.wait().for_element(Locator::Css("html[data-theme=dark]")).await.expect("dark");
    press(client, "a.who").await;
    client.wait().for_element(Locator::Id("said")).await.expect("a referral");
    press(client, "form.out button").await;
    client.wait().for_element(Locator::Id("password")).await.expect("signed out");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_pages_and_stored_scripts_get_nowhere() {
    let site = Site::open().await;
    let office = Office::open(&site).await;
    let browser = Browser::open(&office, WIDE).await;
    let client = &browser.client;
    let it = COLUMNS.iter().find(|column| column.role == Role::It).expect("a column");
    sign_in(&site, &office, client, it).await;
    client.goto(&office.url("/people")).await.expect("a page");

    // In a frame of another site's.
    let evil = office.neighbour(&format!(
        "<title>evil</title><iframe id=f src='{0}'></iframe>\
         <form id=lock method=post action='{0}/{1}/lock'><input name=why value=evil><input name=csrf value=x></form>",
        office.url("/people"),
        it.name
    ));
    client.goto(&evil.await).await.expect("a page");
    client.find(Locator::Id("f")).await.expect("a frame").enter_frame().await.expect("entered");
    let framed = client.source().await.expect("a page");
    assert!(!framed.contains("One-time") && !framed.contains(it.name), "a frame shows nothing of ours");
    client.enter_parent_frame().await.expect("left");

    // A form of another site's.
    let before = site.records().len();
    run(client, "document.getElementById('lock').submit()").await;
    client.wait().at_most(Duration::from_secs(20)).for_element(Locator::Css("[role=alert]")).await.expect("told");
    assert_eq!(site.records().len(), before, "nothing was done");
    client.goto(&office.url("/people")).await.expect("a page");
    assert!(client.current_url().await.expect("an address").path() == "/people", "and nobody was signed out");

    // What somebody else wrote: a reason is shown on the audit page as it was typed.
    let script = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>";
    press(client, "details summary.btn.main").await;
    fill(client, "name", "planted").await;
    fill(client, "why", script).await;
    press(client, "form[action='/people'] button.main").await;
    client.wait().at_most(Duration::from_secs(20)).for_element(Locator::Css("[role=status]")).await.expect("added");
    browser.close().await;
    let browser = Browser::open(&office, WIDE).await;
    let client = &browser.client;
    let auditor = COLUMNS.iter().find(|column| column.role == Role::Auditor).expect("a column");
    sign_in(&site, &office, client, auditor).await;
    client.goto(&office.url("/audit?what=acts")).await.expect("a page");
    let text = client.find(Locator::Css("main")).await.expect("a page").text().await.expect("a text");
    assert!(text.contains(script), "it is shown as it was typed");
    assert_eq!(client.title().await.expect("a title"), "Audit · Handoff", "and does not run");
    assert_eq!(run(client, "return document.querySelectorAll('main img, main script').length").await, json!(0));
    browser.close().await;
}
