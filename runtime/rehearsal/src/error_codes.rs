//! Which code each error of a rehearsal has. A case that wraps another error has that one's.

use handoff_engine::error_code::{Coded, ErrorCode};

use crate::practice_file::PracticeFileError;
use crate::script::Unrehearsable;

impl Coded for PracticeFileError {
    fn code(&self) -> ErrorCode {
        match self {
            PracticeFileError::Unreadable { .. } => ErrorCode::PRACTICE_UNREADABLE,
            PracticeFileError::Faulty(problem) => problem.code(),
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            PracticeFileError::Unreadable { path, .. } => Some(path.display().to_string()),
            PracticeFileError::Faulty(problem) => problem.place(),
        }
    }
}

impl Coded for Unrehearsable {
    fn code(&self) -> ErrorCode {
        match self {
            Unrehearsable::Workflow(error) => error.code(),
            Unrehearsable::NoSuchNeighbour { .. } | Unrehearsable::TwoNeighbours { .. } => {
                ErrorCode::UNREHEARSABLE_ENDPOINT
            }
            Unrehearsable::NoTrigger => ErrorCode::NO_HL7_TRIGGER,
            Unrehearsable::NoSettingsFile { .. } => ErrorCode::NO_SETTINGS_FILE,
        }
    }

    fn place(&self) -> Option<String> {
        match self {
            Unrehearsable::Workflow(error) => error.place(),
            Unrehearsable::NoSuchNeighbour { stage, .. }
            | Unrehearsable::TwoNeighbours { stage, .. }
            | Unrehearsable::NoSettingsFile { stage } => Some(format!("stage {stage}")),
            Unrehearsable::NoTrigger => Some("stages: trigger:".into()),
        }
    }
}
