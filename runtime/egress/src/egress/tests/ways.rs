//! Ways out that an endpoint has for itself: keys, certificates, authorities, proxies; and the lines of a denial that
//! open one.

use handoff_authority::{Authority, ListenerFiles};
use handoff_engine::ids::Digest;
use handoff_ingress::http::{HttpLimits, serve};
use handoff_ingress::listener::{Listener, ListenerProtection};
use handoff_ingress::tls::{Clients, Tls, TlsConfig};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::mail::{house_with_mail, mail, mail_server};
use super::*;
use crate::jwt_assertion::tests::{RSA, elliptic_curve};

/// One endpoint, `out`, and secrets by name.
fn out(entry: &Value, secrets: &[(&str, &str)]) -> Result<Egress, EgressError> {
    let config: EndpointConfig = serde_json::from_value(entry.clone()).expect("a configuration");
    let secrets = secrets.iter().map(|(name, text)| (name.to_string(), Secret::new(text.to_string()))).collect();
    let clock = Arc::new(VirtualClock::starting_at(now()));
    Egress::new(BTreeMap::from([("out".to_string(), config)]), Arc::new(secrets), clock)
}

/// `base` with what `more` has, member by member.
fn merged(base: &Value, more: &Value) -> Value {
    match (base, more) {
        (Value::Object(base), Value::Object(more)) => {
            let mut merged = base.clone();
            for (name, value) in more {
                let value = base.get(name).map_or(value.clone(), |base| self::merged(base, value));
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        (_, more) => more.clone(),
    }
}

/// A vendor that only whoever shows a certificate of `authority` for `handoff.clinic.example` may ask.
async fn guarded_vendor(folder: &TempDir, authority: &Authority) -> (u16, watch::Sender<bool>) {
    let tls = Some(config(folder.path(), authority, &["handoff.clinic.example"]));
    let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = tcp.local_addr().expect("an address");
    let listener = Listener::open("vendor", address, &ListenerProtection { tls, ..ListenerProtection::default() })
        .expect("a good guard");
    let router = Router::new().fallback(async || axum::Json(json!({ "sid": "SM1" })));
    let (open, closing) = watch::channel(false);
    tokio::spawn(serve(listener, tcp, router, HttpLimits::default(), closing));
    (address.port(), open)
}

fn file(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("written");
    path.to_str().expect("UTF-8").to_string()
}

#[tokio::test]
async fn a_server_and_the_house_show_each_other_certificates_of_a_private_authority() {
    let (folder, ours, other) = (TempDir::new().expect("a folder"), Authority::new(), Authority::new());
    let (port, _open) = guarded_vendor(&folder, &ours).await;
    let house = house();
    let (ca, other_ca) = (file(&folder, "our-ca.pem", &ours.pem()), file(&folder, "other-ca.pem", &other.pem()));
    let plain = json!({
        "url": format!("https://localhost:{port}"), "allow_private": true, "baa": { "reference": "BAA-7" },
        "timeout_seconds": 5,
    });
    let shown = |authority: &Authority, name: &str| {
        let identity = authority.issue(name);
        let certificate = file(&folder, &Digest::of(identity.key.as_bytes()).to_string(), &identity.certificate);
        (json!({ "client_certificate": { "certificate": certificate, "key": "our-key" } }), identity.key)
    };
    let nothing = || (json!({}), String::from("unused"));
    for (what, ca, (certificate, key), answers) in [
        ("both certificates", Some(&ca), shown(&ours, "handoff.clinic.example"), true),
        ("no certificate of ours", Some(&ca), nothing(), false),
        ("another name's certificate", Some(&ca), shown(&ours, "printer.clinic.example"), false),
        ("another authority's certificate", Some(&ca), shown(&other, "handoff.clinic.example"), false),
        ("a server of another authority", Some(&other_ca), shown(&ours, "handoff.clinic.example"), false),
        ("a server that no public authority knows", None, shown(&ours, "handoff.clinic.example"), false),
    ] {
        let mut entry = merged(&plain, &certificate);
        if let Some(ca) = ca {
            entry["ca"] = json!(ca);
        }
        let egress = out(&entry, &[("our-key", &key)]).expect("an egress");
        let performed = house.perform(&egress, post(Body::Json("{}".into()))).await.expect("allowed");
        assert_eq!(matches!(performed, Performed::Answered(_)), answers, "{what}: {performed:?}");
    }
    for (what, more) in [
        ("no such file", json!({ "ca": "/nowhere.pem" })),
        ("no certificate", json!({ "ca": file(&folder, "empty.pem", "hello") })),
        ("no key", json!({ "client_certificate": { "certificate": ca, "key": "our-key" } })),
    ] {
        assert!(out(&merged(&plain, &more), &[("our-key", "hunter2")]).is_err(), "{what}");
    }
}

#[tokio::test]
async fn a_message_over_mllp_goes_encrypted_to_whom_the_authority_names() {
    let (folder, ours, other) = (TempDir::new().expect("a folder"), Authority::new(), Authority::new());
    let tls = Arc::new(Tls::open(config(folder.path(), &ours, &["handoff.clinic.example"])).expect("a good guard"));
    let engine = raw("mllps", move |stream| {
        let tls = Arc::clone(&tls);
        async move {
            let greeted = tls.greet(stream).await.map_err(std::io::Error::other)?;
            let mut stream = greeted.0;
            let mut chunk = [0; 4096];
            let count = stream.read(&mut chunk).await?;
            assert!(
                chunk[..count].ends_with(b"PID|1||+15125550143\r\x1C\r"),
                "{:?}",
                String::from_utf8_lossy(&chunk[..count])
            );
            stream.write_all(&frame(b"MSH|^~\\&|EHR\rMSA|AA|7\r")).await
        }
    })
    .await;
    let house = house();
    let identity = ours.issue("handoff.clinic.example");
    let entry = |ca: &Authority, name: &str| {
        json!({
            "url": engine.replace("127.0.0.1", "localhost"), "allow_private": true, "baa": { "reference": "BAA-7" },
            "timeout_seconds": 5, "ca": file(&folder, name, &ca.pem()),
            "client_certificate": { "certificate": file(&folder, "us.pem", &identity.certificate), "key": "our-key" },
        })
    };
    let ask = || {
        let text = format!("MSH|^~\\&|H\rPID|1||{}\r", house.phone);
        Ask { request: Request::Mllp(text), ..post(Body::Empty) }
    };
    let known = out(&entry(&ours, "our-ca.pem"), &[("our-key", &identity.key)]).expect("an egress");
    let performed = house.perform(&known, ask()).await.expect("allowed");
    let Performed::Answered(Response::Mllp(answer)) = performed else { panic!("{performed:?}") };
    assert!(answer.contains("MSA|AA"), "{answer}");
    let stranger = out(&entry(&other, "other-ca.pem"), &[("our-key", &identity.key)]).expect("an egress");
    let performed = house.perform(&stranger, ask()).await.expect("allowed");
    assert!(matches!(performed, Performed::NotSent(_)), "a server of another authority: {performed:?}");
    let mut unnamed = entry(&ours, "our-ca.pem");
    unnamed.as_object_mut().expect("an object").remove("ca");
    let refused = out(&unnamed, &[("our-key", &identity.key)]).err().expect("no authority");
    assert!(format!("{:?}", refused).contains("NoAuthority"), "{refused:?}");
}

#[tokio::test]
async fn a_proxy_carries_what_it_cannot_read() {
    let (folder, ours) = (TempDir::new().expect("a folder"), Authority::new());
    let (port, _open) = guarded_vendor(&folder, &ours).await;
    let heard: Arc<Mutex<Vec<u8>>> = Arc::default();
    let keeper = Arc::clone(&heard);
    let proxy = raw("http", move |mut stream| {
        let heard = Arc::clone(&keeper);
        async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await?);
            }
            let mut target = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            heard.lock().extend_from_slice(&head);
            let mut first = vec![0; 4096];
            let count = stream.read(&mut first).await?;
            heard.lock().extend_from_slice(&first[..count]);
            target.write_all(&first[..count]).await?;
            tokio::io::copy_bidirectional(&mut stream, &mut target).await.map(drop)
        }
    })
    .await;
    let house = house();
    let identity = ours.issue("handoff.clinic.example");
    let entry = json!({
        "url": "https://localhost", "allow_private": true, "baa": { "reference": "BAA-7" }, "timeout_seconds": 5,
        "ca": file(&folder, "our-ca.pem", &ours.pem()),
        "client_certificate": { "certificate": file(&folder, "us.pem", &identity.certificate), "key": "our-key" },
        "proxy": { "url": proxy, "user": "us", "password": "pw" },
    });
    let egress = out(&entry, &[("our-key", &identity.key), ("pw", "s3cret")]).expect("an egress");
    let form = Body::Form(vec![attribute("To", &house.phone.0)]);
    assert_eq!(answered(house.perform(&egress, post(form)).await).status, 200);
    let heard = heard.lock().clone();
    let heard = String::from_utf8_lossy(&heard);
    assert!(heard.starts_with("CONNECT localhost:443 HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains("Basic dXM6czNjcmV0") && !heard.contains("5550143"), "{heard}");
}

#[tokio::test]
async fn a_smart_backend_signs_who_it_is_for_each_token() {
    let house = house();
    for key in [RSA.to_string(), elliptic_curve()] {
        let log = Log::default();
        let token = {
            let log = Log::clone(&log);
            async move |request: Received| {
                keep(&log, request).await;
                axum::Json(json!({ "access_token": "t", "expires_in": 300 }))
            }
        };
        let refusing = Router::new().route("/token", axum::routing::post(token));
        let url = listen(refusing.fallback(async || axum::http::StatusCode::UNAUTHORIZED)).await;
        let entry = json!({
            "url": url, "allow_private": true, "baa": { "reference": "BAA-7" },
            "credentials": {
                "kind": "smart-backend", "token_url": format!("{url}/token"), "client_id": "us", "key": "our-key",
                "key_id": "2026-1", "scopes": ["system/Task.write"],
            },
        });
        let egress = out(&entry, &[("our-key", &key)]).expect("an egress");
        for _ in 0..2 {
            assert_eq!(answered(house.perform(&egress, post(Body::Empty)).await).status, 401);
        }
        let log = log.lock().clone();
        let asked: Vec<BTreeMap<String, String>> =
            log.iter().map(|entry| url::form_urlencoded::parse(entry[3].as_bytes()).into_owned().collect()).collect();
        assert_eq!(asked.len(), 2, "the token was refused, so another was fetched");
        let names: Vec<&str> = asked[0].keys().map(String::as_str).collect();
        assert_eq!(names, ["client_assertion", "client_assertion_type", "grant_type", "scope"]);
        assert_eq!(asked[0]["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        assert_eq!((asked[0]["scope"].as_str(), log[0][1].as_str()), ("system/Task.write", ""));
        assert_ne!(asked[0]["client_assertion"], asked[1]["client_assertion"], "no assertion is used twice");
        assert!(matches!(
            out(&entry, &[("our-key", "hunter2")]),
            Err(EgressError::Endpoint(EndpointError::NotAKey { .. }))
        ));
    }
}

/// A mail server over TLS that keeps the words of its clients.
async fn encrypted_mail_server(tls: TlsConfig) -> (u16, Arc<Mutex<String>>) {
    let told: Arc<Mutex<String>> = Arc::default();
    let keeper = Arc::clone(&told);
    let tls = Arc::new(Tls::open(tls).expect("good files"));
    let url = raw("smtps", move |stream| {
        let (told, tls) = (Arc::clone(&keeper), Arc::clone(&tls));
        async move {
            let (stream, _) = tls.greet(stream).await.map_err(io::Error::other)?;
            let mut stream = BufReader::new(stream);
            stream.get_mut().write_all(b"220 mail.test ESMTP\r\n").await?;
            let (mut line, mut text) = (String::new(), false);
            while stream.read_line(&mut line).await? > 0 {
                told.lock().push_str(&line);
                let answer = match line.trim_end() {
                    "." => "250 2.0.0 Ok: queued as 4F",
                    _ if text => "",
                    "DATA" => "354 go on",
                    word if word.starts_with("EHLO") => "250-mail.test\r\n250 AUTH XOAUTH2 PLAIN",
                    word if word.starts_with("AUTH") => "235 2.7.0 welcome",
                    _ => "250 2.0.0 Ok",
                };
                text = if text { line.trim_end() != "." } else { answer.starts_with("354") };
                line.clear();
                if !answer.is_empty() {
                    stream.get_mut().write_all(format!("{answer}\r\n").as_bytes()).await?;
                }
            }
            Ok(())
        }
    })
    .await;
    let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    (port, told)
}

#[tokio::test]
async fn a_mail_goes_out_with_an_access_token_and_over_tls_only() {
    let (folder, ours) = (TempDir::new().expect("a folder"), Authority::new());
    let (port, told) = encrypted_mail_server(config(folder.path(), &ours, &[])).await;
    let (token_url, _) = vendor(200, "application/json", r#"{"access_token":"t0","expires_in":3600}"#).await;
    let house = house_with_mail();
    let entry = |url: String| {
        json!({
            "url": url, "allow_private": true, "baa": { "reference": "BAA-7" }, "timeout_seconds": 5,
            "credentials": {
                "kind": "xoauth2", "user": "care@lakeside.example", "token_url": token_url, "client_id": "us",
                "client_secret": "pw", "scopes": ["https://outlook.office365.com/.default"],
            },
        })
    };
    let mut encrypted = entry(format!("smtps://localhost:{port}"));
    encrypted["ca"] = json!(file(&folder, "our-ca.pem", &ours.pem()));
    let ask = || Ask { request: Request::Mail(mail(&house)), ..post(Body::Empty) };
    let performed = house.perform(&out(&encrypted, &[("pw", "s3cret")]).expect("an egress"), ask()).await;
    assert!(matches!(&performed, Ok(Performed::Answered(Response::Mail(word))) if word.code == 250), "{performed:?}");
    let told = told.lock().clone();
    // `user=care@lakeside.example`, `auth=Bearer t0`, each ended by 0x01, and 0x01.
    let shown = "AUTH XOAUTH2 dXNlcj1jYXJlQGxha2VzaWRlLmV4YW1wbGUBYXV0aD1CZWFyZXIgdDABAQ==\r\n";
    assert!(told.contains(shown), "{told}");

    let (url, told) = mail_server(&[]).await;
    let performed = house.perform(&out(&entry(url), &[("pw", "s3cret")]).expect("an egress"), ask()).await;
    assert!(matches!(performed, Err(Denial::NoStartTls { .. })), "{performed:?}");
    assert!(!told.lock().contains("AUTH"));
}

#[tokio::test]
async fn the_lines_of_a_denial_let_the_request_through() {
    let house = house();
    let (url, _) = vendor(200, "application/json", r#"{"a":"0123456789"}"#).await;
    let open = json!({ "url": url, "allow_private": true, "baa": { "reference": "BAA-7", "expires": "2027-12-31" } });
    let form = || post(Body::Form(vec![attribute("To", &house.phone.0)]));
    for (what, narrow, ask) in [
        ("a method", json!({ "methods": ["PUT"] }), form()),
        ("a path", json!({ "paths": ["/Accounts"] }), form()),
        (
            "a patient's path",
            json!({ "paths": ["/Accounts"] }),
            http(Method::Get, &format!("/to/{}", house.phone), Body::Empty),
        ),
        ("an agreement", json!({ "baa": null }), form()),
        ("a new date", json!({ "baa": { "expires": "2026-09-20" } }), form()),
        ("a longer answer", json!({ "response_bytes_max": 17 }), http(Method::Get, "/x", Body::Empty)),
    ] {
        let entry = merged(&open, &narrow);
        let denial =
            house.perform(&out(&entry, &[]).expect("an egress"), ask.clone()).await.expect_err(what).to_string();
        let (_, lines) = denial.split_once("help: write in the configuration:\n").unwrap_or_else(|| panic!("{denial}"));
        let lines: Value = serde_saphyr::from_str(lines).unwrap_or_else(|error| panic!("{error}: {lines}"));
        let entry = if entry["baa"].is_null() { merged(&entry, &json!({ "baa": {} })) } else { entry };
        let mended = out(&merged(&entry, &lines["endpoints"]["out"]), &[]).expect("an egress");
        assert_eq!(answered(house.perform(&mended, ask).await).status, 200, "{what}: {denial}");
    }
}

#[tokio::test]
async fn an_expired_agreement_stops_the_endpoint_for_everything() {
    let house = house();
    let (url, log) = vendor(200, "application/json", "{}").await;
    let entry = json!({ "url": url, "allow_private": true, "baa": { "reference": "BAA-7", "expires": "2026-09-20" } });
    let egress = out(&entry, &[]).expect("an egress");
    for body in [Body::Empty, Body::Form(vec![attribute("To", &house.phone.0)])] {
        let denial = house.perform(&egress, post(body)).await.expect_err("stopped");
        assert!(matches!(denial, Denial::AgreementExpired { .. }), "{denial:?}");
    }
    assert!(log.lock().is_empty());
}

/// `tls:` of a server that is `localhost`, and of clients named `names` by `authority`, when there are any.
fn config(folder: &Path, authority: &Authority, names: &[&str]) -> TlsConfig {
    let ListenerFiles { certificate, key, ca } = authority.write_listener(folder);
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    TlsConfig { certificate, key, clients: (!names.is_empty()).then_some(Clients { ca, names }) }
}
