//! Boosting: one tree after another, each against what the ones before leave unexplained.

use risk_engine::{FEATURES, ModelFlaw, ModelHead, ModelNode, RiskModel};

use crate::logistic::{Logistic, PROBABILITY_ONE};
use crate::rows::{BINS_MAX, TrainingRows};

/// The weight that pulls leaves towards zero, as if so much curvature said so.
const PULL: i64 = PROBABILITY_ONE;
/// The least curvature of a child.
const CURVATURE_MIN: i64 = PROBABILITY_ONE / 4;
/// The least rows of a child.
const ROWS_MIN: u32 = 20;
/// A row that is in no open node.
const CLOSED: u16 = u16::MAX;

/// The shape of a model, and how fast it learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoostPlan {
    /// The number of trees; 1 to 1,024.
    pub trees: usize,
    /// The most splits on a path; 1 to 8.
    pub depth: usize,
    /// The part of a leaf's best value that it takes: one in so many.
    pub slowness: i64,
}

/// Rows from which no model can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrainFault {
    /// There are no rows of fraud, or no others.
    #[error("{frauds} of {rows} rows are fraud: a model needs both kinds")]
    OneKind {
        /// Rows of both kinds.
        rows: usize,
        /// Rows whose label says fraud.
        frauds: usize,
    },
    /// The plan asks for another model than the form allows.
    #[error("{0}")]
    Model(#[from] ModelFlaw),
}

/// Sums over the rows of one bin or node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sums {
    gradient: i64,
    curvature: i64,
    rows: u32,
}

/// The split that explains most of a node.
#[derive(Debug, Clone, Copy)]
struct Split {
    feature: usize,
    /// The last bin that leads to the first child.
    bin: usize,
    gain: i128,
}

/// A tree that grows: nodes level by level.
struct Growing<'a> {
    rows: &'a TrainingRows,
    /// The node of each row, or [`CLOSED`].
    places: Vec<u16>,
    nodes: Vec<ModelNode>,
    sums: Vec<Sums>,
    slowness: i64,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.gradient += other.gradient;
        self.curvature += other.curvature;
        self.rows += other.rows;
    }

    const fn without(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            curvature: self.curvature - other.curvature,
            rows: self.rows - other.rows,
        }
    }

    /// The loss that the best leaf for these rows would take away, twice.
    fn worth(self) -> i128 {
        let gradient = i128::from(self.gradient);
        gradient * gradient / i128::from(self.curvature + PULL)
    }

    const fn may_stand(self) -> bool {
        self.rows >= ROWS_MIN && self.curvature >= CURVATURE_MIN
    }

    /// The value of a leaf for these rows, in units of scores.
    fn leaf(self, slowness: i64) -> i32 {
        let best = -i128::from(self.gradient) * i128::from(crate::logistic::LOG_ODDS_ONE)
            / i128::from(self.curvature + PULL);
        let bound = i128::from(4 * crate::logistic::LOG_ODDS_ONE);
        let value = (best / i128::from(slowness)).clamp(-bound, bound);
        i32::try_from(value).unwrap_or(0)
    }
}

/// Makes a model of rows. Its limits are the largest score; set them by
/// [`limit_of_share`](crate::limit_of_share).
///
/// # Errors
/// [`TrainFault`] without rows of both kinds, or for a plan beyond the form of models.
pub fn train(rows: &TrainingRows, plan: &BoostPlan) -> Result<RiskModel, TrainFault> {
    let frauds = rows.labels().iter().filter(|label| **label).count();
    if frauds == 0 || frauds == rows.len() {
        return Err(TrainFault::OneKind { rows: rows.len(), frauds });
    }
    let logistic = Logistic::new();
    let bias = logistic.score_of(frauds as u64, rows.len() as u64);
    let bias = i32::try_from(bias).unwrap_or(0);
    let mut scores = vec![i64::from(bias); rows.len()];
    let mut trees = Vec::with_capacity(plan.trees);
    let mut slopes = vec![Sums::default(); rows.len()];
    for _ in 0..plan.trees {
        for ((slope, score), label) in slopes.iter_mut().zip(&scores).zip(rows.labels()) {
            let probability = logistic.probability(*score);
            let target = if *label { PROBABILITY_ONE } else { 0 };
            let curvature = probability * (PROBABILITY_ONE - probability) / PROBABILITY_ONE;
            *slope = Sums { gradient: probability - target, curvature, rows: 1 };
        }
        let (nodes, leaves) = Growing::new(rows, &slopes, plan).grow(&slopes, plan.depth);
        for (score, leaf) in scores.iter_mut().zip(leaves) {
            *score += i64::from(leaf);
        }
        trees.push(nodes);
    }
    let head = ModelHead { bias, hold_at: i32::MAX, refuse_at: i32::MAX };
    Ok(RiskModel::new(head, trees)?)
}

impl<'a> Growing<'a> {
    fn new(rows: &'a TrainingRows, slopes: &[Sums], plan: &BoostPlan) -> Self {
        let mut all = Sums::default();
        slopes.iter().for_each(|slope| all.add(*slope));
        Self {
            rows,
            places: vec![0; rows.len()],
            nodes: vec![ModelNode::leaf(all.leaf(plan.slowness))],
            sums: vec![all],
            slowness: plan.slowness,
        }
    }

    /// Grows level by level; gives the nodes, and the leaf's value of each row.
    fn grow(mut self, slopes: &[Sums], depth: usize) -> (Vec<ModelNode>, Vec<i32>) {
        let mut leaves = vec![0; self.places.len()];
        let (mut first, mut end) = (0, 1);
        for level in 0..=depth {
            let splits = match level < depth {
                true => self.best_splits(slopes, first, end),
                false => vec![None; end - first],
            };
            let next = self.nodes.len();
            for (node, split) in (first..end).zip(&splits) {
                self.open(node, split.as_ref());
            }
            self.move_rows(first, &splits, &mut leaves);
            self.sum_children(slopes, next);
            (first, end) = (next, self.nodes.len());
            if first == end {
                break;
            }
        }
        self.name_means();
        (self.nodes, leaves)
    }

    /// The best split of each open node from `first` up to `end`; none where nothing is gained.
    fn best_splits(&self, slopes: &[Sums], first: usize, end: usize) -> Vec<Option<Split>> {
        let mut best: Vec<Option<Split>> = vec![None; end - first];
        let mut histogram = vec![Sums::default(); (end - first) * BINS_MAX];
        for feature in 0..FEATURES {
            let bins = self.rows.thresholds(feature).len();
            if bins == 0 {
                continue;
            }
            histogram.fill(Sums::default());
            let column = self.rows.column(feature);
            for ((place, bin), slope) in self.places.iter().zip(column).zip(slopes) {
                if *place != CLOSED {
                    let at = (usize::from(*place) - first) * BINS_MAX + usize::from(*bin);
                    histogram[at].add(*slope);
                }
            }
            for (node, best) in (first..end).zip(&mut best) {
                let of_node = &histogram[(node - first) * BINS_MAX..][..BINS_MAX];
                self.consider(node, feature, &of_node[..bins], best);
            }
        }
        best
    }

    /// Tries every threshold of a feature; of equal gains the first stays.
    fn consider(&self, node: usize, feature: usize, bins: &[Sums], best: &mut Option<Split>) {
        let whole = self.sums[node];
        let worth = whole.worth();
        let mut left = Sums::default();
        for (bin, sums) in bins.iter().enumerate() {
            left.add(*sums);
            let right = whole.without(left);
            if !left.may_stand() || !right.may_stand() {
                continue;
            }
            let gain = left.worth() + right.worth() - worth;
            if gain > best.map_or(0, |best| best.gain) {
                *best = Some(Split { feature, bin, gain });
            }
        }
    }

    /// Makes a node a split with two leaves, if there is one to make.
    fn open(&mut self, node: usize, split: Option<&Split>) {
        let Some(split) = split else { return };
        let child = self.nodes.len();
        self.nodes[node] = ModelNode {
            // At most 80 features and 511 nodes.
            feature: split.feature as u16,
            child: child as u16,
            value: 0,
            threshold: self.rows.thresholds(split.feature)[split.bin],
        };
        self.nodes.extend([ModelNode::leaf(0); 2]);
        self.sums.extend([Sums::default(); 2]);
    }

    /// Moves each open row to its child; a row whose node stays a leaf is closed with its value.
    fn move_rows(&mut self, first: usize, splits: &[Option<Split>], leaves: &mut [i32]) {
        for (row, place) in self.places.iter_mut().enumerate() {
            if *place == CLOSED {
                continue;
            }
            let node = usize::from(*place);
            match &splits[node - first] {
                Some(split) => {
                    let bin = usize::from(self.rows.column(split.feature)[row]);
                    *place = self.nodes[node].child + u16::from(bin > split.bin);
                }
                None => {
                    leaves[row] = self.nodes[node].value;
                    *place = CLOSED;
                }
            }
        }
    }

    /// Sums up the nodes from `next` on, and gives each its value as a leaf.
    fn sum_children(&mut self, slopes: &[Sums], next: usize) {
        for (place, slope) in self.places.iter().zip(slopes) {
            if *place != CLOSED {
                self.sums[usize::from(*place)].add(*slope);
            }
        }
        for (node, sums) in self.nodes.iter_mut().zip(&self.sums).skip(next) {
            node.value = sums.leaf(self.slowness);
        }
    }

    /// Gives each split the mean of its leaves over the rows, from the last node to the first.
    fn name_means(&mut self) {
        for at in (0..self.nodes.len()).rev() {
            if self.nodes[at].is_leaf() {
                continue;
            }
            let child = usize::from(self.nodes[at].child);
            let weighted =
                |at: usize| i64::from(self.nodes[at].value) * i64::from(self.sums[at].rows);
            let rows = i64::from(self.sums[child].rows) + i64::from(self.sums[child + 1].rows);
            let mean = (weighted(child) + weighted(child + 1)).div_euclid(rows.max(1));
            self.nodes[at].value = i32::try_from(mean).unwrap_or(0);
        }
    }
}
