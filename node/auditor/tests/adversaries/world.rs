//! A chain with its honest parties and the foes among them, block by block.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chain_state::{History, OrderStatus, State};
use chain_types::{
    ChainGenesis, OrderId, Outcome, Participant, Programme, Roles, SecretKey, TimeMs, VerifiedBatch,
};
use node_auditor::Auditor;

use crate::chain::Chain;
use crate::checks;
use crate::coalition::Coalition;
use crate::dice::Dice;
use crate::item::{Item, Letterhead};
use crate::lines::Lines;
use crate::market::{Market, PAIRS};
use crate::network::{self, *};
use crate::promises::Promises;
use crate::purse::{Moment, Purse, Sold, returns_of};
use crate::words::Ids;

/// An agent that is never of the foes: with it, two agents of two houses are always honest.
pub const THIRD_AGENT: u32 = 604;

/// One word and who says it.
pub type Word = (u32, Item);

/// Signs what is said.
pub struct Pen {
    keys: BTreeMap<u32, SecretKey>,
    serial: u64,
}

impl Pen {
    fn new() -> Self {
        Self { keys: BTreeMap::new(), serial: 0 }
    }

    /// The batches of what is said in a block of `time`: runs of one party and kind make one each.
    pub fn batches(&mut self, state: &State, time: TimeMs, said: &[Word]) -> Vec<VerifiedBatch> {
        let is_run = |one: &Word, other: &Word| one.0 == other.0 && one.1.kind() == other.1.kind();
        let batch = |run: &[Word]| {
            self.serial += 1;
            let submitter = run[0].0;
            let key = self.keys.entry(submitter).or_insert_with(|| secret(submitter));
            let valid_until = time.plus(self.serial % 9_000);
            let head = Letterhead { chain_id: state.chain_id(), submitter, key, valid_until };
            Item::batch(run, &head)
        };
        said.chunk_by(is_run).map(batch).collect()
    }
}

pub struct World {
    pub chain: Chain,
    auditor: Auditor,
    pub foes: Coalition,
    pub purse: Purse,
    pub dice: Dice,
    pub ids: Ids,
    pub pen: Pen,
    pub market: Market,
    /// Time of the block in the making.
    pub time: u64,
    /// Said before anything else.
    pub queue: VecDeque<Word>,
    /// The last words of the foes.
    pub foes_said: VecDeque<Word>,
    pub quote_numbers: BTreeMap<u32, u32>,
    pub programmes: Vec<Programme>,
    pub operations: usize,
    pub counts: BTreeMap<u16, u64>,
    /// Orders whose users honest gateways debit.
    pub debiting: BTreeSet<OrderId>,
    lines: Lines,
    /// Blocks of foes' words that were tried on copies.
    pub tried: u64,
    /// Ways out that were found, by their number of steps.
    pub exits: BTreeMap<usize, u64>,
}

/// The times at which histories begin: in a year's middle, before its turn, before February's end.
const STARTS: [u64; 3] = [1_781_000_000_000, 1_798_761_000_000, 1_835_395_000_000];

/// The network of the histories, with the least number of rates that real money has.
fn genesis(seed: u64) -> ChainGenesis {
    let at = usize::try_from(seed).unwrap() % STARTS.len();
    let mut genesis = network::genesis(TimeMs::new(STARTS[at]), 4);
    genesis.parameters.rates_min = 3;
    // Lines are given when the history begins.
    genesis.lines.clear();
    let agent = network::participant(THIRD_AGENT, Roles::SETTLEMENT_AGENT);
    let after = |known: &Participant| known.id.get() < THIRD_AGENT;
    genesis.participants.insert(genesis.participants.partition_point(after), agent);
    genesis
}

impl World {
    pub fn new(seed: u64) -> Self {
        let genesis = genesis(seed);
        let (chain, foes) = (Chain::new(&genesis), Coalition::of(seed));
        let programmes = Self::programmes_of(seed);
        let purse = Purse::new(&chain.state, Promises::new(&programmes));
        Self {
            auditor: Auditor::new(&genesis).with_bounds(BOUNDS),
            chain,
            foes,
            purse,
            dice: Dice::new(seed),
            ids: Ids::default(),
            pen: Pen::new(),
            market: Market::new(),
            time: genesis.time.get(),
            queue: VecDeque::new(),
            foes_said: VecDeque::new(),
            quote_numbers: BTreeMap::new(),
            programmes,
            operations: 0,
            counts: BTreeMap::new(),
            debiting: BTreeSet::new(),
            lines: Lines::default(),
            tried: 0,
            exits: BTreeMap::new(),
        }
    }

    /// A block of what honest parties and foes say, and everything that must hold of it.
    pub fn block(&mut self) {
        self.time = self.chain.state.time().get() + self.step_ms();
        let mut said: Vec<Word> = Vec::new();
        if self.operations == 0 {
            self.prologue();
        }
        said.extend(self.queue.drain(..));
        said.extend(self.duties());
        for _ in 0..self.dice.between(1, 6) {
            let honest = self.dice.one_in(2);
            said.extend(if honest { self.honest() } else { self.foe() });
        }
        self.carry_out(&said);
    }

    /// Puts what is said into a block.
    fn carry_out(&mut self, said: &[Word]) {
        let time = TimeMs::new(self.time);
        let batches = self.pen.batches(&self.chain.state, time, said);
        let executed = self.chain.execute(time, &batches, &[]);
        let (header, outcomes) = (&executed.block.header, &executed.outcomes);
        if let Err(finding) = self.auditor.whole_block(header, None, &[], &batches, outcomes) {
            panic!("{finding}");
        }
        let before = self.chain.last().header.window;
        let returns = returns_of(executed.writes.records());
        self.chain.apply(executed, &batches);
        let outcomes: Vec<Outcome> = self.chain.last().outcomes.concat();
        let window = self.chain.last().header.window;
        let moment = Moment { time_ms: self.time, window, returns: &returns };
        for (word, outcome) in said.iter().zip(&outcomes) {
            self.purse.book(&self.foes, moment, word, *outcome, &self.chain);
            *self.counts.entry(outcome.0).or_default() += 1;
            match word {
                (by, Item::Line(item)) if outcome.0 == 0 => self.lines.said(*by, item),
                (_, Item::Debiting(item)) if outcome.0 >= 100 => {
                    self.debiting.remove(&OrderId::from_bytes(item.order_id));
                }
                _ => {}
            }
        }
        self.lines.check(&self.foes, &self.chain.state);
        self.operations += outcomes.len();
        self.check_debits();
        self.check(before);
    }

    /// Checks that nobody else voids what an honest gateway's user has paid.
    fn check_debits(&mut self) {
        for id in &self.debiting {
            let is_voided = self.chain.status(id) == Some(OrderStatus::Voided);
            assert!(
                !is_voided,
                "lock by the foes: order {id} was voided while its gateway debited the user"
            );
        }
        let state = &self.chain.state;
        self.debiting.retain(|id| state.reservation(id).is_some());
    }

    fn check(&self, before: chain_types::WindowId) {
        checks::compare_books(&self.chain, &self.auditor);
        checks::compare_lines(&self.chain, &self.auditor);
        if self.chain.last().header.window != before {
            checks::compare_window(&self.chain, &self.auditor, before);
        }
        self.purse.check(&self.foes, &self.chain.state);
        for sold in self.purse.sold_in(self.time) {
            self.check_conversion(sold);
        }
    }

    /// Checks that a conversion is at a rate that honest providers gave, within the hold of a
    /// quote.
    fn check_conversion(&self, sold: &Sold) {
        let Some(rate) = sold.rate() else { return };
        let item = &sold.item;
        let pair = (item.currency.get(), item.payout_currency.get());
        let at = PAIRS.iter().position(|(from, to, _)| (*from, *to) == pair).unwrap();
        let parameters = self.chain.state.parameters();
        let ago_ms = parameters.rate_fresh_ms + parameters.quote_hold_ms;
        assert!(
            self.market.allows(at, rate, self.time, ago_ms),
            "gain of the foes: order {:?} is converted at {rate:?}, which no honest rate allows",
            item.order_id(),
        );
    }

    /// At the end: books, instructions and counts of users alike, and the same once more.
    pub fn end(&self) {
        checks::compare_records(&self.chain, &self.auditor);
    }

    fn step_ms(&mut self) -> u64 {
        let dice = &mut self.dice;
        match dice.below(1_000) {
            0..850 => dice.between(1, 400),
            850..880 => self.edge().unwrap_or(1),
            880..970 => dice.between(400, 3_000),
            970..994 => dice.between(3_000, 9_000),
            994..998 => dice.between(9_000, 70_000),
            _ => dice.between(1_000_000, 8_000_000),
        }
    }

    /// Until the last moment of a window, a quote, a reservation or a transfer, or one beside it.
    fn edge(&mut self) -> Option<u64> {
        let (state, tables) = (&self.chain.state, self.chain.state.tables());
        let parameters = state.parameters();
        let edge = match self.dice.below(5) {
            0 => state.window_open().opening.closes.get(),
            1 => tables.quotes.values().last()?.valid_until.get(),
            2 => state.expired_reservations(TimeMs::new(u64::MAX)).first()?.1.expires.get(),
            3 => tables.transfers.values().last()?.proposed.get() + parameters.transfer_validity_ms,
            _ => state.outstanding_instructions().next()?.deadline.get() + parameters.step_in_ms,
        };
        let until = edge.checked_sub(state.time().get())? + self.dice.below(3);
        until.checked_sub(1).filter(|until| (1..200_000).contains(until))
    }
}

/// The chain in the eyes of the foes, or a copy on which they try something.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub state: &'a State,
    pub past: &'a dyn History,
    pub purse: &'a Purse,
    /// Time of the block in the making.
    pub time: u64,
}
