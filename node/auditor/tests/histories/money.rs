//! What is said of orders, reservations, instructions, windows and returns.

use chain_state::{InstructionRecord, OrderStatus, QuoteRecord, Record, Reservation};
use chain_types::hash::sha256;
use chain_types::{
    CollectItem, Digest, Flags, HoldDecisionItem, InstructionId, MerchantId, OrderId,
    ParticipantId, PolicyItem, RechargeItem, ReturnItem, SettleWindowItem, SettlementDecisionItem,
    TimeMs, VoidItem, WindowId,
};

use crate::chain::Chain;
use crate::item::{Item, Letterhead};
use crate::network::*;
use crate::speaker::{Known, Now, Speaker};

type Said = Option<(u32, Item)>;

/// The largest amount that any chain allows for one order.
const AMOUNT_MAX: u64 = 1_000_000_000_000_000;
/// A fresh id, made a participant's own.
fn own(mut id: [u8; 16], by: u32) -> [u8; 16] {
    id.copy_within(13.., 9);
    id[12..].copy_from_slice(&by.to_be_bytes());
    id
}

/// Above this, a few orders at the highest rate are more than an instruction can hold.
const AMOUNTS_HUGE: u64 = 1_000_000_000_000;

impl Speaker {
    fn amount(&mut self) -> u64 {
        match self.below(200) {
            0 => 0,
            1 => u64::MAX,
            2 => AMOUNT_MAX,
            3 => AMOUNT_MAX + 1,
            4..14 => self.between(5_000, 60_000),
            14..60 => self.between(1, 20),
            _ => self.between(1, 4_000),
        }
    }

    fn gateway(&mut self) -> u32 {
        match self.below(60) {
            0 => 204,
            1 => 205,
            2 => 101,
            3..6 => EVERYBODY,
            _ => self.choose(&[201, 201, 201, 202, 202, 203]),
        }
    }

    pub fn recharge(&mut self, now: Now<'_>) -> Said {
        let order_id = self.id(now);
        let gateway = self.gateway();
        let merchant = match self.below(60) {
            0 => MERCHANTS[4],
            1 => MERCHANTS[5],
            2 => self.choose(&[0, 9, u64::MAX]),
            _ => self.choose(&MERCHANTS[..4]),
        };
        let currency = self.choose(&[CNY, CNY, CNY, CNY, USD, USD, JPY, KWD, CLF]);
        let mut item = RechargeItem {
            order_id,
            user: [self.choose(&[1, 1, 1, 2, 2, 3, 4, 5]); 16],
            merchant: merchant.into(),
            collecting_gateway: gateway.into(),
            amount: self.amount().into(),
            currency: currency.into(),
            payout_currency: currency.into(),
            external_reference: self.reference(),
            ..RechargeItem::default()
        };
        if self.one_in(4) {
            self.convert(now, &mut item);
        }
        match self.below(300) {
            0 => item.flags = 2.into(),
            1 => item.payout_minimum = 1.into(),
            2 => item.payout_currency = USD.into(),
            3 => item.currency = 826.into(),
            4 => item.payout_currency = 826.into(),
            5 => item.fx_quote = 1.into(),
            _ => {}
        }
        if self.one_in(60) {
            item.order_id = self.order_that(|_| true)?.item.order_id;
        }
        if self.one_in(2) {
            item.flags = (item.flags.get() | Flags::COLLECTED).into();
            item.order_id = self.mostly_own(item.order_id, gateway);
            self.follow(now, &item);
            return Some((gateway, item.into()));
        }
        let by = match self.below(20) {
            0 => 103,
            1 => EVERYBODY,
            2..6 => gateway,
            _ => self.choose(&[101, 102]),
        };
        self.fill_line(now, by, &mut item);
        item.order_id = self.mostly_own(item.order_id, by);
        Some((by, item.into()))
    }

    /// An id that ends in who uses it, but for one that was used before, and for the wrong ones.
    fn mostly_own(&mut self, id: [u8; 16], by: u32) -> [u8; 16] {
        let is_known = self.knows(OrderId::from_bytes(id));
        if is_known || self.one_in(60) { id } else { own(id, by) }
    }

    /// Follows an order that is collected at once: it goes back at once, or more follow, until the
    /// window's sum is too large.
    fn follow(&mut self, now: Now<'_>, item: &RechargeItem) {
        let gateway = item.collecting_gateway.get();
        if self.one_in(60) {
            let item = ReturnItem {
                order_id: item.order_id,
                amount: item.amount,
                rested_max: u64::MAX.into(),
                reason: 1.into(),
                sequence: 1.into(),
                reference: [5; 32],
                spare: [0; 4],
            };
            self.queue.push_back((gateway, item.into()));
        }
        if item.payout_currency.get() == JPY && item.amount.get() > AMOUNTS_HUGE {
            for _ in 0..2 {
                let order_id = own(self.id(now), gateway);
                let more = RechargeItem { order_id, ..*item };
                self.queue.push_back((gateway, more.into()));
            }
        }
    }

    /// Makes it an order across currencies, by a quote that is mostly in force.
    fn convert(&mut self, now: Now<'_>, item: &mut RechargeItem) {
        let quotes = now.chain.state.tables().quotes.values();
        let wants_old = self.one_in(12);
        let is_wanted = |quote: &&QuoteRecord| wants_old || quote.valid_until.get() >= now.time;
        let quotes: Vec<QuoteRecord> = quotes.filter(is_wanted).copied().collect();
        if quotes.is_empty() {
            return;
        }
        let quote = self.choose(&quotes);
        item.fx_quote = quote.id.get().into();
        item.currency = quote.currency.get().into();
        item.payout_currency = quote.payout_currency.get().into();
        item.amount = match (quote.currency.get(), quote.payout_currency.get()) {
            (KWD, JPY) => {
                let all = [1, 3, 10_000_000_000_000, 17_000_000_000_000, 19_000_000_000_000];
                self.choose(&all).into()
            }
            (JPY, KWD) => self.choose(&[1, 400_000, 500_000, 1_500_000, 2_500_000]).into(),
            _ => item.amount,
        };
        let left = quote.ceiling.get().saturating_sub(quote.used.get());
        match self.below(40) {
            0 => item.fx_quote = self.choose(&[1, quote.id.get() + 1, u64::MAX]).into(),
            1 => item.payout_currency = self.choose(&CURRENCIES).into(),
            2 | 6 => item.payout_minimum = self.choose(&[1, 100, u64::MAX]).into(),
            3 | 4 if left < AMOUNT_MAX => item.amount = left.into(),
            5 if left < AMOUNT_MAX => item.amount = (left + 1).into(),
            _ => {}
        }
    }

    /// One that its gateway may collect, mostly: reserved, or its user is being debited.
    fn order_that_waits(&mut self, now: Now<'_>) -> Option<Known> {
        let is_debiting = self.one_in(4);
        let status = if is_debiting { OrderStatus::Debiting } else { OrderStatus::Reserved };
        self.order_with(now, status)
    }

    pub fn collect(&mut self, now: Now<'_>) -> Said {
        let known = self.order_that_waits(now)?;
        let order_id = known.item.order_id;
        let item = CollectItem { order_id, reference: self.reference(), spare: [0; 16] };
        Some((known.item.collecting_gateway.get(), item.into()))
    }

    pub fn void(&mut self, now: Now<'_>) -> Said {
        let known = self.order_that_waits(now)?;
        let reason = self.choose(&[1, 2, 3, 3, 2, 1, 1, 1, 0, 4]);
        let item = VoidItem {
            order_id: known.item.order_id,
            reason: reason.into(),
            reference: self.reference(),
            spare: [0; 14],
        };
        let gateway = known.item.collecting_gateway.get();
        let by = if self.one_in(10) { self.choose(&[101, 102, 203]) } else { known.submitter };
        Some((if self.one_in(3) { gateway } else { by }, item.into()))
    }

    /// One of the last instructions, mostly one that is as asked for; now and then an id of none.
    pub fn instruction(
        &mut self,
        now: Now<'_>,
        is_wanted: impl Fn(&InstructionRecord) -> bool,
    ) -> Option<InstructionRecord> {
        let span = if self.one_in(30) { 2_000 } else { 60 };
        let last = || now.chain.instructions.values().rev().take(span).cloned();
        let mut found: Vec<InstructionRecord> = last().filter(is_wanted).collect();
        if found.is_empty() || self.one_in(6) {
            found = last().collect();
        }
        if found.is_empty() {
            return None;
        }
        let at = usize::try_from(self.below(found.len() as u64)).ok()?;
        let mut found = found.swap_remove(at);
        if self.one_in(40) {
            let InstructionId { window, merchant, .. } = found.id;
            found.id.window = WindowId::new(window.get() + self.below(3) * 1_000);
            found.id.merchant = MerchantId::new(merchant.get() + self.below(2));
        }
        Some(found)
    }

    pub fn settle_window(&mut self, now: Now<'_>) -> Said {
        let open = now.chain.state.window().get();
        let back = if self.one_in(20) { self.below(1_100) } else { self.below(6) };
        let window = (open + 1).saturating_sub(back);
        let reference = self.reference();
        let mut digest = self.report_digest(now, WindowId::new(window)).bytes();
        if self.one_in(15) {
            digest[0] ^= 1;
        }
        let item = SettleWindowItem { window: window.into(), digest, reference, spare: [0; 24] };
        Some((self.choose(&AGENTS[..2]), item.into()))
    }

    /// The digest of a closed window's report, or of the open one's as it is.
    fn report_digest(&self, now: Now<'_>, window: WindowId) -> Digest {
        let open = now.chain.state.open_window();
        let report = now.chain.windows.get(&window).unwrap_or(&open);
        report.digest()
    }

    pub fn decide_settlement(&mut self, now: Now<'_>) -> Said {
        let tables = now.chain.state.tables();
        let waiting: Vec<WindowId> = tables.proposed_settlements.keys().copied().collect();
        let settled: Vec<WindowId> = tables.settled.keys().copied().collect();
        let known = if self.one_in(6) { &settled } else { &waiting };
        let window = match known.len() {
            0 => WindowId::new(now.chain.state.window().get().saturating_sub(self.below(3))),
            _ => self.choose(known),
        };
        let proposed = tables.proposed_settlements.get(&window);
        let agreed = proposed.map(|known| (known.digest, known.reference));
        let booked = tables.settled.get(&window).map(|known| (known.digest, known.reference));
        let (mut digest, mut reference) = agreed.or(booked).unwrap_or_default();
        match self.below(30) {
            0 => digest = sha256(&[b"another"]),
            1 => reference = self.reference(),
            _ => {}
        }
        let item = SettlementDecisionItem {
            window: window.get().into(),
            decision: self.choose(&[1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3]).into(),
            digest: digest.bytes(),
            reference,
            spare: [0; 22],
        };
        let by = self.choose(&[AGENTS[0], AGENTS[1], AGENTS[2], OPERATORS[0]]);
        let checker = tables.settled.get(&window).map(|known| known.checker.get());
        Some((checker.filter(|_| !self.one_in(3)).unwrap_or(by), item.into()))
    }

    pub fn give_back(&mut self, now: Now<'_>) -> Said {
        if self.one_in(25) {
            self.reverse_all(now);
        }
        let is_wanted = |known: &Known| payer(now, known).is_some();
        let known =
            if self.one_in(8) { self.order_that(|_| true)? } else { self.order_that(is_wanted)? };
        let whole = known.item.amount.get();
        let left = whole.saturating_sub(known.returned);
        let amount = match self.below(20) {
            0 => left.saturating_add(1),
            1 => 0,
            2 => u64::MAX,
            3..9 => left,
            _ => 1 + self.below(left.saturating_sub(1).max(1)),
        };
        let sequence = match self.below(20) {
            0 => known.returns,
            1 => known.returns + 2,
            2 => 1,
            _ => known.returns + 1,
        };
        let reason = if self.one_in(30) { self.choose(&[0, 11]) } else { self.choose(&[1, 2, 10]) };
        let mut item = ReturnItem {
            order_id: known.item.order_id,
            amount: amount.into(),
            rested_max: u64::MAX.into(),
            reason: reason.into(),
            sequence: sequence.into(),
            reference: self.reference(),
            spare: [0; 4],
        };
        let collecting = known.item.collecting_gateway.get();
        let by = payer(now, &known).filter(|_| !self.one_in(6)).unwrap_or(collecting);
        self.name_rested(now, by, &mut item);
        Some((by, item.into()))
    }

    /// Names the cashback that rests on an order: all of it, one unit less, or nothing.
    fn name_rested(&mut self, now: Now<'_>, by: u32, item: &mut ReturnItem) {
        let rested = self.rested(now, by, item).unwrap_or_default();
        if rested > 0 && !self.one_in(3) {
            let named = [rested, rested, rested - 1, rested - 1, 0, u64::MAX];
            item.rested_max = self.choose(&named).into();
        }
    }

    /// Returns the sum that would be paid for it by the chain's books.
    fn rested(&self, now: Now<'_>, by: u32, item: &ReturnItem) -> Option<u64> {
        let state = &now.chain.state;
        let at = self.orders.iter().rfind(|known| known.item.order_id == item.order_id)?;
        let of = (at.item.merchant(), at.item.currency());
        state.tables().programmes.get(&of)?;
        let key = self.secret_of(&state.party_keys(ParticipantId::new(by))?.current)?;
        let valid_until = TimeMs::new(now.time + 11_000);
        let head = Letterhead { chain_id: state.chain_id(), submitter: by, key: &key, valid_until };
        let batch = Item::batch(&[(by, Item::from(*item))], &head);
        let executed = now.chain.execute(TimeMs::new(now.time), &[batch], &[]);
        executed.writes.records().iter().find_map(|record| match record {
            Record::Return(found) => Some(found.cashback_rested.get()),
            _ => None,
        })
    }

    /// At the last moment of a converted order's own rate, or one beside it, all that is left of it
    /// goes back.
    pub fn last_at_own_rate(&mut self, chain: &Chain) -> Option<u64> {
        let last = chain.state.time().get();
        let rate_ms = chain.state.parameters().return_rate_ms;
        let edge_of = |known: &Known| {
            known.item.quote()?;
            let collection = chain.collection(&known.item.order_id())?;
            let edge = collection.time.get() + rate_ms;
            let by = payer(Now { chain, time: edge }, known).filter(|_| edge > last + 1)?;
            let left = known.item.amount.get().checked_sub(known.returned);
            Some((known.item.order_id, known.returns, edge, by, left.filter(|left| *left > 0)?))
        };
        let found: Vec<_> = self.orders.iter().rev().take(150).filter_map(edge_of).collect();
        if found.is_empty() {
            return None;
        }
        let (order_id, returns, edge, by, left) = self.choose(&found);
        let item = ReturnItem {
            order_id,
            amount: left.into(),
            rested_max: u64::MAX.into(),
            reason: 2.into(),
            sequence: (returns + 1).into(),
            reference: [9; 32],
            spare: [0; 4],
        };
        self.queue.push_back((by, item.into()));
        Some(edge + self.below(3) - 1)
    }

    /// At the last moment of a reservation, mostly of one that holds a quote, or one beside it, it
    /// is collected.
    pub fn last_of_hold(&mut self, chain: &Chain) -> Option<u64> {
        let reserved = chain.state.expired_reservations(TimeMs::new(u64::MAX));
        let is_any = self.one_in(3);
        let is_wanted = |held: &Reservation| is_any || held.conversion.is_some();
        let quoted: Vec<_> = reserved.into_iter().filter(|(_, held)| is_wanted(held)).collect();
        if quoted.is_empty() {
            return None;
        }
        let (id, held) = self.choose(&quoted);
        let time = held.expires.get() + self.below(3) - 1;
        let item = CollectItem { order_id: id.bytes(), reference: [9; 32], spare: [0; 16] };
        (time > chain.state.time().get())
            .then(|| self.queue.push_back((held.gateway.get(), item.into())))?;
        Some(time)
    }

    /// All that is left of everything that the open window pays a merchant in a currency.
    fn reverse_all(&mut self, now: Now<'_>) {
        let state = &now.chain.state;
        let sums = state.window_open().sums().into_iter();
        let owed: Vec<_> = sums.map(|sums| (sums.merchant, sums.currency)).collect();
        if owed.is_empty() {
            return;
        }
        let (merchant, currency) = self.choose(&owed);
        let from = self.orders.len().saturating_sub(600);
        let of_both = |known: &&Known| {
            known.item.merchant() == merchant && known.item.payout_currency() == currency
        };
        let is_open = |known: &&Known| {
            let collection = now.chain.collection(&known.item.order_id());
            collection.is_some_and(|collection| collection.window == state.window())
        };
        let known: Vec<Known> =
            self.orders[from..].iter().filter(of_both).filter(is_open).cloned().collect();
        for known in known.into_iter().filter(|known| known.returned < known.item.amount.get()) {
            let item = ReturnItem {
                order_id: known.item.order_id,
                amount: (known.item.amount.get() - known.returned).into(),
                rested_max: u64::MAX.into(),
                reason: 1.into(),
                sequence: (known.returns + 1).into(),
                reference: [4; 32],
                spare: [0; 4],
            };
            self.queue.push_back((known.item.collecting_gateway.get(), item.into()));
        }
    }

    pub fn decide_hold(&mut self, now: Now<'_>) -> Said {
        let held: Vec<[u8; 16]> =
            now.chain.state.tables().held.keys().map(|id| id.bytes()).collect();
        let order_id = if held.is_empty() || self.one_in(8) {
            self.order_that(|_| true)?.item.order_id
        } else {
            self.choose(&held)
        };
        let decision = self.choose(&[1, 1, 1, 1, 1, 1, 2, 2, 2, 3]);
        let item = HoldDecisionItem {
            order_id,
            decision: decision.into(),
            reason: self.choose(&[1, 2, 3, 4, 1, 1, 1, 1, 1, 5]).into(),
            reference: self.reference(),
            spare: [0; 12],
        };
        Some((self.choose(&DESKS), item.into()))
    }

    pub fn policy(&mut self) -> Said {
        let (scope, subject) = match self.below(16) {
            0 => (self.choose(&[0, 1, 2, 3]), self.choose(&[1, 101, u64::MAX])),
            1..7 => (0, 0),
            7..11 => (1, u64::from(self.gateway())),
            _ => (2, self.choose(&MERCHANTS)),
        };
        let mut limit = |low: u64, high: u64| match self.below(4) {
            0 => self.between(low, high),
            _ => 0,
        };
        let (order_max, day_max) = (limit(2_000, 20_000), limit(5_000, 60_000));
        let hold_above = limit(100, 3_000);
        let is_scheme = if self.one_in(20) { scope != 0 } else { scope == 0 };
        let item = PolicyItem {
            scope: scope.into(),
            subject: subject.into(),
            currency: self.choose(&[CNY, CNY, CNY, USD, JPY, 826]).into(),
            order_max: order_max.into(),
            user_day_max: if is_scheme { day_max } else { 0 }.into(),
            day_max: if is_scheme { 0 } else { day_max }.into(),
            hold_above: hold_above.into(),
            spare: [0; 20],
        };
        Some((self.choose(&DESKS), item.into()))
    }
}

/// Returns the gateway that may return a collected order, if its money can be returned.
fn payer(now: Now<'_>, known: &Known) -> Option<u32> {
    let state = &now.chain.state;
    let collection = now.chain.collection(&known.item.order_id())?;
    let (merchant, currency) = (known.item.merchant(), known.item.payout_currency());
    if collection.window == state.window() {
        return state.merchant(merchant).map(|found| found.payout_gateway.get());
    }
    let id = InstructionId { window: collection.window, merchant, currency };
    let record = now.chain.instructions.get(&id)?;
    (!record.is_outstanding()).then_some(record.gateway.get())
}
