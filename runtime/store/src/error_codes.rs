//! Which code each error of the store has. A case that wraps another error has that one's.

use handoff_engine::error_code::{Coded, ErrorCode};

use crate::index::{IndexError, SledTrouble, Unusable};
use crate::journal::{
    AppendError, BatchError, CheckError, CopyError, Damage, DamageKind, EncodeError, OpenError, Poison, PurgeError,
    ReadError, VerifyError,
};
use crate::store::{ArchiveError, CommitError, StoreError, StorePurgeError};
use crate::view::ViewError;

impl Coded for Damage {
    fn code(&self) -> ErrorCode {
        match self.what {
            DamageKind::ForeignKey => ErrorCode::OTHER_PUBLIC_KEY,
            DamageKind::Frame(_)
            | DamageKind::Misplaced
            | DamageKind::Chain
            | DamageKind::Signature
            | DamageKind::Entry
            | DamageKind::Unsigned
            | DamageKind::Trailing
            | DamageKind::Missing
            | DamageKind::Link => ErrorCode::JOURNAL_DAMAGED,
        }
    }

    fn place(&self) -> Option<String> {
        let Damage { segment, entry, offset, what: _ } = self;
        Some(format!("segment {segment}, entry {entry}, offset {offset}"))
    }
}

impl Coded for Poison {
    fn code(&self) -> ErrorCode {
        ErrorCode::JOURNAL_STOPPED
    }
}

impl Coded for EncodeError {
    fn code(&self) -> ErrorCode {
        match self {
            EncodeError::TooLarge { .. } => ErrorCode::ENTRY_TOO_LARGE,
            EncodeError::Json(_) => ErrorCode::ENTRY_UNWRITABLE,
        }
    }
}

impl Coded for AppendError {
    fn code(&self) -> ErrorCode {
        match self {
            AppendError::Poisoned(poison) => poison.code(),
            AppendError::BatchTooLarge { .. } => ErrorCode::ENTRY_TOO_LARGE,
        }
    }
}

impl Coded for BatchError {
    fn code(&self) -> ErrorCode {
        match self {
            BatchError::Encode(error) => error.code(),
            BatchError::Append(error) => error.code(),
        }
    }
}

impl Coded for OpenError {
    fn code(&self) -> ErrorCode {
        match self {
            OpenError::Io(_) => ErrorCode::JOURNAL_FILE,
            OpenError::Damage(damage) => damage.code(),
            OpenError::WrongKey { .. } => ErrorCode::OTHER_SIGNING_KEY,
            OpenError::Poisoned(poison) => poison.code(),
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            OpenError::Damage(damage) => damage.place(),
            OpenError::WrongKey { .. } => Some("keys: signing:".into()),
            OpenError::Io(_) | OpenError::Poisoned(_) => None,
        }
    }
}

impl Coded for ReadError {
    fn code(&self) -> ErrorCode {
        match self {
            ReadError::NotYet(_) => ErrorCode::NO_SUCH_ENTRY,
            ReadError::Io(_) => ErrorCode::JOURNAL_FILE,
            ReadError::Damage(damage) => damage.code(),
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            ReadError::Damage(damage) => damage.place(),
            ReadError::NotYet(_) | ReadError::Io(_) => None,
        }
    }
}

impl Coded for CheckError {
    fn code(&self) -> ErrorCode {
        match self {
            CheckError::Io(_) => ErrorCode::JOURNAL_FILE,
            CheckError::Damage(damage) => damage.code(),
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            CheckError::Damage(damage) => damage.place(),
            CheckError::Io(_) => None,
        }
    }
}

impl Coded for VerifyError {
    fn code(&self) -> ErrorCode {
        match self {
            VerifyError::Io(_) => ErrorCode::JOURNAL_FILE,
            VerifyError::Damage(damage) => damage.code(),
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            VerifyError::Damage(damage) => damage.place(),
            VerifyError::Io(_) => None,
        }
    }
}

impl Coded for PurgeError {
    fn code(&self) -> ErrorCode {
        match self {
            PurgeError::NotClosed(_) => ErrorCode::SEGMENT_BUSY,
            PurgeError::Io(_) => ErrorCode::JOURNAL_FILE,
            PurgeError::Damage(damage) => damage.code(),
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            PurgeError::Damage(damage) => damage.place(),
            PurgeError::NotClosed(_) | PurgeError::Io(_) => None,
        }
    }
}

impl Coded for CopyError {
    fn code(&self) -> ErrorCode {
        match self {
            CopyError::Io(_) => ErrorCode::JOURNAL_FILE,
            CopyError::NotEmpty => ErrorCode::FOLDER_NOT_EMPTY,
            CopyError::Moved(_) => ErrorCode::SEGMENT_BUSY,
        }
    }
}

impl Coded for IndexError {
    fn code(&self) -> ErrorCode {
        match self {
            IndexError::Row { .. } | IndexError::Sled(_) | IndexError::Failed | IndexError::Astray { .. } => {
                ErrorCode::INDEX_UNUSABLE
            }
            IndexError::Journal(_, error) => error.code(),
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            IndexError::Journal(_, error) => error.place(),
            IndexError::Row { .. } | IndexError::Sled(_) | IndexError::Failed | IndexError::Astray { .. } => None,
        }
    }
}

impl Coded for Unusable {
    fn code(&self) -> ErrorCode {
        match self {
            Unusable::OtherJournal | Unusable::OtherForm | Unusable::Ahead(_) => ErrorCode::INDEX_UNUSABLE,
            Unusable::Unreadable(error) => error.code(),
        }
    }
}

impl Coded for SledTrouble {
    fn code(&self) -> ErrorCode {
        match self {
            SledTrouble::Open(_) | SledTrouble::Panicked | SledTrouble::Sync(_) => ErrorCode::INDEX_UNUSABLE,
        }
    }
}

impl Coded for ViewError {
    fn code(&self) -> ErrorCode {
        match self {
            ViewError::NoJournal(..) => ErrorCode::NO_JOURNAL,
            ViewError::Open(error) => error.code(),
            ViewError::Read(error) => error.code(),
            ViewError::Index(error) => error.code(),
            ViewError::Unusable(error) => error.code(),
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            ViewError::NoJournal(folder, _) => Some(folder.display().to_string()),
            ViewError::Open(error) => error.place(),
            ViewError::Read(error) => error.place(),
            ViewError::Index(error) => error.place(),
            ViewError::Unusable(error) => error.place(),
        }
    }
}

impl Coded for StoreError {
    fn code(&self) -> ErrorCode {
        match self {
            StoreError::Folder(..) => ErrorCode::JOURNAL_FILE,
            StoreError::InUse(_) => ErrorCode::IN_USE,
            StoreError::Journal(error) => error.code(),
            StoreError::Read(error) => error.code(),
            StoreError::Index(..) => ErrorCode::INDEX_UNUSABLE,
            StoreError::Apply(error) => error.code(),
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            StoreError::Folder(folder, _) | StoreError::InUse(folder) | StoreError::Index(folder, _) => {
                Some(folder.display().to_string())
            }
            StoreError::Journal(error) => error.place(),
            StoreError::Read(error) => error.place(),
            StoreError::Apply(error) => error.place(),
        }
    }
}

impl Coded for CommitError {
    fn code(&self) -> ErrorCode {
        match self {
            CommitError::TooLarge { .. } | CommitError::BatchTooLarge { .. } => ErrorCode::ENTRY_TOO_LARGE,
            CommitError::NotJson => ErrorCode::ENTRY_UNWRITABLE,
            CommitError::Poisoned(poison) => poison.code(),
            CommitError::IndexFailed => ErrorCode::INDEX_UNUSABLE,
            CommitError::Closed => ErrorCode::STORE_CLOSED,
        }
    }
}

impl Coded for StorePurgeError {
    fn code(&self) -> ErrorCode {
        match self {
            StorePurgeError::Read(error) => error.code(),
            StorePurgeError::Index(error) => error.code(),
            StorePurgeError::Carry(error) => error.code(),
            StorePurgeError::Purge(error) => error.code(),
            StorePurgeError::Folder(_) => ErrorCode::JOURNAL_FILE,
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            StorePurgeError::Read(error) => error.place(),
            StorePurgeError::Index(error) => error.place(),
            StorePurgeError::Purge(error) => error.place(),
            StorePurgeError::Carry(_) | StorePurgeError::Folder(_) => None,
        }
    }
}

impl Coded for ArchiveError {
    fn code(&self) -> ErrorCode {
        match self {
            ArchiveError::Folder(_) => ErrorCode::FILE,
            ArchiveError::Copy(error) => error.code(),
            ArchiveError::Unsound(error) => error.code(),
            ArchiveError::Occupied => ErrorCode::FOLDER_NOT_EMPTY,
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            ArchiveError::Unsound(error) => error.place(),
            ArchiveError::Folder(_) | ArchiveError::Copy(_) | ArchiveError::Occupied => None,
        }
    }
}
