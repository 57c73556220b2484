//! Facts that the orders of one merchant, collecting gateway and pair of currencies have in common
//! while batches of orders are executed one after another: they are looked up for the first of
//! them and hold for the others, because such batches change neither registry, policies nor
//! programmes.
//!
//! A batch of many orders looks the accounts of its new lanes up together; nothing else is looked
//! up before an order needs it.

use chain_state::{AccountKey, ExpectedAccount, Numbering, Overlay, Payee, Slot};
use chain_types::{
    Amount, Currency, MerchantId, ParticipantId, Programme, RechargeItem, Rejection, Roles,
};

use crate::calendar::month_of;
use crate::policies::Policies;
use crate::promises;

/// The merchant, gateway and currencies of the orders that share a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LaneKey {
    pub(crate) merchant: MerchantId,
    pub(crate) gateway: ParticipantId,
    pub(crate) currency: Currency,
    pub(crate) payout_currency: Currency,
}

/// The lookups that the orders of a lane share; each is made by the first order that needs it.
#[derive(Debug)]
pub(crate) struct Lane<'a> {
    key: LaneKey,
    currencies: Option<Result<(), Rejection>>,
    parties: Option<Result<(), Rejection>>,
    policies: Option<Policies>,
    programme: Option<Option<Running<'a>>>,
    liquidity: Option<Slot>,
    /// The merchant's account, as it was looked up ahead.
    expected: Option<ExpectedAccount>,
    /// The facts about the merchant that its orders need; `None` inside if the merchant is not
    /// known.
    payee: Option<Option<Payee>>,
    payable: Option<Slot>,
    cashback: Option<(Slot, Slot)>,
    /// Cashback promised on its orders since it was last kept.
    promised: Amount,
}

/// A merchant's programme in force at the block's height.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Running<'a> {
    pub(crate) number: u32,
    pub(crate) programme: &'a Programme,
    /// The programme's month at block time.
    pub(crate) month: u16,
    /// The lowest byte of the version's number.
    pub(crate) version: u8,
}

impl LaneKey {
    pub(crate) fn of(item: &RechargeItem) -> Self {
        Self {
            merchant: item.merchant(),
            gateway: item.collecting_gateway(),
            currency: item.currency(),
            payout_currency: item.payout_currency(),
        }
    }

    /// The merchant's payable account.
    const fn payable(&self) -> AccountKey {
        AccountKey::payable(self.merchant, self.payout_currency)
    }

    /// The same as one number.
    fn bits(&self) -> u128 {
        let Self { merchant, gateway, currency, payout_currency } = *self;
        let currencies = u128::from(currency.get()) << 16 | u128::from(payout_currency.get());
        u128::from(merchant.get()) << 64 | u128::from(gateway.get()) << 32 | currencies
    }
}

impl<'a> Lane<'a> {
    pub(crate) const fn new(key: LaneKey) -> Self {
        Self {
            key,
            currencies: None,
            parties: None,
            policies: None,
            programme: None,
            liquidity: None,
            expected: None,
            payee: None,
            payable: None,
            cashback: None,
            promised: Amount::new(0),
        }
    }

    /// Checks that the chain accepts its currencies.
    pub(crate) fn check_currencies(&mut self, overlay: &Overlay<'a>) -> Result<(), Rejection> {
        *self.currencies.get_or_insert_with(|| check_currencies(overlay, &self.key))
    }

    /// Checks that merchant and gateways may have orders.
    pub(crate) fn check_parties(&mut self, overlay: &Overlay<'a>) -> Result<(), Rejection> {
        if let Some(known) = self.parties {
            return known;
        }
        let payee = self.payee(overlay);
        *self.parties.insert(check_lane(overlay, &self.key, payee))
    }

    fn payee(&mut self, overlay: &Overlay<'a>) -> Option<Payee> {
        let merchant = self.key.merchant;
        *self.payee.get_or_insert_with(|| overlay.state().tables().payee(merchant))
    }

    /// The policies that bear on its orders.
    pub(crate) fn policies(&mut self, overlay: &mut Overlay<'a>) -> &Policies {
        let LaneKey { gateway, merchant, currency, .. } = self.key;
        self.policies.get_or_insert_with(|| Policies::of(overlay, gateway, merchant, currency))
    }

    /// The merchant's cashback programme, if one is in force and the gateway takes part in it.
    pub(crate) fn programme(&mut self, overlay: &Overlay<'a>) -> Option<Running<'a>> {
        if let Some(known) = self.programme {
            return known;
        }
        let has_any = self.payee(overlay).is_some_and(|payee| payee.has_programme);
        *self.programme.get_or_insert_with(|| {
            if !has_any {
                return None;
            }
            let programmes = &overlay.state().tables().programmes;
            let record = programmes.get(&(self.key.merchant, self.key.currency))?;
            let programme = record.at(overlay.height()).filter(|programme| programme.is_active)?;
            if !programme.takes_part(self.key.gateway) {
                return None;
            }
            let month = month_of(overlay.time(), i64::from(programme.offset_min));
            let version = record.version_at(overlay.height());
            Some(Running { number: record.number, programme, month, version })
        })
    }

    /// The collecting gateway's account.
    pub(crate) fn liquidity(&mut self, overlay: &mut Overlay<'a>) -> Slot {
        let LaneKey { gateway, currency, .. } = self.key;
        *self
            .liquidity
            .get_or_insert_with(|| overlay.open(AccountKey::liquidity(gateway, currency)))
    }

    /// The slot of the merchant's payable account.
    pub(crate) fn payable(&mut self, overlay: &mut Overlay<'a>) -> Slot {
        let (key, expected) = (self.key.payable(), &self.expected);
        *self.payable.get_or_insert_with(|| match expected {
            Some(expected) => overlay.open_expected(expected),
            None => overlay.open(key),
        })
    }

    /// The merchant's cashback pool, and the account of what the gateway is owed of it.
    pub(crate) fn cashback(&mut self, overlay: &mut Overlay<'a>) -> (Slot, Slot) {
        let LaneKey { merchant, gateway, currency, .. } = self.key;
        *self.cashback.get_or_insert_with(|| {
            let pool = overlay.open(AccountKey::cashback_pool(merchant, currency));
            (pool, overlay.open(AccountKey::cashback_owed(gateway, currency)))
        })
    }
}

impl Lane<'_> {
    /// Counts what is promised on one of its orders.
    pub(crate) fn add_promised(&mut self, share: Amount) {
        // Below 2^32 an order: no window has orders enough to reach the end.
        self.promised = self.promised.plus(share);
    }

    /// Adds what was promised on its orders to their instruction's: once a batch.
    pub(crate) fn keep_promised(&mut self, overlay: &mut Overlay<'_>) {
        let promised = std::mem::take(&mut self.promised);
        if promised.get() > 0 {
            let LaneKey { merchant, gateway, currency, payout_currency } = self.key;
            promises::add(overlay, merchant, payout_currency, gateway, currency, promised);
        }
    }
}

/// The lanes of batches of orders that follow one another. A submitter writes the merchants' ids:
/// lanes are found by a hash whose seeds nobody else knows, and numbered in order of first use.
#[derive(Debug)]
pub(crate) struct Lanes<'a> {
    lanes: Vec<Lane<'a>>,
    numbering: Numbering,
}

impl<'a> Lanes<'a> {
    pub(crate) fn new(overlay: &Overlay<'a>) -> Self {
        Self { lanes: Vec::new(), numbering: overlay.numbering() }
    }

    pub(crate) fn of(&mut self, key: LaneKey) -> &mut Lane<'a> {
        let number = self.number(key);
        self.numbered(number)
    }

    /// Returns a lane's number, which finds it again at once. A new lane gets the next number.
    fn number(&mut self, key: LaneKey) -> usize {
        let number = self.numbering.number(key.bits());
        if number == self.lanes.len() {
            self.lanes.push(Lane::new(key));
        }
        number
    }

    /// The numbers of the lanes of orders. The accounts of the new ones are looked up together.
    pub(crate) fn expect(&mut self, overlay: &Overlay<'a>, items: &[RechargeItem]) -> Vec<usize> {
        let known = self.lanes.len();
        let numbers = items.iter().map(|item| self.number(LaneKey::of(item))).collect();
        let new = &mut self.lanes[known..];
        if new.len() > 1 {
            let keys: Vec<AccountKey> = new.iter().map(|lane| lane.key.payable()).collect();
            let merchants: Vec<MerchantId> = new.iter().map(|lane| lane.key.merchant).collect();
            let payees = overlay.state().tables().payees(&merchants);
            let accounts = overlay.expect_accounts(&keys);
            for (lane, (payee, account)) in new.iter_mut().zip(payees.into_iter().zip(accounts)) {
                (lane.payee, lane.expected) = (Some(payee), Some(account));
            }
        }
        numbers
    }

    /// Adds what was promised on the orders to their instructions', and begins anew.
    pub(crate) fn end(&mut self, overlay: &mut Overlay<'_>) {
        if self.lanes.is_empty() {
            return;
        }
        for lane in &mut self.lanes {
            lane.keep_promised(overlay);
        }
        self.lanes.clear();
        self.numbering.clear();
    }

    /// The lane of a number that [`Self::number`] gave.
    pub(crate) fn numbered(&mut self, number: usize) -> &mut Lane<'a> {
        &mut self.lanes[number]
    }
}

/// Checks that the chain accepts both currencies of a lane.
fn check_currencies(overlay: &Overlay<'_>, lane: &LaneKey) -> Result<(), Rejection> {
    let currencies = overlay.state().currencies();
    let is_known = |currency| currencies.binary_search(currency).is_ok();
    if is_known(&lane.currency) && is_known(&lane.payout_currency) {
        Ok(())
    } else {
        Err(Rejection::CurrencyUnsupported)
    }
}

/// Checks that a lane's merchant, collecting and paying gateway may have orders.
fn check_lane(
    overlay: &Overlay<'_>,
    lane: &LaneKey,
    payee: Option<Payee>,
) -> Result<(), Rejection> {
    let state = overlay.state();
    let merchant = payee.ok_or(Rejection::MerchantUnknown)?;
    if merchant.is_suspended {
        return Err(Rejection::MerchantSuspended);
    }
    let gateway = state.participant(lane.gateway);
    let gateway = gateway.filter(|found| found.roles.any_of(Roles::GATEWAY));
    let gateway = gateway.ok_or(Rejection::GatewayUnknown)?;
    let paying = state.participant(merchant.payout_gateway);
    if gateway.suspended || paying.is_none_or(|found| found.suspended) {
        return Err(Rejection::GatewaySuspended);
    }
    Ok(())
}
