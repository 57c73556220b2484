//! Signed batches, whole and broken, and what each must be refused with (docs/wire-format.md,
//! section 5; docs/rejections.md).

use std::collections::BTreeSet;

use chain_types::batch::{BatchHeader, BatchKind};
use chain_types::codec;
use chain_types::hash::Digest;
use chain_types::{ChainId, ParticipantId, Rejection, TimeMs, merkle};

use crate::random::Random;
use crate::support::now;
use crate::world::World;

const HEADER_BYTES: usize = 84;
const PREFIX_BYTES: usize = HEADER_BYTES + 64;
const BATCH_BYTES_MAX: usize = PREFIX_BYTES + 8_192 * 128;
/// The numbers of the kinds, each with the bytes of an item and the most items.
const KINDS: [(u16, usize, u32); 25] = [
    (1, 128, 8_192),
    (2, 64, 8_192),
    (3, 64, 8_192),
    (4, 64, 8_192),
    (5, 64, 8_192),
    (6, 72, 1_024),
    (7, 64, 8_192),
    (8, 96, 1_024),
    (9, 96, 1_024),
    (10, 64, 1_024),
    (11, 64, 1_024),
    (12, 64, 1_024),
    (13, 64, 8_192),
    (14, 64, 1_024),
    (15, 512, 64),
    (16, 64, 1_024),
    (17, 64, 1_024),
    (18, 64, 1_024),
    (19, 64, 1_024),
    (20, 348, 3_000),
    (21, 344, 3_000),
    (22, 64, 8_192),
    (23, 96, 1_024),
    (24, 64, 1_024),
    (25, 64, 1_024),
];

/// The bytes of a base64 text of RFC 4648 section 4 with padding, if it is the one text of them.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letters = text.trim_end_matches('=');
    let padding = text.len() - letters.len();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in letters.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter)?;
        bits = (bits << 6) | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    let is_padded = matches!((count, padding), (0, 0) | (2, 1) | (4, 2));
    (is_padded && bits == 0).then_some(bytes)
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// The codes that a batch may be refused with, and whether it may be taken.
pub fn judge(world: &World, bytes: &[u8]) -> (BTreeSet<i32>, bool) {
    if bytes == world.batch {
        return (BTreeSet::new(), true);
    }
    let rejections = broken_form(bytes).map_or_else(|| broken_word(world, bytes), |one| vec![one]);
    // Its time may be over when it is looked at.
    let may_be_taken = rejections.is_empty() || rejections == [Rejection::BatchExpired];
    let is_taken = may_be_taken && number(&bytes[44..52]) + LATE_MS > now().get();
    (rejections.into_iter().map(|rejection| i32::from(rejection.code())).collect(), is_taken)
}

/// Block time may be behind the clock by so much.
const LATE_MS: u64 = 60_000;

/// 100 to 105, in the order of the wire format: version, kind, count, and how long it must be.
fn broken_form(bytes: &[u8]) -> Option<Rejection> {
    if bytes.len() > BATCH_BYTES_MAX {
        return Some(Rejection::BatchTooLarge);
    }
    if bytes.len() < PREFIX_BYTES {
        return Some(Rejection::Truncated);
    }
    if number(&bytes[..2]) != 1 {
        return Some(Rejection::VersionUnsupported);
    }
    let kind = KINDS.iter().find(|(kind, ..)| u64::from(*kind) == number(&bytes[2..4]));
    let Some((_, item_bytes, most)) = kind else { return Some(Rejection::KindUnknown) };
    let count = number(&bytes[40..44]);
    if count == 0 || count > u64::from(*most) {
        return Some(Rejection::CountOutOfBounds);
    }
    match bytes.len().cmp(&(PREFIX_BYTES + count as usize * item_bytes)) {
        std::cmp::Ordering::Less => Some(Rejection::Truncated),
        std::cmp::Ordering::Greater => Some(Rejection::TrailingBytes),
        std::cmp::Ordering::Equal => None,
    }
}

/// 106 to 113: every rule that a batch of the right form breaks.
fn broken_word(world: &World, bytes: &[u8]) -> Vec<Rejection> {
    let kind = BatchKind::from_number(number(&bytes[2..4]) as u16).expect("the form is right");
    let submitter = number(&bytes[36..40]) as u32;
    let mut broken = Vec::new();
    if bytes[4..36] != world.chain.digest().bytes() {
        broken.push(Rejection::WrongChain);
    }
    let leaves: Vec<Digest> =
        bytes[PREFIX_BYTES..].chunks(kind.item_bytes()).map(merkle::leaf).collect();
    if bytes[52..84] != merkle::root(&leaves).bytes() {
        broken.push(Rejection::RootMismatch);
    }
    let Some(party) = world.parties.iter().find(|party| party.id == submitter) else {
        broken.push(Rejection::SubmitterUnknown);
        return broken;
    };
    let header: BatchHeader =
        codec::decode(&bytes[..HEADER_BYTES], HEADER_BYTES).expect("its length is right");
    // ed25519 gives one signature, and nobody here makes another.
    if party.key.sign(&header.id().digest()).bytes() != bytes[HEADER_BYTES..PREFIX_BYTES] {
        broken.push(Rejection::SignatureInvalid);
    }
    if !party.kinds.contains(&kind) {
        broken.push(Rejection::RoleMissing);
    }
    match number(&bytes[44..52]) {
        past if past < now().get() + SOON_MS => broken.push(Rejection::BatchExpired),
        far if far > now().get() + DAY_MS => broken.push(Rejection::BatchValidTooLong),
        _ => {}
    }
    broken
}

/// A validity that ends within this time may be over when the node looks at it, in milliseconds.
const SOON_MS: u64 = 30_000;

const DAY_MS: u64 = 86_400_000;

/// A batch of these item bytes, signed by whoever `world` says may.
pub fn signed(world: &World, kind: BatchKind, count: u32, items: &[u8]) -> Vec<u8> {
    let party = world.parties.iter().find(|party| party.kinds.contains(&kind));
    let id = party.map_or(999, |party| party.id);
    let sound =
        Forgery { chain: world.chain, submitter: id, signer: id, until: now().plus(120_000) };
    forged(world, kind, count, items, &sound)
}

/// The header of a batch, with what is forged in it.
struct Forgery {
    chain: ChainId,
    submitter: u32,
    signer: u32,
    until: TimeMs,
}

fn forged(world: &World, kind: BatchKind, count: u32, items: &[u8], says: &Forgery) -> Vec<u8> {
    let leaves: Vec<Digest> = items.chunks(kind.item_bytes()).map(merkle::leaf).collect();
    let header = BatchHeader {
        version: 1,
        kind: kind.number(),
        chain_id: says.chain,
        submitter: ParticipantId::new(says.submitter),
        count,
        valid_until: says.until,
        items_root: merkle::root(&leaves),
    };
    let mut bytes = codec::encode(&header);
    let signer = world.parties.iter().find(|party| party.id == says.signer);
    let signature = signer.map_or([7; 64], |party| party.key.sign(&header.id().digest()).bytes());
    bytes.extend_from_slice(&signature);
    bytes.extend_from_slice(items);
    bytes
}

/// Batches that are wrong in one way each, and soundly signed ones of nonsense.
pub fn broken(world: &World, random: &mut Random) -> Vec<Vec<u8>> {
    let good = &world.batch;
    let mut all = vec![Vec::new(), vec![0], vec![0; PREFIX_BYTES], vec![0xff; PREFIX_BYTES + 128]];
    // Every byte flipped in some bits, and every length.
    for at in 0..good.len().min(PREFIX_BYTES + 256) {
        for mask in [1, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[at] ^= mask;
            all.push(bytes);
        }
        all.push(good[..at].to_vec());
    }
    all.push([good.as_slice(), &[0]].concat());
    all.push([good.as_slice(), good].concat());
    // Every field at its ends.
    for (at, size) in [(0, 2), (2, 2), (4, 32), (36, 4), (40, 4), (44, 8), (52, 32), (84, 64)] {
        for fill in [0, 0xff] {
            let mut bytes = good.clone();
            bytes[at..at + size].fill(fill);
            all.push(bytes);
        }
    }
    for kind in 0..40_u16 {
        let mut bytes = good.clone();
        bytes[2..4].copy_from_slice(&kind.to_le_bytes());
        all.push(bytes);
    }
    for kind in BatchKind::ALL {
        let items: Vec<u8> = random.bytes(kind.item_bytes() * 3);
        let own = world.parties.iter().find(|party| party.kinds.contains(kind));
        let own = own.map_or(999, |party| party.id);
        let chain = world.chain;
        let until = now().plus(120_000);
        for party in world.parties.iter().map(|party| party.id).chain([0, 999, u32::MAX]) {
            let says = Forgery { chain, submitter: party, signer: party, until };
            all.push(forged(world, *kind, 3, &items, &says));
            let says = Forgery { chain, submitter: party, signer: own, until };
            all.push(forged(world, *kind, 3, &items, &says));
        }
        let other = ChainId::new(Digest::from_bytes([1; 32]));
        for says in [
            Forgery { chain: other, submitter: own, signer: own, until },
            Forgery { chain, submitter: own, signer: own, until: TimeMs::new(0) },
            Forgery { chain, submitter: own, signer: own, until: now().minus(600_000) },
            Forgery { chain, submitter: own, signer: own, until: now().plus(2 * DAY_MS) },
            Forgery { chain, submitter: own, signer: own, until: TimeMs::new(u64::MAX) },
        ] {
            all.push(forged(world, *kind, 3, &items, &says));
        }
        for count in [0, 1, 2, 4, kind.items_max(), kind.items_max() + 1, u32::MAX] {
            all.push(signed(world, *kind, count, &items));
        }
        // Sound as batches; their items are nonsense, which is for the chain to say.
        all.push(signed(world, *kind, 3, &items));
        all.push(signed(world, *kind, 1, &vec![0xff; kind.item_bytes()]));
    }
    all
}
