//! `handoff act`: what a person does to a referral, from the command line. Without an action it says which there are.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use handoff_engine::act::GivenAnswers;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_engine::ids::ReferralId;
use handoff_operations::acts::{DoAct, ListActs, OfferedAct};

use crate::asking::Asking;
use crate::print_json;

#[derive(Args)]
pub(crate) struct Act {
    referral: ReferralId,
    /// What is done, by the workflow's name for it; left out, what can be done is listed
    act: Option<String>,
    /// Answers to what it asks: appointment="2026-03-10 09:30", specialist.phone=5555550111
    #[arg(value_name = "QUESTION=ANSWER", value_parser = answer)]
    answers: Vec<(String, String)>,
    /// A file as the answer: note=NOTE.pdf
    #[arg(long, value_name = "QUESTION=FILE", value_parser = answer)]
    file: Vec<(String, String)>,
    #[command(flatten)]
    asking: Asking,
    #[arg(long)]
    json: bool,
}

fn answer(text: &str) -> Result<(String, String), String> {
    let (question, answer) = text.split_once('=').ok_or("write it as question=answer")?;
    Ok((question.to_string(), answer.to_string()))
}

impl Act {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Act { referral, act, answers, file, asking, json } = self;
        let Some(act) = act else {
            for offered in asking.ask(ListActs { referral })? {
                match json {
                    true => print_json(&offered)?,
                    false => tell(&offered)?,
                }
            }
            return Ok(ExitCode::SUCCESS);
        };
        let mut given = GivenAnswers(answers.into_iter().collect());
        for (question, path) in file {
            let path = PathBuf::from(path);
            let bytes = std::fs::read(&path)
                .with_context(|| Failure::new(ErrorCode::FILE, format!("cannot read {}", path.display())))?;
            given.0.insert(question, STANDARD.encode(bytes));
        }
        let acted = asking.ask(DoAct { referral, act, answers: given })?;
        if json {
            print_json(&acted)?;
            return Ok(ExitCode::SUCCESS);
        }
        say!("{}", acted.confirm);
        say!("{referral} is in state {}", acted.state);
        for owed in &acted.owed {
            say!("{} {} leaves at {} or later", owed.channel, owed.letter, owed.due.format("%Y-%m-%d %H:%M UTC"));
        }
        for rule in &acted.refused {
            say!("a message was not written: the rule {rule} keeps it back");
        }
        for kind in &acted.moot {
            say!("nobody needs to do this any more: {kind}");
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn tell(offered: &OfferedAct) -> anyhow::Result<()> {
    say!("{:<20} {}", offered.name, offered.label);
    for question in &offered.asks {
        let optional = if question.optional { ", if you like" } else { "" };
        say!("    {}=…  {}{optional}", question.name, question.label);
        if !question.choices.is_empty() {
            say!("        one of: {}", question.choices.join(", "));
        }
        for part in &question.parts {
            say!("    {}.{part}=…", question.name);
        }
    }
    Ok(())
}
