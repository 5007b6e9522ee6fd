//! The MLLP frame (HL7 v2 Transport Specification: MLLP, Release 1): 0x0B, the message, 0x1C 0x0D. No sockets here.
//!
//! The frame is read strictly, its content not at all: byte order marks, line feeds and odd encodings are the
//! interpreter's business. What stands between frames is passed over, as the specification has it ("the receiver looks for the
//! start block"): interface engines leave NULs, byte order marks and whole log lines there.

#![forbid(unsafe_code)]

const START: u8 = 0x0B;
const END: u8 = 0x1C;
const RETURN: u8 = 0x0D;
const FEED: u8 = 0x0A;

/// Bytes between two frames. A sender that writes more is not speaking MLLP, and would be read for ever.
const BETWEEN_BYTES_MAX: usize = 4 << 10;

/// Puts a message into its frame.
pub fn frame(message: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(message.len() + 3);
    framed.push(START);
    framed.extend_from_slice(message);
    framed.extend_from_slice(&[END, RETURN]);
    framed
}

/// What is kept of a message that is too long: enough for its header, so that whoever sent it can be told.
const BEGINNING_BYTES: usize = 64 << 10;

/// A message that is so many times too long has no end.
const TOO_LONG_TIMES_MAX: u64 = 16;

/// What stood in a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framed {
    Message(Vec<u8>),
    /// Its beginning, and how many bytes it had. The rest was passed over, and the connection is in step.
    TooLong {
        beginning: Vec<u8>,
        bytes: u64,
    },
}

/// Takes messages out of their frames, however the bytes happen to arrive.
#[derive(Debug)]
pub struct Deframer {
    bytes: Vec<u8>,
    /// Bytes of `bytes` already looked at and found to be content.
    seen: usize,
    inside: bool,
    /// Bytes passed over since the last frame.
    between: usize,
    /// All of them that say something.
    stray: u64,
    /// Bytes of the message under way that were passed over.
    dropped: u64,
    message_bytes_max: usize,
}

/// After any of these the connection cannot be trusted to be in step and is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("{0} bytes without a 0x0B that starts a message")]
    Outside(usize),
    #[error("a message started inside another one")]
    Nested,
    #[error("0x1C was not followed by 0x0D, 0x0A or the next message")]
    Unended,
    #[error("a message goes on after {0} bytes")]
    Endless(u64),
}

impl Deframer {
    pub fn new(message_bytes_max: usize) -> Deframer {
        Deframer { bytes: Vec::new(), seen: 0, inside: false, between: 0, stray: 0, dropped: 0, message_bytes_max }
    }

    /// Takes in what arrived. Call [`Deframer::message`] until it has no more before feeding again.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// True while a message has begun and not ended.
    pub fn is_inside(&self) -> bool {
        self.inside
    }

    /// How many bytes of a message are here that has not ended.
    pub fn half_bytes(&self) -> usize {
        if self.inside { self.bytes.len() } else { 0 }
    }

    /// How many bytes stood outside of frames, without NULs, blanks, line ends and byte order marks. A sender that loses its frames
    /// loses its messages.
    pub fn stray_bytes(&self) -> u64 {
        self.stray
    }

    /// What stands in the next frame, if all of it has arrived.
    ///
    /// # Errors
    /// When the bytes are not framed messages. Every later call gives an error too.
    pub fn message(&mut self) -> Result<Option<Framed>, FrameError> {
        if !self.inside && !self.start()? {
            return Ok(None);
        }
        let found = self.bytes[self.seen..].iter().position(|&byte| byte == END || byte == START);
        let Some(at) = found.map(|offset| self.seen + offset) else {
            self.seen = self.bytes.len();
            return self.pass_over(self.seen).map(|()| None);
        };
        self.seen = at;
        if self.bytes[at] == START {
            return Err(FrameError::Nested);
        }
        match self.bytes.get(at + 1) {
            None => Ok(None),
            Some(&after @ (RETURN | FEED | START)) => {
                // A sender that forgets the 0x0D goes on with the next message, or writes a line feed in its place.
                let end = if after == START { at + 1 } else { at + 2 };
                let rest = self.bytes.split_off(end);
                let mut message = std::mem::replace(&mut self.bytes, rest);
                message.truncate(at);
                self.inside = false;
                self.seen = 0;
                let bytes = std::mem::take(&mut self.dropped) + at as u64;
                if bytes <= self.message_bytes_max as u64 {
                    return Ok(Some(Framed::Message(message)));
                }
                message.truncate(BEGINNING_BYTES);
                Ok(Some(Framed::TooLong { beginning: message, bytes }))
            }
            Some(_) => Err(FrameError::Unended),
        }
    }

    /// Finds the start of a message.
    fn start(&mut self) -> Result<bool, FrameError> {
        let found = self.bytes.iter().position(|&byte| byte == START);
        let between = found.unwrap_or(self.bytes.len());
        let is_said = |byte: &&u8| !matches!(**byte, 0 | b' ' | RETURN | FEED | 0xEF | 0xBB | 0xBF);
        self.stray += self.bytes[..between].iter().filter(is_said).count() as u64;
        self.between += between;
        if self.between > BETWEEN_BYTES_MAX {
            return Err(FrameError::Outside(self.between));
        }
        match found {
            Some(at) => {
                self.bytes.drain(..=at);
                self.between = 0;
                self.inside = true;
            }
            None => self.bytes.clear(),
        }
        Ok(found.is_some())
    }

    /// Of a message that is too long already, only the beginning is kept.
    fn pass_over(&mut self, length: usize) -> Result<(), FrameError> {
        if length <= self.message_bytes_max && self.dropped == 0 {
            return Ok(());
        }
        let kept = length.min(BEGINNING_BYTES);
        self.dropped += (length - kept) as u64;
        self.bytes.truncate(kept);
        self.seen = kept;
        let endless = self.dropped > TOO_LONG_TIMES_MAX * self.message_bytes_max as u64;
        if endless { Err(FrameError::Endless(self.dropped)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds `chunks` one by one and collects every message.
    fn read<'a>(max: usize, chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Framed>, FrameError> {
        let mut deframer = Deframer::new(max);
        let mut messages = Vec::new();
        for chunk in chunks {
            deframer.feed(chunk);
            while let Some(message) = deframer.message()? {
                messages.push(message);
            }
        }
        Ok(messages)
    }

    fn whole(messages: &[&[u8]]) -> Vec<Framed> {
        messages.iter().map(|message| Framed::Message(message.to_vec())).collect()
    }

    #[test]
    fn a_message_that_is_too_long_is_passed_over_and_the_next_one_is_heard() {
        let long = [b"MSH|".as_slice(), &vec![b'x'; 3 * BEGINNING_BYTES], b"\r"].concat();
        let bytes = [frame(b"MSH|1\r"), frame(&long), frame(b"MSH|2\r")].concat();
        for size in [1_000, BEGINNING_BYTES + 1, bytes.len()] {
            let read = read(BEGINNING_BYTES, bytes.chunks(size)).expect("in step");
            let [Framed::Message(one), Framed::TooLong { beginning, bytes }, Framed::Message(two)] = &read[..] else {
                panic!("three frames")
            };
            assert_eq!((one.as_slice(), two.as_slice()), (&b"MSH|1\r"[..], &b"MSH|2\r"[..]));
            assert_eq!((beginning.as_slice(), *bytes), (&long[..BEGINNING_BYTES], long.len() as u64));
        }
        let endless = vec![b'x'; 1_000];
        let mut deframer = Deframer::new(10);
        deframer.feed(b"\x0B");
        let ended = (0..1_000).find_map(|_| {
            deframer.feed(&endless);
            deframer.message().err()
        });
        assert!(matches!(ended, Some(FrameError::Endless(_))));
        assert!(
            deframer.half_bytes() <= BEGINNING_BYTES + endless.len(),
            "and takes no more memory than its beginning"
        );
    }

    #[test]
    fn frames_are_strict_and_content_is_free() {
        let two = Ok(whole(&[b"MSH|1\r", b"MSH|2\r"]));
        for (bytes, expected) in [
            (&b""[..], Ok(vec![])),
            (b"\x0BMSH|1\r\x1C\r\x0BMSH|2\r\x1C\r", two.clone()),
            (b"\r\n\x0BMSH|1\r\x1C\r\n\r\n\x0BMSH|2\r\x1C\r\n", two.clone()),
            (b"\x0B\xEF\xBB\xBFMSH|\xE9\n\x1C\r", Ok(whole(&[b"\xEF\xBB\xBFMSH|\xE9\n"]))),
            (b"\x0B\x1C\r", Ok(whole(&[b""]))),
            (b"\x0BMSH|1\r\x1C", Ok(vec![])),
            // Seen in the field, between frames and before the first one.
            (b"\x00\x00 \x0BMSH|1\r\x1C\r\x00\x0BMSH|2\r\x1C\r\x00", two.clone()),
            (b"\xEF\xBB\xBF\x0BMSH|1\r\x1C\r\x0BMSH|2\r\x1C\r", two.clone()),
            (b"2026-11-25 09:00 INFO sending 1\n\x0BMSH|1\r\x1C\r\x0BMSH|2\r\x1C\r", two.clone()),
            (b"\x0BMSH|1\r\x1C\n\x0BMSH|2\r\x1C\n", two.clone()),
            (b"\x0BMSH|1\r\x1C\x0BMSH|2\r\x1C\r", two),
            // Nothing else is: what stands in the data and what follows it stays exact.
            (b"MSH|1\r\x1C\r", Ok(vec![])),
            (b"\x0BMSH|1\r\x1CMSH|2\r\x1C\r", Err(FrameError::Unended)),
            (b"\x0BMSH|1\r\x0BMSH|2\r\x1C\r", Err(FrameError::Nested)),
            (b"\x0B1234567890\x1C\r", Ok(whole(&[b"1234567890"]))),
            (b"\x0B12345678901\x1C\r", Ok(vec![Framed::TooLong { beginning: b"12345678901".to_vec(), bytes: 11 }])),
            (b"\x0B12345678901", Ok(vec![])),
        ] {
            assert_eq!(read(10, [bytes]), expected, "{:?}", bytes.escape_ascii().to_string());
        }
    }

    #[test]
    fn a_sender_that_writes_no_frames_is_not_read_for_ever() {
        let line = b"GET / HTTP/1.1\r\n".repeat(BETWEEN_BYTES_MAX / 16 + 1);
        assert!(matches!(read(10, line.chunks(100)), Err(FrameError::Outside(_))));
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6),
            cuts in prop::collection::vec(1usize..20, 0..80),
        ) {
            let clean = |message: &Vec<u8>| message.iter().copied().filter(|&b| b != START && b != END).collect::<Vec<u8>>();
            let messages: Vec<Vec<u8>> = messages.iter().map(clean).collect();
            let bytes: Vec<u8> = messages.iter().flat_map(|message| frame(message)).collect();
            let mut rest = bytes.as_slice();
            let mut chunks = Vec::new();
            for cut in cuts {
                let (chunk, tail) = rest.split_at(cut.min(rest.len()));
                chunks.push(chunk);
                rest = tail;
            }
            chunks.push(rest);
            let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(read(100, chunks), Ok(whole(&messages)));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(prop_oneof![
            Just(START), Just(END), Just(RETURN), Just(FEED), any::<u8>()
        ], 0..200), size in 1usize..17) {
            let whole = read(50, [bytes.as_slice()]);
            prop_assert_eq!(read(50, bytes.chunks(size)), whole);
        }
    }
}
