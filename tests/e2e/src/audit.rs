//! Screenshots of pages, and the accessibility findings of axe.
//!
//! What this module does not know: how the page got into its state.

use crate::browser::{Browser, Engine};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::{
    env, fs,
    path::{Path, PathBuf},
};
use tokio::sync::OnceCell;

/// Sizes that a design must hold at: a phone and a small desktop.
const SIZES: [(u32, u32); 2] = [(390, 844), (1_280, 800)];
const SCHEMES: [&str; 2] = ["light", "dark"];

/// axe, read once.
static AXE: OnceCell<String> = OnceCell::const_new();

/// Runs axe on the document and returns the fields of its findings that are shown.
const RUN_AXE: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations'] }).then(
        ({ violations }) => done(violations.map(({ id, impact, help, nodes }) =>
            ({ id, impact, help, targets: nodes.map((node) => `${node.target.join(' ')}: ${node.failureSummary}`) }))),
        (error) => done([{ id: 'axe', impact: 'critical', help: String(error), targets: [] }]));
";

/// Takes a screenshot named `name` at every size and in both colour schemes, and runs axe on each.
/// In Firefox, one picture as it is.
///
/// # Errors
/// Every serious or critical finding, with the elements concerned.
pub async fn page(browser: &Browser, name: &str) -> Result<()> {
    if browser.engine() == Engine::Firefox {
        return picture(browser, &format!("{name}-firefox")).await;
    }
    let mut findings = Vec::new();
    for (width, height) in SIZES {
        for scheme in SCHEMES {
            browser.look(width, height, scheme).await?;
            picture(browser, &format!("{name}-{width}-{scheme}")).await?;
            for finding in axe(browser).await? {
                findings.push(format!("{name} at {width} px, {scheme}: {finding}"));
            }
        }
    }
    browser.look(SIZES[1].0, SIZES[1].1, SCHEMES[0]).await?;
    if findings.is_empty() { Ok(()) } else { bail!("axe:\n{}", findings.join("\n")) }
}

/// Keeps a picture of the page as it is.
///
/// # Errors
/// If the browser takes no screenshot or the file cannot be written.
pub async fn picture(browser: &Browser, name: &str) -> Result<()> {
    let folder = artefacts();
    fs::create_dir_all(&folder)?;
    let png = browser.web()?.screenshot_as_png().await?;
    let file = folder.join(format!("{name}.png"));
    fs::write(&file, png).with_context(|| format!("cannot write {}", file.display()))
}

/// The serious and critical findings of axe.
///
/// # Errors
/// If axe is not installed or does not run.
pub async fn axe(browser: &Browser) -> Result<Vec<String>> {
    let web = browser.web()?;
    web.execute(AXE.get_or_try_init(axe_source).await?.as_str(), []).await?;
    let found = web.execute_async(RUN_AXE, []).await?;
    let found = found.json().as_array().context("axe gave no list")?;
    Ok(found.iter().filter(|finding| matters(finding)).map(Value::to_string).collect())
}

/// Reads axe from `AXE_PATH`, or from where npm puts it.
async fn axe_source() -> Result<String> {
    let installed = || here().join("node_modules/axe-core/axe.min.js");
    let path = env::var_os("AXE_PATH").map_or_else(installed, PathBuf::from);
    fs::read_to_string(&path)
        .with_context(|| format!("no axe at {}: run `npm ci` in tests/e2e, or set AXE_PATH", path.display()))
}

fn matters(finding: &Value) -> bool {
    matches!(finding["impact"].as_str(), Some("serious" | "critical") | None)
}

/// `target/e2e`: pictures of every page, and of every failure.
pub fn artefacts() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| here().join("../../target"), PathBuf::from);
    target.join("e2e")
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
