//! Every method that names one thing, over both transports: what it finds, and what it is refused
//! with.

use jsonrpsee::core::client::{Error as ClientError, SubscriptionClientT};
use jsonrpsee::types::ErrorObjectOwned;
use rpc_api::{
    ApiError, BatchRpcClient, BlockSelector, CashbackRpcClient as _, ChainRpcClient as _,
    ErrorData, FxRpcClient as _, GovernanceRpcClient as _, InstructionSelector,
    LedgerRpcClient as _, NodeRpcClient as _, OrderState, RechargeRpcClient as _,
    RiskRpcClient as _, SettlementRpcClient as _,
};

use super::*;

pub fn refused<T: std::fmt::Debug>(result: Result<T, ClientError>) -> ErrorObjectOwned {
    match result {
        Err(ClientError::Call(error)) => error,
        other => panic!("not refused: {other:?}"),
    }
}

pub fn refused_as<T: std::fmt::Debug>(result: Result<T, ClientError>, expected: ApiError) {
    let error = refused(result);
    assert_eq!(ApiError::from_code(error.code()), Some(expected), "{error:?}");
    let data = ErrorData::of(&error).unwrap();
    assert_eq!((data.name.as_str(), data.cause.as_str()), (expected.name(), expected.cause()));
}

/// An order that nobody submitted, with an id that is like any other.
fn nobody() -> String {
    OrderId::new(START, [0x77; 10]).to_string()
}

async fn of_the_chain(served: &Served, client: &(impl SubscriptionClientT + Sync)) {
    let head = served.chain.height().get();
    assert_eq!(client.head().await.unwrap().height, head);
    assert_eq!(client.id().await.unwrap(), "09".repeat(32));
    let info = client.info().await.unwrap();
    assert_eq!((info.merchant_count, info.liquidity_count), (2, 2));
    assert_eq!(client.parameters().await.unwrap().window_ms, 1_000);
    for height in [0, head] {
        let block = client.block(BlockSelector::Height(height)).await.unwrap();
        assert_eq!((block.summary.height, block.certificate.is_some()), (height, height > 0));
        let hash = block.summary.block_hash.to_string();
        assert_eq!(client.block(BlockSelector::Hash(hash)).await.unwrap(), block);
    }
    refused_as(client.block(BlockSelector::Height(head + 1)).await, ApiError::NotFound);
    refused_as(client.block(BlockSelector::Hash("00".repeat(32))).await, ApiError::NotFound);
    refused_as(client.block(BlockSelector::Hash("xyz".into())).await, ApiError::IdMalformed);
    // `status` is a method of two namespaces.
    let status = rpc_api::NodeRpcClient::status(client).await.unwrap();
    assert_eq!((status.height, status.name.as_str()), (head, "node-0"));
    assert_eq!(status.standing.waits_for.as_deref(), Some("work"));
    assert_eq!((status.validator, status.is_ready), (Some(0), true));
    assert!(client.health().await.unwrap().is_ready);
}

async fn of_orders(days: &Days, client: &(impl SubscriptionClientT + Sync)) {
    let roads = &days.roads;
    for (id, status) in [(roads.two_steps, OrderState::Arrived), (days.held[0], OrderState::Held)] {
        let report = client.order(id.to_string()).await.unwrap();
        assert_eq!((report.order_id, report.status), (id, status));
    }
    let receipt = client.receipt(roads.one_step.to_string(), None).await.unwrap();
    assert!(receipt.proves_arrival);
    let apart = client.receipt(roads.changed.to_string(), Some(true)).await.unwrap();
    let whole = client.receipt(roads.changed.to_string(), None).await.unwrap();
    assert!(apart.receipt_base64.len() < whole.receipt_base64.len());
    let report = client.order(nobody()).await.unwrap();
    assert_eq!(report.status, OrderState::NotFound);
    let missing = refused(client.receipt(nobody(), None).await);
    assert_eq!(missing.code(), ApiError::NotFound.code());
    let searched = format!("searched heights 1 to {}", report.searched.to_height);
    assert!(missing.message().contains(&searched), "{missing:?}");
    refused_as(client.order("no-id".into()).await, ApiError::IdMalformed);
    let version_four = "c1a4e9d2-3b5f-4c6d-8e7f-0123456789ab";
    refused_as(client.order(version_four.into()).await, ApiError::IdMalformed);
}

async fn of_settlement(served: &Served, days: &Days, client: &(impl SubscriptionClientT + Sync)) {
    let (open, window) = (open_window(&served.chain).id.get(), days.windows[1].get());
    assert_eq!(client.window(open).await.unwrap().closed_ms, None);
    let closed = client.window(window).await.unwrap();
    assert_eq!(closed.window, window);
    assert!(closed.instruction_count > 0, "{closed:?}");
    refused_as(client.window(open + 1).await, ApiError::NotFound);
    assert_eq!(client.window_proof(window, None).await.unwrap().window, window);
    assert_eq!(client.window_proof(window, Some(true)).await.unwrap().settled_height, None);
    refused_as(client.window_proof(open + 1, None).await, ApiError::NotFound);
    refused_as(client.window_proof(open, None).await, ApiError::WindowOpen);
    let both = InstructionSelector { window: Some(1), gateway: Some(BANK_A.get()) };
    for filter in [both, InstructionSelector::default()] {
        refused_as(client.instructions(filter, None, None).await, ApiError::FilterMalformed);
    }
    let name = format!("{window}-{}-156", SHOP_B.get());
    assert_eq!(client.instruction(name).await.unwrap().gateway, BANK_B.get());
    refused_as(client.instruction("2-9-156".into()).await, ApiError::NotFound);
    refused_as(client.instruction("2".into()).await, ApiError::IdMalformed);
}

async fn of_the_books(served: &Served, days: &Days, client: &(impl SubscriptionClientT + Sync)) {
    let head = served.chain.height().get();
    let name = || "gateway-liquidity:201:CNY".to_owned();
    let nothing = || "gateway-liquidity:299:CNY".to_owned();
    let account = client.account(name()).await.unwrap();
    assert_eq!(account.account.to_string(), name());
    refused_as(client.account(nothing()).await, ApiError::NotFound);
    refused_as(client.entries(nothing(), None, None).await, ApiError::NotFound);
    refused_as(client.account("fees".into()).await, ApiError::IdMalformed);
    let proof = client.account_proof(name(), None, None).await.unwrap();
    assert_eq!((proof.height, &proof.account), (head, &account));
    assert_eq!(client.account_proof(name(), Some(2), None).await.unwrap().height, 2);
    let ahead = refused(client.account_proof(name(), Some(head + 9), None).await);
    assert_eq!(ahead.code(), ApiError::NotFound.code());
    let says = format!("at height {}; the node's head is {head}", head + 9);
    assert!(ahead.message().contains(&says), "{ahead:?}");
    assert!(client.trial_balance().await.unwrap().is_balanced);
    let id = days.transfers[0];
    assert_eq!(client.transfer(id.to_string()).await.unwrap().transfer_id, id);
    refused_as(client.transfer(nobody()).await, ApiError::NotFound);
    refused_as(client.transfer("x".into()).await, ApiError::IdMalformed);
}

async fn of_contracts(days: &Days, client: &(impl SubscriptionClientT + Sync)) {
    let (cny, usd) = (|| "CNY".to_owned(), || "USD".to_owned());
    let (user, shop) = (|| hex::encode(days.user), || SHOP.get().to_string());
    let reference = client.reference(cny(), usd()).await.unwrap();
    assert_eq!((reference.provider_count, reference.fresh_count), (2, 2));
    let missing = client.reference(usd(), cny()).await.unwrap();
    assert_eq!((missing.rate, missing.missing.unwrap().code), (None, 232));
    refused_as(client.reference("cny".into(), usd()).await, ApiError::IdMalformed);
    refused_as(client.quote("4".into()).await, ApiError::NotFound);
    refused_as(client.quote("-1".into()).await, ApiError::IdMalformed);
    assert_eq!(client.programme(shop(), cny()).await.unwrap().merchant, SHOP.get());
    refused_as(client.programme("9".into(), cny()).await, ApiError::NotFound);
    refused_as(client.programme(shop(), "???".into()).await, ApiError::IdMalformed);
    let month = client.user_month(shop(), cny(), user()).await.unwrap();
    assert_eq!((month.user, month.merchant), (user(), SHOP.get()));
    assert_eq!((month.rests.steps, month.rests.most.minor, month.rests_before), (0, 0, None));
    refused_as(client.user_month("9".into(), cny(), user()).await, ApiError::NotFound);
    refused_as(client.user_month(shop(), cny(), "00".into()).await, ApiError::IdMalformed);
    assert_eq!(client.user_day(user(), cny()).await.unwrap().user, user());
    refused_as(client.user_day("zz".into(), cny()).await, ApiError::IdMalformed);
    let registry = client.registry().await.unwrap();
    assert_eq!((registry.nodes.len(), registry.currencies), (5, vec![cny(), usd()]));
    assert_eq!(client.merchant(shop()).await.unwrap().merchant, SHOP.get());
    refused_as(client.merchant("4".into()).await, ApiError::NotFound);
    let proposals = client.proposals(None, None, Some(1)).await.unwrap().items;
    let id = proposals[0].proposal_id.to_string();
    assert_eq!(client.proposal(id).await.unwrap(), proposals[0]);
    refused_as(client.proposal(nobody()).await, ApiError::NotFound);
}

async fn every_method(served: &Served, days: &Days, client: &(impl SubscriptionClientT + Sync)) {
    of_the_chain(served, client).await;
    of_orders(days, client).await;
    of_settlement(served, days, client).await;
    of_the_books(served, days, client).await;
    of_contracts(days, client).await;
}

#[tokio::test]
async fn every_method_answers_over_http_and_over_websocket() {
    let (served, days) = busy_node().await;
    every_method(&served, &days, &served.http()).await;
    every_method(&served, &days, &served.ws().await).await;
}

/// "Not found, may still commit" of a node that is cut off would be wrong of orders that are final.
#[tokio::test]
async fn a_node_that_is_not_ready_does_not_say_not_found() {
    let mut chain = Chain::of(served_genesis());
    let order = chain.recharge(1_000, Flags::COLLECTED);
    assert_eq!(chain.say(BANK_A, order), Outcome::APPLIED);
    let mut served = Served::start_cut_off(chain).await;
    let client = served.http();
    assert!(!client.health().await.unwrap().is_ready);
    let known = client.order(order.order_id().to_string()).await.unwrap();
    assert_eq!(known.status, OrderState::Collected, "what is here is told");
    let error = refused(client.order(nobody()).await);
    assert_eq!(ApiError::from_code(error.code()), Some(ApiError::NodeBehind));
    let data = ErrorData::of(&error).unwrap();
    assert!(data.transient && data.detail.contains("no peer lets this node in"), "{data:?}");
    refused_as(client.receipt(nobody(), None).await, ApiError::NodeBehind);
    let unknown = BatchRpcClient::status(&client, "0a".repeat(32), None);
    refused_as(unknown.await, ApiError::NodeBehind);
    refused_as(client.transfer(nobody()).await, ApiError::NodeBehind);
    refused_as(client.block(BlockSelector::Height(99)).await, ApiError::NodeBehind);

    // Its own head is past the order's validity: no block of any node can hold it.
    served.block(LONG_MS, vec![]);
    let report = client.order(nobody()).await.unwrap();
    assert_eq!((report.status, report.searched.may_still_commit), (OrderState::NotFound, false));
    refused_as(client.receipt(nobody(), None).await, ApiError::NotFound);
}

#[tokio::test]
async fn a_fault_is_not_told_in_detail() {
    let mut chain = Chain::of(served_genesis());
    chain.block(200, vec![]);
    let served = Served::start(chain).await;
    let client = served.http();
    let head = || BlockSelector::Height(1);
    assert!(client.block(head()).await.is_ok());
    let blocks = served.chain.folder.path().join("blocks");
    for file in std::fs::read_dir(&blocks).unwrap() {
        std::fs::write(file.unwrap().path(), "no blocks").unwrap();
    }
    let error = refused(client.block(head()).await);
    assert_eq!(error.code(), ApiError::InternalFault.code());
    let folder = served.chain.folder.path().to_str().unwrap();
    assert!(!format!("{error:?}").contains(folder), "{error:?}");
}

#[tokio::test]
async fn instructions_are_subscribed_to_by_a_cursor_of_a_gateway() {
    let (mut served, _) = busy_node().await;
    let client = served.ws().await;
    let refused = async |gateway: ParticipantId, cursor: Option<&str>| {
        let cursor = cursor.map(str::to_owned);
        refused(client.subscribe_instructions(gateway.get(), cursor).await).code()
    };
    assert_eq!(refused(BANK_B, Some("x")).await, ApiError::BadCursor.code());
    assert_eq!(refused(BANK_B, Some("2-01001-156")).await, ApiError::BadCursor.code());
    assert_eq!(refused(OPERATOR, None).await, ApiError::NotFound.code());
    assert_eq!(refused(ParticipantId::new(999), None).await, ApiError::NotFound.code());

    let filter = InstructionSelector::gateway(BANK_B.get());
    let known = client.instructions(filter, None, None).await.unwrap().items;
    let first = Some(known[0].instruction_id.to_string());
    let mut events = client.subscribe_instructions(BANK_B.get(), first).await.unwrap();
    let order = served.chain.recharge(1_000, Flags::COLLECTED);
    let batch = served.chain.batch(BANK_A, &key(4, BANK_A.get()), &[order]);
    served.block(200, vec![batch]);
    served.block(1_000, vec![]);
    let all = client.instructions(filter, None, None).await.unwrap().items;
    assert_eq!(all.len(), known.len() + 1);
    for expected in &all[1..] {
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(&event.instruction, expected);
        assert_eq!(event.cursor, expected.instruction_id.to_string());
    }
}

#[tokio::test]
async fn blocks_are_subscribed_to_from_any_height() {
    let mut served = Served::start(Chain::of(served_genesis())).await;
    for _ in 0..3 {
        served.block(200, vec![]);
    }
    let client = served.ws().await;
    let mut past = client.subscribe_blocks(Some(0)).await.unwrap();
    let mut new = client.subscribe_blocks(None).await.unwrap();
    served.block(200, vec![]);
    for height in 0..=4 {
        assert_eq!(past.next().await.unwrap().unwrap().height, height);
    }
    assert_eq!(new.next().await.unwrap().unwrap().height, 4);
}
