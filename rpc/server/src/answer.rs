//! An answer on its way to a client: its text in parts, and the bytes that count as held for the
//! client's address until they are written.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::body::{Body, Frame, SizeHint};
use jsonrpsee::types::{ErrorObjectOwned, Id, Response, ResponsePayload};
use rpc_api::{ApiError, ErrorData};

use crate::connection::{Caller, HeldBytes, Writing};

/// A part of an answer.
#[derive(Debug)]
struct Part {
    text: Text,
    _held: Option<HeldBytes>,
    _writing: Option<Arc<Writing>>,
}

#[derive(Debug)]
enum Text {
    Owned(Box<str>),
    Static(&'static str),
    Bytes(Bytes),
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        match &self.text {
            Text::Owned(text) => text.as_bytes(),
            Text::Static(text) => text.as_bytes(),
            Text::Bytes(bytes) => bytes,
        }
    }
}

/// An answer's parts, in order.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    parts: VecDeque<Part>,
    len: usize,
    /// For one request that HTTP has a status for. In a list each error tells it by itself.
    pub(crate) send_again: Option<SendAgain>,
}

/// How HTTP says that a request is refused, and when the same may be sent again (RFC 9110,
/// sections 10.2.3 and 15.5).
#[derive(Debug, Clone, Copy)]
pub(crate) struct SendAgain {
    pub(crate) status: StatusCode,
    /// `None` where the same request is refused again.
    pub(crate) after: Option<Duration>,
}

impl SendAgain {
    /// When no error tells.
    const AFTER_MS: u64 = 1_000;

    /// For a response with this code, zero for a result.
    fn of(code: i32, after_ms: Option<u64>) -> Option<Self> {
        let is = |errors: &[ApiError]| errors.iter().any(|error| error.code() == code);
        if is(&ApiError::OF_TOKENS) {
            return Some(Self { status: StatusCode::UNAUTHORIZED, after: None });
        }
        if is(&[ApiError::ScopeLacking, ApiError::RowForeign]) {
            return Some(Self { status: StatusCode::FORBIDDEN, after: None });
        }
        let status = if code == ApiError::BudgetExceeded.code() {
            StatusCode::TOO_MANY_REQUESTS
        } else if code == ApiError::NodeBusy.code() {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            return None;
        };
        let after = Duration::from_millis(after_ms.unwrap_or(Self::AFTER_MS));
        Some(Self { status, after: Some(after) })
    }
}

impl Answer {
    /// The response to one request with its code, zero for a result.
    pub(crate) fn response(text: Box<str>, code: i32, held: Option<HeldBytes>) -> Self {
        Self { send_again: SendAgain::of(code, None), ..Self::new(text, held) }
    }

    /// An answer of one text.
    pub(crate) fn new(text: Box<str>, held: Option<HeldBytes>) -> Self {
        let mut answer = Self::default();
        answer.push(Text::Owned(text), held);
        answer
    }

    /// An error's answer, which is small.
    pub(crate) fn error(id: Id<'_>, error: ErrorObjectOwned, caller: &Arc<Caller>) -> Self {
        let send_again = SendAgain::of(error.code(), retry_after_ms(&error));
        let text = error_text(id, error);
        // When even this does not fit, it is written all the same: it is the refusal.
        let held = caller.hold_answer(text.len()).ok();
        Self { send_again, ..Self::new(text, held) }
    }

    /// A static text, such as a page of plain HTTP.
    pub(crate) fn fixed(text: &'static str) -> Self {
        let mut answer = Self::default();
        answer.push(Text::Static(text), None);
        answer
    }

    /// Bytes of a file that stay in memory whether they are being written or not.
    pub(crate) fn file(bytes: Bytes) -> Self {
        let mut answer = Self::default();
        answer.push(Text::Bytes(bytes), None);
        answer
    }

    /// The answers to a list of requests, which has at least one.
    pub(crate) fn list(answers: Vec<Self>) -> Self {
        let mut list = Self::default();
        let mut mark = "[";
        for answer in answers {
            list.push(Text::Static(mark), None);
            list.len += answer.len;
            list.parts.extend(answer.parts);
            mark = ",";
        }
        list.push(Text::Static("]"), None);
        list
    }

    fn push(&mut self, text: Text, held: Option<HeldBytes>) {
        let part = Part { text, _held: held, _writing: None };
        self.len += part.as_ref().len();
        self.parts.push_back(part);
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The bytes of all parts.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        self.parts.iter().map(AsRef::as_ref)
    }

    /// Ties the deadline of writing to what is not yet written.
    pub(crate) fn written_by(mut self, writing: Writing) -> Self {
        let writing = Arc::new(writing);
        let tie = |part| Part { _writing: Some(writing.clone()), ..part };
        self.parts = self.parts.into_iter().map(tie).collect();
        self
    }
}

fn retry_after_ms(error: &ErrorObjectOwned) -> Option<u64> {
    ErrorData::of(error)?.retry_after_ms
}

/// The text of an error's answer.
pub(crate) fn error_text(id: Id<'_>, error: ErrorObjectOwned) -> Box<str> {
    let response = Response::<()>::new(ResponsePayload::error(error), id);
    serde_json::to_string(&response).unwrap_or_default().into_boxed_str()
}

/// As the body of an HTTP response. Each part counts as held until the connection has written it:
/// its bytes own it.
impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let Some(part) = this.parts.pop_front() else { return Poll::Ready(None) };
        this.len = this.len.saturating_sub(part.as_ref().len());
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(part)))))
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len as u64)
    }
}
