//! Submissions and what became of them. The test is the driver: it takes a batch, says that it is
//! admitted, and commits it.

use std::sync::atomic::Ordering;

use chain_types::{BatchError, BatchId, Rejection};
use consensus_scheduler::{CountedBatch, Origin, ServiceClass};
use jsonrpsee::core::client::Error as ClientError;
use node_replica::Input;
use rpc_api::{
    ApiError, Base64Bytes, BatchReport, BatchRpcClient as _, BatchState, ErrorData,
    NodeRpcClient as _, OutlookReport, Wait,
};
use rpc_client::outlook::check_outlook;
use tokio::task::JoinHandle;

use super::answers::{refused, refused_as};
use super::*;
use crate::driver::wall_clock;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

impl Served {
    /// The next batch for the driver, and its token.
    fn submitted(&self) -> (VerifiedBatch, u64) {
        match tokio::task::block_in_place(|| self.inputs.recv_timeout(PATIENCE)) {
            Ok(Input::Submit { batch, token }) => (batch, token),
            other => panic!("no batch: {other:?}"),
        }
    }

    fn admit(&self) -> VerifiedBatch {
        let (batch, token) = self.submitted();
        self.node.waiting.add(batch.id());
        self.node.hub.submitted(token, Ok(()));
        batch
    }

    /// Submits a batch by a client of its own, while the test is the driver.
    fn submit(
        &self,
        bytes: &Base64Bytes,
        wait: Wait,
    ) -> JoinHandle<Result<BatchReport, ClientError>> {
        let (client, bytes) = (self.http(), bytes.clone());
        tokio::spawn(
            async move { client.submit(bytes, Some(wait), Some(30_000), Some(true)).await },
        )
    }

    /// Refuses the next batch, as the pool does.
    fn refuse(&self, rejection: Rejection) {
        let (_, token) = self.submitted();
        self.node.hub.submitted(token, Err(BatchError::new(rejection, "(a detail)").into()));
    }

    /// Asks by a client of its own what became of a batch.
    async fn status(&self, id: &str) -> BatchReport {
        rpc_api::BatchRpcClient::status(&self.http(), id.to_owned(), None).await.unwrap()
    }
}

/// A batch of one order as its client sends it.
fn one_order(served: &mut Served) -> Base64Bytes {
    let order = served.chain.recharge(1_000, Flags::COLLECTED);
    let batch = served.chain.batch(BANK_A, &key(1, BANK_A.get()), &[order]);
    Base64Bytes::new(batch.bytes().to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_admitted_then_final_and_the_driver_is_not_asked_for_it() {
    let mut served = Served::start(Chain::of(served_genesis())).await;
    let bytes = one_order(&mut served);
    let client = served.http();
    let submitting = served.submit(&bytes, Wait::Admitted);
    let batch = served.admit();
    let report = submitting.await.unwrap().unwrap();
    let id = report.batch_id.to_string();
    assert_eq!((report.state, report.batch_id), (BatchState::Admitted, batch.id()));
    assert_eq!(served.status(&id).await, report);

    let late = client.submit(bytes.clone(), Some(Wait::Final), Some(1), None).await;
    let late = refused(late);
    assert_eq!(late.code(), ApiError::WaitTimeout.code());
    assert!(late.message().contains(&id), "it names the batch: {late:?}");
    served.admit();

    let waiting = served.submit(&bytes, Wait::Final);
    served.admit();
    served.block(200, vec![batch]);
    let report = waiting.await.unwrap().unwrap();
    assert_eq!((report.state, report.height), (BatchState::Final, Some(1)));
    assert_eq!(report.outcomes.as_ref().unwrap().item_count, 1);
    let told = rpc_api::BatchRpcClient::status(&client, id, Some(true)).await.unwrap();
    assert_eq!(told, report);
    // Nobody but the batches themselves came to the driver.
    assert!(served.inputs.recv_timeout(Duration::ZERO).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_get_the_same_answer_and_a_full_pool_says_when_to_come_again() {
    let mut served = Served::start(Chain::of(served_genesis())).await;
    let bytes = one_order(&mut served);
    let first = served.submit(&bytes, Wait::Admitted);
    let batch = served.admit();
    assert_eq!(first.await.unwrap().unwrap().state, BatchState::Admitted);
    served.block(200, vec![batch]);
    let again = served.submit(&bytes, Wait::Final);
    served.refuse(Rejection::BatchRepeated);
    let report = again.await.unwrap().unwrap();
    assert_eq!((report.state, report.height), (BatchState::Final, Some(1)));

    let other = one_order(&mut served);
    for (rejection, retry_after_ms) in
        [(Rejection::PoolFull, Some(250)), (Rejection::BatchExpired, None)]
    {
        let refusing = served.submit(&other, Wait::Admitted);
        served.refuse(rejection);
        let error = refused(refusing.await.unwrap());
        assert_eq!(error.code(), i32::from(rejection.code()));
        assert_eq!(ErrorData::of(&error).unwrap().retry_after_ms, retry_after_ms);
    }
}

/// Leaves a submitter without a share for as long as a debt may last, and says how many are known.
fn use_share(served: &Served, submitter: ParticipantId, number: u8) -> usize {
    let id = BatchId::new(Digest::from_bytes([number; 32]));
    let batch = CountedBatch { id, submitter, class: ServiceClass::Order, items: u32::MAX };
    served.node.shares.with(wall_clock(), |scheduler, now_us| {
        assert!(scheduler.charge(batch, Origin::Client, now_us));
        scheduler.submitters()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_over_its_share_is_refused_before_its_signature_is_looked_at() {
    let mut served = Served::start(Chain::of(served_genesis())).await;
    let order = served.chain.recharge(1_000, Flags::COLLECTED);
    let chain_id = served.chain.genesis.chain_id;
    let until = wall_clock().max(START).plus(3_600_000);
    // Bank B signs in the name of another.
    let forged = |submitter| SignedBatch::sign(chain_id, submitter, &key(1, 9), until, &[order]);
    let client = served.http();
    let send = async |submitter| {
        let bytes = Base64Bytes::new(forged(submitter));
        let error = refused(client.submit(bytes, Some(Wait::Admitted), None, None).await);
        (Rejection::from_code(u16::try_from(error.code()).unwrap()), ErrorData::of(&error).unwrap())
    };
    assert_eq!(send(BANK_A).await.0, Some(Rejection::SignatureInvalid));
    let known = use_share(&served, BANK_A, 1);
    let (rejection, data) = send(BANK_A).await;
    assert_eq!(rejection, Some(Rejection::PoolFull));
    assert!(data.transient && data.retry_after_ms.is_some_and(|wait| wait > 0), "{data:?}");
    assert!(data.detail.contains("has sent its share"), "{data:?}");
    assert_eq!(send(BANK_B).await.0, Some(Rejection::SignatureInvalid), "another's share");

    // Submitters that are not registered are none of the shares'.
    assert_eq!(send(ParticipantId::new(9_999)).await.0, Some(Rejection::SubmitterUnknown));
    assert_eq!(use_share(&served, BANK_A, 2), known);

    // What waits here already is answered as ever.
    let batch = SignedBatch::decode(forged(BANK_A).into()).unwrap();
    served.node.waiting.add(batch.header().id());
    assert_eq!(send(BANK_A).await.0, Some(Rejection::SignatureInvalid));
    assert!(served.inputs.recv_timeout(Duration::ZERO).is_err(), "nothing came to the driver");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outlook_shows_who_refuses_a_submitter_and_until_when() {
    let served = Served::start(Chain::of(served_genesis())).await;
    use_share(&served, BANK_A, 1);
    let report = served.http().outlook(Some(BANK_A.get())).await.unwrap();
    let (chain_id, public_key) = (served.chain.genesis.chain_id, key(3, 0).public_key());
    let check = |report: &OutlookReport, chain_id, node, submitter, now| {
        check_outlook(report, chain_id, (ValidatorId::new(node), &public_key), Some(submitter), now)
    };
    let made_at = TimeMs::new(report.made_at_ms);
    let (head, line) = check(&report, chain_id, 0, BANK_A, made_at).unwrap();
    let line = line.unwrap();
    assert_eq!((head.height, line.reason), (served.chain.height(), Rejection::PoolFull.code()));
    assert!(line.retry_at > made_at && line.share_items_per_s > 0, "{line:?}");
    assert_eq!(report.line.as_ref().unwrap().retry_at_ms, line.retry_at.get());

    let other_chain = ChainId::new(Digest::from_bytes([1; 32]));
    assert!(check(&report, other_chain, 0, BANK_A, made_at).is_err());
    assert!(check(&report, chain_id, 1, BANK_A, made_at).is_err());
    assert!(check(&report, chain_id, 0, BANK_B, made_at).is_err());
    assert!(check(&report, chain_id, 0, BANK_A, made_at.plus(60_000)).is_err(), "old");
    let mut forged = report.clone();
    forged.signed_base64.replace_range(100..101, "!");
    assert!(check(&forged, chain_id, 0, BANK_A, made_at).is_err());
    let bytes = rpc_api::decode_base64(&report.signed_base64).unwrap();
    for at in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        forged.signed_base64 = rpc_api::encode_base64(&bytes);
        assert!(check(&forged, chain_id, 0, BANK_A, made_at).is_err(), "byte {at}");
    }

    let without = served.http().outlook(None).await.unwrap();
    assert_eq!((without.line, without.line_count), (None, 1));
}

/// Asks after batches until the node has no room for one more question; each waits for the store.
async fn fill_the_queue(served: &Served) -> Vec<JoinHandle<Result<BatchReport, ClientError>>> {
    let mut waiting = Vec::new();
    loop {
        // Over WebSocket: an HTTP client sees the 503 alone.
        let client = served.ws().await;
        let mut asking = tokio::spawn(async move {
            rpc_api::BatchRpcClient::status(&client, "ab".repeat(32), None).await
        });
        match tokio::time::timeout(Duration::from_millis(20), &mut asking).await {
            Ok(answer) => {
                refused_as(answer.unwrap(), ApiError::NodeBusy);
                return waiting;
            }
            Err(_) => waiting.push(asking),
        }
    }
}

/// A client that sends the same bytes again, without an answer, must not take a refusal for the
/// outcome.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_batch_that_cannot_be_looked_up_is_told_that_it_may_have_been_taken() {
    let config = ServerConfig { reads_waiting_max: 1, ..ServerConfig::default() };
    let mut served = Served::start_with(Chain::of(served_genesis()), config).await;
    let bytes = one_order(&mut served);
    let first = served.submit(&bytes, Wait::Final);
    let batch = served.admit();
    served.block(200, vec![batch]);
    let first = first.await.unwrap().unwrap();

    // The state is ahead of the store, so that questions wait until the queue is full.
    let (certificate, learned, outcomes) = served.chain.uncommitted(200, vec![]);
    let waiting = fill_the_queue(&served).await;
    let (client, same) = (served.ws().await, bytes.clone());
    let again = tokio::spawn(async move { client.submit(same, None, None, None).await });
    served.refuse(Rejection::BatchRepeated);
    let error = refused(again.await.unwrap());
    assert_eq!(ApiError::from_code(error.code()), Some(ApiError::NodeBusy), "{error:?}");
    let data = ErrorData::of(&error).unwrap();
    assert!(data.transient && !data.new_id_is_safe && data.retry_after_ms.is_some(), "{data:?}");
    let id = first.batch_id.to_string();
    for word in [id.as_str(), "may have been taken", Rejection::BatchRepeated.name()] {
        assert!(data.detail.contains(word), "{word}: {data:?}");
    }
    assert!(data.remedy.contains("the same bytes again"), "{data:?}");

    served.chain.store.commit(&certificate, learned).unwrap();
    let block = served.chain.store.block(served.chain.height()).unwrap().unwrap().block;
    served.node.hub.committed(&block, &outcomes);
    for asking in waiting {
        assert_eq!(asking.await.unwrap().unwrap().state, BatchState::Unknown);
    }
    let again = served.submit(&bytes, Wait::Final);
    served.refuse(Rejection::BatchRepeated);
    assert_eq!(again.await.unwrap().unwrap(), first, "who obeys the remedy gets the outcome");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_batch_is_refused_by_its_code() {
    let mut served = Served::start(Chain::of(served_genesis())).await;
    let bytes = one_order(&mut served);
    let client = served.http();
    let whole = bytes.clone().into_bytes().unwrap();
    let short = Base64Bytes::new(whole[..100].to_vec());
    assert_eq!(refused(client.submit(short, None, None, None).await).code(), 100);
    let mut forged = whole.to_vec();
    forged[100] ^= 1;
    let error = refused(client.submit(Base64Bytes::new(forged), None, None, None).await);
    assert_eq!(error.code(), 109);
    assert_eq!(ErrorData::of(&error).unwrap().name, "signature-invalid");
    for text in ["AA*A", "AAA", "A A="] {
        let call =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"batch_submit","params":["{text}"]}}"#);
        assert_eq!(served.post(&call).await["error"]["code"], 1_000, "{text}");
    }
    for timeout_ms in [0, 60_001] {
        let result = client.submit(bytes.clone(), None, Some(timeout_ms), None).await;
        refused_as(result, ApiError::TimeoutOutOfBounds);
    }
    let unknown = served.status(&"ab".repeat(32)).await;
    assert_eq!(unknown.state, BatchState::Unknown);
    let malformed = rpc_api::BatchRpcClient::status(&client, "ab".into(), None).await;
    refused_as(malformed, ApiError::IdMalformed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_waits_for_the_store_until_it_comes_or_the_driver_fails() {
    let mut chain = Chain::of(served_genesis());
    let order = chain.recharge(1_000, Flags::COLLECTED);
    let batch = chain.batch(BANK_A, &key(1, BANK_A.get()), &[order]);
    let mut served = Served::start(chain).await;
    let (client, node) = (served.http(), served.node.clone());
    let chain = &mut served.chain;
    let (certificate, learned, outcomes) = chain.uncommitted(200, vec![batch]);
    let asked = || {
        let client = client.clone();
        tokio::spawn(async move {
            rpc_api::SettlementRpcClient::window(&client, 0).await.map(|window| window.window)
        })
    };
    let mut waiting = asked();
    let early = tokio::time::timeout(Duration::from_millis(200), &mut waiting).await;
    assert!(early.is_err(), "the state is ahead of the store");
    chain.store.commit(&certificate, learned).unwrap();
    let block = chain.store.block(chain.height()).unwrap().unwrap().block;
    node.hub.committed(&block, &outcomes);
    assert_eq!(waiting.await.unwrap().unwrap(), 0);

    let _ = chain.uncommitted(200, vec![]);
    let waiting = asked();
    node.vitals.failed.store(true, Ordering::Relaxed);
    node.hub.failed();
    refused_as(waiting.await.unwrap(), ApiError::InternalFault);
}
