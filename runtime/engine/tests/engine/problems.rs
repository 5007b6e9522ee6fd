//! What people get wrong in a workflow, and what they are told.

use expect_test::{Expect, expect};
use handoff_engine::answer::ActorRole;
use handoff_engine::workflow::{Files, Workflow};

/// A small whole workflow that is right.
const SOUND: &str = "\
format: handoff/workflow@1
name: Small
stages:
  escalation: { plugin: escalation-inbox }
practice: { name: Cedar, phone: 555-0199 }
contact: { zone: America/New_York }
start: waiting
states:
  waiting:
    timers:
      overdue: { after: 3d }
    on:
      timer.overdue:
        do:
          - raise: { audience: coordinator, kind: late, summary: Late. }
        to: done
  done: { end: true }
";

/// Replaces one piece of the sound workflow and shows the problems.
fn check(piece: &str, with: &str, expected: Expect) {
    assert!(SOUND.contains(piece), "the sound workflow has no `{piece}`");
    let text = SOUND.replacen(piece, with, 1);
    let told = match Workflow::parse("small.yaml", &text) {
        Ok(_) => "no problem".to_string(),
        Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    };
    expected.assert_eq(&told);
}

#[test]
fn a_sound_workflow_has_no_problem() {
    check("name: Small", "name: Smaller", expect![["no problem"]]);
}

#[test]
fn mistyped_names_are_told_the_nearest() {
    check(
        "to: done",
        "to: dnoe",
        expect![[r#"
        error[H0010]: there is no state `dnoe`
          --> small.yaml:16:13
          help: write `done`"#]],
    );
    check(
        "timer.overdue:",
        "timer.overdeu:",
        expect![[r#"
            error[H0015]: nothing in state `waiting` listens to timer `overdue`
              --> small.yaml:11:7
              help: add under `on:` a line `timer.overdue: …`
            error[H0014]: state `waiting` has no timer `overdeu`
              --> small.yaml:13:7
              help: write `timer.overdue`"#]],
    );
    check(
        "- raise:",
        "- rise:",
        expect![[r#"
        error[H0012]: there is no action `rise`
          --> small.yaml:15:13
          help: write `raise`"#]],
    );
    check(
        "timers:",
        "timer:",
        expect![[r#"
            error[H0032]: a referral can wait in state `waiting` for ever
              --> small.yaml:9:3
              help: add a timer such as `overdue: { after: 14d }` and say under `on:` what happens then
            error[H0003]: `state waiting` has no key `timer`
              --> small.yaml:10:5
              help: write `timers`
            error[H0014]: state `waiting` has no timer `overdue`
              --> small.yaml:13:7
              help: add under `timers:` a line `overdue: { after: 3d }`"#]],
    );
    check(
        "timer.overdue:",
        "reply.optout: done\n      timer.overdue:",
        expect![[r#"
        error[H0011]: there is no event `reply.optout`
          --> small.yaml:13:7
          help: write `reply.opt-out`"#]],
    );
    check(
        "coordinator",
        "co-ordinator",
        expect![[r#"
        error[H0009]: `audience` cannot be `co-ordinator`
          --> small.yaml:15:32
          help: write `coordinator`"#]],
    );
    check(
        "America/New_York",
        "America/NewYork",
        expect![[r#"
        error[H0021]: `America/NewYork` is no time zone
          --> small.yaml:6:18
          help: write `America/New_York`"#]],
    );
}

#[test]
fn guards_are_compiled_and_their_names_checked() {
    check(
        "        to: done",
        "        if: atempts.size() > 2\n        to: done",
        expect![[r#"
        error[H0023]: the guard reads `atempts`, which nobody knows
          --> small.yaml:16:13
          help: write `attempts`"#]],
    );
    check(
        "        to: done",
        "        if: order.priorty == 'urgent'\n        to: done",
        expect![[r#"
        error[H0023]: the guard reads `order.priorty`; `order` has no `priorty`
          --> small.yaml:16:13
          help: write `priority`"#]],
    );
    check(
        "        to: done",
        "        if: order.priority ==\n        to: done",
        expect![[r#"
        error[H0022]: the guard does not compile: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}
          --> small.yaml:16:13
          help: guards are CEL: `attempts.size() < 3 && order.priority == "urgent"`"#]],
    );
}

#[test]
fn values_that_cannot_be() {
    check(
        "3d",
        "three days",
        expect![[r#"
            error[H0020]: `three days` is no duration
              --> small.yaml:11:25
              help: a duration is a number with d, h or m: `3d`, `2h`, `30m`, `1d12h`"#]],
    );
    check(
        "handoff/workflow@1",
        "handoff/workflow@2",
        expect![[r#"
        error[H0006]: this is not a workflow format that this Handoff knows
          --> small.yaml:1:9
          help: write `format: handoff/workflow@1`"#]],
    );
    check(
        "name: Small",
        "name: Small\nname: Large",
        expect![[r#"
        error[H0002]: `name` stands twice under `the workflow`; the first is on line 2
          --> small.yaml:3:1
          help: keep one of the two"#]],
    );
    check(
        "summary: Late.",
        "summary: \"{{ givn }} is late\"",
        expect![[r#"
        error[H0040]: `{{ givn }}` is no placeholder
          --> small.yaml:15:66
          help: write `given`"#]],
    );
    check(
        "name: Small",
        "name: [Small",
        expect![[r#"
        error[H0001]: this is not YAML that can be read: illegal placement of ':' indicator at line 3, column 7
          --> small.yaml:3:7
          help: check indentation, quotes and colons at and just before this place"#]],
    );
    check(
        "end: true",
        "end: perhaps",
        expect![[r#"
        error[H0031]: no handler of state `waiting` leads on to an end
          --> small.yaml:9:3
          help: add a `to:` that leads on to an `end: true` state
        error[H0031]: no handler of state `done` leads on to an end
          --> small.yaml:17:3
          help: add a `to:` that leads on to an `end: true` state
        error[H0004]: `end` should be true or false, not a text
          --> small.yaml:17:16
          help: write true or false here"#]],
    );
}

#[test]
fn charts_that_lead_nowhere() {
    check(
        "  done: { end: true }",
        "  done: { end: true }\n  island: { end: true }",
        expect![[r#"
        error[H0030]: no referral can come to state `island`
          --> small.yaml:18:3
          help: add a `to:` that leads here, or take it away"#]],
    );
    check(
        "        to: done\n",
        "",
        expect![[r#"
        error[H0031]: no handler of state `waiting` leads on to an end
          --> small.yaml:9:3
          help: add a `to:` that leads on to an `end: true` state
        error[H0030]: no referral can come to state `done`
          --> small.yaml:16:3
          help: add a `to:` that leads here, or take it away"#]],
    );
    check(
        "      overdue: { after: 3d }",
        "      overdue: { before: appointment 1h }",
        expect![[r#"
        error[H0032]: a referral can wait in state `waiting` for ever
          --> small.yaml:9:3
          help: add a timer such as `overdue: { after: 14d }` and say under `on:` what happens then"#]],
    );
    check(
        "- raise: { audience: coordinator, kind: late, summary: Late. }",
        "- check-visit",
        expect![[r#"
            error[H0016]: this needs the `visit` stage, and there is none
              --> small.yaml:13:7
              help: add under `stages:` a block `visit: { plugin: … }`"#]],
    );
    check(
        "      overdue: { after: 3d }",
        "      overdue: { after: 3d }\n      unused: { after: 4d }",
        expect![[r#"
        error[H0015]: nothing in state `waiting` listens to timer `unused`
          --> small.yaml:12:7
          help: add under `on:` a line `timer.unused: …`"#]],
    );
}

#[test]
fn every_problem_is_told_at_once() {
    let text = SOUND.replace("to: done", "to: dnoe").replace("3d", "soon").replace("coordinator", "nobody");
    let problems = Workflow::parse("small.yaml", &text).expect_err("three problems");
    assert!(problems.len() >= 3, "{problems:?}");
}

#[test]
fn templates_are_checked_in_their_own_file() {
    let files = Files::from([("t/en.yaml".to_string(), "language: en\nletters:\n  helo: { sms: hi }\n".to_string())]);
    let text = SOUND.replace("start:", "templates: t/\nletters:\n  hello: { asks: info }\nstart:");
    let problems = Workflow::parse_with("small.yaml", &text, &files).expect_err("problems");
    let told: Vec<String> =
        problems.iter().map(|problem| format!("{}:{} {}", problem.file, problem.line, problem.message)).collect();
    expect![[r#"
        small.yaml:9 letter `hello` has no text at all
        t/en.yaml:1 `the language` lacks `calendar`
        t/en.yaml:1 `the language` lacks `words`
        t/en.yaml:3 the workflow has no letter `helo`"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn moves_lead_somewhere() {
    check(
        "start: waiting",
        "moves: { states: { gone: wating, lost: done } }\nstart: waiting",
        expect![[r#"
            error[H0010]: there is no state `wating`
              --> small.yaml:7:26
              help: write `waiting`
            error[H0035]: this would end referrals in `done` without anything being done about it
              --> small.yaml:7:40
              help: move them to a state before it, or leave them with their workflow"#]],
    );
    check(
        "start: waiting",
        "moves: { from: Small }\nstart: waiting",
        expect![[r#"
        error[H0035]: this moves nobody
          --> small.yaml:7:8
          help: name states: `states: { old: present }`, or let all come along: `others: move`"#]],
    );
    check(
        "start: waiting",
        "moves: [{ others: move }, { from: Small, others: move }]\nstart: waiting",
        expect![[r#"
            error[H0034]: these moves are never looked at: a rule before them takes the same referrals
              --> small.yaml:7:27
              help: join the two, or put the narrower `from:` first"#]],
    );
    check(
        "start: waiting",
        "moves: { waiting: done, others: moved }\nstart: waiting",
        expect![[r#"
        error[H0035]: this moves nobody
          --> small.yaml:7:8
          help: name states: `states: { old: present }`, or let all come along: `others: move`
        error[H0003]: `moves` has no key `waiting`
          --> small.yaml:7:10
          help: one of: from, states, others
        error[H0009]: `others` cannot be `moved`
          --> small.yaml:7:33
          help: write `move`"#]],
    );
}

#[test]
fn whoever_asks_listens() {
    const VISIT: &str = "  visit: { plugin: visit-hl7 }\n  escalation:";
    check(
        "  waiting:\n",
        "  waiting:\n    enter: [check-visit]\n",
        expect![[r#"
        error[H0016]: this needs the `visit` stage, and there is none
          --> small.yaml:9:3
          help: add under `stages:` a block `visit: { plugin: … }`
        error[H0036]: state `waiting` asks `check-visit` and has no answer to `visit.attended`
          --> small.yaml:9:3
          help: add under `on:` a line `visit.attended: …`, or name it under `ignore:`
        error[H0036]: state `waiting` asks `check-visit` and has no answer to `visit.cancelled`
          --> small.yaml:9:3
          help: add under `on:` a line `visit.cancelled: …`, or name it under `ignore:`
        error[H0036]: state `waiting` asks `check-visit` and has no answer to `visit.moved`
          --> small.yaml:9:3
          help: add under `on:` a line `visit.moved: …`, or name it under `ignore:`
        error[H0036]: state `waiting` asks `check-visit` and has no answer to `visit.no-show`
          --> small.yaml:9:3
          help: add under `on:` a line `visit.no-show: …`, or name it under `ignore:`
        error[H0036]: state `waiting` asks `check-visit` and has no answer to `visit.open`
          --> small.yaml:9:3
          help: add a timer that asks again: `again: { after: visit.open, at_most: 24h }`"#]],
    );
    let asks = SOUND.replacen("  escalation:", VISIT, 1).replacen(
        "  waiting:\n",
        "  waiting:\n    enter: [check-visit]\n    ignore: [visit.open, visit.moved, visit.cancelled]\n",
        1,
    );
    let told = |text: &str| match Workflow::parse("small.yaml", text) {
        Ok(_) => "no problem".to_string(),
        Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    };
    expect![[r#"
        error[H0036]: state `waiting` asks `check-visit` and has no answer to `visit.attended`
          --> small.yaml:10:3
          help: add under `on:` a line `visit.attended: …`, or name it under `ignore:`
        error[H0036]: state `waiting` asks `check-visit` and has no answer to `visit.no-show`
          --> small.yaml:10:3
          help: add under `on:` a line `visit.no-show: …`, or name it under `ignore:`"#]]
    .assert_eq(&told(&asks));
    let listens = asks.replacen("    on:\n", "    on:\n      visit.attended, visit.no-show: done\n", 1);
    expect![[r#"no problem"#]].assert_eq(&told(&listens));
    check(
        "      overdue: { after: 3d }",
        "      overdue: { after: 3d }\n      again: { after: visit.open }\n    ignore: [timer.again]",
        expect![[r#"
            error[H0015]: nothing in state `waiting` listens to timer `again`
              --> small.yaml:12:7
              help: add under `on:` a line `timer.again: …`
            error[H0037]: timer `again` is never set: nothing asks `check-visit`
              --> small.yaml:12:7
              help: add `check-visit` under `enter:`, or write `after: 24h`"#]],
    );
    check("start: waiting", "on:\n  withdrawn: done\nstart: waiting", expect![[r#"no problem"#]]);
    check("    on:\n", "    ignore: [withdrawn]\n    on:\n", expect![[r#"no problem"#]]);
    let kept = SOUND.replacen("    on:\n", "    ignore: [withdrawn]\n    on:\n", 1) + "on:\n  withdrawn: done\n";
    expect![[r#"
        error[H0034]: no state leaves `withdrawn` to the whole workflow: this is never taken
          --> small.yaml:20:3
          help: take it away, or take it out of one of the states"#]]
    .assert_eq(&told(&kept));
}

#[test]
fn acts_and_handlers_fit_each_other() {
    let act = "actions:\n  finish: { label: Finish, roles: [coordinator] }\nstart:";
    let handled =
        SOUND.replacen("start:", act, 1).replacen("timer.overdue:", "person.finish: done\n      timer.overdue:", 1);
    assert!(Workflow::parse("small.yaml", &handled).is_ok());
    check(
        "start:",
        act,
        expect![[r#"
            error[H0038]: no state takes the action `finish`
              --> small.yaml:8:3
              help: add under the `on:` of a state a line `person.finish: …`, or take the action away"#]],
    );
    check(
        "start: waiting\nstates:\n  waiting:\n    timers:\n      overdue: { after: 3d }\n    on:\n",
        "actions:\n  finish: { label: Finish, roles: [coordinator] }\nstart: waiting\nstates:\n  waiting:\n    timers:\n      overdue: { after: 3d }\n    on:\n      person.finish: done\n      person.finsh: done\n      person.leave: done\n",
        expect![[r#"
            error[H0018]: nobody can do `finsh`: it is no action
              --> small.yaml:16:7
              help: write `person.finish`
            error[H0018]: nobody can do `leave`: it is no action
              --> small.yaml:17:7
              help: add under `actions:` a block `leave: { label: …, roles: [coordinator] }`"#]],
    );
    check(
        "start:",
        "actions:\n  stop: { label: Stop, roles: [coordinator], tells: reply.opt-in }\n  help: { label: Help, roles: [nurse], asks: { when: moment } }\nresolves:\n  lat: [end, reply.cal]\nstart:",
        expect![[r#"
            error[H0005]: the action `stop` does not ask what it tells: channel
              --> small.yaml:8:3
              help: add under its `asks:` a line `channel: channel`
            error[H0038]: no state takes the action `help`
              --> small.yaml:9:3
              help: add under the `on:` of a state a line `person.help: …`, or take the action away
            error[H0009]: `roles` cannot be `nurse`
              --> small.yaml:9:32
              help: one of: coordinator, physician, manager
            error[H0009]: `when` cannot be `moment`
              --> small.yaml:9:54
              help: one of: appointment, specialist, address, consent, channel, reply-intent, call-outcome, reroute-reason, letter, text, document, date
            error[H0019]: no task of the kind `lat` is raised
              --> small.yaml:11:3
              help: write `late`
            error[H0011]: there is no event `reply.cal`
              --> small.yaml:11:14
              help: write `reply.help`"#]],
    );
}

#[test]
fn without_a_list_of_acts_a_coordinator_can_do_what_is_handled() {
    let text = SOUND.replacen("timer.overdue:", "person.give-up: done\n      timer.overdue:", 1);
    let workflow = Workflow::parse("small.yaml", &text).expect("a sound workflow");
    let offered: Vec<_> = workflow.offers("waiting").map(|act| (act.name.as_str(), act.roles.as_slice())).collect();
    assert_eq!(offered, [("give-up", [ActorRole::Coordinator].as_slice())]);
}
