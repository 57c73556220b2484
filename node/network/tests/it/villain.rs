//! A peer with an allowed key that speaks libp2p as it likes.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, StreamExt as _};
use libp2p::core::Endpoint;
use libp2p::core::transport::{DialOpts, PortUse, Transport as _};
use libp2p::core::upgrade::{
    InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo, Version,
};
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
            noise::Config::new(keypair)
                .map(|noise| noise.with_prologue(CHAIN.digest().bytes().to_vec()))
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
        let address = address(target);
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

    /// Proves the key of `number` to `target`, says `bytes` in the place of the streams' protocol,
    /// and waits until the target hangs up.
    pub async fn say_on_link(number: u8, target: &Node, bytes: &[u8]) {
        let keypair = Keypair::ed25519_from_bytes(secret(number).to_seed()).unwrap();
        let security =
            noise::Config::new(&keypair).unwrap().with_prologue(CHAIN.digest().bytes().to_vec());
        let mut transport = tcp::tokio::Transport::new(tcp::Config::new())
            .upgrade(Version::V1Lazy)
            .authenticate(security)
            .multiplex(Saying(bytes.to_vec()))
            .boxed();
        let options = DialOpts { role: Endpoint::Dialer, port_use: PortUse::New };
        let dial = transport.dial(address(target), options).unwrap();
        let ended = tokio::time::timeout(PATIENCE, dial).await.expect("the link stands");
        assert!(ended.is_err());
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

fn address(target: &Node) -> Multiaddr {
    let port = target.network.listen_address().port();
    format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap()
}

/// In the place of yamux: says its bytes, and ends when the other side does.
#[derive(Clone)]
struct Saying(Vec<u8>);

type Said<C> = Pin<Box<dyn Future<Output = io::Result<yamux::Muxer<C>>> + Send>>;

impl Saying {
    fn say<C: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, mut socket: C) -> Said<C> {
        Box::pin(async move {
            socket.write_all(&self.0).await?;
            socket.flush().await?;
            let mut bytes = [0; 64];
            while matches!(socket.read(&mut bytes).await, Ok(1..)) {}
            Err(io::ErrorKind::ConnectionReset.into())
        })
    }
}

impl UpgradeInfo for Saying {
    type Info = &'static str;
    type InfoIter = std::iter::Once<&'static str>;

    fn protocol_info(&self) -> Self::InfoIter {
        std::iter::once("/yamux/1.0.0")
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin + Send + 'static> InboundConnectionUpgrade<C> for Saying {
    type Output = yamux::Muxer<C>;
    type Error = io::Error;
    type Future = Said<C>;

    fn upgrade_inbound(self, socket: C, _: Self::Info) -> Said<C> {
        self.say(socket)
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin + Send + 'static> OutboundConnectionUpgrade<C> for Saying {
    type Output = yamux::Muxer<C>;
    type Error = io::Error;
    type Future = Said<C>;

    fn upgrade_outbound(self, socket: C, _: Self::Info) -> Said<C> {
        self.say(socket)
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
