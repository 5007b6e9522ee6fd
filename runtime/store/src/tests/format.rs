//! Reads a journal with `FORMAT.md` alone: offsets as numbers, none of the journal's own code.

use std::sync::Arc;

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::sample::{key, usual};
use crate::journal::{Disk as _, Journal, SimDisk, VerifyDepth};

const MARK: [u8; 8] = [0xE2, 0x68, 0x61, 0x6E, 0x64, 0x6F, 0x66, 0x66];

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

fn key_at(bytes: &[u8], at: usize) -> VerifyingKey {
    VerifyingKey::from_bytes(bytes[at..at + 32].try_into().expect("32 bytes")).expect("a key")
}

fn assert_signed(key: &VerifyingKey, context: &[u8], payload: &[u8], signed: usize) {
    let signature = Signature::from_bytes(payload[signed..signed + 64].try_into().expect("64 bytes"));
    key.verify_strict(&[context, &payload[..signed]].concat(), &signature).expect("signed");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a record of every kind")]
fn the_document_describes_what_is_written() {
    let disk = SimDisk::new(1, None);
    let opened = Journal::open(Arc::new(disk.clone()), key(1), VerifyDepth::Whole, 4 << 10).expect("opened");
    let mut journal = opened.journal;
    for number in 0..6 {
        journal.append_batch(&[usual(number), usual(number)]).expect("appended");
    }
    journal.rotate(key(2)).expect("rotated");
    journal.append_batch(&[usual(9)]).expect("appended");

    let mut head = [0; 32];
    let mut entries = 0;
    let mut signer = key(1).verifying_key();
    let mut kinds = Vec::new();
    for (name, segment) in disk.list().expect("names").iter().zip(1..) {
        assert_eq!(*name, format!("{segment:012}.segment"));
        let mut file = vec![0; disk.length(name).expect("length") as usize];
        disk.read(name, 0, &mut file).expect("read");
        let (mut at, mut begins, mut opened) = (0, 0, [0; 32]);
        while file[at..].iter().any(|byte| *byte != 0) {
            let length = u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes")) as usize;
            let frame = &file[at..at + 12 + length];
            let sum = crc32c::crc32c_append(crc32c::crc32c(&frame[..4]), &frame[8..]);
            assert_eq!(frame[4..8], sum.to_le_bytes());
            assert_eq!(frame[9..12], [0; 3]);
            let payload = &frame[12..];
            kinds.push(frame[8]);
            match frame[8] {
                1 => {
                    assert_eq!((length, at), (104, 0));
                    assert_eq!(payload[..16], *b"handoff-journal1");
                    assert_eq!((u64_at(payload, 16), u64_at(payload, 24)), (segment, entries + 1));
                    assert_eq!((&payload[32..64], key_at(payload, 64)), (&head[..], signer));
                }
                2 => {
                    assert!(serde_json::from_slice::<serde_json::Value>(payload).is_ok());
                    entries += 1;
                }
                3 => {
                    assert_eq!(length, 128);
                    assert_eq!((u64_at(payload, 0), u64_at(payload, 8)), (segment, begins));
                    assert_eq!((u64_at(payload, 16), &payload[24..56]), (entries, &head[..]));
                    assert_signed(&signer, b"handoff journal 1 signature\0", payload, 56);
                }
                4 => {
                    assert_eq!((length, u64_at(payload, 0)), (176, segment));
                    assert_eq!((key_at(payload, 8), &payload[72..104]), (signer, &head[..]));
                    assert_signed(&signer, b"handoff journal 1 rotation\0\0", payload, 104);
                    signer = key_at(payload, 40);
                }
                5 => {
                    assert_eq!((length, u64_at(payload, 0), u64_at(payload, 8)), (176, segment, at as u64));
                    assert_eq!((u64_at(payload, 24), &payload[40..72]), (entries, &opened[..]));
                    assert_eq!(payload[72..104], head);
                    assert_signed(&signer, b"handoff journal 1 footer\0\0\0\0", payload, 104);
                }
                other => panic!("kind {other}"),
            }
            if frame[8] != 2 {
                assert_eq!(payload[length - 8..], MARK);
            }
            head = Sha256::digest([&head[..], &Sha256::digest(frame)].concat()).into();
            at += frame.len();
            if matches!(frame[8], 1 | 4) {
                opened = head;
            }
            if frame[8] == 3 {
                begins = at as u64;
            }
        }
    }
    assert_eq!((entries, signer), (13, key(2).verifying_key()));
    assert!([1, 2, 3, 4, 5].iter().all(|kind| kinds.contains(kind)), "every kind was met");
}
