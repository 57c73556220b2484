//! The libp2p stack: TCP, noise with the chain id as prologue, yamux, and the behaviours on top.

use std::sync::Arc;
use std::time::Duration;

use chain_types::{ChainId, PublicKey};
use libp2p::core::Transport as _;
use libp2p::core::upgrade::Version;
use libp2p::identity::{Keypair, ed25519};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{
    PeerId, StreamProtocol, Swarm, SwarmBuilder, allow_block_list, connection_limits, identify,
    noise, ping, tcp, yamux,
};
use prometheus_client::registry::Registry;

use crate::config::{Limits, NetworkConfig};
use crate::exchange::Exchange;
use crate::fault::NetworkFault;
use crate::gate::{Gate, Gated};
use crate::lane::Lane;
use crate::muxer::Upgrade;

/// Streams on one connection: lanes, requests, identify and ping, with room to spare.
const STREAMS_MAX: usize = 128;
/// Connections live as long as their peers; broken ones are found by probing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);

/// The behaviours of every connection. Those that may refuse a connection stand first.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) allowed: allow_block_list::Behaviour<allow_block_list::AllowedPeers>,
    pub(crate) limits: connection_limits::Behaviour,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub(crate) streams: libp2p_stream::Behaviour,
    pub(crate) exchange: request_response::Behaviour<Exchange>,
}

/// The protocol of `lane` on this chain.
pub(crate) fn lane_protocol(
    chain_id: &ChainId,
    lane: Lane,
) -> Result<StreamProtocol, NetworkFault> {
    protocol(chain_id, lane.name())
}

fn protocol(chain_id: &ChainId, name: &str) -> Result<StreamProtocol, NetworkFault> {
    let chain = chain_id.to_string();
    StreamProtocol::try_from_owned(format!("/sluice/{}/{name}/2", &chain[..16]))
        .map_err(|error| NetworkFault::Transport(error.to_string()))
}

/// libp2p's name for the holder of `key`, or `None` if the bytes are no key.
pub(crate) fn peer_id_of(key: &PublicKey) -> Option<PeerId> {
    let key = ed25519::PublicKey::try_from_bytes(&key.bytes()).ok()?;
    Some(libp2p::identity::PublicKey::from(key).to_peer_id())
}

/// The stack, not yet listening, which lets `allowed` in through `gate`.
pub(crate) fn build(
    config: &NetworkConfig,
    allowed: &[PeerId],
    gate: &Arc<Gate>,
    registry: &mut Registry,
) -> Result<Swarm<Behaviour>, NetworkFault> {
    let transport = |error: &dyn std::error::Error| NetworkFault::Transport(error.to_string());
    let keypair =
        Keypair::ed25519_from_bytes(config.key.to_seed()).map_err(|error| transport(&error))?;
    let behaviour = behaviour(config, allowed, &keypair)?;
    let chain_id = config.chain_id.digest().bytes().to_vec();
    let encryption = noise::Config::new(&keypair).map_err(|error| transport(&error))?;
    let mut multiplexer = yamux::Config::default();
    multiplexer.set_max_num_streams(STREAMS_MAX);
    let links = tcp::tokio::Transport::new(tcp::Config::new().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(encryption.with_prologue(chain_id))
        .multiplex(Upgrade(multiplexer))
        .boxed();
    let gated = Gated::new(links, Arc::clone(gate));
    let builder = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_other_transport(|_| gated)
        .map_err(|error| transport(&error))?
        .with_bandwidth_metrics(registry)
        .with_behaviour(|_| behaviour)
        .map_err(|error| transport(&error))?;
    Ok(builder
        .with_swarm_config(|swarm| swarm.with_idle_connection_timeout(IDLE_TIMEOUT))
        .with_connection_timeout(config.limits.connect_timeout)
        .build())
}

fn behaviour(
    config: &NetworkConfig,
    allowed: &[PeerId],
    keypair: &Keypair,
) -> Result<Behaviour, NetworkFault> {
    let limits = &config.limits;
    let bounds = connection_limits(limits, allowed.len());
    let mut list = allow_block_list::Behaviour::default();
    for id in allowed {
        list.allow_peer(*id);
    }
    let exchange = Exchange {
        request_bytes_max: limits.request_bytes_max,
        response_bytes_max: limits.response_bytes_max,
    };
    let sync = protocol(&config.chain_id, "sync")?;
    let exchange_config = request_response::Config::default()
        .with_request_timeout(limits.request_timeout)
        // More than a link may have: one that opens too many breaks the rules of the link.
        .with_max_concurrent_streams(2 * STREAMS_MAX);
    Ok(Behaviour {
        allowed: list,
        limits: connection_limits::Behaviour::new(bounds),
        identify: identify::Behaviour::new(
            identify::Config::new("/sluice/2".to_owned(), keypair.public())
                .with_agent_version(concat!("sluice/", env!("CARGO_PKG_VERSION")).to_owned())
                .with_hide_listen_addrs(true)
                .with_cache_size(0),
        ),
        ping: ping::Behaviour::new(
            ping::Config::new()
                .with_interval(limits.ping_interval)
                .with_timeout(limits.ping_timeout),
        ),
        streams: libp2p_stream::Behaviour::new(),
        exchange: request_response::Behaviour::with_codec(
            exchange,
            [(sync, ProtocolSupport::Full)],
            exchange_config,
        ),
    })
}

/// Returns the limits for the connections that `peers` allowed peers may open together.
pub(crate) fn connection_limits(
    limits: &Limits,
    peers: usize,
) -> connection_limits::ConnectionLimits {
    let peers = u32::try_from(peers).unwrap_or(u32::MAX);
    let all = peers.saturating_mul(limits.connections_per_peer_max);
    // The gate bounds those that are pending.
    connection_limits::ConnectionLimits::default()
        .with_max_established_per_peer(Some(limits.connections_per_peer_max))
        .with_max_established(Some(all.min(limits.connections_max)))
}
