//! Acts of those who move and rule: deposits by maker and checker, a cashback programme by
//! governance, a key that is changed.

use chain_types::{
    Amount, CashbackTier, Change, Decision, Outcome, ParticipantId, Programme, Rejection, SecretKey,
};
use rpc_client::orders::Entropy;
use rpc_client::party::Party;
use rpc_client::scheme::{Deposit, decision, say};

use super::cast::{CNY, Cast, money};

/// The amount of the acts' orders of cashback and holds, in minor units.
const ORDER_AMOUNT: u64 = 10_000;
/// For how many heights a key that was replaced is still good.
const OVERLAP_HEIGHTS: u64 = 100;

/// A deposit that the maker may not approve himself, and one to an account that cannot be.
pub async fn liquidity(cast: &Cast) -> anyhow::Result<String> {
    let (maker, checker) = cast.scheme.maker_and_checker()?;
    let owner = u64::from(Cast::first(&cast.gateways)?.id.get());
    let deposit = Deposit { kind: Deposit::LIQUIDITY, owner, currency: CNY, amount: 5_000_000 };
    let item = deposit.proposal()?;
    say(maker, &[item]).await?;
    let approval = decision(&item, Decision::Approve);
    Cast::expect(maker, approval, Rejection::MakerIsChecker).await?;
    say(checker, &[approval]).await?;
    // A gateway has no position.
    let item = Deposit { kind: Deposit::POSITION, ..deposit }.proposal()?;
    Cast::expect(maker, item, Rejection::AccountUnsuited).await?;
    let deposited = money(Amount::new(5_000_000), CNY);
    Ok(format!("{deposited} deposited for gateway {owner}; the maker's own approval refused"))
}

/// Governance gives a merchant a programme; a user's sixth recharge of the month and those after
/// it get eight percent.
pub async fn cashback(cast: &Cast) -> anyhow::Result<String> {
    let (merchant, _) = cast.merchants.generous;
    let (owner, amount) = (merchant.get(), 100 * ORDER_AMOUNT);
    let budget = Deposit { kind: Deposit::POOL, owner, currency: CNY, amount };
    cast.scheme.deposit(&[budget]).await?;
    let gateway = Cast::first(&cast.gateways)?;
    let programme = Programme {
        merchant,
        currency: CNY,
        tiers: vec![CashbackTier::DEFAULT],
        order_max: Amount::new(0),
        user_month_max: Amount::new(5 * ORDER_AMOUNT),
        offset_min: 480,
        is_active: true,
        order_least: Amount::new(ORDER_AMOUNT),
        gateways: vec![gateway.id],
    };
    let since = cast.scheme.govern(&[Change::Programme(programme)]).await?;
    let user = Entropy::fresh()?.bytes();
    let orders: Vec<_> = (0..8)
        .map(|_| cast.order(gateway, merchant, user, ORDER_AMOUNT))
        .collect::<anyhow::Result<_>>()?;
    let outcomes = say(gateway, &orders).await?;
    cast.count_collected(8);
    let (plain, granted) =
        (outcomes.count_of(Outcome::APPLIED), outcomes.count_of(Outcome::with_cashback(1)));
    anyhow::ensure!((plain, granted) == (5, 3), "{plain} without cashback, {granted} with it");
    let each = money(Amount::new(ORDER_AMOUNT * 8 / 100), CNY);
    Ok(format!("programme from height {since}: 8 recharges of one user, {each} back on 3 of them"))
}

/// Governance gives a party a new key; for some heights the old one is still good.
pub async fn rotation(cast: &Cast) -> anyhow::Result<String> {
    let desk = Cast::first(&cast.desks)?;
    let new = SecretKey::from_seed(&Entropy::fresh()?.bytes());
    let participant: ParticipantId = desk.id;
    let (public_key, overlap_heights) = (new.public_key(), OVERLAP_HEIGHTS);
    let change = Change::Key { participant, public_key, overlap_heights };
    let since = cast.scheme.govern(&[change]).await?;
    let policy = super::orders::no_policy(cast)?;
    // The key before is still good, and so is the new one.
    say(desk, &[policy]).await?;
    let renewed = Party { key: new, ..desk.clone() };
    say(&renewed, &[policy]).await?;
    Ok(format!("risk desk {participant} signs with a new key from height {since}, overlapping"))
}
