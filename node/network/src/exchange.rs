//! Questions and answers on the wire: one frame each way on a stream of its own.

use std::io;

use bytes::Bytes;
use futures::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use libp2p::StreamProtocol;
use libp2p::request_response::Codec;

use crate::frame::{FrameError, read_body, read_length};

/// Reads and writes requests and responses within their size limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange {
    pub(crate) request_bytes_max: usize,
    pub(crate) response_bytes_max: usize,
}

async fn read<R: AsyncRead + Unpin>(reader: &mut R, limit: usize) -> Result<Bytes, FrameError> {
    let length = read_length(reader, limit).await?;
    let length = length.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    Ok(read_body(reader, length, || ()).await?)
}

async fn write<W: AsyncWrite + Unpin>(writer: &mut W, bytes: &Bytes) -> io::Result<()> {
    writer.write_all(&(bytes.len() as u32).to_le_bytes()).await?;
    writer.write_all(bytes).await
}

impl Codec for Exchange {
    type Protocol = StreamProtocol;
    /// `None` for a received request that broke the framing: libp2p tells nobody of a request
    /// that could not be read, and we want to know who sent it.
    type Request = Option<Bytes>;
    type Response = Bytes;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Option<Bytes>> {
        match read(io, self.request_bytes_max).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(FrameError::Size { .. }) => Ok(None),
            Err(FrameError::Io(error)) => Err(error),
        }
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Bytes> {
        Ok(read(io, self.response_bytes_max).await?)
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Option<Bytes>,
    ) -> io::Result<()> {
        write(io, &request.ok_or(io::ErrorKind::InvalidInput)?).await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: Bytes,
    ) -> io::Result<()> {
        write(io, &response).await
    }
}
