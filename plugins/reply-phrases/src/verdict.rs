//! Decides between the phrases found: what stands, what wins, and when to leave it to a person.

use crate::matching::Found;
use crate::meaning::{Asked, Language, Meaning};
use crate::message::Message;
use crate::voter::{self, Vote};

/// What a message means, as far as we dare say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub meaning: Meaning,
    pub confidence: u8,
    /// The rule that decided.
    pub rule: &'static str,
    pub language: Language,
}

impl Verdict {
    /// For a person to read.
    pub fn unclear(rule: &'static str, language: Language) -> Self {
        Self { meaning: Meaning::Unclear, confidence: UNCLEAR, rule, language }
    }
}

/// A question mark after three words or more, with nothing else to go by.
const BARE_QUESTION: u8 = 65;
const BARE_QUESTION_WORDS_MIN: usize = 3;
/// Below this a phrase does not stand against a yes.
const CONTRADICTS_FROM: u8 = 60;
/// Below this an opt-in only says that what is may go on.
const OPT_IN_OUTRANKS_FROM: u8 = 80;
/// Two intents in one message: a little less sure.
const SECOND_INTENT: u8 = 8;
const CONFIDENCE_MAX: u8 = 99;
/// A shorter reply is a phrase of its own.
const OVERRULED_WORDS_MIN: usize = 3;
/// `ok…` hesitates; a longer reply that ends so only goes on.
const HESITANT_WORDS_MAX: usize = 2;
const VOTE: &str = "words like those of other replies";
/// How sure we are that something is unclear: nothing was found, or what was found contradicts itself.
const UNCLEAR: u8 = 30;

/// Weighs `found`, phrases that answer `asked`; `language` is that of the message.
pub fn decide(message: &Message, mut found: Vec<Found>, language: Language, asked: Asked) -> Verdict {
    found.retain(|one| is_spoken_in(one, language, message));
    let unclear = |rule| Verdict::unclear(rule, language);
    if found.iter().any(|one| one.rule.meaning == Meaning::Machine) {
        return unclear("answered by a machine");
    }
    let vote = vote(message, &found, asked);
    hide(&mut found, asked);
    let doubted = found.iter().any(|one| matches!(one.rule.meaning, Meaning::Hedge | Meaning::Doubt));
    take_back(&mut found);
    doubt(message, &mut found);
    if message.text.cut {
        found.retain(|one| one.rule.meaning <= Meaning::OptOut);
    }
    let voted = |vote: Vote| Verdict { meaning: vote.meaning, confidence: vote.confidence(), rule: VOTE, language };
    let Some(best) = winner(message, &found) else {
        return match vote {
            Some(vote) if vote.overrules() || vote.counts() && !doubted => voted(vote),
            _ if message.text.cut || doubted => unclear("no phrase known"),
            _ if asks(message) => {
                Verdict { meaning: Meaning::Question, confidence: BARE_QUESTION, rule: "question mark", language }
            }
            _ => unclear("no phrase known"),
        };
    };
    match vote {
        Some(vote)
            if best.rule.meaning > Meaning::OptIn && message.len() >= OVERRULED_WORDS_MIN && vote.overrules() =>
        {
            return voted(vote);
        }
        Some(vote) if best.rule.meaning == Meaning::Confirm && vote.denies_yes() => {
            return unclear("a yes unlike other yeses");
        }
        _ => {}
    }
    let others = found.iter().any(|one| one.rule.meaning != best.rule.meaning && one.rule.meaning < Meaning::Unclear);
    let penalty = if others && best.rule.meaning > Meaning::OptOut { SECOND_INTENT } else { 0 };
    let confidence = best.rule.strength.min(CONFIDENCE_MAX).saturating_sub(penalty);
    Verdict { meaning: best.rule.meaning, confidence, rule: best.rule.name, language }
}

/// The vote on the whole message, unless a phrase says that it is not that: `stop by the office` is no opt-out.
fn vote(message: &Message, found: &[Found], asked: Asked) -> Option<Vote> {
    let vote = if message.text.cut { None } else { voter::vote(&message.text, asked) }?;
    let refused = found.iter().any(|one| match one.rule.meaning {
        Meaning::Nothing => one.rule.hides.contains(&vote.meaning),
        Meaning::TakenBack => vote.meaning == Meaning::OptOut,
        _ => false,
    });
    (!refused).then_some(vote)
}

fn asks(message: &Message) -> bool {
    message.text.asks.contains(&true) && message.len() >= BARE_QUESTION_WORDS_MIN
}

/// Vietnamese without marks looks like half the words of other languages: believe it only in a Vietnamese message.
fn is_spoken_in(found: &Found, language: Language, message: &Message) -> bool {
    let marked = message.text.words[found.start..found.end].iter().any(|word| word.vietnamese);
    let at_home = found.rule.language == language;
    at_home || !found.rule.loan && (found.rule.language != Language::Vietnamese || marked)
}

/// Drops what lies within something longer of another meaning: `come` in `not come`, `stop` in `stop in`.
///
/// An emergency or an opt-out yields only to a phrase that says it is none.
fn hide(found: &mut Vec<Found>, asked: Asked) {
    let has_visit = matches!(asked, Asked::ConfirmVisit | Asked::Reminder);
    let all = found.clone();
    found.retain(|one| {
        // What takes an opt-out back does so within any phrase.
        one.rule.meaning == Meaning::TakenBack
            || !all.iter().any(|other| {
                let hides = match other.rule.meaning {
                    Meaning::Nothing => other.rule.hides.is_empty() || other.rule.hides.contains(&one.rule.meaning),
                    Meaning::Hedge | Meaning::Doubt | Meaning::TakenBack | Meaning::Machine | Meaning::Unclear => false,
                    Meaning::Question => one.rule.meaning >= Meaning::Scheduled,
                    // Both refuse; where there is a visit to cancel, their strength decides.
                    Meaning::Decline if one.rule.meaning == Meaning::CancelVisit && has_visit => false,
                    _ => one.rule.meaning > Meaning::OptOut || other.rule.meaning < one.rule.meaning,
                };
                let equal_hides = other.rule.meaning == Meaning::Nothing && one.rule.meaning != Meaning::Confirm;
                let longer = other.length() > one.length() || (equal_hides && other.length() == one.length());
                hides && other.rule.meaning != one.rule.meaning && longer && one.within(other)
            })
    });
}

/// Drops an opt-out that is taken back after it: `I wrote STOP but changed my mind`. One that follows stands.
fn take_back(found: &mut Vec<Found>) {
    let taken_back = found.iter().filter(|one| one.rule.meaning == Meaning::TakenBack).map(|one| one.start).max();
    let Some(at) = taken_back else { return };
    let stands = |one: &Found| one.rule.meaning != Meaning::OptOut || one.end > at;
    if !found.iter().all(stands) {
        // The mind that changed was about the texts, not about the referral.
        found.retain(|one| stands(one) && one.rule.meaning != Meaning::Decline);
    }
}

/// Drops a yes that was asked, hedged or mocked.
fn doubt(message: &Message, found: &mut Vec<Found>) {
    let hesitates = message.text.trails_off && message.len() <= HESITANT_WORDS_MAX;
    let mocked = hesitates || found.iter().any(|one| one.rule.meaning == Meaning::Doubt);
    let hedged: Vec<u16> = found
        .iter()
        .filter(|one| one.rule.meaning == Meaning::Hedge)
        .flat_map(|one| [message.clause_of(one.start), message.clause_of(one.end - 1)])
        .collect();
    let asked: Vec<u16> = found
        .iter()
        .filter(|one| one.rule.meaning == Meaning::Question)
        .map(|one| message.clause_of(one.end - 1))
        .collect();
    found.retain(|one| match one.rule.meaning {
        Meaning::Confirm | Meaning::Attended | Meaning::Scheduled => {
            let clause = message.clause_of(one.end - 1);
            let hedged = match one.rule.meaning {
                Meaning::Confirm => !hedged.is_empty(),
                _ => hedged.contains(&clause),
            };
            !mocked && !hedged && !asked.contains(&clause) && !message.is_asked(one.end - 1)
        }
        Meaning::Nothing | Meaning::Hedge | Meaning::Doubt | Meaning::TakenBack | Meaning::Machine => false,
        _ => true,
    });
}

/// Emergency, opt-out and the other four that stand above a visit win by rank; the rest by strength, then by rank.
fn winner(message: &Message, found: &[Found]) -> Option<Found> {
    let by_rank = |one: &&Found| (one.rule.meaning, std::cmp::Reverse(one.rule.strength));
    // `keep the texts, only cancel the visit` is about the visit.
    let beside_a_visit = |one: &Found| {
        let about_a_visit = |other: &&Found| matches!(other.rule.meaning, Meaning::CancelVisit | Meaning::Reschedule);
        found.iter().filter(about_a_visit).any(|other| message.clause_of(other.start) != message.clause_of(one.start))
    };
    let outranks = |one: &&Found| match one.rule.meaning {
        Meaning::Emergency | Meaning::OptOut | Meaning::WrongPerson => true,
        Meaning::OptIn => one.rule.strength >= OPT_IN_OUTRANKS_FROM && !beside_a_visit(one),
        _ => false,
    };
    if let Some(first) = found.iter().filter(outranks).min_by_key(by_rank) {
        return Some(*first);
    }
    let no = |one: &Found| {
        matches!(one.rule.meaning, Meaning::CancelVisit | Meaning::Decline | Meaning::Reschedule)
            && one.rule.strength >= CONTRADICTS_FROM
    };
    let contradicted = found.iter().any(no);
    // Nor is it plain beside a question: `yes, but where do I park?` is for somebody to answer.
    let asked = found.iter().any(|one| one.rule.meaning == Meaning::Question);
    let standing = found.iter().filter(|one| !((contradicted || asked) && one.rule.meaning == Meaning::Confirm));
    let standing = standing.filter(|one| one.rule.meaning != Meaning::OptIn || !beside_a_visit(one));
    standing.max_by_key(|one| (one.rule.strength, std::cmp::Reverse(one.rule.meaning))).copied()
}
