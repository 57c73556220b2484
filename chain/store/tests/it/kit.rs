//! Blocks, batches and records to store, and homes to store them in.

mod records;

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use chain_state::{Location, OrderRecord, OrderStatus};
use chain_store::{
    ChainStore, CommittedBlock, MemoryStore, Recovery, Store, StoreFault, StoreOptions,
    SubmittedOrder,
};
use chain_types::batch::BATCH_PREFIX_BYTES;
use chain_types::{
    Block, BlockHash, BlockHeader, Certificate, ChainId, CollectItem, Digest, ExecutedBlock,
    Height, OrderId, Outcome, ParticipantId, Round, SecretKey, Signature, SignedBatch, TimeMs,
    ValidatorId, VerifiedBatch, WindowId,
};
use tempfile::TempDir;

pub use self::records::*;

pub const CHAIN: ChainId = ChainId::new(Digest::from_bytes([7; 32]));
pub const OTHER_CHAIN: ChainId = ChainId::new(Digest::from_bytes([8; 32]));
/// Two or three blocks fill a file of this size, so that every test crosses files.
pub const SMALL_FILE_BYTES: u64 = 16 * 1024;

pub fn small_options() -> StoreOptions {
    StoreOptions {
        block_file_bytes: SMALL_FILE_BYTES,
        block_files_open_max: 3,
        index_cache_bytes: 1024 * 1024,
        index_buffer_bytes: 8 * 1024 * 1024,
        ..StoreOptions::default()
    }
}

/// A home that a test may copy, damage and open again.
pub struct TestHome {
    root: TempDir,
    name: String,
}

impl TestHome {
    pub fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap(), name: "home".to_owned() }
    }

    pub fn path(&self) -> PathBuf {
        self.root.path().join(&self.name)
    }

    pub fn open(&self) -> (Store, Recovery) {
        self.try_open().unwrap()
    }

    pub fn try_open(&self) -> Result<(Store, Recovery), StoreFault> {
        Store::open(&self.path(), CHAIN, small_options())
    }

    pub fn fault(&self) -> StoreFault {
        self.try_open().expect_err("the home must be refused")
    }

    /// The home as kill -9 leaves it at this moment: files as written, memory gone.
    pub fn killed(&self, store: &Store) -> Self {
        // The copy is no single instant, so nothing may be on its way while it is made.
        while store.counters().runs_waiting > 0 {
            std::thread::yield_now();
        }
        // The index deletes what it has replaced whenever it likes; a copy during which nothing
        // came or went is one that a crash could have left.
        loop {
            let (copy, before) = (Self::new(), listing(&self.path()));
            copy_folder(&self.path(), &copy.path());
            if listing(&self.path()) == before {
                return copy;
            }
        }
    }

    pub fn block_file(&self, number: u32) -> PathBuf {
        self.path().join("blocks").join(format!("{number:08}.blk"))
    }

    pub fn block_file_count(&self) -> u32 {
        fs::read_dir(self.path().join("blocks")).unwrap().count() as u32
    }
}

pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            match fs::copy(entry.path(), target) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                result => assert!(result.is_ok(), "{result:?}"),
            }
        }
    }
}

/// Every file of a folder with its length.
fn listing(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => found.extend(listing(&path)),
            Ok(metadata) => found.push((path, metadata.len())),
            Err(_) => found.push((path, u64::MAX)),
        }
    }
    found.sort();
    found
}

pub fn flip_bit(path: &Path, offset: u64, bit: u8) {
    let mut bytes = fs::read(path).unwrap();
    bytes[offset as usize] ^= 1 << bit;
    fs::write(path, bytes).unwrap();
}

/// Returns the offset at which the zeros at the end of a file begin.
pub fn written_end(path: &Path) -> u64 {
    let bytes = fs::read(path).unwrap();
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at as u64 + 1)
}

pub fn order_id(number: u64) -> OrderId {
    let mut entropy = [0; 10];
    entropy[2..].copy_from_slice(&number.to_be_bytes());
    OrderId::new(TimeMs::new(1_800_000_000_000 + number), entropy)
}

/// A batch of `count` items, unlike that of any other `seed`.
pub fn batch(seed: u64, count: u64) -> VerifiedBatch {
    let key = SecretKey::from_seed(&[3; 32]);
    let items: Vec<CollectItem> = (0..count)
        .map(|item| CollectItem {
            order_id: order_id(seed * 10_000 + item).bytes(),
            reference: [seed as u8; 32],
            spare: [0; 16],
        })
        .collect();
    let submitter = ParticipantId::new(201);
    let until = TimeMs::new(1_800_000_100_000);
    let bytes = SignedBatch::sign(CHAIN, submitter, &key, until, &items);
    let decoded = SignedBatch::decode(Bytes::from(bytes)).unwrap();
    let keys = party_keys(submitter, key.public_key());
    decoded.verify(CHAIN, |_| Some(keys)).unwrap()
}

/// Time of the block of a height.
pub fn time_of(height: u64) -> TimeMs {
    TimeMs::new(1_800_000_000_000 + height * 100)
}

pub fn block(height: u64, round: u32, batches: Vec<VerifiedBatch>) -> ExecutedBlock {
    let header = BlockHeader {
        protocol_version: 1,
        chain_id: CHAIN,
        height: Height::new(height),
        round: Round::new(round),
        proposer: ValidatorId::new(round % 4),
        time: time_of(height),
        window: WindowId::new(height / 10),
        parent: BlockHash::new(Digest::from_bytes([height as u8; 32])),
        batch_count: batches.len() as u32,
        batches_root: Digest::from_bytes([1; 32]),
        results_root: Digest::from_bytes([2; 32]),
        state_digest: Digest::from_bytes([height as u8; 32]),
        validators_hash: Digest::from_bytes([4; 32]),
        next_validators_hash: Digest::from_bytes([4; 32]),
        parameters_hash: Digest::from_bytes([5; 32]),
        party_count: 1,
        parties_root: Digest::from_bytes([6; 32]),
        records_root: Digest::from_bytes([7; 32]),
        ..BlockHeader::default()
    };
    let outcomes = batches
        .iter()
        .map(|batch| (0..batch.count()).map(|item| Outcome((item % 3) as u16)).collect())
        .collect();
    let ids = batches.iter().map(VerifiedBatch::id).collect();
    let block = Block { header, batches: ids, evidence: Vec::new() };
    ExecutedBlock { block, batches, outcomes }
}

/// The block that most tests store at a height: up to three batches, none in every fourth.
pub fn usual_block(height: u64) -> ExecutedBlock {
    let batches = (0..height % 4).map(|at| batch(height * 10 + at, 1 + 7 * at)).collect();
    block(height, 0, batches)
}

pub fn certificate(staged: &ExecutedBlock) -> Certificate {
    Certificate {
        height: staged.block.header.height,
        round: staged.block.header.round,
        block: staged.block.hash(),
        signatures: (0..3)
            .map(|id| (ValidatorId::new(id), Signature::from_bytes([id as u8; 64])))
            .collect(),
    }
}

pub fn committed(staged: &ExecutedBlock) -> CommittedBlock {
    CommittedBlock { block: staged.block.clone(), certificate: certificate(staged) }
}

pub fn append(store: &dyn ChainStore, staged: &ExecutedBlock) {
    store.stage(staged).unwrap();
    commit(store, staged);
}

pub fn commit(store: &dyn ChainStore, staged: &ExecutedBlock) {
    let height = staged.block.header.height;
    store.commit(&certificate(staged), learned(height)).unwrap();
}

/// Stores the usual blocks of a range of heights.
pub fn append_usual(store: &dyn ChainStore, heights: std::ops::RangeInclusive<u64>) {
    for height in heights {
        append(store, &usual_block(height));
    }
}

/// Asserts that everything about the usual blocks up to `head` reads back.
pub fn assert_usual(store: &dyn ChainStore, head: u64) {
    assert_eq!(store.head(), (head > 0).then_some(Height::new(head)));
    for height in 1..=head {
        let staged = usual_block(height);
        let at = Height::new(height);
        assert_eq!(store.block(at).unwrap(), Some(committed(&staged)), "block {height}");
        assert_eq!(store.block_height(&staged.block.hash()).unwrap(), Some(at));
        assert_eq!(store.payload(at).unwrap(), Some(payload_of(&staged)), "payload {height}");
        assert_eq!(store.outcomes(at).unwrap(), Some(staged.outcomes.clone()));
        for (index, batch) in (0..).zip(&staged.batches) {
            assert_eq!(store.batch_location(&batch.id()).unwrap(), Some((at, index)));
            assert_eq!(store.batch_bytes(at, index).unwrap(), Some(batch.bytes().clone()));
            for (record, expected) in submitted_orders(&staged, index) {
                assert_eq!(store.submitted_order(&record).unwrap(), Some(expected));
            }
        }
    }
    let beyond = usual_block(head + 1);
    assert_eq!(store.block(Height::new(head + 1)).unwrap(), None);
    assert_eq!(store.block_height(&beyond.block.hash()).unwrap(), None);
}

/// Returns each item of a batch as the store must give it, and the record by which it is asked.
pub fn submitted_orders(staged: &ExecutedBlock, index: u32) -> Vec<(OrderRecord, SubmittedOrder)> {
    let batch = &staged.batches[index as usize];
    let header = staged.block.header.clone();
    let items = batch.bytes()[BATCH_PREFIX_BYTES..].chunks(batch.kind().item_bytes());
    let found = (0..).zip(items.zip(batch.leaves())).map(|(item, (bytes, leaf))| {
        let location = Location { height: header.height, batch: index, item };
        let record = OrderRecord::new(location, leaf, Outcome::APPLIED, OrderStatus::Collected);
        let expected = SubmittedOrder {
            item: bytes.to_vec(),
            batch: *batch.header(),
            batch_id: batch.id(),
            block: header.clone(),
        };
        (record, expected)
    });
    found.collect()
}

pub fn payload_of(staged: &ExecutedBlock) -> Vec<Bytes> {
    staged.batches.iter().map(|batch| batch.bytes().clone()).collect()
}

/// A store of each kind, empty, with what must outlive it.
pub fn both() -> Vec<(&'static str, Box<dyn ChainStore>, Option<TestHome>)> {
    let home = TestHome::new();
    let disk = home.open().0;
    vec![("disk", Box::new(disk), Some(home)), ("memory", Box::new(MemoryStore::new()), None)]
}
