use super::*;

fn config(json: &str) -> EndpointConfig {
    serde_json::from_str(json).expect("a configuration")
}

#[test]
fn an_endpoint_that_would_leak_is_refused() {
    for (json, expected) in [
        (r#"{"url": "https://api.vendor.example"}"#, "ok"),
        (r#"{"url": "https://api.vendor.example/v1/", "paths": ["/Task"], "methods": ["GET"]}"#, "ok"),
        (r#"{"url": "http://api.vendor.example"}"#, "NotEncrypted"),
        (r#"{"url": "http://ehr.internal", "allow_private": true}"#, "ok"),
        (r#"{"url": "mllp://ehr.internal:2575"}"#, "NotEncrypted"),
        (r#"{"url": "mllp://ehr.internal", "allow_private": true}"#, "NoPort"),
        (r#"{"url": "https://127.0.0.1"}"#, "Forbidden"),
        (r#"{"url": "https://[::1]:8443"}"#, "Forbidden"),
        (r#"{"url": "https://0x7f.1/"}"#, "Forbidden"),
        (r#"{"url": "https://169.254.169.254", "allow_private": true}"#, "Forbidden"),
        (r#"{"url": "http://93.184.216.34", "allow_private": true}"#, "Forbidden"),
        (r#"{"url": "smtps://10.0.0.9"}"#, "Forbidden"),
        (r#"{"url": "smtp://10.0.0.9", "allow_private": true}"#, "ok"),
        (r#"{"url": "ftp://vendor.example"}"#, "OtherScheme"),
        (r#"{"url": "https://user@vendor.example"}"#, "NotABase"),
        (r#"{"url": "https://vendor.example/?a=1"}"#, "NotABase"),
        (r#"{"url": "vendor.example"}"#, "NotAUrl"),
        (
            r#"{"url": "https://v.example", "credentials": {"kind": "login", "user": "a", "password": "b"}}"#,
            "OtherCredentials",
        ),
        (r#"{"url": "smtp://v.example", "credentials": {"kind": "bearer", "token": "t"}}"#, "OtherCredentials"),
        (r#"{"url": "https://v.example", "timeout_seconds": 0}"#, "Zero"),
        (r#"{"url": "https://v.example", "ca": "ca.pem", "proxy": {"url": "http://proxy:3128"}}"#, "ok"),
        (r#"{"url": "smtp://v.example", "client_certificate": {"certificate": "c", "key": "k"}}"#, "ok"),
        (r#"{"url": "http://v.example", "allow_private": true, "ca": "ca.pem"}"#, "OfNoUse"),
        (r#"{"url": "smtps://v.example", "proxy": {"url": "http://proxy:3128"}}"#, "OfNoUse"),
        (r#"{"url": "http://v.example", "allow_private": true, "proxy": {"url": "http://proxy:3128"}}"#, "OfNoUse"),
        (r#"{"url": "https://v.example", "rate": {"requests": 10}}"#, "ok"),
        (r#"{"url": "https://v.example", "rate": {"requests": 0}}"#, "Zero { name: \"x\", key: \"rate.requests\" }"),
        (r#"{"url": "https://v.example", "rate": {"requests": 1, "per_seconds": 0}}"#, "Zero"),
        (r#"{"url": "https://v.example", "rate": {"requests": 1, "burst": 0}}"#, "Zero"),
        (r#"{"url": "https://v.example", "paths": ["Task"]}"#, "NotAPath"),
    ] {
        let made = match Endpoint::new("x", config(json)) {
            Ok(_) => "ok".to_string(),
            Err(error) => format!("{error:?}"),
        };
        assert!(made.starts_with(expected), "{json}: {made}");
    }
}

#[test]
fn paths_are_allowed_by_whole_segments() {
    let endpoint = Endpoint::new("x", config(r#"{"url": "https://v.example", "paths": ["/Task", "/v1/"]}"#));
    let endpoint = endpoint.expect("good");
    for (path, allowed) in
        [("/Task", true), ("/Task/9", true), ("/Tasks", false), ("/", false), ("/v1/x", true), ("/v1", false)]
    {
        assert_eq!(endpoint.allows_path(path), allowed, "{path}");
    }
}

#[test]
fn an_unknown_key_is_refused_and_credentials_have_their_kinds() {
    assert!(serde_json::from_str::<EndpointConfig>(r#"{"url": "https://v", "timeout": 1}"#).is_err());
    let bearer = config(
        r#"{"url": "https://v", "credentials": {"kind": "bearer", "token": "paubox", "prefix": "Token token="}}"#,
    );
    assert_eq!(bearer.credentials, Credentials::Bearer { token: "paubox".into(), prefix: "Token token=".into() });
    let baa =
        config(r#"{"url": "https://v", "baa": {"reference": "BAA-7", "expires": "2027-12-31"}}"#).baa.expect("there");
    assert_eq!(baa.expires, NaiveDate::from_ymd_opt(2027, 12, 31));
}

#[test]
fn ports_follow_the_scheme() {
    for (url, port) in [
        ("https://v.example", 443),
        ("https://v.example:8443", 8443),
        ("smtps://v.example", 465),
        ("smtp://v.example", 587),
        ("smtp://v.example:25", 25),
    ] {
        assert_eq!(Endpoint::new("x", config(&format!(r#"{{"url": "{url}"}}"#))).expect("good").port(), port);
    }
}
