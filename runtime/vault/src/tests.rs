//! The vault as the line uses it: seal, commit, reveal, erase, rotate.

use handoff_store::entry::Record;
use rand::SeedableRng as _;

use super::testing::{dice, master, vault};
use super::*;

#[test]
fn what_is_sealed_is_revealed_to_the_house_and_to_nobody_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let (vault, index) = (vault(dir.path()), MemoryLookup::default());
    let patient = vault.patient_id("MAIN", "MRN-1");
    let mut sealing = vault.sealing(&index);
    let token = sealing.seal(&patient, "family", "Quintanilla");
    let bytes = sealing.seal_bytes(&patient, "delivery", &[0xFF, 0, 1]);
    assert_eq!(sealing.reveal(&token).expect("pending").as_str(), "Quintanilla");
    assert_eq!(sealing.patient_of(&token), Some(patient.clone()));
    let (records, sealed) = sealing.finish().expect("finished");
    assert_eq!(records, [Record::Keyed { patient: patient.clone(), slot: 0 }]);
    let written = serde_json::to_string(&sealed).expect("written") + &format!("{sealed:?}");
    assert!(!written.contains("Quintanilla") && !written.contains("MRN-1"));
    index.apply((records, sealed));
    assert_eq!(vault.reveal(&token, &index).expect("revealed").as_str(), "Quintanilla");
    assert_eq!(vault.reveal_bytes(&bytes, &index).expect("revealed").as_slice(), [0xFF, 0, 1]);
    assert!(matches!(vault.reveal(&bytes, &index), Err(VaultError::NotText { .. })));
    let unknown = Token("ZPHIG00100000000000000000000000000".into());
    assert!(matches!(vault.reveal(&unknown, &index), Err(VaultError::UnknownToken { .. })));
}

#[test]
fn a_value_of_any_length_is_sealed_in_pieces_that_fit_an_entry_and_only_in_their_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let (vault, index) = (vault(dir.path()), MemoryLookup::default());
    let patient = vault.patient_id("MAIN", "1");
    for bytes in [Sealed::BYTES_PER_ENTRY - 49, Sealed::BYTES_PER_ENTRY, 3 * Sealed::BYTES_PER_ENTRY + 7] {
        let clear: Vec<u8> = (0..bytes).map(|at| (at / 1_000) as u8).collect();
        let mut sealing = vault.sealing(&index);
        let token = sealing.seal_bytes(&patient, "document", &clear);
        let (records, sealed) = sealing.finish().expect("finished");
        assert!(sealed.iter().all(|it| it.bytes.len() <= Sealed::BYTES_PER_ENTRY), "{bytes}");
        index.apply((records, sealed.clone()));
        assert!(vault.reveal_bytes(&token, &index).expect("revealed").as_slice() == clear, "{bytes}");
        let whole = sealed.iter().find(|it| it.token == token).expect("by its token");
        assert_eq!(whole.pieces.len() + 1, sealed.len(), "{bytes}");
        if let [_, .., _] = whole.pieces[..] {
            let disordered = whole.pieces.iter().rev().cloned().collect();
            index.apply((Vec::new(), vec![Sealed { pieces: disordered, ..whole.clone() }]));
            assert!(matches!(vault.reveal_bytes(&token, &index), Err(VaultError::Damaged { .. })));
        }
    }
    let clear = vec![7; 2 * Sealed::BYTES_PER_ENTRY];
    let mut sealing = vault.sealing(&index);
    let token = sealing.seal_bytes(&patient, "document", &clear);
    index.apply(sealing.finish().expect("finished"));
    vault.erase(&patient, &index).expect("erased");
    assert!(matches!(vault.reveal_bytes(&token, &index), Err(VaultError::Erased { .. })));
}

#[test]
fn tokens_are_stable_for_patient_field_and_value() {
    let dir = tempfile::tempdir().expect("a directory");
    let (vault, index) = (vault(dir.path()), MemoryLookup::default());
    let (a, b) = (vault.patient_id("MAIN", "1"), vault.patient_id("MAIN", "2"));
    assert_ne!(vault.patient_id("OTHER", "1"), a);
    let mut sealing = vault.sealing(&index);
    let token = sealing.seal(&a, "phone", "+15125550143");
    assert_eq!(sealing.seal(&a, "phone", "+15125550143"), token);
    assert_ne!(sealing.seal(&b, "phone", "+15125550143"), token);
    assert_ne!(sealing.seal(&a, "fax", "+15125550143"), token);
    assert_ne!(sealing.seal(&a, "phone", "+15125550144"), token);
    index.apply(sealing.finish().expect("finished"));
    let mut again = vault.sealing(&index);
    assert_eq!(again.seal(&a, "phone", "+15125550143"), token);
    let (records, sealed) = again.finish().expect("finished");
    assert!(records.is_empty() && sealed.is_empty(), "a known value is not sealed twice");
}

#[test]
fn two_transactions_under_way_give_one_patient_one_key() {
    let dir = tempfile::tempdir().expect("a directory");
    let (vault, index) = (vault(dir.path()), MemoryLookup::default());
    let patient = vault.patient_id("MAIN", "1");
    let seal = |value: &str| {
        let mut sealing = vault.sealing(&index);
        sealing.seal(&patient, "text", value);
        sealing.finish().expect("finished")
    };
    let (first, second) = (seal("one"), seal("two"));
    assert_eq!(first.0, second.0);
    assert_eq!(first.0, [Record::Keyed { patient: patient.clone(), slot: 0 }]);
    index.apply(second);
    index.apply(first);
    assert!(seal("three").0.is_empty());
}

#[test]
fn an_erased_patient_is_forgotten_and_may_come_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let (vault, index) = (vault(dir.path()), MemoryLookup::default());
    let (gone, kept) = (vault.patient_id("MAIN", "1"), vault.patient_id("MAIN", "2"));
    let mut sealing = vault.sealing(&index);
    let token = sealing.seal(&gone, "given", "Ana");
    let other = sealing.seal(&kept, "given", "Bo");
    index.apply(sealing.finish().expect("finished"));
    vault.erase(&gone, &index).expect("erased");
    assert!(matches!(vault.reveal(&token, &index), Err(VaultError::Erased { .. })));
    assert_eq!(vault.reveal(&other, &index).expect("kept").as_str(), "Bo");

    let mut sealing = vault.sealing(&index);
    assert_eq!(sealing.seal(&gone, "given", "Ana"), token);
    let finished = sealing.finish().expect("finished");
    assert_eq!(finished.0, [Record::Keyed { patient: gone, slot: 2 }]);
    index.apply(finished);
    assert_eq!(vault.reveal(&token, &index).expect("back").as_str(), "Ana");
}

#[test]
fn a_restart_and_a_rotation_change_nothing_that_can_be_seen() {
    let dir = tempfile::tempdir().expect("a directory");
    let index = MemoryLookup::default();
    let (token, name, patient) = {
        let vault = vault(dir.path());
        let patient = vault.patient_id("MAIN", "1");
        let mut sealing = vault.sealing(&index);
        let token = sealing.seal(&patient, "given", "Ana");
        index.apply(sealing.finish().expect("finished"));
        vault.rotate(MasterKey::generate(&mut StdRng::seed_from_u64(9))).expect("rotated");
        assert_eq!(vault.reveal(&token, &index).expect("revealed").as_str(), "Ana");
        (token, vault.blind("number", "R-77"), patient)
    };
    let old = Vault::open(dir.path(), master(), dice(3), 1);
    assert!(matches!(old, Err(VaultError::Keyring(KeyringError::WrongMaster { .. }))));
    let new = MasterKey::generate(&mut StdRng::seed_from_u64(9));
    let vault = Vault::open(dir.path(), new, dice(3), 1).expect("opened");
    assert_eq!(vault.reveal(&token, &index).expect("revealed").as_str(), "Ana");
    assert_eq!(vault.blind("number", "R-77"), name);
    assert_eq!(vault.patient_id("MAIN", "1"), patient);
    let other = vault.patient_id("MAIN", "2");
    let mut sealing = vault.sealing(&index);
    sealing.seal(&other, "given", "Bo");
    assert_eq!(sealing.finish().expect("finished").0, [Record::Keyed { patient: other, slot: 1 }]);
}

#[test]
fn sealed_bytes_open_only_as_what_they_were_sealed() {
    let dir = tempfile::tempdir().expect("a directory");
    let (vault, index) = (vault(dir.path()), MemoryLookup::default());
    let patient = vault.patient_id("MAIN", "1");
    let mut sealing = vault.sealing(&index);
    let (given, family) = (sealing.seal(&patient, "given", "Ana"), sealing.seal(&patient, "family", "Cruz"));
    index.apply(sealing.finish().expect("finished"));
    let mut swapped = index.sealed(&given).expect("there");
    swapped.token = family.clone();
    index.apply((Vec::new(), vec![swapped]));
    assert!(matches!(vault.reveal(&family, &index), Err(VaultError::Damaged { .. })));
}

#[test]
fn names_for_the_index_say_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let vault = vault(dir.path());
    let name = vault.blind("number", "R-77");
    assert!(name.starts_with("number:") && !name.contains("R-77"));
    assert_ne!(vault.blind("appointment", "R-77")["appointment:".len()..], name["number:".len()..]);
    let march = DateTime::from_timestamp(1_772_323_200, 0).expect("a moment");
    assert_eq!(vault.intake(march).0, "intake-2026-03");
}

#[test]
fn nothing_that_can_be_printed_shows_a_planted_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let (vault, index) = (vault(dir.path()), MemoryLookup::default());
    let patient = vault.patient_id("MAIN", "Xochiquetzal");
    let mut sealing = vault.sealing(&index);
    let token = sealing.seal(&patient, "family", "Xochiquetzal");
    let clear = sealing.reveal(&token).expect("revealed");
    let bytes = ClearBytes::new(b"Xochiquetzal".to_vec());
    let errors = [
        VaultError::UnknownToken { token: token.clone() },
        VaultError::Erased { token: token.clone() },
        VaultError::Damaged { token: token.clone() },
        VaultError::NotText { token: token.clone() },
    ];
    let printed = format!("{vault:?} {sealing:?} {clear:?} {bytes:?} {errors:?} {patient} {patient:?} {token}");
    let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(!(printed + &shown.concat()).contains("Xochiquetzal"));
}
