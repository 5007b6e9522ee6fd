//! The carrier's REST API, asked as Twilio's documentation says.

use serde_json::Value;

use super::{ACCOUNT, AUTH_TOKEN, fair_weather, nowhere, start};
use crate::{CarrierPlan, PracticeServers};

async fn practice(carrier: CarrierPlan) -> (PracticeServers, String) {
    let mut plan = fair_weather(3);
    plan.profile.carrier = carrier;
    let practice = PracticeServers::start(plan).await.expect("started");
    practice.connect(nowhere());
    let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", practice.addresses().carrier);
    (practice, url)
}

async fn send(url: &str, token: &str, to: &str, body: &str) -> Result<(u16, Value), reqwest::Error> {
    let form = [("To", to), ("From", "+13125550199"), ("Body", body)];
    let request = reqwest::Client::new().post(url).basic_auth(ACCOUNT, Some(token)).form(&form);
    let response = request.send().await?;
    Ok((response.status().as_u16(), response.json().await?))
}

#[tokio::test]
async fn answers_as_twilio_does() {
    let (practice, url) = practice(fair_weather(0).profile.carrier).await;
    let phone = practice.people()[0].mobile.clone();
    let long = "x".repeat(1601);
    for (token, to, body, status, code) in [
        (AUTH_TOKEN, phone.as_str(), "Hello", 201, None),
        ("wrong", phone.as_str(), "Hello", 401, Some(20003)),
        (AUTH_TOKEN, "555-0100", "Hello", 400, Some(21211)),
        (AUTH_TOKEN, phone.as_str(), "", 400, Some(21602)),
        (AUTH_TOKEN, phone.as_str(), long.as_str(), 400, Some(21617)),
    ] {
        let (found, answer) = send(&url, token, to, body).await.expect("an answer");
        assert_eq!((found, answer["code"].as_u64()), (status, code), "{to} {}", body.len());
    }
}

#[tokio::test]
async fn a_dropped_message_is_found_by_looking_it_up() {
    let (practice, url) = practice(CarrierPlan { dropped: 1.0, ..fair_weather(0).profile.carrier }).await;
    let phone = practice.people()[0].mobile.clone();
    send(&url, AUTH_TOKEN, &phone, "Hello").await.expect_err("the connection drops");
    let list = reqwest::Client::new().get(&url).basic_auth(ACCOUNT, Some(AUTH_TOKEN)).query(&[("To", &phone)]);
    let response = list.send().await.expect("an answer");
    // The rehearsal's clock, not the machine's.
    assert_eq!(response.headers()["date"], "Mon, 14 Sep 2026 11:00:00 GMT");
    let page: Value = response.json().await.expect("JSON");
    assert_eq!(page["messages"][0]["body"], "Hello");
    assert_eq!(page["messages"][0]["date_created"], "Mon, 14 Sep 2026 11:00:00 +0000");
    assert_eq!(page["messages"].as_array().map(Vec::len), Some(1));
    let sid = page["messages"][0]["sid"].as_str().expect("a sid").to_string();
    let one = url.replace("Messages.json", &format!("Messages/{sid}.json"));
    let request = reqwest::Client::new().get(one).basic_auth(ACCOUNT, Some(AUTH_TOKEN));
    let found: Value = request.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(found["sid"], sid.as_str());
}

#[tokio::test]
async fn bad_days_are_told_apart_and_leave_no_message() {
    for (weather, status) in [
        (CarrierPlan { throttled: 1.0, ..fair_weather(0).profile.carrier }, 429),
        (CarrierPlan { failing: 1.0, ..fair_weather(0).profile.carrier }, 500),
    ] {
        let (practice, url) = practice(weather).await;
        let phone = practice.people()[0].mobile.clone();
        let (found, _) = send(&url, AUTH_TOKEN, &phone, "Hello").await.expect("an answer");
        assert_eq!(found, status);
        practice.act(start() + chrono::Duration::hours(1)).await.expect("connected");
        assert!(practice.ledger().texts.is_empty());
    }
}

#[tokio::test]
async fn a_text_reaches_the_phone_some_seconds_later() {
    let (practice, url) = practice(fair_weather(0).profile.carrier).await;
    let phone = practice.people()[1].mobile.clone();
    send(&url, AUTH_TOKEN, &phone, "Your referral está listo").await.expect("an answer");
    assert!(practice.ledger().texts.is_empty());
    practice.act(start() + chrono::Duration::minutes(1)).await.expect("connected");
    let ledger = practice.ledger();
    assert_eq!(ledger.texts.len(), 1);
    assert_eq!((ledger.texts[0].person, ledger.texts[0].segments), (1, 1));
}
