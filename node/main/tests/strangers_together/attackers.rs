//! What strangers do, each without an end: whoever is thrown out comes again at once.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use super::wire::{Http, connect, frame, post, post_header, request, websocket};

/// The node that they attack.
#[derive(Debug, Clone)]
pub struct Target {
    /// The address of its public port.
    pub rpc: SocketAddr,
    /// The ports at which nodes listen for one another.
    pub peers: Vec<SocketAddr>,
    /// Signed batches that a registered submitter repeats.
    pub batches: Vec<String>,
}

/// Attackers at work until they are dropped.
///
/// Strangers have machines of their own. Here their threads take what the nodes and the honest
/// client leave of the cores, so that only what they make the nodes do is measured.
pub struct Attackers {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    sources: Vec<Ipv4Addr>,
    started: usize,
}

impl Drop for Attackers {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Attackers {
    /// Every attack at once, from these addresses in turn.
    pub fn start(target: &Target, sources: Vec<Ipv4Addr>) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .on_thread_start(|| assert_eq!(rustix::process::nice(19), Ok(19)))
            .build();
        let mut all = Self { runtime: Some(runtime.expect("threads")), sources, started: 0 };
        let rpc = target.rpc;
        // Row 1.
        all.spawn(4, move |from| tiny_frames(from, rpc));
        // Row 2.
        all.spawn(4, move |from| unread_answers(from, rpc, true));
        all.spawn(60, move |from| unread_answers(from, rpc, false));
        // Row 3.
        all.spawn(950, move |from| idle(from, rpc));
        // Row 4.
        all.spawn(2, move |from| subscribe_by_post(from, rpc));
        all.spawn(1, move |from| long_parameters(from, rpc));
        // Rows 5 and 8.
        all.spawn(1_023, move |from| idle_websocket(from, rpc));
        all.spawn(188, move |from| announced_body(from, rpc));
        all.spawn(256, move |from| subscriptions(from, rpc));
        // Row 6 and, for those who are not registered, row 11.
        for peer in target.peers.clone() {
            all.spawn(90, move |from| idle(from, peer));
            all.spawn(1, move |from| garbage(from, peer));
        }
        // Row 7.
        all.spawn(16, move |from| dear_reads(from, rpc));
        // Rows 9 and 10.
        for batch in target.batches.clone() {
            all.spawn(1, move |from| impatient(from, rpc, batch.clone()));
        }
        // Row 12.
        all.spawn(4, move |from| web_page(from, rpc));
        // Row 13.
        all.spawn(8, move |from| flood(from, rpc));
        all
    }

    fn spawn<A, F>(&mut self, count: usize, attack: A)
    where
        A: Fn(Ipv4Addr) -> F + Clone + Send + 'static,
        F: Future<Output = io::Result<()>> + Send,
    {
        for _ in 0..count {
            let from = self.sources[self.started % self.sources.len()];
            self.started += 1;
            let attack = attack.clone();
            self.runtime.as_ref().expect("not dropped").spawn(async move {
                loop {
                    if attack(from).await.is_err() {
                        sleep(Duration::from_millis(50)).await;
                    }
                }
            });
        }
    }
}

/// Takes what comes until the other side closes.
async fn until_closed(socket: &mut TcpStream) -> io::Result<()> {
    let mut bytes = vec![0; 4_096];
    while socket.read(&mut bytes).await? > 0 {}
    Ok(())
}

/// As [`until_closed`], 160 bytes a second.
async fn read_slowly(mut half: impl tokio::io::AsyncRead + Unpin) -> io::Result<()> {
    let mut bytes = [0; 16];
    while half.read(&mut bytes).await? > 0 {
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn tiny_frames(from: Ipv4Addr, rpc: SocketAddr) -> io::Result<()> {
    let (reader, mut writer) = websocket(from, rpc).await?.into_split();
    let many = frame("1").repeat(8_192);
    let writes = async {
        loop {
            writer.write_all(&many).await?;
        }
    };
    tokio::select! {
        ended = read_slowly(reader) => ended,
        ended = writes => ended,
    }
}

/// Lists of 32 big pages whose answers nobody takes.
async fn unread_answers(from: Ipv4Addr, rpc: SocketAddr, is_websocket: bool) -> io::Result<()> {
    let page = request("chain_blocks", "[null,1000]");
    let list = format!("[{}]", vec![page; 32].join(","));
    let mut socket;
    let message = if is_websocket {
        socket = websocket(from, rpc).await?;
        frame(&list)
    } else {
        socket = connect(from, rpc).await?;
        post(rpc, &list)
    };
    for _ in 0..64 {
        socket.write_all(&message).await?;
    }
    sleep(Duration::from_secs(3_600)).await;
    Ok(())
}

async fn idle(from: Ipv4Addr, to: SocketAddr) -> io::Result<()> {
    let mut socket = connect(from, to).await?;
    until_closed(&mut socket).await?;
    sleep(Duration::from_millis(20)).await;
    Ok(())
}

async fn idle_websocket(from: Ipv4Addr, rpc: SocketAddr) -> io::Result<()> {
    let mut socket = websocket(from, rpc).await?;
    until_closed(&mut socket).await?;
    sleep(Duration::from_millis(20)).await;
    Ok(())
}

async fn subscribe_by_post(from: Ipv4Addr, rpc: SocketAddr) -> io::Result<()> {
    let mut http = Http::connect(from, rpc).await?;
    loop {
        http.post(&request("chain_subscribe_blocks", "[]")).await?;
    }
}

async fn long_parameters(from: Ipv4Addr, rpc: SocketAddr) -> io::Result<()> {
    let mut http = Http::connect(from, rpc).await?;
    let text = "x".repeat(1_900_000);
    loop {
        http.post(&request("chain_unsubscribe_blocks", &format!("[\"{text}\"]"))).await?;
    }
}

async fn announced_body(from: Ipv4Addr, rpc: SocketAddr) -> io::Result<()> {
    let mut socket = connect(from, rpc).await?;
    socket.write_all(post_header(rpc, 2_000_000).as_bytes()).await?;
    until_closed(&mut socket).await
}

async fn subscriptions(from: Ipv4Addr, rpc: SocketAddr) -> io::Result<()> {
    let mut socket = websocket(from, rpc).await?;
    for _ in 0..16 {
        let subscribe = request("settlement_subscribe_instructions", "[201]");
        socket.write_all(&frame(&subscribe)).await?;
    }
    until_closed(&mut socket).await
}

async fn garbage(from: Ipv4Addr, peer: SocketAddr) -> io::Result<()> {
    let mut socket = connect(from, peer).await?;
    socket.write_all(&[0xa5; 65_536]).await?;
    until_closed(&mut socket).await
}

async fn dear_reads(from: Ipv4Addr, rpc: SocketAddr) -> io::Result<()> {
    let mut http = Http::connect(from, rpc).await?;
    loop {
        http.post(&request("ledger_account_proof", r#"["gateway-liquidity:201:CNY"]"#)).await?;
        http.post(&request("ledger_accounts", "[null,1000]")).await?;
        http.post(&request("chain_info", "[]")).await?;
    }
}

async fn impatient(from: Ipv4Addr, rpc: SocketAddr, batch: String) -> io::Result<()> {
    let mut http = Http::connect(from, rpc).await?;
    loop {
        http.post(&request("batch_submit", &format!(r#"["{batch}","final",1]"#))).await?;
    }
}

async fn web_page(from: Ipv4Addr, rpc: SocketAddr) -> io::Result<()> {
    let mut socket = connect(from, rpc).await?;
    let header = format!(
        "POST / HTTP/1.1\r\nHost: {rpc}\r\nOrigin: https://example.com\r\n\
         Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    socket.write_all(header.as_bytes()).await?;
    // The first byte of the refusal.
    socket.read_u8().await.map(|_| ())
}

async fn flood(from: Ipv4Addr, rpc: SocketAddr) -> io::Result<()> {
    let mut http = Http::connect(from, rpc).await?;
    loop {
        http.post(&request("chain_head", "[]")).await?;
    }
}
