//! The driver's part in questions and answers, ours and the peers'.

use std::io;
use std::time::Instant;

use bytes::Bytes;
use chain_types::PublicKey;
use libp2p::PeerId;
use libp2p::request_response::{
    self, InboundFailure, InboundRequestId, Message, OutboundFailure, ResponseChannel,
};

use crate::command::Answer;
use crate::driver::Driver;
use crate::event::{Event, Reply};
use crate::fault::RequestError;
use crate::metrics::{Direction, RequestEnd};
use crate::strikes::Strike;

impl Driver {
    /// Asks a peer, if it is linked: the swarm would otherwise dial on its own.
    pub(crate) fn ask(&mut self, key: &PublicKey, bytes: Bytes, answer: Answer) {
        let exchange = &mut self.swarm.behaviour_mut().exchange;
        match self.remotes.get(key) {
            Some(remote) if exchange.is_connected(&remote.id) => {
                let id = exchange.send_request(&remote.id, Some(bytes));
                self.asked.insert(id, answer);
            }
            _ => answer.give(Err(RequestError::NotConnected)),
        }
    }

    pub(crate) fn on_exchange(&mut self, event: request_response::Event<Option<Bytes>, Bytes>) {
        match event {
            request_response::Event::Message { peer, message, .. } => match message {
                Message::Request { request_id, request: Some(bytes), channel } => {
                    self.on_request(&peer, request_id, bytes, channel);
                }
                // The channel falls, and the stream with it.
                Message::Request { request: None, .. } => self.strike_id(&peer, Strike::Request),
                Message::Response { request_id, response } => {
                    self.metrics.request(Direction::Out, RequestEnd::Answered);
                    if let Some(answer) = self.asked.remove(&request_id) {
                        answer.give(Ok(response));
                    }
                }
            },
            request_response::Event::OutboundFailure { peer, request_id, error, .. } => {
                let error = request_error(&error);
                let end = match error {
                    RequestError::Refused => RequestEnd::Refused,
                    _ => RequestEnd::Failed,
                };
                self.metrics.request(Direction::Out, end);
                if matches!(error, RequestError::Malformed(_)) {
                    self.strike_id(&peer, Strike::Response);
                }
                if let Some(answer) = self.asked.remove(&request_id) {
                    answer.give(Err(error));
                }
            }
            request_response::Event::ResponseSent { request_id, .. } => {
                self.served(request_id, RequestEnd::Answered);
            }
            request_response::Event::InboundFailure { request_id, error, .. } => {
                let end = match error {
                    InboundFailure::ResponseOmission => RequestEnd::Refused,
                    _ => RequestEnd::Failed,
                };
                self.served(request_id, end);
            }
        }
    }

    fn on_request(
        &mut self,
        peer: &PeerId,
        id: InboundRequestId,
        bytes: Bytes,
        channel: ResponseChannel<Bytes>,
    ) {
        let Some(from) = self.remotes.by_id(peer).map(|remote| remote.key) else { return };
        let Some(book) = self.books.get_mut(&from) else { return };
        let has_room = book.serving < self.limits.requests_in_max;
        if !has_room || !book.request_budget.take(bytes.len(), Instant::now()) {
            // Dropping the channel tells the peer that there is no answer.
            self.metrics.request(Direction::In, RequestEnd::Refused);
            return;
        }
        book.serving += 1;
        self.serving.insert(id, from);
        let reply = Reply {
            channel,
            commands: self.commands_sender.clone(),
            bytes_max: self.limits.response_bytes_max,
        };
        self.pending.push_back(Event::Request { from, bytes, reply });
    }

    /// A request that was given to the node has ended; those refused before are not counted twice.
    fn served(&mut self, id: InboundRequestId, end: RequestEnd) {
        if let Some(key) = self.serving.remove(&id) {
            self.metrics.request(Direction::In, end);
            if let Some(book) = self.books.get_mut(&key) {
                book.serving -= 1;
            }
        }
    }

    fn strike_id(&mut self, peer: &PeerId, reason: Strike) {
        if let Some(remote) = self.remotes.by_id(peer) {
            self.referee.strike(&remote, reason);
        }
    }
}

fn is_malformed(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidData
}

fn request_error(failure: &OutboundFailure) -> RequestError {
    match failure {
        OutboundFailure::DialFailure => RequestError::NotConnected,
        OutboundFailure::Timeout => RequestError::Timeout,
        OutboundFailure::ConnectionClosed => RequestError::Disconnected,
        OutboundFailure::UnsupportedProtocols => RequestError::Refused,
        OutboundFailure::Io(error) if is_malformed(error) => {
            RequestError::Malformed(error.to_string())
        }
        OutboundFailure::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            RequestError::Refused
        }
        OutboundFailure::Io(_) => RequestError::Disconnected,
    }
}
