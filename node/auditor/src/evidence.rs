//! Section 14: evidence against validators.

use chain_types::evidence::evidence_root;
use chain_types::{
    BlockHash, BlockHeader, ChainId, Digest, Equivocation, Signature, SignedProposal, SignedVote,
    VoteStep,
};

use crate::auditor::Auditor;
use crate::finding::{AuditFinding, FindingPlace};

const EVIDENCE_MAX: usize = 4;
/// The oldest offence that a block may hold evidence of, in heights before its own.
const AGE_MAX: u64 = 10_000;

/// One of the two messages: what matters of it.
struct Signed {
    validator: u32,
    /// Height, round, and 0 for prevotes, 1 for precommits, 2 for proposals.
    at: (u64, u32, u8),
    /// The block's hash; nothing for a vote for nothing.
    value: Option<[u8; 32]>,
    digest: Digest,
    signature: Signature,
}

impl Auditor {
    /// Looks at the evidence of the block that is looked at.
    pub(crate) fn check_evidence(
        &mut self,
        header: &BlockHeader,
        evidence: &[Equivocation],
    ) -> Result<(), AuditFinding> {
        let count = evidence.len();
        if usize::try_from(header.evidence_count) != Ok(count) {
            let expected = format!("{count} pieces of evidence");
            return Err(self.header_finding(expected, header.evidence_count.to_string()));
        }
        let root = evidence_root(evidence);
        if header.evidence_root != root {
            let found = format!("evidence root {}", header.evidence_root);
            return Err(self.header_finding(format!("evidence root {root}"), found));
        }
        if count > EVIDENCE_MAX {
            let expected = format!("at most {EVIDENCE_MAX} pieces of evidence");
            return Err(self.header_finding(expected, count.to_string()));
        }
        let mut before = None;
        for (place, one) in evidence.iter().enumerate() {
            let (first, second) = messages(one, self.chain_id);
            let key = (first.at.0, first.validator);
            let judged = if before.is_some_and(|before| before >= key) {
                Err("evidence that ascends by height and validator")
            } else {
                self.judge(&first, &second)
            };
            if let Err(expected) = judged {
                let found = format!("evidence against validator {} of height {}", key.1, key.0);
                let (height, place) = (self.height, FindingPlace::Evidence { evidence: place });
                return Err(AuditFinding { height, place, expected: expected.to_owned(), found });
            }
            before = Some(key);
            self.caught.insert(key);
        }
        Ok(())
    }

    /// Says what the rules expect where the two messages are not that.
    fn judge(&self, first: &Signed, second: &Signed) -> Result<(), &'static str> {
        let height = first.at.0;
        let Some(key) = self.registry.vote_key(first.validator, height) else {
            return Err("evidence against a node that was registered then");
        };
        if height > self.height {
            return Err("evidence of a height that has begun");
        }
        if self.height - height > AGE_MAX {
            return Err("evidence of the last 10000 heights");
        }
        if self.caught.contains(&(height, first.validator)) {
            return Err("evidence that is not recorded yet");
        }
        if first.validator != second.validator || first.at != second.at {
            return Err("two messages of one validator, height, round and step");
        }
        if first.value >= second.value {
            return Err("two values, the lower one first");
        }
        let holds = |signed: &Signed| key.verifies(&signed.digest, &signed.signature);
        if holds(first) && holds(second) { Ok(()) } else { Err("signatures that verify") }
    }
}

fn messages(one: &Equivocation, chain_id: ChainId) -> (Signed, Signed) {
    let bytes = |hash: BlockHash| hash.digest().bytes();
    match one {
        Equivocation::Votes { first, second } => {
            let signed = |word: &SignedVote| Signed {
                validator: word.validator.get(),
                at: (word.vote.height.get(), word.vote.round.get(), step_number(word.vote.step)),
                value: word.vote.block.map(bytes),
                digest: word.vote.digest(chain_id),
                signature: word.signature,
            };
            (signed(first), signed(second))
        }
        Equivocation::Proposals { first, second } => {
            let signed = |word: &SignedProposal| Signed {
                validator: word.proposal.proposer.get(),
                at: (word.proposal.height.get(), word.proposal.round.get(), 2),
                value: Some(bytes(word.proposal.block)),
                digest: word.proposal.digest(chain_id),
                signature: word.signature,
            };
            (signed(first), signed(second))
        }
    }
}

const fn step_number(step: VoteStep) -> u8 {
    match step {
        VoteStep::Prevote => 0,
        VoteStep::Precommit => 1,
    }
}
