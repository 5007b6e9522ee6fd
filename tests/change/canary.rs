//! A candidate is tried on some of the new referrals, stays through a restart, and goes by itself when it fails.

use super::*;

fn try_out(house: &House, file: &str, share: &str) -> String {
    let arguments = ["workflow", "apply", file, "--canary", share, "--back-at", "20", "--data", &house.path("data")];
    let told = house::objects(&[&arguments[..], &["--who", "Ada", "--why", "a test", "--json"]].concat()).remove(0);
    told["deployment"].as_str().expect("a digest").to_string()
}

/// How many of so many referrals stand under it.
fn count(house: &House, deployment: &str, all: usize) -> usize {
    let referrals = until("every order's referral", || Some(house.referrals()).filter(|all_of| all_of.len() == all));
    referrals.iter().filter(|referral| referral["deployment"] == deployment).count()
}

/// Who gives out the numbers of these patients, as the chart's stage must know.
const KNOWN: &str = "identifier_systems:\n  ADT1: https://adt1.example/number\n";

fn house_that_knows() -> House {
    let house = House::new();
    house.edit("workflows/settings/records.yaml", "identifier_systems:\n", KNOWN);
    house
}

#[test]
fn a_canary_takes_its_share_until_it_is_put_in_force() {
    const ORDERS: usize = 60;
    let house = house_that_knows();
    let daemon = house.serve();
    take_orders(&daemon, 0..5);
    let before = in_force(&daemon);
    let file = candidate(&house, DAY_3, "      day-3: { after: 4d }", ALL);
    let canary = try_out(&house, &file, "40");
    assert_eq!((in_force(&daemon), count(&house, &canary, 5)), (before.clone(), 0), "nobody in flight moves to it");
    take_orders(&daemon, 5..5 + ORDERS);
    let tried = count(&house, &canary, 5 + ORDERS);
    assert!((ORDERS / 5..ORDERS * 3 / 5).contains(&tried), "{tried} of {ORDERS}, and 40 % were to be");
    assert!(daemon.stop().0.success());
    let daemon = house.serve();
    assert_eq!(in_force(&daemon), before, "a canary is not in force after a restart either");
    take_orders(&daemon, 5 + ORDERS..5 + 2 * ORDERS);
    assert!(count(&house, &canary, 5 + 2 * ORDERS) > tried, "after a restart it is tried on");
    let past = history(&house);
    let last = past["deployments"].as_array().and_then(|all| all.last()).expect("a deployment");
    assert_eq!((&last["canary"]["share"], &last["in_force"]), (&40.into(), &false.into()));
    assert_eq!(apply(&house, &file)["deployment"], canary.as_str());
    assert_eq!(in_force(&daemon), canary);
    all_come_to(&house, &canary);
    assert!(daemon.stop().0.success());
    assert!(house.verify().status.success());
}

#[test]
fn a_canary_that_fails_is_taken_back_and_its_referrals_come_back() {
    let house = house_that_knows();
    let daemon = house.serve();
    let before = in_force(&daemon);
    let file = candidate(&house, DAY_3, DAY_3, "");
    house.edit("next/settings/records.yaml", KNOWN, "identifier_systems:\n");
    let canary = try_out(&house, &file, "50");
    let mut sender = Sender::connect(daemon.mllp).expect("a connection");
    let mut next = 0;
    let taken_back = until("the canary's end", || {
        assert_eq!(sender.ask(&order(next)).expect("an answer").code, "AA");
        next += 1;
        let past = history(&house);
        past["deployments"]
            .as_array()
            .and_then(|all| all.last())
            .filter(|last| last["origin"] == "rolled-back")
            .cloned()
    });
    assert_eq!((&taken_back["deployment"], &taken_back["who"]), (&before.as_str().into(), &"handoff".into()));
    assert!(taken_back["why"].as_str().is_some_and(|why| why.contains("of the canary failed")), "{taken_back}");
    all_come_to(&house, &before);
    take_orders(&daemon, next..next + 20);
    assert_eq!(count(&house, &canary, next + 20), 0, "and nobody begins with it any more");
    assert!(daemon.stop().0.success());
}
