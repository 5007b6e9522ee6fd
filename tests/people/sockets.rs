//! A person meets the daemon over TLS, as it is installed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, IsCa, KeyPair};
use serde_json::{Value, json};

use crate::house::{self, House};
use crate::mllp::{self, Sender};

/// What the daemon shows, written beside its other keys, and what whoever asks it has to believe.
fn certificate(house: &House) -> String {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name = DistinguishedName::new();
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_string()]).expect("a name");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    fs::write(house.path("keys/tls.pem"), certificate.pem()).expect("written");
    fs::write(house.path("keys/tls.key"), key.serialize_pem()).expect("written");
    fs::set_permissions(house.path("keys/tls.key"), fs::Permissions::from_mode(0o600)).expect("changed");
    authority.pem()
}

fn password(printed: &[Value]) -> String {
    printed[0]["password"].as_str().expect("a password").to_string()
}

#[test]
fn a_person_signs_in_over_tls_and_an_operator_ends_it() {
    let house = House::new();
    let (data, config) = (house.path("data"), house.path("handoff.yaml"));
    let authority = certificate(&house);
    let api = "  api:\n    address: 127.0.0.1:0\n    tls: { certificate: keys/tls.pem, key: keys/tls.key }\nkeys:\n";
    house.edit("handoff.yaml", "\nkeys:\n", &format!("\n{api}"));
    // On an instance at rest, and on one that runs: the same code does it.
    let add = ["people", "add", "ada", "--role", "coordinator", "--why", "a new coordinator", "--json"];
    let once = password(&house::objects(&[&add[..], &["--config", &config]].concat()));
    let daemon = house.serve();
    let address = daemon.listening("for people over HTTP");
    let it =
        ["people", "add", "grace", "--role", "it", "--totp", "--why", "runs the machine", "--json", "--data", &data];
    let grace = house::objects(&it);
    assert!(grace[0]["second_factor"].as_str().is_some_and(|url| url.starts_with("otpauth://totp/")));
    let told = house::handoff(&["people", "add", "ada", "--role", "it", "--why", "again", "--data", &data]);
    assert!(String::from_utf8_lossy(&told.stderr).contains("there is an account of that name already"));
    let ack = Sender::connect(daemon.mllp).and_then(|mut sender| sender.ask(&mllp::order(1))).expect("an answer");
    assert_eq!(ack.code, "AA");

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        handoff_vault::crypto_provider::install();
        let root = reqwest::Certificate::from_pem(authority.as_bytes()).expect("a certificate");
        let client =
            reqwest::Client::builder().tls_certs_only([root]).resolve("localhost", address).build().expect("a client");
        let url = |path: &str| format!("https://localhost:{}{path}", address.port());
        let choice = json!({ "name": "ada", "password": once, "new_password": "twelve geese fly south" });
        let origin = url("");
        let response =
            client.post(url("/api/session")).header("origin", &origin).json(&choice).send().await.expect("TLS");
        assert_eq!(response.status(), 200);
        assert!(response.headers().contains_key("strict-transport-security"));
        let cookie =
            response.headers()["set-cookie"].to_str().expect("a cookie").split(';').next().expect("one").to_string();
        let get = async |path: &str| {
            let response = client.get(url(path)).header("cookie", &cookie).send().await.expect("TLS");
            (response.status().as_u16(), response.text().await.expect("text"))
        };
        let (status, listed) = get("/api/referrals").await;
        assert!(
            status == 200 && listed.to_lowercase().contains("everyman"),
            "a coordinator sees the patient: {status}"
        );
        let plain = reqwest::Client::new().get(format!("http://{address}/api/session")).send().await;
        assert!(plain.is_err(), "nothing is said without TLS");
        // Locked through the control socket, the open session ends at once.
        let lock = ["people", "lock", "ada", "--why", "left", "--data", &data].map(str::to_string);
        let locked =
            tokio::task::spawn_blocking(move || house::printed(&lock.iter().map(String::as_str).collect::<Vec<_>>()));
        locked.await.expect("printed");
        assert_eq!(get("/api/referrals").await.0, 401);
    });
    assert!(daemon.stop().0.success());
    let listed = house::objects(&["people", "list", "--json", "--config", &config]);
    let names: Vec<&str> = listed.iter().map(|it| it["name"].as_str().expect("a name")).collect();
    assert_eq!((names, &listed[0]["locked"]), (vec!["ada", "grace"], &true.into()));
    let found = house::objects(&["journal", "search", "--json", "--type", "looked", "--data", &data]);
    assert_eq!((&found[0]["deeds"][0]["who"], &found[0]["deeds"][0]["role"]), (&"ada".into(), &"coordinator".into()));
    let printed = house::printed(&["journal", "search", "--type", "account", "--data", &data]);
    assert!(printed.contains("account ada (coordinator): locked: left"), "{printed}");
}

#[test]
fn people_come_along_in_a_backup() {
    let house = House::new();
    let (config, backup, restored) = (house.path("handoff.yaml"), house.path("backup"), house.path("restored"));
    let add = ["people", "add", "ada", "--role", "auditor", "--why", "an auditor", "--config", &config];
    let told = house::printed(&add);
    assert!(told.contains("ada signs in once with: "), "{told}");
    house::printed(&["backup", &backup, "--config", &config]);
    let key = house.path("keys/journal.pub");
    house::printed(&["restore", &backup, "--data", &restored, "--key", &key]);
    house.edit("handoff.yaml", "data: data", "data: restored");
    let listed = house::objects(&["people", "list", "--json", "--config", &config]);
    assert_eq!((listed.len(), &listed[0]["name"]), (1, &"ada".into()));
    let bytes = fs::read(house.path("restored/people")).expect("the accounts");
    assert!(!String::from_utf8_lossy(&bytes).contains("ada"), "sealed");
}
