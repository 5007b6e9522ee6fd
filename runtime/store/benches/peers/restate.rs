//! Restate's side: its server, the service in Node, and a load over the ingress.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::report::out;

const INGRESS: u16 = 8_080;
const ADMIN: u16 = 9_070;
const SERVICE: u16 = 9_080;

const ORDER: &str = include_str!("order.json");

/// Clients that bring referrals to where they wait.
const HOLDING: usize = 64;

pub fn run(peers: &Path, dir: &Path, letters: &str, mode: &[&str]) {
    let began = Instant::now();
    let _house = House::start(peers, dir, letters);
    match *mode {
        ["flow", referrals, at_once] => {
            let run = format!("{:?}", std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH));
            let run = run.chars().filter(char::is_ascii_digit).collect::<String>();
            // Its partitions come up with the first invocations, and that is no part of a referral.
            whole(&mut Http::to(INGRESS), &mut Http::to(INGRESS), &format!("{run}-first"));
            let (began, numbers) = (Instant::now(), Numbers::up_to(referrals));
            at_once_do(at_once.parse().expect("a number"), &|| {
                let (mut orders, mut replies) = (Http::to(INGRESS), Http::to(INGRESS));
                while let Some(number) = numbers.next() {
                    whole(&mut orders, &mut replies, &format!("{run}-{number}"));
                }
            });
            out(&began.elapsed().as_secs_f64().to_string());
        }
        ["hold", referrals] => {
            let numbers = Numbers::up_to(referrals);
            at_once_do(HOLDING, &|| {
                let mut orders = Http::to(INGRESS);
                while let Some(number) = numbers.next() {
                    orders.post(&format!("/referral/held-{number}/run/send"), ORDER);
                }
            });
            wait_for_all_to_wait(referrals);
            out("holding");
            std::thread::sleep(Duration::MAX);
        }
        ["ready", number] => {
            let (mut orders, mut replies) = (Http::to(INGRESS), Http::to(INGRESS));
            whole(&mut orders, &mut replies, "after");
            replies.post(&format!("/referral/held-{number}/reply"), "\"yes\"");
            orders.get(&format!("/restate/workflow/referral/held-{number}/attach"));
            out(&began.elapsed().as_secs_f64().to_string());
        }
        ["recover"] => std::thread::sleep(Duration::MAX),
        _ => panic!("{mode:?} is no mode"),
    }
}

/// The reply may come before the letter is out: the promise keeps it.
fn whole(orders: &mut Http, replies: &mut Http, key: &str) {
    orders.send("POST", &format!("/referral/{key}/run"), ORDER);
    replies.post(&format!("/referral/{key}/reply"), "\"yes\"");
    assert_eq!(orders.answer(), "\"done\"");
}

/// The server says which invocations have sent their letter and are suspended.
fn wait_for_all_to_wait(referrals: &str) {
    let query = "{\"query\": \"select count(*) as n from sys_invocation where status = 'suspended'\"}";
    loop {
        let answer = Http::to(ADMIN).post("/query", query);
        let count: String = answer.chars().filter(char::is_ascii_digit).collect();
        if count == referrals {
            return;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

struct Numbers {
    next: AtomicUsize,
    end: usize,
}

impl Numbers {
    fn up_to(end: &str) -> Numbers {
        Numbers { next: AtomicUsize::new(0), end: end.parse().expect("a number") }
    }

    fn next(&self) -> Option<usize> {
        Some(self.next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < self.end)
    }
}

fn at_once_do(clients: usize, work: &(dyn Fn() + Sync)) {
    std::thread::scope(|scope| {
        (0..clients).for_each(|_| {
            scope.spawn(work);
        });
    });
}

struct House {
    parts: Vec<Child>,
}

impl House {
    fn start(peers: &Path, dir: &Path, letters: &str) -> House {
        std::fs::create_dir_all(dir).expect("a folder for Restate");
        // Silent: a line for each invocation would cost it more than the invocation.
        let service = Command::new("node")
            .arg(peers.join("restate.js"))
            .args([&SERVICE.to_string(), letters])
            .env("RESTATE_LOGGING", "ERROR")
            .stdout(Stdio::null())
            .spawn();
        let log = std::fs::File::create(dir.join("log")).expect("a log");
        let server = Command::new(peers.join("node_modules/@restatedev/restate-server-linux-x64/bin/restate-server"))
            .args(["--no-logo", "--base-dir"])
            .arg(dir)
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .env("RESTATE_LOG_FILTER", "warn")
            // With its usual 24 it does half as much here.
            .env("RESTATE_DEFAULT_NUM_PARTITIONS", "1")
            // A partition runs a thousand at once; those that wait make room after a second, not after a minute.
            .env("RESTATE_WORKER__INVOKER__INACTIVITY_TIMEOUT", "1s")
            .spawn();
        let house = House { parts: vec![service.expect("node"), server.expect("restate-server")] };
        for port in [SERVICE, ADMIN, INGRESS] {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let deployment = format!("{{\"uri\": \"http://127.0.0.1:{SERVICE}\", \"force\": false}}");
        // After a kill it closes connections until it is itself again.
        let register = || Http::try_to(ADMIN)?.try_post("/deployments", &deployment);
        let registered = || register().is_ok_and(|it| it.contains("\"id\""));
        while !registered() {
            std::thread::sleep(Duration::from_millis(50));
        }
        house
    }
}

impl Drop for House {
    fn drop(&mut self) {
        for part in &mut self.parts {
            drop((part.kill(), part.wait()));
        }
    }
}

/// HTTP/1.1 over one kept connection, as little of it as a load needs: the machine's cores are the server's.
struct Http {
    stream: BufReader<TcpStream>,
}

impl Http {
    fn to(port: u16) -> Http {
        Http::try_to(port).expect("connected")
    }

    fn try_to(port: u16) -> io::Result<Http> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        Ok(Http { stream: BufReader::new(stream) })
    }

    fn post(&mut self, path: &str, body: &str) -> String {
        self.try_post(path, body).expect("an answer")
    }

    fn try_post(&mut self, path: &str, body: &str) -> io::Result<String> {
        self.try_send("POST", path, body)?;
        self.try_answer()
    }

    fn get(&mut self, path: &str) -> String {
        self.send("GET", path, "");
        self.answer()
    }

    fn send(&mut self, method: &str, path: &str, body: &str) {
        self.try_send(method, path, body).expect("sent");
    }

    fn answer(&mut self) -> String {
        self.try_answer().expect("an answer")
    }

    fn try_send(&mut self, method: &str, path: &str, body: &str) -> io::Result<()> {
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\n");
        let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
        let request = format!("{head}{kind}content-length: {length}\r\n\r\n{body}");
        self.stream.get_mut().write_all(request.as_bytes())
    }

    fn try_answer(&mut self) -> io::Result<String> {
        let (mut length, mut chunked) = (0, false);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            chunked |= line.starts_with("transfer-encoding:") && line.contains("chunked");
        }
        let mut body = Vec::new();
        if !chunked {
            self.take(length, &mut body)?;
        }
        while chunked {
            let size = usize::from_str_radix(self.line()?.trim(), 16).expect("a chunk's size");
            self.take(size, &mut body)?;
            self.line()?;
            chunked = size > 0;
        }
        Ok(String::from_utf8(body).expect("UTF-8"))
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_string()),
        }
    }

    fn take(&mut self, length: usize, body: &mut Vec<u8>) -> io::Result<()> {
        let before = body.len();
        body.resize(before + length, 0);
        self.stream.read_exact(&mut body[before..])
    }
}
