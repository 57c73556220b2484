//! The interface's description of itself.

use jsonrpsee::proc_macros::rpc;

use crate::discovery::OpenRpcDocument;
use crate::method::interface;

interface! {
    /// Methods of the `rpc` namespace.
    DiscoveryRpc #[rpc(server, client)];

    /// This interface as an OpenRPC 1.3 document: methods, schemas and errors.
    ///
    /// Tools read it to make clients. It is the same at every node of a version.
    "rpc.discover": discover(&self) -> OpenRpcDocument {
        errors: [],
        scope: Open,
        stability: Stable,
        example: "{}",
    }
}
