//! What is said of lines, and what goes to their last unit.

use chain_state::{LineRecord, OrderStatus};
use chain_types::{Flags, LineAccount, LineItem, LineKey, RechargeItem};

use crate::chain::Chain;
use crate::item::Item;
use crate::network::*;
use crate::speaker::{Now, Speaker};

impl Speaker {
    /// A line that stands, mostly at the edge of what is reserved under it; or another.
    pub fn line(&mut self, now: Now<'_>) -> Option<(u32, Item)> {
        let standing: Vec<LineRecord> = now.chain.state.tables().lines.values().copied().collect();
        let used: Vec<LineRecord> =
            standing.iter().filter(|line| line.outstanding.get() > 0).copied().collect();
        let known = match self.below(4) {
            0 if !used.is_empty() => Some(self.choose(&used)),
            0 | 1 if !standing.is_empty() => Some(self.choose(&standing)),
            _ => None,
        };
        if let Some(line) = known {
            let outstanding = line.outstanding.get();
            let limit = match self.below(6) {
                0 => outstanding,
                1 => outstanding + 1,
                2 => 0,
                3 => line.limit.get(),
                4 => u64::MAX,
                _ => self.limit(line.key.currency.get()),
            };
            return Some((line.key.owner.get(), item(line.key.account.number(), &line.key, limit)));
        }
        let is_provider = self.one_in(2);
        let owners = if is_provider { &PROVIDERS[..] } else { &GATEWAYS };
        let owner = if self.one_in(5) { EVERYBODY } else { self.choose(owners) };
        let holders = [&SERVICES[..], &GATEWAYS, &PROVIDERS[..1], &[EVERYBODY, STRANGER]].concat();
        let holder = if self.one_in(2) { self.choose(&SERVICES) } else { self.choose(&holders) };
        let account = match self.below(30) {
            0 => self.choose(&[0, 2, 9]),
            1 => self.choose(&[1, 5]),
            _ if is_provider => LineAccount::FxPosition.number(),
            _ => LineAccount::GatewayLiquidity.number(),
        };
        let currency = if self.one_in(30) { 826 } else { self.choose(&CURRENCIES) };
        let limit = if self.one_in(8) { 0 } else { self.limit(currency) };
        Some((
            owner,
            LineItem {
                account: account.into(),
                holder: holder.into(),
                currency: currency.into(),
                limit: limit.into(),
                spare: [0; 48],
            }
            .into(),
        ))
    }

    /// Orders in what is worth least are large.
    fn limit(&mut self, currency: u16) -> u64 {
        if [JPY, KWD].contains(&currency) { u64::MAX } else { self.between(2_000, 60_000) }
    }

    /// Now and then exactly what the collecting gateway's line still holds, or one unit more.
    pub fn fill_line(&mut self, now: Now<'_>, by: u32, item: &mut RechargeItem) {
        let is_single = item.fx_quote.get() == 0 && item.flags.get() & Flags::COLLECTED == 0;
        if !is_single || !self.one_in(12) {
            return;
        }
        let key = LineKey {
            account: LineAccount::GatewayLiquidity,
            owner: item.collecting_gateway(),
            currency: item.currency(),
            holder: chain_types::ParticipantId::new(by),
        };
        let Some(line) = now.chain.state.tables().lines.get(&key) else { return };
        let left = line.limit.get().saturating_sub(line.outstanding.get());
        if left < 100_000 {
            item.amount = (left + self.below(2)).into();
        }
    }
}

fn item(account: u16, key: &LineKey, limit: u64) -> Item {
    LineItem {
        account: account.into(),
        holder: key.holder.get().into(),
        currency: key.currency.get().into(),
        limit: limit.into(),
        spare: [0; 48],
    }
    .into()
}

/// Checks that the outstanding sum of each line is that of its holder's open reservations.
pub fn check_sums(chain: &Chain) {
    let state = &chain.state;
    let mut sums = std::collections::BTreeMap::<LineKey, u128>::new();
    for (id, held) in state.expired_reservations(chain_types::TimeMs::new(u64::MAX)) {
        let status = chain.status(&id);
        let is_open = matches!(status, Some(OrderStatus::Reserved | OrderStatus::Debiting));
        assert!(is_open, "{status:?}");
        let holder = held.submitter;
        let (account, owner) = (LineAccount::GatewayLiquidity, held.gateway);
        let key = LineKey { account, owner, currency: held.currency, holder };
        let mut uses = vec![(key, held.amount)];
        if let Some(conversion) = held.conversion {
            let (account, owner) = (LineAccount::FxPosition, conversion.quote.provider());
            let currency = conversion.payout_currency;
            uses.push((LineKey { account, owner, currency, holder }, conversion.payout));
        }
        for (key, amount) in uses.into_iter().filter(|(key, _)| key.owner != holder) {
            *sums.entry(key).or_default() += u128::from(amount.get());
        }
    }
    let lines = &state.tables().lines;
    let outstanding = lines.iter().filter(|(_, line)| line.outstanding.get() > 0);
    let outstanding = outstanding.map(|(key, line)| (*key, u128::from(line.outstanding.get())));
    assert!(outstanding.eq(sums), "block {}: lines and reservations differ", state.height());
}
