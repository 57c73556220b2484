//! A bit that flips in bytes that were durable: never a wrong answer, always a fault that names
//! file, offset and remedy, and never a cut.

use std::fs;

use chain_store::{ChainStore, Store, StoreFault};
use chain_types::Height;

use crate::kit::*;

const HEAD: u64 = 16;

fn assert_named(fault: &StoreFault, context: &str) {
    assert!(matches!(fault, StoreFault::Corrupt { .. }), "{context}: {fault}");
    let text = fault.to_string();
    assert!(text.contains(".blk") && text.contains("offset") && text.contains("peers"), "{text}");
}

/// Reads everything; each answer is right or a named fault. Returns the faults.
fn read_all(store: &Store, head: u64, context: &str) -> u64 {
    let mut faults = 0;
    for height in 1..=head {
        let expected = usual_block(height);
        let at = Height::new(height);
        match store.block(at) {
            Ok(found) => assert_eq!(found, Some(committed(&expected)), "{context}"),
            Err(fault) => {
                assert_named(&fault, context);
                faults += 1;
            }
        }
        match store.payload(at) {
            Ok(found) => assert_eq!(found, Some(payload_of(&expected)), "{context}"),
            Err(fault) => {
                assert_named(&fault, context);
                faults += 1;
            }
        }
        for index in 0..expected.block.header.batch_count {
            for (record, submitted) in submitted_orders(&expected, index) {
                match store.submitted_order(&record) {
                    Ok(found) => assert_eq!(found, Some(submitted), "{context}"),
                    Err(fault) => {
                        assert_named(&fault, context);
                        faults += 1;
                    }
                }
            }
        }
        match store.outcomes(at) {
            Ok(found) => assert_eq!(found, Some(expected.outcomes), "{context}"),
            Err(fault) => {
                assert_named(&fault, context);
                faults += 1;
            }
        }
    }
    faults
}

/// Blocks 1 to 16, of which the index knows all, and block 17 staged.
fn home() -> TestHome {
    let home = TestHome::new();
    let (store, _) = home.open();
    append_usual(&store, 1..=12);
    store.checkpoint(Height::new(12), b"state").unwrap();
    append_usual(&store, 13..=HEAD);
    store.stage(&usual_block(HEAD + 1)).unwrap();
    drop(store);
    home
}

#[test]
fn a_flipped_bit_is_a_named_fault_at_opening_or_at_reading() {
    let home = home();
    let (mut refused, mut faulty, mut harmless) = (0, 0, 0);
    for number in 1..=home.block_file_count() {
        let path = home.block_file(number);
        let good = fs::read(&path).unwrap();
        for offset in (0..durable_end(&home, number)).step_by(307) {
            let context = format!("file {number}, offset {offset}");
            flip_bit(&path, offset, (offset % 8) as u8);
            let bad = fs::read(&path).unwrap();
            match home.try_open() {
                Err(fault) => {
                    assert_named(&fault, &context);
                    refused += 1;
                }
                Ok((store, recovery)) => {
                    assert_eq!(
                        recovery.head,
                        Some(Height::new(HEAD)),
                        "{context}: nothing was cut"
                    );
                    if read_all(&store, HEAD, &context) > 0 { faulty += 1 } else { harmless += 1 }
                }
            }
            assert!(fs::read(&path).unwrap() == bad, "{context}: nothing was written");
            fs::write(&path, &good).unwrap();
        }
    }
    assert!(refused > 2 && faulty > 50, "{refused} refused, {faulty} faulty");
    // Only the zeros between frames may go unseen where the scan does not pass.
    assert!(harmless * 20 < refused + faulty, "{harmless} harmless of {refused} and {faulty}");
}

/// Up to where a later frame or file proves that the bytes of a file were durable.
fn durable_end(home: &TestHome, number: u32) -> u64 {
    let path = home.block_file(number);
    if number < home.block_file_count() {
        return written_end(&path);
    }
    // The highest mark of a frame: 24 bytes into each header.
    let bytes = fs::read(&path).unwrap();
    let places = (80..bytes.len() - 40).step_by(8).filter(|at| bytes[*at..].starts_with(b"SlF1"));
    let mark = |at: usize| u64::from_le_bytes(bytes[at + 24..at + 32].try_into().unwrap());
    places.map(mark).max().unwrap()
}

#[test]
fn a_lost_index_does_not_hide_rot() {
    let home = home();
    let path = home.block_file(2);
    flip_bit(&path, written_end(&path) / 2, 3);
    let copy = TestHome::new();
    copy_folder(&home.path(), &copy.path());
    fs::remove_dir_all(copy.path().join("index")).unwrap();
    let fault = copy.fault();
    assert_named(&fault, "the scan from the first file meets it");
}

#[test]
fn a_page_of_zeros_in_the_middle_is_rot_and_not_the_end() {
    let home = home();
    fs::remove_dir_all(home.path().join("index")).unwrap();
    let path = home.block_file(1);
    let mut bytes = fs::read(&path).unwrap();
    bytes[4_096..8_192].fill(0);
    fs::write(&path, &bytes).unwrap();
    assert_named(&home.fault(), "zeros");
    assert!(fs::read(&path).unwrap() == bytes, "nothing was written");
}

#[test]
fn a_stale_or_misdirected_frame_is_not_taken_for_another() {
    let home = home();
    let path = home.block_file(1);
    let mut bytes = fs::read(&path).unwrap();
    // The bytes of another place of the same file, whole frames and all.
    bytes.copy_within(80..3_000, 5_080);
    fs::write(&path, bytes).unwrap();
    fs::remove_dir_all(home.path().join("index")).unwrap();
    assert_named(&home.fault(), "misdirected");
}
