//! Frames: a length as u32 little-endian, never zero, then that many bytes.

use std::io;

use bytes::{Bytes, BytesMut};
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Bytes of the length in front of every message.
pub(crate) const HEADER_BYTES: usize = 4;

/// Memory taken on the word of a length alone; more is taken as the bytes come.
const TRUSTED_BYTES: usize = 2 * 1024 * 1024;

/// The piece that the multiplexer sends at once: what fits in one is copied together, and what is
/// longer is handed over where it lies.
const PIECE_BYTES: usize = 16 * 1024;

/// Why a stream of frames ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// The stream broke, or ended within a frame.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The peer broke the framing: a length of zero or above the limit.
    #[error("a frame of {length} bytes, but 1 to {limit} are allowed")]
    Size { length: usize, limit: usize },
}

impl From<FrameError> for io::Error {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Io(error) => error,
            FrameError::Size { .. } => io::Error::new(io::ErrorKind::InvalidData, error),
        }
    }
}

/// The next frame's length, or `None` at a clean end of the stream.
pub(crate) async fn read_length<R: AsyncRead + Unpin>(
    reader: &mut R,
    limit: usize,
) -> Result<Option<usize>, FrameError> {
    let mut header = [0; HEADER_BYTES];
    let mut filled = 0;
    while filled < HEADER_BYTES {
        match reader.read(&mut header[filled..]).await? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            read => filled += read,
        }
    }
    let length = u32::from_le_bytes(header) as usize;
    if length == 0 || length > limit {
        return Err(FrameError::Size { length, limit });
    }
    Ok(Some(length))
}

/// The `length` bytes of a frame; `moved` is told of every read.
pub(crate) async fn read_body<R: AsyncRead + Unpin>(
    reader: &mut R,
    length: usize,
    moved: impl Fn(),
) -> Result<Bytes, io::Error> {
    let mut body = BytesMut::zeroed(length.min(TRUSTED_BYTES));
    let mut filled = 0;
    while filled < length {
        if filled == body.len() {
            body.resize((body.len() * 2).min(length), 0);
        }
        match reader.read(&mut body[filled..]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
        moved();
    }
    Ok(body.freeze())
}

/// Reads the `length` bytes of a frame and forgets them; `moved` is told of every read.
pub(crate) async fn skip_body<R: AsyncRead + Unpin>(
    reader: &mut R,
    length: usize,
    moved: impl Fn(),
) -> Result<(), io::Error> {
    let mut scratch = [0; 4096];
    let mut left = length;
    while left > 0 {
        let piece = left.min(scratch.len());
        match reader.read(&mut scratch[..piece]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => left -= read,
        }
        moved();
    }
    Ok(())
}

/// Writes `messages` as frames, unflushed. Small ones share a write; of a large one only the
/// head is copied, to travel with its length. `moved` is told of every write.
pub(crate) async fn write_frames<W: AsyncWrite + Unpin>(
    writer: &mut W,
    messages: &[Bytes],
    scratch: &mut Vec<u8>,
    moved: impl Fn(),
) -> Result<(), io::Error> {
    scratch.clear();
    for message in messages {
        if scratch.len() + HEADER_BYTES > PIECE_BYTES {
            write_pieces(writer, scratch, &moved).await?;
            scratch.clear();
        }
        scratch.extend_from_slice(&(message.len() as u32).to_le_bytes());
        let head = message.len().min(PIECE_BYTES.saturating_sub(scratch.len()));
        scratch.extend_from_slice(&message[..head]);
        if head < message.len() {
            write_pieces(writer, scratch, &moved).await?;
            scratch.clear();
            write_pieces(writer, &message[head..], &moved).await?;
        }
    }
    write_pieces(writer, scratch, &moved).await
}

async fn write_pieces<W: AsyncWrite + Unpin>(
    writer: &mut W,
    mut bytes: &[u8],
    moved: &impl Fn(),
) -> Result<(), io::Error> {
    while !bytes.is_empty() {
        match writer.write(bytes).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => bytes = &bytes[written..],
        }
        moved();
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;

    use super::*;

    const LIMIT: usize = 8 * 1024 * 1024;

    fn read_all(bytes: &[u8]) -> Result<Vec<Bytes>, FrameError> {
        block_on(async {
            let mut reader = Cursor::new(bytes);
            let mut messages = Vec::new();
            while let Some(length) = read_length(&mut reader, LIMIT).await? {
                messages.push(read_body(&mut reader, length, || ()).await?);
            }
            Ok(messages)
        })
    }

    #[test]
    fn frames_of_every_size_come_back_as_they_went() {
        let piece = PIECE_BYTES;
        let sizes =
            [1, 2, piece - 4, piece - 3, piece, 5, piece + 1, 3 * piece, TRUSTED_BYTES + 1, LIMIT];
        let messages: Vec<Bytes> = sizes
            .iter()
            .enumerate()
            .map(|(number, size)| (0..*size).map(|at| (at * 7 + number) as u8).collect())
            .collect();
        let mut bytes = Vec::new();
        block_on(write_frames(&mut bytes, &messages, &mut Vec::new(), || ())).unwrap();
        assert_eq!(bytes.len(), sizes.iter().sum::<usize>() + HEADER_BYTES * sizes.len());
        assert_eq!(&bytes[..5], &[1, 0, 0, 0, messages[0][0]]);
        assert!(read_all(&bytes).unwrap() == messages);
    }

    #[test]
    fn bad_lengths_and_short_frames_are_refused() {
        let refused = |bytes: &[u8]| read_all(bytes).unwrap_err();
        assert!(matches!(refused(&[0, 0, 0, 0]), FrameError::Size { length: 0, .. }));
        let above = (LIMIT as u32 + 1).to_le_bytes();
        assert!(matches!(refused(&above), FrameError::Size { length, .. } if length == LIMIT + 1));
        assert!(matches!(refused(&[255; 4]), FrameError::Size { .. }));
        for cut in [&[1][..], &[1, 0, 0], &[2, 0, 0, 0], &[2, 0, 0, 0, 9]] {
            assert!(matches!(refused(cut), FrameError::Io(_)), "{cut:?}");
        }
        assert!(read_all(&[]).unwrap().is_empty());
    }

    #[test]
    fn a_skipped_body_leaves_the_next_frame_in_place() {
        block_on(async {
            let mut bytes = Vec::new();
            let messages = [Bytes::from(vec![1; 10_000]), Bytes::from_static(b"next")];
            write_frames(&mut bytes, &messages, &mut Vec::new(), || ()).await.unwrap();
            let mut reader = Cursor::new(bytes);
            let length = read_length(&mut reader, LIMIT).await.unwrap().unwrap();
            skip_body(&mut reader, length, || ()).await.unwrap();
            let length = read_length(&mut reader, LIMIT).await.unwrap().unwrap();
            assert_eq!(read_body(&mut reader, length, || ()).await.unwrap(), "next");
        });
    }
}
