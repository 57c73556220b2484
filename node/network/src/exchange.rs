//! Questions and answers on the wire: one frame each way on a stream of its own.

use std::io;

use bytes::Bytes;
use futures::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use libp2p::StreamProtocol;
use libp2p::request_response::Codec;

use crate::frame::{read_body, read_length};

/// Reads and writes requests and responses within their size limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange {
    pub(crate) request_bytes_max: usize,
    pub(crate) response_bytes_max: usize,
}

async fn read<R: AsyncRead + Unpin>(reader: &mut R, limit: usize) -> io::Result<Bytes> {
    let length = read_length(reader, limit).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    read_body(reader, length, || ()).await
}

async fn write<W: AsyncWrite + Unpin>(writer: &mut W, bytes: &Bytes) -> io::Result<()> {
    writer.write_all(&(bytes.len() as u32).to_le_bytes()).await?;
    writer.write_all(bytes).await
}

impl Codec for Exchange {
    type Protocol = StreamProtocol;
    type Request = Bytes;
    type Response = Bytes;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Bytes> {
        read(io, self.request_bytes_max).await
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Bytes> {
        read(io, self.response_bytes_max).await
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Bytes,
    ) -> io::Result<()> {
        write(io, &request).await
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
