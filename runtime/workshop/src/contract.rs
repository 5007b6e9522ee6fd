//! The contract as it travels with the binary: an author needs nothing of this repository.

use std::fs;
use std::path::Path;

use wit_parser::{Resolve, WorldId};

use handoff_host::WitWorld;

use crate::error::WorkshopError;

/// Each file of `wit/` and its text.
const FILES: [(&str, &str); 11] = [
    ("channel.wit", include_str!("../../../wit/channel.wit")),
    ("chart.wit", include_str!("../../../wit/chart.wit")),
    ("escalation.wit", include_str!("../../../wit/escalation.wit")),
    ("network.wit", include_str!("../../../wit/network.wit")),
    ("outreach.wit", include_str!("../../../wit/outreach.wit")),
    ("records.wit", include_str!("../../../wit/records.wit")),
    ("reply.wit", include_str!("../../../wit/reply.wit")),
    ("trigger.wit", include_str!("../../../wit/trigger.wit")),
    ("turn.wit", include_str!("../../../wit/turn.wit")),
    ("types.wit", include_str!("../../../wit/types.wit")),
    ("visit.wit", include_str!("../../../wit/visit.wit")),
];

pub(crate) fn write(folder: &Path) -> Result<(), WorkshopError> {
    fs::create_dir_all(folder).map_err(WorkshopError::file(folder))?;
    for (name, text) in FILES {
        let path = folder.join(name);
        fs::write(&path, text).map_err(WorkshopError::file(&path))?;
    }
    Ok(())
}

/// A stage's world as its author's copy of the contract has it.
pub(crate) fn world(folder: &Path, stage: WitWorld) -> Result<(Resolve, WorldId), WorkshopError> {
    let wrong = |why: String| WorkshopError::Contract { path: folder.to_owned(), why };
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(folder).map_err(|error| wrong(format!("{error:#}")))?;
    let world = resolve.packages[package].worlds.get(stage.name()).copied();
    let world = world.ok_or_else(|| wrong(format!("it has no world `{stage}`")))?;
    Ok((resolve, world))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_contract_travels() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
        let mut names: Vec<_> = fs::read_dir(folder)
            .expect("the contract's folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
            .filter(|name| name.ends_with(".wit"))
            .collect();
        names.sort();
        assert_eq!(names, FILES.map(|(name, _)| name));
    }
}
