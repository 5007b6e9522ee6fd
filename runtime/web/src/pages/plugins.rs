//! `/plugins`: what each plugin is and what it may do, read off the component, the workflow and the configuration.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use handoff_pipeline::plugin_report::PluginReport;

use super::frame::{Frame, Visitor, render};
use crate::api::Api;
use crate::api::problem::HttpProblem;
use crate::api::refused;

#[derive(Template)]
#[template(path = "plugins.html")]
struct PluginsPage {
    frame: Frame,
    plugins: Vec<PluginRow>,
}

struct PluginRow {
    stage: String,
    name: String,
    sees: String,
    whose: String,
    tried: String,
    reaches: Vec<String>,
    reads: Vec<String>,
    secrets: Vec<String>,
    limits: String,
    digest: String,
    size: String,
}

impl PluginRow {
    fn of(stage: &str, report: PluginReport) -> PluginRow {
        let posts = &report.posts;
        let reaches = posts.iter().flat_map(|post| &post.reaches).map(ToString::to_string);
        let reads = posts.iter().flat_map(|post| post.reads_in_clear.clone());
        let secrets = posts.iter().flat_map(|post| post.checks_with.iter().cloned());
        PluginRow {
            stage: stage.into(),
            reaches: reaches.collect(),
            reads: reads.collect(),
            secrets: secrets.collect(),
            sees: report.sees.to_string(),
            whose: report.whose.to_string(),
            tried: report.tried.to_string(),
            limits: report.limits.to_string(),
            size: format!("{} KB", report.size_bytes / 1_000),
            name: report.plugin,
            digest: report.digest,
        }
    }
}

pub(super) async fn show(State(api): State<Arc<Api>>, visitor: Visitor) -> Result<Response, HttpProblem> {
    api.work(move |api| {
        let reports = api.operations.plugin_reports().map_err(refused)?;
        let plugins = reports.into_iter().map(|(stage, report)| PluginRow::of(&stage, report)).collect();
        render(&PluginsPage { frame: visitor.frame(api, "Plugins"), plugins })
    })
    .await
}
