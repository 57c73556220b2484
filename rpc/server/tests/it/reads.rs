//! Reads take turns: a cheap one never waits behind a dear one, and a full class says so.

use std::sync::atomic::Ordering;

use jsonrpsee::core::client::{ClientT as _, Error};
use jsonrpsee::rpc_params;
use jsonrpsee_http_client::HttpClient;
use rpc_api::ApiError;
use rpc_server::ServerConfig;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::raw::{call, figure, post};

/// Asks for a dear page.
fn page(client: HttpClient) -> JoinHandle<Result<Value, Error>> {
    let params = rpc_params![None::<String>, 1_000];
    tokio::spawn(async move { client.request("ledger_accounts", params).await })
}
use crate::served::TestServer;

#[tokio::test]
async fn cheap_reads_are_answered_while_dear_ones_wait_and_a_full_queue_is_an_error() {
    const WAITING: u32 = 4;
    let config =
        ServerConfig { dear_reads_max: 1, reads_waiting_max: WAITING, ..ServerConfig::default() };
    let server = TestServer::with(config).await;
    server.node.holds_pages.store(true, Ordering::Release);
    // One runs, and fills its class with those that wait.
    let pages: Vec<_> = (0..=WAITING).map(|_| page(server.http())).collect();
    while figure(&server, "sluice_rpc_reads_waiting{class=\"dear\"}").await < u64::from(WAITING) {
        tokio::task::yield_now().await;
    }
    let full = post(server.address, &call("ledger_accounts", "[null, 1000]")).await;
    assert_eq!((full.status, full.name().as_str()), (503, ApiError::NodeBusy.name()));
    assert!(full.head.contains("retry-after: 1"), "{}", full.head);
    let wait_ms = &full.json()["error"]["data"]["retry_after_ms"];
    assert!(wait_ms.as_u64().is_some_and(|wait_ms| wait_ms > 0), "{wait_ms}");
    assert_eq!(figure(&server, "sluice_rpc_reads_put_off_total{class=\"dear\"}").await, 1);
    for _ in 0..50 {
        let window = post(server.address, &call("settlement_window", "[3]")).await;
        assert_eq!(window.json()["result"], 3);
        let windows = post(server.address, &call("settlement_windows", "[null, 5]")).await;
        assert_eq!(windows.json()["result"]["items"].as_array().unwrap().len(), 5);
    }
    assert_eq!(figure(&server, "sluice_rpc_reads_waiting{class=\"dear\"}").await, 4);
    server.node.holds_pages.store(false, Ordering::Release);
    for page in pages {
        let page = page.await.unwrap().unwrap();
        assert_eq!(page["items"].as_array().unwrap().len(), 3, "who waited is answered");
    }
}

#[tokio::test]
async fn who_no_longer_waits_for_a_read_gives_up_its_place() {
    let config = ServerConfig { dear_reads_max: 1, ..ServerConfig::default() };
    let server = TestServer::with(config).await;
    server.node.holds_pages.store(true, Ordering::Release);
    let clients: Vec<_> = (0..6).map(|_| server.http()).collect();
    let waiting = || figure(&server, "sluice_rpc_reads_waiting{class=\"dear\"}");
    let pages: Vec<_> = clients.into_iter().map(page).collect();
    while waiting().await < 5 {
        tokio::task::yield_now().await;
    }
    // Their connections close with them.
    for page in pages {
        page.abort();
        let _ = page.await;
    }
    while waiting().await > 0 {
        tokio::task::yield_now().await;
    }
    server.node.holds_pages.store(false, Ordering::Release);
    assert!(page(server.http()).await.unwrap().unwrap()["items"].is_array());
}

#[tokio::test]
async fn a_budget_pays_what_reads_cost() {
    let config = ServerConfig { calls_per_second_max: 60, ..ServerConfig::default() };
    let server = TestServer::with(config).await;
    let page = call("ledger_accounts", "[null, 1000]");
    let mut refused = None;
    for _ in 0..1_000 {
        let answer = post(server.address, &page).await;
        if answer.json()["error"].is_object() {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("pages of a thousand cost more than one call each");
    assert_eq!((refused.status, refused.name().as_str()), (429, ApiError::BudgetExceeded.name()));
    assert!(refused.json()["error"]["data"]["retry_after_ms"].is_u64());
}
