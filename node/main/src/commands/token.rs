//! `sluice token`: makes, lists and revokes the tokens of a node's callers (docs/access.md).

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use rpc_api::TokenScope;
use rpc_client::operations::now;
use rpc_server::{Token, TokenRecord, TokensFile};
use serde::Serialize;
use serde_json::json;

use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::Output;

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// The longest life of a token, in days.
const DAYS_MAX: u64 = 3_660;

/// Arguments of `sluice token`.
#[derive(Debug, Args)]
pub struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token: its hash goes to the node's file, the token to a file for its holder.
    New(NewArgs),
    /// List the tokens of a node's file, and which of them hold.
    List(ListArgs),
    /// Revoke a token: a node refuses it within a second.
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
The holder's file has mode 0600 and is never overwritten; the node's file keeps a hash of the secret
and can never show it again. The node reads its file again within a second. Comments that people
wrote into the file are not kept: use --comment.

  sluice token new --file tokens.toml --out gateway-201.token --scope gateway --participant 201")]
struct NewArgs {
    /// The node's file of tokens; it is made if there is none.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// The new file for the holder; it must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A scope that the token grants; may be given several times.
    #[arg(long = "scope", value_name = "SCOPE", required = true, value_parser = scope_of)]
    scopes: Vec<TokenScope>,
    /// A participant that the token acts for, by id; may be given several times.
    #[arg(long = "participant", value_name = "ID")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    participants: Vec<u32>,
    /// A merchant that the token acts for, by id; may be given several times.
    #[arg(long = "merchant", value_name = "ID")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    merchants: Vec<u64>,
    /// The life of the token in days, from now.
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=DAYS_MAX))]
    days: u64,
    /// Cost units a second (docs/limits.md); as many as an address has if it is left out.
    #[arg(long, value_name = "UNITS", value_parser = clap::value_parser!(u32).range(1..))]
    units_per_second: Option<u32>,
    /// A note about the holder.
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit code 0 when every token holds, 1 when one expires within 14 days or \
does not hold any more.")]
struct ListArgs {
    /// The node's file of tokens.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Exit code 0 also when it was revoked before.")]
struct RevokeArgs {
    /// The node's file of tokens.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// The token's id: the 16 digits after sl1_.
    id: String,
}

fn scope_of(text: &str) -> Result<TokenScope, String> {
    TokenScope::of_name(text).ok_or_else(|| {
        let names: Vec<&str> = TokenScope::ALL.iter().map(|scope| scope.name()).collect();
        format!("the scopes are {}", names.join(", "))
    })
}

/// Makes, lists or revokes.
pub fn run(args: &TokenArgs, output: Output) -> anyhow::Result<Exit> {
    match &args.command {
        TokenCommand::New(args) => new(args, output),
        TokenCommand::List(args) => list(args, output),
        TokenCommand::Revoke(args) => revoke(args, output),
    }
}

fn new(args: &NewArgs, output: Output) -> anyhow::Result<Exit> {
    let token = draw()?;
    let expires_ms = now().get().saturating_add(args.days.saturating_mul(DAY_MS));
    let expires = i64::try_from(expires_ms).ok().and_then(TokenRecord::expires_text);
    let expires = expires.context("this machine's clock is past every calendar")?;
    let record = TokenRecord {
        id: token.id().to_owned(),
        sha256: token.secret_hash().to_string(),
        scopes: args.scopes.clone(),
        participants: args.participants.iter().copied().map(u64::from).collect(),
        merchants: args.merchants.clone(),
        expires: expires.clone(),
        units_per_second_max: args.units_per_second,
        revoked: false,
        comment: args.comment.clone(),
    };
    // The holder's file first: a hash whose token is lost would be of no use to anybody.
    write_new(&args.out, &format!("{}\n", token.text()))?;
    let added = TokensFile::change(&args.file, |file| {
        file.tokens.push(record);
        Ok(())
    });
    if let Err(fault) = added {
        // It is a token of no node.
        let _ = std::fs::remove_file(&args.out);
        return Err(fault).exit(Exit::Usage);
    }
    let answer = json!({
        "id": token.id(),
        "file": args.file.display().to_string(),
        "out": args.out.display().to_string(),
        "expires": expires,
    });
    output.answer(&answer, || {
        format!(
            "{}\n{}: for its holder alone, until {expires}\n{}: its hash, for the node",
            token.id(),
            args.out.display(),
            args.file.display()
        )
    })?;
    Ok(Exit::Done)
}

/// Draws a token from the operating system's entropy.
fn draw() -> anyhow::Result<Token> {
    let (mut id, mut secret) = ([0_u8; 8], [0_u8; 32]);
    for bytes in [&mut id[..], &mut secret[..]] {
        getrandom::fill(bytes).map_err(|error| {
            failure(Exit::Fault, format!("the system gives no entropy: {error}"))
        })?;
    }
    Ok(Token::of_bytes(id, secret))
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.with_context(|| path.display().to_string()).exit(Exit::Usage)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.with_context(|| path.display().to_string()).exit(Exit::Fault)
}

/// A token, as `sluice token list` shows it.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    record: &'a TokenRecord,
    /// `good`, `ends-soon`, `expired` or `revoked`.
    standing: &'static str,
}

/// The days before its end in which a token is to be replaced.
const SOON_MS: i64 = 14 * DAY_MS as i64;

fn standing(record: &TokenRecord, now_ms: i64) -> &'static str {
    match record.expires_ms() {
        _ if record.revoked => "revoked",
        Ok(end_ms) if end_ms > now_ms.saturating_add(SOON_MS) => "good",
        Ok(end_ms) if end_ms > now_ms => "ends-soon",
        _ => "expired",
    }
}

fn list(args: &ListArgs, output: Output) -> anyhow::Result<Exit> {
    let file = TokensFile::load(&args.file).exit(Exit::Usage)?;
    let now_ms = i64::try_from(now().get()).unwrap_or(i64::MAX);
    let rows =
        file.tokens.iter().map(|record| Listed { record, standing: standing(record, now_ms) });
    let rows: Vec<Listed<'_>> = rows.collect();
    output.answer(&rows, || rows.iter().map(Listed::text).collect::<Vec<_>>().join("\n"))?;
    Ok(if rows.iter().all(|row| row.standing == "good") { Exit::Done } else { Exit::Negative })
}

impl Listed<'_> {
    fn text(&self) -> String {
        let TokenRecord { id, scopes, participants, merchants, expires, comment, .. } = self.record;
        let scopes: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
        let ids = |ids: &[u64]| ids.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        let mut line = format!("{id}  {:9}  until {expires}  {}", self.standing, scopes.join(","));
        for (name, ids) in [("participants", ids(participants)), ("merchants", ids(merchants))] {
            if !ids.is_empty() {
                line = format!("{line}  {name} {ids}");
            }
        }
        if comment.is_empty() { line } else { format!("{line}  {comment}") }
    }
}

fn revoke(args: &RevokeArgs, output: Output) -> anyhow::Result<Exit> {
    let id = args.id.strip_prefix("sl1_").unwrap_or(&args.id);
    // Who pastes a whole token means its id.
    let id = id.split('_').next().unwrap_or_default();
    let is_there = |file: &TokensFile| file.tokens.iter().any(|record| record.id == id);
    let found = TokensFile::load(&args.file).exit(Exit::Usage)?;
    if !is_there(&found) {
        let message = format!("{} has no token {id}: see sluice token list", args.file.display());
        return Err(failure(Exit::Negative, message));
    }
    let revoked = TokensFile::change(&args.file, |file| {
        for record in file.tokens.iter_mut().filter(|record| record.id == id) {
            record.revoked = true;
        }
        Ok(())
    });
    revoked.exit(Exit::Usage)?;
    let answer = json!({ "id": id, "revoked": true });
    output.answer(&answer, || format!("{id} is revoked; the node refuses it within a second"))?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn args(folder: &Path, out: &str) -> NewArgs {
        NewArgs {
            file: folder.join("tokens.toml"),
            out: folder.join(out),
            scopes: vec![TokenScope::Gateway],
            participants: vec![201],
            merchants: Vec::new(),
            days: 90,
            units_per_second: None,
            comment: "treasury".to_owned(),
        }
    }

    #[test]
    fn a_token_is_made_listed_and_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let output = Output { json: false };
        for out in ["one.token", "two.token"] {
            assert_eq!(new(&args(folder.path(), out), output).unwrap(), Exit::Done);
        }
        let held = std::fs::read_to_string(folder.path().join("one.token")).unwrap();
        let token = Token::parse(held.trim_end()).unwrap();
        let path = folder.path().join("tokens.toml");
        for file in ["tokens.toml", "one.token"] {
            let mode = std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        let file = TokensFile::load(&path).unwrap();
        assert_eq!(file.tokens.len(), 2);
        assert_eq!(file.tokens[0].sha256, token.secret_hash().to_string());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&held.trim_end()[21..]), "no secret: {text}");
        let now_ms = i64::try_from(now().get()).unwrap();
        assert_eq!(standing(&file.tokens[0], now_ms), "good");
        assert_eq!(standing(&file.tokens[0], now_ms + 80 * 86_400_000), "ends-soon");
        assert_eq!(standing(&file.tokens[0], now_ms + 91 * 86_400_000), "expired");
        // The whole token names it as well; the other stays.
        let whole = RevokeArgs { file: path.clone(), id: token.text() };
        for _ in 0..2 {
            assert_eq!(revoke(&whole, output).unwrap(), Exit::Done);
        }
        let file = TokensFile::load(&path).unwrap();
        assert_eq!(file.tokens.iter().map(|one| one.revoked).collect::<Vec<_>>(), [true, false]);
        let unknown = RevokeArgs { file: path, id: "0000000000000000".to_owned() };
        assert!(revoke(&unknown, output).is_err());
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_half_made_stays() {
        let folder = tempfile::tempdir().unwrap();
        let output = Output { json: false };
        std::fs::write(folder.path().join("one.token"), "mine").unwrap();
        assert!(new(&args(folder.path(), "one.token"), output).is_err());
        assert!(!folder.path().join("tokens.toml").exists());
        // A gateway's scope reads own rows, and this token names no party.
        let mut nobody = args(folder.path(), "two.token");
        nobody.participants.clear();
        let error = format!("{:#}", new(&nobody, output).unwrap_err());
        assert!(error.contains("names no party"), "{error}");
        assert!(!folder.path().join("two.token").exists());
        assert!(!folder.path().join("tokens.toml").exists());
    }
}
