//! The daemon as it is installed: a folder that `init` wrote, and a process that serves it.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// To open, a debug build reads its plugins from the cache; a machine that builds beside us takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at something that will come about.
const LOOK: Duration = Duration::from_millis(10);

/// What `init` wrote, and what a test must change in it: ports that are free, and nobody reached outside.
const CHANGES: &[(&str, &str)] = &[
    ("address: 127.0.0.1:2575", "address: 127.0.0.1:0"),
    ("address: 127.0.0.1:8443", "address: 127.0.0.1:0"),
    ("url: http://127.0.0.1:8080/fhir", "url: http://127.0.0.1:9/fhir"),
    ("url: https://api.twilio.com", "url: http://127.0.0.1:9\n    allow_private: true"),
    ("url: smtp://127.0.0.1:25\n", "url: smtp://127.0.0.1:9\n"),
    ("format: text", "format: json"),
];

/// What a practice has put in place of each secret that `init` wrote.
pub const SECRET: &str = "as-the-practice-chose-it";

pub struct House(TempDir);

pub struct Daemon {
    process: Process,
    pub mllp: SocketAddr,
    pub http: SocketAddr,
    log: Receiver<String>,
    /// What it said before it was ready.
    heard: Vec<String>,
}

/// Dropped, it is killed: it has ended already unless its test failed.
struct Process(Child);

/// Runs the binary to its end.
pub fn handoff(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_handoff-house")).args(arguments).output().expect("the binary runs")
}

/// What it prints, when it ends well.
pub fn printed(arguments: &[&str]) -> String {
    let output = handoff(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The lines that it prints, when each is a JSON object.
pub fn objects(arguments: &[&str]) -> Vec<Value> {
    printed(arguments).lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
}

impl House {
    /// A folder without anything in it.
    pub fn empty() -> House {
        House(TempDir::new().expect("a folder"))
    }

    pub fn new() -> House {
        let house = House::empty();
        printed(&["init", &house.path(".")]);
        for (from, to) in CHANGES {
            house.edit("handoff.yaml", from, to);
        }
        for secret in ["ehr-password", "twilio-auth-token", "webhook-key"] {
            house.edit(&format!("keys/{secret}"), "replace-me", SECRET);
        }
        house
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("UTF-8").to_string()
    }

    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.path(file);
        let text = std::fs::read_to_string(&path).expect("a file that init wrote");
        assert!(text.contains(from), "{file} has no {from:?}");
        std::fs::write(path, text.replace(from, to)).expect("written");
    }

    pub fn serve(&self) -> Daemon {
        self.serve_with(&[])
    }

    /// With these variables in the daemon's environment.
    pub fn serve_with(&self, environment: &[(&str, &str)]) -> Daemon {
        let process = Command::new(env!("CARGO_BIN_EXE_handoff-house"))
            .args(["serve", "--config", &self.path("handoff.yaml")])
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut process = Process(process);
        let stderr = process.0.stderr.take().expect("a pipe");
        let (lines, log) = channel();
        // Ends with the process; nobody listening any more is no reason to let the pipe fill.
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _unheard = lines.send(line);
            }
        });
        let mut heard = Vec::new();
        let mllp = listening(&log, "over MLLP", &mut heard);
        let http = listening(&log, "over HTTP", &mut heard);
        Daemon { process, mllp, http, log, heard }
    }

    pub fn referrals(&self) -> Vec<Value> {
        objects(&["referrals", "list", "--json", "--data", &self.path("data")])
    }

    pub fn dead_letters(&self) -> Vec<Value> {
        objects(&["dead-letters", "list", "--json", "--data", &self.path("data")])
    }

    /// Every record of the journal.
    pub fn records(&self) -> Vec<Value> {
        let entries = objects(&["journal", "export", "--data", &self.path("data")]);
        entries.iter().flat_map(|entry| entry["entry"]["records"].as_array().expect("records").clone()).collect()
    }

    pub fn deliveries(&self) -> Vec<Value> {
        self.records().into_iter().filter(|record| record["record"] == "delivery").collect()
    }

    pub fn verify(&self) -> Output {
        handoff(&["journal", "verify", "--data", &self.path("data"), "--key", &self.path("keys/journal.pub")])
    }

    /// The journal's files, oldest first.
    pub fn segments(&self) -> Vec<PathBuf> {
        let folder = std::fs::read_dir(self.path("data/journal")).expect("a journal");
        let mut files: Vec<PathBuf> = folder.map(|file| file.expect("a file").path()).collect();
        files.sort();
        files
    }
}

impl Daemon {
    /// Where a listener is that opens after the others.
    pub fn listening(&self, door: &str) -> SocketAddr {
        listening(&self.log, door, &mut self.heard.clone())
    }

    /// SIGTERM, as systemd sends it; how it ended, and the rest of what it logged.
    pub fn stop(mut self) -> (ExitStatus, Vec<String>) {
        let id = self.process.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
        let status = until("the daemon's end", || self.process.0.try_wait().expect("our own child"));
        (status, self.log.iter().collect())
    }

    /// SIGKILL: the process is not asked.
    pub fn kill(mut self) {
        self.process.0.kill().expect("our own child");
        self.process.0.wait().expect("our own child");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Looks again and again until there is something to see.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} did not come about in {} s", PATIENCE.as_secs());
        std::thread::sleep(LOOK);
    }
}

/// The status and the body of a GET.
pub fn get(address: SocketAddr, path: &str) -> (u16, String) {
    use std::io::{Read as _, Write as _};
    let mut stream = TcpStream::connect(address).expect("the listener that was logged");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer in UTF-8");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
    (status, answer.split("\r\n\r\n").nth(1).unwrap_or_default().to_string())
}

/// The address that the log names.
fn listening(log: &Receiver<String>, door: &str, heard: &mut Vec<String>) -> SocketAddr {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match log.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                let told: Value = serde_json::from_str(&line).unwrap_or_default();
                let message = told["fields"]["message"].as_str().unwrap_or_default();
                if message.ends_with(door) {
                    let address = told["fields"]["address"].as_str().expect("an address");
                    return address.parse().expect("a socket's address");
                }
                heard.push(line);
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                panic!("the daemon does not listen {door}:\n{}", heard.join("\n"));
            }
        }
    }
}

/// A plugin that misbehaves as its settings say: `{ deed: … }`.
pub fn hostile() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = handoff_builder::build_one(&root.join("tests/fixtures/hostile"), &root.join("target/hostile"));
    built.unwrap_or_else(|error| panic!("{error}"))
}
