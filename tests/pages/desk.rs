//! A Chromium that is told what to do (WebDriver, W3C Recommendation of 2018): the dozen commands that a person's hands need. A crate
//! for it would bring another HTTP client, and features of `url` that everything else would be compiled anew for.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::office::Office;

/// A desk's screen.
pub const WIDE: u32 = 1280;

const HEIGHT: u32 = 900;

/// A page of a debug build, on a machine that builds beside us.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at something that will come about.
const LOOK: Duration = Duration::from_millis(50);

/// By which an element is named (12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

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
];

pub struct Browser {
    http: Client,
    session: String,
    _profile: TempDir,
}

/// Something on a page.
pub struct Element(String);

impl Browser {
    pub async fn open(office: &Office) -> Browser {
        Browser::with(office, json!({})).await
    }

    /// Whose owner lets no site run anything.
    pub async fn without_script(office: &Office) -> Browser {
        Browser::with(office, json!({ "profile.managed_default_content_settings.javascript": 2 })).await
    }

    async fn with(office: &Office, preferences: Value) -> Browser {
        handoff_vault::crypto_provider::install();
        let profile = TempDir::new().expect("a folder");
        let own = format!("--user-data-dir={}", profile.path().display());
        let arguments: Vec<&str> = ARGUMENTS.iter().copied().chain([own.as_str()]).collect();
        let options = json!({ "args": arguments, "prefs": preferences });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let http = Client::builder().no_proxy().build().expect("a client");
        let driver = format!("http://127.0.0.1:{}/session", office.driver.port);
        let begun = told(http.post(&driver).json(&wanted).send().await.expect("a driver")).await.expect("a browser");
        let session = format!("{driver}/{}", begun["sessionId"].as_str().expect("a session"));
        let browser = Browser { http, session, _profile: profile };
        browser.widen(WIDE).await;
        browser
    }

    async fn ask(&self, method: Method, command: &str, body: Value) -> Result<Value, String> {
        let request = self.http.request(method.clone(), format!("{}/{command}", self.session));
        let request = if method == Method::POST { request.json(&body) } else { request };
        told(request.send().await.map_err(|error| format!("{command}: {error}"))?).await
    }

    async fn post(&self, command: &str, body: Value) -> Value {
        self.ask(Method::POST, command, body).await.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    async fn get(&self, command: &str) -> String {
        let told = self.ask(Method::GET, command, Value::Null).await;
        let told = told.unwrap_or_else(|error| panic!("{command}: {error}"));
        told.as_str().expect("a text").to_string()
    }

    pub async fn goto(&self, address: &str) {
        self.post("url", json!({ "url": address })).await;
    }

    pub async fn title(&self) -> String {
        self.get("title").await
    }

    pub async fn address(&self) -> String {
        self.get("url").await
    }

    pub async fn source(&self) -> String {
        self.get("source").await
    }

    /// Waits for the first that fits.
    pub async fn find(&self, selector: &str) -> Element {
        let begun = Instant::now();
        loop {
            let found = self.ask(Method::POST, "element", json!({ "using": "css selector", "value": selector })).await;
            match found {
                Ok(found) => return Element(found[ELEMENT].as_str().expect("an element").to_string()),
                Err(error) if begun.elapsed() > PATIENCE => panic!("{selector}: {error}: {}", self.source().await),
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }

    pub async fn press(&self, selector: &str) {
        let Element(element) = self.find(selector).await;
        self.post(&format!("element/{element}/click"), json!({})).await;
    }

    pub async fn write(&self, selector: &str, text: &str) {
        let Element(element) = self.find(selector).await;
        self.post(&format!("element/{element}/value"), json!({ "text": text })).await;
    }

    pub async fn text(&self, selector: &str) -> String {
        let Element(element) = self.find(selector).await;
        self.get(&format!("element/{element}/text")).await
    }

    pub async fn run(&self, script: &str) -> Value {
        self.post("execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// Until the script calls its last argument.
    pub async fn run_until(&self, script: &str) -> Value {
        self.post("execute/async", json!({ "script": script, "args": [] })).await
    }

    pub async fn enter_frame(&self, selector: &str) {
        let Element(element) = self.find(selector).await;
        self.post("frame", json!({ "id": { ELEMENT: element } })).await;
    }

    pub async fn leave_frame(&self) {
        self.post("frame/parent", json!({})).await;
    }

    /// A screen of this width. No window is as narrow as a telephone: its page is told that it is.
    pub async fn widen(&self, width: u32) {
        self.screen(width, HEIGHT).await;
    }

    async fn screen(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics });
        self.post("goog/cdp/execute", command).await;
    }

    /// The page whole, however long it is, as a PNG.
    pub async fn picture(&self, width: u32) -> Vec<u8> {
        let height = self.run("return document.documentElement.scrollHeight").await.as_u64().unwrap_or(700);
        self.screen(width, u32::try_from(height.clamp(700, 8_000)).expect("a height")).await;
        let picture = STANDARD.decode(self.get("screenshot").await).expect("a picture");
        self.widen(width).await;
        picture
    }

    /// How many sheets of paper it takes.
    pub async fn sheets(&self) -> usize {
        let letter = json!({ "page": { "width": 21.59, "height": 27.94 } });
        let printed = self.post("print", letter).await;
        let pdf = STANDARD.decode(printed.as_str().expect("a PDF")).expect("base64");
        let pdf = String::from_utf8_lossy(&pdf);
        pdf.matches("/Type /Page\n").count()
    }

    pub async fn close(self) {
        let closed = self.http.delete(&self.session).send().await;
        assert!(closed.is_ok_and(|it| it.status().is_success()), "the browser closes");
    }
}

/// What a driver answered, or what it had against it (6.6).
async fn told(response: reqwest::Response) -> Result<Value, String> {
    let answer: Value = response.json().await.map_err(|error| error.to_string())?;
    let value = answer["value"].clone();
    match value["error"].as_str() {
        Some(error) => Err(format!("{error}: {}", value["message"].as_str().unwrap_or_default())),
        None => Ok(value),
    }
}
