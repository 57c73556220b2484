//! Many replicas in one thread under a virtual clock, a virtual network and virtual disks, all
//! drawn from one seed: what the nodes run is what `node/runtime` runs, so a seed that fails here
//! is a fault of the real thing, and it fails the same way every time.
//!
//! A run has a fault phase (delay, loss, partitions, crashes between any two effects, restarts,
//! hostile nodes) and a healed phase. The checkers in `checks` look at every event; they share no
//! code with what they check.

pub mod archive;
mod checks;
mod clients;
mod costs;
mod disk;
mod faults;
mod inbox;
mod network;
mod node;
mod setup;
mod trace;
mod villains;
mod world;

pub use checks::{Coverage, Figures, Named};
pub use costs::Costs;
pub use faults::{Fault, FaultPlan, Faults};
pub use network::LinkFault;
pub use villains::Kind;
pub use world::{Report, simulate};
