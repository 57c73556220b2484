//! The accounts' tree against its definition, and proofs from the nodes that are kept.

use chain_types::merkle::node;

use super::*;
use crate::accounts_tree::{ACCOUNTS_TREE_DEPTH, AccountsTree};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// A tree changed step by step is the tree made at once, and both are the definition's.
    #[test]
    fn the_tree_is_a_function_of_its_leaves(
        steps in prop::collection::vec(
            prop::collection::btree_map(0_u32..24, any::<[u8; 32]>(), 1..6),
            1..8,
        ),
    ) {
        let mut tree = AccountsTree::new();
        let mut leaves: Vec<Digest> = Vec::new();
        for step in steps {
            let mut change: BTreeMap<u32, Digest> = BTreeMap::new();
            for (index, leaf) in step {
                // New leaves follow the last one.
                let index = index.min(u32::try_from(leaves.len()).unwrap());
                change.insert(index, Digest::from_bytes(leaf));
                if index as usize == leaves.len() {
                    leaves.push(Digest::from_bytes(leaf));
                }
                leaves[index as usize] = Digest::from_bytes(leaf);
            }
            let change = tree.change(change.into_iter().collect());
            tree.apply(&change);
            prop_assert_eq!(change.root(), tree.root());
            prop_assert_eq!(tree.root(), defined_root(&leaves, ACCOUNTS_TREE_DEPTH));
            for index in 0..u32::try_from(leaves.len()).unwrap() {
                let siblings = tree.prove(index);
                let up = |hash, (level, sibling): (usize, &Digest)| match index >> level & 1 {
                    0 => node(&hash, sibling),
                    _ => node(sibling, &hash),
                };
                let root = siblings.iter().enumerate().fold(leaves[index as usize], up);
                prop_assert_eq!(root, tree.root());
            }
        }
    }
}

/// The root by its definition: an absent leaf is zeros, and a node is the hash of its two.
fn defined_root(leaves: &[Digest], depth: usize) -> Digest {
    if depth == 0 {
        return leaves.first().copied().unwrap_or(Digest::ZERO);
    }
    let (left, right) = if leaves.is_empty() {
        let empty = defined_empty(depth - 1);
        (empty, empty)
    } else {
        let middle = leaves.len().min(1 << (depth - 1));
        let right = &leaves[middle..];
        let right = if right.is_empty() {
            defined_empty(depth - 1)
        } else {
            defined_root(right, depth - 1)
        };
        (defined_root(&leaves[..middle], depth - 1), right)
    };
    node(&left, &right)
}

fn defined_empty(depth: usize) -> Digest {
    (0..depth).fold(Digest::ZERO, |below, _| node(&below, &below))
}

#[test]
fn a_proof_from_what_is_kept_is_the_states_own() {
    let state = State::genesis(&genesis());
    let accounts = state.accounts_created();
    assert!(accounts.len() > 2, "the test needs some accounts");
    let nodes = state.account_nodes();
    let node_at = |level, index: u32| {
        if level == 0 {
            let account = accounts.get(index as usize);
            return Ok(account.map(|(key, account)| account.leaf(key)));
        }
        let found = nodes.iter().find(|node| (node.level, node.index) == (level, index));
        Ok::<_, std::convert::Infallible>(found.map(|node| node.digest))
    };
    for (key, account) in accounts {
        let place = state.account_place(key).unwrap();
        let writes = state.running_writes();
        let Ok(made) = AccountProof::from_kept((*key, *account), place, writes, node_at);
        assert!(made.holds(state.digest()));
        assert_eq!(Some(&made), state.account_proof(key).as_ref());
        let missing = |_, _| Ok::<_, std::convert::Infallible>(None);
        let Ok(others) = AccountProof::from_kept((*key, *account), place, writes, missing);
        assert!(!others.holds(state.digest()), "the other accounts are missing");
    }
    let stranger = AccountKey::payable(MerchantId::new(999), Currency::new(156));
    assert_eq!(state.account_place(&stranger), None);
}
