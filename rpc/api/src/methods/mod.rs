//! The table of methods, a file a namespace. Whatever lists methods is made from it or held to it:
//! the server's traits, `rpc.discover`, docs/rpc.md, `sluice query` and the tests.
//!
//! A new method is a row in its namespace's file, and an implementation of the trait that the row
//! becomes. The tests name what else it needs.

mod batch;
mod cashback;
mod chain;
mod fx;
mod governance;
mod ledger;
mod node;
mod recharge;
mod risk;
mod rpc;
mod settlement;

pub use self::batch::{BatchRpcClient, BatchRpcServer};
pub use self::cashback::{CashbackRpcClient, CashbackRpcServer};
pub use self::chain::{ChainRpcClient, ChainRpcServer};
pub use self::fx::{FxRpcClient, FxRpcServer};
pub use self::governance::{GovernanceRpcClient, GovernanceRpcServer};
pub use self::ledger::{LedgerRpcClient, LedgerRpcServer};
pub use self::node::{NodeRpcClient, NodeRpcServer};
pub use self::recharge::{RechargeRpcClient, RechargeRpcServer};
pub use self::risk::{RiskRpcClient, RiskRpcServer};
pub use self::rpc::{DiscoveryRpcClient, DiscoveryRpcServer};
pub use self::settlement::{SettlementRpcClient, SettlementRpcServer};
use crate::method::Method;
use crate::signature::MethodSignature;

/// The rows of each namespace, in the order of docs/rpc.md.
const NAMESPACES: &[&[Method]] = &[
    batch::METHODS,
    recharge::METHODS,
    settlement::METHODS,
    ledger::METHODS,
    fx::METHODS,
    cashback::METHODS,
    risk::METHODS,
    governance::METHODS,
    chain::METHODS,
    node::METHODS,
    rpc::METHODS,
];

/// Every method of the interface, in the order of docs/rpc.md. What ends a subscription stands in
/// the subscription's row.
pub fn methods() -> impl Iterator<Item = &'static Method> {
    NAMESPACES.iter().copied().flatten()
}

/// The name and the parameters of every method, in the same order.
pub fn signatures() -> Vec<MethodSignature> {
    methods().map(Method::signature).collect()
}

/// The method of a name.
pub fn method_of(name: &str) -> Option<&'static Method> {
    methods().find(|method| method.name == name)
}
