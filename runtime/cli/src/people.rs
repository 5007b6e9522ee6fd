//! `handoff people add|list|reset|lock|unlock|remove`: who may sign in over HTTP, and as what.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_identity::password::{BYTES_MAX, Password};
use handoff_identity::role::Role;
use handoff_operations::accounts::{Add, List, Lock, Remove, Reset, Unlock, Welcome};
use zeroize::Zeroizing;

use crate::asking::Asking;
use crate::print_json;

#[derive(Subcommand)]
pub(crate) enum People {
    /// Make an account, and print the password that is good for its first sign-in
    Add(Newcomer),
    /// Everybody, with their roles
    List(Everybody),
    /// Give somebody another one-time password, and another second factor or none
    Reset(Anew),
    /// Let somebody in no more, and end what they have open
    Lock(Somebody),
    /// Let somebody in again, also one whom failed attempts have locked out
    Unlock(Somebody),
    /// Take an account away
    Remove(Somebody),
}

#[derive(Args)]
pub(crate) struct Newcomer {
    name: String,
    #[arg(long)]
    role: Role,
    /// The number by which referrals name a physician: an NPI, or the EHR's own
    #[arg(long)]
    provider: Option<String>,
    #[command(flatten)]
    credentials: Credentials,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Args)]
pub(crate) struct Anew {
    name: String,
    #[command(flatten)]
    credentials: Credentials,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Args)]
struct Credentials {
    /// Read the one-time password from standard input instead of making one
    #[arg(long)]
    password_stdin: bool,
    /// Enrol an authenticator app as well: its URL is printed once
    #[arg(long)]
    totp: bool,
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct Somebody {
    name: String,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Args)]
pub(crate) struct Everybody {
    #[command(flatten)]
    asking: Asking,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

impl People {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            People::Add(Newcomer { name, role, provider, credentials, asking }) => {
                let (password, second_factor) = (credentials.password()?, credentials.totp);
                let welcome = asking.ask(Add { name: name.clone(), role, provider, password, second_factor })?;
                credentials.tell(&name, &welcome)?;
            }
            People::Reset(Anew { name, credentials, asking }) => {
                let (password, second_factor) = (credentials.password()?, credentials.totp);
                let welcome = asking.ask(Reset { name: name.clone(), password, second_factor })?;
                credentials.tell(&name, &welcome)?;
            }
            People::Lock(Somebody { name, asking }) => {
                asking.ask(Lock { name: name.clone() })?;
                say!("{name} is locked");
            }
            People::Unlock(Somebody { name, asking }) => {
                asking.ask(Unlock { name: name.clone() })?;
                say!("{name} is let in again");
            }
            People::Remove(Somebody { name, asking }) => {
                asking.ask(Remove { name: name.clone() })?;
                say!("{name} has no account any more");
            }
            People::List(Everybody { asking, json }) => {
                for listed in asking.ask(List {})? {
                    if json {
                        print_json(&listed)?;
                        continue;
                    }
                    let marks = [
                        (listed.second_factor, "second factor"),
                        (listed.one_time, "has not signed in yet"),
                        (listed.locked, "locked"),
                        (listed.locked_until.is_some(), "locked out by failed attempts"),
                    ];
                    let marks: Vec<&str> = marks.iter().filter(|(set, _)| *set).map(|(_, mark)| *mark).collect();
                    let provider = listed.provider.map(|provider| format!(" {provider}")).unwrap_or_default();
                    say!("{:<24} {}{provider}  {}", listed.name, listed.role, marks.join(", "));
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Credentials {
    /// Never from the command line, where every process on the machine could read it.
    fn password(&self) -> anyhow::Result<Option<Password>> {
        if !self.password_stdin {
            return Ok(None);
        }
        let mut text = Zeroizing::new(String::new());
        let most = BYTES_MAX as u64 + 2;
        std::io::stdin().take(most).read_to_string(&mut text).context("cannot read a password from standard input")?;
        match text.trim_end_matches(['\r', '\n']) {
            "" => bail!(Failure::new(
                ErrorCode::PASSWORD_UNFIT,
                "--password-stdin was given, but standard input is empty"
            )),
            text => Ok(Some(text.to_string().into())),
        }
    }

    fn tell(&self, name: &str, welcome: &Welcome) -> anyhow::Result<()> {
        if self.json {
            return print_json(welcome);
        }
        if let Some(password) = &welcome.password {
            say!("{name} signs in once with: {}", password.as_str());
        }
        if let Some(url) = &welcome.second_factor {
            say!("and with the codes of an authenticator app that is given: {}", url.as_str());
        }
        say!("neither is shown again; a password of {name}'s own takes its place at the first sign-in");
        Ok(())
    }
}
