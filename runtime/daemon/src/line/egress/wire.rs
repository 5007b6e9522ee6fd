//! Carries what is ready to leave to its endpoint, and brings back what came of it: over sockets, or in a simulation over
//! a network that loses, delays and repeats.

use std::future::Future;
use std::pin::Pin;

use lettre::message::Message;
use zeroize::Zeroizing;

use super::endpoint::Endpoint;
use super::http::{self, Clients, Failed, Received};
use super::mllp;
use super::secrets::Secret;
use super::smtp::{self, Unsaid, Word};

/// On its way.
pub type Carried<'w, Answer> = Pin<Box<dyn Future<Output = Answer> + Send + 'w>>;

/// What a mail server is shown: the user and the password.
pub type Login<'w> = (&'w str, &'w Secret);

/// Everything in what it is given is in clear and in its place: a wire looks at nothing and decides nothing.
pub trait Wire: Send + Sync + 'static {
    /// One request, to the endpoint or to where its access tokens come from. At most `bytes_max` of the answer's body.
    fn http<'w>(
        &'w self,
        endpoint: &'w Endpoint,
        request: reqwest::Request,
        bytes_max: usize,
    ) -> Carried<'w, Result<Received, Failed>>;

    fn mail<'w>(
        &'w self,
        endpoint: &'w Endpoint,
        login: Option<Login<'w>>,
        mail: &'w Message,
    ) -> Carried<'w, Result<Word, Unsaid>>;

    /// One message, and its acknowledgement.
    fn mllp<'w>(&'w self, endpoint: &'w Endpoint, message: &'w str) -> Carried<'w, Result<Zeroizing<Vec<u8>>, Failed>>;
}

/// The real network.
pub struct Sockets {
    clients: Clients,
}

impl Sockets {
    /// # Errors
    /// When no TLS client can be made.
    pub fn new() -> Result<Sockets, reqwest::Error> {
        Ok(Sockets { clients: Clients::new()? })
    }
}

impl Wire for Sockets {
    fn http<'w>(
        &'w self,
        endpoint: &'w Endpoint,
        request: reqwest::Request,
        bytes_max: usize,
    ) -> Carried<'w, Result<Received, Failed>> {
        Box::pin(http::exchange(self.clients.get(endpoint.reach), request, bytes_max))
    }

    fn mail<'w>(
        &'w self,
        endpoint: &'w Endpoint,
        login: Option<Login<'w>>,
        mail: &'w Message,
    ) -> Carried<'w, Result<Word, Unsaid>> {
        Box::pin(smtp::send(endpoint, login, mail))
    }

    fn mllp<'w>(&'w self, endpoint: &'w Endpoint, message: &'w str) -> Carried<'w, Result<Zeroizing<Vec<u8>>, Failed>> {
        Box::pin(mllp::exchange(endpoint, message))
    }
}
