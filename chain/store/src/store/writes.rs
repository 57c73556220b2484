//! Writes of the one writer. A failure in any of them poisons the store.

use chain_state::Retired;
use chain_types::Certificate;

use super::{
    Appender, Cow, ExecutedBlock, Height, Instant, Kind, Ordering, PAYLOAD_PREFIX_BYTES, Staged,
    Store, StoreFault, StoredBlock, Writer, add, codec, frame_bytes, next, outcomes_to_bytes,
};
use crate::model::BlockRecords;
use crate::recovery::{StoredCertificate, put_block};
use crate::tables::MetaKey;

/// The bytes of a block frame beside its batches, rounded up: header, counts, one position.
const BLOCK_FRAME_BYTES_MAX: u64 = 1024;
/// The bytes that each batch adds to a block frame: its id and the position of its payload.
const BLOCK_FRAME_BATCH_BYTES: u64 = 32 + 16;

impl Store {
    pub(super) fn write_stage(&self, staged: &ExecutedBlock) -> Result<(), StoreFault> {
        staged.assert_whole();
        let mut writer = self.writer();
        let (height, expected) = (staged.block.header.height, next(writer.head));
        if height != expected {
            return Err(StoreFault::OutOfOrder { expected, height });
        }
        let hash = staged.block.hash();
        if writer.staging.find(&hash).is_some() {
            return Ok(());
        }
        let outcomes = outcomes_to_bytes(&staged.outcomes);
        let needed = bytes_needed(&writer, staged, outcomes.len());
        let (mut group, rolled) = writer.appender.group(needed)?;
        let mut positions = Vec::with_capacity(staged.batches.len());
        let mut brought = Vec::new();
        for batch in &staged.batches {
            let id = batch.id();
            if let Some(position) = writer.staging.batches.get(&id) {
                positions.push(*position);
                continue;
            }
            let parts = vec![
                Cow::Owned(id.digest().bytes().to_vec()),
                Cow::Borrowed(batch.bytes().as_ref()),
            ];
            let position = group.push(Kind::Payload, parts);
            brought.push((id, position));
            positions.push(position);
        }
        let outcomes = group.push(Kind::Outcomes, vec![Cow::Owned(outcomes)]);
        let stored = StoredBlock { block: staged.block.clone(), payload: positions, outcomes };
        let body = codec::encode(&stored);
        let position = group.push(Kind::Block, vec![Cow::Owned(body)]);
        let bytes = writer.appender.write(&group)?;
        drop(group);
        self.sync(&mut writer.appender)?;
        let shared = staged.batches.len() - brought.len();
        writer.staging.batches.extend(brought);
        writer.staging.blocks.push(Staged { hash, position, stored });
        add(&self.counters.blocks_staged, 1);
        add(&self.counters.bytes_appended, bytes);
        add(&self.counters.batches_shared, shared as u64);
        add(&self.counters.files_begun, u64::from(rolled));
        Ok(())
    }

    pub(super) fn write_commit(
        &self,
        certificate: &Certificate,
        learned: BlockRecords,
    ) -> Result<(), StoreFault> {
        let mut writer = self.writer();
        let (height, expected) = (certificate.height, next(writer.head));
        if height != expected {
            return Err(StoreFault::OutOfOrder { expected, height });
        }
        let Some(staged) = writer.staging.find(&certificate.block) else {
            return Err(StoreFault::NotStaged { height, block: certificate.block });
        };
        let stored = StoredCertificate { certificate: certificate.clone(), block: staged.position };
        let body = codec::encode(&stored);
        let (mut group, rolled) = writer.appender.group(frame_bytes(body.len() as u64))?;
        let position = group.push(Kind::Certificate, vec![Cow::Owned(body)]);
        let bytes = writer.appender.write(&group)?;
        drop(group);

        let mut staging = std::mem::take(&mut writer.staging);
        staging.blocks.retain(|staged| staged.hash == certificate.block);
        let mut rows = self.index.rows();
        for staged in &staging.blocks {
            put_block(&mut rows, height, staged, position);
        }
        rows.put_records(height, &learned);
        rows.write()?;
        self.archive(learned.retired)?;
        writer.head = Some(height);
        self.head.store(height.get(), Ordering::Release);
        add(&self.counters.blocks_committed, 1);
        add(&self.counters.bytes_appended, bytes);
        add(&self.counters.files_begun, u64::from(rolled));
        Ok(())
    }

    pub(super) fn write_reindex(
        &self,
        height: Height,
        learned: BlockRecords,
    ) -> Result<(), StoreFault> {
        let writer = self.writer();
        let expected = next(writer.head);
        if height >= expected {
            return Err(StoreFault::OutOfOrder { expected, height });
        }
        let mut rows = self.index.rows();
        rows.put_records(height, &learned);
        rows.write()?;
        self.archive(learned.retired)
    }

    pub(super) fn write_checkpoint(
        &self,
        height: Height,
        pieces: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), StoreFault> {
        let begun = Instant::now();
        {
            let mut writer = self.writer();
            let expected = next(writer.head);
            if height >= expected {
                return Err(StoreFault::OutOfOrder { expected, height });
            }
            // The certificates up to here must be durable before anything claims their heights.
            self.sync(&mut writer.appender)?;
        }
        // The writer goes on meanwhile: what it adds only makes the index newer than the state,
        // and is written again by the replay.
        let name = self.checkpoints.write(height, &mut self.archive.at_leisure(pieces))?;
        self.archive.drain()?;
        let mut rows = self.index.rows();
        rows.put_meta(MetaKey::Checkpoint, &name.to_bytes());
        rows.write()?;
        self.index.flush()?;
        self.checkpoints.keep_only(Some(height))?;
        add(&self.counters.checkpoints, 1);
        add(&self.counters.checkpoint_time_us, begun.elapsed().as_micros() as u64);
        Ok(())
    }

    fn archive(&self, retired: Retired) -> Result<(), StoreFault> {
        retired.runs.into_iter().try_for_each(|run| self.archive.submit(run))
    }

    fn sync(&self, appender: &mut Appender) -> Result<(), StoreFault> {
        let begun = Instant::now();
        appender.sync()?;
        add(&self.counters.syncs, 1);
        add(&self.counters.sync_time_us, begun.elapsed().as_micros() as u64);
        Ok(())
    }
}

/// Bytes that staging a block appends, at most.
fn bytes_needed(writer: &Writer, staged: &ExecutedBlock, outcomes_bytes: usize) -> u64 {
    let payload: u64 = staged
        .batches
        .iter()
        .filter(|batch| !writer.staging.batches.contains_key(&batch.id()))
        .map(|batch| frame_bytes((PAYLOAD_PREFIX_BYTES + batch.bytes().len()) as u64))
        .sum();
    let block = BLOCK_FRAME_BYTES_MAX + BLOCK_FRAME_BATCH_BYTES * staged.batches.len() as u64;
    payload + frame_bytes(outcomes_bytes as u64) + frame_bytes(block)
}
