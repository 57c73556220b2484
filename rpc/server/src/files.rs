//! Fixed files that the public port serves beside JSON-RPC, such as the explorer's pages: each at
//! one path, from memory, by GET and HEAD. A request for one counts as a call of its address.

use std::net::IpAddr;

use hyper::body::Incoming;
use hyper::http::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, header};

use crate::answer::Answer;
use crate::port::{Shared, retry_after, set, text};
use crate::static_file::StaticFile;

/// Headers of every file: what it is may not be guessed, nobody frames it, and no address of it is
/// told to others. It is asked for again each time, and costs nothing while it is the same.
static HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-cache"),
    (header::VARY, "accept-encoding"),
];

/// Answers a request for another path than that of calls.
pub(crate) fn serve(
    shared: &Shared,
    client: IpAddr,
    request: &Request<Incoming>,
) -> Response<Answer> {
    let path = request.uri().path();
    let files = &shared.config.files;
    let Some(file) = files.iter().find(|file| file.path == path) else {
        if let Some(folder) = files.iter().find(|file| file.path.strip_suffix('/') == Some(path)) {
            let mut response = text(StatusCode::PERMANENT_REDIRECT, "It is one slash further.\n");
            set(&mut response, header::LOCATION, folder.path);
            return response;
        }
        return text(
            StatusCode::NOT_FOUND,
            "There is nothing here: JSON-RPC 2.0 is served at /. Health and figures are on the \
             operator's own address.\n",
        );
    };
    if let Err(wait) = shared.dispatcher.budget.take(client) {
        shared.metrics.refused("calls");
        let mut response =
            text(StatusCode::TOO_MANY_REQUESTS, "This address has spent its budget of calls.\n");
        retry_after(&mut response, wait);
        return response;
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response =
            text(StatusCode::METHOD_NOT_ALLOWED, "This is a file: GET or HEAD it.\n");
        set(&mut response, header::ALLOW, "GET, HEAD");
        return response;
    }
    answer(file, request.headers())
}

fn answer(file: &StaticFile, asked: &HeaderMap) -> Response<Answer> {
    let is_known = is_known(file, asked);
    let gzip = file.gzip.as_ref().filter(|_| accepts_gzip(asked));
    let body = match is_known {
        true => Answer::default(),
        false => Answer::file(gzip.unwrap_or(&file.bytes).clone()),
    };
    let mut response = Response::new(body);
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else if gzip.is_some() {
        set(&mut response, header::CONTENT_ENCODING, "gzip");
    }
    for (name, value) in &HEADERS {
        set(&mut response, name.clone(), value);
    }
    set(&mut response, header::CONTENT_TYPE, file.content_type);
    let made = [
        (header::ETAG, entity_tag(file)),
        (header::CONTENT_SECURITY_POLICY, file.content_policy.clone()),
    ];
    for (name, value) in made {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// One tag for both forms of the bytes, hence a weak one (RFC 9110 section 8.8.1).
fn entity_tag(file: &StaticFile) -> String {
    format!("W/\"{}\"", file.tag)
}

/// Returns true if the client has the file already (RFC 9110 section 13.1.2).
fn is_known(file: &StaticFile, asked: &HeaderMap) -> bool {
    let named = asked.get_all(header::IF_NONE_MATCH).iter();
    let mut tags = named.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    tags.any(|tag| {
        let tag = tag.trim();
        let opaque = tag.strip_prefix("W/").unwrap_or(tag);
        let bare = opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        tag == "*" || bare == Some(file.tag.as_str())
    })
}

/// Returns true if a client names gzip among the codings that it accepts, and not to refuse it.
fn accepts_gzip(asked: &HeaderMap) -> bool {
    let named = asked.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings =
        named.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    codings.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let is_refused = parts.any(|part| {
            let weight = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
            weight.is_some_and(|weight| weight.bytes().all(|digit| matches!(digit, b'0' | b'.')))
        });
        is_gzip && !is_refused
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn file() -> StaticFile {
        StaticFile {
            path: "/explorer/",
            content_type: "text/html; charset=utf-8",
            tag: "0123abcd".to_owned(),
            content_policy: "default-src 'none'".to_owned(),
            bytes: Bytes::from_static(b"as it is"),
            gzip: Some(Bytes::from_static(b"packed")),
        }
    }

    fn asked(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    fn body(answer: &Answer) -> Vec<u8> {
        answer.parts().collect::<Vec<_>>().concat()
    }

    #[test]
    fn gzip_is_for_those_who_accept_it() {
        let rows = [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("deflate,gzip", true),
            ("gzip;q=0", false),
            ("gzip; q=0.000", false),
            ("br", false),
            ("x-gzip2", false),
            ("", false),
        ];
        for (value, is_packed) in rows {
            let response = answer(&file(), &asked(header::ACCEPT_ENCODING, value));
            let coding = response.headers().get(header::CONTENT_ENCODING);
            assert_eq!(coding.is_some(), is_packed, "{value}");
            let expected: &[u8] = if is_packed { b"packed" } else { b"as it is" };
            assert_eq!(body(response.body()), expected, "{value}");
        }
    }

    #[test]
    fn who_has_the_file_gets_no_bytes() {
        let rows = [
            ("\"0123abcd\"", true),
            ("W/\"0123abcd\"", true),
            ("\"other\", W/\"0123abcd\"", true),
            ("*", true),
            ("\"0123abc\"", false),
            ("0123abcd", false),
            ("", false),
        ];
        for (value, is_known) in rows {
            let response = answer(&file(), &asked(header::IF_NONE_MATCH, value));
            let expected = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
            assert_eq!(response.status(), expected, "{value}");
            assert_eq!(body(response.body()).is_empty(), is_known, "{value}");
        }
    }

    #[test]
    fn a_browser_is_told_to_be_strict() {
        let response = answer(&file(), &HeaderMap::new());
        let rows = [
            ("content-type", "text/html; charset=utf-8"),
            ("content-security-policy", "default-src 'none'"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("etag", "W/\"0123abcd\""),
            ("vary", "accept-encoding"),
        ];
        for (name, value) in rows {
            let found = response.headers().get(name).and_then(|found| found.to_str().ok());
            assert_eq!(found, Some(value), "{name}");
        }
    }
}
