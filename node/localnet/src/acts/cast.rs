//! The parties of the acts, and what they have in common: to hold the chain to an answer, and to
//! wait for it to come to something.

use std::sync::Arc;

use anyhow::Context as _;
use chain_types::batch::BatchItem;
use chain_types::{
    Amount, Currency, Flags, MerchantId, OrderId, Outcome, ParticipantId, RechargeItem,
};
use futures::FutureExt as _;
use rpc_api::{
    ChainRpcClient as _, InstructionReport, Money, OrderReport, OrderState, RechargeRpcClient as _,
    SettlementRpcClient as _, WindowReport,
};
use rpc_client::client::Client;
use rpc_client::operations::now;
use rpc_client::orders::Entropy;
use rpc_client::party::Party;
use rpc_client::scheme::{POLL, Scheme};
use zerocopy::{Immutable, IntoBytes};

use crate::activity::Activity;

/// The parties of the acts.
#[derive(Debug, Clone)]
pub struct Cast {
    /// The settlement operators and agents.
    pub scheme: Scheme,
    /// The FX providers, each with its key.
    pub providers: Vec<Party>,
    /// The risk desks, which decide about held orders.
    pub desks: Vec<Party>,
    /// The gateways, ascending by id.
    pub gateways: Vec<Party>,
    /// The recharge services, ascending by id.
    pub services: Vec<Party>,
    /// The merchant of each act that needs one of its own; none of them is in the load.
    pub merchants: Merchants,
    /// The client that asks and submits at all nodes.
    pub client: Arc<Client>,
    /// The counters of collected orders.
    pub activity: Arc<Activity>,
}

/// The acts' merchants and the gateways that pay them.
#[derive(Debug, Clone, Copy)]
pub struct Merchants {
    /// Has a cashback programme.
    pub generous: (MerchantId, ParticipantId),
    /// Its account is closed at first.
    pub troubled: (MerchantId, ParticipantId),
}

/// The currency in which the acts' users pay.
pub const CNY: Currency = Currency::new(156);
/// The currency in which converted orders are paid out.
pub const USD: Currency = Currency::new(840);

impl Cast {
    /// The gateway of an id.
    ///
    /// # Errors
    /// When its key is not in the network's folder.
    pub fn gateway(&self, id: ParticipantId) -> anyhow::Result<&Party> {
        let found = self.gateways.iter().find(|party| party.id == id);
        found.with_context(|| format!("no key of gateway {id} is here"))
    }

    /// The first of some parties.
    ///
    /// # Errors
    /// When there is none.
    pub fn first(parties: &[Party]) -> anyhow::Result<&Party> {
        parties.first().context("the network has no party for this act")
    }

    /// `party` says one item, and the chain answers with `expected`.
    ///
    /// # Errors
    /// When it answers anything else, or no node answers.
    pub async fn expect<T: BatchItem + IntoBytes + Immutable>(
        party: &Party,
        item: T,
        expected: impl Into<Outcome>,
    ) -> anyhow::Result<()> {
        let expected = expected.into();
        let outcomes = party.say(&[item]).await?.report.outcomes;
        let outcomes = outcomes.context("a final batch has no outcomes")?;
        if outcomes.count_of(expected) == 1 {
            return Ok(());
        }
        let actual = outcomes.counts.first().map_or("nothing", |count| count.name.as_str());
        anyhow::bail!("a {} ended as {actual}, expected code {}", T::KIND.name(), expected.0);
    }

    /// A one-step order of `amount` in CNY by `gateway`'s user.
    ///
    /// # Errors
    /// When the operating system gives no entropy.
    pub fn order(
        &self,
        gateway: &Party,
        merchant: MerchantId,
        user: [u8; 16],
        amount: u64,
    ) -> anyhow::Result<RechargeItem> {
        let id = Entropy::fresh()?.order_id(gateway.id, now());
        Ok(RechargeItem {
            order_id: id.bytes(),
            user,
            merchant: merchant.get().into(),
            collecting_gateway: gateway.id.get().into(),
            amount: amount.into(),
            currency: CNY.get().into(),
            payout_currency: CNY.get().into(),
            flags: Flags::COLLECTED.into(),
            ..RechargeItem::default()
        })
    }

    /// Counts orders that an act collected, so that the run's sums hold.
    pub fn count_collected(&self, orders: u64) {
        self.activity.update(|counts| counts.one_step += orders);
    }

    /// Waits until an order stands as `expected`.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn until_order(
        &self,
        order: OrderId,
        expected: OrderState,
    ) -> anyhow::Result<OrderReport> {
        let id = order.to_string();
        loop {
            let report = self.client.ask(|node| node.order(id.clone()).boxed()).await?;
            if report.status == expected {
                return Ok(report);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The first window that closes after now.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn closed_window(&self) -> anyhow::Result<WindowReport> {
        let open = self.client.ask(|node| node.head().boxed()).await?.window;
        loop {
            let window = self.client.ask(|node| node.window(open).boxed()).await?;
            if window.closed_ms.is_some() {
                return Ok(window);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// An instruction as it stands.
    ///
    /// # Errors
    /// When no node answers, or there is none.
    pub async fn instruction(&self, id: &str) -> anyhow::Result<InstructionReport> {
        let id = id.to_owned();
        Ok(self.client.ask(|node| node.instruction(id.clone()).boxed()).await?)
    }
}

/// An amount of CNY or USD for people.
pub fn money(amount: Amount, currency: Currency) -> String {
    Money::new(amount, currency).to_string()
}
