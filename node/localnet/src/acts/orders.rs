//! Acts of single orders: one that is held and decided, one that is sent back.

use chain_types::{
    Amount, CollectItem, Decision, HoldDecisionItem, HoldReason, Outcome, PolicyItem, PolicyScope,
    RechargeItem, ReturnItem, ReturnReason,
};
use rpc_api::OrderState;
use rpc_client::orders::Entropy;
use rpc_client::scheme::say;

use super::cast::{CNY, Cast, money};
use crate::ORDER_AMOUNT_MAX;

/// Above every amount of the load, so that only the act's own orders are held.
const HOLD_ABOVE: u64 = 10 * ORDER_AMOUNT_MAX;
/// The amount of an order that is sent back, in minor units.
const RETURNED_AMOUNT: u64 = 20_000;

fn policy(hold_above: u64, merchant: u64) -> PolicyItem {
    PolicyItem {
        scope: PolicyScope::Merchant.number().into(),
        subject: merchant.into(),
        currency: CNY.get().into(),
        hold_above: hold_above.into(),
        ..PolicyItem::default()
    }
}

/// A policy that bounds nothing.
///
/// # Errors
/// Never; acts have one form.
pub fn no_policy(cast: &Cast) -> anyhow::Result<PolicyItem> {
    Ok(policy(0, cast.merchants.troubled.0.get()))
}

fn decide(order: &RechargeItem, decision: Decision, reason: HoldReason) -> HoldDecisionItem {
    HoldDecisionItem {
        order_id: order.order_id,
        decision: decision.number().into(),
        reason: reason.number().into(),
        reference: [0; 32],
        spare: [0; 12],
    }
}

/// Two orders above the threshold: one is released and collected, one is refused.
pub async fn holds(cast: &Cast) -> anyhow::Result<String> {
    let (desk, service) = (Cast::first(&cast.desks)?, Cast::first(&cast.services)?);
    let gateway = Cast::first(&cast.gateways)?;
    let (merchant, _) = cast.merchants.generous;
    say(desk, &[policy(HOLD_ABOVE, merchant.get())]).await?;
    let large = || -> anyhow::Result<RechargeItem> {
        let order = cast.order(gateway, merchant, Entropy::fresh()?.bytes(), HOLD_ABOVE + 1)?;
        let order_id = order.order_id().owned_by(service.id).bytes();
        Ok(RechargeItem { order_id, flags: 0.into(), ..order })
    };
    let (good, bad) = (large()?, large()?);
    Cast::expect(service, good, Outcome::HELD).await?;
    Cast::expect(service, bad, Outcome::HELD).await?;
    say(desk, &[decide(&good, Decision::Approve, HoldReason::Cleared)]).await?;
    say(desk, &[decide(&bad, Decision::Refuse, HoldReason::Fraud)]).await?;
    let collect = CollectItem { order_id: good.order_id, reference: [0; 32], spare: [0; 16] };
    say(gateway, &[collect]).await?;
    cast.count_collected(1);
    cast.until_order(bad.order_id(), OrderState::Refused).await?;
    let threshold = money(Amount::new(HOLD_ABOVE), CNY);
    Ok(format!("2 orders above {threshold} held: 1 released and collected, 1 refused"))
}

/// An order that arrived is sent back in two parts.
pub async fn returns(cast: &Cast) -> anyhow::Result<String> {
    let (merchant, paying) = cast.merchants.generous;
    let (gateway, paying) = (Cast::first(&cast.gateways)?, cast.gateway(paying)?);
    let order = cast.order(gateway, merchant, Entropy::fresh()?.bytes(), RETURNED_AMOUNT)?;
    say(gateway, &[order]).await?;
    cast.count_collected(1);
    cast.until_order(order.order_id(), OrderState::Arrived).await?;
    for (sequence, amount) in [(1_u16, RETURNED_AMOUNT / 4), (2, RETURNED_AMOUNT * 3 / 4)] {
        let back = ReturnItem {
            order_id: order.order_id,
            amount: amount.into(),
            reason: ReturnReason::CustomerRequest.number().into(),
            sequence: sequence.into(),
            ..ReturnItem::default()
        };
        say(paying, &[back]).await?;
    }
    let amount = money(Amount::new(RETURNED_AMOUNT), CNY);
    Ok(format!("an arrived order of {amount} sent back in two parts, CUST"))
}
