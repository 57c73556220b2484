//! How many file descriptors a node needs, and whether the system gives them.
//!
//! A descriptor that is missing when the store opens a file stops the node. So what a configuration
//! may need at most is added up before anything is opened, and one that does not fit is refused;
//! and sockets of the public port never take the last [`RESERVE`] descriptors of the process.

use genesis::NodeConfig;
use node_network::Limits as NetworkLimits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use node_console::exit::{Exit, failure};

/// Descriptors that no part is given: standard streams, event queues, the listeners, the consensus
/// log, the vote guard, checkpoints, the index's own files, a backup, look-ups of names.
pub const RESERVE: u64 = 128;
/// Files of the index that are kept open when there are descriptors to spare.
const INDEX_FILES_MAX: u64 = 512;
/// Files of the index that it can work with.
const INDEX_FILES_MIN: u64 = 64;
/// Block files that the store keeps open for readers.
pub const BLOCK_FILES: u64 = 64;
/// At least so many nodes are reckoned with: governance may add some while the node runs.
const NODES_MIN: usize = 16;

/// The most descriptors that each part takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptors {
    /// The limit that the system sets.
    pub limit: u64,
    /// Connections of the public port: `rpc.connections_max`.
    pub public: u64,
    /// Links to other nodes.
    pub links: u64,
    /// Connections at the peer port that have not proven a key.
    pub handshakes: u64,
    /// Files of the index.
    pub index_files: u64,
}

impl Descriptors {
    /// The needs of a node among `nodes` under a configuration, where the system's limit is
    /// `limit`.
    pub fn of(config: &NodeConfig, nodes: usize, limits: &NetworkLimits, limit: u64) -> Self {
        // Twice as many nodes as now, so that the network can grow until the next start.
        let nodes = nodes.max(config.network.peers.len() + 1).saturating_mul(2).max(NODES_MIN);
        let links = nodes as u64 * u64::from(limits.connections_per_peer_max);
        Self {
            limit,
            public: u64::from(config.rpc.connections_max),
            links: links.min(u64::from(limits.connections_max)),
            handshakes: 2 * u64::from(limits.handshakes_max),
            index_files: u64::from(index_files(limit)),
        }
    }

    /// All that the node may need at once.
    pub fn needed(&self) -> u64 {
        self.public + self.others()
    }

    fn others(&self) -> u64 {
        self.links + self.handshakes + self.index_files + BLOCK_FILES + RESERVE
    }

    /// The number from which on a descriptor is kept for the store. The system always gives the
    /// lowest free number, so that a socket with this one says that all below are taken.
    pub fn public_ceiling(&self) -> u64 {
        self.limit.saturating_sub(RESERVE)
    }

    /// Refuses what does not fit.
    ///
    /// # Errors
    /// With the numbers, the setting and the remedy, when more may be needed than the system gives.
    pub fn check(&self) -> anyhow::Result<()> {
        let (needed, limit) = (self.needed(), self.limit);
        if needed <= limit {
            return Ok(());
        }
        let store = self.index_files + BLOCK_FILES;
        let enough = needed - self.index_files + INDEX_FILES_MAX;
        let raise = format!(
            "raise the hard limit to {enough} (`LimitNOFILE={enough}` in the unit of the service, \
             or `ulimit -Hn {enough}`)"
        );
        let remedy = match limit.saturating_sub(self.others()) {
            0 => raise,
            most => format!("set rpc.connections_max to {most} at most, or {raise}"),
        };
        let problem = format!(
            "rpc.connections_max = {}: this configuration may need {needed} file descriptors, and \
             the system gives {limit} (clients {}, links {}, handshakes {}, store {store}, reserve \
             {RESERVE}); {remedy}",
            self.public, self.public, self.links, self.handshakes,
        );
        Err(failure(Exit::Usage, problem))
    }
}

/// Files of the index that may be open where the system gives `limit` descriptors.
pub fn index_files(limit: u64) -> u16 {
    // The bounds fit.
    (limit / 4).clamp(INDEX_FILES_MIN, INDEX_FILES_MAX) as u16
}

/// Raises the process's soft limit of descriptors to its hard one. Returns how many there are.
pub fn raise_limit() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(%error, "limit of file descriptors could not be raised");
    }
    // None means that there is no limit.
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// The descriptors that the process has open; `None` where the system does not say.
pub fn open_now() -> Option<u64> {
    let count = std::fs::read_dir("/proc/self/fd").ok()?.count() as u64;
    // Less the one that was opened to count.
    Some(count.saturating_sub(1))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn config(connections_max: u32) -> NodeConfig {
        let text = format!(
            "name = \"a\"\ngenesis = \"g\"\nhome = \"h\"\nnetwork_key = \"k\"\n\
             [network]\nlisten = \"127.0.0.1:1\"\n\
             [rpc]\nlisten = \"127.0.0.1:2\"\nconnections_max = {connections_max}\n"
        );
        toml::from_str(&text).unwrap()
    }

    fn needs(connections_max: u32, nodes: usize, limit: u64) -> Descriptors {
        Descriptors::of(&config(connections_max), nodes, &NetworkLimits::default(), limit)
    }

    #[test]
    fn what_fits_is_taken_and_what_does_not_is_refused_with_the_remedy() {
        let most = u64::from(u32::MAX);
        // Connections, nodes, limit, and what the refusal must say.
        let table: [(u32, usize, u64, &[&str]); 8] = [
            (1_024, 4, 1_920, &[]),
            (
                1_024,
                4,
                1_024,
                &["1664", "gives 1024", "connections_max to 384", "LimitNOFILE=1920"],
            ),
            (384, 4, 1_024, &[]),
            (385, 4, 1_024, &["1025", "connections_max to 384"]),
            (1, 4, 256, &["gives 256", "raise the hard limit to 897"]),
            (1, 4, 897, &[]),
            (100_000, 256, most, &[]),
            (1_024, 256, 2_048, &["connections_max to 192"]),
        ];
        for (connections, nodes, limit, said) in table {
            let needs = needs(connections, nodes, limit);
            match needs.check() {
                Ok(()) => assert!(said.is_empty(), "{needs:?}"),
                Err(error) => {
                    assert_eq!(Exit::of(&error), Exit::Usage);
                    let error = format!("{error:#}");
                    assert!(!said.is_empty(), "{error}");
                    for word in said {
                        assert!(error.contains(word), "{error} lacks {word}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_named_as_the_most_fits() {
        for limit in (512..4_096).step_by(7) {
            let others = needs(0, 4, limit).others();
            let most = limit.saturating_sub(others);
            assert!(needs(most as u32, 4, limit).check().is_ok(), "{limit}");
            assert!(needs(most as u32 + 1, 4, limit).check().is_err(), "{limit}");
        }
    }

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let limit = raise_limit();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!(current, maximum);
        assert_eq!(limit, maximum.unwrap_or(u64::MAX));
        assert!(open_now().unwrap() < limit);
    }
}
