//! Webhooks and callbacks on real sockets, from senders that mean well and from those that do not.

use std::net::SocketAddr;
use std::time::Instant;

use handoff_authority::{Authority, dial};
use handoff_clock::SystemClock;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::connection_limits::ConnectionLimitsConfig;
use crate::listener::ListenerProtection;
use crate::tls::testing::config;

struct Running {
    address: SocketAddr,
    /// What came in; each is answered with 202.
    kept: Arc<Mutex<Vec<Delivery>>>,
    open: watch::Sender<bool>,
}

impl Running {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn kept(&self) -> Vec<Delivery> {
        self.kept.lock().clone()
    }
}

/// As tests call them.
fn sources() -> Sources {
    ["orders", "x"].map(|source| (source.to_string(), SenderProof::SignatureOnly)).into()
}

async fn run(guard: ListenerProtection, limits: HttpLimits, public_url: Option<&str>) -> Running {
    let kept: Arc<Mutex<Vec<Delivery>>> = Arc::default();
    let keeper = Arc::clone(&kept);
    let intake = move |delivery: Delivery| {
        keeper.lock().push(delivery);
        async { Acknowledgement { status: 202, content_type: "text/xml".into(), body: b"<Response/>".to_vec() } }
    };
    let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = tcp.local_addr().expect("an address");
    let mut listener = Listener::open("http", address, &guard).expect("a good guard");
    listener.taken = Duration::from_millis(300);
    let scheme = if listener.is_encrypted() { Scheme::Https } else { Scheme::Http };
    let public_url = public_url.map(str::to_string);
    let router = router(Arc::new(intake), sources(), Arc::new(SystemClock), public_url, scheme, limits);
    let (open, closing) = watch::channel(false);
    tokio::spawn(super::serve(listener, tcp, router, limits, closing));
    Running { address, kept, open }
}

async fn plain(public_url: Option<&str>) -> Running {
    run(ListenerProtection::default(), HttpLimits::default(), public_url).await
}

/// What a listener answers to bytes that come all at once, up to the end of the connection.
async fn answer(running: &Running, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(running.address).await.expect("connected");
    stream.write_all(bytes).await.expect("sent");
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer));
    // A connection reset instead of closed ends the reading all the same.
    let _ended = read.await.expect("the listener closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn bodies_headers_and_the_called_url_come_through_as_they_are() {
    let running = plain(Some("https://handoff.example.org/")).await;
    let client = client();
    let body: Vec<u8> = (0..=255).collect();
    let request = client.post(running.url("/callback/sms?a=1&b=%20")).header("X-Twilio-Signature", "sig");
    let response = request.body(body.clone()).send().await.expect("answered");
    assert_eq!(response.status(), 202);
    assert_eq!(response.headers()["content-type"], "text/xml");
    assert_eq!(response.text().await.expect("text"), "<Response/>");
    client.post(running.url("/in/orders")).send().await.expect("answered");
    let kept = running.kept();
    assert_eq!((kept[0].transport, kept[0].source.as_str()), (Transport::Callback, "sms"));
    assert_eq!(kept[0].url, "https://handoff.example.org/callback/sms?a=1&b=%20");
    assert_eq!(kept[0].body, body);
    assert!(kept[0].headers.iter().any(|header| header.name == "x-twilio-signature" && header.value == "sig"));
    assert_eq!((kept[1].transport, kept[1].source.as_str()), (Transport::Webhook, "orders"));
}

#[tokio::test]
async fn without_a_public_url_the_host_header_stands_in() {
    let running = plain(None).await;
    client().post(running.url("/in/x")).send().await.expect("answered");
    assert_eq!(running.kept()[0].url, running.url("/in/x"));
}

/// HAPI's rest-hooks.
#[tokio::test]
async fn a_resource_that_was_changed_is_put_where_a_webhook_posts() {
    let running = plain(None).await;
    for path in ["/in/orders", "/in/orders/ServiceRequest/sr24"] {
        let answer = client().put(running.url(path)).body("{}").send().await.expect("answered");
        assert_eq!(answer.status(), 202, "{path}");
    }
    let kept = running.kept();
    assert!(kept.iter().all(|delivery| delivery.transport == Transport::Webhook && delivery.source == "orders"));
    assert_eq!(kept.len(), 2);
    let elsewhere = client().put(running.url("/in/nobody/ServiceRequest/1")).send().await.expect("answered");
    assert_eq!(elsewhere.status(), 404);
}

#[tokio::test]
async fn what_is_too_long_or_of_another_method_is_not_taken_in() {
    let running = plain(None).await;
    let client = client();
    let long = client.post(running.url("/in/x")).body(vec![0; DELIVERY_BYTES_MAX + 1]);
    assert_eq!(long.send().await.expect("answered").status(), 413);
    let long = client.post(running.url("/callback/sms")).body(vec![0; CALLBACK_BYTES_MAX + 1]);
    assert_eq!(long.send().await.expect("answered").status(), 413, "of a vendor whom nobody knows yet");
    assert_eq!(client.get(running.url("/in/x")).send().await.expect("answered").status(), 405);
    assert!(running.kept().is_empty());
}

#[test]
fn a_nonsense_status_is_no_success() {
    let answer = Acknowledgement { status: 7, content_type: "a\nb".into(), body: Vec::new() };
    let response = respond(answer);
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(response.headers().get(CONTENT_TYPE).is_none());
}

#[tokio::test]
async fn webhooks_come_over_tls_and_are_called_by_https() {
    let (folder, ours) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let tls = Some(config(folder.path(), &ours, &[]));
    let running = run(ListenerProtection { tls, ..ListenerProtection::default() }, HttpLimits::default(), None).await;
    let mut stream = dial(running.address, &ours, None, rustls::DEFAULT_VERSIONS).await.expect("let in");
    let request = b"POST /in/orders HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    stream.write_all(request).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("answered");
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    assert_eq!(running.kept()[0].url, "https://localhost/in/orders");
}

#[tokio::test]
async fn a_request_sent_by_drops_is_cut_off() {
    let short = Duration::from_millis(300);
    let limits = HttpLimits { head: short, body: short, ..HttpLimits::default() };
    let head = "POST /in/x HTTP/1.1\r\nhost: x\r\n";
    for (what, sent, drop, expected) in [
        ("a head", head.to_string(), "a: b\r\n", ""),
        ("a body", format!("{head}content-length: 1000\r\n\r\n"), "x", "HTTP/1.1 408 "),
        ("a body in chunks", format!("{head}transfer-encoding: chunked\r\n\r\n"), "1\r\nx\r\n", "HTTP/1.1 408 "),
        ("a silent connection", String::new(), "", ""),
    ] {
        let running = run(ListenerProtection::default(), limits, None).await;
        let mut stream = TcpStream::connect(running.address).await.expect("connected");
        let began = Instant::now();
        stream.write_all(sent.as_bytes()).await.expect("sent");
        let (mut reading, mut writing) = stream.split();
        let dripping = async {
            loop {
                tokio::time::sleep(Duration::from_millis(50)).await;
                if writing.write_all(drop.as_bytes()).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        let mut answer = Vec::new();
        tokio::select! {
            () = dripping => {}
            _ended = reading.read_to_end(&mut answer) => {}
        }
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(expected) && (!expected.is_empty() || answer.is_empty()), "{what}: {answer}");
        assert!(began.elapsed() < Duration::from_secs(5), "{what}: each drop must not buy more time");
        assert!(running.kept().is_empty(), "{what}");
    }
}

/// One request, whole.
const REQUEST: &[u8] = b"POST /in/x HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";

#[tokio::test]
async fn a_connection_that_was_answered_and_asks_nothing_more_is_closed() {
    let limits = HttpLimits { head: Duration::from_millis(300), ..HttpLimits::default() };
    let running = run(ListenerProtection::default(), limits, None).await;
    let answer = answer(&running, REQUEST).await;
    assert_eq!(answer.matches("HTTP/1.1 202 ").count(), 1, "{answer}");
}

#[tokio::test]
async fn whoever_asks_and_reads_no_answer_is_left() {
    let running = plain(None).await;
    let mut stream = TcpStream::connect(running.address).await.expect("connected");
    let asking = async {
        // Answers fill the buffers on the way, and then requests do.
        while stream.write_all(&REQUEST.repeat(100)).await.is_ok() {}
    };
    tokio::time::timeout(Duration::from_secs(20), asking).await.expect("the listener breaks off");
}

#[tokio::test]
async fn a_peer_with_too_many_connections_leaves_room_for_others_and_gets_its_own_back() {
    let (folder, ours) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let limits = ConnectionLimitsConfig {
        connections_max: 4,
        connections_per_source_max: 2,
        ..ConnectionLimitsConfig::default()
    };
    let guard = ListenerProtection { tls: Some(config(folder.path(), &ours, &[])), limits, ..Default::default() };
    let running = run(guard, HttpLimits { head: Duration::from_secs(2), ..HttpLimits::default() }, None).await;
    let ask = || async {
        let mut stream = dial(running.address, &ours, None, rustls::DEFAULT_VERSIONS).await?;
        stream.write_all(REQUEST).await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>((stream, String::from_utf8_lossy(&answer).into_owned()))
    };
    let began = Instant::now();
    let held = [ask().await.expect("heard"), ask().await.expect("heard")];
    assert_eq!(held.each_ref().map(|(_, answer)| answer.as_str()), ["HTTP/1.1 202"; 2]);
    // After its handshakes, and although it has been answered.
    assert!(ask().await.is_err() || began.elapsed() > Duration::from_secs(2), "a third of the same peer");
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.2:0".parse().expect("an address")).expect("another address of this machine");
    let other = socket.connect(running.address).await;
    let mut other = other.expect("another peer finds room");
    other.write_all(b"\x16").await.expect("and is listened to");
    // Idle connections end by themselves, and make room.
    while ask().await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "its places never came back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let running = plain(None).await;
    let long = format!("POST /in/x HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n", "b".repeat(128 * 1024));
    let many = format!("POST /in/x HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(1_000));
    for head in [long, many] {
        let answer = answer(&running, head.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    assert!(running.kept().is_empty());
}

#[tokio::test]
async fn a_source_that_asks_too_fast_is_told_when_to_come_again() {
    let limits = ConnectionLimitsConfig { deliveries_per_second: 1, ..ConnectionLimitsConfig::default() };
    let running =
        run(ListenerProtection { limits, ..ListenerProtection::default() }, HttpLimits::default(), None).await;
    let client = client();
    let mut statuses = Vec::new();
    for _ in 0..7 {
        let response = client.post(running.url("/in/x")).send().await.expect("answered");
        statuses.push(response.status().as_u16());
        assert_eq!(response.headers().contains_key("retry-after"), response.status() == 429);
    }
    assert_eq!(statuses[..5], [202; 5], "{statuses:?}");
    assert!(statuses[5..].contains(&429), "{statuses:?}");
    assert_eq!(running.kept().len(), statuses.iter().filter(|status| **status == 202).count());
}

#[tokio::test]
async fn closing_ends_idle_connections_at_once() {
    let running = plain(None).await;
    let client = client();
    client.post(running.url("/in/x")).send().await.expect("answered");
    running.open.send(true).expect("still serving");
    let began = Instant::now();
    while TcpStream::connect(running.address).await.is_ok() {
        assert!(began.elapsed() < Duration::from_secs(5), "it still listens");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn client() -> reqwest::Client {
    handoff_vault::crypto_provider::install();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}
