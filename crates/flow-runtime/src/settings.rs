//! Variables and connections from the environment, under Flow's names and Airflow's; and what else of the environment
//! must not be seen in a log.

use flow_core::{
    connection::Connection,
    secret::{is_secret, secrets_of_variable},
};
use flow_operators::process::LOG_STORE;

/// Where variables and connections stand in the environment, first come first.
const PREFIXES: [&str; 2] = ["FLOW", "AIRFLOW"];
/// What else holds secrets: the keys, addresses with passwords, tokens.
const OTHERS: [&str; 4] = ["FLOW_SECRET_KEY", "FLOW_DATABASE_URL", "FLOW__DATABASE__URL", "FLOW_TOKEN"];
/// A shorter part of something that no task has asked for may be a word of any log.
const SHORTEST_PART: usize = 6;

/// Returns a variable from the environment: `FLOW_VAR_<KEY>`, then `AIRFLOW_VAR_<KEY>`.
pub fn variable(key: &str) -> Option<String> {
    from_environment("VAR", key)
}

/// Returns a connection from the environment: `FLOW_CONN_<ID>`, then `AIRFLOW_CONN_<ID>`; a URI or JSON.
///
/// # Errors
///
/// A sentence that names the connection but not its value.
pub fn connection(id: &str) -> Result<Option<Connection>, String> {
    from_environment("CONN", id).map(|text| Connection::parse(id, &text)).transpose()
}

fn from_environment(kind: &str, key: &str) -> Option<String> {
    let key = key.to_uppercase();
    PREFIXES.iter().find_map(|prefix| std::env::var(format!("{prefix}_{kind}_{key}")).ok())
}

/// Lists the secrets of this process's environment: processes of tasks inherit it, and may print it.
pub fn secrets_of_environment() -> Vec<String> {
    secrets_among(
        std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?))),
    )
}

fn secrets_among(variables: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut found = Vec::new();
    let mut add_parts = |parts: Vec<String>| {
        found.extend(parts.into_iter().filter(|part| part.len() >= SHORTEST_PART));
    };
    let mut wholes = Vec::new();
    for (name, text) in variables {
        let named = |kind: &str| {
            PREFIXES
                .iter()
                .find_map(|prefix| name.strip_prefix(prefix)?.strip_prefix('_')?.strip_prefix(kind)?.strip_prefix('_'))
        };
        if named("CONN").is_some() {
            if let Ok(connection) = Connection::parse("", &text) {
                add_parts(connection.secrets());
            }
            wholes.push(text);
        } else if let Some(key) = named("VAR") {
            add_parts(secrets_of_variable(key, &text));
            if is_secret(key) {
                wholes.push(text);
            }
        } else if is_of_a_store(&name) {
            add_parts(secrets_of_variable("", &text));
            wholes.push(text);
        } else if OTHERS.contains(&name.as_str()) {
            add_parts(secrets_of_variable("", &text));
            if !text.contains("://") {
                wholes.extend(text.split(',').map(|part| part.trim().to_owned()));
                wholes.push(text);
            }
        }
    }
    found.extend(wholes);
    found
}

/// Says whether a variable is a key of a store of logs, which tasks may use for themselves, too.
fn is_of_a_store(name: &str) -> bool {
    let name = name.strip_prefix(LOG_STORE).unwrap_or(name);
    ["AWS_", "AZURE_", "GOOGLE_"].iter().any(|start| name.starts_with(start))
        && (name.ends_with("_KEY") || name.ends_with("_TOKEN") || name.ends_with("_SECRET"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_in_the_environment_is_known() {
        let variables = [
            ("FLOW_CONN_SHOP", "http://me:hunter2@h/"),
            ("AIRFLOW_CONN_TINY", "http://me:pw@h/"),
            ("AIRFLOW_VAR_REGION", "europe"),
            ("FLOW_VAR_API_KEY", "k77"),
            ("FLOW_SECRET_KEY", "AAAA, BBBB"),
            ("FLOW_DATABASE_URL", "postgres://flow:sesame@db/flow"),
            ("AWS_ACCESS_KEY_ID", "AKIA77"),
            ("AWS_SECRET_ACCESS_KEY", "wJalr"),
            ("AWS_SESSION_TOKEN", "xFwoG"),
            ("FLOW_LOGS_AZURE_STORAGE_ACCOUNT_KEY", "yZure"),
            ("GOOGLE_SERVICE_ACCOUNT", "/etc/flow/gcs.json"),
            ("PATH", "/bin"),
        ];
        let mut found = secrets_among(variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
        found.sort();
        let expected = [
            "AAAA",
            "AAAA, BBBB",
            "BBBB",
            "http://me:hunter2@h/",
            "http://me:pw@h/",
            "hunter2",
            "k77",
            "me:hunter2",
            "sesame",
            "wJalr",
            "xFwoG",
            "yZure",
        ];
        assert_eq!(found, expected);
    }
}
