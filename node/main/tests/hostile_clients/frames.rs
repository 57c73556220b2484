//! Frames of WebSocket connections that no client may send, and some that it may, each with the
//! close code that RFC 6455 and docs/rpc.md give.

use std::net::SocketAddr;

use serde_json::Value;

use crate::client::{BINARY, CLOSE, CONTINUE, PING, PONG, TEXT, Wire, frame};
use crate::oracle::MESSAGE_BYTES_MAX;
use crate::random::Random;
use crate::stranger::closes_with;
use crate::{Input, Via};

/// Frames, and what they lead to.
#[derive(Debug, Clone)]
pub struct Shape {
    pub bytes: Vec<u8>,
    pub leads_to: LeadsTo,
}

/// The end of a connection after these frames.
#[derive(Debug, Clone)]
pub enum LeadsTo {
    /// A close frame with one of these codes.
    Close(&'static [u16]),
    /// So many answers of JSON-RPC, each with this code, 0 for a result, and no close.
    Answers(usize, i64),
    /// Pongs with these payloads, in order.
    Pongs(Vec<Vec<u8>>),
    /// Either: one answer, or a close with this code.
    AnswerOr(u16),
}

/// Sends frames over a connection of their own, and reads to its end.
pub async fn run(node: SocketAddr, from: u8, shape: &Shape) -> Result<(), String> {
    let mut wire = Wire::open(from, node).await?.upgrade().await?;
    let what = run_over(&mut wire, shape).await;
    what.map_err(|what| format!("{what}: it should lead to {:?}", shape.leads_to))
}

async fn run_over(wire: &mut Wire, shape: &Shape) -> Result<(), String> {
    // It may close before it has read all.
    let _ = wire.send(&shape.bytes).await;
    match &shape.leads_to {
        LeadsTo::Close(codes) => return closes_with(wire, codes).await,
        LeadsTo::Answers(count, code) => {
            for _ in 0..*count {
                let answer = wire.message().await?;
                if code_of(&answer) != *code {
                    return Err(format!("{answer}"));
                }
            }
        }
        LeadsTo::Pongs(payloads) => {
            for payload in payloads {
                let next = wire.frame().await?;
                if next.as_ref() != Some(&(PONG, payload.clone())) {
                    return Err(format!("{next:?}"));
                }
            }
        }
        LeadsTo::AnswerOr(code) => match wire.frame().await? {
            Some((TEXT, _)) => {}
            Some((CLOSE, payload)) if payload.starts_with(&code.to_be_bytes()) => return Ok(()),
            other => return Err(format!("{other:?}")),
        },
    }
    wire.send(&frame(CLOSE, true, &1_000_u16.to_be_bytes())).await?;
    closes_with(wire, &[1_000]).await
}

fn code_of(answer: &Value) -> i64 {
    answer["error"]["code"].as_i64().unwrap_or_default()
}

/// Frames of every kind, with the requests of some calls.
pub fn inputs(requests: &[String], random: &mut Random, rounds: usize) -> Vec<Input> {
    let mut all = Vec::new();
    for round in 0..rounds {
        let request = random.one_of(requests).clone();
        let mut rows = broken(request.as_bytes(), random);
        rows.extend(closes(random));
        rows.extend(sound(request.as_bytes(), random));
        if round == 0 {
            rows.extend(large());
        }
        all.extend(rows.into_iter().map(|(bytes, leads_to)| {
            Input::new("frames", Vec::new(), Via::Frames(Shape { bytes, leads_to }))
        }));
    }
    all
}

type Row = (Vec<u8>, LeadsTo);

const PROTOCOL: LeadsTo = LeadsTo::Close(&[1_002]);
const NOT_TEXT: LeadsTo = LeadsTo::Close(&[1_007]);
const TOO_LARGE: LeadsTo = LeadsTo::Close(&[1_009]);

fn broken(request: &[u8], random: &mut Random) -> Vec<Row> {
    let mut rows = Vec::new();
    for code in 0..16 {
        let sound = frame(code, true, b"ab");
        for bits in 1..8 {
            let mut reserved = sound.clone();
            reserved[0] |= bits << 4;
            rows.push((reserved, PROTOCOL));
        }
        let unmasked = vec![0x80 | code, 0x02, b'a', b'b'];
        rows.push((unmasked, PROTOCOL));
        if matches!(code, 3..=7 | 11..=15) {
            rows.push((sound, PROTOCOL));
            rows.push((frame(code, false, request), PROTOCOL));
        }
        if matches!(code, CLOSE | PING | PONG) {
            rows.push((frame(code, false, b""), PROTOCOL));
            for len in [126, 127, 1_000, 65_535, 65_536] {
                rows.push((frame(code, true, &random.bytes(len)), PROTOCOL));
            }
        }
    }
    let (head, tail) = request.split_at(random.below(request.len()));
    rows.extend([
        (frame(CONTINUE, true, request), PROTOCOL),
        (frame(CONTINUE, false, request), PROTOCOL),
        ([frame(TEXT, false, head), frame(TEXT, true, tail)].concat(), PROTOCOL),
        ([frame(TEXT, false, head), frame(BINARY, false, tail)].concat(), PROTOCOL),
        ([frame(PING, true, b""), frame(CONTINUE, true, tail)].concat(), PROTOCOL),
        (frame(TEXT, true, b"\"\xff\""), NOT_TEXT),
        (frame(TEXT, true, b"\xc3"), NOT_TEXT),
        (frame(TEXT, true, b"\xed\xa0\x80"), NOT_TEXT),
        ([frame(TEXT, false, b"\xf4"), frame(CONTINUE, true, b"\x90\x80\x80")].concat(), NOT_TEXT),
        // The highest bit of a length of 64 bits must be zero.
        (
            vec![0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
            LeadsTo::Close(&[1_002, 1_009]),
        ),
        (vec![0x81, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 1, 0, 0, 0, 0], TOO_LARGE),
    ]);
    // A length that has a shorter form.
    let len = request.len() as u64;
    let mut wide = vec![0x81, 0xff];
    wide.extend(len.to_be_bytes());
    wide.extend([0; 4]);
    wide.extend(request);
    rows.push((wide, LeadsTo::AnswerOr(1_002)));
    rows
}

/// Close frames: RFC 6455, sections 5.5.1 and 7.4.
fn closes(random: &mut Random) -> Vec<Row> {
    let close =
        |code: u16, reason: &[u8]| frame(CLOSE, true, &[&code.to_be_bytes(), reason].concat());
    let mut rows = vec![
        (frame(CLOSE, true, b""), LeadsTo::Close(&[1_000, 1_005])),
        (frame(CLOSE, true, b"\x03"), PROTOCOL),
        (close(1_000, b"\xff"), NOT_TEXT),
        (close(1_000, &[b'x'; 123]), LeadsTo::Close(&[1_000])),
        ([close(1_000, b""), frame(TEXT, true, b"[]")].concat(), LeadsTo::Close(&[1_000])),
    ];
    for code in [0, 1, 999, 1_004, 1_005, 1_006, 1_015, 5_000, 65_535] {
        rows.push((close(code, b""), PROTOCOL));
    }
    rows.push((close(random.below(1_000) as u16, b""), PROTOCOL));
    for (code, codes) in [
        (1_001, &[1_000, 1_001]),
        (1_003, &[1_000, 1_003]),
        (1_011, &[1_000, 1_011]),
        (3_000, &[1_000, 3_000]),
        (4_999, &[1_000, 4_999]),
    ] {
        rows.push((close(code, b"why"), LeadsTo::Close(codes)));
    }
    rows
}

fn sound(request: &[u8], random: &mut Random) -> Vec<Row> {
    let (head, tail) = request.split_at(random.below(request.len()));
    let pings: Vec<Vec<u8>> = (0..100).map(|_| random.bytes(8)).collect();
    let flood: Vec<u8> = pings.iter().flat_map(|payload| frame(PING, true, payload)).collect();
    let empty = frame(CONTINUE, false, b"").repeat(100);
    vec![
        (flood, LeadsTo::Pongs(pings)),
        (frame(PING, true, &[7; 125]), LeadsTo::Pongs(vec![vec![7; 125]])),
        (
            [frame(PONG, true, b"nobody asked").repeat(50), frame(TEXT, true, request)].concat(),
            LeadsTo::Answers(1, 0),
        ),
        (
            [frame(TEXT, false, head), empty, frame(CONTINUE, true, tail)].concat(),
            LeadsTo::Answers(1, 0),
        ),
        (
            [frame(BINARY, false, head), frame(PONG, true, b""), frame(CONTINUE, true, tail)]
                .concat(),
            LeadsTo::Answers(1, 0),
        ),
        (frame(TEXT, true, request).repeat(20), LeadsTo::Answers(20, 0)),
        (frame(TEXT, true, b"").repeat(100), LeadsTo::Answers(100, -32_700)),
        (frame(TEXT, true, b"x").repeat(100), LeadsTo::Answers(100, -32_700)),
        (frame(BINARY, true, b"\xff\xff"), LeadsTo::Answers(1, -32_700)),
        (frame(TEXT, true, b"[]").repeat(10), LeadsTo::Answers(10, -32_600)),
    ]
}

/// Messages about as large as may be, whole and in fragments.
fn large() -> Vec<Row> {
    let part = vec![b' '; MESSAGE_BYTES_MAX / 4];
    let parts = |last: &[u8]| {
        let middle = frame(CONTINUE, false, &part).repeat(3);
        [frame(TEXT, false, &part), middle, frame(CONTINUE, true, last)].concat()
    };
    vec![
        (parts(b""), LeadsTo::Answers(1, -32_700)),
        (parts(b"x"), TOO_LARGE),
        (frame(TEXT, true, &vec![b' '; MESSAGE_BYTES_MAX]), LeadsTo::Answers(1, -32_700)),
        (frame(TEXT, true, &vec![b' '; MESSAGE_BYTES_MAX + 1]), TOO_LARGE),
    ]
}
