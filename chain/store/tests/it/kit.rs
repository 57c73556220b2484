//! Blocks, batches and records to store, and homes to store them in.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use chain_state::{
    Account, AccountEntry, AccountKey, BreachRecord, BreachSubject, EntryCause, EvidenceRecord,
    InstructionRecord, InstructionStatus, Location, OrderRecord, OrderRun, OrderStatus,
    PolicyRecord, ProposalRecord, ProposalStatus, QuoteRecord, RateRecord, Record, RegistryRecord,
    Retired, ReturnRecord, Stage, TransferRecord, TransferStatus, TreeNode, WindowRecord,
    WindowSettlement,
};
use chain_store::{
    BlockRecords, ChainStore, CommittedBlock, MemoryStore, Recovery, StagedBlock, Store,
    StoreFault, StoreOptions, SubmittedOrder,
};
use chain_types::batch::BATCH_PREFIX_BYTES;
use chain_types::{
    Amount, Block, BlockHash, BlockHeader, Certificate, ChainId, Change, CollectItem, Currency,
    Digest, EquivocationKind, Height, InstructionId, MerchantId, OrderId, Outcome, Parameters,
    ParticipantId, PartyKeys, PolicyScope, ProposalId, QuoteId, Rate, Round, SecretKey, Signature,
    SignedBatch, TimeMs, TransferAction, TransferId, ValidatorId, ValidatorSet, VerifiedBatch,
    WindowId,
};
use tempfile::TempDir;

pub const CHAIN: ChainId = ChainId(Digest([7; 32]));
pub const OTHER_CHAIN: ChainId = ChainId(Digest([8; 32]));
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

/// Where the zeros at the end of a file begin.
pub fn written_end(path: &Path) -> u64 {
    let bytes = fs::read(path).unwrap();
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at as u64 + 1)
}

pub fn order_id(number: u64) -> OrderId {
    let mut entropy = [0; 10];
    entropy[2..].copy_from_slice(&number.to_be_bytes());
    OrderId::new(TimeMs(1_800_000_000_000 + number), entropy)
}

/// A batch of `count` items, unlike that of any other `seed`.
pub fn batch(seed: u64, count: u64) -> VerifiedBatch {
    let key = SecretKey::from_seed(&[3; 32]);
    let items: Vec<CollectItem> = (0..count)
        .map(|item| CollectItem {
            order_id: order_id(seed * 10_000 + item).0,
            reference: [seed as u8; 32],
            spare: [0; 16],
        })
        .collect();
    let submitter = ParticipantId(201);
    let until = TimeMs(1_800_000_100_000);
    let bytes = SignedBatch::sign(CHAIN, submitter, &key, until, &items);
    let decoded = SignedBatch::decode(Bytes::from(bytes)).unwrap();
    let keys = party_keys(submitter, key.public_key());
    decoded.verify(CHAIN, |_| Some(keys)).unwrap()
}

/// Time of the block of a height.
pub fn time_of(height: u64) -> TimeMs {
    TimeMs(1_800_000_000_000 + height * 100)
}

pub fn block(height: u64, round: u32, batches: Vec<VerifiedBatch>) -> StagedBlock {
    let header = BlockHeader {
        protocol_version: 1,
        chain_id: CHAIN,
        height: Height(height),
        round: Round(round),
        parent_round: Round(0),
        proposer: ValidatorId(round % 4),
        time: time_of(height),
        window: WindowId(height / 10),
        parent: BlockHash(Digest([height as u8; 32])),
        batch_count: batches.len() as u32,
        batches_root: Digest([1; 32]),
        evidence_count: 0,
        evidence_root: Digest::ZERO,
        results_root: Digest([2; 32]),
        state_digest: Digest([height as u8; 32]),
        validators_hash: Digest([4; 32]),
        next_validators_hash: Digest([4; 32]),
        parameters_hash: Digest([5; 32]),
        party_count: 1,
        parties_root: Digest([6; 32]),
        record_count: 0,
        records_root: Digest([7; 32]),
    };
    let outcomes = batches
        .iter()
        .map(|batch| (0..batch.count()).map(|item| Outcome((item % 3) as u16)).collect())
        .collect();
    let ids = batches.iter().map(VerifiedBatch::id).collect();
    let block = Block { header, batches: ids, evidence: Vec::new() };
    StagedBlock { block, batches, outcomes }
}

/// The block that most tests store at a height: up to three batches, none in every fourth.
pub fn usual_block(height: u64) -> StagedBlock {
    let batches = (0..height % 4).map(|at| batch(height * 10 + at, 1 + 7 * at)).collect();
    block(height, 0, batches)
}

pub fn certificate(staged: &StagedBlock) -> Certificate {
    Certificate {
        height: staged.block.header.height,
        round: staged.block.header.round,
        block: staged.block.hash(),
        signatures: (0..3).map(|id| (ValidatorId(id), Signature([id as u8; 64]))).collect(),
    }
}

pub fn committed(staged: &StagedBlock) -> CommittedBlock {
    CommittedBlock { block: staged.block.clone(), certificate: certificate(staged) }
}

pub fn append(store: &dyn ChainStore, staged: &StagedBlock) {
    store.stage(staged).unwrap();
    commit(store, staged);
}

pub fn commit(store: &dyn ChainStore, staged: &StagedBlock) {
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
    assert_eq!(store.head(), (head > 0).then_some(Height(head)));
    for height in 1..=head {
        let staged = usual_block(height);
        let at = Height(height);
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
    assert_eq!(store.block(Height(head + 1)).unwrap(), None);
    assert_eq!(store.block_height(&beyond.block.hash()).unwrap(), None);
}

/// What the store must give of each item of a batch, and the record by which it is asked.
pub fn submitted_orders(staged: &StagedBlock, index: u32) -> Vec<(OrderRecord, SubmittedOrder)> {
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

pub fn payload_of(staged: &StagedBlock) -> Vec<Bytes> {
    staged.batches.iter().map(|batch| batch.bytes().clone()).collect()
}

pub fn instruction_id(window: u64, merchant: u64) -> InstructionId {
    InstructionId {
        window: WindowId(window),
        merchant: MerchantId(merchant),
        currency: Currency(156),
    }
}

pub fn window(id: u64, order_count: u64) -> WindowRecord {
    WindowRecord {
        id: WindowId(id),
        opened: time_of(id),
        first_height: Height(id + 1),
        closed: Some(time_of(id + 1)),
        last_height: Some(Height(id + 2)),
        order_count,
        instruction_count: 2,
        positions: Vec::new(),
    }
}

pub fn instruction(id: InstructionId, gateway: u32, amount: u64) -> InstructionRecord {
    InstructionRecord {
        id,
        gateway: ParticipantId(gateway),
        amount: Amount(amount),
        amount_returned: Amount(0),
        order_count: 3,
        cross_border_count: 0,
        attempt: 1,
        attempt_height: Height(1),
        failures: 0,
        recalled: None,
        earliest_accepted: time_of(1),
        instructed: time_of(2),
        deadline: time_of(3),
        status: InstructionStatus::Instructed,
        reference: [0; 32],
        cashback: Vec::new(),
    }
}

pub fn account(owner: u64) -> AccountKey {
    AccountKey::payable(MerchantId(owner), Currency(156))
}

pub fn entry(owner: u64, height: u64, sequence: u32) -> AccountEntry {
    AccountEntry {
        key: account(owner),
        height: Height(height),
        sequence,
        cause: EntryCause::Batch(sequence),
        time: time_of(height),
        debits_pending: 0,
        debits_posted: -5,
        credits_pending: 0,
        credits_posted: i128::from(height),
        order_count: 1,
        after: Account { credits_posted: u128::from(height), ..Account::default() },
    }
}

pub fn breach(height: u64, sequence: u32) -> BreachRecord {
    BreachRecord {
        height: Height(height),
        sequence,
        stage: Stage::Arrived,
        late: Some(ParticipantId(202)),
        subject: BreachSubject::Order(order_id(height)),
        deadline: time_of(height),
        noticed: time_of(height + 1),
    }
}

pub fn caught(height: u64, sequence: u32) -> EvidenceRecord {
    EvidenceRecord {
        height: Height(height),
        sequence,
        time: time_of(height),
        validator: ValidatorId(3),
        kind: EquivocationKind::Prevotes,
        offence_height: Height(height),
        offence_round: Round(1),
        first: None,
        second: Some(BlockHash(Digest([height as u8; 32]))),
    }
}

/// What every block of the tests leaves behind: one of each kind.
pub fn records(height: Height) -> Vec<Record> {
    let number = height.0;
    vec![
        Record::Window(window(number, number)),
        Record::Instruction(instruction(instruction_id(number, 1001), 201, number)),
        Record::Instruction(instruction(instruction_id(number, 1002), 202, number)),
        Record::AccountEntry(entry(1001, number, 0)),
        Record::AccountEntry(entry(1002, number, 1)),
        Record::AccountEntry(entry(1001, number, 2)),
        Record::Breach(breach(number, 0)),
        Record::WindowSettlement(settlement(number)),
        Record::Return(back(number, 1)),
        Record::Transfer(transfer(number)),
        Record::Rate(rate(301, number)),
        Record::Rate(rate(302, number)),
        Record::Quote(quote(301, number)),
        Record::Quote(quote(302, number)),
        Record::Policy(policy(number)),
        Record::Proposal(proposal(number)),
        Record::Evidence(caught(number, 0)),
    ]
}

/// What the usual block of a height gives the index.
pub fn learned(height: Height) -> BlockRecords {
    let (level, index) = (4, u32::try_from(height.0 % 2).unwrap());
    BlockRecords {
        records: records(height),
        writes: writes(height.0),
        account_nodes: vec![TreeNode { level, index, digest: writes(height.0) }],
        retired: Retired::default(),
    }
}

/// What a block gives the index that leaves only these records.
pub fn only(records: Vec<Record>) -> BlockRecords {
    BlockRecords { records, ..BlockRecords::default() }
}

/// What a block gives the index that leaves only these orders.
pub fn leaving(retired: Retired) -> BlockRecords {
    BlockRecords { retired, ..BlockRecords::default() }
}

/// The running digest after the usual block of a height.
pub fn writes(height: u64) -> Digest {
    Digest([height as u8 ^ 0x55; 32])
}

pub fn party_keys(participant: ParticipantId, current: chain_types::PublicKey) -> PartyKeys {
    PartyKeys { participant, current, previous: None }
}

pub fn settlement(window: u64) -> WindowSettlement {
    WindowSettlement {
        window: WindowId(window),
        agent: ParticipantId(401),
        reference: [window as u8; 32],
        time: time_of(window),
        location: Location { height: Height(window), batch: 0, item: 0 },
        checker: ParticipantId(402),
        digest: Digest([window as u8; 32]),
    }
}

/// A return of the order of a number.
pub fn back(order: u64, sequence: u16) -> ReturnRecord {
    ReturnRecord {
        order: order_id(order),
        sequence,
        gateway: ParticipantId(202),
        amount: Amount(5),
        payout: Amount(5),
        cashback: Amount(0),
        reason: 1,
        is_reversal: false,
        is_unconverted: false,
        cashback_rested: Amount(0),
        cashback_set_off: Amount(0),
        reference: [sequence as u8; 32],
        time: time_of(order),
        location: Location { height: Height(order), batch: 0, item: u32::from(sequence) },
        from_payable: false,
    }
}

pub fn transfer_id(number: u64) -> TransferId {
    TransferId(order_id(number).0)
}

pub fn transfer(number: u64) -> TransferRecord {
    TransferRecord {
        id: transfer_id(number),
        action: TransferAction::Deposit,
        account: AccountKey::liquidity(ParticipantId(201), Currency(156)),
        amount: Amount(number),
        reference: [1; 32],
        content: Digest([2; 32]),
        maker: ParticipantId(401),
        proposed: time_of(number),
        location: Location { height: Height(number), batch: 0, item: 0 },
        status: TransferStatus::Proposed,
        checker: None,
        checker_reference: [0; 32],
        decided: None,
    }
}

pub fn rate(provider: u32, number: u64) -> RateRecord {
    RateRecord {
        currency: Currency(156),
        payout_currency: Currency(392),
        provider: ParticipantId(provider),
        rate: Rate::new(20, 0).unwrap(),
        observed: time_of(number),
        published: time_of(number).plus(7),
    }
}

pub fn quote_id(provider: u32, number: u64) -> QuoteId {
    QuoteId::new(ParticipantId(provider), number as u32)
}

pub fn quote(provider: u32, number: u64) -> QuoteRecord {
    QuoteRecord {
        id: quote_id(provider, number),
        currency: Currency(156),
        payout_currency: Currency(392),
        rate: Rate::new(20, 0).unwrap(),
        ceiling: Amount(number),
        used: Amount(0),
        valid_until: time_of(number + 10),
        issued: time_of(number),
    }
}

pub fn policy(merchant: u64) -> PolicyRecord {
    PolicyRecord {
        scope: PolicyScope::Merchant,
        subject: merchant,
        currency: Currency(156),
        order_max: Amount(9),
        user_day_max: Amount(0),
        day_max: Amount(0),
        hold_above: Amount(0),
        desk: ParticipantId(501),
        since: time_of(merchant),
    }
}

pub fn proposal_id(number: u64) -> ProposalId {
    ProposalId(order_id(number).0)
}

pub fn proposal(number: u64) -> ProposalRecord {
    ProposalRecord {
        id: proposal_id(number),
        change: Change::Currency(Currency(392)),
        digest: Digest([3; 32]),
        maker: ParticipantId(1),
        proposed: time_of(number),
        activation: Height(number + 10),
        due: Height(number + 12),
        approvals: vec![ParticipantId(1)],
        refusals: Vec::new(),
        status: ProposalStatus::Proposed,
        failure: 0,
        status_height: Height(number),
    }
}

/// A registry with as many parties as `parties`.
pub fn registry(since: u64, parties: u32) -> RegistryRecord {
    let key = SecretKey::from_seed(&[3; 32]).public_key();
    RegistryRecord {
        since: Height(since),
        parties: (1..=parties).map(|id| party_keys(ParticipantId(id), key)).collect(),
        validators: ValidatorSet::new(Vec::new()),
        parameters: Parameters::default(),
        protocol_version: 1,
    }
}

pub fn order(number: u64) -> (OrderId, OrderRecord) {
    let location = Location { height: Height(number), batch: 1, item: 2 };
    let record = OrderRecord {
        location,
        fingerprint: [number as u8; 16],
        outcome: Outcome::APPLIED,
        status: OrderStatus::Collected,
        status_height: Height(number),
        status_location: location,
    };
    (order_id(number), record)
}

/// Runs of orders, each numbered from its first number up to but without its second.
pub fn retired(runs: &[(u64, u64)]) -> Retired {
    let run = |(from, to): &(u64, u64)| OrderRun::of(&(*from..*to).map(order).collect::<Vec<_>>());
    Retired { runs: runs.iter().map(run).collect() }
}

/// A store of each kind, empty, with what must outlive it.
pub fn both() -> Vec<(&'static str, Box<dyn ChainStore>, Option<TestHome>)> {
    let home = TestHome::new();
    let disk = home.open().0;
    vec![("disk", Box::new(disk), Some(home)), ("memory", Box::new(MemoryStore::new()), None)]
}
