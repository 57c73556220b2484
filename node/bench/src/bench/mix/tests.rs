#![allow(clippy::unwrap_used, clippy::expect_used)]
use chain_types::batch::Items;
use chain_types::{
    BatchId, Currency, MerchantId, Outcome, ParticipantId, PartyKeys, Rejection, SecretKey,
};
use rpc_api::{BatchState, Outcomes};
use rpc_client::client::Client;
use rpc_client::orders::Profile;

use super::*;

#[test]
fn shares_are_four_and_add_up_to_a_hundred() {
    let shares: Shares = "80/12/5/3".parse().unwrap();
    assert_eq!(shares.each(), [80, 12, 5, 3]);
    for (text, problem) in [
        ("80/12/5", "such as 80/12/5/3"),
        ("80/12/5/x", "such as 80/12/5/3"),
        ("80/12/5/4", "add up to 101"),
        ("0/90/7/3", "there must be some"),
    ] {
        let error = text.parse::<Shares>().unwrap_err();
        assert!(error.contains(problem), "{text}: {error}");
    }
}

#[test]
fn each_kind_has_its_share_at_any_time() {
    let mut plan = Plan::new("80/12/5/3".parse().unwrap());
    for _ in 0..1_000 {
        let kind = plan.next(64);
        plan.done(kind, if kind == LoadKind::Return { 7 } else { 64 });
        let all: u64 = plan.done.iter().sum();
        for (share, done) in plan.shares.iter().zip(plan.done) {
            let due = u64::from(*share) * all / 100;
            assert!(done.abs_diff(due) <= 130, "{:?} of {all}", plan.done);
        }
    }
}

const CHAIN: ChainId = ChainId::new(chain_types::Digest::ZERO);

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(&[number; 32])
}

/// A network that applies all but the second item of every batch of recharges, and what it was
/// told: kind, submitter, items.
type Told = Arc<Mutex<Vec<(BatchKind, u32, Vec<[u8; 16]>)>>>;

fn network(told: &Told) -> Submit {
    let told = Arc::clone(told);
    Arc::new(move |_, bytes| {
        let keys = |id: ParticipantId| {
            let current = key(u8::try_from(id.get()).unwrap()).public_key();
            Some(PartyKeys { participant: id, current, previous: None })
        };
        let batch = SignedBatch::decode(bytes).unwrap().verify(CHAIN, keys).unwrap();
        let (ids, mut outcomes): (Vec<_>, Vec<_>) = match batch.items() {
            Items::Recharge(items) => {
                assert!(items.iter().all(|item| item.currency() == Currency::new(156)));
                items.iter().map(|item| (item.order_id, Outcome::APPLIED)).unzip()
            }
            Items::Collect(items) => {
                items.iter().map(|item| (item.order_id, Outcome::APPLIED)).unzip()
            }
            Items::Void(items) => {
                items.iter().map(|item| (item.order_id, Outcome::APPLIED)).unzip()
            }
            Items::Return(items) => {
                items.iter().map(|item| (item.order_id, Outcome::APPLIED)).unzip()
            }
            _ => unreachable!("a mix says nothing else"),
        };
        let kind = batch.kind();
        if kind == BatchKind::Recharge && outcomes.len() > 1 {
            outcomes[1] = Outcome::from(Rejection::LiquidityExceeded);
        }
        told.lock().unwrap().push((kind, batch.header().submitter.get(), ids));
        let mut report = BatchReport::pending(BatchId::default(), BatchState::Final);
        report.outcomes = Some(Outcomes::new(&outcomes, false));
        async move { Ok((report, 0)) }.boxed()
    })
}

/// A gateway whose users pay one merchant.
fn loader(id: u8, merchant: u64) -> Loader {
    let gateway = ParticipantId::new(id.into());
    let payees = vec![(MerchantId::new(merchant), Currency::new(156))];
    let profile = Profile { gateway, collected: true, payees, amount_max: 1_000, users: 0 };
    Loader { id: gateway, key: key(id), profile, crowd: None }
}

fn mix(told: &Told, shares: &str, orders: u64) -> (Mix, mpsc::Receiver<SentBatch>) {
    let (results, received) = mpsc::channel(1_000);
    let client = Arc::new(Client::new(&["http://127.0.0.1:9".to_owned()]).unwrap());
    let id = ParticipantId::new(101);
    let service = Party { id, key: key(101), chain_id: CHAIN, client, first_node: 0 };
    let (_, quotes) = watch::channel(Some(QuoteId::of(ParticipantId::new(7), 1)));
    let parties = Parties {
        chain_id: CHAIN,
        loaders: vec![loader(201, 1), loader(202, 2)],
        service,
        quotes: Some(quotes),
        voided_one_in: 4,
        submit: network(told),
        results,
        returnable: vec![Mutex::default(), Mutex::default()],
        // Each pays the merchant of the other's orders.
        payers: [(MerchantId::new(1), 1), (MerchantId::new(2), 0)].into(),
    };
    let amounts: AmountsOf = Box::new(|_, count| vec![777; count]);
    let (sizes, draws) = (BatchSizes::fixed(10), Draws::new(1, 0).unwrap());
    let mix = Mix::new(parties, shares.parse().unwrap(), sizes, Some(orders), Some(amounts), draws);
    (mix.unwrap(), received)
}

async fn all(mut mix: Mix) {
    let mut number = 0;
    while let Some(job) = mix.next().await {
        (job.work)(Turn { number, intended: Instant::now() }).await;
        number += 1;
    }
}

#[tokio::test]
async fn what_is_reserved_is_collected_by_its_gateway_and_some_voided_by_the_service() {
    let told = Told::default();
    let (mix, mut received) = mix(&told, "0/100/0/0", 10);
    all(mix).await;
    let mut told = told.lock().unwrap().clone();
    told.sort_by_key(|(kind, ..)| kind.number());
    let [(reserve, service, orders), (collect, gateway, collected), (void, voider, voided)] =
        told.as_slice()
    else {
        panic!("{told:?}")
    };
    assert_eq!((*reserve, *service), (BatchKind::Recharge, 101));
    assert_eq!((*collect, *gateway), (BatchKind::Collect, 201));
    assert_eq!((*void, *voider), (BatchKind::Void, 101));
    // Of ten orders one was refused; of the nine others two are voided.
    assert_eq!((orders.len(), collected.len(), voided.len()), (10, 7, 2));
    assert!(!collected.contains(&orders[1]) && !voided.contains(&orders[1]));
    let mut kinds = Vec::new();
    while let Some(sent) = received.recv().await {
        kinds.push((sent.kind, sent.items));
    }
    kinds.sort();
    assert_eq!(kinds, [(LoadKind::Reserve, 10), (LoadKind::Collect, 7), (LoadKind::Void, 2)]);
}

#[tokio::test]
async fn returns_are_of_orders_that_were_applied_each_once() {
    let told = Told::default();
    let (mix, _received) = mix(&told, "60/0/20/20", 200);
    all(mix).await;
    let told = told.lock().unwrap().clone();
    let of = |wanted: BatchKind| -> Vec<[u8; 16]> {
        let of_kind = told.iter().filter(|(kind, ..)| *kind == wanted);
        of_kind.flat_map(|(.., ids)| ids.iter().copied()).collect()
    };
    let (orders, mut returned) = (of(BatchKind::Recharge), of(BatchKind::Return));
    assert_eq!(orders.len() + returned.len(), 200);
    assert!((30..=50).contains(&returned.len()), "{}", returned.len());
    returned.sort_unstable();
    let count = returned.len();
    returned.dedup();
    assert_eq!(returned.len(), count, "an order was returned twice");
    assert!(returned.iter().all(|order| orders.contains(order)));
}
