//! What the journal remembers: one entry is one transaction, whole or not there at all.
//!
//! Records are tokenised; patient data rides along sealed. The index is a function of these records and of nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use handoff_engine::event::{Event, LetterStatus};
use handoff_engine::ids::{BlindedName, Digest, LetterId, PatientId, ReferralId, StageKey, Token, VendorMessageId};
use handoff_engine::letter::Letter;
use handoff_engine::referral::{Channel, Referral};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::Json;
use crate::position::Position;

/// One transaction. One without records only holds what the next one seals and has no room for: see [`Sealed::pieces`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub at: DateTime<Utc>,
    pub records: Vec<Record>,
    /// Patient data first seen in this transaction, sealed under its patient's key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sealed: Vec<Sealed>,
}

/// One piece of patient data, readable only by the vault.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    pub token: Token,
    pub patient: PatientId,
    /// Nonce and ciphertext; base64 in the journal.
    #[serde(with = "crate::base64_bytes")]
    pub bytes: Vec<u8>,
    /// Of a value that is too long for one entry, as a scanned note: its pieces in their order, each sealed by itself in an
    /// entry before. Its own bytes then hold nothing but the seal on that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<Token>,
}

impl Sealed {
    /// The longest piece that a value is cut into, and what one entry holds of sealed bytes: in base64 far below
    /// [`PAYLOAD_MAX_BYTES`](crate::journal::PAYLOAD_MAX_BYTES), and read back in some milliseconds.
    pub const BYTES_PER_ENTRY: usize = 4 << 20;

    /// Shares values out over as many entries as they need, at least one. The first has the shortest ones.
    pub fn by_entry(mut sealed: Vec<Sealed>) -> Vec<Vec<Sealed>> {
        if sealed.iter().map(|it| it.bytes.len()).sum::<usize>() <= Sealed::BYTES_PER_ENTRY {
            return vec![sealed];
        }
        sealed.sort_by_key(|it| it.bytes.len());
        let (mut shares, mut room) = (vec![Vec::new()], Sealed::BYTES_PER_ENTRY);
        for value in sealed {
            let bytes = value.bytes.len();
            match shares.last_mut() {
                Some(share) if bytes <= room || share.is_empty() => share.push(value),
                Some(_) | None => {
                    shares.push(vec![value]);
                    room = Sealed::BYTES_PER_ENTRY;
                }
            }
            room = room.saturating_sub(bytes);
        }
        shares
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({})", self.token)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
pub enum Record {
    /// Bytes came in and were understood, or not. They ride sealed as `bytes`.
    Delivery {
        digest: Digest,
        source: String,
        /// The trigger's word for it: `REF^I12`.
        kind: String,
        /// Blinded; a second delivery with this key is answered like the first.
        dedupe_key: BlindedName,
        verdict: DeliveryVerdict,
        bytes: Option<Token>,
        /// The acknowledgement, for a delivery that comes again, sealed.
        answer: Option<Token>,
        /// Transport and, sealed, the headers without credentials: what a replay of the trigger needs besides the bytes.
        envelope: Value,
        /// For one that means no referral: the names under which one may come that it means.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        waits_for: Vec<BlindedName>,
    },
    /// What happened to a referral.
    Happened {
        referral: ReferralId,
        event: Event,
    },
    /// What the engine made of it: the referral after the step.
    Stepped {
        /// Many ask for it, and none changes it.
        referral: Arc<Referral>,
        because: String,
    },
    /// An event that the referral's state does not take. Kept for the timeline; changes nothing.
    Ignored {
        referral: ReferralId,
        because: String,
    },
    /// A plugin was asked; the call can be repeated from this record.
    Decided {
        referral: Option<ReferralId>,
        stage: StageKey,
        plugin: Digest,
        /// The call as the host takes it. Tokens stand for what a parser saw in clear. What stands in the same entry is left
        /// out: a delivery's headers and bytes, which lie sealed beside it, and a response that is null for the one in the
        /// `Answered` before.
        call: Json,
        /// SHA-256 of the answer's canonical JSON.
        answer: Digest,
    },
    /// A letter is owed. `doubt` is the entry of an earlier ask that may have been acted upon: a dead letter taken up again
    /// asks its vendor first.
    Queued {
        letter: Letter,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        doubt: Option<Position>,
    },
    /// A letter was taken up: this request leaves the house after this entry is durable. A `lookup` only asks whether an
    /// earlier request was acted upon, and puts nothing in doubt.
    Asked {
        letter: LetterId,
        attempt: u32,
        stage: StageKey,
        plugin: Digest,
        endpoint: String,
        /// The business associate agreement's reference, under which patient data may be in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agreement: Option<String>,
        ask: Json,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lookup: bool,
    },
    /// What came back, as the plugin saw it; in the entry of what the plugin made of it.
    Answered {
        letter: LetterId,
        response: Json,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lookup: bool,
    },
    /// Not now: due again later. Also when the gate holds it back; `why` then names the rule. While it is `in_doubt`
    /// whether the last ask was acted upon, the next attempt asks the vendor first.
    Deferred {
        letter: LetterId,
        due: DateTime<Utc>,
        attempts: u32,
        why: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        in_doubt: bool,
    },
    /// The receipt is in; the letter leaves the outbox.
    Received {
        letter: LetterId,
        outcome: String,
        vendor_id: Option<VendorMessageId>,
    },
    /// A vendor told what became of a message before it had answered the request for it. Waits for the `Received` of that name.
    Reported {
        vendor_id: VendorMessageId,
        status: LetterStatus,
        /// What is to be done about it, where the sender is at fault.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cure: Option<String>,
    },
    /// The gate refused a letter for good, by this rule.
    Refused {
        letter: LetterId,
        rule: String,
    },
    /// Given up after its attempts, or called back; shown to a person when `dead`. `in_doubt` as in `Deferred`.
    Dropped {
        letter: LetterId,
        dead: bool,
        why: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        in_doubt: bool,
    },
    /// A dead letter or delivery was dealt with: replayed or dismissed, by whom and why.
    Settled {
        item: String,
        how: Settlement,
        who: String,
        why: String,
    },
    /// Names by which deliveries and callbacks find a referral, blinded by the vault: `number:…`, `appointment:…`,
    /// `patient:…`, `address:…`.
    Named {
        referral: ReferralId,
        names: Vec<BlindedName>,
    },
    /// A workflow with its plugins and grants took effect for new referrals, and for those in flight that it moves. A canary
    /// did so for some of the new referrals only, beside the one in force, until the next of these records.
    Deployed {
        deployment: Digest,
        workflow: String,
        plugins: BTreeMap<StageKey, Digest>,
        who: String,
        why: String,
        #[serde(default, skip_serializing_if = "Origin::is_configured")]
        origin: Origin,
        /// The deployment whose referrals come back with it, where it takes back what a later one took over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        returning: Option<Digest>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        canary: Option<Canary>,
        /// When it took effect, in a record that outlived its segment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<DateTime<Utc>>,
    },
    /// A patient consented or withdrew, by address: opt-out, opt-in. Survives the referral.
    Consented {
        address: BlindedName,
        channel: Channel,
        granted: bool,
        why: String,
    },
    /// Somebody looked at patient data; `referrals` names whose, where that is known.
    Looked {
        who: String,
        /// In which role, where the house knows its people by one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<String>,
        what: String,
        why: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        referrals: Vec<ReferralId>,
    },
    /// A person's account was made, changed or taken away.
    Account {
        person: String,
        change: AccountChange,
        role: String,
        who: String,
        why: String,
        /// Whether it takes a code to sign in from here on.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        second_factor: bool,
    },
    /// A person signed in, from this address.
    SignedIn {
        person: String,
        from: String,
        /// With a code as well, or with what the directory counts as one.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        second_factor: bool,
    },
    SignedOut {
        person: String,
    },
    /// Somebody did not get in. A name that no account has is not written down: people type passwords there.
    SignInRefused {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<String>,
        because: SignInFault,
        from: String,
    },
    /// So many attempts failed that the account takes none until then.
    LockedOut {
        person: String,
        until: DateTime<Utc>,
    },
    /// A physician opened a referral that is not theirs, for an emergency, until then.
    BrokeGlass {
        referral: ReferralId,
        who: String,
        until: DateTime<Utc>,
        why: String,
    },
    /// A patient's data key took a slot of the key ring.
    Keyed {
        patient: PatientId,
        slot: u64,
    },
    /// A referral is under legal hold from here on: retention passes over every segment that it is in.
    Held {
        referral: ReferralId,
        who: String,
        why: String,
    },
    /// The hold has ended.
    Released {
        referral: ReferralId,
        who: String,
        why: String,
    },
    /// From here on less leaves, for this cause. One of a cause stands until it is resumed.
    Paused {
        cause: PauseCause,
        scope: PauseScope,
        who: String,
        why: String,
    },
    /// This cause holds nothing back any more.
    Resumed {
        cause: PauseCause,
        who: String,
        why: String,
    },
    /// Retention took entries older than `before` out of the journal; the segments' seals remain.
    Purged {
        before: DateTime<Utc>,
        segments: Vec<u64>,
        entries: u64,
        who: String,
        why: String,
    },
    /// Another key is in force. The journal itself has the signing keys; the master key is never written down.
    Rotated {
        key: InstanceKey,
        who: String,
        why: String,
    },
    /// Everything through this entry was copied to a backup.
    BackedUp {
        through: Position,
        who: String,
        why: String,
    },
}

impl Record {
    /// As it is written down once more when its segment goes.
    pub(crate) fn carried_from(mut self, at: DateTime<Utc>) -> Record {
        if let Record::Deployed { since, .. } = &mut self {
            since.get_or_insert(at);
        }
        self
    }
}

/// Why less leaves than is due.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum PauseCause {
    /// A person said so.
    Operator,
    /// Nobody has said yet that patients may be written to.
    NotLive,
    /// The instance was restored from a backup: what was sent since then is not in its journal.
    Restored,
    /// More messages left within an hour than is usual.
    Volume,
}

/// What a pause holds back.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum PauseScope {
    /// Messages to patients. The chart is read and written, and tasks reach people.
    Outreach,
    /// Every letter and every timer. What comes in is taken.
    All,
}

/// How a deployment is tried on a few before it is put in force. Both in percent, from 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// Of the new referrals, those that begin with it.
    pub share: u8,
    /// Once so many of them have failed, the house takes it back by itself.
    pub back_at: u8,
}

/// Where a deployment came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The file that the configuration names: as long as it is in force, that file's changes may follow it.
    #[default]
    Configured,
    /// Another file, by an operator.
    Applied,
    /// An earlier deployment, again.
    RolledBack,
}

impl Origin {
    fn is_configured(&self) -> bool {
        *self == Origin::Configured
    }
}

/// What was done with a dead letter or delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Settlement {
    /// Taken up again.
    Replayed,
    /// Laid aside.
    Dismissed,
    /// What it waited for came.
    Matched,
    /// A person said which referral it means.
    Assigned,
}

/// The keys that an instance has one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceKey {
    /// Signs the journal.
    Signing,
    /// Opens the key ring.
    Master,
}

/// What was done with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountChange {
    Added,
    /// It has another password, or another second factor.
    Reset,
    /// Its own person chose another password.
    PasswordChosen,
    Locked,
    Unlocked,
    Removed,
}

/// Why somebody did not get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInFault {
    UnknownName,
    WrongPassword,
    WrongCode,
    /// The password was right, and no code came with it.
    NoCode,
    /// Their role takes two factors, and they have one.
    OneFactor,
    /// Neither password nor code was looked at.
    Locked,
    /// What the practice's directory sent does not hold.
    Untrusted,
    /// The practice's directory knows them, and they have no role here.
    NoRole,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum DeliveryVerdict {
    Accepted {
        referrals: Vec<ReferralId>,
    },
    NotForUs {
        why: String,
    },
    /// In the dead-letter list until a person settles it.
    Dead {
        location: String,
        message: String,
        help: String,
    },
    /// Readable, and no referral of ours is surely meant. Kept until one comes that is, or a person assigns or dismisses it.
    Unmatched {
        why: String,
        /// Those that may be meant.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        candidates: Vec<ReferralId>,
        /// Those on which a part of it was.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        applied: Vec<ReferralId>,
    },
}
