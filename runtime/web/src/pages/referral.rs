//! `/referrals/{id}`: one referral whole.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::{DateTime, Utc};
use handoff_engine::event::Intent;
use handoff_engine::ids::ReferralId;
use handoff_identity::role::AccessRight;
use handoff_operations::conversation::{MessageStatus, Utterance, UtteredAt};
use handoff_operations::referral_file::{Milestones, ReferralFile, SeenReferral};
use handoff_operations::referrals::{PhiAccessError, REASON_CHARS_MAX, REASON_CHARS_MIN};
use handoff_operations::standing::ReferralStanding;
use serde::Deserialize;

use super::access::Sent;
use super::acts::{self, ActForm};
use super::frame::{Frame, Visitor, render, times};
use super::rows::or;
use super::times::Times;
use super::words::{self, Sign};
use crate::api::Api;
use crate::api::extract::{Asked, Named};
use crate::api::problem::{HttpProblem, ProblemKind};
use crate::api::refused;

#[derive(Template)]
#[template(path = "referral.html")]
struct ReferralPage {
    frame: Frame,
    id: String,
    /// The patient where the role sees them, else the referral's number.
    who: String,
    office: String,
    about: String,
    standing: Sign,
    steps: Vec<Stage>,
    next: Option<(String, Vec<String>)>,
    tasks: Vec<TaskLine>,
    /// Whether this role takes, gives away, puts off and ends tasks; and who may be given them.
    changes_tasks: bool,
    colleagues: Vec<String>,
    acts: Vec<ActForm>,
    /// What the act that was done says of itself.
    done: Option<String>,
    seen: Option<Seen>,
    lines: Vec<Line>,
    /// Whether opening it was a look at a patient.
    was_look: bool,
}

/// Something that a person is asked to do.
struct TaskLine {
    id: String,
    sign: Sign,
    what: String,
    due: String,
    assignee: Option<String>,
}

/// What the act before has left in the address: its name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    done: Option<String>,
}

/// One stop of the way.
struct Stage {
    title: String,
    class: &'static str,
    detail: String,
}

/// What is shown to whoever sees the patient.
struct Seen {
    reach: String,
    days: Vec<(String, Vec<Bubble>)>,
    facts: Vec<(&'static str, String)>,
    specialist: Vec<(&'static str, String)>,
    priority: Option<Sign>,
    diagnoses: Vec<String>,
    /// The note's documents, in their order.
    notes: Vec<String>,
}

/// One side's words.
struct Bubble {
    class: &'static str,
    language: String,
    text: String,
    meta: String,
    at: String,
    status: Option<Sign>,
    reading: Option<Reading>,
}

/// How a reply was read.
struct Reading {
    text: &'static str,
    sure: u8,
    needed: u8,
    is_below: bool,
    needs_no_certainty: bool,
}

struct Line {
    machine: String,
    at: String,
    what: String,
    because: Option<String>,
}

fn id(named: &str) -> Result<ReferralId, HttpProblem> {
    named.parse().map_err(|_| HttpProblem::of(ProblemKind::NotFound))
}

pub(super) async fn show(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Named(named): Named,
    Asked(query): Asked<Query>,
) -> Result<Response, HttpProblem> {
    let id = id(&named)?;
    api.work(move |api| match api.operations.referral_file(visitor.person(), id) {
        Ok(file) => {
            let mut page = page(api, &visitor, &file);
            page.acts = acts::forms(api.operations.offered_acts(visitor.person(), id).map_err(refused)?);
            page.done = query.done.and_then(|act| acts::confirmed(api, &act));
            render(&page)
        }
        // Whether there is one or not: who may break the glass is told how, and nothing of a patient.
        Err(PhiAccessError::NoSuchReferral) if visitor.person().role.may(AccessRight::BreakGlass) => {
            glass(api, &visitor, id, None)
        }
        Err(error) => Err(error.into()),
    })
    .await
}

fn page(api: &Api, visitor: &Visitor, file: &ReferralFile) -> ReferralPage {
    let times = times(api);
    let number = words::number(file.id);
    let who = file.seen.as_ref().map_or_else(|| number.clone(), |seen| words::name(&seen.patient));
    let day = times.days_since(file.ordered_at);
    let physician = file.seen.as_ref().map(|seen| seen.order.referring.name.clone()).unwrap_or_default();
    // What would make it needless is said once.
    let standing = |place| if place == 0 { file.standing } else { ReferralStanding::ByHand };
    let foreseen = file.foreseen.iter().enumerate();
    let mut foreseen = foreseen.map(|(place, next)| words::foreseen(next, standing(place), &physician, &times));
    let next = foreseen.next().map(|first| (first, foreseen.collect()));
    let mut about = vec![format!("ordered {}", times.date(file.ordered_at)), number.clone()];
    if let Some(seen) = &file.seen {
        about.insert(0, or(&seen.order.specialty, "Referral").to_string());
        if !physician.is_empty() {
            about[1] = format!("{} by {physician}", about[1]);
        }
    }
    let tasks = file.tasks.iter().map(|task| {
        let name = file.seen.as_ref().map(|seen| words::name(&seen.patient)).unwrap_or_default();
        let sign = if task.urgent { Sign::new("urgent", "bad", "Now") } else { Sign::new("alert", "warn", "To do") };
        let due = if task.due <= times.now { "since" } else { "by" };
        let what = match &task.summary {
            Some(summary) => words::without_name(summary, &name),
            None => words::task(&task.kind),
        };
        let (id, assignee) = (task.task.to_string(), task.assignee.clone());
        TaskLine { id, sign, what, due: format!("{due} {}", times.at(task.due)), assignee }
    });
    let lines = file.chronicle.iter().map(|line| Line {
        machine: times.machine(line.at),
        at: times.exactly(line.at),
        what: words::told(&line.what, &times),
        because: line.because.as_ref().and_then(words::because),
    });
    ReferralPage {
        frame: visitor.frame(api, &format!("Referral {number}")),
        id: file.id.to_string(),
        who,
        office: or(&file.office, "nobody yet").to_string(),
        about: about.join(" · "),
        standing: words::standing(file.standing, file.stalled, day, &times),
        steps: steps(file, &times),
        next,
        tasks: tasks.collect(),
        changes_tasks: visitor.person().role.may(AccessRight::ChangeTasks),
        colleagues: acts::colleagues(api),
        acts: Vec::new(),
        done: None,
        seen: file.seen.as_ref().map(|seen| Seen::of(seen, file.confidence_min, &times)),
        lines: lines.collect(),
        was_look: file.seen.is_some(),
    }
}

/// The way from the order to the note, and how far it has come.
fn steps(file: &ReferralFile, times: &Times) -> Vec<Stage> {
    let Milestones { plan_checked, chart_read, booked, is_booked, attended, noted, closed } = file.milestones;
    let date = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(|at| times.date(at)).unwrap_or_default();
    let way = [
        ("Plan checked", plan_checked, String::new()),
        ("Chart read", chart_read, String::new()),
        ("Visit booked", is_booked, date(booked)),
        ("Visit over", attended.is_some() || noted.is_some(), date(attended)),
        ("Note received", noted.is_some(), date(noted)),
    ];
    let mut found_now = closed;
    let mut steps: Vec<Stage> = Vec::new();
    for (title, is_past, detail) in way {
        let class = match is_past {
            true => "past",
            false if !found_now => {
                found_now = true;
                let now =
                    Stage { title: words::stands(file.standing).into(), class: "now", detail: since(file, times) };
                steps.push(now);
                ""
            }
            false => "",
        };
        steps.push(Stage { title: title.into(), class, detail });
    }
    match closed {
        true => steps.push(Stage {
            title: words::stands(file.standing).into(),
            class: "past",
            detail: times.date(file.entered_at),
        }),
        false => {
            if !found_now {
                let (title, detail) = (words::stands(file.standing).into(), String::new());
                steps.push(Stage { title, class: "now", detail });
            }
            steps.push(Stage { title: "Closed".into(), class: "", detail: String::new() });
        }
    }
    steps
}

fn since(file: &ReferralFile, times: &Times) -> String {
    if let ReferralStanding::Booked { at } = file.standing {
        return times.exactly(at);
    }
    match file.standing == ReferralStanding::NotBooked {
        true => format!("Day {}", times.days_since(file.ordered_at)),
        false => format!("Since {}", times.at(file.entered_at)),
    }
}

impl Seen {
    fn of(seen: &SeenReferral, confidence_min: u8, times: &Times) -> Seen {
        let order = &seen.order;
        let given = seen.patient.given.clone().unwrap_or_else(|| "the patient".into());
        let mut days: Vec<(String, Vec<Bubble>)> = Vec::new();
        for said in &seen.conversation {
            let (day, bubble) = (times.day(said.at), Bubble::of(said, &given, confidence_min, times));
            match days.last_mut().filter(|(known, _)| *known == day) {
                Some((_, bubbles)) => bubbles.push(bubble),
                None => days.push((day, vec![bubble])),
            }
        }
        let mut facts = Vec::new();
        if let Some(born) = &seen.patient.born {
            let age = times.age(born).map(|age| format!(" ({age})")).unwrap_or_default();
            facts.push(("Born", format!("{}{age}", times.birthday(born))));
        }
        if let Some(language) = order.languages.first() {
            facts.push(("Language", words::language(language)));
        }
        for reach in &order.reaches {
            let address = reach.address.as_deref().map(words::phone).unwrap_or_else(|| "erased".into());
            let consent = words::consent(reach.consent);
            let told = if consent.is_empty() { address } else { format!("{address}, {consent}") };
            let fact = (words::channel(reach.channel), told);
            if !facts.contains(&fact) {
                facts.push(fact);
            }
        }
        if !order.plan.is_empty() {
            facts.push(("Plan", order.plan.clone()));
        }
        for number in &order.numbers {
            facts.push(("Number", number.clone()));
        }
        let mut specialist = Vec::new();
        if let Some(office) = &order.specialist {
            specialist.push(("Office", or(&office.organization, &office.name).to_string()));
            if !office.organization.is_empty() && !office.name.is_empty() {
                specialist.push(("Name", office.name.clone()));
            }
            if !office.phone.is_empty() {
                specialist.push(("Phone", words::phone(&office.phone)));
            }
        }
        if let Some(visit) = &order.appointment {
            let status = words::appointment(visit.status);
            specialist.push(("Visit", format!("{}, {status}", times.exactly(visit.starts_at))));
        }
        let reach = order.reaches.first().and_then(|reach| {
            let address = words::phone(reach.address.as_deref()?);
            let language = order.languages.first().map(|tag| words::language(tag)).unwrap_or_default();
            Some(format!("{} to {address} · {language}", words::channel(reach.channel)))
        });
        let told = |(at, kind): (&DateTime<Utc>, &String)| format!("{}, {}", file_kind(kind), times.date(*at));
        Seen {
            reach: reach.unwrap_or_default(),
            days,
            facts,
            specialist,
            priority: words::priority(order.priority),
            diagnoses: order.diagnoses.clone(),
            notes: seen
                .note
                .iter()
                .flat_map(|(at, kinds)| kinds.iter().map(move |kind| (at, kind)))
                .map(told)
                .collect(),
        }
    }
}

fn file_kind(media_type: &str) -> &'static str {
    match media_type {
        "application/pdf" => "PDF",
        "text/plain" => "Text",
        "text/html" => "Page",
        "image/tiff" | "image/png" | "image/jpeg" => "Picture",
        _ => "File",
    }
}

impl Bubble {
    fn of(said: &UtteredAt, given: &str, confidence_min: u8, times: &Times) -> Bubble {
        let at = times.clock(said.at);
        match &said.said {
            Utterance::ByUs { template, channel, language, text, status, .. } => {
                let is_later = matches!(status, MessageStatus::Waiting { .. });
                let meta = format!(
                    "{}, {}, {}",
                    words::letter(template),
                    words::channel(*channel).to_lowercase(),
                    words::language(language)
                );
                Bubble {
                    class: if is_later { "out later" } else { "out" },
                    language: language.clone(),
                    text: text.clone(),
                    meta,
                    at: if is_later { String::new() } else { at },
                    status: Some(words::message_status(status, times)),
                    reading: None,
                }
            }
            Utterance::ByPatient { channel, language, text, intent, confidence } => Bubble {
                class: "in",
                language: language.clone(),
                text: text.clone(),
                meta: format!("{given}, {}, {}", words::channel(*channel).to_lowercase(), words::language(language)),
                at,
                status: None,
                reading: Some(Reading::of(*intent, *confidence, confidence_min)),
            },
        }
    }
}

impl Reading {
    fn of(intent: Intent, sure: u8, needed: u8) -> Reading {
        let needs_no_certainty = intent.needs_no_certainty();
        let is_below = sure < needed && !needs_no_certainty;
        Reading { text: words::reading(intent), sure, needed, is_below, needs_no_certainty }
    }
}

#[derive(Template)]
#[template(path = "glass.html")]
struct GlassPage {
    frame: Frame,
    id: String,
    number: String,
    chars_min: usize,
    chars_max: usize,
    problem: Option<String>,
    typed: String,
}

fn glass(api: &Api, visitor: &Visitor, id: ReferralId, wrong: Option<(String, &str)>) -> Result<Response, HttpProblem> {
    let number = words::number(id);
    let (problem, typed) = wrong.map(|(problem, typed)| (Some(problem), typed.to_string())).unwrap_or_default();
    render(&GlassPage {
        frame: visitor.frame(api, "Not one of your referrals"),
        id: id.to_string(),
        number,
        chars_min: REASON_CHARS_MIN,
        chars_max: REASON_CHARS_MAX,
        problem,
        typed,
    })
}

pub(super) async fn break_glass(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Named(named): Named,
    sent: Sent,
) -> Result<Response, HttpProblem> {
    let id = id(&named)?;
    api.work(move |api| {
        let reason = sent.text("reason").unwrap_or_default();
        match api.operations.break_glass(visitor.person(), id, reason) {
            Ok(_) => Ok(Redirect::to(&format!("/referrals/{id}")).into_response()),
            Err(error @ PhiAccessError::Reason) => {
                let told = error.to_string();
                glass(api, &visitor, id, Some((told.split('\n').next().unwrap_or_default().to_string(), reason)))
            }
            Err(error) => Err(error.into()),
        }
    })
    .await
}

/// The specialist's note, to be opened outside the browser: what others wrote never runs here.
pub(super) async fn note(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Named(named): Named,
) -> Result<Response, HttpProblem> {
    document(api, visitor, named, 0).await
}

/// A further document of the note.
pub(super) async fn further(
    State(api): State<Arc<Api>>,
    visitor: Visitor,
    Path((named, nth)): Path<(String, usize)>,
) -> Result<Response, HttpProblem> {
    document(api, visitor, named, nth).await
}

async fn document(api: Arc<Api>, visitor: Visitor, named: String, nth: usize) -> Result<Response, HttpProblem> {
    let id = id(&named)?;
    api.work(move |api| {
        let note = api.operations.note(visitor.person(), id, nth)?.ok_or(HttpProblem::of(ProblemKind::NotFound))?;
        let file = format!("attachment; filename=\"note-{id}-{}.{}\"", nth + 1, note.ending());
        let headers = [(CONTENT_TYPE, "application/octet-stream".to_string()), (CONTENT_DISPOSITION, file)];
        Ok((headers, note.bytes).into_response())
    })
    .await
}
