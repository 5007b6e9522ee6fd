//! What a letter hears at its endpoint, second by second.

use handoff_engine::ids::ReferralId;
use handoff_host::contract::exchange::{HttpResponse, Response};
use handoff_host::contract::types::Attribute;

use super::*;

fn second(at: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + at, 0).expect("a moment")
}

fn queues(rate: Option<Rate>) -> Arc<EndpointQueues> {
    Arc::new(EndpointQueues::new([("sms".to_string(), rate), ("mail".to_string(), None)].into_iter()))
}

/// Letter `number`, due in that second.
fn comer(number: u32, patience: Patience) -> Waiter {
    let referral = ReferralId::derive(second(0), b"a referral");
    Waiter { letter: LetterId { referral, number }, due: second(number.into()), patience }
}

fn word(entry: &Admission) -> &'static str {
    match entry {
        Admission::Go(_) => "go",
        Admission::Wait => "wait",
        Admission::Leave { .. } => "leave",
    }
}

fn silence() -> Performed {
    Performed::NotSent("no connection".into())
}

fn answer(status: u16, retry_after: Option<&str>) -> Performed {
    let header = |value: &str| Attribute { name: "retry-after".into(), value: value.into() };
    let headers = retry_after.map(header).into_iter().collect();
    Performed::Answered(Response::Http(HttpResponse { status, headers, body: String::new() }))
}

/// Five letters stay unanswered.
fn go_down(queues: &Arc<EndpointQueues>, now: DateTime<Utc>) {
    for number in 0..5 {
        let Admission::Go(mut pass) = queues.enter("sms", comer(number, Patience::Endless), now) else {
            panic!("letter {number} may not go");
        };
        pass.note(&silence(), now);
    }
}

/// The letters that may go now, as many as there are; each is answered.
fn called(queues: &Arc<EndpointQueues>, now: DateTime<Utc>) -> Vec<(u32, bool)> {
    let mut called = Vec::new();
    while let Some((letter, mut pass)) = queues.call(now) {
        if let Some(pass) = &mut pass {
            pass.note(&answer(201, None), now);
        }
        called.push((letter.number, pass.is_some()));
    }
    called
}

#[test]
fn a_rate_lets_a_burst_go_and_the_rest_in_due_order() {
    let queues = queues(Some(Rate { requests: 1, per_seconds: 2, burst: Some(2) }));
    let now = second(100);
    let words: Vec<_> =
        [1, 2, 5, 4, 3].map(|number| word(&queues.enter("sms", comer(number, Patience::Endless), now))).into();
    assert_eq!(words, ["go", "go", "wait", "wait", "wait"]);
    assert_eq!(word(&queues.enter("mail", comer(9, Patience::Endless), now)), "go", "the other queue is its own");
    assert_eq!(queues.next_call(), Some(second(102)));
    assert_eq!(called(&queues, second(101)), []);
    assert_eq!(called(&queues, second(102)), [(3, true)]);
    assert_eq!(called(&queues, second(104)), [(4, true)]);
    assert_eq!(called(&queues, second(130)), [(5, true)]);
    assert_eq!(queues.next_call(), None);
}

#[test]
fn who_comes_later_does_not_overtake_who_waits() {
    let queues = queues(Some(Rate { requests: 1, per_seconds: 1, burst: None }));
    assert_eq!(word(&queues.enter("sms", comer(1, Patience::Endless), second(50))), "go");
    assert_eq!(word(&queues.enter("sms", comer(2, Patience::Endless), second(50))), "wait");
    assert_eq!(word(&queues.enter("sms", comer(3, Patience::Endless), second(51))), "wait", "letter 2 was due first");
    assert_eq!(called(&queues, second(51)), [(2, true)]);
}

#[test]
fn the_later_requests_of_a_conversation_are_waited_for_by_the_next() {
    let queues = queues(Some(Rate { requests: 1, per_seconds: 1, burst: None }));
    let Admission::Go(mut pass) = queues.enter("sms", comer(1, Patience::Endless), second(50)) else {
        panic!("it may go")
    };
    (0..4).for_each(|_| pass.spend(second(50)));
    drop(pass);
    assert_eq!(word(&queues.enter("sms", comer(2, Patience::Endless), second(53))), "wait");
    assert_eq!(queues.next_call(), Some(second(54)));
}

#[test]
fn an_endpoint_has_so_many_conversations_at_once() {
    let queues = queues(None);
    let mut under_way: Vec<Admission> =
        (0..16).map(|number| queues.enter("sms", comer(number, Patience::Endless), second(50))).collect();
    assert!(under_way.iter().all(|entry| word(entry) == "go"));
    assert_eq!(word(&queues.enter("sms", comer(16, Patience::Endless), second(50))), "wait");
    assert_eq!(
        (queues.call(second(50)).map(|_| ()), queues.next_call()),
        (None, None),
        "no moment: an end is waited for"
    );
    under_way.pop();
    assert_eq!(called(&queues, second(50)), [(16, true)]);
}

#[test]
fn an_endpoint_that_does_not_answer_is_tried_by_one_and_the_rest_keep_their_order() {
    let queues = queues(None);
    go_down(&queues, second(50));
    assert_eq!(queues.states(second(50))["sms"].state, "down");
    assert_eq!(queues.states(second(50))["mail"].state, "open");
    for number in [8, 6, 7] {
        assert_eq!(word(&queues.enter("sms", comer(number, Patience::Endless), second(51))), "wait");
    }
    assert_eq!(queues.next_call(), Some(second(80)));
    let (first, probe) = queues.call(second(80)).expect("one finds out");
    assert_eq!(first.number, 6);
    assert!(queues.call(second(80)).is_none(), "the others wait for its answer");
    let mut probe = probe.expect("a pass");
    probe.note(&silence(), second(90));
    drop(probe);
    assert_eq!(queues.next_call(), Some(second(150)), "twice as long as before");
    assert_eq!(called(&queues, second(150)), [(7, true), (8, true)], "one was answered, so all may go");
    assert_eq!(queues.states(second(150))["sms"].state, "open");
}

#[test]
fn a_probe_that_was_never_sent_leaves_the_next_to_find_out() {
    let queues = queues(None);
    go_down(&queues, second(50));
    queues.enter("sms", comer(6, Patience::Endless), second(51));
    queues.enter("sms", comer(7, Patience::Endless), second(51));
    drop(queues.call(second(80)));
    assert_eq!(called(&queues, second(80)), [(7, true)]);
}

#[test]
fn a_message_leaves_when_its_patience_is_at_an_end_and_what_is_in_doubt_stays() {
    let queues = queues(None);
    go_down(&queues, second(50));
    queues.enter("sms", comer(6, Patience::Endless), second(51));
    queues.enter("sms", comer(7, Patience::UntilNextChannel), second(51));
    queues.enter("sms", comer(8, Patience::UntilNextVendor), second(51));
    let minutes = |minutes: i64| second(50 + 60 * minutes);
    // Somebody keeps finding out that nobody is there.
    let mut now = second(51);
    let mut left = Vec::new();
    while now < minutes(60 * 5) {
        now = now.max(queues.next_call().expect("some wait"));
        let (letter, pass) = queues.call(now).expect("its moment");
        match pass {
            Some(mut pass) => {
                pass.note(&silence(), now);
                queues.enter("sms", Waiter { letter, ..comer(letter.number, patience(letter.number)) }, now);
            }
            None => left.push((letter.number, (now - second(50)).num_minutes())),
        }
    }
    assert_eq!(left, [(8, 15), (7, 240)]);
    assert_eq!(word(&queues.enter("sms", comer(9, Patience::UntilNextVendor), now)), "leave");
    assert_eq!(word(&queues.enter("sms", comer(10, Patience::Endless), now)), "wait");

    fn patience(number: u32) -> Patience {
        match number {
            7 => Patience::UntilNextChannel,
            8 => Patience::UntilNextVendor,
            _ => Patience::Endless,
        }
    }
}

#[test]
fn retry_after_holds_for_all_and_does_not_count_as_silence() {
    let queues = queues(None);
    for round in 0..10 {
        let Admission::Go(mut pass) = queues.enter("sms", comer(round, Patience::Endless), second(50)) else {
            panic!("letter {round} may not go");
        };
        pass.note(&answer(503, Some("0")), second(50));
    }
    let Admission::Go(mut pass) = queues.enter("sms", comer(20, Patience::Endless), second(50)) else {
        panic!("it may go")
    };
    pass.note(&answer(429, Some("60")), second(50));
    assert_eq!(queues.states(second(51))["sms"].state, "paused");
    assert_eq!(word(&queues.enter("sms", comer(21, Patience::UntilNextVendor), second(51))), "wait");
    assert_eq!(queues.next_call(), Some(second(110)));
    assert_eq!(called(&queues, second(110)), [(21, true)]);
}

#[test]
fn a_clock_that_is_set_back_or_forth_keeps_nobody_waiting() {
    let hour = 3600;
    for (what, clock, expected) in [
        ("set back by an hour", second(52 - hour), second(80 - hour)),
        ("set back by a week", second(52 - 168 * hour), second(80 - 168 * hour)),
    ] {
        let queues = queues(Some(Rate { requests: 1, per_seconds: 1, burst: Some(5) }));
        go_down(&queues, second(50));
        queues.enter("sms", comer(6, Patience::Endless), second(51));
        queues.states(clock - TimeDelta::seconds(1));
        queues.states(clock);
        assert_eq!(queues.next_call(), Some(expected), "{what}");
    }
    let queues = queues(Some(Rate { requests: 1, per_seconds: 1, burst: Some(5) }));
    go_down(&queues, second(50));
    for number in 6..20 {
        queues.enter("sms", comer(number, Patience::Endless), second(51));
    }
    assert_eq!(called(&queues, second(50 + hour)).len(), 5, "set forth, it lets a burst go and no more");
}
