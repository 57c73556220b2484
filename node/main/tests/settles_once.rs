//! An order settles once, wherever and however often it is sent, and its receipt proves it offline.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::process::Command;

use chain_types::{
    Decision, Flags, OrderId, Outcome, Rejection, SettleWindowItem, SettlementDecisionItem,
};
use rpc_api::{OrderState, RechargeRpcClient as _, SettlementRpcClient as _};
use support::{
    GATEWAYS, MERCHANT, Network, SERVICE, arrival, collect, eventually, order, run, sluice, submit,
};

/// The participant id of a settlement agent.
const AGENT: u32 = 401;
/// Another one, who checks.
const CHECKER: u32 = 402;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_sent_everywhere_at_once_settles_once() {
    let network = Network::started(&[]).await;
    let item = order(GATEWAYS[0], Flags::COLLECTED, 12_300);
    let id = OrderId::from_bytes(item.order_id);
    let client = |node| network.client(node);

    // The same order in four batches of its own, to four nodes, at the same time.
    let batches: Vec<Vec<u8>> = (0..4)
        .map(|extra| {
            let mut items = vec![item];
            items.extend((0..=extra).map(|_| order(GATEWAYS[0], Flags::COLLECTED, 1)));
            network.batch(GATEWAYS[0], &items)
        })
        .collect();
    let clients: Vec<_> = (0..4).map(client).collect();
    let (one, two, three, four) = tokio::join!(
        submit(&clients[0], &batches[0]),
        submit(&clients[1], &batches[1]),
        submit(&clients[2], &batches[2]),
        submit(&clients[3], &batches[3]),
    );
    let reports = [one.unwrap(), two.unwrap(), three.unwrap(), four.unwrap()];
    let repeated: u32 = reports
        .iter()
        .map(|report| report.outcomes.as_ref().unwrap().count_of(Outcome::REPEATED))
        .sum();
    assert_eq!(repeated, 3, "one batch applied it, three repeat it: {reports:?}");

    // The same id with other content is a conflict, at every node.
    let mut other = item;
    other.amount = 12_301.into();
    for node in 0..4 {
        let mut items = vec![other];
        items.extend((0..=node).map(|_| order(GATEWAYS[0], Flags::COLLECTED, 1)));
        let report = network.submit(node, &network.batch(GATEWAYS[0], &items)).await.unwrap();
        let outcomes = report.outcomes.unwrap();
        assert_eq!(outcomes.count_of(Rejection::OrderConflict.into()), 1);
        assert_eq!(outcomes.count_of(Outcome::APPLIED), node as u32 + 1, "the rest is unharmed");
    }

    // Sending the very same bytes again gives the very same answer.
    let again = network.submit(2, &batches[0]).await.unwrap();
    assert_eq!(again.height, reports[0].height);
    for node in 0..4 {
        let report = network.order(node, id).await;
        assert!(matches!(report.status, OrderState::Collected | OrderState::Instructed));
        assert_eq!(report.order.unwrap().amount.minor, 12_300);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recharge_goes_to_proven_arrival() {
    let network = Network::started(&["--window-ms", "2000", "--edges", "1"]).await;
    let edge = 4;
    let item = order(GATEWAYS[0], 0, 5_000);
    let id = OrderId::from_bytes(item.order_id);
    network.submit(0, &network.batch(SERVICE, &[item])).await.unwrap();
    assert_eq!(network.order(0, id).await.status, OrderState::Reserved);
    network.submit(1, &network.batch(GATEWAYS[0], &[collect(id)])).await.unwrap();

    // Its window closes; the merchant's gateway hears of it, from the edge node as well.
    eventually("the order is instructed", || async {
        network.order(edge, id).await.status == OrderState::Instructed
    })
    .await;
    let instruction_id = network.order(edge, id).await.instruction_id.unwrap();
    let instruction = network.client(edge).instruction(instruction_id.to_string()).await.unwrap();
    assert_eq!(instruction.merchant, MERCHANT);
    assert_eq!(instruction.gateway, GATEWAYS[0], "merchant 1001 is paid by gateway 201");
    let wrong = network.batch(GATEWAYS[1], &[arrival(&instruction)]);
    let refused = network.submit(0, &wrong).await.unwrap().outcomes.unwrap();
    assert_eq!(refused.count_of(Rejection::NotPayingGateway.into()), 1);
    let mut partial = arrival(&instruction);
    partial.amount = 4_999.into();
    let partial = network.batch(GATEWAYS[0], &[partial]);
    let refused = network.submit(0, &partial).await.unwrap().outcomes.unwrap();
    assert_eq!(refused.count_of(Rejection::AmountMismatch.into()), 1);
    let paid = network.batch(GATEWAYS[0], &[arrival(&instruction)]);
    network.submit(edge, &paid).await.unwrap();
    eventually("the order has arrived at the edge", || async {
        network.order(edge, id).await.status == OrderState::Arrived
    })
    .await;
    offline_proof(&network, id).await;
    proof_of_a_window(&network, instruction.window).await;
}

/// The report of a closed window verifies with nothing but the genesis file, as it is and once it
/// is settled, and not with a byte changed. No other window has one.
async fn proof_of_a_window(network: &Network, window: u64) {
    let proof = network.folder.path().join("window");
    let fetch = |number: u64| {
        let mut command = sluice();
        command.args(["proof", "window", &number.to_string(), "--rpc", &network.url(4), "--out"]);
        run(command.arg(&proof))
    };
    let verify = || {
        let output =
            run(sluice().arg("verify").arg(&proof).arg("--genesis").arg(network.genesis()));
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert!(fetch(window).status.success());
    let (code, said) = verify();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!("window {window}: 1 orders, 1 instructions")), "{said}");
    assert!(said.contains("this proof does not say"), "{said}");

    let report = network.client(0).window(window).await.unwrap();
    let digest = chain_types::Digest::from_hex(report.digest.as_deref().unwrap()).unwrap().bytes();
    let reference = [0xab; 32];
    let word = SettleWindowItem { window: window.into(), digest, reference, spare: [0; 24] };
    network.submit(0, &network.batch(AGENT, &[word])).await.unwrap();
    let word = SettlementDecisionItem {
        window: window.into(),
        decision: Decision::Approve.number().into(),
        digest,
        reference,
        spare: [0; 22],
    };
    network.submit(0, &network.batch(CHECKER, &[word])).await.unwrap();
    eventually("the proof holds the word that it is settled", || async {
        assert!(fetch(window).status.success());
        verify().1.contains(&format!(
            "by agent {AGENT}, checked by {CHECKER}, reference {}",
            "ab".repeat(32)
        ))
    })
    .await;
    let mut bytes = std::fs::read(&proof).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&proof, &bytes).unwrap();
    assert_eq!(verify().0, Some(1));

    let output = fetch(u64::MAX);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not-found"));
    // The open one may close while it is asked for.
    eventually("an open window is told apart", || async {
        let newest = network.client(4).windows(None, Some(1)).await.unwrap();
        let answer = network.client(4).window_proof(newest.items[0].window, None).await;
        answer.is_err_and(|error| error.to_string().contains("window-open"))
    })
    .await;
}

/// The receipt verifies with nothing but the genesis file, and with no byte of it changed.
async fn offline_proof(network: &Network, id: OrderId) {
    let folder = network.folder.path();
    let receipt = folder.join("receipt");
    let mut command = sluice();
    command.args(["receipt", &id.to_string(), "--rpc", &network.url(3), "--out"]).arg(&receipt);
    let output = run(&mut command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let verify = |path: &std::path::Path| {
        run(sluice().arg("verify").arg(path).arg("--genesis").arg(network.genesis()))
    };
    let output = verify(&receipt);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains(&id.to_string()));

    // Every byte through the library; now and then one through the binary.
    let genesis = genesis::load_genesis(&network.genesis()).unwrap();
    let bytes = std::fs::read(&receipt).unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let valid = chain_types::Receipt::decode(&changed)
            .is_ok_and(|receipt| receipt.verify(&genesis).is_ok());
        assert!(!valid, "byte {at} of {} can be changed", bytes.len());
        if at % 997 == 0 {
            let path = folder.join("changed");
            std::fs::write(&path, &changed).unwrap();
            assert_eq!(verify(&path).status.code(), Some(1));
        }
    }
    let missing = OrderId::new(support::now(), support::entropy());
    let unknown = network.client(0).receipt(missing.to_string(), None).await;
    assert!(unknown.unwrap_err().to_string().contains("not-found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_in_another_language_submits_and_verifies() {
    let network = Network::started(&["--window-ms", "2000"]).await;
    let script = "../../clients/python/sluice_client.py";
    let python = std::env::var("SLUICE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output =
        run(Command::new(python).arg(script).arg("demo").arg("--network").arg(network.path()));
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{error}");
    assert!(said.contains("receipt valid"), "{said}");
    assert!(said.contains("the report of window"), "{said}");
}
