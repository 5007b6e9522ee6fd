//! Carries what is ready to leave to its endpoint, and brings back what came of it: over sockets, or in a simulation over
//! a network that loses, delays and repeats.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use handoff_vault::secrets::{Secret, Secrets};
use lettre::message::Message;
use zeroize::Zeroizing;

use crate::egress::EgressError;
use crate::endpoint::Endpoint;
use crate::http::{self, Clients, Failed, Received};
use crate::mllp;
use crate::smtp::{self, Unsaid, Word};
use crate::tls::{self, Way};

/// On its way.
pub type Carried<'w, Answer> = Pin<Box<dyn Future<Output = Answer> + Send + 'w>>;

/// What a mail server is shown: the user and the password, or an access token in its place.
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

/// No network: for a copy of an instance that is only looked at.
pub struct NoWayOut;

impl Wire for NoWayOut {
    fn http<'w>(
        &'w self,
        _endpoint: &'w Endpoint,
        _request: reqwest::Request,
        _bytes_max: usize,
    ) -> Carried<'w, Result<Received, Failed>> {
        Box::pin(async { Err(Failed::NotSent) })
    }

    fn mail<'w>(
        &'w self,
        _endpoint: &'w Endpoint,
        _login: Option<Login<'w>>,
        _mail: &'w Message,
    ) -> Carried<'w, Result<Word, Unsaid>> {
        Box::pin(async { Err(Unsaid::NotSent) })
    }

    fn mllp<'w>(
        &'w self,
        _endpoint: &'w Endpoint,
        _message: &'w str,
    ) -> Carried<'w, Result<Zeroizing<Vec<u8>>, Failed>> {
        Box::pin(async { Err(Failed::NotSent) })
    }
}

/// The real network.
pub struct Sockets {
    clients: Clients,
    /// For endpoints with an authority, a certificate or a proxy of their own.
    ways: BTreeMap<String, Way>,
}

impl Sockets {
    /// # Errors
    /// When no TLS client can be made, for one of these endpoints or at all.
    pub fn new(endpoints: &BTreeMap<String, Endpoint>, secrets: &Secrets) -> Result<Sockets, EgressError> {
        let mut ways = BTreeMap::new();
        for (name, endpoint) in endpoints {
            if let Some(way) = tls::way(endpoint, secrets)? {
                ways.insert(name.clone(), way);
            }
        }
        Ok(Sockets { clients: Clients::new()?, ways })
    }
}

impl Wire for Sockets {
    fn http<'w>(
        &'w self,
        endpoint: &'w Endpoint,
        request: reqwest::Request,
        bytes_max: usize,
    ) -> Carried<'w, Result<Received, Failed>> {
        let client = match self.ways.get(&endpoint.name) {
            Some(Way::Http(client)) => client,
            // A mail endpoint's access tokens come over HTTP.
            Some(Way::Mail(_) | Way::Mllp(_)) | None => self.clients.get(endpoint.reach),
        };
        Box::pin(http::exchange(client, request, bytes_max))
    }

    fn mail<'w>(
        &'w self,
        endpoint: &'w Endpoint,
        login: Option<Login<'w>>,
        mail: &'w Message,
    ) -> Carried<'w, Result<Word, Unsaid>> {
        let tls = match self.ways.get(&endpoint.name) {
            Some(Way::Mail(tls)) => Some(tls.as_ref()),
            Some(Way::Http(_) | Way::Mllp(_)) | None => None,
        };
        Box::pin(smtp::send(endpoint, tls, login, mail))
    }

    fn mllp<'w>(&'w self, endpoint: &'w Endpoint, message: &'w str) -> Carried<'w, Result<Zeroizing<Vec<u8>>, Failed>> {
        let handshake = match self.ways.get(&endpoint.name) {
            Some(Way::Mllp(handshake)) => Some(handshake.as_ref()),
            Some(Way::Http(_) | Way::Mail(_)) | None => None,
        };
        Box::pin(mllp::exchange(endpoint, handshake, message))
    }
}
