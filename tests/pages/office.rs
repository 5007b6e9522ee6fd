//! Handoff's pages on a socket of the loopback interface, a site beside it that means no good, and what drives a browser.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use handoff_ingress::http::Scheme;
use handoff_web::api::Api;
use tokio::net::TcpListener;

use crate::people::site::Site;

pub struct Office {
    address: String,
    pub driver: Driver,
}

/// Dropped, it is killed: nobody waits for a browser after its test.
pub struct Driver {
    process: Child,
    pub port: u16,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
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
