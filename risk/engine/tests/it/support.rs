//! Numbers from a seed, and models and orders made of them.
#![allow(dead_code, reason = "the bench takes a part of it")]

use chain_types::{Amount, Digest, MerchantId};
use risk_engine::{
    DEPTH_MAX, FEATURES, ModelHead, ModelNode, PRIVATE_FEATURES, PrivateFeatures, RiskInquiry,
    RiskModel, RiskOrder,
};

/// The random numbers of a test, by SplitMix64.
pub struct Draw(pub u64);

impl Draw {
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.any() % end
    }

    /// A number of any size: small ones, large ones and the ends are all likely.
    pub fn wild(&mut self) -> u64 {
        match self.below(8) {
            0 => u64::MAX,
            1 => 0,
            _ => self.any() >> self.below(64),
        }
    }
}

pub const HEAD: ModelHead = ModelHead { bias: -7, hold_at: 1_000, refuse_at: 4_000 };

/// Sets the mean of each split to the middle of its children's.
pub fn with_means(mut nodes: Vec<ModelNode>) -> Vec<ModelNode> {
    for at in (0..nodes.len()).rev().filter(|at| !nodes[*at].is_leaf()).collect::<Vec<_>>() {
        let child = usize::from(nodes[at].child);
        let sum = i64::from(nodes[child].value) + i64::from(nodes[child + 1].value);
        nodes[at].value = i32::try_from(sum.div_euclid(2)).unwrap();
    }
    nodes
}

/// A tree in which a node above `depth` splits in `split_percent` of 100 cases.
pub fn tree(draw: &mut Draw, depth: usize, split_percent: u64) -> Vec<ModelNode> {
    let (mut nodes, mut depths, mut at) = (vec![ModelNode::leaf(0)], vec![0], 0);
    while at < nodes.len() {
        nodes[at].value = i32::try_from(draw.below(2_001)).unwrap() - 1_000;
        if depths[at] < depth && draw.below(100) < split_percent {
            let threshold = i64::from_ne_bytes(draw.wild().to_ne_bytes());
            nodes[at].feature = u16::try_from(draw.below(FEATURES as u64)).unwrap();
            nodes[at].child = u16::try_from(nodes.len()).unwrap();
            nodes[at].threshold = if draw.below(4) == 0 { threshold } else { threshold >> 40 };
            depths.extend([depths[at] + 1; 2]);
            nodes.extend([ModelNode::leaf(0); 2]);
        }
        at += 1;
    }
    with_means(nodes)
}

/// A model of up to 12 trees of all shapes.
pub fn model(draw: &mut Draw) -> RiskModel {
    let trees = 1 + draw.below(12);
    let any_tree = |_| {
        let depth = draw.below(DEPTH_MAX as u64 + 1) as usize;
        tree(draw, depth, 80)
    };
    let trees = (0..trees).map(any_tree).collect();
    RiskModel::new(HEAD, trees).unwrap()
}

/// An order of few parties, so that each has several.
pub fn order(draw: &mut Draw, parties: u64) -> RiskOrder {
    let user = u128::from(draw.below(parties)) + 1;
    RiskOrder {
        user: user.to_le_bytes(),
        merchant: MerchantId::new(1_000 + draw.below(parties)),
        device: draw.below(parties),
        network: draw.below(parties),
        amount: Amount::new(draw.wild()),
    }
}

pub fn inquiry(draw: &mut Draw, parties: u64) -> RiskInquiry {
    let mut values = [0; PRIVATE_FEATURES];
    values.fill_with(|| i64::from_ne_bytes(draw.wild().to_ne_bytes()));
    RiskInquiry {
        item: digest(draw.any()),
        order: order(draw, parties),
        private: PrivateFeatures { values, blinding: [draw.any() as u8; 32] },
    }
}

pub fn digest(number: u64) -> Digest {
    chain_types::hash::sha256(&[&number.to_le_bytes()])
}
