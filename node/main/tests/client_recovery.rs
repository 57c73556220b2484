//! The drill of docs/client-recovery.md: clients that were away for a moment, for minutes, for an
//! hour and for a day, a node that is away, a key that was rotated. Whoever follows the page's own
//! commands charges no user twice and loses no order. Time is the chain's: it is waited for, and no
//! duration is asserted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::path::PathBuf;
use std::process::Command;

use chain_types::{
    ApprovalItem, ChainId, Change, Decision, Height, OrderId, ParticipantId, ProposalId,
    ProposalItem, SecretKey, SignedBatch, TimeMs,
};
use rpc_api::{
    ChainRpcClient as _, GovernanceRpcClient as _, LedgerRpcClient as _, OrderState, decode_base64,
};
use serde_json::Value;
use support::{GATEWAYS, MERCHANT, Network, collected, entropy, eventually, now, run};

const PAGE: &str = include_str!("../../../docs/client-recovery.md");
/// Of this network: short, so that "an hour" is soon over.
const VALIDITY_MS: u64 = 10_000;
/// Ids leave memory in slices of so long.
const SLICE_MS: u64 = 10_000;

/// The command of a step of the page.
fn command_of(step: &str) -> &'static str {
    let section = PAGE.split("\n## ").find(|section| section.starts_with(step)).expect(step);
    let block = section.split("```sh\n").nth(1).expect("a command");
    block.split("```").next().unwrap().trim()
}

/// A client with its folder: what is said on the page, with files and nodes of its own.
struct Client<'a> {
    network: &'a Network,
    folder: PathBuf,
    urls: String,
}

impl<'a> Client<'a> {
    fn new(network: &'a Network, name: &str) -> Self {
        let folder = network.folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let urls = [network.url(0), network.url(1)].join(",");
        Self { network, folder, urls }
    }

    /// Writes orders of these amounts, in minor units, without ids.
    fn orders(&self, file: &str, amounts: &[u64]) {
        let line = |amount: &u64| format!("{MERCHANT},{}.{:02},CNY\n", amount / 100, amount % 100);
        let lines: String = amounts.iter().map(line).collect();
        std::fs::write(self.folder.join(file), format!("merchant,amount,currency\n{lines}"))
            .unwrap();
    }

    /// Runs the command of a step of the page with `extra` behind it; gives exit code and answer.
    fn step(&self, step: &str, extra: &str) -> (i32, Value) {
        let party = self.network.path().join("participants/gateway-201/participant.toml");
        let line = command_of(step)
            .replace(
                "--participant participant.toml",
                &format!("--participant {}", party.display()),
            )
            .replace("http://127.0.0.1:26003,http://127.0.0.1:26005", &self.urls)
            .replace("sluice ", &format!("{} --json ", env!("CARGO_BIN_EXE_sluice")));
        let line = format!("{line} {extra}");
        let output = run(Command::new("sh").current_dir(&self.folder).args(["-c", &line]));
        let said = String::from_utf8_lossy(&output.stdout);
        let answer = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        (output.status.code().unwrap(), answer)
    }

    /// Step 1, whose answer is lost: the orders are in the chain and the client does not know it.
    async fn answer_is_lost(&self, amounts: &[u64]) {
        loop {
            let bytes = self.signed(amounts);
            let report = loop {
                if let Ok(report) = self.network.submit(0, &bytes).await {
                    break report;
                }
            };
            if report.outcomes.unwrap().not_applied.is_empty() {
                return;
            }
            // The machine was too slow for ids that are valid for so short a time.
            std::fs::remove_file(self.folder.join("orders.json")).unwrap();
        }
    }

    /// The batch of step 1, signed and not sent.
    fn signed(&self, amounts: &[u64]) -> Vec<u8> {
        self.orders("orders.csv", amounts);
        let (code, answer) = self.step("1.", "--sign-only batch.base64");
        assert_eq!(code, 0, "{answer}");
        decode_base64(&std::fs::read_to_string(self.folder.join("batch.base64")).unwrap()).unwrap()
    }

    /// Step 1, whose call never arrives.
    fn call_is_lost(&self, amounts: &[u64]) {
        self.orders("orders.csv", amounts);
        // Port 9: nothing listens there.
        let (code, answer) = self.step("1.", "--rpc http://127.0.0.1:9 --timeout 1");
        assert_eq!(code, 4, "{answer}");
    }

    /// The ids of the kept file.
    fn ids(&self) -> Vec<OrderId> {
        let text = std::fs::read_to_string(self.folder.join("orders.json")).unwrap();
        let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
        rows.iter().map(|row| row["order_id"].as_str().unwrap().parse().unwrap()).collect()
    }

    /// Follows the page from step 2 to its end. Gives what the first answer said of each order:
    /// its status, and whether it was made again.
    fn recover(&self, amounts: &[u64]) -> Vec<(String, bool)> {
        let (mut code, mut answer) = self.step("2.", &format!("--rpc {}", self.urls));
        while code == 4 {
            (code, answer) = self.step("3.", "");
        }
        let operations = answer["operations"].as_array().unwrap().clone();
        let again: Vec<u64> = (operations.iter().zip(amounts))
            .filter(|(operation, _)| operation["new_id_is_safe"] == true)
            .map(|(_, amount)| *amount)
            .collect();
        assert_eq!(code, if again.is_empty() { 0 } else { 3 }, "{answer}");
        if !again.is_empty() {
            // Step 5, and then the page from its beginning.
            self.orders("orders-again.csv", &again);
            let (code, answer) = self.step("5.", &format!("--rpc {}", self.urls));
            assert_eq!(code, 0, "{answer}");
        }
        let status = |operation: &Value| {
            let standing = operation["standing"]["status"].as_str();
            standing.or(operation["outcome"].as_str()).unwrap().to_owned()
        };
        operations
            .iter()
            .map(|operation| (status(operation), operation["new_id_is_safe"] == true))
            .collect()
    }
}

/// A network whose orders are valid for a short time.
async fn network() -> Network {
    let mut network = Network::new(&[]);
    let text = std::fs::read_to_string(network.genesis()).unwrap();
    let text = text
        .replace("order_validity_ms = 180000", &format!("order_validity_ms = {VALIDITY_MS}"))
        .replace("order_skew_ms = 60000", "order_skew_ms = 120000");
    assert!(text.contains(&format!("order_validity_ms = {VALIDITY_MS}")));
    network.chain_id = ChainId::new(chain_types::hash::sha256(&[text.as_bytes()]));
    std::fs::write(network.genesis(), text).unwrap();
    network.start_all(&[0, 1, 2, 3]).await;
    network
}

/// Waits until the chain's time is past `time`.
async fn chain_is_past(network: &Network, node: usize, time: TimeMs) {
    eventually("the chain's time passes", || async {
        network.client(node).head().await.is_ok_and(|head| head.time_ms > time.get())
    })
    .await;
}

/// Everything that was ever booked for the merchant, in minor units.
async fn booked(network: &Network, node: usize) -> i128 {
    let name = format!("merchant-payable:{MERCHANT}:CNY");
    network.client(node).account(name).await.map_or(0, |account| account.credits_posted.minor)
}

const SETTLED: &str = "collected";
const NEVER: &str = "not-found";

#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_the_page_charges_nobody_twice() {
    let mut network = network().await;
    let amounts = |number: u64| [1_000 + number, 2_000 + number];
    let sum = |number: u64| i128::from(amounts(number).iter().sum::<u64>());
    let mut due = 0;

    // Away for a moment: the order of events decides what is said, and the sum is the same.
    for (number, name) in [(0, "moment-answer"), (1, "moment-call")] {
        let client = Client::new(&network, name);
        match number {
            0 => client.answer_is_lost(&amounts(number)).await,
            _ => client.call_is_lost(&amounts(number)),
        }
        client.recover(&amounts(number));
        due += sum(number);
    }
    assert_eq!(booked(&network, 0).await, due);

    // Away for four minutes, for an hour and for a day: half of them had reached the chain.
    let names = ["minutes", "hour", "day"];
    for (number, name) in (2..).step_by(2).zip(names) {
        let client = Client::new(&network, &format!("{name}-answer"));
        client.answer_is_lost(&amounts(number)).await;
        due += sum(number);
        Client::new(&network, &format!("{name}-call")).call_is_lost(&amounts(number + 1));
    }
    let made = now();
    let follow = |network: &Network, number: u64, name: &str| {
        let client = |kind: &str| {
            let folder = network.folder.path().join(format!("{name}-{kind}"));
            let urls = [network.url(0), network.url(1)].join(",");
            Client { network, folder, urls }
        };
        let said = client("answer").recover(&amounts(number));
        assert!(said.iter().all(|row| *row == (SETTLED.to_owned(), false)), "{name}: {said:?}");
        let said = client("call").recover(&amounts(number + 1));
        assert!(said.iter().all(|row| *row == (NEVER.to_owned(), true)), "{name}: {said:?}");
        client("answer").ids()
    };
    chain_is_past(&network, 0, made.plus(VALIDITY_MS)).await;
    follow(&network, 2, names[0]);
    due += sum(3);
    assert_eq!(booked(&network, 0).await, due);

    // Long enough for the orders to have left the nodes' memory; and at a node that is asked first
    // and is away.
    chain_is_past(&network, 0, made.plus(VALIDITY_MS + 2 * SLICE_MS)).await;
    network.kill(0);
    follow(&network, 4, names[1]);
    due += sum(5);
    assert_eq!(booked(&network, 1).await, due);

    // A day: every node was started again meanwhile.
    for node in 1..4 {
        assert_eq!(network.stop(node), Some(0), "{}", network.log(node));
    }
    network.start_all(&[0, 1, 2, 3]).await;
    let ids = follow(&network, 6, names[2]);
    due += sum(7);
    for node in 0..4 {
        // A node that follows by a block is asked until it has it.
        eventually("every node has it", || async { booked(&network, node).await == due }).await;
    }
    // Step 4's question, which changes nothing.
    let client = Client::new(&network, "question");
    let line = command_of("4.").replace("ORDER_ID", &ids[0].to_string());
    let line = line.replace("http://127.0.0.1:26001", &network.url(0));
    let line = line.replace("sluice ", &format!("{} --json ", env!("CARGO_BIN_EXE_sluice")));
    let output = run(Command::new("sh").current_dir(&client.folder).args(["-c", &line]));
    assert_eq!(output.status.code(), Some(0));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!([SETTLED, "instructed"].contains(&said["status"].as_str().unwrap()), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_are_answered_with_their_outcomes_however_late_and_after_a_rotation() {
    let network = network().await;
    let gateway = GATEWAYS[0];
    let old = network.key(gateway);
    let sign = |key: &SecretKey, until: TimeMs, items: &[chain_types::RechargeItem]| {
        SignedBatch::sign(network.chain_id, ParticipantId::new(gateway), key, until, items)
    };
    let items = collected(2);
    let until = now().plus(20_000);
    let bytes = sign(&old, until, &items);
    let first = network.submit(0, &bytes).await.unwrap();
    let due = booked(&network, 0).await;
    assert_eq!(due, 200);

    // Past its valid-until time: final, not expired.
    chain_is_past(&network, 1, until).await;
    let late = network.submit(1, &bytes).await.unwrap();
    assert_eq!((late.height, &late.outcomes), (first.height, &first.outcomes));

    // The key was rotated: the same bytes still have their outcomes, others of the old key none.
    let new = SecretKey::from_seed(&[78; 32]);
    rotate(&network, &new).await;
    let rotated = network.submit(2, &bytes).await.unwrap();
    assert_eq!((rotated.height, rotated.outcomes), (first.height, first.outcomes));
    let refused = network.submit(2, &sign(&old, now().plus(60_000), &items)).await.unwrap_err();
    assert!(refused.contains("signature-invalid"), "{refused}");
    let mut forged = bytes.clone();
    forged[100] ^= 1;
    let refused = network.submit(2, &forged).await.unwrap_err();
    assert!(refused.contains("signature-invalid"), "{refused}");

    // The same orders, signed with the new key: told how they stand.
    let again = network.submit(3, &sign(&new, now().plus(60_000), &items)).await.unwrap();
    let outcomes = again.outcomes.unwrap();
    assert_eq!(outcomes.not_applied.len(), 2, "{outcomes:?}");
    for item in outcomes.not_applied {
        let standing = item.standing.unwrap_or_else(|| panic!("code {} says nothing", item.code));
        assert_eq!((standing.status, standing.same_content), (OrderState::Collected, Some(true)));
        assert_eq!(standing.height, first.height);
        assert!(!standing.new_id_is_safe);
    }
    assert_eq!(booked(&network, 3).await, due);
}

/// Operators give the first gateway another key, without an overlap.
async fn rotate(network: &Network, key: &SecretKey) {
    let (participant, public_key) = (ParticipantId::new(GATEWAYS[0]), key.public_key());
    let change = Change::Key { participant, public_key, overlap_heights: 0 };
    let in_effect = || async {
        let registry = network.client(0).registry().await.expect("a registry");
        let text = serde_json::to_string(&registry).unwrap();
        text.contains(&public_key.to_string())
    };
    // Ids are valid for a short time here: what came too late is proposed anew.
    eventually("the key is rotated", || async {
        let height = Height::new(network.height(0).await + 12);
        let id = ProposalId::new(now(), entropy());
        let proposal = ProposalItem::new(id, height, &change).unwrap();
        let approval = ApprovalItem {
            proposal_id: id.bytes(),
            decision: Decision::Approve.number().into(),
            digest: proposal.digest().bytes(),
            spare: [0; 14],
        };
        let _ = network.submit(0, &network.batch(1, &[proposal])).await;
        let _ = network.submit(0, &network.batch(2, &[approval])).await;
        while network.height(0).await <= height.get() + 1 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        in_effect().await
    })
    .await;
    for node in 1..4 {
        let height = network.height(0).await;
        eventually("every node is as far", || async { network.height(node).await >= height }).await;
    }
}
