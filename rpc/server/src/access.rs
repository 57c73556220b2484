//! Decides who may call which method. A caller is anonymous or shows a token; a token grants scopes
//! for the parties that it names. The scope of each method stands in the interface's table.
//!
//! The file of tokens is looked at every second. What changed counts for the next call, also of a
//! connection that stands; a file that cannot be used changes nothing and is logged.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use chain_types::Digest;
use hyper::{HeaderMap, header};
use jsonrpsee::types::ErrorObjectOwned;
use rpc_api::{ApiError, OwnParties, Rows, Scope, TokenScope, api_error, methods};
use tokio_util::sync::CancellationToken;

use crate::tokens::{TOKEN_PREFIX, Token, TokensFault, TokensFile};

/// The time between two looks at the file.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The sub-protocol of a WebSocket that shows a token as its second one.
pub(crate) const SUB_PROTOCOL: &str = "sluice.v1";
/// The first 16 bits of the accounts of principals. The block 0000::/8 is reserved (RFC 4291), so
/// that no client has such an address.
const PRINCIPALS: u128 = 0x0053 << 112;

/// The account of calls at the operator's listener: the last of the principals' addresses.
pub(crate) const OPERATOR_ACCOUNT: IpAddr =
    IpAddr::V6(Ipv6Addr::from_bits(PRINCIPALS | (0xffff_ffff_ffff << 64)));

/// The callers that a server answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AccessRule {
    /// Everybody may call everything: for networks without real money.
    Open,
    /// Everybody may call the methods of the scopes `open` and `public`, and nobody the others.
    #[default]
    Public,
    /// Callers with a token of this file may call what it grants; others those of the scope `open`.
    Tokens(PathBuf),
}

/// A token that a caller shows.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    id: String,
    secret_hash: Digest,
    /// The address that its calls count for.
    account: IpAddr,
}

/// The token of a caller.
#[derive(Debug, Clone, Default)]
pub(crate) enum Credential {
    /// The caller shows none.
    #[default]
    None,
    /// A whole token, which may be unknown.
    Shown(Arc<Shown>),
    /// A text that is no token, or several.
    Malformed,
    /// The caller reached the operator's listener.
    OwnListener,
}

/// A token that the file has.
#[derive(Debug)]
struct Known {
    secret_hash: Digest,
    account: IpAddr,
    scopes: Vec<TokenScope>,
    parties: Arc<OwnParties>,
    expires_ms: i64,
    is_revoked: bool,
    units_per_second_max: Option<u32>,
}

/// The rows that a call may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Rows of every party.
    All,
    /// Rows that name one of these parties.
    Own(Arc<OwnParties>),
}

/// The tokens of a server and the scopes of its methods.
pub(crate) struct Gatekeeper {
    rule: AccessRule,
    scopes: HashMap<&'static str, Scope>,
    known: RwLock<HashMap<String, Known>>,
}

/// Finds the token in a request's head.
pub(crate) fn credential(headers: &HeaderMap) -> Credential {
    let mut found = Vec::new();
    for value in headers.get_all(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
        // Other schemes are for whoever stands before the node.
        if scheme.eq_ignore_ascii_case("bearer") {
            found.push(rest.trim().to_owned());
        }
    }
    for value in headers.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
        let protocols = value.to_str().unwrap_or_default().split(',').map(str::trim);
        found.extend(protocols.filter(|one| one.starts_with(TOKEN_PREFIX)).map(str::to_owned));
    }
    match found.as_slice() {
        [] => Credential::None,
        [one] => Token::parse(one).map_or(Credential::Malformed, |token| {
            Credential::Shown(Arc::new(Shown {
                id: token.id().to_owned(),
                secret_hash: token.secret_hash(),
                account: account_of(token.id()),
            }))
        }),
        _ => Credential::Malformed,
    }
}

/// Returns true if a URL has a token.
pub(crate) fn has_token(uri: &hyper::Uri) -> bool {
    uri.path_and_query().is_some_and(|text| text.as_str().contains(TOKEN_PREFIX))
}

/// The address that the calls of a token count for: budgets and shares hold it like a client's.
fn account_of(id: &str) -> IpAddr {
    let digits = u64::from_str_radix(id, 16).unwrap_or_default();
    // The upper 64 bits are a subscriber; 48 of them are the id's.
    IpAddr::V6(Ipv6Addr::from_bits(PRINCIPALS | (u128::from(digits >> 16) << 64)))
}

/// Compares in a time that does not tell how much is equal.
fn is_same(one: Digest, two: Digest) -> bool {
    let pairs = one.bytes().into_iter().zip(two.bytes());
    std::hint::black_box(pairs.fold(0, |differs, (one, two)| differs | (one ^ two))) == 0
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

impl Gatekeeper {
    /// Reads the file of tokens, if the rule names one.
    ///
    /// # Errors
    /// When that file cannot be used.
    pub(crate) fn open(rule: AccessRule) -> Result<Self, TokensFault> {
        let mut scopes = HashMap::new();
        for method in methods() {
            scopes.insert(method.name, method.scope);
            if let Some(events) = method.subscription {
                // It ends what this very connection has begun.
                scopes.insert(events.unsubscribe, Scope::Open);
            }
        }
        let keeper = Self { rule, scopes, known: RwLock::default() };
        if let AccessRule::Tokens(path) = &keeper.rule {
            keeper.take(&TokensFile::load(path)?);
        }
        Ok(keeper)
    }

    fn take(&self, file: &TokensFile) {
        let known = file.tokens.iter().filter_map(|record| {
            let known = Known {
                secret_hash: Digest::from_hex(&record.sha256)?,
                account: account_of(&record.id),
                scopes: record.scopes.clone(),
                parties: Arc::new(OwnParties {
                    participants: record.participants.iter().copied().collect(),
                    merchants: record.merchants.iter().copied().collect(),
                }),
                expires_ms: record.expires_ms().ok()?,
                is_revoked: record.revoked,
                units_per_second_max: record.units_per_second_max,
            };
            Some((record.id.clone(), known))
        });
        let known: HashMap<String, Known> = known.collect();
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// The accounts with a rate of their own, in units a second.
    pub(crate) fn rates(&self) -> HashMap<IpAddr, u32> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let rated = known.values().filter_map(|one| Some((one.account, one.units_per_second_max?)));
        rated.collect()
    }

    /// Looks at the file again and again until `cancel`; `changed` is called after each change.
    pub(crate) async fn watch(self: Arc<Self>, changed: impl Fn(&Self), cancel: CancellationToken) {
        let AccessRule::Tokens(path) = self.rule.clone() else { return };
        let mut last = None;
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = looks.tick() => {}
            }
            let path_read = path.clone();
            // A disk may be slow, and these threads answer clients.
            let read = tokio::task::spawn_blocking(move || TokensFile::load(&path_read));
            let Ok(found) = read.await else { return };
            let found = found.map_err(|fault| fault.to_string());
            if last.as_ref() == Some(&found) {
                continue;
            }
            match &found {
                Ok(file) => {
                    self.take(file);
                    changed(&self);
                    tracing::info!(tokens = file.tokens.len(), "tokens reloaded");
                }
                Err(fault) => tracing::error!(fault, "tokens stay as they were"),
            }
            last = Some(found);
        }
    }

    /// The address that a caller's calls count for: its token's, or else `address`.
    pub(crate) fn account(&self, credential: &Credential, address: IpAddr) -> IpAddr {
        match credential {
            // A token that does not hold is an address's attempt.
            Credential::Shown(shown) if self.check(shown).is_ok() => shown.account,
            _ => address,
        }
    }

    /// Returns the reason why a caller's token is refused, whatever it calls.
    pub(crate) fn refusal(&self, credential: &Credential) -> Option<ApiError> {
        match credential {
            _ if self.rule == AccessRule::Open => None,
            Credential::None | Credential::OwnListener => None,
            Credential::Malformed => Some(ApiError::TokenRefused),
            Credential::Shown(shown) => self.check(shown).err(),
        }
    }

    fn check(&self, shown: &Shown) -> Result<(Vec<TokenScope>, Arc<OwnParties>), ApiError> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        // An unknown id costs the same comparison.
        let one = known.get(&shown.id);
        let expected = one.map_or(Digest::ZERO, |one| one.secret_hash);
        let is_right = is_same(expected, shown.secret_hash);
        match one {
            Some(one) if is_right && one.is_revoked => Err(ApiError::TokenRevoked),
            Some(one) if is_right && one.expires_ms <= now_ms() => Err(ApiError::TokenExpired),
            Some(one) if is_right => Ok((one.scopes.clone(), one.parties.clone())),
            _ => Err(ApiError::TokenRefused),
        }
    }

    /// Decides about a call; `None` for the scope of a name that no method has.
    ///
    /// # Errors
    /// The refusal, with the scopes that would do.
    pub(crate) fn decide(
        &self,
        credential: &Credential,
        method: &str,
    ) -> Result<Sight, (ApiError, ErrorObjectOwned)> {
        if self.rule == AccessRule::Open {
            return Ok(Sight::All);
        }
        let refuse = |error: ApiError, detail: String| Err((error, api_error(error, detail)));
        let scope = self.scopes.get(method).copied().unwrap_or(Scope::Open);
        let (scopes, parties) = match credential {
            Credential::OwnListener => return Ok(Sight::All),
            Credential::None if scope.is_open() => return Ok(Sight::All),
            Credential::None if scope.is_public() && self.rule == AccessRule::Public => {
                return Ok(Sight::All);
            }
            Credential::None => return refuse(ApiError::TokenMissing, needed(scope)),
            Credential::Malformed => return refuse(ApiError::TokenRefused, String::new()),
            Credential::Shown(shown) => match self.check(shown) {
                Ok(granted) => granted,
                Err(error) => return refuse(error, String::new()),
            },
        };
        match scopes.iter().map(|of| scope.rows(*of)).max().unwrap_or(Rows::None) {
            Rows::All => Ok(Sight::All),
            Rows::Own => Ok(Sight::Own(parties)),
            Rows::None if scope.is_public() => Ok(Sight::All),
            Rows::None => refuse(ApiError::ScopeLacking, needed(scope)),
        }
    }
}

/// The scopes that may call a method, for the detail of a refusal.
fn needed(scope: Scope) -> String {
    let all = TokenScope::ALL.iter().filter(|of| scope.rows(**of) != Rows::None);
    let names: Vec<&str> = all.map(|of| of.name()).collect();
    format!("(one of {})", names.join(", "))
}
