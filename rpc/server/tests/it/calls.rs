//! Every method, by the typed client, over both transports.

use std::sync::atomic::Ordering;

use jsonrpsee::core::client::{Error as ClientError, SubscriptionClientT};
use jsonrpsee::types::ErrorObjectOwned;
use rpc_api::{
    ApiError, Base64Bytes, BatchRpcClient as _, BatchState, BlockSelector, CashbackRpcClient as _,
    ChainRpcClient as _, ErrorData, FxRpcClient as _, GovernanceRpcClient as _, InstructionFilter,
    LedgerRpcClient as _, NodeRpcClient as _, OrderState, Page, RechargeRpcClient as _,
    RiskRpcClient as _, SettlementRpcClient as _, Wait,
};

use crate::fake_contracts::uuid_text;
use crate::fake_node::{GATEWAY, OPERATOR, TestServer, account, block_hash, order_id_text};
use crate::raw::{call, get, post, wait_for};

fn refused<T: std::fmt::Debug>(result: Result<T, ClientError>) -> ErrorObjectOwned {
    match result {
        Err(ClientError::Call(error)) => error,
        other => panic!("not refused: {other:?}"),
    }
}

fn refused_as<T: std::fmt::Debug>(result: Result<T, ClientError>, expected: ApiError) {
    let error = refused(result);
    assert_eq!(ApiError::from_code(error.code()), Some(expected), "{error:?}");
    let data = ErrorData::of(&error).unwrap();
    assert_eq!((data.name.as_str(), data.cause.as_str()), (expected.name(), expected.cause()));
}

async fn every_method(server: &TestServer, client: &(impl SubscriptionClientT + Sync)) {
    let head = client.head().await.unwrap();
    assert_eq!(head.height, 5);
    assert_eq!(client.id().await.unwrap(), "09".repeat(32));
    let info = client.info().await.unwrap();
    assert_eq!((info.participant_count, info.merchant_count, info.liquidity_count), (2, 5, 3));
    let first = client.genesis_participants(None, Some(1)).await.unwrap();
    let rest = client.genesis_participants(first.next, None).await.unwrap();
    assert_eq!((first.items[0].participant, rest.items[0].participant), (OPERATOR, GATEWAY));
    assert_eq!((rest.items.len(), rest.next), (1, None));
    let page = client.genesis_merchants(Some("1002".to_owned()), Some(2)).await.unwrap();
    let ids: Vec<u64> = page.items.iter().map(|merchant| merchant.merchant).collect();
    assert_eq!((ids, page.next.as_deref()), (vec![1003, 1004], Some("1004")));
    let page = client.genesis_liquidity(None, Some(2)).await.unwrap();
    assert_eq!(page.next.as_deref(), Some("201-JPY"));
    let page = client.genesis_liquidity(page.next, Some(2)).await.unwrap();
    assert_eq!((page.items[0].gateway, page.items.len(), page.next), (202, 1, None));
    refused_as(client.genesis_liquidity(Some("201".to_owned()), None).await, ApiError::BadCursor);
    refused_as(client.genesis_merchants(Some("x".to_owned()), None).await, ApiError::BadCursor);
    assert_eq!(client.parameters().await.unwrap().window_ms, 30_000);
    let block = client.block(BlockSelector::Height(3)).await.unwrap();
    assert_eq!(block.summary.block_hash, block_hash(3));
    let by_hash = client.block(BlockSelector::Hash(block_hash(3).to_string())).await.unwrap();
    assert_eq!(by_hash, block);
    refused_as(client.block(BlockSelector::Height(99)).await, ApiError::NotFound);
    refused_as(client.block(BlockSelector::Hash("xyz".into())).await, ApiError::IdMalformed);

    let mut heights = Vec::new();
    let mut cursor = None;
    loop {
        let page = client.blocks(cursor, Some(4)).await.unwrap();
        heights.extend(page.items.iter().map(|block| block.height));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(heights, [5, 4, 3, 2, 1, 0]);

    let report = client.order(order_id_text()).await.unwrap();
    assert_eq!(report.status, OrderState::NotFound);
    assert_eq!((report.searched.from_height, report.searched.to_height), (1, 5));
    let missing = refused(client.receipt(order_id_text(), None).await);
    assert_eq!(missing.code(), ApiError::NotFound.code());
    assert!(missing.message().contains("searched heights 1 to 5"), "{missing:?}");
    let heavy = "019b76da-ac0d-7021-8000-0025657687ff".to_owned();
    let too_large = refused(client.receipt(heavy.clone(), None).await);
    assert_eq!(too_large.code(), ApiError::ProofTooLarge.code());
    assert!(too_large.message().contains(&heavy), "{too_large:?}");
    assert_eq!(client.receipt(heavy, Some(true)).await.unwrap().return_count, 0);
    refused_as(client.order("no-id".into()).await, ApiError::IdMalformed);
    let version_four = "c1a4e9d2-3b5f-4c6d-8e7f-0123456789ab";
    refused_as(client.order(version_four.into()).await, ApiError::IdMalformed);

    assert_eq!(client.windows(None, Some(2)).await.unwrap().next.as_deref(), Some("5"));
    assert_eq!(client.window(3).await.unwrap().window, 3);
    refused_as(client.window(7).await, ApiError::NotFound);
    assert_eq!(client.window_proof(1, None).await.unwrap().settled_height, Some(3));
    assert_eq!(client.window_proof(2, None).await.unwrap().settled_height, None);
    refused_as(client.window_proof(7, None).await, ApiError::NotFound);
    refused_as(client.window_proof(6, None).await, ApiError::WindowOpen);
    refused_as(client.window_proof(0, None).await, ApiError::ProofNotKept);
    let of_gateway = client.instructions(InstructionFilter::gateway(GATEWAY), None, None);
    assert_eq!(of_gateway.await.unwrap().items.len(), 3);
    let of_window = client.instructions(InstructionFilter::window(2), None, Some(1)).await.unwrap();
    assert_eq!(of_window.items[0].instruction_id.to_string(), "2-1001-156");
    assert_eq!(of_window.next.as_deref(), Some("2-1001-156"));
    let rest = client.instructions(InstructionFilter::window(2), of_window.next, None).await;
    assert_eq!(rest.unwrap().items.len(), 1);
    let both = InstructionFilter { window: Some(1), gateway: Some(GATEWAY) };
    refused_as(client.instructions(both, None, None).await, ApiError::FilterMalformed);
    let none = InstructionFilter::default();
    refused_as(client.instructions(none, None, None).await, ApiError::FilterMalformed);
    assert_eq!(client.instruction("2-1001-156".into()).await.unwrap().gateway, GATEWAY);
    refused_as(client.instruction("2-9-156".into()).await, ApiError::NotFound);
    refused_as(client.instruction("2".into()).await, ApiError::IdMalformed);
    let breaches = client.breaches(None, Some(2)).await.unwrap();
    assert_eq!(breaches.next.as_deref(), Some("3-1"));
    assert_eq!(client.breaches(breaches.next, None).await.unwrap().items.len(), 3);

    let evidence = client.evidence(None, Some(2)).await.unwrap();
    assert_eq!(evidence.next.as_deref(), Some("4-1"));
    assert_eq!(client.evidence(evidence.next, None).await.unwrap().items.len(), 1);

    let lineage = client.lineage(None, None).await.unwrap();
    assert_eq!((lineage.items.len(), lineage.next.as_deref()), (3, Some("3")), "a short page");
    let lineage = client.lineage(lineage.next, Some(3)).await.unwrap();
    assert_eq!((lineage.items.len(), lineage.next), (2, None));
    assert_eq!(client.lineage(Some("5".into()), None).await.unwrap().items, []);

    let accounts = client.accounts(None, Some(2)).await.unwrap();
    assert_eq!(accounts.next.as_deref(), Some("gateway-liquidity:202:CNY"));
    assert_eq!(client.accounts(accounts.next, None).await.unwrap().items, [account(203)]);
    let name = "gateway-liquidity:201:CNY".to_owned();
    assert_eq!(client.account(name.clone()).await.unwrap(), account(201));
    assert_eq!(client.entries(name, None, None).await.unwrap().items.len(), 0);
    refused_as(client.account("fees:0:CNY".into()).await, ApiError::NotFound);
    refused_as(client.entries("fees:0:CNY".into(), None, None).await, ApiError::NotFound);
    refused_as(client.account("fees".into()).await, ApiError::IdMalformed);
    assert!(client.trial_balance().await.unwrap().is_balanced);

    // `status` is a method of two namespaces.
    let status = rpc_api::NodeRpcClient::status(client).await.unwrap();
    assert_eq!((status.height, status.standing.waits_for.as_deref()), (5, Some("work")));
    assert!(client.health().await.unwrap().is_ready);
    every_contract_answer(client).await;
    every_batch_answer(server, client).await;
}

/// Walks a list two items at a time; gives all of them.
async fn walked<T, F: Future<Output = Result<Page<T>, ClientError>>>(
    list: impl Fn(Option<String>, Option<u32>) -> F,
) -> Vec<T> {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let page = list(cursor, Some(2)).await.unwrap();
        assert!((1..=2).contains(&page.items.len()));
        items.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return items;
        }
    }
}

async fn every_contract_answer(client: &(impl SubscriptionClientT + Sync)) {
    let (cny, usd) = (|| "CNY".to_owned(), || "USD".to_owned());
    let user = || "00ff".repeat(8);

    let returns = walked(|cursor, limit| client.returns(order_id_text(), cursor, limit)).await;
    assert_eq!(returns.iter().map(|one| one.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    let sla = walked(|cursor, limit| client.sla(cursor, limit)).await;
    assert_eq!(sla.iter().map(|one| one.participant).collect::<Vec<_>>(), [None, Some(GATEWAY)]);
    let rest = client.sla(Some("0".to_owned()), None).await.unwrap().items;
    assert_eq!(rest.len(), 1, "nobody's breaches stand at zero");

    let name = || "gateway-liquidity:201:CNY".to_owned();
    assert_eq!(client.account_proof(name(), None, None).await.unwrap().height, 5);
    assert_eq!(client.account_proof(name(), Some(2), None).await.unwrap().height, 2);
    let ahead = refused(client.account_proof(name(), Some(99), None).await);
    assert_eq!(ahead.code(), ApiError::NotFound.code());
    assert!(ahead.message().contains("at height 99; the node's head is 5"), "{ahead:?}");
    let transfers = walked(|cursor, limit| client.transfers(None, cursor, limit)).await;
    let ids: Vec<_> = transfers.iter().map(|one| one.transfer_id.to_string()).collect();
    assert_eq!(ids, [uuid_text(3), uuid_text(2), uuid_text(1)]);
    assert_eq!(client.transfers(Some(true), None, None).await.unwrap().items.len(), 1);
    assert_eq!(client.transfer(uuid_text(2)).await.unwrap(), transfers[1]);
    refused_as(client.transfer(uuid_text(9)).await, ApiError::NotFound);
    refused_as(client.transfer("x".into()).await, ApiError::IdMalformed);

    let lines = walked(|cursor, limit| client.lines(201, cursor, limit)).await;
    assert_eq!(lines.iter().map(|one| one.holder).collect::<Vec<_>>(), [1, 2, 3]);
    let held = walked(|cursor, limit| client.lines_held(101, cursor, limit)).await;
    assert_eq!(held.iter().map(|one| one.account.owner).collect::<Vec<_>>(), [1, 2, 3]);

    assert_eq!(client.reference(cny(), usd()).await.unwrap().rate.as_deref(), Some("7.1"));
    let missing = client.reference(usd(), cny()).await.unwrap();
    assert_eq!((missing.rate, missing.missing.unwrap().code), (None, 232));
    refused_as(client.reference("cny".into(), usd()).await, ApiError::IdMalformed);
    let rates = walked(|cursor, limit| client.rates(cny(), usd(), cursor, limit)).await;
    assert_eq!(rates.iter().map(|one| one.provider).collect::<Vec<_>>(), [1, 2, 3]);
    let history = walked(|cursor, limit| client.rate_history(cny(), usd(), 7, cursor, limit)).await;
    assert_eq!(history.iter().map(|one| one.observed_ms).collect::<Vec<_>>(), [1, 2, 3]);
    let quotes = walked(|cursor, limit| client.quotes(301, cursor, limit)).await;
    assert_eq!(client.quote("3".into()).await.unwrap(), quotes[2]);
    refused_as(client.quote("4".into()).await, ApiError::NotFound);
    refused_as(client.quote("-1".into()).await, ApiError::IdMalformed);

    let programmes = walked(|cursor, limit| client.programmes(cursor, limit)).await;
    assert_eq!(client.programme("2".into(), cny()).await.unwrap(), programmes[1]);
    refused_as(client.programme("9".into(), cny()).await, ApiError::NotFound);
    refused_as(client.programme("2".into(), "???".into()).await, ApiError::IdMalformed);
    let month = client.user_month("2".into(), cny(), user()).await.unwrap();
    assert_eq!((month.user, month.recharge_count), (user(), 6));
    assert_eq!((month.rests.steps, month.rests.most.minor, month.rests_before), (1, 8, None));
    refused_as(client.user_month("9".into(), cny(), user()).await, ApiError::NotFound);
    refused_as(client.user_month("2".into(), cny(), "00".into()).await, ApiError::IdMalformed);

    let policies = walked(|cursor, limit| client.policies(cursor, limit)).await;
    assert_eq!(policies.iter().map(|one| one.subject).collect::<Vec<_>>(), [1, 2, 3]);
    let held = walked(|cursor, limit| client.held_orders(cursor, limit)).await;
    assert_eq!(held.iter().map(|one| one.held_ms).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(client.user_day(user(), cny()).await.unwrap().user, user());
    refused_as(client.user_day("zz".into(), cny()).await, ApiError::IdMalformed);

    assert_eq!(client.registry().await.unwrap().parameters.window_ms, 30_000);
    let merchants = walked(|cursor, limit| client.merchants(cursor, limit)).await;
    assert_eq!(client.merchant("3".into()).await.unwrap(), merchants[2]);
    refused_as(client.merchant("4".into()).await, ApiError::NotFound);
    let proposals = walked(|cursor, limit| client.proposals(None, cursor, limit)).await;
    assert_eq!(client.proposals(Some(true), None, None).await.unwrap().items.len(), 1);
    assert_eq!(client.proposal(uuid_text(3)).await.unwrap(), proposals[0]);
    refused_as(client.proposal(uuid_text(8)).await, ApiError::NotFound);
}

async fn every_batch_answer(server: &TestServer, client: &(impl SubscriptionClientT + Sync)) {
    let node = &server.node;
    let bytes = node.batch_bytes(GATEWAY);
    let batch = || Base64Bytes::new(bytes.clone());
    let report = client.submit(batch(), None, None, None).await.unwrap();
    assert_eq!(report.state, BatchState::Admitted);
    let id = report.batch_id.to_string();
    assert_eq!(rpc_api::BatchRpcClient::status(client, id.clone(), None).await.unwrap(), report);

    let late = refused(client.submit(batch(), Some(Wait::Final), Some(1), None).await);
    assert_eq!(late.code(), ApiError::WaitTimeout.code());
    assert!(late.message().contains(&id), "it names the batch: {late:?}");

    let waiting = client.submit(batch(), Some(Wait::Final), Some(30_000), Some(true));
    let advancing = async {
        tokio::task::yield_now().await;
        node.advance_to(6);
    };
    let (report, ()) = tokio::join!(waiting, advancing);
    let report = report.unwrap();
    assert_eq!((report.state, report.height), (BatchState::Final, Some(6)));
    assert_eq!(report.outcomes.as_ref().unwrap().item_count, 1);
    let again = client.submit(batch(), Some(Wait::Final), None, Some(true)).await.unwrap();
    assert_eq!(again, report, "the same bytes get the same answer");

    let forged = Base64Bytes::new(node.batch_bytes(1));
    let error = refused(client.submit(forged, None, None, None).await);
    assert_eq!(error.code(), 109);
    assert_eq!(ErrorData::of(&error).unwrap().name, "signature-invalid");
    let short = Base64Bytes::new(bytes[..100].to_vec());
    assert_eq!(refused(client.submit(short, None, None, None).await).code(), 100);

    node.is_full.store(true, Ordering::Release);
    let error = refused(client.submit(batch(), None, None, None).await);
    node.is_full.store(false, Ordering::Release);
    assert_eq!(error.code(), 115);
    assert_eq!(ErrorData::of(&error).unwrap().retry_after_ms, Some(250));

    for timeout_ms in [0, 60_001] {
        let result = client.submit(batch(), None, Some(timeout_ms), None).await;
        refused_as(result, ApiError::TimeoutOutOfBounds);
    }
    let unknown = rpc_api::BatchRpcClient::status(client, "ab".repeat(32), None).await.unwrap();
    assert_eq!(unknown.state, BatchState::Unknown);
    let malformed = rpc_api::BatchRpcClient::status(client, "ab".into(), None).await;
    refused_as(malformed, ApiError::IdMalformed);
}

async fn prepared() -> TestServer {
    let server = TestServer::start().await;
    for (window, merchant) in [(1, 1001), (2, 1001), (2, 1002)] {
        server.node.instruct(window, merchant);
    }
    server.node.advance_to(5);
    server
}

#[tokio::test]
async fn every_method_answers_over_http() {
    let server = prepared().await;
    every_method(&server, &server.http()).await;
}

#[tokio::test]
async fn every_method_answers_over_websocket() {
    let server = prepared().await;
    every_method(&server, &server.ws().await).await;
}

#[tokio::test]
async fn bad_cursors_and_limits_are_refused_by_every_list() {
    let server = prepared().await;
    let client = server.http();
    let long = "9".repeat(100_000);
    for bad in ["", "x", "1-", "-", "1-2-3-4", "18446744073709551616", "🙂", &long] {
        let cursor = || Some(bad.to_owned());
        let account = "gateway-liquidity:201:CNY".to_owned();
        let filter = InstructionFilter::gateway(GATEWAY);
        refused_as(client.blocks(cursor(), None).await, ApiError::BadCursor);
        refused_as(client.windows(cursor(), None).await, ApiError::BadCursor);
        refused_as(client.instructions(filter, cursor(), None).await, ApiError::BadCursor);
        refused_as(client.breaches(cursor(), None).await, ApiError::BadCursor);
        refused_as(client.evidence(cursor(), None).await, ApiError::BadCursor);
        refused_as(client.lineage(cursor(), None).await, ApiError::BadCursor);
        refused_as(client.accounts(cursor(), None).await, ApiError::BadCursor);
        refused_as(client.entries(account, cursor(), None).await, ApiError::BadCursor);
    }
    for limit in [0, 1_001, u32::MAX] {
        let (filter, limit) = (InstructionFilter::gateway(GATEWAY), Some(limit));
        refused_as(client.blocks(None, limit).await, ApiError::LimitOutOfBounds);
        refused_as(client.windows(None, limit).await, ApiError::LimitOutOfBounds);
        refused_as(client.instructions(filter, None, limit).await, ApiError::LimitOutOfBounds);
        refused_as(client.breaches(None, limit).await, ApiError::LimitOutOfBounds);
        refused_as(client.evidence(None, limit).await, ApiError::LimitOutOfBounds);
        refused_as(client.lineage(None, limit).await, ApiError::LimitOutOfBounds);
        refused_as(client.accounts(None, limit).await, ApiError::LimitOutOfBounds);
    }
}

#[tokio::test]
async fn the_contracts_lists_refuse_bad_cursors_and_limits() {
    let server = prepared().await;
    let client = server.http();
    let (cny, usd) = (|| "CNY".to_owned(), || "USD".to_owned());
    for bad in ["", "x", "-", "1-2-3-4", "18446744073709551616", "🙂"] {
        let cursor = || Some(bad.to_owned());
        refused_as(client.returns(order_id_text(), cursor(), None).await, ApiError::BadCursor);
        refused_as(client.sla(cursor(), None).await, ApiError::BadCursor);
        refused_as(client.transfers(None, cursor(), None).await, ApiError::BadCursor);
        refused_as(client.rates(cny(), usd(), cursor(), None).await, ApiError::BadCursor);
        let history = client.rate_history(cny(), usd(), 301, cursor(), None);
        refused_as(history.await, ApiError::BadCursor);
        refused_as(client.quotes(301, cursor(), None).await, ApiError::BadCursor);
        refused_as(client.programmes(cursor(), None).await, ApiError::BadCursor);
        refused_as(client.policies(cursor(), None).await, ApiError::BadCursor);
        refused_as(client.lines(201, cursor(), None).await, ApiError::BadCursor);
        refused_as(client.lines_held(101, cursor(), None).await, ApiError::BadCursor);
        refused_as(client.held_orders(cursor(), None).await, ApiError::BadCursor);
        refused_as(client.merchants(cursor(), None).await, ApiError::BadCursor);
        refused_as(client.proposals(None, cursor(), None).await, ApiError::BadCursor);
    }
    for limit in [Some(0), Some(1_001)] {
        let bounds = ApiError::LimitOutOfBounds;
        refused_as(client.returns(order_id_text(), None, limit).await, bounds);
        refused_as(client.sla(None, limit).await, bounds);
        refused_as(client.transfers(None, None, limit).await, bounds);
        refused_as(client.rates(cny(), usd(), None, limit).await, bounds);
        refused_as(client.rate_history(cny(), usd(), 301, None, limit).await, bounds);
        refused_as(client.quotes(301, None, limit).await, bounds);
        refused_as(client.programmes(None, limit).await, bounds);
        refused_as(client.policies(None, limit).await, bounds);
        refused_as(client.lines(201, None, limit).await, bounds);
        refused_as(client.lines_held(101, None, limit).await, bounds);
        refused_as(client.held_orders(None, limit).await, bounds);
        refused_as(client.merchants(None, limit).await, bounds);
        refused_as(client.proposals(None, None, limit).await, bounds);
    }
}

/// "Not found, may still commit" of a node that is cut off would be wrong of orders that are final.
#[tokio::test]
async fn a_node_that_is_not_ready_does_not_say_not_found() {
    let server = TestServer::start().await;
    let client = server.http();
    let batch_id = "0a".repeat(32);
    server.node.is_ready.store(false, Ordering::Release);
    let error = refused(client.order(order_id_text()).await);
    assert_eq!(ApiError::from_code(error.code()), Some(ApiError::NodeBehind));
    let data = ErrorData::of(&error).unwrap();
    assert!(data.transient && data.detail.contains("catching up"), "{data:?}");
    refused_as(client.receipt(order_id_text(), None).await, ApiError::NodeBehind);
    let unknown = rpc_api::BatchRpcClient::status(&client, batch_id.clone(), None);
    refused_as(unknown.await, ApiError::NodeBehind);
    refused_as(client.transfer(uuid_text(9)).await, ApiError::NodeBehind);
    refused_as(client.block(BlockSelector::Height(99)).await, ApiError::NodeBehind);

    // Its own head is past the order's validity: no block of any node can hold it.
    server.node.may_still_commit.store(false, Ordering::Release);
    let report = client.order(order_id_text()).await.unwrap();
    assert_eq!(report.status, OrderState::NotFound);
    refused_as(client.receipt(order_id_text(), None).await, ApiError::NotFound);

    server.node.may_still_commit.store(true, Ordering::Release);
    server.node.is_ready.store(true, Ordering::Release);
    assert!(client.order(order_id_text()).await.unwrap().searched.may_still_commit);
    let report = rpc_api::BatchRpcClient::status(&client, batch_id, None).await.unwrap();
    assert_eq!(report.state, BatchState::Unknown);
}

#[tokio::test]
async fn a_fault_is_not_told_in_detail() {
    let server = TestServer::start().await;
    server.node.is_faulty.store(true, Ordering::Release);
    let error = refused(server.http().order(order_id_text()).await);
    assert_eq!(error.code(), ApiError::InternalFault.code());
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
}

/// A call of a list that waits for a block keeps no other from its answer; the answers come in the
/// order of the list.
#[tokio::test]
async fn calls_of_a_list_are_answered_side_by_side() {
    let server = TestServer::start().await;
    let bytes = rpc_api::encode_base64(&server.node.batch_bytes(GATEWAY));
    let submit = call("batch_submit", &format!("[\"{bytes}\",\"final\",30000]"));
    let list = format!("[{submit},{}]", call("chain_id", "[]"));
    let advancing = async {
        let answered = "sluice_rpc_calls_total{method=\"chain_id\",code=\"0\"} 1";
        wait_for("the second call is answered before the first", async || {
            get(server.operator, "/metrics").await.body.contains(answered)
        })
        .await;
        server.node.advance_to(6);
    };
    let (answer, ()) = tokio::join!(post(server.address, &list), advancing);
    let answers = answer.json();
    assert_eq!(answers[0]["result"]["state"], "final", "{answers}");
    assert_eq!(answers[1]["result"], "09".repeat(32), "{answers}");
}
