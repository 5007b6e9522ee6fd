//! Pages over a practice that was lived through: on this machine alone, with a link for each role that signs its owner in.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context as _;
use handoff_identity::account::AccountName;
use handoff_identity::accounts::{ChangedBy, NewAccount};
use handoff_identity::password::Password;
use handoff_identity::role::Role;
use handoff_ingress::http::Scheme;
use handoff_ingress::listener::{Listener, ListenerProtection};
use handoff_operations::operations::Operations;
use handoff_store::index::ReferralFilter;
use handoff_vault::system_dice;
use handoff_web::api::Api;
use handoff_web::pages::sign_in::SignInLinks;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::service;

/// Who works at the practice that is shown.
const PEOPLE: [(Role, &str); 5] = [
    (Role::Coordinator, "rosa.delgado"),
    (Role::Physician, "josephine.whitlock"),
    (Role::Manager, "marcus.lindqvist"),
    (Role::It, "jo.park"),
    (Role::Auditor, "tom.whitfield"),
];

pub struct Demonstration {
    /// A role, and the address that signs its owner in.
    pub links: Vec<(Role, String)>,
    api: Api,
    listener: Listener,
    tcp: TcpListener,
}

impl Demonstration {
    /// Makes an account for each role, and listens.
    ///
    /// # Errors
    /// When an account cannot be made, or nothing be listened on.
    pub async fn prepare(operations: Arc<Operations>) -> anyhow::Result<Demonstration> {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (listener, tcp, address) = service::open("demonstration", loopback, &ListenerProtection::default()).await?;
        // Browsers keep `Secure` cookies of this name without TLS.
        let url = format!("http://localhost:{}", address.port());
        let hired = Arc::clone(&operations);
        let tokens = tokio::task::spawn_blocking(move || hire(&hired)).await.context("no accounts")??;
        let mut known = SignInLinks::default();
        let mut links = Vec::new();
        for (role, name, token) in tokens {
            known.add(name, &token);
            links.push((role, format!("{url}/sign-in/link/{token}")));
        }
        let api = Api::new(operations, Some(url), Scheme::Http, None).with_links(known);
        Ok(Demonstration { links, api, listener, tcp })
    }

    /// Shows it until then.
    pub async fn serve_until(self, end: impl Future<Output = ()>) {
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(self.api.serve(self.listener, self.tcp, stopped));
        end.await;
        // Nobody listening means that it has ended already.
        let _told = stop.send(true);
        if let Err(error) = serving.await {
            tracing::error!(%error, "the pages ended early");
        }
    }
}

fn hire(operations: &Operations) -> anyhow::Result<Vec<(Role, &'static str, String)>> {
    let index = operations.pipeline.store.index();
    let first = index.referrals(&ReferralFilter::default(), None, 1)?.into_iter().next();
    let referral = first.map(|listed| index.referral(&listed.id)).transpose()?.flatten();
    let physician = referral.map(|referral| referral.facts.order.referring.id.clone());
    let by = ChangedBy { who: "demo", why: "to look around" };
    let mut dice = system_dice();
    let mut hired = Vec::new();
    for (role, name) in PEOPLE {
        let provider = (role == Role::Physician).then(|| physician.clone()).flatten();
        if role == Role::Physician && provider.is_none() {
            continue;
        }
        let new =
            NewAccount { name: name.parse::<AccountName>()?, role, provider, password: None, second_factor: false };
        operations.people.add(new, by, &|record| operations.commit(record))?;
        hired.push((role, name, Password::generate(&mut *dice).as_str().to_string()));
    }
    Ok(hired)
}
