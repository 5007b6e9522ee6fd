//! Watches the workflow that the configuration names. A change is applied once it has been quiet for a moment, like any other
//! candidate; one that may not take effect is said aloud and left aside.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use handoff_engine::error_chain::Chain;
use handoff_engine::ids::Digest;
use handoff_store::Origin;
use tokio::sync::watch;

use super::{Act, Candidate, ChangeError, THE_INSTANCE, examine, put_in_force};
use crate::deployments::{Keep, SetAside};
use crate::pipeline::Pipeline;

/// An editor saves in several strokes and a copy takes a moment: what has not changed between two looks is whole.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The folders beside the workflow whose files belong to it.
const BESIDE: [&str; 4] = [".", "templates", "settings", "scenarios"];

/// Sizes and times of change of all that belongs to a workflow: cheap to look at, every second.
type Traces = Vec<(PathBuf, u64, Option<SystemTime>)>;

/// Watches until told to stop.
pub async fn keep(file: PathBuf, pipeline: Arc<Pipeline>, mut stopped: watch::Receiver<bool>) {
    let mut seen = traces(&file);
    let mut applied = digest(&file);
    let mut changing = false;
    loop {
        tokio::select! {
            // An error means that the sender is gone, and then it is time to stop as well.
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let now = traces(&file);
        if now != seen {
            (seen, changing) = (now, true);
            continue;
        }
        if !std::mem::take(&mut changing) {
            continue;
        }
        let present = digest(&file);
        if present == applied {
            continue;
        }
        applied = present;
        let (file, pipeline) = (file.clone(), Arc::clone(&pipeline));
        if let Err(error) = tokio::task::spawn_blocking(move || take_up(&file, &pipeline)).await {
            tracing::error!(%error, "a changed workflow could not be taken up");
        }
    }
}

fn take_up(file: &Path, pipeline: &Pipeline) {
    let act = Act { origin: Origin::Configured, who: THE_INSTANCE.into(), why: format!("{} changed", file.display()) };
    let taken = Candidate::read(file)
        .map_err(ChangeError::from)
        .and_then(|candidate| examine(pipeline, candidate, Keep::Yes))
        .and_then(|ready| put_in_force(pipeline, ready, act));
    pipeline.deployments.set_aside(match taken {
        Ok(_) | Err(ChangeError::InForce(_)) => None,
        Err(error) => {
            let (at, file) = (pipeline.clock.now(), file.display().to_string());
            Some(SetAside { at, file, why: Chain(&error).to_string() })
        }
    });
}

/// Of what the files say; absent while one of them cannot be read.
fn digest(file: &Path) -> Option<Digest> {
    let candidate = Candidate::read(file).ok()?;
    serde_json::to_vec(&candidate).ok().map(|bytes| Digest::of(&bytes))
}

fn traces(file: &Path) -> Traces {
    let folder = file.parent().unwrap_or(Path::new("."));
    let folders = BESIDE.iter().map(|name| fs::read_dir(folder.join(name)));
    let entries = folders.flatten().flatten().flatten();
    let trace = |entry: fs::DirEntry| {
        let meta = entry.metadata().ok()?;
        meta.is_file().then(|| (entry.path(), meta.len(), meta.modified().ok()))
    };
    let mut traces: Traces = entries.filter_map(trace).collect();
    traces.sort();
    traces
}
