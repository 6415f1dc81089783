//! Rules on Cargo.toml and on the versions of tools. It reads lines, not TOML: our manifests have one entry a line. It must
//! not know Rust source.

use super::repository::File;

const OURS: [&str; 10] = [
    "causeway",
    "causeway-primitives",
    "causeway-proto",
    "causeway-web",
    "causeway-partner",
    "causeway-peer",
    "causeway-gatekeeper",
    "causeway-e2e",
    "causeway-soak",
    "causeway-bench",
];

/// Which of our crates each manifest may depend on, outside its dev-dependencies.
const ARROWS: [(&str, &[&str]); 10] = [
    ("proto/primitives/Cargo.toml", &[]),
    ("proto/Cargo.toml", &["causeway-primitives"]),
    ("Cargo.toml", &["causeway-proto"]),
    ("web/Cargo.toml", &["causeway", "causeway-proto"]),
    ("partner/Cargo.toml", &["causeway-proto"]),
    ("tests/peer/Cargo.toml", &["causeway-proto"]),
    ("tests/gatekeeper/Cargo.toml", &["causeway-peer", "causeway-proto"]),
    ("tests/e2e/Cargo.toml", &["causeway-gatekeeper", "causeway-partner"]),
    ("tests/soak/Cargo.toml", &["causeway-e2e", "causeway-proto"]),
    ("benches/Cargo.toml", &["causeway-proto"]),
];

/// The dependencies between our crates, as the table of ARCHITECTURE.md has them.
pub(crate) fn arrows(file: &File) -> Vec<String> {
    let Some((_, allowed)) = ARROWS.iter().find(|(path, _)| *path == file.path) else { return Vec::new() };
    let found = dependencies(&file.text).filter(|name| OURS.contains(name) && !allowed.contains(name));
    found.map(|name| format!("{}: depends on {name}; see ARCHITECTURE.md", file.path)).collect()
}

/// Names under [dependencies] and [target.….dependencies], those of the workspace's table aside.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    manifest.lines().filter_map(move |line| {
        let line = line.trim();
        if line.starts_with('[') {
            inside = line == "[dependencies]" || (line.starts_with("[target.") && line.ends_with(".dependencies]"));
            return line.strip_prefix("[dependencies.").and_then(|name| name.strip_suffix(']'));
        }
        let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
        (inside && !name.is_empty() && !name.starts_with('#')).then_some(name)
    })
}

/// Every crate forbids unsafe code, and every crate of the workspace inherits its lints.
pub(crate) fn lints(file: &File) -> Vec<String> {
    if file.name() != "Cargo.toml" {
        return Vec::new();
    }
    let keeps = file.text.contains("[lints]\nworkspace = true") || file.text.contains("unsafe_code = \"forbid\"");
    if keeps { Vec::new() } else { vec![format!("{}: add [lints] workspace = true", file.path)] }
}

/// A version that several files contain is the same in all of them.
pub(crate) fn pins(files: &[File]) -> Result<(), String> {
    let value = |path: &str, after: &str| {
        let file = files.iter().find(|file| file.path == path).ok_or(format!("{path} is missing"))?;
        let rest = file.text.split_once(after).ok_or(format!("{path} has no {after}"))?.1;
        let version: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        Ok::<_, String>(version)
    };
    let agree = |tool: &str, one: (&str, &str), other: (&str, &str)| {
        let (a, b) = (value(one.0, one.1)?, value(other.0, other.1)?);
        if a == b && !a.is_empty() {
            Ok(())
        } else {
            Err(format!("{tool}: {} has {a:?}, {} has {b:?}", one.0, other.0))
        }
    };
    let tools = "tests/toolchain/Cargo.toml";
    agree("wasm-bindgen", ("Cargo.toml", "\nwasm-bindgen = \"="), (tools, "wasm-bindgen-cli = { version = \"="))?;
    agree("wasm-bindgen", ("Trunk.toml", "wasm_bindgen = \""), (tools, "wasm-bindgen-cli = { version = \"="))?;
    agree("trunk", ("Trunk.toml", "trunk-version = \"^"), ("tests/toolchain/setup", "TRUNK="))?;
    let binaryen = value("tests/toolchain/package.json", "\"binaryen\": \"")?;
    let opt = value("Trunk.toml", "wasm_opt = \"version_")?;
    if binaryen.split('.').next() == Some(&opt) {
        Ok(())
    } else {
        Err(format!("wasm-opt: {opt} but binaryen {binaryen}"))
    }
}
