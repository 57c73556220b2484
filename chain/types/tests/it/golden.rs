//! Bytes held still by vectors that other languages test against too.
//!
//! `SLUICE_WRITE_PAGES=1 cargo test -p chain-types` writes the vectors and the pages anew after a
//! change that is meant; the difference is then reviewed like code.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chain_types::hash::{Domain, hash, sha256};
use chain_types::*;
use zerocopy::IntoBytes as _;

use crate::{records, support, worlds};

/// Returns true if this run writes what it would otherwise compare.
pub fn writes_pages() -> bool {
    std::env::var_os("SLUICE_WRITE_PAGES").is_some()
}

fn path() -> PathBuf {
    PathBuf::from("tests/vectors/vectors.json")
}

/// Every vector by its name.
pub fn vectors() -> BTreeMap<String, String> {
    let mut vectors = BTreeMap::new();
    let mut put = |name: &str, bytes: &[u8]| {
        assert!(vectors.insert(name.to_owned(), hex::encode(bytes)).is_none(), "{name} twice");
    };
    words(&mut put);
    items(&mut put);
    changes(&mut put);
    batches(&mut put);
    blocks(&mut put);
    votes(&mut put);
    evidence(&mut put);
    parties(&mut put);
    receipts(&mut put);
    records(&mut put);
    vectors
}

fn words(put: &mut impl FnMut(&str, &[u8])) {
    let domains = [
        Domain::Batch,
        Domain::Block,
        Domain::Vote,
        Domain::Proposal,
        Domain::State,
        Domain::Writes,
        Domain::Account,
        Domain::Validators,
        Domain::Parameters,
        Domain::Change,
        Domain::Report,
        Domain::Outlook,
    ];
    for domain in domains {
        let name = format!("hash_of_nothing_{}", format!("{domain:?}").to_lowercase());
        put(&name, &hash(domain, &[]).bytes());
    }
    put("chain_id", &support::chain_id().digest().bytes());
    put("participant_101_seed", &[101; 32]);
    put("participant_101_public_key", &support::key(101).public_key().bytes());
    put("order_id_37", &support::order_id(37).bytes());
    let genesis = support::genesis();
    put("validators", &codec::encode(&genesis.validators()));
    put("validators_hash", &genesis.validators().digest().bytes());
    put("parameters", &codec::encode(&genesis.parameters));
    put("parameters_hash", &genesis.parameters.digest().bytes());
    for count in [0_u8, 1, 2, 3, 5, 8] {
        let leaves: Vec<Digest> = (0..count).map(|byte| merkle::leaf(&[byte])).collect();
        put(&format!("merkle_root_{count}"), &merkle::root(&leaves).bytes());
    }
}

fn items(put: &mut impl FnMut(&str, &[u8])) {
    for sample in support::samples() {
        let name = sample.kind.name().replace('-', "_");
        put(&format!("item_{name}"), &sample.item);
        if sample.kind != BatchKind::Recharge {
            put(&format!("batch_{name}"), &sample.batch);
        }
    }
    put("item_recharge_leaf", &merkle::leaf(support::recharge(37).as_bytes()).bytes());
}

fn changes(put: &mut impl FnMut(&str, &[u8])) {
    for (name, change) in support::changes() {
        put(&format!("change_{name}"), &codec::encode(&change));
    }
    put("proposal_digest", &support::proposal().digest().bytes());
}

fn batches(put: &mut impl FnMut(&str, &[u8])) {
    let batch =
        support::verified(support::signed(101, &[support::recharge(0), support::recharge(37)]));
    put("batch_header", &codec::encode(batch.header()));
    put("batch_id", &batch.id().digest().bytes());
    put("batch_signature", &batch.signature().bytes());
    put("batch", batch.bytes());
    put("batch_sha256", &sha256(&[batch.bytes()]).bytes());
}

fn blocks(put: &mut impl FnMut(&str, &[u8])) {
    let decided = support::order_block();
    let (_, outcomes) = support::forty();
    let ids: Vec<BatchId> = decided.batches.iter().map(VerifiedBatch::id).collect();
    put("outcomes_of_40", &block::outcome_bytes(&outcomes));
    put("outcomes_root_of_40", &block::outcomes_root(&outcomes).bytes());
    put("batches_root", &block::batches_root(&ids).bytes());
    put("results_root", &decided.header.results_root.bytes());
    put("block_header", &codec::encode(&decided.header));
    put("block_hash", &decided.header.hash().digest().bytes());
    put("certificate", &codec::encode(&decided.certificate));
    let block = Block { header: decided.header, batches: ids, evidence: Vec::new() };
    put("block", &codec::encode(&block));
}

fn votes(put: &mut impl FnMut(&str, &[u8])) {
    let block = Some(support::order_block().header.hash());
    let nothing =
        Vote { height: Height::new(5), round: Round::new(0), step: VoteStep::Prevote, block: None };
    let something = Vote { round: Round::new(1), step: VoteStep::Precommit, block, ..nothing };
    put("vote_prevote_nothing", &codec::encode(&nothing));
    put("vote_prevote_nothing_digest", &nothing.digest(support::chain_id()).bytes());
    put("vote_precommit", &codec::encode(&something));
    put("vote_precommit_digest", &something.digest(support::chain_id()).bytes());
    let signature = support::key(1).sign(&something.digest(support::chain_id()));
    put("vote_precommit_signature", &signature.bytes());
}

fn evidence(put: &mut impl FnMut(&str, &[u8])) {
    let all = support::evidence();
    for one in &all {
        match one {
            Equivocation::Votes { first, .. } => {
                put("signed_vote", &codec::encode(first));
                put("evidence_votes", &codec::encode(one));
            }
            Equivocation::Proposals { first, .. } => {
                put("signed_proposal", &codec::encode(first));
                put("evidence_proposals", &codec::encode(one));
            }
        }
    }
    put("evidence_root", &evidence::evidence_root(&all).bytes());
}

fn parties(put: &mut impl FnMut(&str, &[u8])) {
    let first = support::parties_at(Height::new(1));
    let rotated = support::parties_at(support::KEY_HEIGHT);
    let of_gateway = |parties: &[PartyKeys]| {
        *parties.iter().find(|keys| keys.participant == ParticipantId::new(202)).unwrap()
    };
    for (name, parties) in [("party_keys", first), ("party_keys_rotated", rotated)] {
        put(name, &codec::encode(&of_gateway(&parties)));
        put(&format!("{name}_leaf"), &of_gateway(&parties).leaf().bytes());
        let leaves: Vec<Digest> = parties.iter().map(PartyKeys::leaf).collect();
        put(&format!("{name}_root"), &merkle::root(&leaves).bytes());
    }
}

fn receipts(put: &mut impl FnMut(&str, &[u8])) {
    let long = support::long_receipt();
    put("lineage", &codec::encode(&long.lineage));
    let skipping = worlds::skipping();
    put("lineage_apart", &worlds::apart(&skipping.page()));
    let last = skipping.last();
    let lineage = codec::encode(&skipping.lineage([last.height]));
    put("lineage_skipping", &lineage);
    put("lineage_skipping_sha256", &sha256(&[&lineage]).bytes());
    put("lineage_skipping_header", &codec::encode(&last));
    put("lineage_skipping_certificate", &codec::encode(&skipping.certify(&last)));
    for (name, receipt) in [("receipt", support::receipt()), ("receipt_long", long)] {
        let bytes = codec::encode(&receipt);
        put(name, &bytes);
        put(&format!("{name}_sha256"), &sha256(&[&bytes]).bytes());
    }
}

fn records(put: &mut impl FnMut(&str, &[u8])) {
    put("record_window", &records::window_record());
    put("record_window_settlement", &records::window_settlement_record());
    put("report_digest", &records::report_digest().bytes());
    put("record_evidence", &records::evidence_record());
    let proof = codec::encode(&records::record_proof());
    put("record_proof", &proof);
    put("record_proof_sha256", &sha256(&[&proof]).bytes());
}

#[test]
fn bytes_are_those_of_the_vectors() {
    let computed = vectors();
    if writes_pages() {
        let text = serde_json::to_string_pretty(&computed).unwrap();
        std::fs::write(path(), text + "\n").unwrap();
    }
    let text = std::fs::read_to_string(path()).unwrap();
    let kept: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
    for (name, bytes) in &computed {
        assert_eq!(kept.get(name), Some(bytes), "vector {name} changed");
    }
    assert_eq!(kept.len(), computed.len(), "vectors.json holds a vector that no code makes");
}

#[test]
fn sizes_are_those_of_the_constants() {
    let vectors = vectors();
    let size = |name: &str| vectors[name].len() / 2;
    assert_eq!(size("batch_header"), batch::BATCH_HEADER_BYTES);
    assert_eq!(size("block_header"), block::BLOCK_HEADER_BYTES);
    assert_eq!(size("batch"), batch::BATCH_PREFIX_BYTES + 2 * 128);
    assert!(size("certificate") <= block::CERTIFICATE_BYTES_MAX);
    assert!(size("receipt_long") <= PROOF_BYTES_MAX);
    for (name, change) in support::changes() {
        assert!(codec::encode(&change).len() <= operation::CHANGE_BYTES_MAX, "{name}");
    }
}
