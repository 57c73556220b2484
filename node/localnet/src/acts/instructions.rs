//! Acts of settlement: an instruction that fails, is corrected and arrives; a window that the
//! banks settle.

use anyhow::Context as _;
use chain_types::{
    Amount, ArrivalItem, Change, Decision, Digest, FailureItem, FailureReason, InstructionId,
    InstructionState, Merchant, MerchantId, OrderId, ReinstructItem, Rejection, SettleWindowItem,
    SettlementDecisionItem,
};
use rpc_api::OrderState;
use rpc_client::operations::reference_bytes;
use rpc_client::orders::Entropy;
use rpc_client::scheme::say;

use super::cast::Cast;

/// The amount of the troubled merchant's order, in minor units.
const ORDER_AMOUNT: u64 = 8_800;

/// A closed account, a new one by governance, the instruction given again, the arrival.
pub async fn corrected(cast: &Cast) -> anyhow::Result<String> {
    let (merchant, paying) = cast.merchants.troubled;
    let (gateway, paying) = (Cast::first(&cast.gateways)?, cast.gateway(paying)?);
    let agent = Cast::first(&cast.scheme.agents)?;
    let order = cast.order(gateway, merchant, Entropy::fresh()?.bytes(), ORDER_AMOUNT)?;
    say(gateway, &[order]).await?;
    cast.count_collected(1);
    let id = instruction_of(cast, order.order_id(), merchant).await?;
    say(paying, &[failure(id)]).await?;
    let again = ReinstructItem::new(id, reference_bytes("corrected").unwrap_or_default(), 1);
    Cast::expect(agent, again, Rejection::CorrectionMissing).await?;
    let change = Change::Merchant(Merchant {
        id: merchant,
        name: format!("merchant {merchant}, new account"),
        payout_gateway: paying.id,
        payout_account: Digest::from_bytes(Entropy::fresh()?.bytes()),
        suspended: false,
        legal_entity: String::new(),
    });
    cast.scheme.govern(&[change]).await?;
    say(agent, &[again]).await?;
    let reference = reference_bytes("second attempt").unwrap_or_default();
    let arrival = ArrivalItem::new(id, Amount::new(ORDER_AMOUNT), reference, 2);
    say(paying, &[arrival]).await?;
    let report = cast.instruction(&id.to_string()).await?;
    anyhow::ensure!(report.status == InstructionState::Arrived, "it has not arrived");
    Ok(format!("{id} failed (AC04), refused again until corrected, then arrived"))
}

/// The instruction that pays the act's only order, once its window has closed.
async fn instruction_of(
    cast: &Cast,
    order: OrderId,
    merchant: MerchantId,
) -> anyhow::Result<InstructionId> {
    let report = cast.until_order(order, OrderState::Instructed).await?;
    let id = report.instruction_id.context("an instructed order names no instruction")?;
    anyhow::ensure!(id.merchant == merchant, "the order's instruction is of another merchant");
    Ok(id)
}

fn failure(id: InstructionId) -> FailureItem {
    FailureItem::new(
        id,
        FailureReason::AccountClosed.number(),
        reference_bytes("account closed").unwrap_or_default(),
        1,
    )
}

/// The first window that closes is settled by maker and checker, once.
pub async fn settled(cast: &Cast) -> anyhow::Result<String> {
    let [agent, checker, ..] = &cast.scheme.agents[..] else {
        anyhow::bail!("the network has fewer than two settlement agents")
    };
    let window = cast.closed_window().await?;
    let digest = window.digest.as_deref().and_then(Digest::from_hex);
    let digest = digest.context("a closed window has a digest")?.bytes();
    let settle = |reference: &str| SettleWindowItem {
        window: window.window.into(),
        digest,
        reference: reference_bytes(reference).unwrap_or_default(),
        spare: [0; 24],
    };
    let proposed = settle("RTGS 1");
    say(agent, &[proposed]).await?;
    let decision = SettlementDecisionItem {
        window: proposed.window,
        decision: Decision::Approve.number().into(),
        digest,
        reference: proposed.reference,
        spare: [0; 22],
    };
    say(checker, &[decision]).await?;
    Cast::expect(agent, settle("RTGS 2"), Rejection::WindowSettled).await?;
    let parties = window.positions.len();
    Ok(format!(
        "window {}: {parties} positions, nets add up to zero, settled by maker and checker",
        window.window
    ))
}
