//! WebSocket frames (RFC 6455) without a socket: bytes in, messages and control frames out.
//!
//! The headers are soketto's to read and write; what a message may cost is decided here, frame by
//! frame, so that nothing that a peer sends goes uncounted.

use bytes::{Buf as _, Bytes, BytesMut};
use soketto::Parsing;
use soketto::base::{Codec, Error as HeaderError, Header, OpCode};

/// The bytes of a control frame at most.
const CONTROL_BYTES_MAX: usize = 125;
/// The bytes of the longest header.
const HEADER_BYTES_MAX: usize = 14;
/// The most bytes reserved before a message's bytes come, whatever it announces.
const RESERVE_BYTES_MAX: usize = 16 * 1024;

/// Why the server closes, with the code that it tells the peer (RFC 6455, section 7.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    /// The peer closes, or its messages are all answered and the server stops.
    Away,
    /// The peer closed the connection.
    Closed,
    /// The bytes are no WebSocket frame, or not one that a client may send.
    Protocol,
    /// A text message is not UTF-8.
    NotText,
    /// The connection made way for another, or its limits ran out.
    Policy(&'static str),
    /// A message is larger than the server takes.
    TooLarge,
    /// The server holds as many bytes of messages as it can.
    Busy,
}

impl Closing {
    /// The code and the reason of the close frame.
    pub(crate) fn code_and_reason(self) -> (u16, &'static str) {
        match self {
            Self::Closed => (1000, ""),
            Self::Away => (1001, "the server stops"),
            Self::Protocol => (1002, "no frame that a client may send"),
            Self::NotText => (1007, "a text message must be UTF-8"),
            Self::Policy(reason) => (1008, reason),
            Self::TooLarge => (1009, "the message is larger than this node accepts"),
            Self::Busy => (1013, "the node holds as many messages as it can; retry later"),
        }
    }
}

/// A message or a control frame that came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A message that is whole.
    Message {
        /// The bytes of the message.
        bytes: Vec<u8>,
        /// True if it was sent as text.
        is_text: bool,
    },
    /// A part of a message ended, and more of it is to come.
    Fragment,
    /// A ping; to be answered with its payload.
    Ping(Bytes),
    /// An answer to a ping.
    Pong,
    /// The peer wants to close the connection.
    Close,
}

/// A frame whose header was read.
#[derive(Debug)]
struct Frame {
    header: Header,
    /// Payload bytes that have not come yet.
    left: usize,
    /// Bytes of the payload that were unmasked.
    unmasked: usize,
}

/// Takes a stream of a client's bytes apart.
#[derive(Debug)]
pub(crate) struct Decoder {
    codec: Codec,
    message_bytes_max: usize,
    frame: Option<Frame>,
    control: BytesMut,
    message: Vec<u8>,
    /// The kind of the message whose fragments are coming.
    kind: Option<OpCode>,
}

impl Decoder {
    pub(crate) fn new(message_bytes_max: usize) -> Self {
        let mut codec = Codec::new();
        codec.set_max_data_size(message_bytes_max.max(CONTROL_BYTES_MAX));
        let (frame, kind) = (None, None);
        Self {
            codec,
            message_bytes_max,
            frame,
            control: BytesMut::new(),
            message: Vec::new(),
            kind,
        }
    }

    /// Bytes of the message that is coming.
    pub(crate) fn held(&self) -> usize {
        self.message.len()
    }

    /// Returns true if a message or a frame has begun and not ended.
    pub(crate) fn is_within(&self) -> bool {
        self.frame.is_some() || self.kind.is_some()
    }

    /// Takes bytes from `input` and says what they complete; `None` when more must come.
    ///
    /// # Errors
    /// When the connection must be closed.
    pub(crate) fn take(&mut self, input: &mut BytesMut) -> Result<Option<Event>, Closing> {
        if self.frame.is_none() {
            let Some(header) = self.read_header(input)? else { return Ok(None) };
            let left = header.payload_len();
            self.frame = Some(Frame { header, left, unmasked: 0 });
        }
        let Some(frame) = &mut self.frame else { return Ok(None) };
        let count = frame.left.min(input.len());
        let is_control = frame.header.opcode().is_control();
        if let Some(bytes) = input.get_mut(..count) {
            unmask(bytes, frame.header.mask(), frame.unmasked);
            if is_control {
                self.control.extend_from_slice(bytes);
            } else {
                self.message.extend_from_slice(bytes);
            }
        }
        input.advance(count);
        frame.left -= count;
        frame.unmasked += count;
        if frame.left > 0 {
            return Ok(None);
        }
        self.frame.take().map(|frame| self.complete(&frame.header)).transpose()
    }

    fn read_header(&mut self, input: &mut BytesMut) -> Result<Option<Header>, Closing> {
        let header = match self.codec.decode_header(input) {
            Ok(Parsing::Done { value, offset }) => {
                input.advance(offset);
                value
            }
            Ok(Parsing::NeedMore(_)) => return Ok(None),
            Err(HeaderError::PayloadTooLarge { .. }) => return Err(Closing::TooLarge),
            Err(_) => return Err(Closing::Protocol),
        };
        if !header.is_masked() {
            return Err(Closing::Protocol);
        }
        match header.opcode() {
            code if code.is_control() => {
                if header.payload_len() > CONTROL_BYTES_MAX {
                    return Err(Closing::Protocol);
                }
                return Ok(Some(header));
            }
            OpCode::Continue if self.kind.is_none() => return Err(Closing::Protocol),
            OpCode::Text | OpCode::Binary if self.kind.is_some() => return Err(Closing::Protocol),
            OpCode::Text | OpCode::Binary => self.kind = Some(header.opcode()),
            _ => {}
        }
        let whole = self.message.len().saturating_add(header.payload_len());
        if whole > self.message_bytes_max {
            return Err(Closing::TooLarge);
        }
        self.message.reserve(header.payload_len().min(RESERVE_BYTES_MAX));
        Ok(Some(header))
    }

    fn complete(&mut self, header: &Header) -> Result<Event, Closing> {
        Ok(match header.opcode() {
            OpCode::Close => {
                check_close(&self.control.split())?;
                Event::Close
            }
            OpCode::Ping => Event::Ping(self.control.split().freeze()),
            OpCode::Pong => {
                self.control.clear();
                Event::Pong
            }
            _ if !header.is_fin() => Event::Fragment,
            _ => {
                let is_text = self.kind.take() == Some(OpCode::Text);
                Event::Message { bytes: std::mem::take(&mut self.message), is_text }
            }
        })
    }
}

/// Checks what a close frame says: nothing, or a code that an endpoint may send and a reason
/// (RFC 6455, sections 5.5.1 and 7.4).
fn check_close(payload: &[u8]) -> Result<(), Closing> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() { Ok(()) } else { Err(Closing::Protocol) };
    };
    match u16::from_be_bytes(*code) {
        1000..=1003 | 1007..=1014 | 3000..=4999 => {}
        _ => return Err(Closing::Protocol),
    }
    std::str::from_utf8(reason).map(|_| ()).map_err(|_| Closing::NotText)
}

/// Removes a mask from bytes that begin `at` bytes into the payload.
fn unmask(bytes: &mut [u8], mask: u32, at: usize) {
    let key = mask.rotate_left(u32::try_from(at % 4).unwrap_or(0) * 8).to_be_bytes();
    let wide = u64::from_ne_bytes([key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

/// Appends the header of a whole frame with a payload of `len` bytes.
pub(crate) fn put_header(out: &mut BytesMut, code: OpCode, len: usize) {
    let mut header = Header::new(code);
    header.set_payload_len(len);
    out.reserve(HEADER_BYTES_MAX);
    out.extend_from_slice(Codec::new().encode_header(&header));
}

/// Appends a close frame.
pub(crate) fn put_close(out: &mut BytesMut, closing: Closing) {
    let (code, reason) = closing.code_and_reason();
    put_header(out, OpCode::Close, 2 + reason.len());
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(reason.as_bytes());
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Makes a frame as a client sends it.
    fn frame(code: u8, is_last: bool, payload: &[u8]) -> Vec<u8> {
        let mask = [0x1f, 0x80, 0x00, 0xa5];
        let mut bytes = vec![code | if is_last { 0x80 } else { 0 }];
        match payload.len() {
            len @ 0..=125 => bytes.push(0x80 | len as u8),
            len @ 126..=0xffff => {
                bytes.push(0x80 | 126);
                bytes.extend_from_slice(&(len as u16).to_be_bytes());
            }
            len => {
                bytes.push(0x80 | 127);
                bytes.extend_from_slice(&(len as u64).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes
    }

    /// Decodes a stream that arrives `step` bytes at a time.
    fn decode(stream: &[u8], step: usize) -> Result<Vec<Event>, Closing> {
        let (mut decoder, mut input) = (Decoder::new(1_000), BytesMut::new());
        let mut events = Vec::new();
        for bytes in stream.chunks(step) {
            input.extend_from_slice(bytes);
            while let Some(event) = decoder.take(&mut input)? {
                events.push(event);
            }
            assert!(decoder.held() <= 1_000);
        }
        Ok(events)
    }

    #[test]
    fn messages_come_whole_however_they_arrive() {
        let long = [b'x'; 700];
        let mut stream = frame(1, true, b"abc");
        stream.extend(frame(2, false, &long));
        stream.extend(frame(9, true, b"ping"));
        stream.extend(frame(0, false, b""));
        stream.extend(frame(0, true, b"end"));
        stream.extend(frame(10, true, b"pong"));
        stream.extend(frame(8, true, b"\x03\xe8"));
        let whole = [long.as_slice(), b"end"].concat();
        for step in [1, 2, 3, 7, 64, 10_000] {
            let events = decode(&stream, step).unwrap();
            assert_eq!(
                events,
                [
                    Event::Message { bytes: b"abc".to_vec(), is_text: true },
                    Event::Fragment,
                    Event::Ping(Bytes::from_static(b"ping")),
                    Event::Fragment,
                    Event::Message { bytes: whole.clone(), is_text: false },
                    Event::Pong,
                    Event::Close,
                ],
                "{step} bytes at a time"
            );
        }
    }

    #[test]
    fn what_no_client_may_send_closes_with_a_code() {
        let unmasked = vec![0x81, 0x01, b'a'];
        let mut reserved = frame(1, true, b"a");
        reserved[0] |= 0x40;
        let fragments = |parts: &[(u8, bool, usize)]| -> Vec<u8> {
            parts
                .iter()
                .flat_map(|(code, is_last, len)| frame(*code, *is_last, &vec![b'x'; *len]))
                .collect()
        };
        let rows = [
            (unmasked, Closing::Protocol),
            (reserved, Closing::Protocol),
            (frame(3, true, b""), Closing::Protocol),
            (frame(9, false, b""), Closing::Protocol),
            (frame(9, true, &[0; 126]), Closing::Protocol),
            (frame(0, true, b"a"), Closing::Protocol),
            (frame(8, true, b"\x03"), Closing::Protocol),
            (frame(8, true, &1_005_u16.to_be_bytes()), Closing::Protocol),
            (frame(8, true, &2_000_u16.to_be_bytes()), Closing::Protocol),
            (frame(8, true, b"\x03\xe8\xff"), Closing::NotText),
            (fragments(&[(1, false, 1), (1, true, 1)]), Closing::Protocol),
            (frame(1, true, &[b'x'; 1_001]), Closing::TooLarge),
            (fragments(&[(1, false, 600), (0, true, 401)]), Closing::TooLarge),
            (vec![0x82, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], Closing::TooLarge),
        ];
        for (stream, closing) in rows {
            for step in [1, 10_000] {
                assert_eq!(decode(&stream, step), Err(closing), "{stream:.20?}");
            }
        }
    }
}
