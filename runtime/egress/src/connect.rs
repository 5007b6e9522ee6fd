//! A connection to an endpoint's server, by the rules that a request to it goes by.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::address_guard::NoAddress;
use crate::egress::Egress;
use crate::endpoint::Endpoint;

/// A server on the practice's own network answers at once; a vendor's within a second. Whoever asks is waiting.
const ASKED_WITHIN: Duration = Duration::from_secs(3);

/// Why an endpoint's server cannot be connected to.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    #[error("the configuration has no endpoint {0:?}")]
    NoSuchEndpoint(String),
    #[error("{host} cannot be reached: {why}")]
    NoAddress { host: String, why: NoAddress },
    #[error("{host} is not resolved within {} s", within.as_secs())]
    Unresolved { host: String, within: Duration },
    #[error("{address} does not take a connection: {why}")]
    Refused { address: SocketAddr, why: std::io::Error },
    #[error("{address} does not take a connection within {} s", within.as_secs())]
    Silent { address: SocketAddr, within: Duration },
}

/// Tries the addresses that the endpoint may reach, in the resolver's order, for so long each.
pub(crate) async fn connect(endpoint: &Endpoint, within: Duration) -> Result<TcpStream, Unreachable> {
    let host = endpoint.host();
    let resolved = timeout(within, endpoint.reach.resolve(host, endpoint.port())).await;
    let mut failed = Unreachable::Unresolved { host: host.into(), within };
    let addresses = resolved.unwrap_or(Ok(Vec::new()));
    for address in addresses.map_err(|why| Unreachable::NoAddress { host: host.into(), why })? {
        failed = match timeout(within, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(why)) => Unreachable::Refused { address, why },
            Err(_) => Unreachable::Silent { address, within },
        };
    }
    Err(failed)
}

impl Egress {
    /// Connects to an endpoint's server and hangs up; nothing is said to it.
    ///
    /// # Errors
    /// When its name leads to no address that the endpoint may reach, or nobody takes the connection there.
    pub async fn reachable(&self, endpoint: &str) -> Result<(), Unreachable> {
        let endpoint = self.endpoint(endpoint).ok_or_else(|| Unreachable::NoSuchEndpoint(endpoint.into()))?;
        connect(endpoint, ASKED_WITHIN).await.map(drop)
    }
}
