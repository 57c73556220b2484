//! Chains of headers alone, in which validators change as often as a test likes.

use std::time::Instant;

use chain_types::lineage::LINEAGE_MAGIC;
use chain_types::*;

use crate::support;

/// Validators by their place in the list of nodes: the number of the key and the power of each.
pub type Seats = Vec<(u32, u64)>;

/// A chain that begins with the vectors' genesis file and whose every block changes validators.
pub struct World {
    seats: Seats,
    height: Height,
    /// The fields that all headers have in common.
    common: BlockHeader,
    pub handovers: Handovers,
}

fn secret(number: u32) -> SecretKey {
    if let Ok(tag) = u8::try_from(number) {
        return support::key(tag);
    }
    let mut seed = [0xEE; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    SecretKey::from_seed(&seed)
}

pub fn set(seats: &[(u32, u64)]) -> ValidatorSet {
    let seat = |(id, (number, power)): (u32, &(u32, u64))| Validator {
        id: ValidatorId::new(id),
        public_key: secret(*number).public_key(),
        power: *power,
    };
    let seats = (0..).zip(seats).map(seat);
    ValidatorSet::new(seats.filter(|seat| seat.power > 0).collect())
}

fn common() -> BlockHeader {
    support::decide(1, 1, vec![], &[]).header
}

impl World {
    pub fn new() -> Self {
        let seats: Seats = (1..=4).map(|number| (number, 1)).collect();
        let genesis = support::genesis();
        assert_eq!(set(&seats), genesis.validators());
        Self {
            seats,
            height: Height::new(0),
            common: common(),
            handovers: Handovers::new(&genesis),
        }
    }

    /// As [`Self::new`], with a genesis file of other validators.
    pub fn of(seats: Seats) -> (Self, ChainGenesis) {
        let mut genesis = support::genesis();
        genesis.nodes = (0_u32..)
            .zip(&seats)
            .map(|(at, (number, power))| Node {
                name: format!("node-{at}"),
                operator: ParticipantId::new(1),
                network_key: secret(100_000 + at).public_key(),
                validator_key: secret(*number).public_key(),
                power: *power,
            })
            .collect();
        let handovers = Handovers::new(&genesis);
        (Self { seats, height: Height::new(0), common: common(), handovers }, genesis)
    }

    /// The number of the key of a seat.
    pub fn seat(&self, at: usize) -> u32 {
        self.seats[at].0
    }

    /// The header of a block that the present validators decide, and those of `next` follow.
    pub fn header(&self, height: Height, next: &[(u32, u64)]) -> BlockHeader {
        let mut header = self.common.clone();
        header.height = height;
        header.time = support::GENESIS_TIME.plus(1_500 + height.get() * 250);
        header.validators_hash = set(&self.seats).digest();
        header.next_validators_hash = set(next).digest();
        header
    }

    /// The present validators' certificate of a header.
    pub fn certify(&self, header: &BlockHeader) -> Certificate {
        self.certify_by(header, |_| true)
    }

    /// The certificate of those of the present validators whose key numbers are wanted.
    pub fn certify_by(&self, header: &BlockHeader, is_wanted: impl Fn(u32) -> bool) -> Certificate {
        let block = header.hash();
        let (height, round, step) = (header.height, Round::new(1), VoteStep::Precommit);
        let vote = Vote { height, round, step, block: Some(block) };
        let digest = vote.digest(header.chain_id);
        let seats = (0_u32..).zip(&self.seats);
        let signers = seats.filter(|(_, (number, power))| *power > 0 && is_wanted(*number));
        let signature = |(id, (number, _)): (u32, &(u32, u64))| {
            (ValidatorId::new(id), secret(*number).sign(&digest))
        };
        Certificate { height, round, block, signatures: signers.map(signature).collect() }
    }

    /// The next block changes the validators; those whose keys are wanted sign it.
    pub fn change_by(&mut self, change: impl FnOnce(&mut Seats), is_wanted: impl Fn(u32) -> bool) {
        let mut next = self.seats.clone();
        change(&mut next);
        self.height = self.height.next();
        let header = self.header(self.height, &next);
        let certificate = self.certify_by(&header, is_wanted);
        assert!(self.handovers.push(header, certificate, set(&next)));
        self.seats = next;
    }

    pub fn change(&mut self, change: impl FnOnce(&mut Seats)) {
        self.change_by(change, |_| true);
    }

    /// The header after the last change.
    pub fn last(&self) -> BlockHeader {
        self.header(self.height.next(), &self.seats)
    }

    pub fn lineage<const N: usize>(&self, heights: [Height; N]) -> Lineage {
        self.handovers.lineage(heights)
    }

    /// All changes, none skipped.
    pub fn page(&self) -> Vec<Handover> {
        let (page, goes_on) =
            self.handovers.page(Height::new(0), Height::new(u64::MAX), usize::MAX, usize::MAX);
        assert!(!goes_on);
        page
    }

    /// Checks the lineage of the last block; gives its bytes, its steps and the milliseconds.
    // The time is printed, and nothing is decided by it.
    #[allow(clippy::disallowed_methods)]
    pub fn measure(&self, genesis: &ChainGenesis) -> (usize, usize, u128) {
        let last = self.last();
        let lineage = self.lineage([last.height]);
        let bytes = codec::encode(&lineage).len();
        let begun = Instant::now();
        lineage.verify(genesis, &last, &self.certify(&last)).unwrap();
        (bytes, lineage.0.len(), begun.elapsed().as_millis())
    }
}

/// The bytes of a lineage that stands apart.
pub fn apart(handovers: &[Handover]) -> Vec<u8> {
    let handovers = handovers.iter().flat_map(codec::encode);
    LINEAGE_MAGIC.into_iter().chain(handovers).collect()
}

/// The vectors' chain of nine changes: powers go up and down, a fifth validator comes, the second
/// gets another key, and half of the others are replaced at one height.
pub fn skipping() -> World {
    let mut world = World::new();
    for power in [2, 1, 2] {
        world.change(|seats| seats[0].1 = power);
    }
    world.change(|seats| seats.push((5, 1)));
    world.change(|seats| seats[1].0 = 6);
    world.change(|seats| seats[0].1 = 1);
    world.change(|seats| (seats[2].0, seats[3].0) = (7, 8));
    world.change(|seats| seats[4].1 = 0);
    world.change(|seats| seats[0].1 = 2);
    world
}
