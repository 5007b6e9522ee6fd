//! Which code each error of the operations has. A case that wraps another error has that one's.

use handoff_engine::error_code::{Coded, ErrorCode};

use crate::referrals::PhiAccessError;
use crate::reports::cms50::{NotABundle, PeriodError};

impl Coded for PhiAccessError {
    fn code(&self) -> ErrorCode {
        match self {
            PhiAccessError::NoSuchReferral => ErrorCode::NO_SUCH_REFERRAL,
            PhiAccessError::Reason => ErrorCode::ACCESS_REASON,
            PhiAccessError::Index(error) => error.code(),
            PhiAccessError::Read(error) => error.code(),
            PhiAccessError::Commit(error) => error.code(),
        }
    }
}

impl Coded for PeriodError {
    fn code(&self) -> ErrorCode {
        ErrorCode::MEASUREMENT_PERIOD
    }
}

impl Coded for NotABundle {
    fn code(&self) -> ErrorCode {
        match self {
            NotABundle::Json { .. } | NotABundle::OtherContent => ErrorCode::NOT_A_BUNDLE,
            NotABundle::Patients(_) => ErrorCode::SEVERAL_PATIENTS,
        }
    }
}
