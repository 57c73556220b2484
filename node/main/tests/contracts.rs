//! The settlement contracts between real processes: what one validator says, all say, and it
//! outlives their end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use chain_types::{
    Amount, ApprovalItem, Change, Currency, Decision, Flags, Height, OrderId, Outcome,
    ParticipantId, ProposalId, ProposalItem, QuoteId, QuoteItem, RateItem, RechargeItem, Rejection,
    ReturnItem, SecretKey, SignedBatch, TransferAction, TransferDecisionItem, TransferId,
    TransferItem,
};
use rpc_api::{BatchRpcClient as _, OrderState, SettlementRpcClient as _};
use support::{GATEWAYS, Network, YUAN, arrival, entropy, eventually, now, order, run, sluice};

const DOLLAR: Currency = Currency::new(840);
const PROVIDERS: [u32; 3] = [301, 302, 303];
const AGENTS: [u32; 2] = [401, 402];
const OPERATORS: [u32; 2] = [1, 2];
/// The number of FX positions among account kinds.
const FX_POSITION: u16 = 5;

/// A deposit into a provider's position, by maker and checker.
async fn fund(network: &Network, provider: u32, amount: u64) {
    let transfer = TransferItem {
        transfer_id: TransferId::new(now(), entropy()).bytes(),
        action: TransferAction::Deposit.number().into(),
        account_kind: FX_POSITION.into(),
        owner: u64::from(provider).into(),
        currency: DOLLAR.get().into(),
        amount: amount.into(),
        reference: [0; 32],
        spare: [0; 26],
    };
    let approval = TransferDecisionItem {
        transfer_id: transfer.transfer_id,
        decision: Decision::Approve.number().into(),
        action: transfer.action,
        amount: transfer.amount,
        reference: [0; 32],
        spare: [0; 4],
    };
    applied(network, AGENTS[0], &[transfer]).await;
    applied(network, AGENTS[1], &[approval]).await;
}

/// Submits, and every item is applied.
async fn applied<T>(network: &Network, submitter: u32, items: &[T])
where
    T: zerocopy::IntoBytes + zerocopy::Immutable + chain_types::batch::BatchItem,
{
    let report = network.submit(0, &network.batch(submitter, items)).await.unwrap();
    let refused = report.outcomes.unwrap().not_applied;
    assert!(refused.is_empty(), "{submitter}: {refused:?}");
}

fn rate(mantissa: u64) -> RateItem {
    RateItem::new((YUAN, DOLLAR), (mantissa, 4), now())
}

fn quote(number: u32, mantissa: u64) -> QuoteItem {
    let id = QuoteId::of(ParticipantId::new(PROVIDERS[0]), number);
    rate(mantissa).quote(id, Amount::new(1_000_000), now().plus(60_000))
}

fn converted(quote: &QuoteItem) -> RechargeItem {
    RechargeItem {
        payout_currency: DOLLAR.get().into(),
        fx_quote: quote.quote_id,
        ..order(GATEWAYS[0], Flags::COLLECTED, 10_000)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_within_the_guard_settles_and_one_at_it_is_refused_on_all_validators() {
    let network = Network::started(&[]).await;
    fund(&network, PROVIDERS[0], 1_000_000).await;
    for (provider, mantissa) in PROVIDERS.into_iter().zip([9_990_u64, 10_000, 10_010]) {
        applied(&network, provider, &[rate(mantissa)]).await;
    }
    // The reference is the median, 1.0000.
    let quotes = [quote(1, 10_029), quote(2, 10_030), quote(3, 9_971), quote(4, 9_970)];
    applied(&network, PROVIDERS[0], &quotes).await;
    let orders: Vec<RechargeItem> = quotes.iter().map(converted).collect();
    let report = network.submit(1, &network.batch(GATEWAYS[0], &orders)).await.unwrap();
    let drifted = Outcome::from(Rejection::QuoteDrifted);
    let expected = [Outcome::APPLIED, drifted, Outcome::APPLIED, drifted];
    let block = (report.height.unwrap(), report.block_hash.unwrap());
    for node in 0..4 {
        eventually("every validator has the block", || async {
            network.height(node).await >= block.0
        })
        .await;
        let id = report.batch_id.to_string();
        let said = network.client(node).status(id, Some(true)).await.unwrap();
        assert_eq!((said.height.unwrap(), said.block_hash.unwrap()), block, "node {node}");
        let codes = rpc_api::decode_base64(&said.outcomes.unwrap().codes_base64.unwrap()).unwrap();
        assert_eq!(codes, chain_types::block::outcome_bytes(&expected), "node {node}");
    }
    // 100.29 and 99.71 were delivered by the provider, to the cent.
    let delivered: u64 = 10_029 + 9_971;
    for node in 0..4 {
        use rpc_api::LedgerRpcClient as _;
        let name = format!("fx-position:{}:USD", PROVIDERS[0]);
        let account = network.client(node).account(name).await.unwrap();
        assert_eq!(account.balance.minor, i128::from(1_000_000 - delivered), "node {node}");
    }
}

/// One operator proposes, another approves; waits until blocks execute under it.
async fn govern(network: &Network, change: &Change) {
    let height = Height::new(network.height(0).await + 15);
    let id = ProposalId::new(now(), entropy());
    let proposal = ProposalItem::new(id, height, change).unwrap();
    applied(network, OPERATORS[0], &[proposal]).await;
    let approval = ApprovalItem {
        proposal_id: id.bytes(),
        decision: Decision::Approve.number().into(),
        digest: proposal.digest().bytes(),
        spare: [0; 14],
    };
    applied(network, OPERATORS[1], &[approval]).await;
    eventually("the change is in effect everywhere", || async {
        let mut least = u64::MAX;
        for node in 0..4 {
            least = least.min(network.height(node).await);
        }
        least >= height.get()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_a_return_and_a_receipt_outlive_a_restart_of_all() {
    let mut network = Network::started(&["--window-ms", "2000"]).await;
    let item = order(GATEWAYS[0], Flags::COLLECTED, 9_000);
    let id = OrderId::from_bytes(item.order_id);
    applied(&network, GATEWAYS[0], &[item]).await;
    eventually("the order is instructed", || async {
        network.order(0, id).await.status == OrderState::Instructed
    })
    .await;
    let instruction = network.order(0, id).await.instruction_id.unwrap().to_string();
    let instruction = network.client(0).instruction(instruction).await.unwrap();
    applied(&network, GATEWAYS[0], &[arrival(&instruction)]).await;

    // The gateway's key changes, with no overlap: the old one is worth nothing any more.
    let new = SecretKey::from_seed(&[77; 32]);
    let (participant, public_key) = (ParticipantId::new(GATEWAYS[0]), new.public_key());
    govern(&network, &Change::Key { participant, public_key, overlap_heights: 0 }).await;
    let back = |sequence: u16, amount: u64| ReturnItem {
        order_id: id.bytes(),
        amount: amount.into(),
        reason: 1.into(),
        sequence: sequence.into(),
        ..ReturnItem::default()
    };
    let stale = network.batch(GATEWAYS[0], &[back(1, 4_000)]);
    let refused = network.submit(0, &stale).await.unwrap_err();
    assert!(refused.contains("signature-invalid"), "{refused}");
    let signed = |items: &[ReturnItem]| {
        SignedBatch::sign(network.chain_id, participant, &new, now().plus(120_000), items)
    };
    let first = network.submit(1, &signed(&[back(1, 4_000)])).await.unwrap();
    assert_eq!(first.outcomes.unwrap().count_of(Outcome::APPLIED), 1);

    for node in 0..4 {
        network.kill(node);
    }
    for node in 0..4 {
        network.start(node);
    }
    for node in 0..4 {
        network.ready(node).await;
    }
    let signed = |items: &[ReturnItem]| {
        SignedBatch::sign(network.chain_id, participant, &new, now().plus(120_000), items)
    };
    // More than what is left is refused, and the rest goes back: read from the past, by all.
    let both = network.submit(2, &signed(&[back(2, 5_001)])).await.unwrap().outcomes.unwrap();
    assert_eq!(both.count_of(Rejection::ReturnExceeded.into()), 1);
    let rest = network.submit(3, &signed(&[back(2, 5_000)])).await.unwrap().outcomes.unwrap();
    assert_eq!(rest.count_of(Outcome::APPLIED), 1);
    let digests = network.digests().await;
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");

    // The receipt shows the order under the old key and its returns under the new one, offline.
    let receipt = network.folder.path().join("receipt");
    let mut command = sluice();
    command.args(["receipt", &id.to_string(), "--rpc", &network.url(2), "--out"]).arg(&receipt);
    let output = run(&mut command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let genesis = genesis::load_genesis(&network.genesis()).unwrap();
    let bytes = std::fs::read(&receipt).unwrap();
    let proven = chain_types::Receipt::decode(&bytes).unwrap().verify(&genesis).unwrap();
    assert_eq!(proven.returned.get(), 9_000);
    assert!(proven.arrived.is_some());
    for node in 0..4 {
        assert_eq!(network.stop(node), Some(0));
        let home = network.home(node);
        for what in ["replay", "audit"] {
            let mut command = sluice();
            command.arg(what);
            command.arg("--home").arg(&home).arg("--genesis").arg(network.genesis());
            let output = run(&mut command);
            assert!(output.status.success(), "{output:?}");
        }
    }
}
