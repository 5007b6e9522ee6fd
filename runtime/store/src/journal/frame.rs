//! The journal's unit on disk: a length, a checksum, a kind and a payload. See `FORMAT.md`.

use sha2::{Digest as _, Sha256};

/// Length (4), CRC-32C (4), kind (1), zeros (3).
pub const HEADER_BYTES: usize = 12;

/// The largest entry, as JSON. A delivery may carry a scanned note of some MiB, in base64 and sealed; beyond this the
/// listener refuses it. Also what a reader must be ready to hold in memory.
pub const PAYLOAD_MAX_BYTES: usize = 16 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    /// Opens a segment.
    Header = 1,
    Entry = 2,
    /// Closes a batch: what stands before it is signed.
    Signature = 3,
    /// A new key takes over, vouched for by the old one.
    Rotation = 4,
    /// Closes a segment.
    Footer = 5,
}

impl FrameKind {
    fn of(byte: u8) -> Option<FrameKind> {
        match byte {
            1 => Some(FrameKind::Header),
            2 => Some(FrameKind::Entry),
            3 => Some(FrameKind::Signature),
            4 => Some(FrameKind::Rotation),
            5 => Some(FrameKind::Footer),
            _ => None,
        }
    }
}

/// SHA-256 of a whole frame.
pub type FrameDigest = [u8; 32];

/// A frame ready to be written, with its digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    bytes: Vec<u8>,
    pub digest: FrameDigest,
}

impl Frame {
    /// `None` when the payload is larger than [`PAYLOAD_MAX_BYTES`].
    pub fn new(kind: FrameKind, payload: &[u8]) -> Option<Frame> {
        let mut bytes = Frame::room(payload.len());
        bytes.extend_from_slice(payload);
        Frame::seal(kind, bytes)
    }

    /// A buffer with room for the frame's header and a payload of that size; the payload is to be appended, then
    /// [`Frame::seal`] called.
    pub fn room(payload: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + payload);
        bytes.resize(HEADER_BYTES, 0);
        bytes
    }

    pub fn seal(kind: FrameKind, mut bytes: Vec<u8>) -> Option<Frame> {
        let payload = bytes.len().checked_sub(HEADER_BYTES).filter(|length| *length <= PAYLOAD_MAX_BYTES)?;
        let length = u32::try_from(payload).ok()?.to_le_bytes();
        bytes[0..4].copy_from_slice(&length);
        bytes[8] = kind as u8;
        let sum = checksum(&bytes).to_le_bytes();
        bytes[4..8].copy_from_slice(&sum);
        let digest = Sha256::digest(&bytes).into();
        Some(Frame { bytes, digest })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// CRC-32C over the frame without the checksum itself.
fn checksum(frame: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&frame[0..4]), &frame[8..])
}

/// A frame as it stands in a buffer.
#[derive(Clone, Copy, Debug)]
pub struct SeenFrame<'a> {
    pub kind: FrameKind,
    pub bytes: &'a [u8],
}

impl<'a> SeenFrame<'a> {
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[HEADER_BYTES..]
    }

    pub fn digest(&self) -> FrameDigest {
        Sha256::digest(self.bytes).into()
    }
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAFrame {
    /// More bytes would be needed to tell: this many in all.
    #[error("the frame needs {0} bytes")]
    Short(usize),
    #[error("zeros where a frame should begin")]
    Nothing,
    #[error("its length is beyond the limit")]
    TooLong,
    #[error("its checksum does not match")]
    Checksum,
    #[error("its kind is unknown")]
    Kind,
}

/// The total length that a frame's header names, if it can be one.
pub fn length_named(header: &[u8; HEADER_BYTES]) -> Result<usize, NotAFrame> {
    if header.iter().all(|byte| *byte == 0) {
        return Err(NotAFrame::Nothing);
    }
    let length = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
    if length > PAYLOAD_MAX_BYTES {
        return Err(NotAFrame::TooLong);
    }
    Ok(HEADER_BYTES + length)
}

/// The kind and length of the frame that begins the bytes. Never panics, whatever they are.
pub fn inspect(bytes: &[u8]) -> Result<(FrameKind, usize), NotAFrame> {
    let header = bytes.first_chunk::<HEADER_BYTES>().ok_or(NotAFrame::Short(HEADER_BYTES))?;
    let total = length_named(header)?;
    let frame = bytes.get(..total).ok_or(NotAFrame::Short(total))?;
    let sum = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    if checksum(frame) != sum {
        return Err(NotAFrame::Checksum);
    }
    let kind = FrameKind::of(header[8]).filter(|_| header[9..] == [0, 0, 0]).ok_or(NotAFrame::Kind)?;
    Ok((kind, total))
}

/// Reads the frame that begins the bytes.
pub fn decode(bytes: &[u8]) -> Result<SeenFrame<'_>, NotAFrame> {
    let (kind, length) = inspect(bytes)?;
    Ok(SeenFrame { kind, bytes: &bytes[..length] })
}
