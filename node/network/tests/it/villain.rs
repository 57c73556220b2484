//! A peer with an allowed key that speaks libp2p as it likes.

use std::time::Duration;

use futures::{AsyncReadExt as _, StreamExt as _};
use libp2p::identity::Keypair;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol, SwarmBuilder, noise, ping, tcp, yamux};
use libp2p_stream::{Control, IncomingStreams};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::node::{CHAIN, Node, PATIENCE, secret};

#[derive(NetworkBehaviour)]
struct Behaviour {
    streams: libp2p_stream::Behaviour,
    ping: ping::Behaviour,
}

/// Connected to one node; dials it again whenever it hangs up.
pub struct Villain {
    control: Control,
    target: PeerId,
    connected: watch::Receiver<bool>,
    task: JoinHandle<()>,
    /// The streams that the node opens to us.
    pub consensus: IncomingStreams,
}

impl Villain {
    pub async fn start(number: u8, target: &Node) -> Self {
        let keypair = Keypair::ed25519_from_bytes(secret(number).to_seed()).unwrap();
        let security = |keypair: &Keypair| {
            noise::Config::new(keypair).map(|noise| noise.with_prologue(CHAIN.0.0.to_vec()))
        };
        let mut swarm = SwarmBuilder::with_existing_identity(keypair)
            .with_tokio()
            .with_tcp(tcp::Config::new(), security, yamux::Config::default)
            .unwrap()
            .with_behaviour(|_| Behaviour {
                streams: libp2p_stream::Behaviour::new(),
                ping: ping::Behaviour::default(),
            })
            .unwrap()
            .with_swarm_config(|swarm| {
                swarm.with_idle_connection_timeout(Duration::from_secs(3600))
            })
            .build();
        let mut control = swarm.behaviour().streams.new_control();
        let consensus = control.accept(protocol("consensus")).unwrap();
        let socket = target.network.listen_address();
        let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/{}", socket.port()).parse().unwrap();
        swarm.dial(address.clone()).unwrap();
        let (told, connected) = watch::channel(false);
        let task = tokio::spawn(async move {
            loop {
                match swarm.select_next_some().await {
                    SwarmEvent::ConnectionEstablished { .. } => {
                        told.send_replace(true);
                    }
                    SwarmEvent::ConnectionClosed { .. }
                    | SwarmEvent::OutgoingConnectionError { .. } => {
                        told.send_replace(false);
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        swarm.dial(address.clone()).unwrap();
                    }
                    _ => {}
                }
            }
        });
        let target = node_network::peer_id(&target.key).parse().unwrap();
        let mut villain = Self { control, target, connected, task, consensus };
        villain.wait_connected(true).await;
        villain
    }

    pub async fn wait_connected(&mut self, connected: bool) {
        let wait = self.connected.wait_for(|now| *now == connected);
        tokio::time::timeout(PATIENCE, wait).await.unwrap().unwrap();
    }

    /// Takes the next stream that the node opens to us on a lane.
    pub async fn accept_lane(incoming: &mut IncomingStreams) -> Stream {
        let next = tokio::time::timeout(PATIENCE, incoming.next()).await;
        next.expect("the node opened no stream").unwrap().1
    }

    /// Opens a stream for requests.
    pub async fn open(&mut self, name: &str) -> Option<Stream> {
        self.control.open_stream(self.target, protocol(name)).await.ok()
    }

    /// Opens a lane and waits for the byte that says it is read.
    pub async fn open_lane(&mut self, lane: &str) -> Option<Stream> {
        let mut stream = self.open(lane).await?;
        stream.read_exact(&mut [0; 1]).await.ok()?;
        Some(stream)
    }
}

fn protocol(name: &str) -> StreamProtocol {
    StreamProtocol::try_from_owned(format!("/sluice/0707070707070707/{name}/2")).unwrap()
}

impl Drop for Villain {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads until the other side ends the stream, one way or another.
pub async fn wait_ended(stream: &mut Stream) {
    let mut bytes = [0; 64];
    let ended = async { while matches!(stream.read(&mut bytes).await, Ok(1..)) {} };
    tokio::time::timeout(PATIENCE, ended).await.expect("the stream was not ended");
}
