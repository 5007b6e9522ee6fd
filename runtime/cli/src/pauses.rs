//! `handoff pause`, `resume`, `pauses`, `go-live`: the brake.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use handoff_operations::pauses::{self, Resumable, Resumed, WouldSend};
use handoff_pipeline::pauses::PauseState;
use handoff_store::{PauseCause, PauseScope};

use crate::asking::Asking;
use crate::print_json;

/// Hold letters back until `handoff resume`
#[derive(Args)]
pub(crate) struct Pause {
    #[arg(value_enum, default_value_t = Scope::Outreach)]
    scope: Scope,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Clone, Copy, ValueEnum)]
enum Scope {
    /// Messages to patients; the chart is read and written, and tasks reach people
    Outreach,
    /// Every letter and every timer; what comes in is taken all the same
    All,
}

/// Let go on what is held back
#[derive(Args)]
pub(crate) struct Resume {
    /// Which of several causes
    #[arg(long, value_enum)]
    cause: Option<Cause>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Clone, Copy, ValueEnum)]
enum Cause {
    /// `handoff pause`
    Operator,
    /// The instance was restored from a backup
    Restored,
    /// More messages than is usual
    Volume,
    /// The clock was in doubt, and is right as it stands
    Clock,
}

/// What holds letters back, since when, by whom and why
#[derive(Args)]
pub(crate) struct Pauses {
    #[command(flatten)]
    asking: Asking,
    #[arg(long)]
    json: bool,
}

/// Let a new instance write to patients, or see first what it would send
#[derive(Args)]
pub(crate) struct GoLive {
    /// Begin to send; without it nothing is sent
    #[arg(long)]
    yes: bool,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    asking: Asking,
}

impl Pause {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let (scope, told) = match self.scope {
            Scope::Outreach => (PauseScope::Outreach, "no message leaves for a patient"),
            Scope::All => (PauseScope::All, "nothing leaves, and no timer fires"),
        };
        self.asking.ask(pauses::PauseLetters { scope })?;
        say!("paused: {told} until `handoff resume`");
        Ok(ExitCode::SUCCESS)
    }
}

impl Resume {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let cause = self.cause.map(|cause| match cause {
            Cause::Operator => Resumable::Pause(PauseCause::Operator),
            Cause::Restored => Resumable::Pause(PauseCause::Restored),
            Cause::Volume => Resumable::Pause(PauseCause::Volume),
            Cause::Clock => Resumable::Clock,
        });
        match self.asking.ask(pauses::Resume { cause })? {
            Resumed::Wholly => say!("resumed"),
            Resumed::WithoutMessages => {
                say!("timers and the chart go on; no message leaves for a patient yet");
                say!("once `handoff dead-letters list` and the chart look right, run this again");
            }
            Resumed::InDoubt { messages } => {
                say!(
                    "resumed; {messages} message(s) may have left after the backup, and wait in `handoff dead-letters list`"
                );
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Pauses {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let state = self.asking.ask(pauses::ListPauses {})?;
        if self.json {
            print_json(&state)?;
            return Ok(ExitCode::SUCCESS);
        }
        let PauseState { pauses, clock, parked } = state;
        if pauses.is_empty() && clock.is_none() {
            say!("nothing is paused");
        }
        for pause in pauses {
            let since = pause.at.format("%Y-%m-%d %H:%M");
            say!("{:<9} {:<9} since {since} by {}: {}", pause.cause, pause.scope, pause.who, pause.why);
        }
        if let Some(doubt) = clock {
            say!("clock     all       it is {} s off by {}", doubt.off_seconds, doubt.witness);
        }
        if parked > 0 {
            say!("{parked} message(s) to patients are due and held");
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl GoLive {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let GoLive { yes, json, asking } = self;
        let due = asking.ask(pauses::GoLive { sure: yes })?;
        for kind in &due {
            let WouldSend { template, channel, language, count, oldest_due } = kind;
            match json {
                true => print_json(kind)?,
                false => say!(
                    "{count:>6}  {template} by {channel}, {language}; the oldest is due since {}",
                    oldest_due.format("%Y-%m-%d %H:%M")
                ),
            }
        }
        let count: usize = due.iter().map(|kind| kind.count).sum();
        match (json, yes) {
            (true, _) => {}
            (false, true) => say!("live: {count} message(s) leave as the contact rules allow"),
            (false, false) => say!("{count} message(s) would leave; add --yes to begin"),
        }
        Ok(ExitCode::SUCCESS)
    }
}
