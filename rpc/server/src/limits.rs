//! Every limit of the public port in one table, from which docs/limits.md is printed.

use crate::aside::LONG_READS_MAX;
use crate::config::ServerConfig;
use crate::depth::JSON_DEPTH_MAX;
use crate::operator::{OPERATOR_CONNECTIONS_MAX, OPERATOR_TIMEOUT};
use crate::request::ID_BYTES_MAX;
use crate::server::{HANDSHAKE_CALLS, HEADER_BYTES_MAX};

/// A row of the table of limits.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Its name: the label `limit` of `sluice_rpc_refused_total`, where it is counted there.
    pub name: &'static str,
    /// The thing that is bounded.
    pub bounds: &'static str,
    /// The bound under a configuration, in `unit`.
    pub bound: fn(&ServerConfig) -> u64,
    /// The unit of the bound.
    pub unit: &'static str,
    /// The parties that share it.
    pub shared_by: &'static str,
    /// The refusal at the bound.
    pub refusal: &'static str,
    /// The metric that counts refusals.
    pub metric: &'static str,
}

const REFUSED: &str = "`sluice_rpc_refused_total`";

macro_rules! limits {
    ($($name:literal {
        $bounds:literal, $bound:expr, $unit:literal, $by:literal, $refusal:literal, $metric:expr,
    })*) => {
        /// The limits, in the order in which a message meets them.
        pub const LIMITS: &[Limit] = &[$(Limit {
            name: $name,
            bounds: $bounds,
            bound: $bound,
            unit: $unit,
            shared_by: $by,
            refusal: $refusal,
            metric: $metric,
        },)*];
    };
}

limits! {
    "connections" {
        "connections at once",
        |c| c.connections_max.into(),
        "connections",
        "all addresses",
        "an address with more than an equal part gives one up; else HTTP 503",
        "`sluice_rpc_connections`, `sluice_rpc_made_way_total`",
    }
    "connections" {
        "connections of an address at once",
        |c| c.connections_per_address_max.into(),
        "connections",
        "one address",
        "HTTP 503 with `Retry-After`, then closed",
        REFUSED,
    }
    "descriptors" {
        "descriptors that the system gives",
        |_| 0,
        "(the system's)",
        "the process",
        "the connection waits; one log line in 10 s",
        REFUSED,
    }
    "handshakes" {
        "handshakes of TLS",
        |_| HANDSHAKE_CALLS.into(),
        "calls each, of the budget of calls",
        "one address",
        "closed",
        "`sluice_rpc_refused_total`, `sluice_rpc_tls_handshakes_total`",
    }
    "handshake-time" {
        "time for a handshake of TLS",
        |c| c.header_timeout_ms,
        "ms",
        "one connection",
        "closed",
        "`sluice_rpc_tls_handshakes_total`",
    }
    "header-time" {
        "time for a request's header",
        |c| c.header_timeout_ms,
        "ms",
        "one request",
        "closed",
        "none",
    }
    "header" {
        "bytes of a request's header, and bytes read ahead of what is in hand",
        |_| HEADER_BYTES_MAX as u64,
        "bytes",
        "one connection",
        "HTTP 431, then closed; what is read ahead waits in the system's buffer",
        "none",
    }
    "host" {
        "names under which the node is addressed",
        |c| c.hosts.len() as u64,
        "names, IP addresses and `localhost`",
        "all addresses",
        "HTTP 403; 400 for none, several, or what is no host",
        REFUSED,
    }
    "origin" {
        "origins of web pages that may call",
        |c| c.origins.len() as u64,
        "origins",
        "all addresses",
        "HTTP 403",
        REFUSED,
    }
    "calls" {
        "calls, messages and frames a second, and at once",
        |c| c.calls_per_second_max.into(),
        "calls a second",
        "one address",
        "1010 `budget-exceeded` with the request's id, HTTP 429 with `Retry-After`; a \
         WebSocket is read more slowly",
        REFUSED,
    }
    "messages" {
        "messages in hand, from their bytes to their written answers",
        |c| c.calls_per_connection_max.into(),
        "messages",
        "one WebSocket connection",
        "nothing more is read",
        "`sluice_rpc_messages_in_hand`",
    }
    "long-texts" {
        "messages, and parameters, of more than 64 KiB that are read at once",
        |_| LONG_READS_MAX as u64,
        "texts",
        "all addresses",
        "the text waits, in the order in which they came",
        "none",
    }
    "body" {
        "bytes of a body or WebSocket message, all fragments together",
        |c| c.body_bytes_max.into(),
        "bytes",
        "one message",
        "1013 `body-too-large`, HTTP 413; a WebSocket closes with 1009",
        REFUSED,
    }
    "body-time" {
        "time for a body, or for a WebSocket message from its first byte",
        |c| c.body_timeout_ms,
        "ms",
        "one message",
        "1014 `body-timeout`, HTTP 408; a WebSocket closes with 1008",
        REFUSED,
    }
    "bodies" {
        "bytes of bodies and messages that have come, and 4 KiB a call in hand",
        |c| c.bodies_bytes_max.into(),
        "bytes",
        "all addresses",
        "a connection of the address with most makes way; else as below",
        "`sluice_rpc_bodies_bytes`, `sluice_rpc_made_way_total`",
    }
    "bodies" {
        "the same of one address",
        |c| c.bodies_bytes_per_address_max.into(),
        "bytes",
        "one address",
        "1015 `node-busy`, HTTP 503; a WebSocket waits, then closes with 1013",
        REFUSED,
    }
    "depth" {
        "levels of JSON",
        |_| JSON_DEPTH_MAX as u64,
        "levels",
        "one message",
        "1009 `json-too-deep`",
        "`sluice_rpc_calls_total`",
    }
    "list" {
        "requests of a list",
        |c| c.list_requests_max.into(),
        "requests",
        "one message",
        "-32010",
        "`sluice_rpc_calls_total`",
    }
    "id" {
        "bytes of a request's id",
        |_| ID_BYTES_MAX as u64,
        "bytes",
        "one request",
        "-32600",
        "`sluice_rpc_calls_total`",
    }
    "reads" {
        "reads from the disk at once",
        |c| c.reads_max.into(),
        "reads",
        "all addresses",
        "the call waits",
        "none",
    }
    "call-time" {
        "time for a call, the wait of `batch_submit` on top",
        |c| c.call_timeout_ms,
        "ms",
        "one call",
        "1016 `call-timeout`",
        "`sluice_rpc_calls_total`",
    }
    "wait" {
        "`timeout_ms` of `batch_submit`",
        |c| c.wait_ms_max,
        "ms",
        "one call",
        "1012 `timeout-out-of-bounds`",
        "`sluice_rpc_calls_total`",
    }
    "response" {
        "bytes of an answer, a list's together",
        |c| c.response_bytes_max.into(),
        "bytes",
        "one message",
        "-32008, -32011",
        "`sluice_rpc_calls_total`",
    }
    "answers" {
        "bytes of answers made and not written",
        |c| c.answers_bytes_max.into(),
        "bytes",
        "all addresses",
        "a connection of the address with most makes way; else as below",
        "`sluice_rpc_answers_bytes`, `sluice_rpc_made_way_total`",
    }
    "answers" {
        "bytes of answers of an address made and not written",
        |c| c.answers_bytes_per_address_max.into(),
        "bytes",
        "one address",
        "1015 `node-busy` in the answer's place",
        REFUSED,
    }
    "write-time" {
        "time to take an answer",
        |c| c.write_timeout_ms,
        "ms",
        "one answer",
        "the connection ends",
        REFUSED,
    }
    "write-time" {
        "rate of taking an answer, on top of that time",
        |c| c.write_bytes_per_second_min.into(),
        "bytes a second or more",
        "one answer",
        "the connection ends",
        REFUSED,
    }
    "subscriptions" {
        "subscriptions at once",
        |c| c.subscriptions_max.into(),
        "subscriptions",
        "all addresses",
        "a connection of the address with most makes way; else 1007 `too-many-subscriptions`",
        "`sluice_rpc_subscriptions`, `sluice_rpc_made_way_total`",
    }
    "subscriptions" {
        "subscriptions of an address at once",
        |c| c.subscriptions_per_address_max.into(),
        "subscriptions",
        "one address",
        "1007 `too-many-subscriptions`",
        REFUSED,
    }
    "subscriptions" {
        "subscriptions of a connection at once",
        |c| c.subscriptions_per_connection_max.into(),
        "subscriptions",
        "one connection",
        "-32006",
        REFUSED,
    }
    "inactive" {
        "time for which pings may stay unanswered",
        |c| c.inactive_ms_max,
        "ms",
        "one WebSocket connection",
        "closed",
        REFUSED,
    }
    "operator" {
        "connections to the operator's address at once",
        |_| OPERATOR_CONNECTIONS_MAX as u64,
        "connections",
        "the operator's programs",
        "the oldest is closed",
        "none",
    }
    "operator" {
        "life of a connection to the operator's address, for one request",
        |_| OPERATOR_TIMEOUT.as_secs(),
        "s",
        "one connection",
        "closed",
        "none",
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const PAGE: &str = include_str!("../../../docs/limits.md");

    /// The table as the page has it.
    fn printed() -> String {
        let config = ServerConfig::default();
        let mut text =
            "| name | what is bounded | bound | shared by | at the bound | counted in |\n\
                        |---|---|---|---|---|---|\n"
                .to_owned();
        for limit in LIMITS {
            let bound = (limit.bound)(&config);
            let Limit { name, bounds, unit, shared_by, refusal, metric, .. } = limit;
            let _ = writeln!(
                text,
                "| `{name}` | {bounds} | {bound} {unit} | {shared_by} | {refusal} | {metric} |"
            );
        }
        text
    }

    #[test]
    fn the_page_says_what_the_table_says() {
        let table = printed();
        assert!(PAGE.contains(&table), "docs/limits.md must have this table:\n{table}");
    }
}
