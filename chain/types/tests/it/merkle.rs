//! The trees against RFC 6962's own recursive definition.

use chain_types::hash::{Digest, sha256};
use chain_types::merkle;
use proptest::prelude::*;

/// MTH of RFC 6962 section 2.1, word for word.
fn naive_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => sha256(&[]),
        [only] => *only,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            sha256(&[&[1], &naive_root(left).bytes(), &naive_root(right).bytes()])
        }
    }
}

/// PATH of RFC 6962 section 2.1.1.
fn naive_path(leaves: &[Digest], index: usize) -> Vec<Digest> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, sibling) = if index < left.len() {
        (naive_path(left, index), naive_root(right))
    } else {
        (naive_path(right, index - left.len()), naive_root(left))
    };
    path.push(sibling);
    path
}

/// The largest power of two below `count`.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

fn leaves(count: usize) -> Vec<Digest> {
    (0..count).map(|index| merkle::leaf(&index.to_le_bytes())).collect()
}

fn leads_to(leaf: Digest, index: usize, count: usize, proof: &[Digest], root: Digest) -> bool {
    merkle::root_from_proof(leaf, index as u64, count as u64, proof) == Some(root)
}

#[test]
fn roots_and_proofs_are_rfc_6962s() {
    for count in 0..=130 {
        let leaves = leaves(count);
        let root = merkle::root(&leaves);
        assert_eq!(root, naive_root(&leaves), "root of {count}");
        for index in 0..count {
            let proof = merkle::prove(&leaves, index).unwrap();
            assert_eq!(proof, naive_path(&leaves, index), "path of {index} in {count}");
            assert!(leads_to(leaves[index], index, count, &proof, root));
        }
        assert_eq!(merkle::prove(&leaves, count), None);
    }
}

#[test]
fn a_proof_is_good_for_one_leaf_place_only() {
    for count in 1..=40 {
        let leaves = leaves(count);
        let root = merkle::root(&leaves);
        for index in 0..count {
            let proof = merkle::prove(&leaves, index).unwrap();
            for other in (0..count + 2).filter(|other| *other != index) {
                assert!(!leads_to(leaves[index], other, count, &proof, root));
            }
            let longer = [proof.as_slice(), &[root]].concat();
            assert!(!leads_to(leaves[index], index, count, &longer, root));
            if let Some((_, shorter)) = proof.split_last() {
                assert!(!leads_to(leaves[index], index, count, shorter, root));
            }
        }
    }
}

#[test]
fn every_flipped_bit_of_a_proof_is_refused() {
    for count in [1, 2, 3, 5, 8, 13, 64, 65, 130] {
        let leaves = leaves(count);
        let root = merkle::root(&leaves);
        for index in 0..count {
            let proof = merkle::prove(&leaves, index).unwrap();
            for bit in 0..proof.len() * 256 {
                let mut proof = proof.clone();
                let mut bytes = proof[bit / 256].bytes();
                bytes[bit % 256 / 8] ^= 1 << (bit % 8);
                proof[bit / 256] = Digest::from_bytes(bytes);
                assert!(!leads_to(leaves[index], index, count, &proof, root), "{index} of {count}");
            }
        }
    }
}

#[test]
fn a_node_never_passes_for_a_leaf() {
    let leaves = leaves(2);
    let node_bytes = [leaves[0].bytes(), leaves[1].bytes()].concat();
    assert_ne!(merkle::leaf(&node_bytes), merkle::root(&leaves));
    assert_ne!(merkle::node(&leaves[0], &leaves[1]), merkle::node(&leaves[1], &leaves[0]));
}

proptest! {
    #[test]
    fn any_proof_of_any_length_is_judged_without_panic(
        leaf in any::<[u8; 32]>(),
        index in any::<u64>(),
        count in any::<u64>(),
        proof in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let proof: Vec<Digest> = proof.into_iter().map(Digest::from_bytes).collect();
        let root = merkle::root_from_proof(Digest::from_bytes(leaf), index, count, &proof);
        prop_assert!(root.is_none() || (index < count && proof.len() <= 32));
    }

    #[test]
    fn large_trees_agree_with_the_definition(
        count in 131_usize..3_000,
        at in any::<prop::sample::Index>(),
    ) {
        let leaves = leaves(count);
        let index = at.index(count);
        let proof = merkle::prove(&leaves, index).unwrap();
        prop_assert_eq!(merkle::root(&leaves), naive_root(&leaves));
        prop_assert_eq!(&proof, &naive_path(&leaves, index));
        prop_assert!(leads_to(leaves[index], index, count, &proof, naive_root(&leaves)));
    }
}

/// A tree whose leaves were added and replaced one by one is the tree of its leaves.
#[test]
fn a_tree_follows_its_leaves() {
    let leaf = |number: u32| merkle::leaf(&number.to_be_bytes());
    let mut leaves = Vec::new();
    let mut tree = merkle::Tree::new(Vec::new());
    assert_eq!(tree.root(), merkle::root(&[]));
    for number in 0..40_u32 {
        tree.put(leaves.len(), leaf(number));
        leaves.push(leaf(number));
        for changed in [0, number / 2, number] {
            let at = usize::try_from(changed).unwrap();
            leaves[at] = leaf(1_000 * number + changed);
            tree.put(at, leaves[at]);
            assert_eq!(tree.root(), merkle::root(&leaves), "{number} {changed}");
            assert_eq!(tree.prove(at), merkle::prove(&leaves, at));
        }
    }
    tree.put(leaves.len() + 1, leaf(0));
    assert_eq!(tree.leaves(), leaves, "beyond the next place nothing is put");
}
