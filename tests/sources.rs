//! Every listener, every source, every credential: nobody is believed because nobody asked.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use handoff_authority::{Authority, Identity, ListenerFiles};
use handoff_clock::SystemClock;
use handoff_ingress::tls::{Clients, TlsConfig};
use handoff_instance::config::{HttpListener, HttpSource, Listen, MllpListener};
use handoff_instance::source_protection::SourceError;
use handoff_pipeline::pipeline::Pipeline;
use handoff_practice::{PracticePlan, Simulation};
use handoff_rehearsal::in_process::Outward;
use handoff_rehearsal::rehearsal;
use handoff_server::service;
use handoff_vault::crypto_provider;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Certificate, Client, StatusCode};
use sha2::Sha256;
use tempfile::TempDir;

use crate::mllp;

/// What a sender has to show for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    Nothing,
    AnotherSignature,
    TheSignature,
    AnothersCertificate,
    TheCertificate,
}
use Shows::{AnotherSignature, AnothersCertificate, Nothing, TheCertificate, TheSignature};

/// Where anybody is heard, whatever is shown.
const ALL: [Shows; 5] = [Nothing, AnotherSignature, TheSignature, AnothersCertificate, TheCertificate];

const BECAUSE: &str = "only the interface engine reaches this port";

/// One listener that takes one source in, and who is heard there.
struct Row {
    listener: Door,
    source: &'static str,
    heard: &'static [Shows],
}

#[derive(Clone, Copy, Debug)]
enum Door {
    /// Names the source and nothing else.
    Bare,
    /// Asks for a certificate of the EHR.
    Certificates,
    /// The operator says why anybody may speak.
    Explained,
    /// Takes in another source.
    Elsewhere,
}

/// The trigger of `webhook` names a signature; that of `hl7` names none. A listener that would believe anybody is not opened, and
/// has no row.
const ROWS: &[Row] = &[
    Row { listener: Door::Bare, source: "webhook", heard: &[TheSignature] },
    Row { listener: Door::Explained, source: "webhook", heard: &[TheSignature] },
    Row { listener: Door::Explained, source: "hl7", heard: &ALL },
    Row { listener: Door::Certificates, source: "hl7", heard: &[TheCertificate] },
    Row { listener: Door::Elsewhere, source: "hl7", heard: &[] },
    Row { listener: Door::Elsewhere, source: "webhook", heard: &[] },
];

struct Set {
    _data: TempDir,
    keys: TempDir,
    pipeline: Arc<Pipeline>,
    ours: Authority,
    files: ListenerFiles,
    ehr: Identity,
    stranger: Identity,
}

fn set() -> Set {
    crypto_provider::install();
    let (data, keys) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let world = Simulation::new(PracticePlan::new(1, 0, rehearsal::start())).expect("a world");
    let secrets = Arc::new(rehearsal::secrets());
    let clock: Arc<dyn handoff_clock::Clock> = Arc::new(SystemClock);
    let egress = rehearsal::indoor_egress(Outward { world }, &secrets, Arc::clone(&clock)).expect("a way out");
    let parts = rehearsal::house(1, data.path(), egress, secrets, clock);
    let pipeline = Arc::new(parts.build().expect("an instance"));
    let ours = Authority::new();
    let files = ours.write_listener(keys.path());
    let ehr = ours.issue("ehr.clinic.example");
    // Of the right authority, and not the name that may speak.
    let stranger = ours.issue("printer.clinic.example");
    Set { _data: data, keys, pipeline, ours, files, ehr, stranger }
}

impl Set {
    fn tls(&self, clients: bool) -> TlsConfig {
        let clients = clients.then(|| Clients { ca: self.files.ca.clone(), names: vec!["ehr.clinic.example".into()] });
        TlsConfig { certificate: self.files.certificate.clone(), key: self.files.key.clone(), clients }
    }

    fn listener(&self, door: Door, source: &str) -> HttpListener {
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let plain = HttpListener { tls: Some(self.tls(false)), ..HttpListener::new(any, None) };
        match door {
            Door::Bare => plain.taking(&[source]),
            Door::Certificates => HttpListener { tls: Some(self.tls(true)), ..plain }.taking(&[source]),
            Door::Explained => {
                let source = HttpSource { source: source.into(), anybody_because: Some(BECAUSE.into()) };
                HttpListener { sources: vec![source], ..plain }
            }
            Door::Elsewhere => plain,
        }
    }

    /// None where not even a connection came about.
    async fn send(&self, address: SocketAddr, source: &str, shows: Shows) -> Option<StatusCode> {
        let root = Certificate::from_pem(self.ours.pem().as_bytes()).expect("a certificate");
        let builder = Client::builder().tls_certs_only([root]).resolve("localhost", address);
        let identity = match shows {
            Nothing | AnotherSignature | TheSignature => None,
            AnothersCertificate => Some(&self.stranger),
            TheCertificate => Some(&self.ehr),
        };
        let pem = |it: &Identity| format!("{}{}", it.certificate, it.key);
        let builder = match identity {
            Some(identity) => {
                builder.identity(reqwest::Identity::from_pem(pem(identity).as_bytes()).expect("an identity"))
            }
            None => builder,
        };
        let body = mllp::order(1);
        let signed = |key: &str| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key");
            mac.update(&body);
            format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
        };
        let url = format!("https://localhost:{}/in/{source}", address.port());
        let request = builder.build().expect("a client").post(url);
        let request = match shows {
            TheSignature => request.header("x-signature", signed(rehearsal::WEBHOOK_KEY)),
            AnotherSignature => request.header("x-signature", signed("replace-me")),
            Nothing | AnothersCertificate | TheCertificate => request,
        };
        request.body(body.clone()).send().await.ok().map(|response| response.status())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_shows_what_the_listener_asks_for_is_heard() {
    let set = set();
    for Row { listener: door, source, heard } in ROWS {
        let listen = Listen { mllp: Vec::new(), http: Some(set.listener(*door, source)), api: None };
        let service = service::start(&listen, Arc::clone(&set.pipeline)).await.expect("a listener");
        let address = service.http.expect("an HTTP listener");
        let begun = || set.pipeline.store.index().referrals(&Default::default(), None, 10).expect("referrals").len();
        let before = begun();
        for shows in ALL {
            let status = set.send(address, source, shows).await;
            // What is heard is read: an order in HL7 is no webhook, and is answered as one that cannot be read.
            let was_heard = status.is_some_and(|it| it.is_success() || it == StatusCode::BAD_REQUEST || it == 422);
            assert_eq!(was_heard, heard.contains(&shows), "{door:?} {source} {shows:?}: {status:?}");
        }
        assert!(begun() == before || !heard.is_empty(), "{door:?} {source}: nobody was heard, and a referral began");
        service.close().await;
    }
    drop(set.keys);
}

fn refused(set: &Set, listen: &Listen) -> SourceError {
    let installed = set.pipeline.deployments.current();
    handoff_instance::source_protection::check(listen, &installed, &set.pipeline.host).expect_err("it is not safe")
}

#[tokio::test]
async fn a_listener_that_would_believe_anybody_is_not_opened() {
    let set = set();
    let http = |door, source| Listen { mllp: Vec::new(), http: Some(set.listener(door, source)), api: None };
    assert!(matches!(refused(&set, &http(Door::Bare, "hl7")), SourceError::Unsigned { .. }));
    assert!(matches!(refused(&set, &http(Door::Bare, "hl8")), SourceError::Unread { .. }));
    assert!(matches!(refused(&set, &http(Door::Certificates, "hl8")), SourceError::Unread { .. }));
    let mllp = |source: &str, address: &str, tls| {
        let listener = MllpListener { tls, ..MllpListener::new(source, address.parse().expect("an address")) };
        Listen { mllp: vec![listener], http: None, api: None }
    };
    let open = mllp("hl7", "0.0.0.0:2575", Some(set.tls(false)));
    assert!(matches!(refused(&set, &open), SourceError::Anybody { .. }));
    assert!(service::start(&open, Arc::clone(&set.pipeline)).await.is_err());
    assert!(matches!(refused(&set, &mllp("hl8", "127.0.0.1:0", None)), SourceError::Unread { .. }));
    let installed = set.pipeline.deployments.current();
    let sound =
        |listen: &Listen| handoff_instance::source_protection::check(listen, &installed, &set.pipeline.host).is_ok();
    assert!(sound(&mllp("hl7", "0.0.0.0:2575", Some(set.tls(true)))));
    assert!(sound(&mllp("hl7", "127.0.0.1:2575", None)));
    let mut explained = open;
    explained.mllp[0].anybody_because = Some(BECAUSE.into());
    assert!(sound(&explained));
}

/// What stands in a configuration or a secret's file, and what the refusal says.
#[test]
fn a_reason_or_a_secret_that_says_nothing_is_refused_at_start() {
    let cases: [(&str, &str, &str, &str); 5] = [
        ("handoff.yaml", "    sources: [webhook]", "    sources: [{ source: webhook, anybody_because: '' }]", "H0114"),
        (
            "handoff.yaml",
            "    sources: [webhook]",
            "    sources: [{ source: webhook, anybody_because: yes yes yes }]",
            "H0114",
        ),
        ("keys/webhook-key", crate::house::SECRET, "replace-me", "H0212"),
        ("keys/webhook-key", crate::house::SECRET, "  ", "H0205"),
        ("handoff.yaml", "    sources: [webhook]", "    sources: [hl7]", "H0609"),
    ];
    for (file, from, to, code) in cases {
        let house = crate::house::House::new();
        house.edit(file, from, to);
        let config = house.path("handoff.yaml");
        for command in ["serve", "doctor"] {
            let output = crate::house::handoff(&[command, "--config", &config]);
            let told = [output.stdout, output.stderr].concat();
            let told = String::from_utf8_lossy(&told);
            assert!(!output.status.success() && told.contains(&format!("error[{code}]")), "{command} {to}: {told}");
        }
        assert!(Path::new(&config).exists());
    }
}
