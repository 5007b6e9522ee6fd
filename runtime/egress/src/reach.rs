//! What each endpoint lets through, as configuration says it: for whoever asks what a plugin may reach.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::endpoint::{EndpointConfig, HttpMethod};

/// The ways out of an instance, by endpoint; none where no configuration is at hand.
pub type EndpointSummaries = BTreeMap<String, EndpointSummary>;

/// Where an endpoint leads, and what may be asked there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointSummary {
    pub url: String,
    /// All of them when empty.
    pub methods: Vec<String>,
    /// With everything under them; all of them when empty.
    pub paths: Vec<String>,
    /// Without one, no patient data goes there.
    pub agreement: Option<String>,
    /// By name: Handoff shows them there, and no plugin does.
    pub secrets: Vec<String>,
}

impl EndpointSummary {
    pub fn of(config: &EndpointConfig, secrets: impl Iterator<Item = String>) -> EndpointSummary {
        EndpointSummary {
            url: config.url.clone(),
            methods: config.methods.iter().map(|method| HttpMethod::name(*method).to_owned()).collect(),
            paths: config.paths.clone(),
            agreement: config.baa.as_ref().map(|baa| baa.reference.clone()),
            secrets: secrets.collect(),
        }
    }
}
