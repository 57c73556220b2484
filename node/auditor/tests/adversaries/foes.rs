//! What foes say: whatever any of them may say, at a moment at which it may gain something, and
//! copies of it with other content, of others' ids, and once more.

use chain_state::{InstructionRecord, TransferStatus};
use chain_types::{
    Change, Currency, Merchant, MerchantId, OrderId, Parameters, ParticipantId, QuoteId, RateItem,
    TimeMs, WindowId,
};

use crate::coalition::{Coalition, HONEST_USERS_FROM};
use crate::dice::Dice;
use crate::item::Item;
use crate::known::{Known, is_kept_out};
use crate::lines::{LIQUIDITY, POSITION};
use crate::market::{PAIRS, SCALE, quote};
use crate::network::*;
use crate::purse::Sold;
use crate::words::{self, Ids, Wanted};
use crate::world::{View, Word};

/// One who says something for the foes.
pub struct Foe<'a> {
    pub foes: &'a Coalition,
    pub dice: &'a mut Dice,
    pub ids: &'a mut Ids,
    pub view: View<'a>,
    /// The rate of each pair in the eyes of honest providers.
    pub mantissas: [u64; 3],
    pub quote_number: u32,
}

impl Foe<'_> {
    /// Something that a foe may say now, if the dice find anything.
    pub fn word(&mut self) -> Option<Word> {
        let by = self.dice.any(&self.foes.members())?;
        let is = |some: &[u32]| some.contains(&by);
        let mut ways: Vec<fn(&mut Self, u32) -> Option<Item>> = Vec::new();
        if is(&self.foes.gateways) {
            ways.extend([
                Self::collection as fn(&mut Self, u32) -> Option<Item>,
                Self::collection,
                Self::step,
                Self::debiting,
                Self::consent,
                Self::line,
                Self::attestation,
                Self::attestation,
                Self::bounce,
                Self::give_back,
                Self::give_back,
                Self::reverse,
            ]);
        }
        if is(&self.foes.providers) {
            ways.extend([
                Self::rate as fn(&mut Self, u32) -> Option<Item>,
                Self::quote,
                Self::line,
            ]);
        }
        if is(&self.foes.services) {
            ways.extend([
                Self::reservation as fn(&mut Self, u32) -> Option<Item>,
                Self::step,
                Self::consent,
            ]);
        }
        if is(&self.foes.agents) {
            ways.extend([
                Self::transfer as fn(&mut Self, u32) -> Option<Item>,
                Self::decide,
                Self::settle,
                Self::interfere,
                Self::interfere,
                Self::give_back,
            ]);
        }
        if is(&self.foes.operators) || by == HOUSE {
            ways.extend([
                Self::change as fn(&mut Self, u32) -> Option<Item>,
                Self::decide,
                Self::vote,
            ]);
        }
        let way = self.dice.any(&ways)?;
        way(self, by).map(|item| (by, item))
    }

    fn amount(&mut self) -> u64 {
        if self.dice.one_in(5) {
            // Shares of these were rounded up once; and the least orders are among them.
            return self.dice.choose(&[6, 7, 12, 13, 14, 16, 19, 30, 31, 32]);
        }
        let most = self.dice.choose(&[5, 60, 3_000, 60_000]);
        self.dice.between(1, most)
    }

    fn wanted(&mut self, gateway: u32) -> Option<Wanted> {
        let mut wanted = Wanted {
            gateway,
            merchant: self.dice.choose(&MERCHANTS[..4]),
            user: self.dice.choose(&[1, 1, 1, 2, 3]),
            amount: self.amount(),
            currency: self.dice.choose(&[CNY, CNY, USD]),
            conversion: None,
            is_collected: false,
        };
        if self.dice.one_in(2) {
            let quotes: Vec<_> = self.view.state.tables().quotes.values().copied().collect();
            let quote = self.dice.any(&quotes)?;
            wanted.currency = quote.currency.get();
            wanted.conversion = Some((quote.id.get(), quote.payout_currency.get()));
            if self.dice.one_in(4) {
                wanted.amount =
                    quote.ceiling.get().saturating_sub(quote.used.get()).clamp(1, 60_000);
            }
        }
        Some(wanted)
    }

    /// Gateways of the foes collect from users of theirs.
    fn collection(&mut self, by: u32) -> Option<Item> {
        let mut wanted = self.wanted(by)?;
        wanted.is_collected = !self.dice.one_in(4);
        let owner = if self.dice.one_in(30) { self.dice.choose(&GATEWAYS) } else { by };
        let id = self.ids.order(owner, self.view.time);
        Some(words::recharge(id, wanted))
    }

    fn reservation(&mut self, by: u32) -> Option<Item> {
        let gateway = self.dice.choose(&[201, 202, 203, EVERYBODY]);
        let wanted = self.wanted(gateway)?;
        let id = self.ids.order(by, self.view.time);
        Some(words::recharge(id, wanted))
    }

    /// A reservation is collected or voided, in time or not.
    fn step(&mut self, by: u32) -> Option<Item> {
        let reserved = self.view.state.expired_reservations(TimeMs::new(u64::MAX));
        let (id, held) = self.dice.any(&reserved)?;
        if held.gateway.get() == by && self.dice.one_in(2) {
            return Some(words::collect(id));
        }
        Some(words::void(id))
    }

    /// A user pays, whoever's, or does not.
    fn debiting(&mut self, _by: u32) -> Option<Item> {
        let reserved = self.view.state.expired_reservations(TimeMs::new(u64::MAX));
        let (id, _) = self.dice.any(&reserved)?;
        Some(words::debiting(id))
    }

    /// A service, or who pays the merchant, agrees that an order goes back.
    fn consent(&mut self, _by: u32) -> Option<Item> {
        let sold = self.sold_now(|_| true)?;
        let amount = self.part(&sold).saturating_add(sold.returned);
        Some(words::consent(sold.item.order_id(), amount))
    }

    /// Lines of the foes' own accounts, and of accounts that they do not have.
    fn line(&mut self, by: u32) -> Option<Item> {
        let account = match self.dice.below(8) {
            0 => self.dice.choose(&[LIQUIDITY, POSITION, 3]),
            _ if PROVIDERS.contains(&by) => POSITION,
            _ => LIQUIDITY,
        };
        let holder = self.dice.choose(&[101, 102, 201, 202, 203, EVERYBODY]);
        let currency = self.dice.choose(&[CNY, USD, JPY]);
        let limit = self.dice.choose(&[0, 1, 5_000, u64::MAX]);
        Some(words::line(account, holder, currency, limit))
    }

    fn sold(&mut self) -> Option<Sold> {
        let known = &self.view.purse.sold_last;
        let from = known.len().saturating_sub(if self.dice.one_in(8) { 2_000 } else { 60 });
        let id = self.dice.any(&known[from..])?;
        self.view.purse.sold.get(&id).copied()
    }

    /// Mostly one of the open window that is as asked for.
    fn sold_now(&mut self, is_wanted: impl Fn(&Sold) -> bool) -> Option<Sold> {
        let window = self.view.state.window();
        let is_meant = |sold: &Sold| sold.window == window && is_wanted(sold);
        let all = self.view.purse.sold_last.iter().rev().take(60);
        let all = all.filter_map(|id| self.view.purse.sold.get(id));
        let found: Vec<Sold> = all.filter(|sold| is_meant(sold)).copied().collect();
        if self.dice.one_in(6) { self.sold() } else { self.dice.any(&found) }
    }

    /// An instruction that waits, or that of one of the last orders.
    fn instruction(&mut self) -> Option<InstructionRecord> {
        if self.dice.one_in(2) {
            let outstanding: Vec<InstructionRecord> =
                self.view.state.outstanding_instructions().cloned().collect();
            return self.dice.any(&outstanding);
        }
        let id = self.sold()?.instruction();
        let known = self.view.state.instruction(&id).cloned();
        known.or_else(|| self.view.past.instruction(&id))
    }

    fn attestation(&mut self, by: u32) -> Option<Item> {
        let record = self.instruction()?;
        if record.gateway.get() != by && !self.dice.one_in(8) {
            return None;
        }
        let amount = match self.dice.below(10) {
            0 => record.amount.get(),
            1 => record.left().get() + 1,
            _ => record.left().get(),
        };
        Some(match self.dice.below(4) {
            0 => words::fail(&record, self.dice.choose(&[1, 2, 4, 5, 7])),
            _ => words::arrive(&record, amount),
        })
    }

    fn bounce(&mut self, by: u32) -> Option<Item> {
        let record = self.instruction()?;
        let may = record.gateway.get() == by || self.dice.one_in(8);
        may.then(|| words::bounce(&record, self.dice.choose(&[1, 2, 8])))
    }

    /// A part of an order that hurts most when parts are rounded.
    fn part(&mut self, sold: &Sold) -> u64 {
        let left = sold.item.amount.get().saturating_sub(sold.returned);
        match self.dice.below(6) {
            0 | 1 => left,
            2 => self.dice.between(1, 3).min(left.max(1)),
            3 => left + 1,
            4 => left / 2 + 1,
            _ => self.dice.between(1, left.max(1)),
        }
    }

    /// Whoever has the word over an order's money gives it back.
    fn give_back(&mut self, _by: u32) -> Option<Item> {
        let sold = self.sold()?;
        let sequence = sold.returns + u16::from(!self.dice.one_in(12));
        Some(self.word_of_return(&sold, sequence))
    }

    /// Has the collecting gateway take back an order, whatever its merchant was told.
    fn reverse(&mut self, by: u32) -> Option<Item> {
        let sold = self.sold_now(|sold| sold.gateway() == by)?;
        if sold.gateway() != by && !self.dice.one_in(8) {
            return None;
        }
        Some(self.word_of_return(&sold, sold.returns + 1))
    }

    /// It may cost anything.
    fn word_of_return(&mut self, sold: &Sold, sequence: u16) -> Item {
        let part = self.part(sold);
        let rested_max = match self.dice.below(6) {
            0 => 0,
            1 => part,
            2 => self.dice.between(1, part.max(1)),
            _ => u64::MAX,
        };
        words::give_back(sold.item.order_id(), part, rested_max, sequence)
    }

    fn rate(&mut self, _by: u32) -> Option<Item> {
        let pair = usize::try_from(self.dice.below(3)).ok()?;
        let (from, to, _) = PAIRS[pair];
        let per_mille = self.dice.choose(&[1_000, 999, 1_002, 1_019, 981, 500, 2_000, 1]);
        let mantissa = (self.mantissas[pair] * per_mille / 1_000).max(1);
        let pair = (Currency::new(from), Currency::new(to));
        Some(RateItem::new(pair, (mantissa, SCALE), TimeMs::new(self.view.time)).into())
    }

    fn quote(&mut self, by: u32) -> Option<Item> {
        let pair = usize::try_from(self.dice.below(3)).ok()?;
        let per_mille = self.dice.choose(&[997, 998, 1_000, 1_002, 1_003, 990, 1_050, 500]);
        let rate = (self.mantissas[pair] * per_mille, SCALE + 3);
        let id = QuoteId::of(ParticipantId::new(by), self.quote_number);
        let until = self.view.time + self.dice.choose(&[1, 800, 8_000, 60_000]);
        let ceiling = self.dice.choose(&[10, 4_000, u64::MAX]);
        Some(quote(id, pair, rate, ceiling, until))
    }

    /// Money of the foes comes in that never came, goes out twice, is lent to them without end;
    /// and that of others goes.
    fn transfer(&mut self, _by: u32) -> Option<Item> {
        let own = [self.foes.gateways.as_slice(), &self.foes.providers].concat();
        let party = if self.dice.one_in(4) { 202 } else { self.dice.any(&own)? };
        let (kind, owner) = match self.dice.below(8) {
            0 => (3, self.dice.choose(&MERCHANTS[..4])),
            _ if PROVIDERS.contains(&party) => (5, u64::from(party)),
            _ => (self.dice.choose(&[1, 1, 1, 5]), u64::from(party)),
        };
        let currency = self.dice.choose(&[CNY, CNY, USD, JPY]);
        let kind_of = chain_state::AccountKind::from_number(u8::try_from(kind).ok()?)?;
        let key =
            chain_state::AccountKey { kind: kind_of, owner, currency: Currency::new(currency) };
        let account = self.view.state.account(&key).copied().unwrap_or_default();
        let settled = u64::try_from(account.settled).unwrap_or(0);
        let balance = u64::try_from(account.balance()).unwrap_or(0);
        let action = self.dice.choose(&[1, 2, 2, 2, 3]);
        let amount = match self.dice.below(4) {
            0 => settled.max(1),
            1 => balance.max(1),
            2 => settled.saturating_add(1),
            _ => self.amount(),
        };
        let id = self.ids.other(self.view.time);
        Some(words::transfer(id, action, (kind, owner, currency), amount))
    }

    /// A transfer or settlement is approved, theirs before all.
    fn decide(&mut self, _by: u32) -> Option<Item> {
        let tables = self.view.state.tables();
        if self.dice.one_in(3) {
            let waiting: Vec<_> = tables.proposed_settlements.iter().collect();
            let (window, known) = self.dice.any(&waiting)?;
            let is_approval = !self.dice.one_in(3);
            return Some(words::decide_settlement(*window, is_approval, known.digest.bytes()));
        }
        let is_open = self.dice.below(8) > 0;
        let all = tables.transfers.values();
        let wanted: Vec<_> =
            all.filter(|known| !is_open || known.status == TransferStatus::Proposed).collect();
        let own: Vec<_> =
            wanted.iter().copied().filter(|known| self.foes.holds(known.maker.get())).collect();
        let known = self.dice.any(if own.is_empty() { &wanted } else { &own })?;
        let amount = known.amount.get() + u64::from(self.dice.one_in(12));
        let action = known.action.number();
        let is_approval = !self.dice.one_in(6);
        Some(words::decide_transfer(known.id.bytes(), is_approval, action, amount))
    }

    fn settle(&mut self, _by: u32) -> Option<Item> {
        let open = self.view.state.window().get();
        let window = WindowId::new(open.checked_sub(self.dice.below(6))?);
        let digest = match self.view.past.window(window) {
            Some(report) => report.digest().bytes(),
            None => [7; 32],
        };
        Some(words::settle(window, digest))
    }

    /// An agent recalls, ends or gives again what others pay.
    fn interfere(&mut self, _by: u32) -> Option<Item> {
        let record = self.instruction()?;
        Some(match self.dice.below(4) {
            0 => words::recall(&record),
            1 | 2 => words::step_in(&record, self.dice.choose(&[1, 4, 6, 13, 13])),
            _ => words::reinstruct(&record),
        })
    }

    /// An operator changes the rules, or who is paid.
    fn change(&mut self, _by: u32) -> Option<Item> {
        let state = self.view.state;
        let merchant = self.dice.choose(&MERCHANTS[..4]);
        let known = state.merchant(MerchantId::new(merchant))?.clone();
        let gateways = &self.foes.gateways;
        let index = u16::try_from(self.dice.below(Parameters::NAMES.len() as u64)).ok()?;
        let change = match self.dice.below(4) {
            0 => Change::Merchant(Merchant {
                payout_gateway: ParticipantId::new(self.dice.any(gateways)?),
                ..known
            }),
            1 => Change::Parameter { index, value: self.dice.choose(&[1, 1_000, 60_000]) },
            2 => Change::ParticipantSuspended {
                participant: ParticipantId::new(self.dice.choose(&[201, 202, 401, 602])),
                suspended: true,
            },
            _ => Change::MerchantSuspended { merchant: MerchantId::new(merchant), suspended: true },
        };
        let height = state.height().plus(1 + state.parameters().governance_notice_heights);
        Some(words::propose(self.ids.other(self.view.time), height, &change).into())
    }

    fn vote(&mut self, _by: u32) -> Option<Item> {
        let proposals = self.view.state.tables().proposals.values();
        let known: Vec<_> =
            proposals.map(|known| (known.id.bytes(), known.digest.bytes())).collect();
        let (id, digest) = self.dice.any(&known)?;
        Some(words::vote(id, digest, self.dice.one_in(2)))
    }

    /// The same with another content, another's id, or the same once more.
    pub fn twist(&mut self, mut word: Word) -> Word {
        match self.dice.below(3) {
            0 => {
                let last = word.1.bytes_mut().len() - 1;
                let at = self.dice.below(last as u64 + 1);
                word.1.bytes_mut()[usize::try_from(at).unwrap()] ^= 1;
            }
            1 => {
                if let Some(by) = self.dice.any(&self.foes.members()) {
                    word.0 = by;
                }
            }
            _ => {}
        }
        word
    }

    /// Returns true if nothing in a word is known to be a gain that the rules still allow.
    pub fn is_tried(&self, (_, item): &Word) -> bool {
        match item {
            Item::Recharge(item) => item.user[0] < HONEST_USERS_FROM,
            // A twist may name another order or amount.
            Item::Consent(item) => {
                let sold = self.view.purse.sold.get(&OrderId::from_bytes(item.order_id));
                let merchant = sold.map(|sold| sold.item.merchant.get());
                !is_kept_out(Known::ConsentInLeague)
                    || merchant.is_some_and(|merchant| self.foes.holds_merchant(merchant))
            }
            _ => true,
        }
    }
}
