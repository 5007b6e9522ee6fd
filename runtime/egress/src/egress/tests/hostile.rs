//! A vendor's plugin that wants a patient's data out, in Handoff's real sandbox and before its real way out. The table
//! of attempts in SECURITY.md is this one.

use std::path::Path;

use handoff_host::contract::carrier::{Letter, Turn};
use handoff_host::contract::types::{ChannelKind, Failure};
use handoff_host::{Answer, Call, FaultKind, Host, Plugin, PluginLimits};

use super::mail::mail_server;
use super::*;

/// What became of an attempt.
#[derive(Debug, PartialEq)]
enum End {
    /// Egress refused it, by this denial.
    Denied(&'static str),
    /// The sandbox ended it.
    Fault(FaultKind),
    /// It was answered; what was planted is in nothing that the plugin or a list gets to see.
    Told,
}

fn hostile(host: &Host) -> Plugin {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = handoff_builder::build_one(&root.join("tests/fixtures/hostile"), &root.join("target/hostile"));
    host.load(&built.unwrap_or_else(|error| panic!("{error}"))).expect("a plugin")
}

fn sandbox() -> Host {
    let limits = PluginLimits {
        memory_bytes: 16 << 20,
        output_bytes: 1 << 20,
        deadline: Duration::from_millis(500),
        wait: Duration::from_secs(20),
        ..PluginLimits::default()
    };
    Host::new(limits, None).expect("a host")
}

fn letter(to: &Token, name: &Token) -> Letter {
    Letter {
        id: "1".into(),
        channel: ChannelKind::Sms,
        to: to.0.clone(),
        language: "en".into(),
        subject: String::new(),
        text: format!("Dear {name}, please call us."),
        callback_url: None,
        extras: Vec::new(),
    }
}

fn compose(to: &Token, name: &Token, deed: &str) -> Call {
    Call::Compose { letter: letter(to, name), settings: deed.into() }
}

/// What the deed comes to, and everything that anyone gets to read of it.
async fn attempt(house: &House, egress: &Egress, host: &Host, plugin: &Plugin, deed: &str) -> (String, String) {
    let mut call = compose(&house.phone, &house.name, deed);
    let mut told = String::new();
    loop {
        let turn = match host.call(plugin, &call) {
            Err(fault) => return (format!("Fault({:?})", fault.kind), format!("{told} {fault} {fault:?}")),
            Ok(Answer::Compose(turn) | Answer::ResumeCarrier(turn)) => turn,
            Ok(other) => panic!("{other:?}"),
        };
        told += &format!("{} {turn:?} ", serde_json::to_string(&turn).expect("JSON"));
        let ask = match turn {
            Ok(Turn::Ask(ask)) => ask,
            Ok(Turn::Done(_)) | Err(Failure::Other(_)) => return ("Told".into(), told),
            Err(other) => panic!("{other:?}"),
        };
        let state = ask.state.clone();
        let grant = Grant {
            stage: "outreach.sms".into(),
            endpoints: vec!["out".into(), "post".into()],
            reveal: vec!["sid".into()],
            patient: house.patient.clone(),
            letter: LetterId { referral: ReferralId::derive(now(), b"a referral"), number: 1 },
            again: 0,
        };
        let mut sealing = house.vault.sealing(&house.index);
        let performed = egress.perform(&grant, &ask, &mut sealing).await;
        house.index.apply(sealing.finish().expect("finished"));
        match performed {
            Err(denial) => {
                let kind = format!("{denial:?}").split([' ', '{']).next().unwrap_or_default().to_string();
                return (format!("Denied({kind:?})"), format!("{told} {denial} {denial:?}"));
            }
            Ok(Performed::Answered(response)) => {
                told += &serde_json::to_string(&response).expect("JSON");
                call = Call::ResumeCarrier { state, response, settings: deed.into() };
            }
            Ok(other) => panic!("{deed}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn no_attempt_gets_a_patients_data_out() {
    let house = house();
    let echo =
        r#"{"sid":"SM1","name":"Ana \"Nena\" Cruz","to":"+15125550143","message":"no such number +15125550143"}"#;
    let (url, vendor_log) = vendor(201, "application/json", echo).await;
    let (evil, evil_log) = vendor(200, "text/plain", "thank you").await;
    let (post, post_told) = mail_server(&[]).await;
    let entries = format!(
        r#"{{
            "out": {{"url": "{url}", "allow_private": true, "baa": {{"reference": "BAA-7"}}, "methods": ["POST"]}},
            "post": {{"url": "{post}", "allow_private": true, "baa": {{"reference": "BAA-8"}}}},
            "evil": {{"url": "{evil}", "allow_private": true, "baa": {{"reference": "none"}}}}
        }}"#
    );
    let clock = Arc::new(VirtualClock::starting_at(now()));
    let egress =
        Egress::new(serde_json::from_str(&entries).expect("entries"), Arc::default(), clock).expect("an egress");
    let evil = evil.trim_start_matches("http://").to_string();
    let (host, foreign) = (sandbox(), house.foreign.0.clone());
    let plugin = hostile(&host);
    let unknown = format!("ZPHIG00C{}", "0".repeat(26));
    use End::{Denied, Fault, Told};
    for (deed, argument, end) in [
        ("ask another endpoint", "", Denied("EndpointNotGranted")),
        ("ask an absolute URL", &evil, Denied("Malformed")),
        ("ask a path that looks like a host", &evil, Told),
        ("climb out of the path", "", Denied("Malformed")),
        ("climb by percent", "", Denied("Malformed")),
        ("name another host", &evil, Denied("Malformed")),
        ("forward to another host", &evil, Denied("Malformed")),
        ("bring its own credentials", "", Denied("Malformed")),
        ("break the header's line", &evil, Denied("Malformed")),
        ("use another method", "", Denied("MethodNotAllowed")),
        ("name a field by a token", "", Denied("Malformed")),
        ("write a token bare into JSON", "", Denied("Malformed")),
        ("place a foreign token", &foreign, Denied("ForeignToken")),
        ("place a foreign token", &unknown, Denied("Sealed")),
        ("mail to somebody else", "evil@example.org", Denied("OtherRecipient")),
        ("read all of the answer", "", Denied("RevealNotGranted")),
        ("repeat the answer", "", Told),
        ("tell by failing", "", Told),
        ("tell by a receipt", "", Told),
        ("tell by a panic", "", Fault(FaultKind::Trapped)),
        ("tell by what it remembers", "", Told),
        ("tell by sizes", "", Told),
        ("answer without end", "", Fault(FaultKind::OutOfMemory)),
        ("think for ever", "", Fault(FaultKind::TimedOut)),
        ("take all memory", "", Fault(FaultKind::OutOfMemory)),
    ] {
        let (came_to, told) = attempt(&house, &egress, &host, &plugin, &format!("{deed}|{argument}")).await;
        assert_eq!(came_to, format!("{end:?}"), "{deed}");
        for planted in ["Nena", "5550143", "5550199"] {
            assert!(!told.contains(planted), "{deed}: {planted} is in {told}");
        }
    }
    assert!(evil_log.lock().is_empty(), "somebody else was reached");
    assert!(!post_told.lock().contains("evil"), "somebody else was written to");
    let reached = vendor_log.lock().iter().map(|entry| entry[0].clone()).collect::<Vec<_>>();
    // Refused requests reach nobody; these three went to the vendor that the workflow grants, under its agreement.
    assert_eq!(reached.len(), 3, "{reached:?}");
    assert!(!format!("{reached:?}").contains("5550199"), "another patient's number went out");
}

/// What a plugin does can only tell what it knows: of two patients whose data are of the same length and characters it
/// makes the same request, byte for byte.
#[test]
fn sizes_and_answers_are_the_same_for_patients_who_look_the_same() {
    let host = sandbox();
    let plugin = hostile(&host);
    let house = house();
    let mut sealing = house.vault.sealing(&house.index);
    let other = house.vault.patient_id("MAIN", "3");
    let (name, phone) =
        (sealing.seal(&other, "name", "Bob \"Dash\" Reed"), sealing.seal(&other, "phone", "+12105550777"));
    for deed in
        ["tell by sizes", "tell by failing", "tell by a receipt", "tell by what it remembers", "repeat the answer"]
    {
        let made = |to: &Token, name: &Token| {
            let answer = host.call(&plugin, &compose(to, name, &format!("{deed}|"))).expect("an answer");
            let told = serde_json::to_string(&answer).expect("JSON");
            told.replace(&to.0, "<to>").replace(&name.0, "<name>")
        };
        assert_eq!(made(&house.phone, &house.name), made(&phone, &name), "{deed}");
    }
}
