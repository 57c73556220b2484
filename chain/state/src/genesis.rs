//! The state of block zero, and block zero itself: functions of the genesis file alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use chain_types::block::{batches_root, results_root};
use chain_types::evidence::evidence_root;
use chain_types::hash::{Domain, hash};
use chain_types::parameters::PROTOCOL_VERSION;
use chain_types::registry::RegistryBounds;
use chain_types::{
    Block, BlockHash, BlockHeader, ChainGenesis, Digest, Height, Round, ValidatorId, WindowId,
    merkle,
};

use crate::account::{Account, AccountKey, difference};
use crate::accounts::AccountBook;
use crate::instructions::InstructionBook;
use crate::order_window::OrderWindow;
use crate::positions::HashSeeds;
use crate::recent_batches::RecentBatches;
use crate::records::{AccountEntry, EntryCause, Record};
use crate::registry::Registry;
use crate::reservations::ReservationBook;
use crate::state::State;
use crate::tables::Tables;
use crate::user_book::UserBook;
use crate::window::{OpenWindow, WindowOpening};

impl State {
    /// The state of block zero: opening liquidity stands, nothing else has happened.
    pub fn genesis(genesis: &ChainGenesis) -> Self {
        Self::genesis_hashed(genesis, HashSeeds::of_chain(genesis.chain_id))
    }

    /// [`Self::genesis`], its tables hashed by seeds of the node's own.
    pub fn genesis_hashed(genesis: &ChainGenesis, seeds: HashSeeds) -> Self {
        let mut state = Self::before_block_zero(genesis, seeds);
        state.block_hash = block_zero(genesis, &state).hash();
        state
    }

    /// Block zero: no batches, no certificate, the same bytes on every node.
    pub fn genesis_block(genesis: &ChainGenesis) -> Block {
        let seeds = HashSeeds::of_chain(genesis.chain_id);
        block_zero(genesis, &Self::before_block_zero(genesis, seeds))
    }

    /// Returns the records of block zero that the store indexes: the entries of opening liquidity.
    pub fn genesis_records(genesis: &ChainGenesis) -> Vec<Record> {
        let moved = opening_accounts(genesis)
            .into_iter()
            .filter(|(_, account)| account.debits_posted != account.credits_posted);
        let entries = (0_u32..).zip(moved).map(|(sequence, (key, account))| AccountEntry {
            key,
            height: Height::new(0),
            sequence,
            cause: EntryCause::Genesis,
            time: genesis.time,
            debits_pending: 0,
            debits_posted: difference(account.debits_posted, 0),
            credits_pending: 0,
            credits_posted: difference(account.credits_posted, 0),
            order_count: 0,
            after: account,
        });
        entries.map(Record::AccountEntry).collect()
    }

    /// An account that the genesis file opened without money in it, as it stands until its first
    /// entry: with nothing but the bound of its line.
    pub fn opened_empty(genesis: &ChainGenesis, key: &AccountKey) -> Option<Account> {
        let is_its = |line: &&chain_types::LiquidityLine| {
            let scheme = AccountKey::scheme_settlement(line.currency);
            [AccountKey::liquidity(line.gateway, line.currency), scheme].contains(key)
        };
        let line = genesis.liquidity.iter().rfind(is_its)?;
        let is_gateway = *key == AccountKey::liquidity(line.gateway, line.currency);
        let net_debit_cap = if is_gateway { line.net_debit_cap.get() } else { 0 };
        Some(Account { net_debit_cap, ..Account::default() })
    }

    fn before_block_zero(genesis: &ChainGenesis, seeds: HashSeeds) -> Self {
        let hashing = seeds.hashing();
        let (opened, window_ms) = (genesis.time, genesis.parameters.window_ms);
        let closes = opened.plus(window_ms);
        let opening =
            WindowOpening { id: WindowId::new(0), opened, closes, first_height: Height::new(0) };
        Self {
            registry: Arc::new(Registry::genesis(genesis)),
            bounds: RegistryBounds::CHAIN,
            height: Height::new(0),
            time: genesis.time,
            block_hash: BlockHash::default(),
            accounts: AccountBook::new(opening_accounts(genesis), hashing.clone()),
            writes: hash(
                Domain::Writes,
                &[&Digest::ZERO.bytes(), &genesis.chain_id.digest().bytes()],
            ),
            orders: OrderWindow::new(hashing.clone()),
            reservations: ReservationBook::default(),
            window: OpenWindow::new(opening),
            instructions: InstructionBook::default(),
            tables: Tables::genesis(genesis, &hashing),
            users: UserBook::new(&hashing),
            batches: RecentBatches::new(hashing.clone()),
            hashing,
        }
    }
}

/// A liquidity account a line, in the lines' order, each currency's counter-account before the
/// first of its lines.
fn opening_accounts(genesis: &ChainGenesis) -> Vec<(AccountKey, Account)> {
    let mut accounts: Vec<(AccountKey, Account)> = Vec::new();
    let mut at: BTreeMap<AccountKey, usize> = BTreeMap::new();
    let mut lines: Vec<_> = genesis.liquidity.iter().collect();
    lines.sort_by_key(|line| (line.gateway, line.currency));
    for line in lines {
        let opening = u128::from(line.opening_liquidity.get());
        let mut account_of = |key| {
            let next = accounts.len();
            let index = *at.entry(key).or_insert(next);
            if index == next {
                accounts.push((key, Account::default()));
            }
            index
        };
        let scheme = account_of(AccountKey::scheme_settlement(line.currency));
        let gateway = account_of(AccountKey::liquidity(line.gateway, line.currency));
        accounts[scheme].1.debits_posted += opening;
        accounts[gateway].1.credits_posted += opening;
        accounts[gateway].1.settled += difference(opening, 0);
        accounts[gateway].1.net_debit_cap = line.net_debit_cap.get();
    }
    accounts
}

fn block_zero(genesis: &ChainGenesis, state: &State) -> Block {
    let leaves: Vec<Digest> = State::genesis_records(genesis).iter().map(Record::leaf).collect();
    let registry = &state.registry;
    let header = BlockHeader {
        protocol_version: PROTOCOL_VERSION,
        chain_id: genesis.chain_id,
        height: Height::new(0),
        round: Round::new(0),
        parent_round: Round::new(0),
        proposer: ValidatorId::new(0),
        time: genesis.time,
        window: WindowId::new(0),
        parent: BlockHash::default(),
        batch_count: 0,
        batches_root: batches_root(&[]),
        evidence_count: 0,
        evidence_root: evidence_root(&[]),
        results_root: results_root(&[]),
        state_digest: state.digest(),
        validators_hash: registry.validators_hash,
        next_validators_hash: registry.validators_hash,
        parameters_hash: registry.parameters_hash,
        party_count: registry.parties.count(),
        parties_root: registry.parties.root(),
        record_count: u32::try_from(leaves.len()).unwrap_or(u32::MAX),
        records_root: merkle::root(&leaves),
    };
    Block { header, batches: Vec::new(), evidence: Vec::new() }
}
