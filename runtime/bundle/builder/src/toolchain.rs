//! Finds a compiler for wasm32-unknown-unknown.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::BuildError;

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Chooses the toolchain where both would do: `rustup` or `debian`.
pub const CHOICE: &str = "HANDOFF_WASM_TOOLCHAIN";

/// Where Debian's packages put the compiler and its library's source.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_SOURCE: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";
const DEBIAN_LINKERS: [&str; 2] = ["/usr/bin/rust-lld", "/usr/bin/wasm-ld"];

/// How plugins are compiled on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The compiler at hand has the target's standard library.
    Rustup { cargo: PathBuf, rustc: PathBuf },
    /// Debian's compiler and source: the standard library is built along. Compiler and source have to be of the same
    /// version, so rustup's compiler cannot stand in.
    Debian { linker: PathBuf },
}

impl Toolchain {
    pub fn find() -> Result<Toolchain, BuildError> {
        match env::var(CHOICE).as_deref() {
            Ok("rustup") => rustup().ok_or(BuildError::NoToolchain),
            Ok("debian") => debian().ok_or(BuildError::NoToolchain),
            Ok(other) => Err(BuildError::UnknownToolchain(other.to_owned())),
            Err(_) => rustup().or_else(debian).ok_or(BuildError::NoToolchain),
        }
    }

    /// This toolchain's cargo, in an environment where no other cargo's settings are left.
    pub(crate) fn cargo(&self) -> Command {
        let program = match self {
            Toolchain::Rustup { cargo, .. } => cargo.as_path(),
            Toolchain::Debian { .. } => Path::new(DEBIAN_CARGO),
        };
        let mut command = Command::new(program);
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(is_anothers) {
                command.env_remove(name);
            }
        }
        match self {
            Toolchain::Rustup { rustc, .. } => command.env("RUSTC", rustc),
            Toolchain::Debian { linker } => command
                .env("RUSTC", DEBIAN_RUSTC)
                // `-Zbuild-std` is how a stable compiler builds its own library.
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker),
        };
        command
    }

    pub(crate) fn flags(&self) -> &'static [&'static str] {
        match self {
            Toolchain::Rustup { .. } => &[],
            Toolchain::Debian { .. } => &["-Zbuild-std=std,panic_abort"],
        }
    }
}

/// Whether a variable tells a cargo, a compiler or a wrapper what to do in a build that is not ours. Where cargo keeps
/// its downloads, how it reaches them, and how many jobs may run at once holds for both.
fn is_anothers(name: &str) -> bool {
    const SHARED: [&str; 7] =
        ["CARGO_HOME", "CARGO_MAKEFLAGS", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTR", "CARGO_SOURCE_", "CARGO_TERM_"];
    const OTHERS: [&str; 6] = ["CARGO", "RUSTC", "RUSTFLAGS", "RUSTDOC", "CLIPPY_", "__CARGO"];
    OTHERS.iter().any(|prefix| name.starts_with(prefix)) && !SHARED.iter().any(|prefix| name.starts_with(prefix))
}

fn rustup() -> Option<Toolchain> {
    let rustc = PathBuf::from(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let cargo = PathBuf::from(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let library = print(&rustc, &["--print", "target-libdir", "--target", TARGET])?;
    Path::new(&library).is_dir().then_some(Toolchain::Rustup { cargo, rustc })
}

fn debian() -> Option<Toolchain> {
    let present = [DEBIAN_RUSTC, DEBIAN_CARGO, DEBIAN_SOURCE].into_iter().all(|path| Path::new(path).is_file());
    let linker = own_linker().into_iter().chain(DEBIAN_LINKERS.map(PathBuf::from)).find(|path| path.is_file());
    linker.filter(|_| present).map(|linker| Toolchain::Debian { linker })
}

/// The linker that came with the compiler at hand, which links for every target.
fn own_linker() -> Option<PathBuf> {
    let rustc = PathBuf::from(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let host = print(&rustc, &["--print", "host-tuple"])?;
    let sysroot = print(&rustc, &["--print", "sysroot"])?;
    Some(Path::new(&sysroot).join("lib/rustlib").join(host).join("bin/rust-lld"))
}

fn print(rustc: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(rustc).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
