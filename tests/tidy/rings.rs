//! The rule that no modules of a crate import each other in a ring, measured twice: among the modules under one parent,
//! and among all files. It must not know Rust's grammar: `imports.rs` reads it.

use super::imports::{Imports, imports};
use super::repository::File;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A module by its path inside the crate; the crate itself is empty.
type Module = Vec<String>;
/// Who imports whom, with one path as the evidence.
type Edges<N> = BTreeMap<N, BTreeMap<N, String>>;

/// A file of a crate and what it imports.
struct Source<'a> {
    path: &'a str,
    imports: Imports,
}

/// One offence for each ring in each of our crates.
pub(crate) fn rings(files: &[File]) -> Vec<String> {
    let roots: BTreeSet<&str> =
        files.iter().filter(|file| file.is_rust()).filter_map(|file| crate_root(&file.path, files)).collect();
    roots.iter().flat_map(|root| rings_under(root, files)).collect()
}

/// The folder that holds the crate's root module, with its last slash: `…src/`, a program's folder in `src/bin/`, or a test
/// program with a `main.rs`.
fn crate_root<'a>(path: &'a str, files: &[File]) -> Option<&'a str> {
    const PROGRAMS: &str = "src/bin/";
    let end = match (path.find(PROGRAMS), path.starts_with("src/")) {
        (Some(at), _) => at + PROGRAMS.len() + path.get(at + PROGRAMS.len()..)?.find('/')? + 1,
        (None, true) => 4,
        (None, false) => path.find("/src/").map(|at| at + 5).or_else(|| path.rfind("/main.rs").map(|at| at + 1))?,
    };
    let root = &path[..end];
    let begins = |name: &str| files.iter().any(|file| file.path.strip_prefix(root) == Some(name));
    (begins("lib.rs") || begins("main.rs")).then_some(root)
}

fn rings_under(root: &str, files: &[File]) -> Vec<String> {
    let modules = modules(root, files);
    let mut siblings: BTreeMap<Module, Edges<String>> = BTreeMap::new();
    let mut all: Edges<Module> = BTreeMap::new();
    let mut only_reexports: BTreeMap<(Module, Module), bool> = BTreeMap::new();
    for (from, to, path, reexport) in imported(&modules) {
        let evidence = format!("{}: {path}", modules[&from].path);
        let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        if common < from.len() && common < to.len() {
            let group = siblings.entry(from[..common].to_vec()).or_default();
            group.entry(from[common].clone()).or_default().entry(to[common].clone()).or_insert(evidence.clone());
        }
        let child = to.len() > from.len() && to.starts_with(&from);
        *only_reexports.entry((from.clone(), to.clone())).or_insert(true) &= child && reexport;
        all.entry(from).or_default().entry(to).or_insert(evidence);
    }
    for ((from, to), _) in only_reexports.iter().filter(|(_, only)| **only) {
        all.entry(from.clone()).or_default().remove(to);
    }
    let mut offences = Vec::new();
    for (parent, edges) in &siblings {
        let found = cycles(edges).into_iter();
        offences.extend(found.map(|ring| format!("{root}: modules of `{}` import each other:{ring}", name(parent))));
    }
    let found = cycles(&all).into_iter();
    offences.extend(found.map(|ring| format!("{root}: files import each other:{ring}")));
    offences
}

/// The files under `root` by module. Binaries, test modules, and a `main.rs` beside a `lib.rs` are not part of the crate.
fn modules<'a>(root: &str, files: &'a [File]) -> BTreeMap<Module, Source<'a>> {
    let library = files.iter().any(|file| file.path == format!("{root}lib.rs"));
    let mut found = BTreeMap::new();
    for file in files {
        let Some(inner) = file.path.strip_prefix(root).and_then(|inner| inner.strip_suffix(".rs")) else { continue };
        if inner.starts_with("bin/") || file.name() == "tests.rs" || (inner == "main" && library) {
            continue;
        }
        let mut module: Module = inner.split('/').map(str::to_owned).collect();
        if ["lib", "main", "mod"].contains(&module.last().map_or("", String::as_str)) {
            module.pop();
        }
        found.insert(module, Source { path: &file.path, imports: imports(file) });
    }
    let children = |(module, source): (&Module, &Source<'_>)| {
        source
            .imports
            .for_tests
            .iter()
            .map(|child| [module.as_slice(), std::slice::from_ref(child)].concat())
            .collect::<Vec<_>>()
    };
    let for_tests: Vec<Module> = found.iter().flat_map(children).collect();
    found.retain(|module, _| !for_tests.iter().any(|test| module.starts_with(test)));
    found
}

/// Every import between two modules: from, to, the path as written, and whether it is a re-export.
fn imported(modules: &BTreeMap<Module, Source<'_>>) -> Vec<(Module, Module, String, bool)> {
    let mut found = Vec::new();
    for (from, Source { imports, .. }) in modules {
        for path in &imports.paths {
            let mut base = [from.as_slice(), &path.inside].concat();
            let mut segments = path.segments.as_slice();
            match segments.first().map(String::as_str) {
                Some("crate") => {
                    base.clear();
                    segments = &segments[1..];
                }
                Some("self") => segments = &segments[1..],
                Some("super") => {
                    while segments.first().is_some_and(|first| first == "super") {
                        base.pop();
                        segments = &segments[1..];
                    }
                }
                Some(first) if imports.declared.iter().any(|name| name == first) => {}
                _ => continue,
            }
            while let Some((segment, rest)) = segments.split_first() {
                base.push(segment.clone());
                if !modules.contains_key(&base) {
                    base.pop();
                    break;
                }
                segments = rest;
            }
            // A declared module without a file here comes from another folder (`#[path]`) or is for tests.
            if let (Some(source), Some(next)) = (modules.get(&base), segments.first())
                && source.imports.declared.contains(next)
            {
                continue;
            }
            while !modules.contains_key(&base) && base.pop().is_some() {}
            if base != *from {
                found.push((from.clone(), base, path.segments.join("::"), path.reexport));
            }
        }
    }
    found
}

fn name(module: &[String]) -> String {
    if module.is_empty() { "crate".to_owned() } else { module.join("::") }
}

/// A node of the graph as text.
trait Named {
    fn text(&self) -> String;
}

impl Named for String {
    fn text(&self) -> String {
        self.clone()
    }
}

impl Named for Module {
    fn text(&self) -> String {
        name(self)
    }
}

/// One shortest ring through each node that is on a ring and on none reported before, an edge a line.
fn cycles<N: Ord + Clone + Named>(edges: &Edges<N>) -> Vec<String> {
    let mut reported: BTreeSet<N> = BTreeSet::new();
    let mut found = Vec::new();
    for start in edges.keys() {
        let Some(ring) = shortest(edges, start) else { continue };
        if ring.iter().any(|node| reported.contains(node)) {
            continue;
        }
        let steps = ring.iter().zip(ring.iter().skip(1).chain(ring.first()));
        found.push(
            steps.map(|(a, b)| format!("\n    {} -> {}  ({})", a.text(), b.text(), edges[a][b])).collect::<String>(),
        );
        reported.extend(ring);
    }
    found
}

/// The nodes of a shortest path from `start` back to itself.
fn shortest<N: Ord + Clone>(edges: &Edges<N>, start: &N) -> Option<Vec<N>> {
    let mut before: BTreeMap<&N, &N> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for next in edges.get(node).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut ring = vec![node.clone()];
                let mut node = node;
                while let Some(previous) = before.get(node) {
                    ring.push((*previous).clone());
                    node = previous;
                }
                ring.reverse();
                return Some(ring);
            }
            if !before.contains_key(next) {
                before.insert(next, node);
                queue.push_back(next);
            }
        }
    }
    None
}
