//! Asking a person before something that cannot be taken back.

use std::io::{self, IsTerminal, Write};

/// Says whether there is a person to ask.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks on the terminal; everything but `y` and `yes` is a no.
pub(crate) fn yes(question: &str) -> io::Result<bool> {
    write!(io::stderr().lock(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        for (answer, expected) in [("y\n", true), (" YES \n", true), ("\n", false), ("", false), ("yep\n", false)] {
            assert_eq!(is_yes(answer), expected, "{answer:?}");
        }
    }
}
