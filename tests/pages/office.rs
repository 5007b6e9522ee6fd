//! A desk with a browser: Handoff's pages on a socket of the loopback interface, and a Chromium that is told what to do.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use fantoccini::{Client, ClientBuilder};
use handoff_ingress::http::Scheme;
use handoff_web::api::Api;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::people::site::Site;

/// A desk's screen.
pub const WIDE: u32 = 1280;

const HEIGHT: u32 = 900;

/// Nothing of its own goes to the network, and nothing is shown.
const ARGUMENTS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-prefers-reduced-motion",
];

pub struct Office {
    address: String,
    driver: Driver,
}

/// Dropped, it is killed: nobody waits for a browser after its test.
struct Driver {
    process: Child,
    port: u16,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

pub struct Browser {
    pub client: Client,
    _profile: TempDir,
}

impl Office {
    pub async fn open(site: &Site) -> Office {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        // Browsers send `Secure` cookies to this name without TLS.
        let address = format!("http://localhost:{}", listener.local_addr().expect("an address").port());
        let api = Api::new(Arc::clone(&site.operations), Some(address.clone()), Scheme::Http, None);
        let router = api.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Office { address, driver: Driver::start() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// A page of another site's.
    pub async fn neighbour(&self, page: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://127.0.0.1:{}/", listener.local_addr().expect("an address").port());
        let page = page.to_string();
        let router = Router::new().route("/", get(async move || Html(page)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    /// axe-core, where npm can get it.
    pub fn axe(&self) -> Option<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/axe");
        let script = folder.join("node_modules/axe-core/axe.min.js");
        if !script.exists() {
            std::fs::create_dir_all(&folder).expect("a folder");
            let npm = ["install", "--silent", "--no-save", "--ignore-scripts", "--prefix"];
            let installed = Command::new("npm").args(npm).arg(&folder).arg("axe-core@4").status();
            if !installed.is_ok_and(|status| status.success()) {
                return None;
            }
        }
        std::fs::read_to_string(script).ok()
    }
}

impl Driver {
    fn start() -> Driver {
        let started = Command::new("chromedriver").args(["--port=0"]).stdout(Stdio::piped()).spawn();
        let mut process = started.unwrap_or_else(|error| {
            panic!("chromedriver does not run ({error}): `just browser` installs it with Chromium, where apt-get can")
        });
        let said = BufReader::new(process.stdout.take().expect("a pipe"));
        let port = said.lines().map_while(Result::ok).find_map(|line| {
            line.contains("started successfully")
                .then(|| line.trim_end_matches('.').rsplit(' ').next()?.parse().ok())?
        });
        Driver { port: port.expect("chromedriver says where it listens"), process }
    }
}

impl Browser {
    pub async fn open(office: &Office, width: u32) -> Browser {
        let browser = Browser::with(office, json!({})).await;
        browser.widen(width).await;
        browser
    }

    /// Whose owner lets no site run anything.
    pub async fn without_script(office: &Office) -> Browser {
        Browser::with(office, json!({ "profile.managed_default_content_settings.javascript": 2 })).await
    }

    async fn with(office: &Office, preferences: Value) -> Browser {
        let profile = TempDir::new().expect("a folder");
        let own = format!("--user-data-dir={}", profile.path().display());
        let arguments: Vec<&str> = ARGUMENTS.iter().copied().chain([own.as_str()]).collect();
        let options = json!({ "args": arguments, "prefs": preferences });
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options });
        let Value::Object(wanted) = wanted else { unreachable!("it is written as one") };
        let driver = format!("http://127.0.0.1:{}", office.driver.port);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(wanted).connect(&driver).await.expect("a browser");
        Browser { client, _profile: profile }
    }

    /// A window of this width. Chromium makes none as narrow as a telephone by itself: its page is told to be so.
    pub async fn widen(&self, width: u32) {
        self.client.set_window_size(width, HEIGHT).await.expect("a size");
    }

    pub async fn close(self) {
        self.client.close().await.expect("closed");
    }
}
