//! A small chain in a home on disk, spoken to in the words of operation files, with the independent
//! auditor beside it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use chain_state::{
    History, InstructionRecord, OrderRecord, OrderStatus, PastCollection, PastOrder, QuoteRecord,
    State, WindowRecord,
};
use chain_store::{BlockRecords, ChainStore as _, Store, StoreOptions};
use chain_types::{
    Amount, Block, BlockHeader, Certificate, ChainGenesis, ChainId, Currency, ExecutedBlock,
    Height, InstructionId, LiquidityLine, Merchant, MerchantId, Node, OrderId, Outcome, Parameters,
    Participant, ParticipantId, QuoteId, RechargeItem, Roles, Round, SecretKey, SignedBatch,
    TimeMs, ValidatorId, VerifiedBatch, Vote, VoteStep, WindowId,
};
use contracts::{BlockContext, execute};
use node_auditor::Auditor;
use rpc_client::operations::{OperationKind, Operations, RowContext};
use rpc_client::order_file::{Format, read};
use zerocopy::FromBytes as _;

use crate::archive;
use crate::opening::genesis_records;

pub const SERVICE: u32 = 101;
pub const GATEWAYS: [u32; 3] = [201, 202, 203];
pub const PROVIDER: u32 = 301;
pub const AGENTS: [u32; 2] = [401, 402];
pub const DESK: u32 = 501;
/// Paid by the second gateway at first.
pub const SHOP: u64 = 1001;
/// Paid by the first gateway.
const OTHER_SHOP: u64 = 1002;

pub fn key(of: &str, number: u32) -> SecretKey {
    SecretKey::from_seed(
        &chain_types::hash::sha256(&[of.as_bytes(), &number.to_le_bytes()]).bytes(),
    )
}

fn genesis(time: TimeMs) -> ChainGenesis {
    let participant = |id: u32, roles| {
        Participant::new(
            ParticipantId::new(id),
            format!("party {id}"),
            roles,
            key("party", id).public_key(),
        )
    };
    let merchant = |id: u64, gateway: u32| {
        Merchant::new(MerchantId::new(id), format!("merchant {id}"), ParticipantId::new(gateway))
    };
    let node = |number: u32| Node {
        name: format!("node {number}"),
        operator: ParticipantId::new(number),
        network_key: key("network", number).public_key(),
        validator_key: key("validator", number).public_key(),
        power: 1,
    };
    let line = |gateway: u32| LiquidityLine {
        gateway: ParticipantId::new(gateway),
        currency: Currency::new(156),
        net_debit_cap: Amount::new(100_000_000),
        opening_liquidity: Amount::new(0),
    };
    let mut participants: Vec<Participant> =
        (1..=4).map(|id| participant(id, Roles::SETTLEMENT_OPERATOR)).collect();
    participants.push(participant(SERVICE, Roles::RECHARGE_SERVICE));
    participants.extend(GATEWAYS.map(|id| participant(id, Roles::GATEWAY)));
    participants.push(participant(PROVIDER, Roles::FX_PROVIDER));
    participants.extend(AGENTS.map(|id| participant(id, Roles::SETTLEMENT_AGENT)));
    participants.push(participant(DESK, Roles::RISK_DESK));
    ChainGenesis {
        chain_id: ChainId::new(chain_types::hash::sha256(&[b"statements"])),
        name: "statements".to_owned(),
        time,
        parameters: Parameters {
            window_ms: 10_000,
            governance_notice_heights: 1,
            rates_min: 1,
            return_rate_ms: 40_000,
            reversal_grace_ms: 60_000,
            ..Parameters::default()
        },
        currencies: vec![Currency::new(156), Currency::new(840)],
        participants,
        merchants: vec![merchant(SHOP, GATEWAYS[1]), merchant(OTHER_SHOP, GATEWAYS[0])],
        liquidity: GATEWAYS.map(line).to_vec(),
        lines: Vec::new(),
        nodes: (1..=4).map(node).collect(),
    }
    .with_lines(Amount::new(u64::MAX))
}

/// A chain in a home on disk, with the auditor beside it.
pub struct TestChain {
    pub genesis: ChainGenesis,
    pub state: State,
    pub store: Arc<Store>,
    pub auditor: Auditor,
    made: u8,
    home: tempfile::TempDir,
}

impl TestChain {
    /// A chain that begins at `time`.
    pub fn new(time: TimeMs) -> Self {
        let genesis = genesis(time);
        let home = tempfile::tempdir().unwrap();
        let (store, _) =
            Store::open(home.path(), genesis.chain_id, StoreOptions::default()).unwrap();
        store.reindex(Height::new(0), genesis_records(&genesis)).unwrap();
        let (state, auditor) = (State::genesis(&genesis), Auditor::new(&genesis));
        Self { genesis, state, store: Arc::new(store), auditor, made: 0, home }
    }

    /// The folder, while the store has it open.
    pub fn folder(&self) -> &std::path::Path {
        self.home.path()
    }

    /// The folder, once nothing has it open any more.
    pub fn close(self) -> (ChainGenesis, tempfile::TempDir) {
        (self.genesis, self.home)
    }

    /// Reads the operations of `text`, of `kind`, at the time of the next block.
    pub fn operations(&mut self, who: u32, kind: OperationKind, text: &str) -> Operations {
        let rows = read(text, Format::Auto, kind.fields()).unwrap();
        let now = self.state.time().plus(1);
        let new_id = || {
            self.made += 1;
            OrderId::owned(ParticipantId::new(who), now, [self.made; 6])
        };
        let mut making = RowContext { submitter: ParticipantId::new(who), now, new_id };
        Operations::from_rows(&rows, kind, &mut making).unwrap()
    }

    /// Decides a block, `later_ms` after the one before, in which these parties speak; gives the
    /// codes of all items.
    pub fn block(&mut self, later_ms: u64, says: &[(u32, Operations)]) -> Vec<u16> {
        let time = self.state.time().plus(later_ms);
        let batches: Vec<_> = says.iter().map(|(who, said)| self.sign(*who, said, time)).collect();
        let context = BlockContext {
            height: self.state.height().next(),
            round: Round::new(0),
            parent_round: Round::new(0),
            proposer: ValidatorId::new(0),
            time,
        };
        let past = Past { state: &self.state, store: &self.store };
        let mut executed = execute(&self.state, &context, &batches, &[], &past).unwrap();
        let (block, outcomes) = (executed.block, executed.outcomes);
        let certificate = self.certificate(&block);
        let Block { header, evidence, .. } = &block;
        let judged =
            self.auditor.whole_block(header, Some(&certificate), evidence, &batches, &outcomes);
        judged.unwrap();
        let staged = ExecutedBlock { block, batches, outcomes };
        self.store.stage(&staged).unwrap();
        let learned = BlockRecords::take(&mut executed.writes);
        let retired = self.state.apply(executed.writes);
        self.store.commit(&certificate, BlockRecords { retired, ..learned }).unwrap();
        staged.outcomes.concat().iter().map(|outcome| outcome.0).collect()
    }

    fn sign(&self, who: u32, said: &Operations, time: TimeMs) -> VerifiedBatch {
        let (all, until) = (0..said.count(), time.plus(60_000));
        let chain_id = self.genesis.chain_id;
        let bytes = said.sign(all, chain_id, ParticipantId::new(who), &key("party", who), until);
        let keys_of = |id| self.state.party_keys(id).copied();
        SignedBatch::decode(bytes.into()).unwrap().verify(chain_id, keys_of).unwrap()
    }

    /// The precommits of all validators.
    fn certificate(&self, block: &Block) -> Certificate {
        let (height, hash) = (block.header.height, block.hash());
        let (round, step) = (Round::new(0), VoteStep::Precommit);
        let vote = Vote { height, round, step, block: Some(hash) };
        let digest = vote.digest(self.genesis.chain_id);
        let signed =
            |number| (ValidatorId::new(number - 1), key("validator", number).sign(&digest));
        Certificate { height, round, block: hash, signatures: (1..=4).map(signed).collect() }
    }
}

/// The chain up to the block before.
struct Past<'a> {
    state: &'a State,
    store: &'a Store,
}

impl History for Past<'_> {
    fn record(&self, id: &OrderId) -> Option<OrderRecord> {
        self.state.order(id).or_else(|| self.store.archived_order(id).unwrap())
    }

    fn collected(&self, record: &OrderRecord) -> Option<PastOrder> {
        if record.status != OrderStatus::Collected {
            return None;
        }
        let submitted = archive::item(self.store, record.location).unwrap();
        let header = archive::item(self.store, record.status_location).unwrap().header;
        let item = RechargeItem::read_from_bytes(&submitted.item).unwrap();
        let submitted = submitted.header.time;
        let BlockHeader { height, time, window, .. } = header;
        Some(PastOrder { item, submitted, collection: PastCollection { height, time, window } })
    }

    fn collection_outcome(&self, record: &OrderRecord) -> Option<Outcome> {
        Some(archive::item(self.store, record.status_location).unwrap().outcome)
    }

    fn instruction(&self, id: &InstructionId) -> Option<InstructionRecord> {
        self.store.ended_instruction(id, self.state.height()).unwrap()
    }

    fn quote(&self, id: QuoteId) -> Option<QuoteRecord> {
        self.store.quote(id).unwrap()
    }

    fn window(&self, id: WindowId) -> Option<WindowRecord> {
        self.store.window(id).unwrap()
    }
}
