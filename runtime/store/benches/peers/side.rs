//! The three sides, each a program of its own.
//!
//! A program takes where its vendor writes (`none`: no vendor) and a mode: `flow REFERRALS AT_ONCE` takes referrals from order
//! to end and says in how many seconds; `hold REFERRALS` brings so many to where they wait, says so and waits to be killed;
//! `ready NUMBER` comes up after that and says after how many seconds it had seen a new referral through and that one held;
//! `recover` comes up after a kill and does what was left.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use parking_lot::Mutex;

/// What each side does for one referral.
pub const INCLUDED: [&str; 8] = [
    "one order of 1.2 KB, no plugin and no vendor's network on any side; each step is durable before the next begins",
    "handoff: 6 commits of engine and store, called in process from 4 threads: the order with its delivery, names, sealed data,",
    "  two timers, the rendered letter; the ask before it leaves; its receipt; the reply with sealed text and the second letter; ask;",
    "  receipt and end. Each step reads the referral back from the index; the journal is signed, the index kept. No HTTP, no sealing.",
    "restate: a workflow of ctx.set, ctx.run, a promise raced with a 3 day sleep, ctx.set, ctx.run; Node SDK beside the server, orders",
    "  and replies over its HTTP ingress, 2 requests a referral. One server with one partition, which is its fastest on two cores.",
    "dbos: a workflow of step, recv with a 3 day time-out, step; Node SDK, start and send from within the one process. PostgreSQL",
    "  with its defaults on a local socket; not killed with it.",
];

pub struct Side {
    pub name: &'static str,
    /// Referrals in one measurement, as a multiple of the slowest side's: so that each takes some seconds.
    pub share: usize,
    command: Vec<String>,
    _postgres: Option<Postgres>,
}

pub fn sides(scratch: &Path) -> Vec<Side> {
    let this = text(&std::env::current_exe().expect("this program has a path"));
    let dir = |name: &str| text(&scratch.join(name));
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers");
    let postgres = Postgres::start(&scratch.join("postgres"));
    let dbos = vec!["node".into(), text(&installed.join("dbos.js")), postgres.url()];
    let restate = vec![this.clone(), "restate".into(), text(&installed), dir("restate")];
    let handoff = vec![this, "handoff".into(), dir("handoff")];
    let side = |name, share, command| Side { name, share, command, _postgres: None };
    vec![
        side("handoff", 40, handoff),
        side("restate", 5, restate),
        Side { _postgres: Some(postgres), ..side("dbos", 1, dbos) },
    ]
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_string()
}

impl Side {
    /// Starts it in a group of its own, so that what it starts can be killed with it.
    pub fn start(&self, mode: &[&str]) -> Running {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).args(mode).stdout(Stdio::piped()).process_group(0);
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{}: {error}; run `just bench-peers`", self.name));
        let lines = Mutex::new(BufReader::new(child.stdout.take().expect("piped")));
        Running { child, lines }
    }

    /// Runs it and gives the number that it says.
    pub fn told(&self, mode: &[&str]) -> f64 {
        let running = self.start(mode);
        let line = running.line();
        running.kill();
        line.parse().unwrap_or_else(|_| panic!("{} said {line:?}", self.name))
    }
}

pub struct Running {
    child: Child,
    lines: Mutex<BufReader<std::process::ChildStdout>>,
}

impl Running {
    pub fn line(&self) -> String {
        let mut line = String::new();
        self.lines.lock().read_line(&mut line).expect("said");
        line.trim().to_string()
    }

    /// kill -9, of it and of all that it started.
    pub fn kill(mut self) {
        kill_group(self.child.id());
        self.child.wait().expect("ended");
    }
}

fn kill_group(leader: u32) {
    let group = format!("-{leader}");
    Command::new("kill").args(["-9", "--", &group]).stderr(Stdio::null()).status().expect("kill");
}

/// A cluster of its own, with the defaults of the distribution.
struct Postgres {
    dir: PathBuf,
}

/// Debian puts the server's programs here.
const POSTGRES: &str = "/usr/lib/postgresql/15/bin";

const POSTGRES_PORT: u16 = 15_544;

impl Postgres {
    fn start(dir: &Path) -> Postgres {
        std::fs::create_dir_all(dir).expect("a folder for PostgreSQL");
        // It refuses to run as root.
        let own = Command::new("chown").arg("postgres").arg(dir).status().expect("chown");
        let parent = dir.parent().expect("a folder above");
        let open = Command::new("chmod").arg("a+rx").arg(parent).status().expect("chmod");
        assert!(own.success() && open.success(), "a folder that the user postgres may use");
        let dir = dir.join("data");
        let text = text(&dir);
        as_postgres(&format!("{POSTGRES}/initdb -D {text} -A trust"));
        let options = format!("-p {POSTGRES_PORT} -k {text} -c listen_addresses=");
        as_postgres(&format!("{POSTGRES}/pg_ctl -D {text} -o '{options}' -l {text}/log -w start"));
        Postgres { dir }
    }

    fn url(&self) -> String {
        format!("postgresql://postgres@localhost/referral?host={}&port={POSTGRES_PORT}", text(&self.dir))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        as_postgres(&format!("{POSTGRES}/pg_ctl -D {} -m immediate stop", text(&self.dir)));
    }
}

fn as_postgres(command: &str) {
    let status = Command::new("su").args(["postgres", "-c", command]).stdout(Stdio::null()).status();
    assert!(status.expect("su").success(), "{command}");
}
