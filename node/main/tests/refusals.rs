//! Bad input: over RPC a code of its own and nothing booked; at the start one clear line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use chain_types::batch::{BATCH_HEADER_BYTES, BATCH_PREFIX_BYTES};
use chain_types::{
    ChainId, Digest, Flags, OrderId, Outcome, ParticipantId, RechargeItem, Rejection, SecretKey,
    SignedBatch, TimeMs,
};
use rpc_api::LedgerRpcClient as _;
use support::{GATEWAYS, MERCHANT, Network, SERVICE, collect, now, order, run, sluice};

/// A batch's bytes changed at one place.
fn changed(mut bytes: Vec<u8>, at: usize, value: u8) -> Vec<u8> {
    bytes[at] ^= value;
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_batch_and_item_has_its_code_and_books_nothing() {
    let mut network = Network::started(&[]).await;
    let good = || order(GATEWAYS[0], Flags::COLLECTED, 100);
    let batch = |items: &[RechargeItem]| network.batch(GATEWAYS[0], items);
    let bytes = batch(&[good(), good()]);
    let key = network.key(GATEWAYS[0]);
    let chain_id = network.chain_id;
    let sign = |chain: ChainId, submitter: u32, key: &SecretKey, until: TimeMs| {
        SignedBatch::sign(chain, ParticipantId::new(submitter), key, until, &[good()])
    };
    let soon = now().plus(60_000);
    let stranger = SecretKey::from_seed(&[9; 32]);
    let service_key = network.key(SERVICE);
    let mut trailing = bytes.clone();
    trailing.push(0);
    let whole: Vec<(&str, Vec<u8>, Rejection)> = vec![
        ("no bytes", Vec::new(), Rejection::Truncated),
        ("a header only", bytes[..BATCH_HEADER_BYTES].to_vec(), Rejection::Truncated),
        ("half an item", bytes[..bytes.len() - 60].to_vec(), Rejection::Truncated),
        ("a byte too much", trailing, Rejection::TrailingBytes),
        ("version 2", changed(bytes.clone(), 0, 3), Rejection::VersionUnsupported),
        ("kind 99", changed(bytes.clone(), 2, 98), Rejection::KindUnknown),
        ("no items", changed(bytes.clone(), 40, 2), Rejection::CountOutOfBounds),
        (
            "a changed item",
            changed(bytes.clone(), BATCH_PREFIX_BYTES + 50, 1),
            Rejection::RootMismatch,
        ),
        ("a changed signature", changed(bytes.clone(), 100, 1), Rejection::SignatureInvalid),
        (
            "another chain",
            sign(ChainId::new(Digest::from_bytes([1; 32])), GATEWAYS[0], &key, soon),
            Rejection::WrongChain,
        ),
        (
            "another's key",
            sign(chain_id, GATEWAYS[0], &stranger, soon),
            Rejection::SignatureInvalid,
        ),
        ("an unknown party", sign(chain_id, 999, &stranger, soon), Rejection::SubmitterUnknown),
        (
            "expired",
            sign(chain_id, GATEWAYS[0], &key, now().minus(10_000)),
            Rejection::BatchExpired,
        ),
        (
            "valid for a day",
            sign(chain_id, GATEWAYS[0], &key, now().plus(86_400_000)),
            Rejection::BatchValidTooLong,
        ),
    ];
    for (what, bytes, rejection) in whole {
        let error = network.submit(1, &bytes).await.expect_err(what);
        assert!(error.contains(rejection.name()), "{what}: {error}");
    }
    let wrong_role = SignedBatch::sign(
        chain_id,
        ParticipantId::new(SERVICE),
        &service_key,
        soon,
        &[collect(OrderId::default())],
    );
    let error = network.submit(1, &wrong_role).await.expect_err("a service collects");
    assert!(error.contains("role-missing"), "{error}");

    items_are_judged_one_by_one(&network).await;
    let log = network.log(1);
    assert!(!log.contains("panicked"), "{log}");
    network.kill(0);
}

async fn items_are_judged_one_by_one(network: &Network) {
    let good = || order(GATEWAYS[0], Flags::COLLECTED, 100);
    let with = |change: &dyn Fn(&mut RechargeItem)| {
        let mut item = good();
        change(&mut item);
        item
    };
    let at = |time: TimeMs| support::own_id(GATEWAYS[0], time).bytes();
    let rows: Vec<(RechargeItem, Rejection)> = vec![
        (with(&|item| item.order_id[6] = 0x40), Rejection::OrderIdInvalid),
        (with(&|item| item.spare[5] = 1), Rejection::SpareNotZero),
        (with(&|item| item.flags = 0x8001.into()), Rejection::FlagsUnknown),
        (with(&|item| item.order_id = at(now().minus(200_000))), Rejection::OrderIdExpired),
        (with(&|item| item.order_id = at(now().plus(90_000))), Rejection::OrderIdEarly),
        (with(&|item| item.amount = 0.into()), Rejection::AmountZero),
        (with(&|item| item.amount = u64::MAX.into()), Rejection::AmountTooLarge),
        (with(&|item| item.currency = 999.into()), Rejection::CurrencyUnsupported),
        (with(&|item| item.payout_currency = 840.into()), Rejection::ConversionUnavailable),
        (with(&|item| item.fx_quote = 5.into()), Rejection::ConversionUnavailable),
        (with(&|item| item.merchant = 77.into()), Rejection::MerchantUnknown),
        (with(&|item| item.order_id[15] ^= 1), Rejection::OrderIdForeign),
        (
            with(&|item| item.collecting_gateway = GATEWAYS[1].into()),
            Rejection::NotCollectingGateway,
        ),
    ];
    let before = payable(network).await;
    let mut items = vec![good()];
    items.extend(rows.iter().map(|(item, _)| *item));
    items.push(good());
    let report = network.submit(2, &network.batch(GATEWAYS[0], &items)).await.unwrap();
    let outcomes = report.outcomes.unwrap();
    for (index, (_, rejection)) in (1..).zip(&rows) {
        let said = outcomes.not_applied.iter().find(|item| item.item_index == index);
        let name = said.map(|item| item.name.as_str());
        assert_eq!(name, Some(rejection.name()), "item {index}");
    }
    assert_eq!(outcomes.count_of(Outcome::APPLIED), 2, "the good ones are unharmed");
    assert_eq!(payable(network).await - before, 200, "nothing else is booked");
}

async fn payable(network: &Network) -> i128 {
    let name = format!("merchant-payable:{MERCHANT}:CNY");
    network.client(2).account(name).await.map_or(0, |account| account.credits_posted.minor)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_be_right_does_not_start() {
    let mut network = Network::new(&[]);
    let config = network.config(0);
    let text = std::fs::read_to_string(&config).unwrap();
    let start = || run(sluice().arg("start").arg("--config").arg(&config));
    let refused = |what: &str, words: &[&str]| {
        let output = start();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{what}: it started");
        for word in words {
            assert!(said.contains(word), "{what}: {said:?} does not say {word:?}");
        }
        assert!(!said.contains("panicked"), "{what}: {said}");
    };

    std::fs::write(&config, format!("surprise = 1\n{text}")).unwrap();
    refused("an unknown key", &["surprise"]);
    std::fs::write(&config, &text).unwrap();

    let key = config.with_file_name("validator.key");
    let secret = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    refused("a missing key", &["validator.key"]);
    std::fs::write(&key, &secret).unwrap();
    refused("a key that others can read", &["chmod 600"]);
    run(std::process::Command::new("chmod").arg("600").arg(&key));

    let taken = std::net::TcpListener::bind(("127.0.0.1", network.base_port + 1)).unwrap();
    refused("a port in use", &[&(network.base_port + 1).to_string()]);
    drop(taken);

    for node in 0..4 {
        network.start(node);
    }
    for node in 0..4 {
        network.ready(node).await;
    }
    refused("the same home twice", &["in use by process"]);
    for node in 0..4 {
        assert_eq!(network.stop(node), Some(0), "{}", network.log(node));
    }
    let page = include_str!("../../../docs/operating.md");
    for entry in std::fs::read_dir(network.home(0)).unwrap() {
        let entry = entry.unwrap();
        let slash = if entry.file_type().unwrap().is_dir() { "/" } else { "" };
        let name = format!("| `{}{slash}` |", entry.file_name().to_string_lossy());
        assert!(page.contains(&name), "the operator's page does not list {name} of a home");
    }

    let guard = network.home(0).join("vote.guard");
    let kept = std::fs::read(&guard).unwrap();
    std::fs::write(&guard, vec![0; kept.len()]).unwrap();
    refused("a vote guard that does not read back", &["vote.guard", "never put a copy"]);
    std::fs::write(&guard, kept).unwrap();

    let genesis = network.genesis();
    let text = std::fs::read_to_string(&genesis).unwrap();
    std::fs::write(&genesis, format!("{text}\n# another chain\n")).unwrap();
    refused("a home of another chain", &["chain"]);
}
