//! `flow version`: what this binary is.

use std::process::ExitCode;

use serde::Serialize;

use crate::context::Cx;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flow version
  flow version -o json")]
pub(crate) struct Args {}

#[derive(Debug, Serialize)]
struct Version {
    version: &'static str,
    os: &'static str,
    arch: &'static str,
    /// Of the bundled time zone rules.
    tzdb: &'static str,
}

pub(crate) fn run(Args {}: Args, cx: &Cx) -> anyhow::Result<ExitCode> {
    let version = Version {
        version: env!("CARGO_PKG_VERSION"),
        os: std::env::consts::OS,
        arch: std::env::consts::ARCH,
        tzdb: flow_core::time::tzdb_version(),
    };
    if cx.out.is_for_people() {
        cx.out.raw(&format!(
            "flow {} ({} {}, time zones {})\n",
            version.version, version.os, version.arch, version.tzdb
        ))?;
    } else {
        cx.out.one(&version, vec![("version", version.version.into()), ("tzdb", version.tzdb.into())])?;
    }
    Ok(ExitCode::SUCCESS)
}
