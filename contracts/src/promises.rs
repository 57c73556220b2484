//! Promised cashback: what collections granted and no arrival has made owed yet.
//!
//! A grant is pending from the pool to what its gateway is owed. What is granted on the orders of
//! one instruction is kept as one sum a collecting gateway and currency: in a table of its own
//! while their window is open, in the instruction from its close on.
//!
//! Operations: `add`, by collections; `hand_over`, by the close of the window; `arrive` makes all
//! sums of an instruction owed, in the window that is open then; `bounce` takes them back from the
//! gateways, and they are promised again; `release` gives an order's part back to the pool.
//!
//! Always: nobody is owed cashback for an order whose money is not with the merchant; the sums of
//! all instructions that did not arrive are what is pending between pools and gateways.

use chain_state::{AccountKey, CashbackSum, InstructionRecord, Movement, Overlay, Slot};
use chain_types::{Amount, Currency, InstructionId, MerchantId, ParticipantId, WindowId};

/// Adds to what is promised on orders of the open window.
pub(crate) fn add(
    overlay: &mut Overlay<'_>,
    merchant: MerchantId,
    payout_currency: Currency,
    gateway: ParticipantId,
    currency: Currency,
    amount: Amount,
) {
    let id = InstructionId { window: overlay.window().id, merchant, currency: payout_currency };
    let key = (id, gateway, currency);
    let mut promised = overlay.tables().promised();
    let before = promised.get(&key).copied().unwrap_or_default();
    promised.put(key, before.plus(amount));
}

/// Takes what an order of the open window was promised out of its instruction's sum.
pub(crate) fn take(
    overlay: &mut Overlay<'_>,
    id: InstructionId,
    gateway: ParticipantId,
    currency: Currency,
    amount: Amount,
) {
    let key = (id, gateway, currency);
    let mut promised = overlay.tables().promised();
    let before = promised.get(&key).copied().unwrap_or_default();
    match before.get().checked_sub(amount.get()).filter(|rest| *rest > 0) {
        Some(rest) => promised.put(key, Amount::new(rest)),
        None => promised.remove(&key),
    }
}

/// Returns the cashback that the closing window has promised on the orders of an instruction.
pub(crate) fn of_instruction(overlay: &Overlay<'_>, id: InstructionId) -> Vec<CashbackSum> {
    let first = (id, ParticipantId::new(0), Currency::new(0));
    let last = (id, ParticipantId::new(u32::MAX), Currency::new(u16::MAX));
    let promised = overlay.state().tables().promised.range(first..=last);
    let sum = |((_, gateway, currency), amount): (&(_, ParticipantId, Currency), &Amount)| {
        CashbackSum { gateway: *gateway, currency: *currency, amount: *amount }
    };
    promised.map(sum).collect()
}

/// Forgets the sums of a window that has closed: its instructions have them now. What no
/// instruction has goes back to the pool.
pub(crate) fn hand_over(overlay: &mut Overlay<'_>, window: WindowId) {
    let promised: Vec<_> = overlay.state().tables().promised.iter().collect();
    for (key, amount) in promised {
        let (id, gateway, currency) = *key;
        assert_eq!(id.window, window, "cashback is promised in the open window alone");
        if overlay.instruction(&id).is_none() {
            release(overlay, id.merchant, gateway, currency, *amount);
        }
        overlay.tables().promised().remove(key);
    }
}

/// An instruction arrived: what is promised on its orders is owed, in the window of the arrival.
pub(crate) fn arrive(overlay: &mut Overlay<'_>, record: &InstructionRecord) {
    for sum in &record.cashback {
        let grant = grant_of(overlay, record.id.merchant, sum.gateway, sum.currency, sum.amount);
        let posted = overlay.post_reserved(&grant);
        assert!(posted.is_ok(), "a counter of the cashback of {} is full", record.id);
        let liquidity = overlay.open(AccountKey::liquidity(sum.gateway, sum.currency));
        overlay.net(grant.debit, liquidity, u128::from(sum.amount.get()));
    }
}

/// An arrived instruction bounced: what was owed for it is taken from the gateways again, even past
/// their caps, and is promised as before.
pub(crate) fn bounce(overlay: &mut Overlay<'_>, record: &InstructionRecord) {
    for sum in &record.cashback {
        let grant = grant_of(overlay, record.id.merchant, sum.gateway, sum.currency, sum.amount);
        let liquidity = overlay.open(AccountKey::liquidity(sum.gateway, sum.currency));
        let back = Movement { debit: liquidity, credit: grant.debit, ..grant };
        let moved = overlay.transfer_settled(&[back]).and_then(|()| overlay.reserve(&grant));
        assert!(moved.is_ok(), "a counter of the cashback of {} is full", record.id);
        overlay.net(liquidity, grant.debit, u128::from(sum.amount.get()));
    }
}

/// Gives what was promised on an order, or a part of it, back to the pool.
pub(crate) fn release(
    overlay: &mut Overlay<'_>,
    merchant: MerchantId,
    gateway: ParticipantId,
    currency: Currency,
    amount: Amount,
) {
    if amount.get() > 0 {
        let grant = grant_of(overlay, merchant, gateway, currency, amount);
        overlay.release(&grant);
    }
}

fn grant_of(
    overlay: &mut Overlay<'_>,
    merchant: MerchantId,
    gateway: ParticipantId,
    currency: Currency,
    amount: Amount,
) -> Movement {
    let debit: Slot = overlay.open(AccountKey::cashback_pool(merchant, currency));
    let credit = overlay.open(AccountKey::cashback_owed(gateway, currency));
    Movement { debit, credit, amount, order_count: 0 }
}

/// Sums with a part taken out of one of them; what is not among them is left out.
pub(crate) fn less(
    mut sums: Vec<CashbackSum>,
    gateway: ParticipantId,
    currency: Currency,
    amount: Amount,
) -> Vec<CashbackSum> {
    for sum in &mut sums {
        if (sum.gateway, sum.currency) == (gateway, currency) {
            sum.amount = sum.amount.minus(amount);
        }
    }
    sums.retain(|sum| sum.amount.get() > 0);
    sums
}

/// Sums with a part added to one of them.
pub(crate) fn more(
    mut sums: Vec<CashbackSum>,
    gateway: ParticipantId,
    currency: Currency,
    amount: Amount,
) -> Vec<CashbackSum> {
    match sums.binary_search_by_key(&(gateway, currency), |sum| (sum.gateway, sum.currency)) {
        Ok(at) => sums[at].amount = sums[at].amount.plus(amount),
        Err(at) => sums.insert(at, CashbackSum { gateway, currency, amount }),
    }
    sums
}
