//! Follows the chain: new instructions by a cursor, old ones in rounds, and those that are about to
//! be acted upon one by one. The list of a gateway is by id, so that an instruction that is given
//! again, or comes from another gateway, stands before the cursor; rounds find it.

use std::collections::BTreeMap;

use chain_types::InstructionId;
use rpc_api::InstructionReport;
use rpc_iso20022::EndToEndId;

use crate::books::{AttemptState, GatewayBooks};
use crate::chain::{ChainPort, ChainSilence};
use crate::record::SeenInstruction;

/// Instructions of one page.
const PAGE_ITEMS: u32 = 1_000;
/// Pages of new instructions that are read at once.
const PAGES_MAX: usize = 64;
/// Instructions that are asked for one by one at once.
const SINGLE_MAX: usize = 64;

/// The place of a gateway in the list of its instructions.
#[derive(Debug, Default)]
pub(crate) struct ChainFollower {
    /// The last instruction of the round through all.
    round: Option<InstructionId>,
    /// The last attempt that was asked for alone.
    single: Option<EndToEndId>,
}

impl ChainFollower {
    /// Returns the present state of instructions: all new ones, the next page of the round, and
    /// some outstanding ones.
    pub(crate) async fn follow(
        &mut self,
        chain: &impl ChainPort,
        books: &GatewayBooks,
    ) -> Result<Vec<InstructionReport>, ChainSilence> {
        let mut found: BTreeMap<InstructionId, InstructionReport> = BTreeMap::new();
        let mut after = books.last_seen();
        for _ in 0..PAGES_MAX {
            let page = chain.instructions(after, PAGE_ITEMS).await?;
            after = page.last().map(|report| report.instruction_id);
            let is_last = page.len() < PAGE_ITEMS as usize;
            found.extend(page.into_iter().map(|report| (report.instruction_id, report)));
            if is_last {
                break;
            }
        }
        let page = chain.instructions(self.round, PAGE_ITEMS).await?;
        let is_last = page.len() < PAGE_ITEMS as usize;
        self.round = page.last().map(|report| report.instruction_id).filter(|_| !is_last);
        found.extend(page.into_iter().map(|report| (report.instruction_id, report)));
        for id in self.next_single(books) {
            if !found.contains_key(&id)
                && let Some(report) = chain.instruction(id).await?
            {
                found.insert(id, report);
            }
        }
        Ok(found.into_values().collect())
    }

    /// Returns the next outstanding instructions to be asked for, those that were never sent first.
    fn next_single(&mut self, books: &GatewayBooks) -> Vec<InstructionId> {
        let outstanding = |id: &EndToEndId| {
            let attempt = books.attempt(*id)?;
            let is_outstanding = attempt.state == AttemptState::Outstanding;
            is_outstanding.then_some((*id, attempt.sending.is_some()))
        };
        let from = self.single;
        let open = books.open();
        let rest = open.iter().filter(|id| Some(**id) > from);
        let start = open.iter().filter(|id| Some(**id) <= from);
        let all: Vec<(EndToEndId, bool)> = rest.chain(start).filter_map(outstanding).collect();
        let unsent = all.iter().filter(|(_, is_sent)| !is_sent);
        let sent = all.iter().filter(|(_, is_sent)| *is_sent);
        let next: Vec<EndToEndId> =
            unsent.chain(sent).take(SINGLE_MAX).map(|(id, _)| *id).collect();
        self.single = next.last().copied();
        next.into_iter().map(|id| id.instruction).collect()
    }
}

/// Returns what the journal keeps of the chain's word.
pub(crate) fn seen_of(report: &InstructionReport) -> SeenInstruction {
    SeenInstruction {
        instruction: report.instruction_id,
        gateway: report.gateway,
        attempt: report.attempt,
        amount: u64::try_from(report.amount_left.minor).unwrap_or_default(),
        deadline_ms: report.deadline_ms,
        state: report.status,
        failed_by: report.failed_by,
        is_recalled: report.recalled_ms.is_some(),
    }
}
