//! Says where the files of the web UI are: in a release binary, which carries them, or on disk.
//!
//! Never builds the UI: that takes Node and the network, and is `make ui`. Without it the server shows how.

use std::{env, error::Error, fs, io, path::Path};

/// The UI as it was built, from here.
const DIST: &str = "../../web/dist";
/// What the tests embed in its place.
const FIXTURE: &str = "tests/api/dist";

fn main() -> Result<(), Box<dyn Error>> {
    let root = fs::canonicalize(env::var("CARGO_MANIFEST_DIR")?)?;
    let out = env::var("OUT_DIR")?;
    let dist = root.join(DIST);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={FIXTURE}");
    let ui = if env::var("PROFILE")? == "release" {
        // What is missing counts as changed at every build; the folder around it does not.
        if let Some(watched) = [DIST, "../../web"].into_iter().find(|path| root.join(path).is_dir()) {
            println!("cargo::rerun-if-changed={watched}");
        }
        format!("Ui::embedded({})", list(&dist)?)
    } else {
        // A change shows without compiling anything.
        format!("Ui::on_disk({dist:?})")
    };
    fs::write(Path::new(&out).join("ui.rs"), ui)?;
    fs::write(Path::new(&out).join("fixture.rs"), list(&root.join(FIXTURE))?)?;
    Ok(())
}

/// Writes the files of a folder as Rust: names and contents.
fn list(folder: &Path) -> io::Result<String> {
    let (mut waiting, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(path) = waiting.pop() {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                waiting.push(entry?.path());
            }
        } else if path.is_file() && !name.split('/').any(|part| part.starts_with('.')) {
            files.push(format!("({name:?}, include_bytes!({path:?}))"));
        }
    }
    files.sort();
    Ok(format!("&[{}]", files.join(",\n")))
}
