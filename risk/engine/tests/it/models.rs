//! One form of bytes, and a code for each way to miss it.

use proptest::prelude::*;
use risk_engine::{
    CATALOGUE_VERSION, FEATURES, LEAF, MODEL_HEAD_BYTES, ModelFlaw, ModelHead, ModelNode,
    NODE_BYTES, RiskModel, TREES_MAX,
};

use crate::support::{Draw, HEAD, model, with_means};

const SPLIT: ModelNode = ModelNode { feature: 3, child: 1, value: 15, threshold: 99 };

/// A split with two leaves.
fn stump() -> Vec<ModelNode> {
    vec![SPLIT, ModelNode::leaf(10), ModelNode::leaf(20)]
}

/// A split, a split to its left, and three leaves.
fn two_levels() -> Vec<ModelNode> {
    let split = ModelNode { child: 3, ..SPLIT };
    with_means(vec![SPLIT, split, ModelNode::leaf(2), ModelNode::leaf(3), ModelNode::leaf(4)])
}

/// A path of splits to the right, so many deep.
fn ladder(depth: u16) -> Vec<ModelNode> {
    let mut nodes = vec![ModelNode::leaf(1)];
    for level in 0..depth {
        let last = nodes.len() - 1;
        nodes[last] = ModelNode { child: 2 * level + 1, ..SPLIT };
        nodes.extend([ModelNode::leaf(1); 2]);
    }
    with_means(nodes)
}

fn code(trees: Vec<Vec<ModelNode>>) -> &'static str {
    RiskModel::new(HEAD, trees).map_or_else(|flaw| flaw.code().1, |_| "right")
}

/// The stump with one node changed.
fn changed(node: usize, change: impl Fn(&mut ModelNode)) -> &'static str {
    let mut nodes = stump();
    change(&mut nodes[node]);
    code(vec![nodes])
}

#[test]
fn each_wrong_tree_has_its_code() {
    let feature = FEATURES as u16;
    let mut deaf = two_levels();
    // The root names the second pair and its child the first.
    (deaf[0].child, deaf[1].child) = (3, 2);
    let table = [
        ("right", code(vec![stump()])),
        ("right", code(vec![two_levels()])),
        ("right", code(vec![vec![ModelNode::leaf(5)]])),
        ("right", code(vec![ladder(8)])),
        ("depth", code(vec![ladder(9)])),
        ("trees", code(vec![])),
        ("trees", code(vec![stump(); TREES_MAX + 1])),
        ("nodes", code(vec![vec![]])),
        ("nodes", code(vec![stump()[..2].to_vec()])),
        ("nodes", code(vec![vec![ModelNode::leaf(0); 513]])),
        ("unknown-feature", changed(0, |node| node.feature = feature)),
        ("unknown-feature", changed(0, |node| node.feature = LEAF - 1)),
        ("cyclic", changed(0, |node| node.child = 0)),
        ("cyclic", changed(1, |node| *node = SPLIT)),
        ("child-range", changed(0, |node| node.child = 2)),
        ("child-range", changed(0, |node| node.child = u16::MAX)),
        ("order", code(vec![deaf])),
        ("order", code(vec![[stump(), stump()[1..].to_vec()].concat()])),
        ("leaf", changed(1, |node| node.threshold = 1)),
        ("leaf", changed(2, |node| node.child = 1)),
        ("mean", changed(0, |node| node.value = 9)),
        ("mean", changed(0, |node| node.value = 21)),
        ("sum", code(vec![vec![ModelNode::leaf(i32::MIN)]])),
        ("sum", code(vec![vec![ModelNode::leaf(i32::MAX / 2 + 10)]; 2])),
        ("right", code(vec![vec![ModelNode::leaf(i32::MAX)]])),
    ];
    for (row, (expected, found)) in table.into_iter().enumerate() {
        assert_eq!(found, expected, "row {row}");
    }
    let head = ModelHead { hold_at: 5, refuse_at: 4, ..HEAD };
    assert_eq!(RiskModel::new(head, vec![stump()]).unwrap_err().code().1, "limits");
}

#[test]
fn each_wrong_byte_string_has_its_code() {
    let right = RiskModel::new(HEAD, vec![stump(), two_levels()]).unwrap().encode();
    assert_eq!(right.len(), MODEL_HEAD_BYTES + 2 * 2 + 8 * NODE_BYTES);
    let edited = |at: usize, bytes: &[u8]| {
        let mut all = right.clone();
        all[at..at + bytes.len()].copy_from_slice(bytes);
        RiskModel::decode(&all).map_or_else(|flaw| flaw.code().1, |_| "right")
    };
    assert_eq!(edited(0, b"S"), "right");
    assert_eq!(edited(0, b"s"), "magic");
    assert_eq!(edited(8, &(CATALOGUE_VERSION + 1).to_le_bytes()), "features-version");
    assert_eq!(edited(10, &[0, 0]), "trees");
    assert_eq!(edited(10, &[0xFF, 0xFF]), "trees");
    assert_eq!(edited(10, &[3, 0]), "truncated");
    assert_eq!(edited(10, &[1, 0]), "trailing");
    assert_eq!(edited(24, &[2, 0]), "nodes");
    for length in 0..right.len() {
        let flaw = RiskModel::decode(&right[..length]).unwrap_err();
        assert_eq!(flaw, ModelFlaw::Truncated(length));
    }
    let longer = [right.as_slice(), &[0]].concat();
    assert_eq!(RiskModel::decode(&longer), Err(ModelFlaw::Trailing(1)));
}

proptest! {
    #[test]
    fn a_model_survives_its_bytes_and_keeps_its_id(seed: u64) {
        let model = model(&mut Draw(seed));
        let bytes = model.encode();
        let again = RiskModel::decode(&bytes).unwrap();
        prop_assert_eq!(again.id(), model.id());
        prop_assert_eq!(again.encode(), bytes);
        prop_assert_eq!(again, model);
    }
}

#[test]
fn another_leaf_is_another_id() {
    let id = |value| RiskModel::new(HEAD, vec![vec![ModelNode::leaf(value)]]).unwrap().id();
    assert_ne!(id(1), id(2));
    let bias = ModelHead { bias: 1, ..HEAD };
    let other = RiskModel::new(bias, vec![vec![ModelNode::leaf(1)]]).unwrap();
    assert_ne!(id(1), other.id());
}
