//! "Did you mean": the nearest of the names that could have been written.

/// Returns the name most like `written`, if one is near enough to be meant.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = written.to_lowercase();
    known
        .into_iter()
        .filter(|name| *name != written)
        .take(20_000)
        .map(|name| (closeness(&lower, &name.to_lowercase()), name))
        .filter(|(closeness, _)| *closeness >= 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// From 0 to 1. Names with the same words in another order are near.
fn closeness(a: &str, b: &str) -> f64 {
    if a.len() > 100 || b.len() > 100 {
        return 0.0;
    }
    let spelled = strsim::normalized_damerau_levenshtein(a, b);
    let begins = strsim::jaro_winkler(a, b);
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    if short.len() >= 3 && long.starts_with(short) {
        return begins.max(0.8);
    }
    // A swapped or missing letter in a short name; a wrong ending in a long one.
    spelled.max(if begins >= 0.9 { begins } else { 0.0 })
}

/// Says "did you mean `x`?" when a near name exists.
pub(crate) fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(written, known).map(|name| format!("did you mean `{name}`?"))
}

/// Names a few in backticks: "`a`, `b` and 3 more".
pub(crate) fn some_of<'a>(names: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let mut names = names.into_iter();
    let shown: Vec<String> = names.by_ref().take(most).map(|name| format!("`{name}`")).collect();
    match names.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// "did you mean", or else the list of what there is.
pub(crate) fn meant_or_known(written: &str, known: &[&str], most: usize) -> Option<String> {
    did_you_mean(written, known.iter().copied()).or_else(|| match known {
        [] => None,
        [only] => Some(format!("there is only `{only}`")),
        [..] => Some(format!("there are: {}", some_of(known.iter().copied(), most))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_mistakes_are_near_and_other_words_are_not() {
        let known = ["extract", "retry_delay", "retries", "bash_command", "schedule"];
        check("extrct", &known, Some("extract"));
        check("retry_dealy", &known, Some("retry_delay"));
        check("Retries", &known, Some("retries"));
        check("bash_comand", &known, Some("bash_command"));
        check("banana", &known, None);
        check("x", &known, None);
    }

    #[track_caller]
    fn check(written: &str, known: &[&str], expected: Option<&str>) {
        assert_eq!(nearest(written, known.iter().copied()), expected);
    }
}
