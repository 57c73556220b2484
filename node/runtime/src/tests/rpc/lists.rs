//! Lists: a page after the other gives the whole, and what is no cursor or limit is refused.

use jsonrpsee::core::client::Error as ClientError;
use rpc_api::{
    ApiError, CashbackRpcClient as _, ChainRpcClient as _, FxRpcClient as _,
    GovernanceRpcClient as _, InstructionSelector, LedgerRpcClient as _, Page, RiskRpcClient as _,
    SettlementRpcClient as _,
};

use super::answers::refused_as;
use super::*;
use crate::tests::evidence::{proposals_of, votes_of};

/// Walks a list one item at a time, and holds it against the list as a whole.
async fn walked<T: PartialEq + std::fmt::Debug, F>(
    least: usize,
    list: impl Fn(Option<String>, Option<u32>) -> F,
) -> Vec<T>
where
    F: Future<Output = Result<Page<T>, ClientError>>,
{
    let whole = list(None, None).await.unwrap();
    assert_eq!(whole.next, None, "one page holds all");
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let page = list(cursor, Some(1)).await.unwrap();
        assert!(page.items.len() <= 1);
        items.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(items, whole.items);
    assert!(items.len() >= least, "only {} of {least}: {items:?}", items.len());
    items
}

fn text(name: &str) -> String {
    name.to_owned()
}

const ACCOUNT: &str = "gateway-liquidity:201:CNY";

#[tokio::test]
async fn what_the_chain_lists_is_walked_whole() {
    let (served, days) = busy_node().await;
    let (client, head) = (served.http(), served.chain.height().get());
    let blocks = walked(3, |cursor, limit| client.blocks(cursor, limit)).await;
    let heights: Vec<u64> = blocks.iter().map(|block| block.height).collect();
    assert_eq!(heights, (0..=head).rev().collect::<Vec<_>>());
    let parties = walked(2, |cursor, limit| client.genesis_participants(cursor, limit)).await;
    assert_eq!(parties.len(), served.chain.genesis.participants.len());
    let shops = walked(2, |cursor, limit| client.genesis_merchants(cursor, limit)).await;
    assert_eq!(
        shops.iter().map(|one| one.merchant).collect::<Vec<_>>(),
        [SHOP.get(), SHOP_B.get()]
    );
    let liquidity = walked(2, |cursor, limit| client.genesis_liquidity(cursor, limit)).await;
    let gateways: Vec<u32> = liquidity.iter().map(|line| line.gateway).collect();
    assert_eq!(gateways, [BANK_A.get(), BANK_B.get()]);
    let _ = walked(1, |cursor, limit| client.lineage(cursor, limit)).await;

    let windows = walked(3, |cursor, limit| client.windows(cursor, limit)).await;
    assert_eq!(windows[0].window, open_window(&served.chain).id.get(), "the open one comes first");
    let of = InstructionSelector::gateway(BANK_B.get());
    let of_gateway = walked(2, |cursor, limit| client.instructions(of, cursor, limit)).await;
    assert!(of_gateway.is_sorted_by_key(|one| one.instruction_id));
    let of = InstructionSelector::window(days.windows[1].get());
    let of_window = walked(1, |cursor, limit| client.instructions(of, cursor, limit)).await;
    assert!(of_gateway.contains(&of_window[0]));
    let id = days.roads.one_step.to_string();
    let returns = walked(2, |cursor, limit| client.returns(id.clone(), cursor, limit)).await;
    assert_eq!(returns.iter().map(|one| one.sequence).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn breaches_and_evidence_are_walked_whole() {
    let mut chain = Chain::of(served_genesis());
    chain.evidence = vec![votes_of(&chain, 1), proposals_of(&chain, 4)];
    let _ = busy(&mut chain);
    let deadline_ms = chain.genesis.parameters.deadline_domestic_ms;
    for _ in 0..3 {
        chain.block(deadline_ms, vec![]);
    }
    let served = Served::start(chain).await;
    let client = served.http();
    let evidence = walked(2, |cursor, limit| client.evidence(cursor, limit)).await;
    assert_eq!(evidence.iter().map(|one| one.validator).collect::<Vec<_>>(), [1, 4]);
    let breaches = walked(2, |cursor, limit| client.breaches(cursor, limit)).await;
    let late: Vec<u32> = breaches.iter().filter_map(|breach| breach.late).collect();
    assert!(late.contains(&BANK_B.get()), "{breaches:?}");
    let sla = walked(1, |cursor, limit| client.sla(cursor, limit)).await;
    assert!(sla.iter().any(|one| one.participant == Some(BANK_B.get())), "{sla:?}");
}

#[tokio::test]
async fn what_the_books_list_is_walked_whole() {
    let (served, days) = busy_node().await;
    let client = served.http();
    let accounts = walked(5, |cursor, limit| client.accounts(cursor, limit)).await;
    assert!(accounts.is_sorted_by_key(|one| one.account));
    let entries = walked(3, |cursor, limit| client.entries(text(ACCOUNT), cursor, limit)).await;
    assert!(entries.is_sorted_by_key(|entry| (entry.height, entry.sequence)));
    let transfers = walked(2, |cursor, limit| client.transfers(None, cursor, limit)).await;
    let ids: Vec<_> = transfers.iter().rev().map(|one| one.transfer_id).collect();
    assert_eq!(ids, days.transfers, "the newest comes first");
    let open = walked(2, |cursor, limit| client.transfers(Some(true), cursor, limit)).await;
    assert_eq!(open, transfers, "both wait for their checker");
    let given = walked(1, |cursor, limit| client.lines(BANK_A.get(), cursor, limit)).await;
    let held = walked(2, |cursor, limit| client.lines_held(SERVICE.get(), cursor, limit)).await;
    assert!(held.iter().any(|line| given.contains(line)), "a line has two ends");
}

#[tokio::test]
async fn what_the_contracts_list_is_walked_whole() {
    let (served, days) = busy_node().await;
    let client = served.http();
    let (cny, usd) = (|| text("CNY"), || text("USD"));
    let rates = walked(2, |cursor, limit| client.rates(cny(), usd(), cursor, limit)).await;
    let of: Vec<u32> = rates.iter().map(|one| one.provider).collect();
    assert_eq!(of, PROVIDERS.map(|id| id.get()));
    let provider = PROVIDERS[0].get();
    let list = |cursor, limit| client.rate_history(cny(), usd(), provider, cursor, limit);
    let history = walked(2, list).await;
    assert!(history[1].is_fresh && !history[0].is_fresh, "only the last one counts");
    assert_eq!(client.quotes(provider, None, None).await.unwrap().items, []);
    let programmes = walked(2, |cursor, limit| client.programmes(cursor, limit)).await;
    let of: Vec<u64> = programmes.iter().map(|one| one.merchant).collect();
    assert_eq!(of, [SHOP.get(), SHOP_B.get()]);
    let policies = walked(2, |cursor, limit| client.policies(cursor, limit)).await;
    assert_eq!(policies.len(), 2);
    let held = walked(2, |cursor, limit| client.held_orders(cursor, limit)).await;
    assert_eq!(held.iter().map(|one| one.order_id).collect::<Vec<_>>(), days.held);
    let merchants = walked(2, |cursor, limit| client.merchants(cursor, limit)).await;
    assert_eq!(
        merchants.iter().map(|one| one.merchant).collect::<Vec<_>>(),
        [SHOP.get(), SHOP_B.get()]
    );
    let proposals = walked(4, |cursor, limit| client.proposals(None, cursor, limit)).await;
    assert!(proposals.iter().rev().is_sorted_by_key(|one| one.proposal_id));
    assert_eq!(client.proposals(Some(true), None, None).await.unwrap().items, []);
}

#[tokio::test]
async fn bad_cursors_are_refused_by_every_list() {
    let served = Served::start(Chain::of(served_genesis())).await;
    let client = served.http();
    let (cny, usd) = (|| text("CNY"), || text("USD"));
    let order = || OrderId::new(START, [7; 10]).to_string();
    let (long, filter) = ("9".repeat(100_000), InstructionSelector::gateway(BANK_A.get()));
    let error = ApiError::BadCursor;
    for bad in ["", "x", "-", "1-2-3-4", "18446744073709551616", "🙂", &long] {
        let cursor = || Some(bad.to_owned());
        refused_as(client.blocks(cursor(), None).await, error);
        refused_as(client.genesis_participants(cursor(), None).await, error);
        refused_as(client.genesis_merchants(cursor(), None).await, error);
        refused_as(client.genesis_liquidity(cursor(), None).await, error);
        refused_as(client.evidence(cursor(), None).await, error);
        refused_as(client.lineage(cursor(), None).await, error);
        refused_as(client.windows(cursor(), None).await, error);
        refused_as(client.instructions(filter, cursor(), None).await, error);
        refused_as(client.breaches(cursor(), None).await, error);
        refused_as(client.returns(order(), cursor(), None).await, error);
        refused_as(client.sla(cursor(), None).await, error);
        refused_as(client.accounts(cursor(), None).await, error);
        refused_as(client.entries(text(ACCOUNT), cursor(), None).await, error);
        refused_as(client.transfers(None, cursor(), None).await, error);
        refused_as(client.lines(201, cursor(), None).await, error);
        refused_as(client.lines_held(101, cursor(), None).await, error);
        refused_as(client.rates(cny(), usd(), cursor(), None).await, error);
        refused_as(client.rate_history(cny(), usd(), 301, cursor(), None).await, error);
        refused_as(client.quotes(301, cursor(), None).await, error);
        refused_as(client.programmes(cursor(), None).await, error);
        refused_as(client.policies(cursor(), None).await, error);
        refused_as(client.held_orders(cursor(), None).await, error);
        refused_as(client.merchants(cursor(), None).await, error);
        refused_as(client.proposals(None, cursor(), None).await, error);
    }
}

#[tokio::test]
async fn pages_of_no_item_or_of_too_many_are_refused_by_every_list() {
    let served = Served::start(Chain::of(served_genesis())).await;
    let client = served.http();
    let (cny, usd) = (|| text("CNY"), || text("USD"));
    let order = || OrderId::new(START, [7; 10]).to_string();
    let (filter, error) = (InstructionSelector::gateway(BANK_A.get()), ApiError::LimitOutOfBounds);
    for limit in [Some(0), Some(1_001), Some(u32::MAX)] {
        refused_as(client.blocks(None, limit).await, error);
        refused_as(client.genesis_participants(None, limit).await, error);
        refused_as(client.genesis_merchants(None, limit).await, error);
        refused_as(client.genesis_liquidity(None, limit).await, error);
        refused_as(client.evidence(None, limit).await, error);
        refused_as(client.lineage(None, limit).await, error);
        refused_as(client.windows(None, limit).await, error);
        refused_as(client.instructions(filter, None, limit).await, error);
        refused_as(client.breaches(None, limit).await, error);
        refused_as(client.returns(order(), None, limit).await, error);
        refused_as(client.sla(None, limit).await, error);
        refused_as(client.accounts(None, limit).await, error);
        refused_as(client.entries(text(ACCOUNT), None, limit).await, error);
        refused_as(client.transfers(None, None, limit).await, error);
        refused_as(client.lines(201, None, limit).await, error);
        refused_as(client.lines_held(101, None, limit).await, error);
        refused_as(client.rates(cny(), usd(), None, limit).await, error);
        refused_as(client.rate_history(cny(), usd(), 301, None, limit).await, error);
        refused_as(client.quotes(301, None, limit).await, error);
        refused_as(client.programmes(None, limit).await, error);
        refused_as(client.policies(None, limit).await, error);
        refused_as(client.held_orders(None, limit).await, error);
        refused_as(client.merchants(None, limit).await, error);
        refused_as(client.proposals(None, None, limit).await, error);
    }
    // A limit is looked at before a cursor.
    refused_as(client.blocks(Some(text("x")), Some(0)).await, error);
}
