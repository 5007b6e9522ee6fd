//! Rounds through the closed segments, beside the writer: a disk may rot where nobody reads for years.

use crate::journal::check::{Segment, Signatures, check_segment};
use crate::journal::damage::Damage;
use crate::journal::open::whole;
use crate::journal::reader::{JournalReader, ReadError};

impl JournalReader {
    /// The numbers of the segments that are closed, oldest first.
    pub fn closed(&self) -> Vec<u64> {
        self.places().iter().filter(|place| place.closed).map(|place| place.number).collect()
    }

    /// Checks every byte of a closed segment and returns how many there are. How segments follow each other was checked
    /// when the journal was opened. Whoever reads from the segment later need not look for its entries any more.
    ///
    /// # Errors
    /// The first damage, which [`Reader::damaged`] names from now on, until the segment is found whole again.
    pub fn check(&self, number: u64) -> Result<u64, ReadError> {
        // What retention purges meanwhile is half the one and half the other: it is whole when looked at again.
        let checked = self.check_once(number).or_else(|_| self.check_once(number));
        match checked {
            Ok(segment) => {
                self.note(number, |place| {
                    place.damage = None;
                    if !place.purged {
                        place.offsets = segment.offsets;
                    }
                });
                Ok(segment.bytes)
            }
            Err(ReadError::Damage(damage)) => {
                self.note(number, |place| place.damage = Some(damage.clone()));
                Err(damage.into())
            }
            Err(error @ (ReadError::Io(_) | ReadError::NotYet(_))) => Err(error),
        }
    }

    /// The first damage of each segment that was found damaged.
    pub fn damaged(&self) -> Vec<Damage> {
        self.places().into_iter().filter_map(|place| place.damage).collect()
    }

    fn check_once(&self, number: u64) -> Result<Segment, ReadError> {
        Ok(whole(check_segment(self.disk().as_ref(), number, Signatures::Last)?, number)?)
    }
}
