//! A listener on real sockets: who is let in, who is not, and what the other side hears of it.

use std::io;

use handoff_authority::{Authority, Identity, dial};
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::tls::testing::config;

const ANY: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

struct Running {
    address: SocketAddr,
    _open: watch::Sender<bool>,
}

/// Tells every connection who it is.
async fn introduce(connection: Connection) {
    let Connection { mut socket, permit, .. } = connection;
    let mut word = [0; 4];
    if socket.read_exact(&mut word).await.is_ok() {
        // A connection that is gone has nothing to hear.
        let _gone = socket.write_all(format!("you are {}", permit.source()).as_bytes()).await;
        let _gone = socket.shutdown().await;
    }
}

async fn run(guard: &ListenerProtection) -> Running {
    let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = tcp.local_addr().expect("an address");
    let mut listener = Listener::open("hl7", address, guard).expect("a good guard");
    listener.handshake = Duration::from_millis(300);
    let (open, closing) = watch::channel(false);
    tokio::spawn(listener.serve(tcp, closing, introduce));
    Running { address, _open: open }
}

/// What a listener says to whoever shows `shown`.
async fn hear(
    running: &Running,
    authority: &Authority,
    shown: Option<&Identity>,
    versions: &[&'static SupportedProtocolVersion],
) -> io::Result<String> {
    let mut stream = dial(running.address, authority, shown, versions).await?;
    stream.write_all(b"who?").await?;
    let mut told = String::new();
    stream.read_to_string(&mut told).await?;
    Ok(told)
}

/// Everything up to the end of the connection.
async fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = timeout(Duration::from_secs(10), stream.read_to_end(&mut bytes));
    // A connection reset instead of closed ends the reading all the same.
    let _ended = read.await.expect("the listener closes the connection");
    bytes
}

fn guard(tls: TlsConfig) -> ListenerProtection {
    ListenerProtection { tls: Some(tls), ..ListenerProtection::default() }
}

#[tokio::test]
async fn only_certificates_with_an_allowed_name_come_in() {
    let (folder, ours, other) = (TempDir::new().expect("a folder"), Authority::new(), Authority::new());
    let running = run(&guard(config(folder.path(), &ours, &["ehr.clinic.example", "lab.clinic.example"]))).await;
    let refused = Err(());
    for (who, shown, expected) in [
        ("the EHR", Some(ours.issue("ehr.clinic.example")), Ok("you are ehr.clinic.example")),
        ("the laboratory", Some(ours.issue("lab.clinic.example")), Ok("you are lab.clinic.example")),
        ("another machine of the same authority", Some(ours.issue("printer.clinic.example")), refused),
        ("another authority's EHR", Some(other.issue("ehr.clinic.example")), refused),
        ("the EHR with last year's certificate", Some(ours.issue_until("ehr.clinic.example", 2025)), refused),
        ("a client without a certificate", None, refused),
    ] {
        for versions in [&[&TLS13][..], &[&TLS12]] {
            let told = hear(&running, &ours, shown.as_ref(), versions).await;
            assert_eq!(told.as_deref().map_err(|_| ()), expected, "{who} by {versions:?}");
        }
    }
}

#[tokio::test]
async fn without_clients_named_anyone_may_come_and_is_known_by_address() {
    let (folder, ours, other) = (TempDir::new().expect("a folder"), Authority::new(), Authority::new());
    let running = run(&guard(config(folder.path(), &ours, &[]))).await;
    assert_eq!(hear(&running, &ours, None, ANY).await.expect("let in"), "you are 127.0.0.1");
    assert!(hear(&running, &other, None, ANY).await.is_err(), "we do not pass for one of another authority");
}

/// A ClientHello (RFC 5246, 7.4.1.2) that nothing is wrong with but its version, TLS 1.1: it offers suites, a group, a
/// point format and a signature algorithm that the listener has.
fn hello_of_tls_1_1() -> Vec<u8> {
    let suites = [0xC0, 0x2B, 0xC0, 0x2F, 0xC0, 0x13, 0xC0, 0x14];
    let extensions = [
        [&[0, 0x0A, 0, 4, 0, 2][..], &[0, 0x17]].concat(),
        vec![0, 0x0B, 0, 2, 1, 0],
        [&[0, 0x0D, 0, 4, 0, 2][..], &[4, 3]].concat(),
    ]
    .concat();
    let mut body = vec![3, 2];
    body.extend([7; 32]);
    body.extend([0, 0, suites.len() as u8]);
    body.extend(suites);
    body.extend([1, 0, 0, extensions.len() as u8]);
    body.extend(extensions);
    let handshake = [&[1, 0, 0, body.len() as u8][..], &body].concat();
    [&[22, 3, 1, 0, handshake.len() as u8][..], &handshake].concat()
}

#[tokio::test]
async fn older_tls_and_plain_text_are_turned_away() {
    let (folder, ours) = (TempDir::new().expect("a folder"), Authority::new());
    let running = run(&guard(config(folder.path(), &ours, &[]))).await;
    for (what, bytes, alert) in [
        // RFC 8446, 6.2: a fatal (2) `protocol_version` (70).
        ("TLS 1.1", hello_of_tls_1_1(), Some([2, 70])),
        ("HL7 in plain text", b"\x0bMSH|^~\\&|EHR|\x1c\r".to_vec(), None),
        ("HTTP in plain text", b"POST /in/orders HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), None),
    ] {
        let mut stream = TcpStream::connect(running.address).await.expect("connected");
        stream.write_all(&bytes).await.expect("sent");
        let answer = rest(stream).await;
        assert!(!answer.starts_with(b"you"), "{what} was let in");
        if let Some(alert) = alert {
            assert_eq!((answer[0], &answer[5..]), (21, &alert[..]), "{what}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn whoever_does_not_shake_hands_is_sent_away_and_its_place_is_free() {
    let (folder, ours) = (TempDir::new().expect("a folder"), Authority::new());
    let limits = ConnectionLimitsConfig { connections_max: 1, ..ConnectionLimitsConfig::default() };
    let running = run(&ListenerProtection { limits, ..guard(config(folder.path(), &ours, &[])) }).await;
    let silent = TcpStream::connect(running.address).await.expect("connected");
    assert!(hear(&running, &ours, None, ANY).await.is_err(), "there is one place, and it is taken");
    assert_eq!(rest(silent).await, b"");
    assert!(hear(&running, &ours, None, ANY).await.is_ok());
}

#[tokio::test]
async fn a_source_is_counted_by_its_certificate_once_it_has_shown_it() {
    let (folder, ours) = (TempDir::new().expect("a folder"), Authority::new());
    let limits = ConnectionLimitsConfig { connections_per_source_max: 2, ..ConnectionLimitsConfig::default() };
    let names = ["ehr.clinic.example", "lab.clinic.example"];
    let running = run(&ListenerProtection { limits, ..guard(config(folder.path(), &ours, &names)) }).await;
    let [ehr, lab] = names.map(|name| ours.issue(name));
    let mut held = Vec::new();
    for identity in [&ehr, &ehr, &lab] {
        held.push(dial(running.address, &ours, Some(identity), ANY).await.expect("let in"));
        // The client's handshake is over before the listener has read its certificate.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(hear(&running, &ours, Some(&ehr), ANY).await.is_err(), "the EHR has its two");
    assert!(hear(&running, &ours, Some(&lab), ANY).await.is_ok(), "the laboratory has one");
}

#[tokio::test]
async fn a_renewed_certificate_serves_without_a_restart_and_a_broken_one_does_not() {
    let (folder, old, new) = (TempDir::new().expect("a folder"), Authority::new(), Authority::new());
    let running = run(&guard(config(folder.path(), &old, &[]))).await;
    assert!(hear(&running, &old, None, ANY).await.is_ok());
    let renewed = new.issue("localhost");
    let broken = Identity { key: old.issue("localhost").key, ..renewed.clone() };
    for (identity, authority) in [(broken, &old), (renewed, &new)] {
        identity.write(folder.path());
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        assert!(hear(&running, authority, None, ANY).await.is_ok());
    }
}

#[test]
fn a_listener_that_cannot_be_guarded_is_not_opened() {
    let (folder, ours) = (TempDir::new().expect("a folder"), Authority::new());
    let tls = config(folder.path(), &ours, &["ehr.clinic.example"]);
    let clients = |names: &[&str]| {
        let names = names.iter().map(ToString::to_string).collect();
        let clients = tls.clients.clone().map(|clients| crate::tls::Clients { names, ..clients });
        guard(TlsConfig { clients, ..tls.clone() })
    };
    let foreign_key = folder.path().join("foreign.key");
    ours.issue("localhost").write(&{
        let other = folder.path().join("other");
        std::fs::create_dir(&other).expect("a folder");
        other
    });
    std::fs::rename(folder.path().join("other/tls.key"), &foreign_key).expect("moved");
    let reason = ListenerProtection {
        unencrypted_because: Some("the proxy speaks TLS".into()),
        ..ListenerProtection::default()
    };
    let limits = ConnectionLimitsConfig { deliveries_per_second: 0, ..ConnectionLimitsConfig::default() };
    for (address, guard, expected) in [
        ("127.0.0.1:2575", ListenerProtection::default(), "opened"),
        ("[::1]:2575", ListenerProtection::default(), "opened"),
        ("[::ffff:127.0.0.1]:2575", ListenerProtection::default(), "opened"),
        ("0.0.0.0:2575", ListenerProtection::default(), "unencrypted_because: the proxy on this machine speaks TLS"),
        ("10.0.0.7:2575", ListenerProtection::default(), "certificate: keys/tls.pem"),
        ("0.0.0.0:2575", reason, "opened"),
        ("0.0.0.0:2575", guard(tls.clone()), "opened"),
        ("127.0.0.1:2575", guard(TlsConfig { key: "/nowhere".into(), ..tls.clone() }), "cannot read /nowhere"),
        ("127.0.0.1:2575", guard(TlsConfig { certificate: tls.key.clone(), ..tls.clone() }), "holds no certificate"),
        ("127.0.0.1:2575", guard(TlsConfig { key: foreign_key, ..tls.clone() }), "does not belong to"),
        ("127.0.0.1:2575", clients(&[]), "nobody may connect"),
        ("127.0.0.1:2575", clients(&["two words"]), "\"two words\""),
        ("127.0.0.1:2575", ListenerProtection { limits, ..ListenerProtection::default() }, "deliveries_per_second"),
    ] {
        let opened = match Listener::open("hl7", address.parse().expect("an address"), &guard) {
            Ok(_) => "opened".to_string(),
            Err(error) => Chain(&error).to_string(),
        };
        assert!(opened.contains(expected), "{address} {guard:?}: {opened}");
    }
}
