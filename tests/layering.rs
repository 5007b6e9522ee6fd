//! The arrows of ARCHITECTURE.md, compared with what cargo resolves. A new arrow is a decision: make it there first.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Who may know whom among ours.
const ARROWS: &[(&str, &[&str])] = &[
    ("handoff-clock", &[]),
    ("handoff-mllp", &[]),
    ("handoff-verifier", &[]),
    ("handoff-engine", &[]),
    ("handoff-store", &["handoff-engine"]),
    ("handoff-vault", &["handoff-engine", "handoff-store"]),
    ("handoff-host", &[]),
    ("handoff-bundle", &[]),
    ("handoff-workshop", &["handoff-builder", "handoff-host"]),
    ("handoff-ingress", &["handoff-clock", "handoff-engine", "handoff-host", "handoff-mllp", "handoff-vault"]),
    ("handoff-egress", &["handoff-clock", "handoff-engine", "handoff-host", "handoff-mllp", "handoff-vault"]),
    ("handoff-identity", &["handoff-engine", "handoff-store", "handoff-vault"]),
    (
        "handoff-pipeline",
        &[
            "handoff-bundle",
            "handoff-clock",
            "handoff-egress",
            "handoff-engine",
            "handoff-host",
            "handoff-ingress",
            "handoff-store",
            "handoff-vault",
            "handoff-workshop",
        ],
    ),
    (
        "handoff-instance",
        &[
            "handoff-clock",
            "handoff-egress",
            "handoff-engine",
            "handoff-host",
            "handoff-identity",
            "handoff-ingress",
            "handoff-pipeline",
            "handoff-store",
            "handoff-vault",
            "handoff-workshop",
        ],
    ),
    (
        "handoff-operations",
        &[
            "handoff-clock",
            "handoff-engine",
            "handoff-host",
            "handoff-identity",
            "handoff-instance",
            "handoff-pipeline",
            "handoff-store",
            "handoff-vault",
            "handoff-verifier",
        ],
    ),
    (
        "handoff-web",
        &[
            "handoff-engine",
            "handoff-identity",
            "handoff-ingress",
            "handoff-operations",
            "handoff-pipeline",
            "handoff-store",
            "handoff-vault",
        ],
    ),
    (
        "handoff-server",
        &[
            "handoff-engine",
            "handoff-identity",
            "handoff-ingress",
            "handoff-instance",
            "handoff-operations",
            "handoff-pipeline",
            "handoff-store",
            "handoff-vault",
            "handoff-web",
        ],
    ),
    ("handoff-practice", &[]),
    (
        "handoff-rehearsal",
        &[
            "handoff-clock",
            "handoff-egress",
            "handoff-engine",
            "handoff-host",
            "handoff-ingress",
            "handoff-instance",
            "handoff-operations",
            "handoff-pipeline",
            "handoff-practice",
            "handoff-server",
            "handoff-store",
            "handoff-vault",
        ],
    ),
    (
        "handoff",
        &[
            "handoff-bundle",
            "handoff-clock",
            "handoff-egress",
            "handoff-engine",
            "handoff-host",
            "handoff-identity",
            "handoff-ingress",
            "handoff-instance",
            "handoff-operations",
            "handoff-pipeline",
            "handoff-rehearsal",
            "handoff-server",
            "handoff-store",
            "handoff-vault",
            "handoff-verifier",
            "handoff-web",
            "handoff-workshop",
        ],
    ),
];

/// What a layer must never reach, by any path.
const BANNED: &[(&str, &[&str])] = &[
    ("handoff-engine", &["tokio", "wasmtime", "sled", "rand", "reqwest"]),
    ("handoff-store", &["tokio", "wasmtime", "reqwest"]),
    ("handoff-vault", &["tokio", "wasmtime", "reqwest"]),
    ("handoff-host", &["tokio", "sled", "cel", "reqwest"]),
    // An auditor reads it in an afternoon: a hash, a signature and a JSON reader.
    ("handoff-verifier", &["tokio", "wasmtime", "sled", "reqwest", "rand", "chrono"]),
    // What lets in knows no way out, and what lets out no way in; neither knows what becomes of a referral.
    ("handoff-ingress", &["handoff-egress", "handoff-pipeline", "handoff-identity", "reqwest", "lettre"]),
    ("handoff-egress", &["handoff-ingress", "handoff-pipeline", "handoff-identity", "axum"]),
    // Who may sign in has nothing to do with what they may ask.
    ("handoff-identity", &["handoff-pipeline", "handoff-ingress", "handoff-egress", "wasmtime", "axum"]),
    // What carries patients' referrals never meets a simulated one.
    ("handoff-server", &["handoff-practice", "handoff-rehearsal"]),
    ("handoff-workshop", &["handoff-pipeline", "handoff-store", "handoff-vault"]),
];

struct Graph {
    /// Name by package id.
    names: BTreeMap<String, String>,
    /// Normal dependencies by package id.
    depends: BTreeMap<String, Vec<String>>,
}

fn printed(command: &mut Command) -> String {
    let output = command.output().expect("a command that is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn graph() -> Graph {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    // For this machine alone: what other systems need was never downloaded here, and is no arrow of ours.
    let mut metadata = Command::new(env!("CARGO"));
    metadata
        .args(["metadata", "--format-version", "1", "--offline", "--manifest-path", manifest])
        .args(["--filter-platform", printed(Command::new("rustc").args(["--print", "host-tuple"])).trim()]);
    let metadata: Value = serde_json::from_str(&printed(&mut metadata)).expect("cargo prints JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_string();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let names =
        list(&metadata["packages"]).iter().map(|package| (text(&package["id"]), text(&package["name"]))).collect();
    let normal = |dependency: &Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
    let depends = list(&metadata["resolve"]["nodes"])
        .iter()
        .map(|node| {
            let dependencies = list(&node["deps"]);
            let dependencies = dependencies.iter().filter(|it| normal(it)).map(|it| text(&it["pkg"])).collect();
            (text(&node["id"]), dependencies)
        })
        .collect();
    Graph { names, depends }
}

impl Graph {
    fn id(&self, name: &str) -> &str {
        let ours = |id: &str| id.starts_with("path+file:");
        let found = self.names.iter().find(|(id, known)| *known == name && ours(id));
        found.map(|(id, _)| id.as_str()).expect("a crate of this workspace")
    }

    fn reached(&self, name: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut next = vec![self.id(name).to_string()];
        while let Some(id) = next.pop() {
            for dependency in self.depends.get(&id).into_iter().flatten() {
                if seen.insert(dependency.clone()) {
                    next.push(dependency.clone());
                }
            }
        }
        seen.iter().map(|id| self.names[id].clone()).collect()
    }
}

#[test]
fn ours_know_each_other_as_drawn() {
    let graph = graph();
    for (name, allowed) in ARROWS {
        let direct = graph.depends[graph.id(name)].iter().map(|id| graph.names[id].as_str());
        let found: BTreeSet<&str> = direct.filter(|it| it.starts_with("handoff")).collect();
        assert_eq!(found, allowed.iter().copied().collect(), "{name} knows others than ARCHITECTURE.md says");
    }
}

/// Compiled plugins are loaded in one place, and its reason stands there.
#[test]
fn unsafe_code_is_forbidden_in_every_crate_but_the_one_that_loads_compiled_plugins() {
    let graph = graph();
    for (name, _) in ARROWS.iter().filter(|(name, _)| *name != "handoff-host") {
        let folder = graph.id(name).trim_start_matches("path+file://").split('#').next().unwrap_or_default();
        let roots = ["src/lib.rs", "src/main.rs"].map(|root| std::fs::read_to_string(format!("{folder}/{root}")));
        let roots: Vec<String> = roots.into_iter().flatten().collect();
        assert!(!roots.is_empty(), "{name} has no root in {folder}");
        assert!(roots.iter().all(|root| root.contains("#![forbid(unsafe_code)]")), "{name}");
    }
}

#[test]
fn no_layer_reaches_what_it_must_not_know() {
    let graph = graph();
    for (name, banned) in BANNED {
        let reached = graph.reached(name);
        for banned in *banned {
            assert!(!reached.contains(*banned), "{name} reaches {banned}");
        }
    }
}

/// How a connection outward is begun, in every library that is here.
const WAYS_OUT: &[&str] = &[
    "TcpStream::connect",
    "UdpSocket",
    "Client::builder",
    "Client::new(",
    "Client::try_from",
    "ClientBuilder::new",
    "connect_tokio1",
    "SpanExporter",
    "lookup_host",
    "to_socket_addrs",
];

/// Whoever may begin one, and why.
const MAY_CONNECT: &[(&str, &str)] = &[
    ("runtime/egress/src/", "the only way out"),
    ("runtime/identity/src/oidc/provider.rs", "asks the practice's own directory who somebody is; no patient is named"),
    ("runtime/instance/src/telemetry.rs", "sends spans, which hold tokens, to the collector of `traces: otlp:`"),
    (
        "runtime/operations/src/control_socket.rs",
        "a command speaks to the instance on its own machine, over a Unix socket",
    ),
    ("runtime/workshop/src/registry/", "an author's command asks a registry; a running instance never does"),
    ("runtime/practice/src/", "the simulated world is on the other side"),
];

#[test]
fn nothing_but_egress_opens_a_connection_outward() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = BTreeSet::new();
    for file in sources(&root.join("runtime")) {
        let name = file.strip_prefix(&root).expect("below the root").to_str().expect("UTF-8").to_string();
        let text = std::fs::read_to_string(&file).expect("a source");
        // What its tests do is on the other side of the wire.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        if WAYS_OUT.iter().any(|way| code.contains(way)) {
            found.insert(name);
        }
    }
    let allowed = |name: &str| MAY_CONNECT.iter().any(|(place, _)| name.starts_with(place));
    let strangers: Vec<&String> = found.iter().filter(|name| !allowed(name)).collect();
    assert!(strangers.is_empty(), "these open connections and have no reason in this test: {strangers:?}");
    for (place, _) in MAY_CONNECT {
        assert!(found.iter().any(|name| name.starts_with(place)), "{place} opens none: take it off the list");
    }
}

#[test]
fn a_public_type_s_name_means_one_thing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime");
    let mut places: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for file in sources(&root) {
        let text = std::fs::read_to_string(&file).expect("a source");
        let declared = text.lines().filter_map(|line| line.trim_start().strip_prefix("pub "));
        for line in declared {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            if matches!(words.next(), Some("struct" | "enum" | "trait" | "union" | "type")) {
                places.entry(words.next().unwrap_or_default().to_string()).or_default().push(file.clone());
            }
        }
    }
    assert!(places.len() > 300, "only {} types were found", places.len());
    let twice: Vec<_> = places.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(twice.is_empty(), "each of these names is two types: {twice:#?}");
}

/// Every Rust file of the runtime's crates, without their tests and benchmarks.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if entry.is_dir() {
            if !["tests", "benches", "target", "authority"].contains(&name) {
                files.extend(sources(&entry));
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            files.push(entry);
        }
    }
    files
}
