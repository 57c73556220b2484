//! What honest parties do: they pay what they attest, approve what they have seen, and do their
//! duty in time, more or less.

use chain_state::{
    History, InstructionRecord, InstructionStatus, OrderStatus, TransferRecord, TransferStatus,
};
use chain_types::{
    Amount, CashbackTier, Change, Currency, Merchant, MerchantId, OrderId, ParticipantId,
    Programme, QuoteId, TimeMs, TransferAction, WindowId,
};

use crate::coalition::HONEST_USERS_FROM;
use crate::item::Item;
use crate::lines::{LIQUIDITY, POSITION};
use crate::market::{PAIRS, SCALE, quote};
use crate::network::*;
use crate::purse::Sold;
use crate::words::{self, Account, Wanted};
use crate::world::{THIRD_AGENT, Word, World};

/// Users of honest gateways, besides the foes' that come to them.
const USERS: [u8; 5] = [10, 11, 12, 13, 14];
const CURRENCIES_USED: [u16; 3] = [CNY, USD, JPY];
/// Orders above it wait for a desk.
const HOLD_ABOVE: u64 = 3_000;
/// The limit that a gateway grants a service, in minor units.
const LINE: u64 = 6_000;
/// How long after its reservation a user pays.
const DEBIT_MS: u64 = 500;
/// How many windows wait to be settled at most before somebody looks.
const UNSETTLED: u64 = 12;

impl World {
    /// Of every second network, what merchants promise; the others have no programme at all.
    pub fn programmes_of(seed: u64) -> Vec<Programme> {
        // The least orders are as low as the tiers allow.
        let (tiers, tiers_least): (&[(u16, u16)], u64) = match seed % 4 {
            1 => (&[(5, 800)], 13),
            2 => (&[(1, 333), (3, 1_000)], 31),
            _ => return Vec::new(),
        };
        // In every third network one gateway takes no part.
        let all = [201, 202, 203, EVERYBODY];
        let gateways = if seed.is_multiple_of(3) { &all[1..] } else { &all[..] };
        let tiers = tiers.iter().map(|(above, basis_points)| CashbackTier {
            above: *above,
            basis_points: *basis_points,
        });
        let programme = |merchant| Programme {
            merchant: MerchantId::new(merchant),
            currency: Currency::new(CNY),
            tiers: tiers.clone().collect(),
            order_least: Amount::new(tiers_least),
            gateways: gateways.iter().copied().map(ParticipantId::new).collect(),
            order_max: Amount::new(if seed % 8 < 4 { 0 } else { 300 }),
            user_month_max: Amount::new(0),
            offset_min: 480,
            is_active: true,
        };
        MERCHANTS[..3].iter().map(|merchant| programme(*merchant)).collect()
    }

    /// Caps and budgets, so that something can happen, and the programmes.
    pub fn prologue(&mut self) {
        let mut transfers: Vec<(u16, Account, u64)> = Vec::new();
        for currency in CURRENCIES_USED {
            for provider in [401, 402, 403, EVERYBODY] {
                transfers.push((3, (5, u64::from(provider), currency), 400_000));
            }
            transfers.push((3, (1, u64::from(EVERYBODY), currency), 60_000));
        }
        for programme in &self.programmes {
            transfers.push((1, (3, programme.merchant.get(), CNY), 20_000));
        }
        self.give_lines();
        // Before anything else happens, agents of two houses are at hand.
        let mut decisions = Vec::new();
        for (action, account, amount) in transfers {
            let id = self.ids.other(self.time);
            self.queue.push_back((602, words::transfer(id, action, account, amount)));
            decisions.push((601, words::decide_transfer(id, true, action, amount)));
        }
        self.queue.extend(decisions);
        self.queue.push_back((DESKS[0], words::policy(CNY, HOLD_ABOVE)));
        for programme in self.programmes.clone() {
            self.change(&Change::Programme(programme));
        }
    }

    /// Everybody lets services reserve on its account, and providers let gateways as well.
    fn give_lines(&mut self) {
        for currency in CURRENCIES_USED {
            for gateway in [201, 202, 203, EVERYBODY] {
                for service in [101, 102] {
                    let word = words::line(LIQUIDITY, service, currency, LINE);
                    self.queue.push_back((gateway, word));
                }
            }
            for provider in [401, 402, 403, EVERYBODY] {
                for holder in [101, 102, 201, 202, 203, EVERYBODY] {
                    if holder != provider {
                        let word = words::line(POSITION, holder, currency, 4 * LINE);
                        self.queue.push_back((provider, word));
                    }
                }
            }
        }
    }

    fn change(&mut self, change: &Change) {
        let operators = self.foes.honest(&OPERATORS);
        let state = &self.chain.state;
        let height = state.height().plus(2 + state.parameters().governance_notice_heights);
        let proposal = words::propose(self.ids.other(self.time), height, change);
        self.queue.push_back((operators[0], proposal.into()));
        let vote = words::vote(proposal.proposal_id, proposal.digest().bytes(), true);
        self.queue.push_back((operators[1], vote));
    }

    /// Returns the words that honest parties owe in every block.
    pub fn duties(&mut self) -> Vec<Word> {
        let mut said = Vec::new();
        let per_mille = self.dice.below(15);
        self.market.go_on(self.time, per_mille);
        for (pair, provider) in self.stale_rates() {
            said.push((provider, self.market.publish(pair, self.time)));
        }
        for id in self.debited() {
            let Some(held) = self.chain.state.reservation(&id) else { continue };
            let gateway = held.gateway.get();
            // What is debited is collected in the next block.
            let is_new = self.debiting.insert(id);
            let word = if is_new { words::debiting(id) } else { words::collect(id) };
            said.push((gateway, word));
        }
        said
    }

    /// Rates of honest providers that have half their time behind them.
    fn stale_rates(&self) -> Vec<(usize, u32)> {
        let state = &self.chain.state;
        let fresh_ms = state.parameters().rate_fresh_ms;
        let mut stale = Vec::new();
        for provider in self.foes.honest(&[401, 402, 403, EVERYBODY]) {
            for (pair, (from, to, _)) in PAIRS.into_iter().enumerate() {
                let key = (Currency::new(from), Currency::new(to), ParticipantId::new(provider));
                let last = state.tables().rates.get(&key);
                if last.is_none_or(|last| last.observed.get() + fresh_ms / 2 < self.time) {
                    stale.push((pair, provider));
                }
            }
        }
        stale
    }

    /// Reservations of honest gateways whose users pay now.
    fn debited(&mut self) -> Vec<OrderId> {
        let reserved = self.chain.state.expired_reservations(TimeMs::new(u64::MAX));
        let is_due = |held: &chain_state::Reservation| {
            held.accepted.get() + DEBIT_MS < self.time && !self.foes.holds(held.gateway.get())
        };
        let due = reserved.into_iter().filter(|(_, held)| is_due(held)).map(|(id, _)| id);
        // Every fourth user does not pay.
        due.filter(|id| !id.bytes()[11].is_multiple_of(4)).collect()
    }

    /// One word of somebody honest.
    pub fn honest(&mut self) -> Vec<Word> {
        let said = match self.dice.below(100) {
            0..32 => self.honest_order(),
            32..52 => self.honest_payment(),
            52..62 => self.honest_return(),
            62..74 => self.honest_settlement(),
            74..82 => self.honest_transfer(),
            82..88 => self.honest_quote(),
            88..92 => self.honest_agents(),
            92..94 => self.honest_void(),
            94..96 => self.honest_desk(),
            96 => self.honest_operators(),
            97 => self.honest_line(),
            _ => self.honest_decision(),
        };
        said.unwrap_or_default()
    }

    fn honest_order(&mut self) -> Option<Vec<Word>> {
        let gateways = self.foes.honest(&[201, 201, 202, 203, EVERYBODY]);
        let gateway = self.dice.any(&gateways)?;
        let currency = self.dice.choose(&[CNY, CNY, CNY, USD, JPY]);
        let is_foe = self.dice.one_in(3);
        let user = if is_foe { self.dice.choose(&[1, 2, 3]) } else { self.dice.choose(&USERS) };
        assert!(is_foe || user >= HONEST_USERS_FROM);
        let amount = self.dice.choose(&[20, 4_000, 1_500]);
        let mut wanted = Wanted {
            gateway,
            merchant: self.dice.choose(&MERCHANTS[..4]),
            user,
            amount: self.dice.between(1, amount),
            currency,
            conversion: None,
            is_collected: self.dice.one_in(2),
        };
        if self.dice.one_in(3) {
            let quotes = self.chain.state.tables().quotes.values();
            let live = quotes.filter(|quote| quote.valid_until.get() >= self.time);
            let live: Vec<_> = live.copied().collect();
            let quote = self.dice.any(&live)?;
            wanted.currency = quote.currency.get();
            wanted.conversion = Some((quote.id.get(), quote.payout_currency.get()));
        }
        let services = self.foes.honest(&[101, 102]);
        let by = match self.dice.any(&services) {
            Some(service) if !wanted.is_collected => service,
            _ => gateway,
        };
        let id = self.ids.order(by, self.time);
        Some(vec![(by, words::recharge(id, wanted))])
    }

    /// An outstanding instruction of an honest gateway is paid; now and then it cannot be.
    fn honest_payment(&mut self) -> Option<Vec<Word>> {
        let state = &self.chain.state;
        let is_honest = |record: &&InstructionRecord| !self.foes.holds(record.gateway.get());
        let found: Vec<InstructionRecord> =
            state.outstanding_instructions().filter(is_honest).cloned().collect();
        let record = self.dice.any(&found)?;
        let by = record.gateway.get();
        let item = match self.dice.below(12) {
            0 => words::fail(&record, self.dice.choose(&[1, 2, 4, 4, 5])),
            1 if record.recalled.is_some() => words::fail(&record, 7),
            _ => words::arrive(&record, record.left().get()),
        };
        Some(vec![(by, item)])
    }

    /// One of the last orders.
    pub fn sold_recently(&mut self) -> Option<Sold> {
        let known = &self.purse.sold_last;
        let from = known.len().saturating_sub(if self.dice.one_in(8) { 2_000 } else { 120 });
        let id = self.dice.any(&known[from..])?;
        self.purse.sold.get(&id).copied()
    }

    /// An order goes back, for its merchant and its user want it so.
    fn honest_return(&mut self) -> Option<Vec<Word>> {
        // Mostly one that may go back now, and small ones on which later cashback rests.
        let (is_small, is_any) = (self.dice.one_in(2), self.dice.one_in(12));
        let is_meant = |world: &Self, sold: &Sold| {
            let record = History::instruction(&world.chain, &sold.instruction());
            let waits = record.is_some_and(|record| record.status == InstructionStatus::Instructed);
            let is_left = sold.returned < sold.item.amount.get();
            is_any || (is_left && !waits && (!is_small || world.is_small(sold)))
        };
        let found = (0..20).find_map(|_| {
            let sold = self.sold_recently()?;
            is_meant(self, &sold).then_some(sold)
        });
        let sold = found?;
        let amount = sold.item.amount.get();
        let left = amount.checked_sub(sold.returned).filter(|left| *left > 0)?;
        let record = History::instruction(&self.chain, &sold.instruction());
        let is_whole = is_small || self.dice.one_in(2);
        let part = if is_whole { left } else { self.dice.between(1, left) };
        let id = sold.item.order_id();
        // Mostly it pays at most what it gives back; now and then its merchant asks for more.
        let rested_max = self.dice.choose(&[part, part, part / 2, 0, u64::MAX, u64::MAX]);
        let word = words::give_back(id, part, rested_max, sold.returns + 1);
        let by = match record {
            None => return self.honest_reversal(&sold, part, word),
            Some(record) if matches!(record.status, InstructionStatus::Arrived { .. }) => {
                if self.dice.one_in(6) && !self.foes.holds(record.gateway.get()) {
                    let bounced = words::bounce(&record, self.dice.choose(&[2, 3, 8]));
                    return Some(vec![(record.gateway.get(), bounced)]);
                }
                record.gateway.get()
            }
            Some(record) => record.gateway.get(),
        };
        if self.foes.holds(by) {
            return None;
        }
        Some(vec![(by, word)])
    }

    /// Returns true if an order is a small one of a programme.
    fn is_small(&self, sold: &Sold) -> bool {
        let item = &sold.item;
        let is_of = |known: &&Programme| {
            (known.merchant, known.currency) == (item.merchant(), item.currency())
        };
        let least = self.programmes.iter().find(is_of).map_or(0, |known| known.order_least.get());
        (least..3 * least).contains(&item.amount.get())
    }

    /// While the window is open, who pays the merchant says it by its own word; or it agrees, or
    /// the service does, and who collected says it.
    fn honest_reversal(&mut self, sold: &Sold, part: u64, word: Item) -> Option<Vec<Word>> {
        let id = sold.item.order_id();
        let payer = self.chain.state.merchant(sold.item.merchant())?.payout_gateway.get();
        let services = self.foes.honest(&[101, 102]);
        let service = services.into_iter().find(|service| id.owner().get() == *service);
        let payers = self.foes.honest(&[payer]);
        let agreed = words::consent(id, sold.returned + part);
        if self.dice.one_in(2) {
            return Some(vec![(*payers.first()?, word)]);
        }
        let by = if self.dice.one_in(2) { service } else { payers.first().copied() };
        // Whether they are in league or not, who collected gets the money back.
        Some(vec![(by.or(service)?, agreed), (sold.gateway(), word)])
    }

    /// Somebody lets others reserve more or less than before.
    fn honest_line(&mut self) -> Option<Vec<Word>> {
        let currency = self.dice.choose(&CURRENCIES_USED);
        let limit = self.dice.choose(&[0, LINE / 4, LINE, LINE, 3 * LINE]);
        if self.dice.one_in(2) {
            let gateway = self.dice.any(&self.foes.honest(&[201, 202, 203, EVERYBODY]))?;
            let holder = self.dice.choose(&[101, 102]);
            return Some(vec![(gateway, words::line(LIQUIDITY, holder, currency, limit))]);
        }
        let provider = self.dice.any(&self.foes.honest(&[401, 402, 403]))?;
        let holder = self.dice.choose(&[101, 102, 201, 202, 203, EVERYBODY]);
        Some(vec![(provider, words::line(POSITION, holder, currency, 4 * limit))])
    }

    /// Two honest agents of two legal entities, neither of the house.
    pub fn agents(&self) -> [u32; 2] {
        let agents = self.foes.honest(&[AGENTS[0], AGENTS[1], THIRD_AGENT]);
        [agents[0], agents[1]]
    }

    /// The banks have moved a window's nets: two agents say so.
    fn honest_settlement(&mut self) -> Option<Vec<Word>> {
        let [maker, checker] = self.agents();
        let state = &self.chain.state;
        let open = state.window().get();
        let back = self.dice.between(1, UNSETTLED);
        let window = WindowId::new(open.checked_sub(back)?);
        let oldest = (0..open).map(WindowId::new).rev().take(200).collect::<Vec<_>>();
        let is_open = |window: &WindowId| !state.tables().is_settled(*window);
        let waits = oldest.into_iter().rev().find(is_open)?;
        let window = if self.dice.one_in(2) { waits } else { window };
        let digest = self.chain.windows.get(&window)?.digest().bytes();
        let decision = words::decide_settlement(window, true, digest);
        if let Some(known) = state.tables().proposed_settlements.get(&window) {
            let by = if known.maker.get() == checker { maker } else { checker };
            return Some(vec![(by, decision)]);
        }
        Some(vec![(maker, words::settle(window, digest)), (checker, decision)])
    }

    /// Money comes in and goes out, and caps change.
    fn honest_transfer(&mut self) -> Option<Vec<Word>> {
        let [maker, checker] = self.agents();
        let gateways = self.foes.honest(&[201, 202, 203]);
        let providers = self.foes.honest(&[401, 402, 403]);
        let (kind, owner) = match self.dice.below(5) {
            0 | 1 => (1, u64::from(self.dice.any(&gateways)?)),
            2 | 3 => (5, u64::from(self.dice.any(&providers)?)),
            _ => (3, self.dice.choose(&MERCHANTS[..3])),
        };
        let currency = self.dice.choose(&[CNY, CNY, USD, JPY]);
        if kind == 3 && (currency != CNY || self.programmes.is_empty()) {
            return None;
        }
        let action = self.dice.choose(&[1, 1, 2, 2, 2, 3]);
        let amount = match action {
            3 if kind == 3 => return None,
            3 => self.dice.between(20_000, 90_000),
            _ => self.dice.between(1, 6_000),
        };
        let id = self.ids.other(self.time);
        let proposal = words::transfer(id, action, (kind, owner, currency), amount);
        let decision = words::decide_transfer(id, !self.dice.one_in(5), action, amount);
        let mut said = vec![(maker, proposal)];
        if self.dice.one_in(3) {
            // It is decided in a later block, or never.
            if self.dice.one_in(2) {
                self.queue.push_back((checker, decision));
            }
        } else {
            said.push((checker, decision));
        }
        Some(said)
    }

    fn honest_quote(&mut self) -> Option<Vec<Word>> {
        let providers = self.foes.honest(&[401, 402, 403, EVERYBODY]);
        let provider = self.dice.any(&providers)?;
        let pair = usize::try_from(self.dice.below(3)).ok()?;
        let number = self.quote_numbers.entry(provider).or_default();
        *number += 1;
        let id = QuoteId::of(ParticipantId::new(provider), *number);
        let rate = (self.market.mantissa(pair) * self.dice.choose(&[998, 999, 1_000]), SCALE + 3);
        let until = self.time + self.dice.between(1_000, 20_000);
        let ceiling = self.dice.choose(&[900, 9_000, 60_000]);
        Some(vec![(provider, quote(id, pair, rate, ceiling, until))])
    }

    /// Agents step in for a silent bank, and give what failed again.
    fn honest_agents(&mut self) -> Option<Vec<Word>> {
        let [first, second] = self.agents();
        let state = &self.chain.state;
        let step_in_ms = state.parameters().step_in_ms;
        let is_silent =
            |record: &&InstructionRecord| record.deadline.get() + step_in_ms < self.time;
        let silent: Vec<InstructionRecord> =
            state.outstanding_instructions().filter(is_silent).cloned().collect();
        if let Some(record) = self.dice.any(&silent) {
            let item = words::step_in(&record, 4);
            return Some(vec![(first, item), (second, item)]);
        }
        let failed =
            |record: &&InstructionRecord| matches!(record.status, InstructionStatus::Failed { .. });
        let all = self.chain.instructions.values().rev().take(200);
        let failed: Vec<InstructionRecord> = all.filter(failed).cloned().collect();
        let record = self.dice.any(&failed)?;
        let by = self.dice.choose(&[first, second]);
        Some(vec![(by, words::reinstruct(&record))])
    }

    /// Voids an order whose user did not pay.
    fn honest_void(&mut self) -> Option<Vec<Word>> {
        let reserved = self.chain.state.expired_reservations(TimeMs::new(u64::MAX));
        let unpaid = reserved.into_iter().filter(|(id, _)| id.bytes()[11].is_multiple_of(4));
        let unpaid: Vec<_> =
            unpaid.filter(|(_, held)| !self.foes.holds(held.gateway.get())).collect();
        let (id, held) = self.dice.any(&unpaid)?;
        Some(vec![(held.gateway.get(), words::void(id))])
    }

    fn honest_desk(&mut self) -> Option<Vec<Word>> {
        let held: Vec<OrderId> = self.chain.state.tables().held.keys().copied().collect();
        let id = self.dice.any(&held)?;
        (self.chain.status(&id) == Some(OrderStatus::Held)).then_some(())?;
        let is_release = !self.dice.one_in(4);
        Some(vec![(self.dice.choose(&DESKS), words::decide_hold(id, is_release))])
    }

    /// A merchant is paid elsewhere: at another account, or by another honest gateway when its own
    /// is silent; and who was suspended is so no longer.
    fn honest_operators(&mut self) -> Option<Vec<Word>> {
        let state = &self.chain.state;
        let known: Vec<Merchant> = state.merchants().take(4).cloned().collect();
        let merchant = self.dice.any(&known)?;
        let honest = self.foes.honest(&[202, 201, 203]);
        let gateway = match self.dice.below(4) {
            0 if self.foes.holds_merchant(merchant.id.get()) => self.dice.any(&honest)?,
            _ => merchant.payout_gateway.get(),
        };
        let payout_account =
            chain_types::Digest::from_bytes([u8::try_from(self.dice.below(200)).ok()?; 32]);
        let payout_gateway = ParticipantId::new(gateway);
        self.change(&Change::Merchant(Merchant { payout_account, payout_gateway, ..merchant }));
        None
    }

    /// Checks what somebody else proposed: approves what its owner wants, refuses the rest.
    fn honest_decision(&mut self) -> Option<Vec<Word>> {
        let [first, second] = self.agents();
        let is_open = |record: &&TransferRecord| record.status == TransferStatus::Proposed;
        let all = self.chain.state.tables().transfers.values();
        let open: Vec<TransferRecord> = all.filter(is_open).copied().collect();
        let record = self.dice.any(&open)?;
        let owner = record.account.owner;
        let is_foes_own = match record.account.kind.number() {
            3 => self.foes.holds_merchant(owner),
            _ => u32::try_from(owner).is_ok_and(|owner| self.foes.holds(owner)),
        };
        let is_foes_word = self.foes.holds(record.maker.get());
        // The foes deposit nothing; but their money is theirs.
        let is_wanted = !is_foes_word || (is_foes_own && record.action == TransferAction::Withdraw);
        let by = if record.maker.get() == first { second } else { first };
        let (action, amount) = (record.action.number(), record.amount.get());
        Some(vec![(by, words::decide_transfer(record.id.bytes(), is_wanted, action, amount))])
    }
}
