//! Subscriptions. The store is the truth and the doorbell only says that there is more: each
//! subscriber has a cursor of its own and reads on from it, as fast or slowly as it likes, so that
//! nothing is skipped and nothing piles up.

use chain_types::{Height, InstructionId, ParticipantId};
use jsonrpsee::core::server::{PendingSubscriptionSink, SubscriptionSink};
use jsonrpsee::core::{SubscriptionError, SubscriptionResult, to_json_raw_value};
use jsonrpsee::types::ErrorObjectOwned;
use rpc_api::{ApiError, InstructionEvent, api_error};
use serde_json::value::RawValue;
use tokio::sync::watch;

use crate::backend::InstructionsOf;
use crate::methods::{Api, read_cursor};
use crate::metrics::Open;

/// Events that are read at once for a subscriber.
const READ_EVENTS: u32 = 64;

/// A subscription in progress.
struct Running {
    sink: SubscriptionSink,
    doorbell: watch::Receiver<Height>,
    _open: Open,
}

/// The subscriber or the server has gone.
struct Gone;

/// Why a subscription ended.
enum End {
    Gone,
    Failed(ErrorObjectOwned),
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<ErrorObjectOwned> for End {
    fn from(error: ErrorObjectOwned) -> Self {
        Self::Failed(error)
    }
}

impl End {
    /// What the subscriber is told, if it is still there.
    fn into_result(self) -> SubscriptionResult {
        match self {
            Self::Gone => Ok(()),
            Self::Failed(error) => Err(SubscriptionError::from(error.message())),
        }
    }
}

impl Api {
    /// Accepts a subscription, for which the transport has found room.
    async fn begin(&self, pending: PendingSubscriptionSink) -> Option<Running> {
        // Before the subscriber hears of its acceptance, so that nothing rings unheard.
        let doorbell = self.backend.doorbell();
        let sink = pending.accept().await.ok()?;
        let open = self.metrics.open_subscription();
        Some(Running { sink, doorbell, _open: open })
    }

    /// `settlement_subscribe_instructions`.
    pub(crate) async fn send_instructions(
        &self,
        pending: PendingSubscriptionSink,
        gateway: ParticipantId,
        cursor: Option<&str>,
    ) -> SubscriptionResult {
        let after = match read_cursor(cursor, |text| text.parse().ok()) {
            Ok(after) => after,
            Err(error) => {
                pending.reject(error).await;
                return Ok(());
            }
        };
        let refusal = match self.is_gateway(gateway).await {
            Ok(true) => None,
            Ok(false) => {
                let detail = format!("(participant {gateway} is no gateway)");
                Some(api_error(ApiError::NotFound, detail))
            }
            Err(error) => Some(error),
        };
        if let Some(error) = refusal {
            pending.reject(error).await;
            return Ok(());
        }
        let Some(mut running) = self.begin(pending).await else { return Ok(()) };
        match self.instruction_loop(&mut running, gateway, after).await {
            Ok(()) => Ok(()),
            Err(end) => end.into_result(),
        }
    }

    async fn instruction_loop(
        &self,
        running: &mut Running,
        gateway: ParticipantId,
        mut after: Option<InstructionId>,
    ) -> Result<(), End> {
        let of = InstructionsOf::Gateway(gateway);
        loop {
            // Marked as heard before the read: what comes during it rings again.
            running.doorbell.mark_unchanged();
            let last = after;
            let found = self.read(move |node| node.instructions(of, last, READ_EVENTS)).await?;
            if found.is_empty() {
                self.rung(running).await?;
                continue;
            }
            for instruction in found {
                let id = instruction.instruction_id;
                let event = InstructionEvent { cursor: id.to_string(), instruction };
                self.send(running, to_json_raw_value(&event)).await?;
                after = Some(id);
            }
        }
    }

    /// `chain_subscribe_blocks`.
    pub(crate) async fn send_blocks(
        &self,
        pending: PendingSubscriptionSink,
        from_height: Option<u64>,
    ) -> SubscriptionResult {
        let Some(mut running) = self.begin(pending).await else { return Ok(()) };
        let head = *running.doorbell.borrow();
        let first = from_height.map_or(head.next(), Height);
        match self.block_loop(&mut running, first).await {
            Ok(()) => Ok(()),
            Err(end) => end.into_result(),
        }
    }

    async fn block_loop(&self, running: &mut Running, mut next: Height) -> Result<(), End> {
        loop {
            let head = *running.doorbell.borrow_and_update();
            if next > head {
                self.rung(running).await?;
                continue;
            }
            let missing = u32::try_from(head.0 - next.0).unwrap_or(READ_EVENTS).saturating_add(1);
            let first = next;
            let count = missing.min(READ_EVENTS);
            let found = self.read(move |node| node.blocks(first, count)).await?;
            if found.first().is_none_or(|block| block.height != next.0) {
                let detail = format!("(block {next} is not kept here)");
                return Err(api_error(ApiError::NotFound, detail).into());
            }
            for block in found {
                self.send(running, to_json_raw_value(&block)).await?;
                next = Height(block.height).next();
            }
        }
    }

    /// Waits until there is more.
    async fn rung(&self, running: &mut Running) -> Result<(), Gone> {
        tokio::select! {
            () = running.sink.closed() => Err(Gone),
            () = self.cancel.cancelled() => Err(Gone),
            changed = running.doorbell.changed() => changed.map_err(|_| Gone),
        }
    }

    /// Sends one event, waiting while the subscriber reads slowly.
    async fn send(
        &self,
        running: &Running,
        event: Result<Box<RawValue>, serde_json::Error>,
    ) -> Result<(), End> {
        let event = event.map_err(|error| api_error(ApiError::InternalFault, error.to_string()))?;
        tokio::select! {
            () = self.cancel.cancelled() => Err(End::Gone),
            sent = running.sink.send(event) => sent.map_err(|_| End::Gone),
        }
    }
}
