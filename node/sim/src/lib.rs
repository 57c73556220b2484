//! Many replicas in one thread under a virtual clock, a virtual network and virtual disks, all
//! drawn from one seed: what the nodes run is what `node/main` runs, so a seed that fails here is
//! a fault of the real thing, and it fails the same way every time.
//!
//! A run has a fault phase (delay, loss, partitions, crashes between any two effects, restarts)
//! and a healed phase. The checkers in `checks` look at every event; they share no code with
//! what they check.

pub mod archive;
mod checks;
mod clients;
mod disk;
mod faults;
mod network;
mod node;
mod setup;
mod trace;
mod villains;
mod world;

pub use checks::Coverage;
pub use faults::{FaultPlan, Faults};
pub use villains::Boaster;
pub use world::{Report, simulate};
