//! A vendor on a real socket that speaks Twilio's API and takes FHIR Tasks, and has bad days on demand.

use std::io;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_clock::Clock;
use parking_lot::{Mutex, MutexGuard};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// 503, whatever is asked.
    Closed,
    /// 429 with Retry-After in seconds.
    Busy(u32),
    /// Takes what is sent and drops the connection before it has said so.
    Forgetful,
    /// Takes the request and says nothing until the mood changes.
    Silent,
    /// 400 with this error code.
    Refuses(u32),
}

pub struct Vendor {
    pub url: String,
    desk: Arc<Desk>,
    mood: watch::Sender<Mood>,
}

struct Desk {
    clock: Arc<dyn Clock>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    requests: Vec<Request>,
    taken: Vec<Taken>,
    silent: usize,
    silent_max: usize,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub key: String,
    pub body: String,
}

/// A text or a task, and when it was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    pub at: DateTime<Utc>,
    pub key: String,
    pub body: String,
}

impl Desk {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock()
    }

    /// Answers one request; false when the connection is over.
    async fn serve(&self, stream: &mut BufReader<TcpStream>, moods: &mut watch::Receiver<Mood>) -> io::Result<bool> {
        let Some(request) = read(stream).await? else { return Ok(false) };
        self.log().requests.push(request.clone());
        if *moods.borrow() == Mood::Silent {
            {
                let mut log = self.log();
                log.silent += 1;
                log.silent_max = log.silent_max.max(log.silent);
            }
            let _changed = moods.wait_for(|mood| *mood != Mood::Silent).await;
            self.log().silent -= 1;
        }
        let mood = *moods.borrow();
        let (status, more, body) = match mood {
            Mood::Well | Mood::Silent | Mood::Forgetful => ("201 Created", String::new(), self.take(&request)),
            Mood::Closed => ("503 Service Unavailable", String::new(), "{}".into()),
            Mood::Refuses(code) => ("400 Bad Request", String::new(), json!({ "code": code }).to_string()),
            Mood::Busy(seconds) => ("429 Too Many Requests", format!("Retry-After: {seconds}\r\n"), "{}".into()),
        };
        if mood == Mood::Forgetful {
            return Ok(false);
        }
        let status = if request.method == "GET" && mood == Mood::Well { "200 OK" } else { status };
        let date = self.clock.now().format("%a, %d %b %Y %H:%M:%S GMT");
        let head = format!(
            "HTTP/1.1 {status}\r\nDate: {date}\r\n{more}Location: /Task/1\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.get_mut().write_all((head + &body).as_bytes()).await?;
        Ok(true)
    }

    fn take(&self, request: &Request) -> String {
        let mut log = self.log();
        if request.method == "GET" {
            let shown = |(number, taken): (usize, &Taken)| {
                let text = |name| field(&taken.body, name);
                json!({
                    "sid": format!("SM{number}"), "direction": "outbound-api", "status": "sent", "num_segments": "1",
                    "date_created": taken.at.to_rfc2822(), "to": text("To"), "body": text("Body"),
                })
            };
            let messages: Vec<_> = log.taken.iter().enumerate().map(shown).collect();
            return json!({ "messages": messages }).to_string();
        }
        log.taken.push(Taken { at: self.clock.now(), key: request.key.clone(), body: request.body.clone() });
        json!({ "sid": format!("SM{}", log.taken.len() - 1), "num_segments": "1", "resourceType": "Task" }).to_string()
    }
}

impl Vendor {
    pub async fn open(mood: Mood, clock: Arc<dyn Clock>) -> Vendor {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let desk = Arc::new(Desk { clock, log: Mutex::default() });
        let (mood, moods) = watch::channel(mood);
        let vendor = Vendor { url, desk: Arc::clone(&desk), mood };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (desk, mut moods) = (Arc::clone(&desk), moods.clone());
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    while desk.serve(&mut stream, &mut moods).await.unwrap_or(false) {}
                });
            }
        });
        vendor
    }

    pub fn becomes(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    pub fn requests(&self) -> Vec<Request> {
        self.desk.log().requests.clone()
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.desk.log().taken.clone()
    }

    /// The most requests that it kept waiting at once.
    pub fn silent_max(&self) -> usize {
        self.desk.log().silent_max
    }
}

/// One field of a form.
fn field(form: &str, name: &str) -> String {
    let fields = form.split('&').filter_map(|pair| pair.split_once('='));
    let value = fields.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value).unwrap_or_default();
    let value = value.replace('+', " ");
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match hex.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// Nothing when the caller hangs up.
async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_string()),
        }
    }
    let header = |name: &str| {
        let headers = head.iter().filter_map(|line| line.split_once(':'));
        let found = headers.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_string()).unwrap_or_default()
    };
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    let method = head[0].split(' ').next().unwrap_or_default().to_string();
    Ok(Some(Request { method, key: header("idempotency-key"), body: String::from_utf8_lossy(&body).into_owned() }))
}
