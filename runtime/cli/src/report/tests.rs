use std::io;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use expect_test::{Expect, expect};
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_identity::accounts::AccountsError;
use handoff_ingress::listener::ListenerError;
use handoff_instance::config::Config;
use handoff_instance::error_report::ErrorReport;
use handoff_pipeline::deployments::WorkflowSource;
use handoff_store::View;
use handoff_vault::secrets::{MissingSecret, SecretError};

use super::{misread_report, reported};
use crate::Cli;

fn check(error: impl Into<anyhow::Error>, expected: Expect) {
    expected.assert_eq(&reported(&error.into()).to_string());
}

#[test]
fn an_error_has_its_code_its_place_and_its_cure() {
    let address: SocketAddr = "0.0.0.0:2575".parse().expect("an address");
    check(
        ListenerError::Unencrypted { name: "hl7".into(), address },
        expect![[r#"
        error[H0601]: the listener hl7 on 0.0.0.0:2575 can be reached from the network, but has no TLS
          --> listener hl7
          help: write under `address:` in the configuration:
                tls:
                  certificate: keys/tls.pem
                  key: keys/tls.key
              or, where a proxy in front of it does that:
                unencrypted_because: the proxy on this machine speaks TLS"#]],
    );
    check(
        Config::read(Path::new("/nowhere/handoff.yaml")).expect_err("there is none"),
        expect![[r#"
        error[H0101]: cannot read /nowhere/handoff.yaml: No such file or directory (os error 2)
          --> /nowhere/handoff.yaml
          help: `handoff init DIR` writes a configuration"#]],
    );
    check(
        View::open(Path::new("/nowhere")).err().expect("there is none"),
        expect![[r#"
        error[H0801]: /nowhere holds no journal: No such file or directory (os error 2)
          --> /nowhere
          help: name the data folder, as `data:` in handoff.yaml has it"#]],
    );
    check(
        AccountsError::NoSuchPerson,
        expect![[r#"
        error[H0701]: there is no account of that name
          help: `handoff people list` shows every account"#]],
    );
}

#[test]
fn what_caused_it_stands_behind_it_and_the_outermost_code_counts() {
    let source = SecretError::Exposed { path: "keys/ehr-password".into(), mode: 0o644 };
    check(
        MissingSecret { name: "ehr-password".into(), source },
        expect![[r#"
        error[H0202]: the secret ehr-password cannot be read: keys/ehr-password can be read by others (mode 644)
          --> secrets: ehr-password:
          help: chmod 600 keys/ehr-password"#]],
    );
    let refused: Result<(), _> = Err(io::Error::from(io::ErrorKind::AddrInUse));
    let failure = || Failure::new(ErrorCode::CANNOT_LISTEN, "cannot listen on 127.0.0.1:8443");
    check(
        refused.with_context(failure).context("the service does not start").expect_err("refused"),
        expect![[r#"
        error[H0606]: the service does not start: cannot listen on 127.0.0.1:8443: address in use
          help: `handoff explain H0606` says how to mend it"#]],
    );
}

#[test]
fn a_workflow_tells_every_problem_of_its_own() {
    let text = "format: handoff/workflow@9\nname: Small\nstarts: here\n";
    let source = WorkflowSource { file: "small.yaml".into(), text: text.into(), files: Default::default() };
    let told = source.parse().expect_err("it is faulty");
    let report = reported(&anyhow::Error::new(told).context("small.yaml cannot be rehearsed")).to_string();
    let first = report.split("\n\n").take(2).collect::<Vec<_>>().join("\n\n");
    expect![[r#"
        error[H0005]: small.yaml cannot be rehearsed: `the workflow` lacks `contact`
          --> small.yaml:1:1
          help: add a line `contact: …` to it

        error[H0005]: `the workflow` lacks `practice`
          --> small.yaml:1:1
          help: add a line `practice: …` to it"#]]
    .assert_eq(&first);
}

#[test]
fn an_error_without_a_code_of_its_own_has_one_all_the_same() {
    check(
        io::Error::from(io::ErrorKind::PermissionDenied),
        expect![[r#"
        error[H0190]: permission denied
          help: `handoff explain H0190` says how to mend it"#]],
    );
    check(
        anyhow::anyhow!("a runtime"),
        expect![[r#"
        error[H0199]: a runtime
          help: `handoff explain H0199` says how to mend it"#]],
    );
}

#[test]
fn words_that_cannot_be_understood_have_the_same_form() {
    let typed = ["handoff", "serve", "--conifg", "handoff.yaml"];
    let error = Cli::command().try_get_matches_from(typed).expect_err("a slip");
    expect![[r#"
        error[H0105]: unexpected argument '--conifg' found
          help: a similar argument exists: '--config'
          Usage: handoff serve --config <CONFIG>
          For more information, try '--help'."#]]
    .assert_eq(&misread_report(&error.render().to_string()).to_string());
}

#[test]
fn an_error_reads_the_same_at_the_other_end_of_the_control_socket() {
    let report = reported(&AccountsError::NameTaken.into());
    let carried: ErrorReport =
        serde_json::from_str(&serde_json::to_string(&report).expect("JSON")).expect("the same again");
    assert_eq!(reported(&anyhow::Error::new(carried)), report);
}
