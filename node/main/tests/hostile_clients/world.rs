//! What the network holds before the strangers come, as an honest client learns it.

use std::collections::BTreeSet;

use chain_types::batch::BatchKind;
use chain_types::{ChainId, SecretKey, SignedBatch};
use rpc_api::{
    CashbackRpcClient as _, ChainRpcClient as _, GovernanceRpcClient as _, LedgerRpcClient as _,
    SettlementRpcClient as _,
};

use crate::support::{GATEWAYS, Network, collected, eventually};

/// A registered participant, and what its batches may be.
#[derive(Debug)]
pub struct Party {
    pub id: u32,
    pub key: SecretKey,
    pub kinds: Vec<BatchKind>,
}

/// The facts about the chain that do not change during a run.
#[derive(Debug)]
pub struct World {
    pub chain: ChainId,
    pub head: u64,
    pub block_hash: String,
    /// The present window; others may follow.
    pub window: u64,
    /// A batch that is final, and its id.
    pub batch: Vec<u8>,
    pub batch_id: String,
    pub orders: BTreeSet<String>,
    pub accounts: BTreeSet<String>,
    pub merchants: BTreeSet<String>,
    pub gateways: BTreeSet<u64>,
    /// The cashback programmes, by merchant and currency.
    pub programmes: BTreeSet<(String, String)>,
    pub parties: Vec<Party>,
}

/// The table of docs/wire-format.md, section 5.
fn kinds_of(role: &str) -> Vec<BatchKind> {
    use BatchKind::*;
    match role {
        "recharge-service" => vec![Recharge, Void, Consent],
        "gateway" => {
            vec![Recharge, Collect, Debiting, Void, Arrival, Failure, Return, Bounce, Line, Consent]
        }
        "settlement-agent" => vec![
            Return,
            Reinstruct,
            Recall,
            StepIn,
            SettleWindow,
            Transfer,
            TransferDecision,
            SettlementDecision,
        ],
        "settlement-operator" => {
            vec![TransferDecision, Proposal, ChangeList, Approval, SettlementDecision]
        }
        "merchant-registrar" => vec![Merchant],
        "fx-provider" => vec![Rate, Quote, Line],
        "risk-desk" => vec![HoldDecision, Policy],
        _ => Vec::new(),
    }
}

impl World {
    /// Has an order settled by way of `node`, and asks that node for the rest.
    pub async fn of(network: &Network, node: usize) -> Self {
        let client = network.client(node);
        let items = collected(1);
        let batch = network.batch(GATEWAYS[0], &items);
        let report = network.submit(node, &batch).await.expect("an honest batch");
        let height = report.height.expect("it is final");
        let asked = move |head: u64| head > height;
        eventually("a block follows", || async { asked(network.height(node).await) }).await;
        let registry = client.registry().await.expect("the registry");
        let parties = registry.participants.iter().map(|one| Party {
            id: one.participant.participant,
            key: network.key(one.participant.participant),
            kinds: one.participant.roles.iter().flat_map(|role| kinds_of(role)).collect(),
        });
        let gateways = registry.participants.iter().map(|one| &one.participant);
        let gateways = gateways.filter(|one| one.roles.iter().any(|role| role == "gateway"));
        let head = client.head().await.expect("a head");
        let windows = client.windows(None, None).await.expect("windows");
        let accounts = client.accounts(None, Some(1_000)).await.expect("accounts");
        let merchants = client.merchants(None, Some(1_000)).await.expect("merchants");
        let programmes = client.programmes(None, Some(1_000)).await.expect("programmes");
        assert!(
            [&accounts.next, &merchants.next, &programmes.next].iter().all(|one| one.is_none())
        );
        let decoded = SignedBatch::decode(batch.clone().into()).expect("its form is right");
        Self {
            chain: network.chain_id,
            head: head.height,
            block_hash: head.block_hash.to_string(),
            window: windows.items.first().expect("the open window").window,
            batch_id: decoded.header().id().to_string(),
            batch,
            orders: items.iter().map(|item| item.order_id().to_string()).collect(),
            accounts: accounts.items.iter().map(|one| one.account.to_string()).collect(),
            merchants: merchants.items.iter().map(|one| one.merchant.to_string()).collect(),
            gateways: gateways.map(|one| one.participant.into()).collect(),
            programmes: (programmes.items.iter())
                .map(|one| (one.merchant.to_string(), one.currency.clone()))
                .collect(),
            parties: parties.collect(),
        }
    }
}
