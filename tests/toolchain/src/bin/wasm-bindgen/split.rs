//! Cuts a program into WebAssembly modules at the functions that are marked with `wasm_split`, before wasm-bindgen reads it.
//!
//! Of a program `NAME` it leaves in the output folder, beside what wasm-bindgen writes: `NAME.HASH.pieces.js`, which loads the
//! modules; a module `NAME.HASH.PIECE.wasm` for each mark; modules `NAME.HASH.shared_N.wasm` with what several marks need and
//! the main module does not. What wasm-bindgen writes imports the loader by this name, so web/finish/modules.mjs takes no
//! modules of another program from there. A program without marks is left as it is.

use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use wasm_split_cli_support::{Options, transform};

/// What the names of marked functions begin with.
const MARK: &[u8] = b"__wasm_split_00";

/// Takes the arguments of wasm-bindgen, and returns those with which it is to be called.
///
/// # Errors
/// A sentence, if the program has marks and cannot be cut.
pub(crate) fn split(arguments: &[OsString]) -> Result<Vec<OsString>, String> {
    let (Some(input), Some(folder), Some(name)) =
        (input(arguments), option(arguments, "--out-dir"), option(arguments, "--out-name"))
    else {
        return Ok(arguments.to_vec());
    };
    let program = fs::read(&input).map_err(|error| format!("{}: {error}", input.display()))?;
    if !program.windows(MARK.len()).any(|bytes| bytes == MARK) {
        return Ok(arguments.to_vec());
    }
    let folder = PathBuf::from(folder);
    let work = folder.join(format!("{name}.pieces"));
    let _absent = fs::remove_dir_all(&work);
    let main = work.join("main.wasm");
    let cut = format!("{name}.{:016x}", hash(&program));
    let (link, glue) = (format!("./{cut}.pieces.js"), format!("./{name}.js"));
    let mut options = Options::new(&program);
    options.output_dir = &work;
    options.main_out_path = &main;
    options.link_name = &link;
    options.main_module = &glue;
    transform(options).map_err(|error| format!("{} cannot be cut into modules: {error:?}", input.display()))?;
    publish(&work, &folder, &name, &cut)?;
    let replaced =
        arguments.iter().map(|argument| if Path::new(argument) == input { main.as_os_str() } else { argument });
    // The other modules import what these flags keep.
    Ok(replaced.map(OsString::from).chain(["--keep-lld-exports".into()]).collect())
}

/// Distinguishes programs that are built into one folder.
fn hash(program: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    program.hash(&mut hasher);
    hasher.finish()
}

/// Gives the modules their public names, which begin with `cut`, in the files and in the JavaScript that loads them.
fn publish(work: &Path, folder: &Path, name: &str, cut: &str) -> Result<(), String> {
    let told = |path: &Path, error| format!("{}: {error}", path.display());
    let text = |path: &Path| path.file_name().and_then(|file| file.to_str()).map(str::to_owned).unwrap_or_default();
    // Those of an earlier program.
    for entry in fs::read_dir(folder).map_err(|error| told(folder, error))?.flatten() {
        let file = text(&entry.path());
        let is_piece = |rest: &str| rest.starts_with('.') && (rest.ends_with(".wasm") || rest.ends_with(".pieces.js"));
        if entry.path().is_file() && file.strip_prefix(name).is_some_and(is_piece) {
            fs::remove_file(entry.path()).map_err(|error| told(&entry.path(), error))?;
        }
    }
    let script = work.join(format!("{cut}.pieces.js"));
    let mut loader = fs::read_to_string(&script).map_err(|error| told(&script, error))?;
    for entry in fs::read_dir(work).map_err(|error| told(work, error))? {
        let path = entry.map_err(|error| told(work, error))?.path();
        let file = text(&path);
        let Some(piece) = file.strip_prefix("split_").or_else(|| file.starts_with("chunk_").then_some(&*file)) else {
            continue;
        };
        let public = format!("{cut}.{}", piece.replace("chunk_", "shared_"));
        loader = loader.replace(&format!("\"./{file}\""), &format!("\"./{public}\""));
        fs::copy(&path, folder.join(public)).map_err(|error| told(&path, error))?;
    }
    let public = folder.join(format!("{cut}.pieces.js"));
    fs::write(&public, loader).map_err(|error| told(&public, error))
}

/// The program: the one argument that ends in `.wasm` and is no option.
fn input(arguments: &[OsString]) -> Option<PathBuf> {
    let is_program = |path: &&OsString| Path::new(path).extension().is_some_and(|extension| extension == "wasm");
    arguments.iter().skip(1).find(is_program).map(PathBuf::from)
}

/// The value of `--option VALUE` or `--option=VALUE`.
fn option(arguments: &[OsString], option: &str) -> Option<String> {
    let mut arguments = arguments.iter().filter_map(|argument| argument.to_str());
    while let Some(argument) = arguments.next() {
        if argument == option {
            return arguments.next().map(str::to_owned);
        }
        if let Some(value) = argument.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value.to_owned());
        }
    }
    None
}
