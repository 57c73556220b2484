//! The form of headers, and what is not taken for one.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

const CHAIN: ChainId = ChainId::new(Digest::from_bytes([7; 32]));
const SALT: u64 = 0x0123_4567_89ab_cdef;

fn header() -> FrameHeader {
    FrameHeader { kind: 3, length: 13, checksum: 0xdead_beef, offset: 80, mark: 64, file: 5 }
}

/// Homes outlive programs: these bytes never change under format version 1.
#[test]
fn a_frame_header_has_its_bytes() {
    let bytes = header().to_bytes(SALT);
    assert_eq!(bytes[..12], *b"SlF1\x03\0\0\0\x0d\0\0\0");
    assert_eq!(bytes[12..16], [0xef, 0xbe, 0xad, 0xde]);
    assert_eq!(bytes[16..32], [80, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(bytes[32..36], [5, 0, 0, 0]);
    let covered = [SALT.to_le_bytes().as_slice(), &bytes[..36]].concat();
    assert_eq!(bytes[36..], crc32c::crc32c(&covered).to_le_bytes());
    assert_eq!(FrameHeader::from_bytes(&bytes, SALT, 5, 80), Some(header()));
    assert_eq!(header().end(), 80 + 56);
}

#[test]
fn frames_end_at_multiples_of_eight() {
    for length in 0..100 {
        let padded = FRAME_HEADER_BYTES as u64 + length + padding(length).len() as u64;
        assert_eq!(frame_bytes(length), padded);
        assert!(padded.is_multiple_of(8) && padding(length).len() < 8);
    }
}

#[test]
fn any_flipped_bit_is_no_header() {
    let bytes = header().to_bytes(SALT);
    for bit in 0..bytes.len() * 8 {
        let mut other = bytes;
        other[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(FrameHeader::from_bytes(&other, SALT, 5, 80), None, "bit {bit}");
    }
}

#[test]
fn a_header_of_another_place_file_or_salt_is_none() {
    let bytes = header().to_bytes(SALT);
    assert_eq!(FrameHeader::from_bytes(&bytes, SALT, 5, 88), None, "misdirected");
    assert_eq!(FrameHeader::from_bytes(&bytes, SALT, 6, 80), None, "of another file");
    assert_eq!(FrameHeader::from_bytes(&bytes, SALT + 1, 5, 80), None, "made up by a peer");
    assert_eq!(FrameHeader::from_bytes(&bytes[..39], SALT, 5, 80), None, "cut short");
}

#[test]
fn two_files_have_two_salts() {
    let one = FileHeader::new(*b"SLUICEXX", 1, CHAIN, 0);
    let two = FileHeader::new(*b"SLUICEXX", 1, CHAIN, 0);
    assert_ne!(one.salt, two.salt);
}

#[test]
fn a_file_header_reads_back_and_no_flipped_bit_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let header = FileHeader::new(*b"SLUICEXX", 9, CHAIN, 12_345);
    let bytes = header.to_bytes();
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        FileHeader::read(&disk::open(&path).unwrap(), &path, *b"SLUICEXX", 9, CHAIN)
    };
    assert_eq!(read(&bytes).unwrap(), header);
    for bit in 0..bytes.len() * 8 {
        let mut other = bytes;
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&other).is_err(), "bit {bit}");
    }
    assert!(read(&bytes[..79]).is_err());
}

/// The search must find a header wherever it lies, also across the pieces it reads.
#[test]
fn a_later_frame_is_found_wherever_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let size = 2 * SCAN_BUFFER_BYTES + 4_096;
    let edge = SCAN_BUFFER_BYTES as u64;
    for offset in [88, 1_000, edge - 40, edge - 8, edge, edge + 48, edge + 80, 2 * edge] {
        let mut bytes = vec![0; size];
        let frame = FrameHeader { offset, ..header() };
        let at = offset as usize;
        bytes[at..at + FRAME_HEADER_BYTES].copy_from_slice(&frame.to_bytes(SALT));
        std::fs::write(&path, &bytes).unwrap();
        let file = disk::open(&path).unwrap();
        let frames = FrameFile { file: &file, path: &path, number: 5, salt: SALT };
        assert_eq!(frames.find_after(80, |_| true).unwrap(), Some(frame), "at {offset}");
        assert_eq!(frames.find_after(offset, |_| true).unwrap(), None);
        assert_eq!(frames.find_after(80, |found| found.mark > 64).unwrap(), None);
        assert!(frames.is_written_after(80).unwrap());
        assert!(!frames.is_written_after(offset + 40).unwrap());
    }
}
