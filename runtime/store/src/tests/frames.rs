//! Frames: what was written is read back, and nothing else is taken for one.

use proptest::prelude::*;

use crate::entry::Entry;
use crate::journal::{Frame, FrameKind, NotAFrame, PAYLOAD_MAX_BYTES, decode};

use super::sample::{noon, usual};

#[test]
fn limits_are_kept() {
    let named = |length: usize| {
        let mut bytes = vec![0; 12];
        bytes[..4].copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        bytes
    };
    let rows = [
        (vec![], NotAFrame::Short(12)),
        (vec![0; 11], NotAFrame::Short(12)),
        (vec![0; 64], NotAFrame::Nothing),
        (named(PAYLOAD_MAX_BYTES), NotAFrame::Short(PAYLOAD_MAX_BYTES + 12)),
        (named(PAYLOAD_MAX_BYTES + 1), NotAFrame::TooLong),
        (named(usize::MAX), NotAFrame::TooLong),
    ];
    for (bytes, expected) in rows {
        assert_eq!(decode(&bytes).map(|seen| seen.kind), Err(expected));
    }
    let mut entry = usual(1);
    entry.sealed.push(crate::entry::Sealed {
        token: super::sample::token("BIG"),
        patient: handoff_engine::ids::PatientId("patient-1".to_string()),
        bytes: vec![1; PAYLOAD_MAX_BYTES],
        pieces: Vec::new(),
    });
    let refused = crate::journal::Encoded::of(&entry).map(|encoded| encoded.size());
    assert!(matches!(refused, Err(crate::journal::EncodeError::TooLarge { .. })), "{refused:?}");
}

#[test]
fn sealed_bytes_travel_as_base64_and_debug_shows_none() {
    let mut entry: Entry = usual(1);
    entry.at = noon();
    entry.sealed.push(crate::entry::Sealed {
        token: super::sample::token("PHONE1"),
        patient: handoff_engine::ids::PatientId("patient-1".to_string()),
        bytes: b"\x00\xFFsecret".to_vec(),
        pieces: Vec::new(),
    });
    let json = serde_json::to_string(&entry).expect("json");
    assert!(json.contains(r#""bytes":"AP9zZWNyZXQ=""#));
    assert_eq!(serde_json::from_str::<Entry>(&json).expect("entry"), entry);
    assert!(!format!("{entry:?}").contains("AP9z") && !format!("{entry:?}").contains("secret"));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn plausible_headers_never_panic(length in 0u32..900, sum: u32, kind: u8, rest in proptest::collection::vec(any::<u8>(), 0..900)) {
        let bytes = [&length.to_le_bytes()[..], &sum.to_le_bytes(), &[kind, 0, 0, 0], &rest].concat();
        let _ = decode(&bytes);
    }

    #[test]
    fn any_change_of_a_frame_is_noticed(payload in proptest::collection::vec(any::<u8>(), 0..300), at: proptest::sample::Index, change in 1u8..) {
        let frame = Frame::new(FrameKind::Entry, &payload).expect("small").bytes().to_vec();
        prop_assert_eq!(decode(&frame).expect("whole").payload(), &payload[..]);
        let mut bytes = frame;
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        prop_assert!(decode(&bytes).is_err());
    }
}
