//! Strangers who hold: connections that begin something and do not go on, and a subscription that
//! another connection tries to end.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::client::{CONTINUE, TEXT, Wire, frame, post};

/// Connections of each sort; together fewer than an address may have.
const EACH: usize = 40;

/// Opens connections that hold what they can: half a body, half a message, a header without its
/// end, nothing at all, and answers that nobody reads. They last as long as the result, or until
/// the node ends them.
pub async fn open(node: SocketAddr, from: u8) -> Result<Vec<Wire>, String> {
    let body = format!("[{}]", " ".repeat(100_000));
    let half_body = &post(body.as_bytes())[..50_000];
    let half_message = &frame(TEXT, true, body.as_bytes())[..50_000];
    let fragment = [frame(TEXT, false, b"["), frame(CONTINUE, false, b"[")].concat();
    let page = br#"{"jsonrpc":"2.0","id":1,"method":"ledger_accounts","params":[null,1000]}"#;
    let mut held = Vec::new();
    for _ in 0..EACH {
        for (bytes, is_socket) in [
            (half_body, false),
            (b"POST / HTTP/1.1\r\nhost: localhost\r\nx-".as_slice(), false),
            (b"".as_slice(), false),
            (half_message, true),
            (fragment.as_slice(), true),
        ] {
            let wire = Wire::open(from, node).await?;
            let mut wire = if is_socket { wire.upgrade().await? } else { wire };
            wire.send(bytes).await?;
            held.push(wire);
        }
    }
    let mut unread = Wire::open(from, node).await?.upgrade().await?;
    unread.send(&frame(TEXT, true, page).repeat(50)).await?;
    held.push(unread);
    Ok(held)
}

async fn ask(wire: &mut Wire, method: &str, params: Value) -> Result<Value, String> {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    wire.send(&frame(TEXT, true, call.to_string().as_bytes())).await?;
    wire.message().await
}

/// Subscribes over one connection and has another try to end it.
pub async fn end_of_another(node: SocketAddr, from: u8) -> Result<(), String> {
    let mut own = Wire::open(from, node).await?.upgrade().await?;
    let mut other = Wire::open(from, node).await?.upgrade().await?;
    let subscribed = ask(&mut own, "chain_subscribe_blocks", json!([])).await?;
    let id = subscribed["result"].clone();
    for stranger in [id.clone(), json!(0), json!("0"), json!(u64::MAX)] {
        let ended = ask(&mut other, "chain_unsubscribe_blocks", json!([stranger])).await?;
        if ended["result"] != false {
            return Err(format!("{stranger} of another: {ended}"));
        }
    }
    // It still comes.
    match own.frame().await? {
        Some((TEXT, payload)) if payload.windows(8).any(|window| window == b"\"method\"") => {}
        other => return Err(format!("no event: {other:?}")),
    }
    let ended = ask(&mut own, "chain_unsubscribe_blocks", json!([id])).await?;
    if ended["result"] == true { Ok(()) } else { Err(format!("its own: {ended}")) }
}
