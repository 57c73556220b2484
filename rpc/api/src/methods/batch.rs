//! Submitting signed batches, and asking what became of them.

use jsonrpsee::proc_macros::rpc;

use crate::base64::Base64Bytes;
use crate::batch::{BatchReport, Wait};
use crate::method::interface;

interface! {
    /// Methods of the `batch` namespace.
    BatchRpc #[rpc(server, client)];

    /// Submits one signed batch (docs/wire-format.md) as one base64 string.
    ///
    /// With `wait` `"admitted"` (the default) the node answers once it has checked the batch and
    /// holds it; with `"final"` it answers once a block with it is decided, with the outcomes.
    /// `timeout_ms` bounds the wait: 10,000 by default, and `wait_ms_max` of the server at most.
    /// `with_codes` adds every item's outcome code, as base64.
    ///
    /// Sending the same bytes again is safe. While they wait, the call joins the wait. Once they
    /// are final, it gives the same answer, also when their valid-until time has passed, the key
    /// was rotated since, or the node is not ready. An item whose order the chain knew before
    /// carries that order's standing. `wait-timeout` says nothing about the batch's fate: ask
    /// `batch_status`.
    "batch_submit": submit(
        &self,
        bytes_base64: Base64Bytes,
        wait: Option<Wait>,
        timeout_ms: Option<u64>,
        with_codes: Option<bool>,
    ) -> BatchReport {
        errors: [
            InvalidBase64, WaitTimeout, TimeoutOutOfBounds, NodeBusy, BatchDropped, NodeBehind,
        ] + batch_rejections,
        scope: Submitter,
        stability: Stable,
        example: r#"{"bytes_base64": "AQABAAkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJyQAAAAEAAAAoSF8YowEAAFRl3uUdBG32ySoLDc99mDDlbTJdHUXoTDinb2qSzupYGSI3k1snl5npwy4ep8gP3vdF9/8wWGrjUt8JLcJeqEh3eXGZUuCcCGyXAtXAxqH0rYJ3cU4GOyqae9JmxGefAQGjGF84iHMTkxMTEwAAAMkBAQEBAQEBAQEBAQEBAQEB6QMAAAAAAADJAAAA6AMAAAAAAACcAJwAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#,
    }

    /// The state of a batch at this node, with its outcomes once it is final.
    ///
    /// A batch that this node does not know is no error: `state` is `"unknown"`. A node that is not
    /// ready answers `node-behind` instead, for it cannot know what others have decided.
    "batch_status": status(&self, batch_id: String, with_codes: Option<bool>) -> BatchReport {
        errors: [IdMalformed, NodeBehind],
        scope: Submitter,
        stability: Stable,
        example: r#"{"batch_id": "291cf3c44d976ef943ae700f3f6356b473f1016e08ffe1589716e2c1fc81a98b", "with_codes": true}"#,
    }
}
