//! `handoff tasks list|done|assign|snooze|reopen`: what people were asked to do. Tokens only.

use std::io::Write as _;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use handoff_engine::calendar::parse_duration;
use handoff_engine::ids::{LetterId, ReferralId};
use handoff_engine::letter::Audience;
use handoff_engine::task::TaskChange;
use handoff_operations::tasks::{ChangeTask, ListTasks};

use crate::asking::Asking;
use crate::moment::moment;
use crate::print_json;

#[derive(Subcommand)]
pub(crate) enum Tasks {
    /// Open tasks, the first due first
    List(List),
    /// A task is done
    Done(Task),
    /// A task is somebody's
    Assign(Assign),
    /// A task is put off
    Snooze(Snooze),
    /// A task was not done after all
    Reopen(Task),
}

#[derive(Args)]
pub(crate) struct List {
    /// Only those for them: coordinator, physician or specialist
    #[arg(long)]
    audience: Option<Audience>,
    /// Only those of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Only those that this person has
    #[arg(long)]
    assignee: Option<String>,
    /// Only those of this referral
    #[arg(long)]
    referral: Option<ReferralId>,
    /// Those put off as well
    #[arg(long)]
    snoozed: bool,
    #[command(flatten)]
    asking: Asking,
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct Task {
    /// As the list names it
    task: LetterId,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Args)]
pub(crate) struct Assign {
    task: LetterId,
    /// To whom; left out, to nobody
    to: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Args)]
pub(crate) struct Snooze {
    task: LetterId,
    /// For how long, as 3d or 4h; or until a moment, as 2026-03-10T09:00:00Z
    #[arg(value_parser = until)]
    until: DateTime<Utc>,
    #[command(flatten)]
    asking: Asking,
}

impl Tasks {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Tasks::List(list) => list.run(),
            Tasks::Done(Task { task, asking }) => change(task, TaskChange::Done, asking, "is done"),
            Tasks::Reopen(Task { task, asking }) => change(task, TaskChange::Reopened, asking, "is open again"),
            Tasks::Assign(Assign { task, to, asking }) => {
                let told = to.as_ref().map_or("is nobody's".to_string(), |to| format!("is for {to}"));
                change(task, TaskChange::Assigned { to }, asking, &told)
            }
            Tasks::Snooze(Snooze { task, until, asking }) => {
                let told = format!("is put off until {}", until.format("%Y-%m-%d %H:%M UTC"));
                change(task, TaskChange::Snoozed { until }, asking, &told)
            }
        }
    }
}

impl List {
    fn run(self) -> anyhow::Result<ExitCode> {
        let List { audience, kind, assignee, referral, snoozed, asking, json } = self;
        for task in asking.ask(ListTasks { referral, audience, kind, assignee, snoozed })? {
            if json {
                let mut told = serde_json::to_value(&task)?;
                told["task"] = task.task.to_string().into();
                print_json(&told)?;
                continue;
            }
            let urgent = if task.urgent { "urgent " } else { "" };
            let whose = task.assignee.map(|name| format!(", {name} has it")).unwrap_or_default();
            let due = task.due_at.format("%Y-%m-%d %H:%M");
            say!("{}  due {due}  {urgent}{} for the {}{whose}", task.task, task.kind, task.audience);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn change(task: LetterId, change: TaskChange, asking: Asking, told: &str) -> anyhow::Result<ExitCode> {
    asking.ask(ChangeTask { task, change })?;
    say!("{task} {told}");
    Ok(ExitCode::SUCCESS)
}

fn until(text: &str) -> Result<DateTime<Utc>, String> {
    match parse_duration(text) {
        Ok(wait) => Ok(Utc::now() + wait),
        Err(_) => moment(text).map_err(|fault| format!("{fault}, nor a while, 3d")),
    }
}
