//! A model ready for use: every tree takes the same number of steps for every order, and no step
//! depends on a branch that the features decide.

use crate::catalogue::{FEATURES, FeatureVector};
use crate::model::{ModelNode, RiskModel};

/// One step: the next node is `child`, or the one after it if the feature is above the threshold.
#[derive(Debug, Clone, Copy)]
struct Step {
    threshold: i64,
    /// The place of the first child among all nodes; a leaf's own place.
    child: u32,
    feature: u16,
}

/// The place of a tree's root among all nodes, and the number of steps to its deepest leaf.
#[derive(Debug, Clone, Copy)]
struct Root {
    place: u32,
    depth: u32,
}

/// A model's trees, laid out for evaluation.
#[derive(Debug, Clone)]
pub struct CompiledModel {
    model: RiskModel,
    roots: Vec<Root>,
    steps: Vec<Step>,
    values: Vec<i32>,
    /// The bias and the means of all roots: the score before any feature is looked at.
    base: i64,
}

/// How a score came about: the base and each feature's part add up to it exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The score, as [`CompiledModel::score`] gives it.
    pub score: i32,
    /// The bias and the means at the roots of all trees.
    pub base: i64,
    /// The part of each feature, by its number: how far it raised the score, or lowered it if
    /// negative.
    pub parts: Box<[i64; FEATURES]>,
}

/// Returns a node as a step. A leaf leads to itself, since no value is above the largest.
fn step_of(node: &ModelNode, first: u32, own: u32) -> Step {
    match node.is_leaf() {
        true => Step { threshold: i64::MAX, child: own, feature: 0 },
        false => Step {
            threshold: node.threshold,
            child: first + u32::from(node.child),
            feature: node.feature,
        },
    }
}

/// Returns the number of splits on the longest path.
fn depth_of(nodes: &[ModelNode]) -> u32 {
    let mut depths = vec![0; nodes.len()];
    for (at, node) in nodes.iter().enumerate().filter(|(_, node)| !node.is_leaf()) {
        let child = usize::from(node.child);
        (depths[child], depths[child + 1]) = (depths[at] + 1, depths[at] + 1);
    }
    depths.into_iter().max().unwrap_or(0)
}

impl CompiledModel {
    /// Lays out a model.
    pub fn new(model: RiskModel) -> Self {
        let (mut roots, mut steps, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let mut base = i64::from(model.head().bias);
        let mut first = 0;
        for nodes in model.trees() {
            roots.push(Root { place: first, depth: depth_of(nodes) });
            base += nodes.first().map_or(0, |root| i64::from(root.value));
            for (own, node) in (first..).zip(nodes) {
                steps.push(step_of(node, first, own));
                values.push(node.value);
            }
            first += nodes.len() as u32;
        }
        Self { model, roots, steps, values, base }
    }

    /// Returns the model that was laid out.
    pub const fn model(&self) -> &RiskModel {
        &self.model
    }

    /// Returns the score: the bias and the leaf of each tree.
    pub fn score(&self, features: &FeatureVector) -> i32 {
        let mut sum = i64::from(self.model.head().bias);
        for root in &self.roots {
            let mut place = root.place;
            for _ in 0..root.depth {
                place = self.next(place, features);
            }
            sum += i64::from(self.values[place as usize]);
        }
        score_of(sum)
    }

    /// Returns the score with each feature's part: at each split on a path, the change of the mean
    /// is the part of the feature that the split asks for.
    pub fn explain(&self, features: &FeatureVector) -> Explanation {
        // A leaf's step names feature 0 and changes nothing.
        let mut parts = Box::new([0; FEATURES]);
        let mut sum = self.base;
        for root in &self.roots {
            let mut place = root.place;
            for _ in 0..root.depth {
                let next = self.next(place, features);
                let change =
                    i64::from(self.values[next as usize]) - i64::from(self.values[place as usize]);
                parts[usize::from(self.steps[place as usize].feature)] += change;
                sum += change;
                place = next;
            }
        }
        Explanation { score: score_of(sum), base: self.base, parts }
    }

    fn next(&self, place: u32, features: &FeatureVector) -> u32 {
        let step = self.steps[place as usize];
        step.child + u32::from(features.get(step.feature) > step.threshold)
    }
}

impl Explanation {
    /// Returns the codes of the three features that raised the score most: the feature's number
    /// and 1, the largest part first, of equal parts the lower number first. Zero stands where
    /// fewer than three features raised it.
    pub fn reasons(&self) -> [u16; 3] {
        let mut largest = [(0, 0); 3];
        for (code, part) in (1..).zip(*self.parts) {
            let place = largest.iter().position(|(least, _)| part > *least);
            if let Some(place) = place {
                largest[place..].rotate_right(1);
                largest[place] = (part, code);
            }
        }
        largest.map(|(_, code)| code)
    }
}

/// Returns a sum as a score. A model whose sums do not fit was refused before.
fn score_of(sum: i64) -> i32 {
    debug_assert!(i32::try_from(sum).is_ok(), "{sum} passed the check of sums");
    i32::try_from(sum).unwrap_or(if sum < 0 { i32::MIN } else { i32::MAX })
}
