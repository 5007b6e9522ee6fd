//! Whether an endpoint's server takes connections, by the rules that a request to it would go by. Nothing is said to it.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::egress::Egress;

/// A server on the practice's own network answers at once; a vendor's within a second. Whoever asks is waiting.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Why an endpoint's server cannot be connected to.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    #[error("the configuration has no endpoint {0:?}")]
    NoSuchEndpoint(String),
    #[error("{host} cannot be reached: {why}")]
    NoAddress { host: String, why: String },
    #[error("{address} does not take a connection: {why}")]
    NoConnection { address: std::net::SocketAddr, why: String },
}

impl Egress {
    /// Connects to an endpoint's server and hangs up.
    ///
    /// # Errors
    /// When its name leads to no address that the endpoint may reach, or nobody takes the connection there.
    pub async fn reachable(&self, endpoint: &str) -> Result<(), Unreachable> {
        let Some(endpoint) = self.endpoint(endpoint) else {
            return Err(Unreachable::NoSuchEndpoint(endpoint.into()));
        };
        let host = endpoint.host().to_string();
        let late = || format!("no answer within {} s", ANSWER_WITHIN.as_secs());
        let resolved = timeout(ANSWER_WITHIN, endpoint.reach.resolve(&host, endpoint.port())).await;
        let addresses = match resolved {
            Ok(Ok(addresses)) => addresses,
            Ok(Err(error)) => return Err(Unreachable::NoAddress { host, why: error.to_string() }),
            Err(_) => return Err(Unreachable::NoAddress { host, why: late() }),
        };
        let mut failed = Unreachable::NoAddress { host, why: "the name leads to no address".into() };
        for address in addresses {
            let why = match timeout(ANSWER_WITHIN, TcpStream::connect(address)).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => error.to_string(),
                Err(_) => late(),
            };
            failed = Unreachable::NoConnection { address, why };
        }
        Err(failed)
    }
}
