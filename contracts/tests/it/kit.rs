//! A small chain to try the rules on: six parties, four merchants, two currencies.

use std::collections::BTreeMap;

use bytes::Bytes;
use chain_state::{
    Account, AccountEntry, AccountKey, BreachRecord, InstructionRecord, OrderRecord, OrderStatus,
    Record, Retired, State, WindowRecord,
};
use chain_types::batch::{BatchItem, SignedBatch};
use chain_types::hash::sha256;
use chain_types::{
    Amount, ArrivalItem, BlockHeader, ChainGenesis, ChainId, CollectItem, Currency, FailureItem,
    Flags, InstructionId, LiquidityLine, Merchant, MerchantId, Node, OrderId, Outcome, Parameters,
    Participant, ParticipantId, RechargeItem, Roles, Round, SecretKey, TimeMs, ValidatorId,
    VerifiedBatch, VoidItem, WindowId,
};
use contracts::{BlockContext, Executed, execute};
use zerocopy::{Immutable, IntoBytes};

pub const OPERATOR: u32 = 1;
pub const SERVICE: u32 = 101;
pub const SERVICE_SUSPENDED: u32 = 102;
/// Collects; pays merchants 1002.
pub const BANK_A: u32 = 201;
/// Collects; pays merchants 1001 and 1003.
pub const BANK_B: u32 = 202;
/// A suspended gateway; pays merchant 1004.
pub const BANK_SUSPENDED: u32 = 203;
/// A gateway without any liquidity line; pays nobody.
pub const BANK_POOR: u32 = 204;
pub const AUDITOR: u32 = 301;

pub const SHOP: u64 = 1001;
pub const SHOP_OF_A: u64 = 1002;
pub const SHOP_SUSPENDED: u64 = 1003;
pub const SHOP_OF_SUSPENDED: u64 = 1004;

pub const CNY: u16 = 156;
pub const JPY: u16 = 392;
pub const USD: u16 = 840;

/// The time of block zero.
pub const START: TimeMs = TimeMs(1_800_000_000_000);

/// What bank A may collect in CNY at first: opening liquidity and cap.
pub const A_OPENING: u64 = 1_000;
pub const A_CAP: u64 = 9_000;

pub fn key_of(participant: u32) -> SecretKey {
    SecretKey::from_seed(&sha256(&[b"test key", &participant.to_le_bytes()]).0)
}

pub fn genesis() -> ChainGenesis {
    let participant = |id: u32, roles: Roles, suspended: bool| Participant {
        id: ParticipantId(id),
        name: format!("party {id}"),
        roles,
        public_key: key_of(id).public_key(),
        suspended,
    };
    let merchant = |id: u64, payout_gateway: u32, suspended: bool| Merchant {
        id: MerchantId(id),
        name: format!("merchant {id}"),
        payout_gateway: ParticipantId(payout_gateway),
        suspended,
    };
    let line = |gateway: u32, currency: u16, cap: u64, opening: u64| LiquidityLine {
        gateway: ParticipantId(gateway),
        currency: Currency(currency),
        net_debit_cap: Amount(cap),
        opening_liquidity: Amount(opening),
    };
    let node = |name: &str| {
        let key = SecretKey::from_seed(&sha256(&[name.as_bytes()]).0).public_key();
        let (operator, name) = (ParticipantId(OPERATOR), name.to_owned());
        Node { name, operator, network_key: key, validator_key: key, power: 1 }
    };
    ChainGenesis {
        chain_id: ChainId(sha256(&[b"a chain for tests"])),
        name: "tests".to_owned(),
        time: START,
        parameters: Parameters { order_amount_max: 1_000_000, ..Parameters::default() },
        currencies: vec![Currency(CNY), Currency(JPY)],
        participants: vec![
            participant(OPERATOR, Roles::SETTLEMENT_OPERATOR, false),
            participant(SERVICE, Roles::RECHARGE_SERVICE, false),
            participant(SERVICE_SUSPENDED, Roles::RECHARGE_SERVICE, true),
            participant(BANK_A, Roles::GATEWAY, false),
            participant(BANK_B, Roles::GATEWAY, false),
            participant(BANK_SUSPENDED, Roles::GATEWAY, true),
            participant(BANK_POOR, Roles::GATEWAY, false),
            participant(AUDITOR, Roles::AUDITOR, false),
        ],
        merchants: vec![
            merchant(SHOP, BANK_B, false),
            merchant(SHOP_OF_A, BANK_A, false),
            merchant(SHOP_SUSPENDED, BANK_B, true),
            merchant(SHOP_OF_SUSPENDED, BANK_SUSPENDED, false),
        ],
        liquidity: vec![
            line(BANK_A, CNY, A_CAP, A_OPENING),
            line(BANK_A, JPY, 0, 500),
            line(BANK_B, CNY, 5_000, 0),
            line(BANK_SUSPENDED, CNY, 5_000, 0),
        ],
        nodes: vec![node("one"), node("two"), node("three"), node("four")],
    }
}

/// The id of order `number`, made `offset_ms` after [`START`].
pub fn order_id(number: u64, offset_ms: i64) -> OrderId {
    let mut entropy = [0; 10];
    entropy[..8].copy_from_slice(&number.to_be_bytes());
    OrderId::new(TimeMs(START.0.checked_add_signed(offset_ms).unwrap()), entropy)
}

/// An order that bank A shall collect for the shop, to be submitted by the recharge service.
pub fn order(id: OrderId, amount: u64) -> RechargeItem {
    RechargeItem {
        order_id: id.0,
        user: [7; 16],
        merchant: SHOP.into(),
        collecting_gateway: BANK_A.into(),
        amount: amount.into(),
        currency: CNY.into(),
        payout_currency: CNY.into(),
        flags: 0.into(),
        fx_quote: 0.into(),
        payout_minimum: 0.into(),
        device: 0.into(),
        network: 0.into(),
        external_reference: [0; 32],
        spare: [0; 6],
    }
}

/// The same, submitted and collected in one step by bank A itself.
pub fn one_step(id: OrderId, amount: u64) -> RechargeItem {
    RechargeItem { flags: Flags::COLLECTED.into(), ..order(id, amount) }
}

pub fn collect(id: OrderId) -> CollectItem {
    CollectItem { order_id: id.0, reference: [1; 32], spare: [0; 16] }
}

pub fn void(id: OrderId) -> VoidItem {
    VoidItem { order_id: id.0, reason: 1.into(), reference: [1; 32], spare: [0; 14] }
}

pub fn arrival(window: u64, merchant: u64, amount: u64) -> ArrivalItem {
    ArrivalItem {
        window: window.into(),
        merchant: merchant.into(),
        amount: amount.into(),
        currency: CNY.into(),
        reference: [9; 32],
        spare: [0; 6],
    }
}

pub fn failure(window: u64, merchant: u64, reason: u16) -> FailureItem {
    FailureItem {
        window: window.into(),
        merchant: merchant.into(),
        currency: CNY.into(),
        reason: reason.into(),
        reference: [8; 32],
        spare: [0; 12],
    }
}

pub fn instruction_id(window: u64, merchant: u64) -> InstructionId {
    let (window, merchant) = (WindowId(window), MerchantId(merchant));
    InstructionId { window, merchant, currency: Currency(CNY) }
}

/// A block as it stands in the chain.
#[derive(Clone)]
pub struct Decided {
    pub header: BlockHeader,
    pub batches: Vec<VerifiedBatch>,
    pub outcomes: Vec<Vec<Outcome>>,
}

/// A chain of one honest proposer.
pub struct Chain {
    pub genesis: ChainGenesis,
    pub state: State,
    pub blocks: Vec<Decided>,
    pub records: Vec<Record>,
    pub retired: BTreeMap<OrderId, OrderRecord>,
}

impl Chain {
    pub fn new() -> Self {
        Self::of(genesis())
    }

    pub fn of(genesis: ChainGenesis) -> Self {
        let state = State::genesis(&genesis);
        let zero = State::genesis_block(&genesis);
        let zero = Decided { header: zero.header, batches: Vec::new(), outcomes: Vec::new() };
        let records = State::genesis_records(&genesis);
        Self { genesis, state, blocks: vec![zero], records, retired: BTreeMap::new() }
    }

    /// A batch of `items` that `submitter` signs, good for a minute of block time.
    pub fn batch(
        &self,
        submitter: u32,
        items: &[impl IntoBytes + Immutable + BatchItem],
    ) -> VerifiedBatch {
        self.batch_until(submitter, self.state.time().plus(60_000), items)
    }

    pub fn batch_until(
        &self,
        submitter: u32,
        valid_until: TimeMs,
        items: &[impl IntoBytes + Immutable + BatchItem],
    ) -> VerifiedBatch {
        let (chain_id, key) = (self.genesis.chain_id, key_of(submitter));
        let bytes = SignedBatch::sign(chain_id, ParticipantId(submitter), &key, valid_until, items);
        let batch = SignedBatch::decode(Bytes::from(bytes)).unwrap();
        batch.verify(chain_id, |_| Some(key.public_key())).unwrap()
    }

    pub fn context(&self, after_ms: u64) -> BlockContext {
        BlockContext {
            height: self.state.height().next(),
            round: Round(0),
            proposer: ValidatorId(0),
            time: self.state.time().plus(after_ms),
        }
    }

    /// The block of these batches, `after_ms` after the one before, applied.
    pub fn block(&mut self, after_ms: u64, batches: &[VerifiedBatch]) -> Vec<Vec<Outcome>> {
        let context = self.context(after_ms);
        let executed = execute(&self.state, &context, batches).unwrap();
        self.apply(executed, batches)
    }

    pub fn apply(&mut self, executed: Executed, batches: &[VerifiedBatch]) -> Vec<Vec<Outcome>> {
        let Executed { block, outcomes, writes } = executed;
        self.records.extend_from_slice(writes.records());
        let Retired { runs } = self.state.apply(writes).sorted();
        self.retired.extend(runs.into_iter().flatten());
        assert_eq!(self.state.digest(), block.header.state_digest);
        assert!(self.state.trial_balance().iter().all(|sums| sums.is_balanced()));
        let (header, batches) = (block.header, batches.to_vec());
        self.blocks.push(Decided { header, batches, outcomes: outcomes.clone() });
        outcomes
    }

    /// The code of one item in a block of its own, a millisecond later.
    pub fn one(
        &mut self,
        submitter: u32,
        item: impl IntoBytes + Immutable + BatchItem + Copy,
    ) -> u16 {
        let batch = self.batch(submitter, &[item]);
        self.block(1, &[batch])[0][0].0
    }

    pub fn status(&self, id: &OrderId) -> Option<OrderStatus> {
        let record = self.state.order(id).or_else(|| self.retired.get(id).copied());
        record.map(|record| record.status)
    }

    pub fn liquidity(&self, gateway: u32) -> Account {
        self.account(AccountKey::liquidity(ParticipantId(gateway), Currency(CNY)))
    }

    pub fn payable(&self, merchant: u64) -> Account {
        self.account(AccountKey::payable(MerchantId(merchant), Currency(CNY)))
    }

    pub fn account(&self, key: AccountKey) -> Account {
        self.state.account(&key).copied().unwrap_or_default()
    }

    pub fn windows(&self) -> Vec<&WindowRecord> {
        let windows = self.records.iter().filter_map(|record| match record {
            Record::Window(window) => Some(window),
            _ => None,
        });
        windows.collect()
    }

    pub fn instructions(&self) -> Vec<&InstructionRecord> {
        let instructions = self.records.iter().filter_map(|record| match record {
            Record::Instruction(instruction) => Some(instruction),
            _ => None,
        });
        instructions.collect()
    }

    pub fn entries(&self) -> Vec<&AccountEntry> {
        let entries = self.records.iter().filter_map(|record| match record {
            Record::AccountEntry(entry) => Some(entry),
            _ => None,
        });
        entries.collect()
    }

    pub fn breaches(&self) -> Vec<&BreachRecord> {
        let breaches = self.records.iter().filter_map(|record| match record {
            Record::Breach(breach) => Some(breach),
            _ => None,
        });
        breaches.collect()
    }
}
