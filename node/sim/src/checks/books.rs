//! Invariants 4 and 5 by an accountant of its own: it reads the committed items and outcomes and
//! keeps sums, with no code of the contracts.

use std::collections::BTreeMap;

use chain_types::batch::Items;
use chain_types::{OrderId, Outcome, VerifiedBatch};

/// Sums over every committed item.
#[derive(Debug, Default)]
pub struct Books {
    orders: BTreeMap<OrderId, (u64, bool)>,
    /// Orders reserved or collected.
    pub accepted: u64,
    /// What was collected, in minor units.
    pub collected: u128,
    /// What has arrived, in minor units.
    pub arrived: u128,
}

impl Books {
    /// A block's batch and its outcomes.
    pub fn read(&mut self, batch: &VerifiedBatch, outcomes: &[Outcome]) -> Result<(), String> {
        match batch.items() {
            Items::Recharge(items) => {
                for (item, _) in items.iter().zip(outcomes).filter(|(_, o)| o.is_applied()) {
                    let collected = item.is_collected();
                    let new = (item.amount.get(), collected);
                    if self.orders.insert(item.order_id(), new).is_some() {
                        return Err(format!("order {} was accepted twice", item.order_id()));
                    }
                    self.accepted += 1;
                    self.collected += u128::from(if collected { item.amount.get() } else { 0 });
                }
            }
            Items::Collect(items) => {
                for (item, _) in items.iter().zip(outcomes).filter(|(_, o)| o.is_applied()) {
                    match self.orders.get_mut(&item.order_id()) {
                        Some((amount, collected)) if !*collected => {
                            *collected = true;
                            self.collected += u128::from(*amount);
                        }
                        _ => return Err(format!("order {} was collected twice", item.order_id())),
                    }
                }
            }
            Items::Arrival(items) => {
                for (item, _) in items.iter().zip(outcomes).filter(|(_, o)| o.is_applied()) {
                    self.arrived += u128::from(item.amount.get());
                }
            }
            _ => {}
        }
        if self.arrived <= self.collected {
            Ok(())
        } else {
            Err(format!("{} arrived of {} collected", self.arrived, self.collected))
        }
    }
}
