//! The listener on real sockets, with short limits.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use handoff_authority::{Authority, dial};
use handoff_clock::SystemClock;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;
use crate::connection_limits::ConnectionLimitsConfig;
use crate::delivery::Acknowledgement;
use crate::listener::{Listener, ListenerProtection};
use crate::tls::testing::config;

struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
}

async fn run<I: DeliverySink>(limits: MllpLimits, intake: I) -> Running {
    guarded(ListenerProtection::default(), limits, intake).await
}

async fn guarded<I: DeliverySink>(guard: ListenerProtection, limits: MllpLimits, intake: I) -> Running {
    let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = tcp.local_addr().expect("an address");
    let listener = Listener::open("hl7", address, &guard).expect("a good guard");
    let (stop, closing) = watch::channel(false);
    let serving = MllpServer { source: "hl7".into(), intake: Arc::new(intake), clock: Arc::new(SystemClock), limits };
    Running { address, stop, served: tokio::spawn(serving.serve(listener, tcp, closing)) }
}

fn limits() -> MllpLimits {
    MllpLimits {
        message_bytes_max: 1000,
        first: Duration::from_secs(20),
        idle: Duration::from_secs(20),
        message: Duration::from_millis(300),
        answer: Duration::from_secs(5),
    }
}

/// Acknowledges with `ACK ` and the message, and does not acknowledge `silence`.
async fn echo(delivery: Delivery) -> Acknowledgement {
    let body = match delivery.body.as_slice() {
        b"silence" => Vec::new(),
        message => [b"ACK ", message].concat(),
    };
    Acknowledgement { status: 200, content_type: String::new(), body }
}

async fn connect(running: &Running) -> TcpStream {
    TcpStream::connect(running.address).await.expect("connected")
}

/// Everything up to the end of the connection.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut bytes));
    // A connection reset instead of closed ends the reading all the same.
    let _ended = read.await.expect("the listener closes the connection");
    bytes
}

#[tokio::test]
async fn pipelined_messages_are_answered_in_order() {
    let running = run(limits(), echo).await;
    let mut stream = connect(&running).await;
    let sent: Vec<u8> = ["one", "silence", "two", "three"].iter().flat_map(|text| frame(text.as_bytes())).collect();
    for byte in sent.chunks(3) {
        stream.write_all(byte).await.expect("sent");
    }
    stream.shutdown().await.expect("half closed");
    let expected = [frame(b"ACK one"), frame(b"ACK two"), frame(b"ACK three")].concat();
    assert_eq!(rest(&mut stream).await, expected);
}

#[tokio::test]
async fn a_broken_frame_ends_its_own_connection_only() {
    let running = run(limits(), echo).await;
    let mut good = connect(&running).await;
    let strays = b"GET / HTTP/1.1\r\n".repeat(300);
    for bytes in [strays.as_slice(), b"\x0Bone\x1C\x1C", &[b"\x0B".as_slice(), &[b'x'; 1001]].concat()] {
        let mut bad = connect(&running).await;
        bad.write_all(bytes).await.expect("sent");
        assert_eq!(rest(&mut bad).await, b"");
    }
    good.write_all(&frame(b"still here")).await.expect("sent");
    good.shutdown().await.expect("half closed");
    assert_eq!(rest(&mut good).await, frame(b"ACK still here"));
}

#[tokio::test]
async fn a_message_sent_by_drops_is_cut_off() {
    let running = run(limits(), echo).await;
    let mut stream = connect(&running).await;
    let began = Instant::now();
    let (mut reading, mut writing) = stream.split();
    let dripping = async {
        while writing.write_all(b"\x0B").await.is_ok() {
            for _ in 0..1000 {
                tokio::time::sleep(Duration::from_millis(50)).await;
                if writing.write_all(b"M").await.is_err() {
                    return;
                }
            }
        }
    };
    let mut bytes = Vec::new();
    tokio::select! {
        () = dripping => {}
        _ended = reading.read_to_end(&mut bytes) => {}
    }
    assert_eq!(bytes, b"");
    assert!(began.elapsed() < Duration::from_secs(5), "each drop must not buy more time");
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let running = run(MllpLimits { first: Duration::from_millis(100), ..limits() }, echo).await;
    assert_eq!(rest(&mut connect(&running).await).await, b"", "nothing was ever said");
    let mut spoken = connect(&running).await;
    spoken.write_all(&frame(b"hello")).await.expect("sent");
    let early = tokio::time::timeout(Duration::from_millis(500), rest(&mut spoken)).await;
    assert!(early.is_err(), "who has spoken may be silent for longer");
    let running = run(MllpLimits { idle: Duration::from_millis(100), ..limits() }, echo).await;
    let mut spoken = connect(&running).await;
    spoken.write_all(&frame(b"hello")).await.expect("sent");
    assert_eq!(rest(&mut spoken).await, frame(b"ACK hello"), "and not for ever");
}

#[tokio::test]
async fn one_connection_too_many_is_refused_and_room_is_given_back() {
    let connections = ConnectionLimitsConfig { connections_max: 2, ..ConnectionLimitsConfig::default() };
    let running =
        guarded(ListenerProtection { limits: connections, ..ListenerProtection::default() }, limits(), echo).await;
    let (first, _second) = (connect(&running).await, connect(&running).await);
    assert_eq!(rest(&mut connect(&running).await).await, b"", "a third is refused");
    drop(first);
    let mut answered = Vec::new();
    while answered.is_empty() {
        let mut stream = connect(&running).await;
        // Refused connections may break under the write; the next try may find room.
        let _sent = stream.write_all(&frame(b"hello")).await;
        let _closed = stream.shutdown().await;
        answered = rest(&mut stream).await;
    }
    assert_eq!(answered, frame(b"ACK hello"));
}

#[tokio::test]
async fn shutdown_finishes_what_has_come_in_and_takes_nothing_new() {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let taken = Arc::new(AtomicUsize::new(0));
    let intake = {
        let (begun, go, taken) = (Arc::clone(&begun), Arc::clone(&go), Arc::clone(&taken));
        move |delivery: Delivery| {
            let (begun, go, taken) = (Arc::clone(&begun), Arc::clone(&go), Arc::clone(&taken));
            async move {
                if taken.fetch_add(1, Ordering::SeqCst) == 0 {
                    begun.notify_one();
                    go.notified().await;
                }
                echo(delivery).await
            }
        }
    };
    let running = run(limits(), intake).await;
    let mut stream = connect(&running).await;
    let bytes = [frame(b"one"), frame(b"two"), b"\x0Bhalf".to_vec()].concat();
    stream.write_all(&bytes).await.expect("sent");
    begun.notified().await;
    running.stop.send(true).expect("still serving");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!running.served.is_finished(), "a message is being taken in");
    go.notify_one();
    assert_eq!(rest(&mut stream).await, [frame(b"ACK one"), frame(b"ACK two")].concat());
    running.served.await.expect("served");
    assert!(TcpStream::connect(running.address).await.is_err());
    assert_eq!(taken.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn messages_come_over_tls_as_over_plain_sockets() {
    let (folder, ours) = (tempfile::tempdir().expect("a folder"), Authority::new());
    let tls = Some(config(folder.path(), &ours, &["ehr.clinic.example"]));
    let running = guarded(ListenerProtection { tls, ..ListenerProtection::default() }, limits(), echo).await;
    let ehr = ours.issue("ehr.clinic.example");
    let mut stream = dial(running.address, &ours, Some(&ehr), rustls::DEFAULT_VERSIONS).await.expect("let in");
    stream.write_all(&[frame(b"one"), frame(b"two")].concat()).await.expect("sent");
    let expected = [frame(b"ACK one"), frame(b"ACK two")].concat();
    let mut answers = vec![0; expected.len()];
    stream.read_exact(&mut answers).await.expect("answered");
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn a_source_that_speaks_too_fast_is_slowed_down_and_loses_nothing() {
    let connections = ConnectionLimitsConfig { deliveries_per_second: 10, ..ConnectionLimitsConfig::default() };
    let running =
        guarded(ListenerProtection { limits: connections, ..ListenerProtection::default() }, limits(), echo).await;
    let mut stream = connect(&running).await;
    let began = Instant::now();
    let sent: Vec<u8> = (0..60).flat_map(|number| frame(format!("{number}").as_bytes())).collect();
    stream.write_all(&sent).await.expect("sent");
    stream.shutdown().await.expect("half closed");
    let expected: Vec<u8> = (0..60).flat_map(|number| frame(format!("ACK {number}").as_bytes())).collect();
    assert_eq!(rest(&mut stream).await, expected);
    // Fifty at once, and ten more in a second.
    assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
}
