//! What Handoff tells its operators: a log, as text for people or as JSON for machines, and traces for a collector. Both hold
//! tokens only.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_vault::crypto_provider;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::Metadata;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::{Log, LogFormat, Traces};

/// What a collector knows us by.
const SERVICE: &str = "handoff";

/// Sends what it still holds when it is dropped.
#[must_use = "traces end with it"]
pub struct Telemetry(Option<SdkTracerProvider>);

/// Starts logging to standard error, where `RUST_LOG` beats the configuration; and tracing, where a collector is named. A
/// second start changes nothing.
///
/// # Errors
/// When spans cannot be sent to such an address. Whether anybody takes them there is not asked.
pub fn start(log: &Log, traces: Option<&Traces>) -> anyhow::Result<Telemetry> {
    let level = log.level.as_deref().unwrap_or("info");
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let provider = traces.map(provider).transpose()?;
    let spans = provider.as_ref().map(|provider| {
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer(SERVICE));
        let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false);
        layer.with_filter(filter_fn(is_told).with_max_level_hint(LevelFilter::DEBUG))
    });
    let started = tracing_subscriber::registry().with(lines.with_filter(filter)).with(spans).try_init();
    // Only a test starts it twice.
    drop(started);
    Ok(Telemetry(provider))
}

/// Our own spans alone: an event's words are the log's, and other crates do not know what must not be said.
fn is_told(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with(SERVICE)
}

fn provider(traces: &Traces) -> anyhow::Result<SdkTracerProvider> {
    let address = format!("{}/v1/traces", traces.otlp.trim_end_matches('/'));
    crypto_provider::install();
    let exporter = SpanExporter::builder().with_http().with_endpoint(&address).build();
    let exporter = exporter.with_context(|| {
        Failure::new(ErrorCode::TELEMETRY, format!("traces cannot be sent to {address} (`traces: otlp:`)"))
    })?;
    Ok(SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name(SERVICE).build())
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(traces.share))))
        .with_batch_exporter(exporter)
        .build())
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        // A collector that is not there is no reason to end otherwise than well.
        let _unsent = self.0.take().map(|provider| provider.shutdown());
    }
}
