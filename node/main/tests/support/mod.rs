//! Real networks for tests: processes of the `sluice` binary on loopback, killed by their own pid.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

pub mod load;

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use chain_types::batch::BatchItem;
use chain_types::operation::{ArrivalItem, CollectItem, RechargeItem};
use chain_types::{
    Amount, ChainId, Currency, Flags, MerchantId, OrderId, ParticipantId, SecretKey, SignedBatch,
    TimeMs,
};
use jsonrpsee::core::client::Error as ClientError;
use jsonrpsee_http_client::{HttpClient, HttpClientBuilder};
use rpc_api::{
    ApiError, BatchReport, BatchRpcClient as _, ChainRpcClient as _, OrderReport,
    RechargeRpcClient as _, Wait,
};

pub const YUAN: Currency = Currency::new(156);
pub const SERVICE: u32 = 101;
pub const GATEWAYS: [u32; 2] = [201, 202];
/// Merchants of the default plan alternate between the gateways.
pub const MERCHANT: u64 = 1001;

/// How long a test waits for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn sluice() -> Command {
    Command::new(env!("CARGO_BIN_EXE_sluice"))
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().expect("the binary runs")
}

pub struct Network {
    pub folder: tempfile::TempDir,
    pub base_port: u16,
    pub nodes: Vec<String>,
    children: Vec<Option<Child>>,
    pub chain_id: ChainId,
}

impl Network {
    /// A new network of four validators, none of them started.
    pub fn new(extra: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let base_port = free_ports();
        let mut command = sluice();
        command.args(["localnet", "new"]).arg(folder.path().join("net"));
        command.args(["--base-port", &base_port.to_string()]).args(extra);
        let output = run(&mut command);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let genesis = std::fs::read(folder.path().join("net/genesis.toml")).unwrap();
        let chain_id = ChainId::new(chain_types::hash::sha256(&[&genesis]));
        let mut nodes: Vec<String> = std::fs::read_dir(folder.path().join("net/nodes"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        nodes.sort_by_key(|name| (name.starts_with("edge"), name.clone()));
        let children = nodes.iter().map(|_| None).collect();
        Self { folder, base_port, nodes, children, chain_id }
    }

    /// A new network with every node started and ready.
    pub async fn started(extra: &[&str]) -> Self {
        let mut network = Self::new(extra);
        for node in 0..network.nodes.len() {
            network.start(node);
        }
        for node in 0..network.nodes.len() {
            network.ready(node).await;
        }
        network
    }

    /// The folder of one more node, made by `sluice network join` beside the others, not started.
    /// Gives what the command said.
    pub fn join(&mut self, name: &str) -> serde_json::Value {
        let node = self.nodes.len();
        let port = self.base_port + 3 * node as u16;
        let mut command = sluice();
        command.args(["--json", "network", "join", "--name", name, "--operator", "1"]);
        command.arg("--genesis").arg(self.genesis());
        command.arg("--out").arg(self.path().join("nodes").join(name));
        command.args(["--listen", &format!("127.0.0.1:{port}")]);
        command.args(["--rpc", &format!("127.0.0.1:{}", port + 1)]);
        for (index, peer) in self.nodes.iter().enumerate() {
            let address = format!("{peer}=127.0.0.1:{}", self.base_port + 3 * index as u16);
            command.args(["--peer", &address]);
        }
        let output = run(&mut command);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.nodes.push(name.to_owned());
        self.children.push(None);
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("net")
    }

    pub fn genesis(&self) -> PathBuf {
        self.path().join("genesis.toml")
    }

    pub fn config(&self, node: usize) -> PathBuf {
        self.path().join("nodes").join(&self.nodes[node]).join("node.toml")
    }

    pub fn home(&self, node: usize) -> PathBuf {
        self.path().join("nodes").join(&self.nodes[node]).join("home")
    }

    pub fn url(&self, node: usize) -> String {
        format!("http://127.0.0.1:{}", self.base_port + 3 * node as u16 + 1)
    }

    /// Returns the URL at which a node serves health and figures.
    pub fn operator_url(&self, node: usize) -> String {
        format!("http://127.0.0.1:{}", self.base_port + 3 * node as u16 + 2)
    }

    pub fn client(&self, node: usize) -> HttpClient {
        HttpClientBuilder::default()
            .request_timeout(Duration::from_secs(30))
            .build(self.url(node))
            .expect("a client")
    }

    pub fn start(&mut self, node: usize) {
        self.spawn(node, sluice());
    }

    /// Starts a node to which the system gives so many descriptors.
    pub fn start_limited(&mut self, node: usize, descriptors: u32, settings: &[(&str, &str)]) {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -n \"$0\" && exec \"$@\"", &descriptors.to_string()]);
        command.arg(env!("CARGO_BIN_EXE_sluice")).envs(settings.iter().copied());
        self.spawn(node, command);
    }

    fn spawn(&mut self, node: usize, mut command: Command) {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path().join(format!("{}.log", self.nodes[node])))
            .unwrap();
        let child = command
            .arg("start")
            .arg("--config")
            .arg(self.config(node))
            .env("RUST_LOG", "info")
            // So that restarts begin from checkpoints, not from genesis.
            .env("SLUICE_NODE_STORE__CHECKPOINT_BLOCKS", "20")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("the node starts");
        self.children[node] = Some(child);
    }

    /// Starts these nodes and waits until they are ready.
    pub async fn start_all(&mut self, nodes: &[usize]) {
        for node in nodes {
            self.start(*node);
        }
        for node in nodes {
            self.ready(*node).await;
        }
    }

    /// The exit code of a node that ends by itself, once it has.
    pub fn ended(&mut self, node: usize) -> Option<i32> {
        self.children[node].as_mut()?.wait().ok()?.code()
    }

    /// Returns the address at which a node listens for other nodes.
    pub fn peer_address(&self, node: usize) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.base_port + 3 * node as u16).into()
    }

    /// A figure of `/metrics`: the sum of the lines that start with `name`.
    pub fn figure(&self, node: usize, name: &str) -> f64 {
        let url = format!("{}/metrics", self.operator_url(node));
        let output = run(Command::new("curl").args(["-sf", &url]));
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Returns true if the node's process is there.
    pub fn is_running(&mut self, node: usize) -> bool {
        let child = self.children[node].as_mut();
        child.is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Returns the id of the node's process.
    pub fn pid(&self, node: usize) -> u32 {
        self.children[node].as_ref().expect("it runs").id()
    }

    /// SIGSTOP: it holds its connections and does nothing.
    pub fn pause(&self, node: usize) {
        self.signal(node, "-STOP");
    }

    /// Lets a stopped node go on (SIGCONT).
    pub fn resume(&self, node: usize) {
        self.signal(node, "-CONT");
    }

    fn signal(&self, node: usize, signal: &str) {
        let child = self.children[node].as_ref().expect("it runs");
        run(Command::new("kill").args([signal, &child.id().to_string()]));
    }

    /// Kills a node at once (SIGKILL).
    pub fn kill(&mut self, node: usize) {
        if let Some(mut child) = self.children[node].take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM, and its exit code.
    pub fn stop(&mut self, node: usize) -> Option<i32> {
        let mut child = self.children[node].take()?;
        let pid = child.id().to_string();
        run(Command::new("kill").args(["-TERM", &pid]));
        child.wait().ok()?.code()
    }

    pub async fn ready(&self, node: usize) {
        let url = self.operator_url(node);
        eventually(&format!("node {node} is ready (log: {})", self.log(node)), || async {
            let output = run(Command::new("curl").args(["-sf", &format!("{url}/readyz")]));
            output.status.success()
        })
        .await;
    }

    /// Everything that a node has logged.
    pub fn whole_log(&self, node: usize) -> String {
        let path = self.path().join(format!("{}.log", self.nodes[node]));
        std::fs::read_to_string(path).unwrap_or_default()
    }

    pub fn log(&self, node: usize) -> String {
        let text = self.whole_log(node);
        text.lines().rev().take(15).collect::<Vec<_>>().join("\n")
    }

    pub fn key(&self, participant: u32) -> SecretKey {
        let folders = std::fs::read_dir(self.path().join("participants")).unwrap();
        for folder in folders {
            let folder = folder.unwrap().path();
            let config = std::fs::read_to_string(folder.join("participant.toml")).unwrap();
            if config.lines().any(|line| line.trim() == format!("id = {participant}")) {
                let text = std::fs::read_to_string(folder.join("participant.key")).unwrap();
                let digest = chain_types::Digest::from_hex(text.trim()).expect("a hex seed");
                return SecretKey::from_seed(&digest.bytes());
            }
        }
        panic!("no participant {participant}");
    }

    pub fn batch<T>(&self, submitter: u32, items: &[T]) -> Vec<u8>
    where
        T: zerocopy::IntoBytes + zerocopy::Immutable + BatchItem,
    {
        let key = self.key(submitter);
        let until = now().plus(120_000);
        SignedBatch::sign(self.chain_id, ParticipantId::new(submitter), &key, until, items)
    }

    /// Submits and waits until final.
    pub async fn submit(&self, node: usize, bytes: &[u8]) -> Result<BatchReport, String> {
        submit(&self.client(node), bytes).await
    }

    pub async fn order(&self, node: usize, id: OrderId) -> OrderReport {
        self.client(node).order(id.to_string()).await.expect("an order report")
    }

    /// An order as a node knows it; `None` when the node says that it is behind or cut off.
    pub async fn order_if_known(&self, node: usize, id: OrderId) -> Option<OrderReport> {
        match self.client(node).order(id.to_string()).await {
            Ok(report) => Some(report),
            Err(ClientError::Call(error)) if error.code() == ApiError::NodeBehind.code() => None,
            Err(error) => panic!("order {id}: {error}"),
        }
    }

    /// The status code of `/readyz`, 0 when nobody answers, and its body.
    pub fn readyz(&self, node: usize) -> (u16, String) {
        let url = format!("{}/readyz", self.operator_url(node));
        let output = run(Command::new("curl").args(["-s", "-w", "%{http_code}", &url]));
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, code) = text.split_at(text.len() - 3);
        (code.parse().unwrap(), body.to_owned())
    }

    /// Waits until a node answers that it is not ready, with these words in its reason.
    pub async fn not_ready(&self, node: usize, words: &[&str]) {
        let what = format!("node {node} is not ready: {words:?} (log: {})", self.log(node));
        eventually(&what, || async {
            let (code, body) = self.readyz(node);
            code == 503 && words.iter().all(|word| body.contains(word))
        })
        .await;
    }

    /// Waits until a node has logged a line with these words.
    pub async fn logged(&self, node: usize, words: &[&str]) {
        let what = format!("node {node} logs {words:?} (log: {})", self.log(node));
        eventually(&what, || async {
            let log = self.whole_log(node);
            log.lines().any(|line| words.iter().all(|word| line.contains(word)))
        })
        .await;
    }

    pub async fn height(&self, node: usize) -> u64 {
        self.client(node).head().await.map_or(0, |head| head.height)
    }

    /// The state digests of every node at a height that all of them have reached.
    pub async fn digests(&self) -> Vec<String> {
        let mut least = u64::MAX;
        for node in 0..self.nodes.len() {
            least = least.min(self.height(node).await);
        }
        let mut digests = Vec::new();
        for node in 0..self.nodes.len() {
            let selector = rpc_api::BlockSelector::Height(least);
            let block = self.client(node).block(selector).await.expect("a block");
            digests.push(format!("{least}:{}", block.summary.state_digest));
        }
        digests
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for node in 0..self.children.len() {
            self.kill(node);
        }
    }
}

pub async fn submit(client: &HttpClient, bytes: &[u8]) -> Result<BatchReport, String> {
    use rpc_api::Base64Bytes;
    let bytes = Base64Bytes::new(bytes.to_vec());
    client
        .submit(bytes, Some(Wait::Final), Some(10_000), Some(true))
        .await
        .map_err(|error| error.to_string())
}

pub fn now() -> TimeMs {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    TimeMs::new(since.as_millis() as u64)
}

/// Ten bytes that no other call in any process gives.
pub fn entropy() -> [u8; 10] {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

/// A fresh id of a participant's own orders.
pub fn own_id(owner: u32, time: TimeMs) -> OrderId {
    OrderId::new(time, entropy()).owned_by(ParticipantId::new(owner))
}

pub fn order(gateway: u32, flags: u16, amount: u64) -> RechargeItem {
    RechargeItem {
        order_id: own_id(if flags == 0 { SERVICE } else { gateway }, now()).bytes(),
        user: [3; 16],
        merchant: MerchantId::new(MERCHANT).get().into(),
        collecting_gateway: gateway.into(),
        amount: amount.into(),
        currency: YUAN.get().into(),
        payout_currency: YUAN.get().into(),
        flags: flags.into(),
        ..RechargeItem::default()
    }
}

/// So many orders submitted and collected in one step by the first gateway.
pub fn collected(count: usize) -> Vec<RechargeItem> {
    (0..count).map(|_| order(GATEWAYS[0], Flags::COLLECTED, 100)).collect()
}

pub fn collect(id: OrderId) -> CollectItem {
    CollectItem { order_id: id.bytes(), reference: [1; 32], spare: [0; 16] }
}

pub fn arrival(instruction: &rpc_api::InstructionReport) -> ArrivalItem {
    ArrivalItem::new(
        instruction.instruction_id,
        Amount::new(u64::try_from(instruction.amount.minor).unwrap()),
        [7; 32],
        instruction.attempt,
    )
}

/// Waits until `check` holds; fails with `what` when it never does.
pub async fn eventually<F, Fut>(what: &str, mut check: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let started = Instant::now();
    while !check().await {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A base port with room for twenty nodes above it, free at this moment.
pub fn free_ports() -> u16 {
    // Below the ports that outgoing connections take.
    // Tests of one process run side by side: each takes the next base.
    static TAKEN: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let own = TAKEN.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mut at = 10_000 + ((std::process::id() + own) % 550) as u16 * 40;
    loop {
        let free = (at..at + 24).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok());
        if free {
            return at;
        }
        at = if at > 31_900 { 10_000 } else { at + 40 };
    }
}
