//! The labels of the plugins that decide and speak now, by stage.

use handoff_pipeline::plugin_report::PluginReport;

use crate::operations::Operations;

impl Operations {
    /// In the order of the line.
    ///
    /// # Errors
    /// When a plugin cannot be found or loaded any more.
    pub fn plugin_reports(&self) -> anyhow::Result<Vec<(String, PluginReport)>> {
        let (current, ways) = (self.pipeline.deployments.current(), self.pipeline.egress.ways());
        let stages = current.workflow().stages.iter();
        stages.map(|stage| Ok((stage.key.to_string(), self.pipeline.installer.label(stage, &ways)?))).collect()
    }
}
