//! Row values. Blocks and shelves aside, every one begins with the position of the entry it stands for.

use handoff_engine::ids::{Digest, LetterId, PatientId, ReferralId};
use handoff_engine::referral::Referral;

use crate::index::agenda::{millis, moment};
use crate::index::history::History;
use crate::index::keys;
use crate::index::rows::Value;
use crate::index::{IndexError, Kinds, OpenTask};
use crate::position::Position;

/// No moment is before it.
const NOT_SNOOZED: i64 = i64::MIN;

/// Writes a value.
#[derive(Default)]
pub(super) struct Pen(Vec<u8>);

impl Pen {
    pub fn at(position: Position) -> Pen {
        Pen(position.0.to_le_bytes().to_vec())
    }

    pub fn bytes(mut self, bytes: &[u8]) -> Pen {
        self.0.extend_from_slice(bytes);
        self
    }

    pub fn u64(self, number: u64) -> Pen {
        self.bytes(&number.to_le_bytes())
    }

    fn i64(self, number: i64) -> Pen {
        self.bytes(&number.to_le_bytes())
    }

    fn text(self, text: &str) -> Pen {
        self.leb128(text.len() as u64).bytes(text.as_bytes())
    }

    /// A number that is small as a rule.
    pub fn leb128(mut self, mut number: u64) -> Pen {
        while number > 0x7F {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
        self
    }

    /// All but the referral: that is its row's key.
    fn task(self, task: &OpenTask) -> Pen {
        let snoozed = task.snoozed_until.map_or(NOT_SNOOZED, millis);
        self.leb128(task.task.number.into())
            .text(task.audience.as_str())
            .text(&task.kind)
            .bytes(&[u8::from(task.urgent)])
            .i64(millis(task.raised_at))
            .i64(millis(task.due_at))
            .text(task.assignee.as_deref().unwrap_or_default())
            .i64(snoozed)
    }

    pub fn done(self) -> Value {
        self.0.into()
    }
}

/// Reads a value. Bytes of a damaged index must not panic.
pub(super) struct Eye<'a> {
    rest: &'a [u8],
    prefix: u8,
}

impl<'a> Eye<'a> {
    pub fn new(value: &'a [u8], prefix: u8) -> Eye<'a> {
        Eye { rest: value, prefix }
    }

    pub fn unreadable(&self) -> IndexError {
        IndexError::Row { prefix: char::from(self.prefix) }
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], IndexError> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or_else(|| self.unreadable())?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], IndexError> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.unreadable())?;
        self.rest = rest;
        Ok(*head)
    }

    fn u64(&mut self) -> Result<u64, IndexError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn i64(&mut self) -> Result<i64, IndexError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, IndexError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn text(&mut self) -> Result<&'a str, IndexError> {
        let length = usize::try_from(self.leb128()?).unwrap_or(usize::MAX);
        let bytes = self.bytes(length)?;
        std::str::from_utf8(bytes).map_err(|_| self.unreadable())
    }

    fn task(&mut self, referral: &ReferralId) -> Result<OpenTask, IndexError> {
        let number = u32::try_from(self.leb128()?).map_err(|_| self.unreadable())?;
        let audience = self.text()?.parse().map_err(|_| self.unreadable())?;
        let kind = self.text()?.to_string();
        let [urgent] = self.array()?;
        let (raised_at, due_at) = (moment(self.i64()?), moment(self.i64()?));
        let assignee = Some(self.text()?).filter(|name| !name.is_empty()).map(str::to_string);
        let snoozed_until = Some(self.i64()?).filter(|at| *at != NOT_SNOOZED).map(moment);
        let (task, urgent) = (LetterId { referral: *referral, number }, urgent != 0);
        Ok(OpenTask { task, audience, kind, urgent, raised_at, due_at, assignee, snoozed_until })
    }

    pub fn position(&mut self) -> Result<Position, IndexError> {
        Ok(Position(self.u64()?))
    }

    pub fn leb128(&mut self) -> Result<u64, IndexError> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = self.array()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.unreadable())
    }

    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }
}

/// The position with which a row begins.
pub fn position(value: &[u8], prefix: u8) -> Result<Position, IndexError> {
    Eye::new(value, prefix).position()
}

/// A row whose key says it all.
pub fn nothing() -> Value {
    Pen::default().done()
}

/// A row that says nothing but where.
pub fn place(position: Position) -> Value {
    Pen::at(position).done()
}

/// What lists need of a referral, and what its next step has to clear away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferralRow {
    pub stepped: Position,
    pub version: u64,
    pub deployment: Digest,
    pub ordered_at: i64,
    pub entered_at: i64,
    pub state: String,
    pub specialist: String,
    pub patient: PatientId,
    pub timers: Vec<(i64, String)>,
    /// Those that are open.
    pub tasks: Vec<OpenTask>,
    /// Every entry that touched it.
    pub history: History,
}

impl ReferralRow {
    pub fn of(referral: &Referral, stepped: Position, history: History) -> ReferralRow {
        ReferralRow {
            stepped,
            version: referral.version,
            deployment: referral.deployment,
            ordered_at: millis(referral.ordered_at),
            entered_at: millis(referral.entered_at),
            state: referral.state.clone(),
            specialist: referral.facts.order.specialist.as_ref().map(|it| it.id.clone()).unwrap_or_default(),
            patient: referral.facts.patient.id.clone(),
            timers: referral.timers.iter().map(|timer| (millis(timer.due), timer.name.clone())).collect(),
            tasks: referral.tasks.iter().filter_map(|task| OpenTask::of(referral.id, task)).collect(),
            history,
        }
    }

    pub fn write(&self) -> Value {
        let pen = Pen::at(self.stepped)
            .leb128(self.version)
            .bytes(&self.deployment.0)
            .i64(self.ordered_at)
            .i64(self.entered_at)
            .text(&self.state)
            .text(&self.specialist)
            .text(&self.patient.0)
            .leb128(self.timers.len() as u64);
        let pen = self.timers.iter().fold(pen, |pen, (due, name)| pen.i64(*due).text(name));
        let pen = self.tasks.iter().fold(pen.leb128(self.tasks.len() as u64), Pen::task);
        self.history.write(pen).done()
    }

    pub fn read(id: &ReferralId, value: &[u8]) -> Result<ReferralRow, IndexError> {
        let mut eye = Eye::new(value, keys::IN_FLIGHT);
        let mut row = ReferralRow {
            stepped: eye.position()?,
            version: eye.leb128()?,
            deployment: Digest(eye.array()?),
            ordered_at: eye.i64()?,
            entered_at: eye.i64()?,
            state: eye.text()?.to_string(),
            specialist: eye.text()?.to_string(),
            patient: PatientId(eye.text()?.to_string()),
            timers: Vec::new(),
            tasks: Vec::new(),
            history: History::default(),
        };
        for _ in 0..eye.leb128()? {
            let due = eye.i64()?;
            row.timers.push((due, eye.text()?.to_string()));
        }
        for _ in 0..eye.leb128()? {
            row.tasks.push(eye.task(id)?);
        }
        row.history = History::at_end(&mut eye)?;
        Ok(row)
    }
}

/// A letter that is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    pub queued: Position,
    pub due: i64,
    pub attempts: u32,
    /// The last ask, unless it was concluded, and its answer; [`Position::START`] when there is none.
    pub asked: Position,
    pub answered: Position,
}

impl OutboxRow {
    pub fn write(&self) -> Value {
        Pen::at(self.queued)
            .i64(self.due)
            .bytes(&self.attempts.to_le_bytes())
            .u64(self.asked.0)
            .u64(self.answered.0)
            .done()
    }

    pub fn read(value: &[u8]) -> Result<OutboxRow, IndexError> {
        let mut eye = Eye::new(value, keys::OUTBOX);
        Ok(OutboxRow {
            queued: eye.position()?,
            due: eye.i64()?,
            attempts: eye.u32()?,
            asked: eye.position()?,
            answered: eye.position()?,
        })
    }
}

/// When an entry was made and what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    pub at: i64,
    pub kinds: Kinds,
}

/// A delivery row also says whether that delivery was dead: one that came again alive takes its place.
pub fn delivery(position: Position, for_nothing: bool) -> Value {
    Pen::at(position).bytes(&[u8::from(for_nothing)]).done()
}

pub fn delivery_was_for_nothing(value: &[u8]) -> bool {
    value.get(8) == Some(&1)
}

pub fn key_slot(position: Position, slot: u64) -> Value {
    Pen::at(position).u64(slot).done()
}

pub fn read_key_slot(value: &[u8]) -> Result<u64, IndexError> {
    let mut eye = Eye::new(value, keys::KEY_SLOT);
    eye.position()?;
    eye.u64()
}

pub fn vendor_id(position: Position, letter: LetterId) -> Value {
    Pen::at(position).bytes(&keys::outbox(&letter)).done()
}

pub fn read_vendor_id(value: &[u8]) -> Result<LetterId, IndexError> {
    let mut eye = Eye::new(value, keys::VENDOR_ID);
    eye.position()?;
    keys::letter_at_end(eye.rest).ok_or_else(|| eye.unreadable())
}

/// Entries that share one block row: 64 glances are a kilobyte, and one row for 64 entries costs the index little.
pub const BLOCK_ENTRIES: u64 = 64;

/// Glances at [`BLOCK_ENTRIES`] consecutive entries. Each entry has its own slot, so that writing twice writes once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowBlock(Vec<u8>);

/// A glance in a block: when, and what kinds.
const GLANCE_BYTES: usize = 16;

impl RowBlock {
    pub fn number_and_slot(position: Position) -> (u64, usize) {
        (position.0 / BLOCK_ENTRIES, (position.0 % BLOCK_ENTRIES) as usize)
    }

    pub fn position(number: u64, slot: usize) -> Position {
        Position(number * BLOCK_ENTRIES + slot as u64)
    }

    pub fn set(&mut self, slot: usize, glance: Glance) {
        let at = slot * GLANCE_BYTES;
        if self.0.len() < at + GLANCE_BYTES {
            self.0.resize(at + GLANCE_BYTES, 0);
        }
        self.0[at..at + 8].copy_from_slice(&glance.at.to_le_bytes());
        self.0[at + 8..at + GLANCE_BYTES].copy_from_slice(&glance.kinds.0.to_le_bytes());
    }

    /// Empty where the slot stands for no entry.
    pub fn glance(&self, slot: usize) -> Result<Glance, IndexError> {
        let at = slot * GLANCE_BYTES;
        let Some(bytes) = self.0.get(at..at + GLANCE_BYTES) else { return Ok(Glance::default()) };
        let mut eye = Eye::new(bytes, keys::BLOCK);
        Ok(Glance { at: eye.i64()?, kinds: Kinds(eye.u64()?) })
    }

    pub fn glances(&self) -> Result<Vec<Glance>, IndexError> {
        let mut eye = Eye::new(&self.0, keys::BLOCK);
        let mut glances = Vec::new();
        while !eye.is_done() {
            glances.push(Glance { at: eye.i64()?, kinds: Kinds(eye.u64()?) });
        }
        Ok(glances)
    }

    pub fn write(self) -> Value {
        self.0.into()
    }

    pub fn read(value: &[u8]) -> RowBlock {
        RowBlock(value.to_vec())
    }
}

/// What rows mean has changed when this has: an index of another form is rebuilt.
pub const FORM: u64 = 4;

/// How far the index got, and of which journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    pub applied_through: Position,
    pub form: u64,
    /// Which journal these rows come from.
    pub journal: [u8; 32],
}

impl Meta {
    pub fn write(&self) -> Value {
        Pen::at(self.applied_through).u64(self.form).bytes(&self.journal).done()
    }

    pub fn read(value: &[u8]) -> Result<Meta, IndexError> {
        let mut eye = Eye::new(value, keys::META);
        Ok(Meta { applied_through: eye.position()?, form: eye.u64()?, journal: eye.array()? })
    }
}
