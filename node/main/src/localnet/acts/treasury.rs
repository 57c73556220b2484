//! Acts of those who move and rule: deposits by maker and checker, a cashback programme by
//! governance, a key that is changed.

use chain_types::{
    Amount, CashbackTier, Change, Decision, Outcome, ParticipantId, Programme, Rejection, SecretKey,
    TransferAction, TransferDecisionItem, TransferItem,
};

use super::cast::{CNY, Cast, USD, money};
use crate::participant::orders::Entropy;
use crate::participant::party::Party;

/// The number of gateway liquidity among account kinds.
const GATEWAY_LIQUIDITY: u16 = 1;
/// The number of cashback pools among account kinds.
const CASHBACK_POOL: u16 = 3;
/// The number of FX positions among account kinds.
pub const FX_POSITION: u16 = 5;
/// What the acts' orders of cashback and holds are about, in minor units.
const ORDER_AMOUNT: u64 = 10_000;
/// For how many heights a key that was replaced is still good.
const OVERLAP_HEIGHTS: u64 = 100;

/// A transfer that `maker` proposes.
fn transfer(
    action: TransferAction,
    kind: u16,
    owner: u64,
    currency: chain_types::Currency,
    amount: u64,
) -> anyhow::Result<TransferItem> {
    Ok(TransferItem {
        transfer_id: Cast::transfer_id()?.0,
        action: action.number().into(),
        account_kind: kind.into(),
        owner: owner.into(),
        currency: currency.0.into(),
        amount: amount.into(),
        reference: [0; 32],
        spare: [0; 26],
    })
}

fn decision(transfer: &TransferItem, decision: Decision) -> TransferDecisionItem {
    TransferDecisionItem {
        transfer_id: transfer.transfer_id,
        decision: decision.number().into(),
        action: transfer.action,
        amount: transfer.amount,
        reference: [0; 32],
        spare: [0; 4],
    }
}

/// The maker proposes a deposit and the checker approves it.
///
/// # Errors
/// When either is refused, or no node answers.
pub async fn deposit(
    cast: &Cast,
    kind: u16,
    owner: u64,
    currency: chain_types::Currency,
    amount: u64,
) -> anyhow::Result<()> {
    let (maker, checker) = maker_and_checker(cast)?;
    let item = transfer(TransferAction::Deposit, kind, owner, currency, amount)?;
    Cast::say(maker, &[item]).await?;
    Cast::say(checker, &[decision(&item, Decision::Approve)]).await?;
    Ok(())
}

fn maker_and_checker(cast: &Cast) -> anyhow::Result<(&Party, &Party)> {
    match cast.agents.as_slice() {
        [maker, checker, ..] => Ok((maker, checker)),
        _ => anyhow::bail!("the network has fewer than two settlement agents"),
    }
}

/// A deposit that the maker may not approve himself, and a withdrawal that is refused.
pub async fn liquidity(cast: &Cast) -> anyhow::Result<String> {
    let (maker, checker) = maker_and_checker(cast)?;
    let gateway = u64::from(Cast::first(&cast.gateways)?.id.0);
    let item = transfer(TransferAction::Deposit, GATEWAY_LIQUIDITY, gateway, CNY, 5_000_000)?;
    Cast::say(maker, &[item]).await?;
    let approval = decision(&item, Decision::Approve);
    Cast::expect(maker, approval, Rejection::MakerIsChecker).await?;
    Cast::say(checker, &[approval]).await?;
    let item = transfer(TransferAction::Deposit, FX_POSITION, gateway, CNY, 1)?;
    Cast::expect(maker, item, Rejection::AccountUnsuited).await?;
    let deposited = money(Amount(5_000_000), CNY);
    Ok(format!("{deposited} deposited for gateway {gateway}; the maker's own approval refused"))
}

/// Governance gives a merchant a programme; a user's sixth recharge of the month and those after
/// it get eight percent.
pub async fn cashback(cast: &Cast) -> anyhow::Result<String> {
    let (merchant, _) = cast.merchants.generous;
    deposit(cast, CASHBACK_POOL, merchant.0, CNY, 100 * ORDER_AMOUNT).await?;
    let programme = Programme {
        merchant,
        currency: CNY,
        tiers: vec![CashbackTier::DEFAULT],
        order_max: Amount(0),
        user_month_max: Amount(5 * ORDER_AMOUNT),
        offset_min: 480,
        is_active: true,
    };
    let since = cast.govern(&Change::Programme(programme)).await?;
    let gateway = Cast::first(&cast.gateways)?;
    let user = Entropy::fresh()?.bytes();
    let orders: Vec<_> = (0..8)
        .map(|_| cast.order(gateway, merchant, user, ORDER_AMOUNT))
        .collect::<anyhow::Result<_>>()?;
    let outcomes = Cast::say(gateway, &orders).await?;
    cast.count_collected(8);
    let (plain, granted) =
        (outcomes.count_of(Outcome::APPLIED), outcomes.count_of(Outcome::with_cashback(1)));
    anyhow::ensure!((plain, granted) == (5, 3), "{plain} without cashback, {granted} with it");
    let each = money(Amount(ORDER_AMOUNT * 8 / 100), CNY);
    Ok(format!("programme from height {since}: 8 recharges of one user, {each} back on 3 of them"))
}

/// Governance gives a party a new key; for some heights the old one is still good.
pub async fn rotation(cast: &Cast) -> anyhow::Result<String> {
    let desk = Cast::first(&cast.desks)?;
    let new = SecretKey::from_seed(&Entropy::fresh()?.bytes());
    let participant: ParticipantId = desk.id;
    let (public_key, overlap_heights) = (new.public_key(), OVERLAP_HEIGHTS);
    let change = Change::Key { participant, public_key, overlap_heights };
    let since = cast.govern(&change).await?;
    let policy = super::orders::no_policy(cast)?;
    // The key before is still good, and so is the new one.
    Cast::say(desk, &[policy]).await?;
    let renewed = Party { key: new, ..desk.clone() };
    Cast::say(&renewed, &[policy]).await?;
    Ok(format!("risk desk {participant} signs with a new key from height {since}, overlapping"))
}
