//! Words that are stored, written and compared: none may change under a journal that holds it.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use expect_test::{Expect, expect};
use handoff_engine::answer::{ActorRole, AnswerKind, ToldEvent};
use handoff_engine::event::*;
use handoff_engine::letter::*;
use handoff_engine::referral::*;
use handoff_engine::task::TaskOutcome;
use handoff_engine::template::Placeholder;
use handoff_engine::vocabulary::UnknownWord;
use handoff_engine::workflow::{ActionKind, Late, OptOutScope, Since, StageKind, moves::Others};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn check<T>(cases: &[T], words: &Expect)
where
    T: Copy + Debug + Display + PartialEq + Serialize + DeserializeOwned + FromStr<Err = UnknownWord>,
{
    for case in cases {
        let stored = serde_json::to_string(case).expect("a word is written");
        assert_eq!(stored, format!("\"{case}\""));
        assert_eq!(serde_json::from_str::<T>(&stored).expect("a word is read"), *case);
        assert_eq!(case.to_string().parse(), Ok(*case));
    }
    words.assert_eq(&cases.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
}

#[test]
fn every_word_is_stored_as_it_always_was() {
    check(Channel::ALL, &expect!["sms email portal"]);
    check(Consent::ALL, &expect!["granted denied unknown"]);
    check(Priority::ALL, &expect!["routine urgent stat"]);
    check(AppointmentStatus::ALL, &expect!["booked cancelled no-show arrived completed"]);
    check(Asked::ALL, &expect!["schedule confirm-visit reminder no-show-follow-up info"]);
    check(AttemptOutcome::ALL, &expect!["pending delivered undeliverable answered unsent"]);
    check(
        Intent::ALL,
        &expect![
            "emergency opt-out wrong-person opt-in help cancel-visit decline reschedule scheduled attended confirm question unclear"
        ],
    );
    check(AppointmentChange::ALL, &expect!["booked moved changed cancelled deleted no-show arrived completed"]);
    check(RerouteReason::ALL, &expect!["out-of-network over-booked declined none-named"]);
    check(NetworkCause::ALL, &expect!["ordered over-booked declined"]);
    check(Delegated::ALL, &expect!["chart task"]);
    check(
        ChartOutcome::ALL,
        &expect!["closed-with-note closed-without-note declined cancelled unreachable no-show note-retracted"],
    );
    check(Audience::ALL, &expect!["physician coordinator specialist"]);
    check(CallOutcome::ALL, &expect!["reached message-left no-answer wrong-number"]);
    check(TaskOutcome::ALL, &expect!["done moot"]);
}

#[test]
fn every_word_of_a_workflow_is_read_as_it_always_was() {
    check(StageKind::ALL, &expect!["trigger records channel outreach reply network visit chart escalation"]);
    check(
        ActionKind::ALL,
        &expect!["send send-answered read-record assess-network check-visit write-chart raise recall-letters mark"],
    );
    check(ActorRole::ALL, &expect!["coordinator physician manager"]);
    check(
        AnswerKind::ALL,
        &expect![
            "appointment specialist address consent channel reply-intent call-outcome reroute-reason letter text document date"
        ],
    );
    check(
        ToldEvent::ALL,
        &expect![
            "appointment.booked appointment.moved appointment.cancelled appointment.no-show appointment.completed network.alternative note.received withdrawn reply reply.opt-out reply.opt-in reply.confirm reply.scheduled reply.decline reply.wrong-person"
        ],
    );
    check(OptOutScope::ALL, &expect!["all channel"]);
    check(Since::ALL, &expect!["entry order"]);
    check(Late::ALL, &expect!["skip fire"]);
    check(Others::ALL, &expect!["stay move return"]);
    check(
        Placeholder::ALL,
        &expect![
            "given family practice practice_phone specialist specialist_phone specialty date time yes help stop message"
        ],
    );
}

#[test]
fn an_unknown_word_is_answered_with_those_there_are() {
    let error = "fax".parse::<Channel>().expect_err("no such channel");
    expect!["`fax` is none of: sms, email, portal"].assert_eq(&error.to_string());
}

#[test]
fn a_word_of_a_family_is_an_events_name_as_well() {
    for (case, name) in Intent::ALL.iter().zip(Intent::EVENT_NAMES) {
        assert_eq!((case.event_name(), format!("reply.{case}").as_str()), (*name, *name));
    }
    for change in AppointmentChange::ALL {
        let event =
            Event::Appointment { change: *change, appointment: None, with: None, numbers: Vec::new(), as_of: None };
        assert_eq!(event.name(), format!("appointment.{change}"));
        assert!(event_names().any(|name| name == event.name()));
    }
    assert_eq!(VisitFinding::NoShow.as_str(), "no-show");
}
