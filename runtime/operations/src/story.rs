//! What a referral's history says so far: what people were asked to do, what the patient wrote last, what is in doubt. Each entry
//! is read once; a story then grows with its referral. Tokens only.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use handoff_engine::event::{Event, Reply};
use handoff_engine::ids::{LetterId, ReferralId};
use handoff_engine::letter::{Letter, LetterBody, Task};
use handoff_engine::referral::Referral;
use handoff_engine::task::ReferralTask;
use handoff_store::{Entry, Position, Record};
use parking_lot::Mutex;

use crate::operations::Operations;
use crate::referrals::PhiAccessError;

/// Some kilobytes each: what a large practice has in flight, and no more.
const STORIES_MAX: usize = 20_000;

/// Stories that were read lately.
#[derive(Default)]
pub(crate) struct Stories(Mutex<HashMap<ReferralId, Arc<Story>>>);

#[derive(Clone, Debug, Default)]
pub struct Story {
    through: Position,
    pub tasks: Vec<AskedTask>,
    pub last_reply: Option<(DateTime<Utc>, Reply)>,
    /// Letters of which nobody knows whether they left.
    pub doubtful: BTreeSet<LetterId>,
    /// Letters that were given up and wait for a person.
    pub dead: BTreeSet<LetterId>,
}

/// Something that a person was asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedTask {
    pub letter: LetterId,
    pub task: Task,
    pub at: DateTime<Utc>,
    pub due: DateTime<Utc>,
    /// It came up because the patient wrote.
    pub answers_reply: bool,
    /// Who has taken it, or was given it.
    pub assignee: Option<String>,
}

impl Story {
    /// What is still to be done and not put off, the most urgent first.
    pub fn open_tasks(&self, referral: &Referral, now: DateTime<Utc>) -> Vec<AskedTask> {
        let awake = |task: &&ReferralTask| task.is_open() && task.snoozed_until.is_none_or(|until| until <= now);
        let asked = |task: &ReferralTask| {
            let asked = self.tasks.iter().find(|asked| asked.letter.number == task.letter)?.clone();
            Some(AskedTask { due: task.due_at, assignee: task.assignee.clone(), ..asked })
        };
        let mut open: Vec<AskedTask> = referral.tasks.iter().filter(awake).filter_map(asked).collect();
        open.sort_by_key(|asked| (!asked.task.urgent, asked.due));
        open
    }

    fn take(&mut self, entry: &Entry, referral: ReferralId) {
        let mut heard = false;
        for record in &entry.records {
            if let Record::Happened { referral: of, event: Event::Reply { reply } } = record
                && *of == referral
            {
                heard = true;
                self.last_reply = Some((entry.at, reply.clone()));
            }
            if let Record::Queued { letter, .. } = record
                && letter.id.referral == referral
            {
                self.dead.remove(&letter.id);
                self.asked(letter, entry.at, heard);
            }
            self.left(record, referral);
        }
    }

    fn asked(&mut self, letter: &Letter, at: DateTime<Utc>, answers_reply: bool) {
        let LetterBody::Task(task) = &letter.body else { return };
        // Owed anew, it is the same task.
        self.tasks.retain(|known| known.letter != letter.id);
        let due = letter.due + TimeDelta::hours(task.due_in_hours.into());
        let (letter, task, assignee) = (letter.id, task.clone(), None);
        self.tasks.push(AskedTask { letter, task, at, due, answers_reply, assignee });
    }

    /// Whether a letter left, did not, or nobody knows.
    fn left(&mut self, record: &Record, referral: ReferralId) {
        if let Record::Deferred { letter, in_doubt: true, .. } = record
            && letter.referral == referral
        {
            self.doubtful.insert(*letter);
        }
        if let Record::Received { letter, .. } | Record::Refused { letter, .. } = record {
            self.doubtful.remove(letter);
        }
        if let Record::Dropped { letter, dead, in_doubt, .. } = record
            && letter.referral == referral
        {
            if *dead {
                self.dead.insert(*letter);
            }
            match *in_doubt {
                true => self.doubtful.insert(*letter),
                false => self.doubtful.remove(letter),
            };
        }
        if let Record::Settled { item, .. } = record {
            self.dead.retain(|letter| letter.to_string() != *item);
            self.doubtful.retain(|letter| letter.to_string() != *item);
        }
    }
}

impl Operations {
    /// # Errors
    /// When index or journal cannot be read.
    pub fn story(&self, id: ReferralId) -> Result<Arc<Story>, PhiAccessError> {
        let known = self.stories.0.lock().get(&id).cloned();
        let mut story = known.clone().unwrap_or_default();
        let news = self.news(id, story.through)?;
        if !news.is_empty() {
            let grown = Arc::make_mut(&mut story);
            for (position, entry) in news {
                grown.take(&entry, id);
                grown.through = position;
            }
        }
        let mut stories = self.stories.0.lock();
        if stories.len() >= STORIES_MAX {
            stories.clear();
        }
        stories.insert(id, Arc::clone(&story));
        Ok(story)
    }

    fn news(&self, id: ReferralId, after: Position) -> Result<Vec<(Position, Arc<Entry>)>, PhiAccessError> {
        let store = &self.pipeline.store;
        let positions = store.index().history(&id)?.into_iter().filter(|position| *position > after);
        let read = |position| Ok(store.read(position)?.map(|entry| (position, entry)));
        positions.filter_map(|position| read(position).transpose()).collect()
    }
}
