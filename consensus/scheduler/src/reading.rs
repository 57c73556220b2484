//! When to read no more of a connection. Refusing is not enough: a client that sends refused
//! batches again and again costs their reading.

use chain_types::ParticipantId;

use crate::meter::Meter;

/// The most submitters that one connection's reading is counted for separately.
const SUBMITTERS_MAX: usize = 16;
/// The most that may be read ahead of the rate, in microseconds: a whole refusal and its retry.
const TOLERANCE_US: u64 = 500_000;

/// The items that one connection has sent lately, admitted or refused. A node reads at most 1.5
/// times a submitter's share from one connection. Each connection has its own account, so a client
/// that names another's id in a header does not stop that other's connections.
#[derive(Debug, Clone, Default)]
pub struct ReadBudget {
    /// The meters by last use; the last one is forgotten first.
    meters: Vec<(ParticipantId, Meter)>,
}

impl ReadBudget {
    /// Records a header with `items` that was read for a submitter with this share.
    pub fn record(&mut self, submitter: ParticipantId, items: u32, share: u64, now_us: u64) {
        let at = self.meters.iter().position(|(other, _)| *other == submitter);
        let mut meter = match at {
            Some(at) => self.meters.remove(at).1,
            // Whoever names many ids in turn does not shed a debt by it.
            None if self.meters.len() >= SUBMITTERS_MAX => {
                self.meters.pop().map(|(_, meter)| meter).unwrap_or_default()
            }
            None => Meter::default(),
        };
        meter.charge(u64::from(items), share.saturating_add(share / 2), now_us);
        self.meters.insert(0, (submitter, meter));
    }

    /// Returns the moment from which the connection is read again, in microseconds; `None` when it
    /// may be read now.
    pub fn paused_until_us(&self, now_us: u64) -> Option<u64> {
        let opens = self.meters.iter().map(|(_, meter)| meter.opens_us(TOLERANCE_US));
        opens.max().filter(|opens_us| *opens_us > now_us)
    }
}
