//! Runs a scenario: a virtual clock, the timers' wheel, and a gate that knows the permitted hours.

use chrono::{DateTime, Utc};

use super::words::{self, Scene};
use super::{Scenario, ScenarioRow};
use crate::calendar::next_allowed;
use crate::deployment::Deployment;
use crate::event::Event;
use crate::ids::{LetterId, ReferralId};
use crate::referral::{Channel, Consent, Referral, SentLetter};
use crate::step::{Effect, Step, begin, made_moot, step};

/// The words of a row in which only time passes.
const NO_ANSWER: &str = "no answer";
/// A story in which timers set timers without an end would never be told.
const TIMERS_PER_ROW_MAX: usize = 1_000;

struct Run<'s> {
    scenario: &'s Scenario,
    deployment: &'s Deployment,
    referral: Referral,
    /// What has been done and no row has spoken of yet.
    unspoken: Vec<String>,
    timeline: Vec<String>,
}

type Told<T> = Result<T, String>;

pub(super) fn run(scenario: &Scenario, deployment: &Deployment) -> Result<Vec<String>, (usize, String)> {
    let Some((first, rest)) = scenario.rows.split_first() else {
        return Err((0, "there are no rows".to_string()));
    };
    if !["ordered", "referral ordered"].contains(&first.happens.as_str()) {
        return Err((first.line, "the first row is `at 0h ordered`".to_string()));
    }
    let id = ReferralId::derive(scenario.start, scenario.title.as_bytes());
    let born = begin(deployment, id, scenario.patient.clone().into(), scenario.order.clone().into(), scenario.start)
        .map_err(|rejection| (first.line, rejection.to_string()))?;
    let referral = born.referral.clone();
    let mut run = Run { scenario, deployment, referral, unspoken: Vec::new(), timeline: Vec::new() };
    run.take(born, scenario.start);
    run.compare(first).map_err(|message| (first.line, message))?;
    for row in rest {
        run.row(row).map_err(|message| (row.line, message))?;
    }
    Ok(run.timeline)
}

impl Run<'_> {
    fn row(&mut self, row: &ScenarioRow) -> Told<()> {
        let now = self.scenario.start.checked_add_signed(row.at).ok_or("this is past the end of the calendar")?;
        self.pass_time(now)?;
        if row.happens != NO_ANSWER {
            if !self.unspoken.is_empty() {
                return Err(format!(
                    "before this a timer brought: {}; give it a `{NO_ANSWER}` row",
                    self.unspoken.join(", ")
                ));
            }
            let scene = Scene { referral: &self.referral, start: self.scenario.start, zone: self.scenario.zone, now };
            for event in words::events(&row.happens, &scene, &self.deployment.workflow)? {
                match step(self.deployment, &self.referral, &event, now) {
                    Ok(step) => self.take(step, now),
                    Err(rejection) => {
                        self.timeline.push(format!("{}  {rejection}", words::since(self.scenario.start, now)))
                    }
                }
            }
        }
        self.compare(row)
    }

    /// Fires what falls due up to `until`, in order of time.
    fn pass_time(&mut self, until: DateTime<Utc>) -> Told<()> {
        for _ in 0..TIMERS_PER_ROW_MAX {
            let due = self.referral.timers.iter().filter(|timer| timer.due <= until).min_by_key(|timer| timer.due);
            let Some(timer) = due.cloned() else { return Ok(()) };
            let step = step(self.deployment, &self.referral, &Event::Timer { name: timer.name }, timer.due);
            self.take(step.map_err(|rejection| rejection.to_string())?, timer.due);
        }
        Err(format!("more than {TIMERS_PER_ROW_MAX} timers fell due; does one set itself again at once?"))
    }

    fn take(&mut self, taken: Step, now: DateTime<Utc>) {
        let marks = taken.referral.facts.marks.iter().skip(self.referral.facts.marks.len());
        let mut done: Vec<String> = marks.map(|mark| format!("mark {}", mark.name)).collect();
        done.extend(made_moot(&self.referral, &taken.referral).iter().map(|kind| format!("moot {kind}")));
        let mut sent = Vec::new();
        for effect in &taken.effects {
            let mut said = words::effect(effect);
            if let Effect::Send { template, channel, asked, .. } = effect {
                let (zone, contact) = (self.zone(&taken.referral), &self.deployment.workflow.contact);
                let at = next_allowed(now, zone, contact.hours, &contact.holidays);
                if at > now {
                    said.push_str(&format!(" (leaves {})", words::leaves(at, zone)));
                }
                let way = permitted(&taken.referral, *channel);
                sent.push(way.map(|channel| (template.clone(), channel, *asked, at)));
            }
            done.push(said);
        }
        let letters: Vec<LetterId> = taken
            .letters()
            .filter(|(_, effect)| matches!(effect, Effect::Send { .. }))
            .map(|(letter, _)| letter)
            .collect();
        let said = if done.is_empty() { String::new() } else { format!("  [{}]", done.join(", ")) };
        self.timeline.push(format!("{}  {}{said}", words::since(self.scenario.start, now), taken.because));
        self.unspoken.extend(done);
        self.referral = taken.referral;
        for (id, sent) in letters.into_iter().zip(sent) {
            let Some((template, channel, asked, at)) = sent else { continue };
            let language = self.referral.facts.patient.languages.first().cloned().unwrap_or_default();
            let letter = SentLetter { id, template, channel, language, asked, at };
            // The line reports a letter once it has left; a state may well have nothing to say to that.
            if let Ok(noted) =
                step(self.deployment, &self.referral, &Event::LetterSent { letter, in_doubt: false }, now)
            {
                self.referral = noted.referral;
            }
        }
    }

    fn zone(&self, referral: &Referral) -> chrono_tz::Tz {
        referral.facts.patient.zone.unwrap_or(self.deployment.workflow.contact.zone)
    }

    fn compare(&mut self, row: &ScenarioRow) -> Told<()> {
        let done = std::mem::take(&mut self.unspoken);
        if self.referral.state != row.state {
            return Err(format!("expected state {}, came to {}", row.state, self.referral.state));
        }
        if done != row.effects {
            let say = |list: &[String]| if list.is_empty() { "nothing".to_string() } else { list.join(", ") };
            return Err(format!("expected {}, got {}", say(&row.effects), say(&done)));
        }
        Ok(())
    }
}

/// The way a letter takes, where the patient allows one.
fn permitted(referral: &Referral, wanted: Option<Channel>) -> Option<Channel> {
    let allowed = |reach: &&crate::referral::ContactPoint| reach.consent != Consent::Denied;
    let reaches = || referral.facts.patient.reaches.iter().filter(allowed).map(|reach| reach.channel);
    match wanted {
        Some(channel) => reaches().find(|reach| *reach == channel),
        None => reaches().next(),
    }
}
