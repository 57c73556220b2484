//! `batch_*`.

use bytes::Bytes;
use chain_types::batch::SignedBatch;
use jsonrpsee::core::{RpcResult, async_trait};
use rpc_api::{ApiError, Base64Bytes, BatchReport, BatchRpcServer, BatchState, Wait, api_error};

use super::{Api, id_of};
use crate::backend::BackendError;
use crate::reads::Cost;

const WAIT_MS_DEFAULT: u64 = 10_000;

#[async_trait]
impl BatchRpcServer for Api {
    async fn submit(
        &self,
        bytes_base64: Base64Bytes,
        wait: Option<Wait>,
        timeout_ms: Option<u64>,
        with_codes: Option<bool>,
    ) -> RpcResult<BatchReport> {
        let most = self.wait_ms_max;
        let timeout_ms = timeout_ms.unwrap_or(WAIT_MS_DEFAULT.min(most));
        if !(1..=most).contains(&timeout_ms) {
            let detail = format!("({timeout_ms}; 1 to {most})");
            return Err(api_error(ApiError::TimeoutOutOfBounds, detail));
        }
        let bytes =
            bytes_base64.into_bytes().ok_or_else(|| api_error(ApiError::InvalidBase64, ""))?;
        let wait = wait.unwrap_or_default();
        let submitting = self.backend.submit(bytes.clone(), wait, with_codes.unwrap_or_default());
        let patience = std::time::Duration::from_millis(timeout_ms);
        match tokio::time::timeout(patience, submitting).await {
            Ok(result) => result.map_err(BackendError::into_error),
            Err(_) => Err(api_error(ApiError::WaitTimeout, batch_named(bytes, timeout_ms))),
        }
    }

    async fn status(&self, batch_id: String, with_codes: Option<bool>) -> RpcResult<BatchReport> {
        let id = id_of(&batch_id)?;
        let with_codes = with_codes.unwrap_or_default();
        let found = self.read_at(Cost::QUESTION, move |node| node.batch(&id, with_codes));
        let report = found.await?;
        if report.state != BatchState::Unknown {
            return Ok(report);
        }
        self.cannot_know(&format!("batch {id}")).map_or(Ok(report), Err)
    }
}

/// Says which batch was waited for, so that the client can ask for it.
fn batch_named(bytes: Bytes, timeout_ms: u64) -> String {
    match SignedBatch::decode(bytes) {
        Ok(batch) => format!("(batch {} within {timeout_ms} ms)", batch.header().id()),
        Err(_) => format!("(within {timeout_ms} ms)"),
    }
}
