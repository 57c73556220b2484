//! Scores and reasons against a plain walk through the trees.

use proptest::prelude::*;
use risk_engine::{CompiledModel, Explanation, FEATURES, FeatureVector, ModelNode, RiskModel};

use crate::support::{Draw, HEAD, model};

/// The score by a walk with branches, and each feature's part: the oracle.
fn walked(model: &RiskModel, features: &[i64]) -> (i64, Vec<i64>) {
    let (mut score, mut parts) = (i64::from(model.head().bias), vec![0; FEATURES]);
    for nodes in model.trees() {
        let mut at = 0;
        while !nodes[at].is_leaf() {
            let node = &nodes[at];
            let is_right = features[usize::from(node.feature)] > node.threshold;
            let next = usize::from(node.child) + usize::from(is_right);
            parts[usize::from(node.feature)] +=
                i64::from(nodes[next].value) - i64::from(node.value);
            at = next;
        }
        score += i64::from(nodes[at].value);
    }
    (score, parts)
}

fn features(draw: &mut Draw) -> FeatureVector {
    let mut features = FeatureVector::new();
    for number in 0..FEATURES as u16 {
        let value = i64::from_ne_bytes(draw.wild().to_ne_bytes());
        features.set(number, if draw.below(4) == 0 { value } else { value >> 40 });
    }
    features
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn reasons_add_up_to_the_score_that_a_plain_walk_finds(seed: u64) {
        let mut draw = Draw(seed);
        let model = model(&mut draw);
        let features = features(&mut draw);
        let compiled = CompiledModel::new(model.clone());
        let explanation = compiled.explain(&features);
        let (score, parts) = walked(&model, features.values());
        prop_assert_eq!(i64::from(compiled.score(&features)), score);
        prop_assert_eq!(i64::from(explanation.score), score);
        prop_assert_eq!(explanation.parts.as_slice(), parts);
        prop_assert_eq!(explanation.base + explanation.parts.iter().sum::<i64>(), score);
    }

    /// The three codes against a sort of all parts.
    #[test]
    fn reasons_are_the_three_largest_parts(seed: u64) {
        let mut draw = Draw(seed);
        let parts = Box::new([(); FEATURES].map(|()| draw.below(9) as i64 - 6));
        let raising = (1..).zip(*parts).filter(|(_, part)| *part > 0);
        let mut sorted: Vec<(i64, u16)> = raising.map(|(code, part)| (-part, code)).collect();
        sorted.sort_unstable();
        let mut expected = [0; 3];
        expected.iter_mut().zip(sorted).for_each(|(code, (_, sorted))| *code = sorted);
        let explanation = Explanation { score: 0, base: 0, parts };
        prop_assert_eq!(explanation.reasons(), expected);
    }
}

#[test]
fn a_split_sends_its_threshold_to_the_first_child() {
    let split = ModelNode { feature: 9, child: 1, value: 7, threshold: 50 };
    let nodes = vec![split, ModelNode::leaf(7), ModelNode::leaf(400)];
    let compiled = CompiledModel::new(RiskModel::new(HEAD, vec![nodes]).unwrap());
    let mut features = FeatureVector::new();
    for (value, score, reasons) in
        [(i64::MIN, 0, [0; 3]), (50, 0, [0; 3]), (51, 393, [10, 0, 0]), (i64::MAX, 393, [10, 0, 0])]
    {
        features.set(9, value);
        assert_eq!(compiled.score(&features), score, "{value}");
        let explanation = compiled.explain(&features);
        assert_eq!((explanation.base, explanation.reasons()), (0, reasons));
    }
}
