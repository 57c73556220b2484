//! Subscriptions: nothing skipped, nothing twice, however late or slow the subscriber is.

use std::sync::atomic::Ordering;

use jsonrpsee::core::client::Error as ClientError;
use jsonrpsee_ws_client::WsClientBuilder;
use rpc_api::{ApiError, ChainRpcClient as _, SettlementRpcClient as _};
use rpc_server::ServerConfig;

use crate::raw::figure;
use crate::served::{GATEWAY, TestServer};

fn code<T: std::fmt::Debug>(result: Result<T, ClientError>) -> i32 {
    match result {
        Err(ClientError::Call(error)) => error.code(),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn instructions_come_as_they_are_made_and_resume_after_the_cursor() {
    let server = TestServer::start().await;
    let early = [server.node.instruct(1, 1001), server.node.instruct(1, 1002)];
    let client = server.ws().await;
    let mut events = client.subscribe_instructions(GATEWAY, None).await.unwrap();
    let mut cursors = Vec::new();
    for expected in early {
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.instruction.instruction_id, expected);
        cursors.push(event.cursor);
    }
    let third = server.node.instruct(2, 1001);
    let event = events.next().await.unwrap().unwrap();
    assert_eq!(event.instruction.instruction_id, third);
    drop(client);

    // What was made while nobody listened comes first.
    let fourth = server.node.instruct(2, 1002);
    let client = server.ws().await;
    let mut events =
        client.subscribe_instructions(GATEWAY, Some(cursors[1].clone())).await.unwrap();
    for expected in [third, fourth] {
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.instruction.instruction_id, expected);
    }
    let fifth = server.node.instruct(3, 1001);
    assert_eq!(events.next().await.unwrap().unwrap().instruction.instruction_id, fifth);
}

#[tokio::test]
async fn blocks_come_without_a_gap_from_any_height() {
    let server = TestServer::start().await;
    server.node.advance_to(200);
    let client = server.ws().await;
    let mut past = client.subscribe_blocks(Some(0)).await.unwrap();
    let mut new = client.subscribe_blocks(None).await.unwrap();
    let mut future = client.subscribe_blocks(Some(205)).await.unwrap();
    for height in 0..=200 {
        assert_eq!(past.next().await.unwrap().unwrap().height, height);
    }
    server.node.advance_to(203);
    server.node.advance_to(206);
    for height in 201..=206 {
        assert_eq!(past.next().await.unwrap().unwrap().height, height);
        assert_eq!(new.next().await.unwrap().unwrap().height, height);
    }
    for height in 205..=206 {
        assert_eq!(future.next().await.unwrap().unwrap().height, height);
    }
}

#[tokio::test]
async fn a_subscriber_that_lags_reads_on_from_where_it_was() {
    let server = TestServer::start().await;
    let url = format!("ws://{}", server.address);
    // A client that buffers little: the server has to wait for it.
    let client = WsClientBuilder::default()
        .max_buffer_capacity_per_subscription(20_000)
        .build(url)
        .await
        .unwrap();
    let mut blocks = client.subscribe_blocks(Some(1)).await.unwrap();
    for height in (0..=10_000).step_by(7) {
        server.node.advance_to(height);
        if height % 1_001 == 0 {
            tokio::task::yield_now().await;
        }
    }
    server.node.advance_to(10_000);
    for height in 1..=10_000 {
        assert_eq!(blocks.next().await.unwrap().unwrap().height, height);
    }
}

#[tokio::test]
async fn a_height_that_is_not_kept_ends_the_subscription_with_a_reason() {
    let server = TestServer::start().await;
    server.node.kept_from.store(50, Ordering::Release);
    server.node.advance_to(60);
    let client = server.ws().await;
    let mut blocks = client.subscribe_blocks(Some(10)).await.unwrap();
    let end = tokio::time::timeout(std::time::Duration::from_secs(20), blocks.next()).await;
    match end.expect("it ends") {
        Some(Err(_)) | None => {}
        Some(Ok(block)) => panic!("a gap: {block:?}"),
    }
    server.still_answers().await;
}

#[tokio::test]
async fn subscriptions_have_a_number_per_connection_and_over_all() {
    let config = ServerConfig {
        subscriptions_per_connection_max: 2,
        subscriptions_max: 3,
        ..ServerConfig::default()
    };
    let server = TestServer::with(config).await;
    let (one, two) = (server.ws().await, server.ws().await);
    let first = one.subscribe_blocks(None).await.unwrap();
    let _second = one.subscribe_blocks(None).await.unwrap();
    assert_eq!(code(one.subscribe_blocks(None).await), -32006);
    let _third = two.subscribe_blocks(None).await.unwrap();
    assert_eq!(code(two.subscribe_blocks(None).await), ApiError::TooManySubscriptions.code());
    // One that ends makes room.
    first.unsubscribe().await.unwrap();
    crate::raw::wait_for("one that ended makes room", async || {
        two.subscribe_blocks(None).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn over_http_a_subscription_is_refused() {
    let server = TestServer::start().await;
    let call = crate::raw::call("chain_subscribe_blocks", "[]");
    assert_eq!(crate::raw::post(server.address, &call).await.code(), -32603);
    server.still_answers().await;
}

#[tokio::test]
async fn standing_subscriptions_share_each_read_and_wake_for_news_only() {
    const CONNECTIONS: u32 = 8;
    const EACH: u32 = 12;
    let server = TestServer::start().await;
    let first = server.node.instruct(1, 1001);
    let mut events = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let client = server.ws().await;
        for _ in 0..EACH {
            events.push(client.subscribe_instructions(GATEWAY, None).await.unwrap());
        }
        clients.push(client);
    }
    for events in &mut events {
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.instruction.instruction_id, first);
    }
    let reads = || server.node.instruction_reads.load(Ordering::Acquire);
    let (before, woken) = (reads(), figure(&server, "sluice_rpc_subscription_wakes_total").await);
    // Blocks without news: the feed looks once a block, and nobody else.
    let blocks = 40;
    for _ in 0..blocks {
        let seen = reads();
        server.node.advance_to(server.node.head().get() + 1);
        while reads() == seen {
            tokio::task::yield_now().await;
        }
    }
    let standing = reads() - before;
    assert!(standing <= 2 * blocks, "{standing} reads in {blocks} blocks");
    let woken_since = figure(&server, "sluice_rpc_subscription_wakes_total").await - woken;
    assert_eq!(woken_since, 0, "nobody wakes without news");
    // News: one look, and one read for all.
    let before = reads();
    let second = server.node.instruct(2, 1001);
    for events in &mut events {
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.instruction.instruction_id, second);
    }
    let for_news = reads() - before;
    assert!(for_news <= 4, "{for_news} reads for {} subscribers", CONNECTIONS * EACH);
    let woken_since = figure(&server, "sluice_rpc_subscription_wakes_total").await - woken;
    assert!(woken_since > 0, "news wakes");
    assert!(woken_since <= u64::from(CONNECTIONS * EACH), "each wakes once: {woken_since}");
}

#[tokio::test]
async fn a_cursor_ahead_of_everything_blinds_nobody_else() {
    let server = TestServer::start().await;
    server.node.instruct(1, 1001);
    let client = server.ws().await;
    let ahead = Some("999999-1001-156".to_owned());
    let _blind = client.subscribe_instructions(GATEWAY, ahead).await.unwrap();
    let mut seeing = client.subscribe_instructions(GATEWAY, None).await.unwrap();
    for window in 2..5 {
        let event = seeing.next().await.unwrap().unwrap();
        assert_eq!(event.instruction.window, window - 1);
        server.node.instruct(window, 1001);
    }
}

#[tokio::test]
async fn a_subscription_s_parameters_are_checked_too() {
    use jsonrpsee::core::client::SubscriptionClientT as _;
    use jsonrpsee::core::params::ArrayParams;
    use serde_json::Value;

    let server = TestServer::start().await;
    let client = server.ws().await;
    for (method, values, name) in [
        ("settlement_subscribe_instructions", vec!["201", "null", "1"], "parameter-unknown"),
        ("settlement_subscribe_instructions", vec!["\"201\""], "parameter-malformed"),
        ("settlement_subscribe_instructions", vec![], "parameter-missing"),
        ("chain_subscribe_blocks", vec!["1.0"], "parameter-malformed"),
        ("chain_subscribe_blocks", vec!["1", "2"], "parameter-unknown"),
    ] {
        let mut params = ArrayParams::new();
        for value in &values {
            params.insert(serde_json::from_str::<Value>(value).unwrap()).unwrap();
        }
        let end = method.replace("subscribe", "unsubscribe");
        match client.subscribe::<Value, _>(method, params, &end).await {
            Err(ClientError::Call(error)) => {
                let data = rpc_api::ErrorData::of(&error).expect("data");
                assert_eq!(data.name, name, "{method} {values:?}");
            }
            other => panic!("{method} {values:?}: {other:?}"),
        }
    }
}
