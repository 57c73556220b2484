//! What is known of each submitter that was seen lately: bounded, found by hash, forgotten in the
//! order of the last sign of life.

use chain_types::ParticipantId;
use hashbrown::HashTable;

use crate::meter::Meter;

/// The end of a list of places.
const NONE: u32 = u32::MAX;
/// The place that submitters without a place of their own share.
const OTHERS: u32 = 0;

/// The account of one submitter: its meters and its demand.
#[derive(Debug, Clone)]
pub(crate) struct Submitter {
    pub id: ParticipantId,
    pub weight: u32,
    pub meter: Meter,
    /// The meter of duties, which are served before orders.
    pub duties: Meter,
    pub seen_us: u64,
    /// Items of first tries since the last tick.
    pub tried_items: u64,
    /// Items a second of first tries, smoothed.
    pub tries_per_s: u64,
    /// Items a second that it would send.
    pub demand: u64,
    /// The items that it says are waiting with it.
    pub backlog_items: u64,
    pub is_active: bool,
    older: u32,
    younger: u32,
}

/// The submitters, in a list from the one seen last to the one seen longest ago.
#[derive(Debug)]
pub(crate) struct Submitters {
    places: Vec<Submitter>,
    free: Vec<u32>,
    by_id: HashTable<u32>,
    oldest: u32,
    youngest: u32,
    submitters_max: usize,
    /// The sum of the weights of all that are in the list.
    pub weights: u64,
    /// The places with a demand.
    pub active: Vec<u32>,
}

/// Ids are given by governance, one after the other: multiplying spreads them well enough.
fn key(id: ParticipantId) -> u64 {
    let product = u64::from(id.get()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    product ^ (product >> 32)
}

impl Submitter {
    /// A submitter that was not seen lately.
    pub fn unknown(id: ParticipantId, weight: u32) -> Self {
        Self {
            id,
            weight,
            meter: Meter::default(),
            duties: Meter::default(),
            seen_us: 0,
            tried_items: 0,
            tries_per_s: 0,
            demand: 0,
            backlog_items: 0,
            is_active: false,
            older: NONE,
            younger: NONE,
        }
    }
}

impl Submitters {
    pub fn new(submitters_max: usize) -> Self {
        let others =
            Submitter::unknown(ParticipantId::new(u32::MAX), crate::weights::WEIGHT_STANDARD);
        Self {
            weights: u64::from(others.weight),
            places: vec![others],
            free: Vec::new(),
            by_id: HashTable::new(),
            oldest: NONE,
            youngest: NONE,
            submitters_max,
            active: Vec::new(),
        }
    }

    /// The number of submitters that have a place of their own.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn get(&self, place: u32) -> &Submitter {
        &self.places[place as usize]
    }

    pub fn get_mut(&mut self, place: u32) -> &mut Submitter {
        &mut self.places[place as usize]
    }

    pub fn find(&self, id: ParticipantId) -> Option<u32> {
        self.by_id.find(key(id), |place| self.places[*place as usize].id == id).copied()
    }

    /// Returns the place that a submitter's account has, or would share; `None` for one that was
    /// not seen lately and has room for an account of its own.
    pub fn account(&self, id: ParticipantId) -> Option<u32> {
        let is_shared = self.len() >= self.submitters_max;
        self.find(id).or(is_shared.then_some(OTHERS))
    }

    /// Returns the place of a submitter that is seen now; the shared one when all are taken.
    pub fn touch(&mut self, id: ParticipantId, weight: u32, now_us: u64) -> u32 {
        if let Some(place) = self.find(id) {
            self.get_mut(place).seen_us = now_us;
            if self.youngest != place {
                self.unlink(place);
                self.link(place);
            }
            return place;
        }
        if self.len() >= self.submitters_max {
            return OTHERS;
        }
        let fresh = Submitter { seen_us: now_us, ..Submitter::unknown(id, weight) };
        let place = match self.free.pop() {
            Some(place) => {
                self.places[place as usize] = fresh;
                place
            }
            None => {
                self.places.push(fresh);
                // `submitters_max` is far below the largest u32.
                u32::try_from(self.places.len() - 1).unwrap_or(OTHERS)
            }
        };
        let places = &self.places;
        self.by_id.insert_unique(key(id), place, |other| key(places[*other as usize].id));
        self.weights += u64::from(weight);
        self.link(place);
        place
    }

    /// Marks a place as one with a demand.
    pub fn activate(&mut self, place: u32) {
        if !std::mem::replace(&mut self.get_mut(place).is_active, true) {
            self.active.push(place);
        }
    }

    /// Returns those with a demand that have a place of their own.
    pub fn active(&self) -> impl Iterator<Item = &Submitter> {
        self.active.iter().filter(|place| **place != OTHERS).map(|place| self.get(*place))
    }

    /// Sets the weight of a submitter that is known.
    pub fn set_weight(&mut self, id: ParticipantId, weight: u32) {
        if let Some(place) = self.find(id) {
            let before = std::mem::replace(&mut self.get_mut(place).weight, weight);
            self.weights = self.weights + u64::from(weight) - u64::from(before);
        }
    }

    /// Forgets those that were seen before a moment and have no demand left.
    pub fn forget_before(&mut self, moment_us: u64) {
        while self.oldest != NONE {
            let place = self.oldest;
            let oldest = self.get(place);
            if oldest.seen_us >= moment_us || oldest.is_active {
                return;
            }
            let (id, weight) = (oldest.id, oldest.weight);
            self.unlink(place);
            if let Ok(entry) = self.by_id.find_entry(key(id), |other| *other == place) {
                entry.remove();
            }
            self.weights -= u64::from(weight);
            self.free.push(place);
        }
    }

    fn unlink(&mut self, place: u32) {
        let (older, younger) = (self.get(place).older, self.get(place).younger);
        match older {
            NONE => self.oldest = younger,
            older => self.get_mut(older).younger = younger,
        }
        match younger {
            NONE => self.youngest = older,
            younger => self.get_mut(younger).older = older,
        }
    }

    fn link(&mut self, place: u32) {
        let before = std::mem::replace(&mut self.youngest, place);
        let entry = self.get_mut(place);
        (entry.older, entry.younger) = (before, NONE);
        match before {
            NONE => self.oldest = place,
            before => self.get_mut(before).younger = place,
        }
    }
}
