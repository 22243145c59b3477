//! The text of SQL: where its statements end, and where parameters belong.
//!
//! Knows what is a string, a name in quotes, a comment; not what a statement means. Parameters are never put into the
//! text: each becomes the database's own placeholder, and its value goes beside it.

use serde_json::{Map, Value};

use super::{Cell, DatabaseKind};
use crate::{ClientError, Result};

/// Values for the placeholders of a statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Parameters {
    /// Nothing is a placeholder, and `%` is itself.
    #[default]
    None,
    /// For `%s`, `?` or `$1`.
    List(Vec<Value>),
    /// For `%(name)s` or `:name`.
    Map(Map<String, Value>),
}

impl Parameters {
    /// Makes parameters of JSON; null is none.
    ///
    /// # Errors
    ///
    /// When it is neither a list nor a map.
    pub fn of(value: Value) -> Result<Self> {
        match value {
            Value::Null => Ok(Self::None),
            Value::Array(values) => Ok(Self::List(values)),
            Value::Object(values) => Ok(Self::Map(values)),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Err(ClientError::settings("`parameters` must be a list such as [1, eu] or a map such as {region: eu}"))
            }
        }
    }
}

/// A statement as the database takes it: its own placeholders, and their values in that order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bound {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) values: Vec<Cell>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Text(String),
    /// The place of `values[n]`.
    Value(usize),
}

impl Bound {
    /// Writes the statement; `placeholder` writes each place of a value.
    pub(crate) fn write(&self, mut placeholder: impl FnMut(usize) -> String) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Value(at) => placeholder(*at),
            })
            .collect()
    }
}

/// What stands at a place of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    /// Something with quotes around it, or a comment: nothing in it means anything.
    Opaque,
    Comment,
    Word,
    Semicolon,
    Other,
}

/// Cuts a text into statements, without the semicolons; what holds only comments is none. A body between `BEGIN` and
/// `END` of a trigger or a procedure stays whole.
pub fn split(kind: DatabaseKind, sql: &str) -> Vec<String> {
    let (mut found, mut begin, mut at) = (Vec::new(), 0, 0);
    let mut body = Body::default();
    let mut has_words = false;
    while at < sql.len() {
        let (token, len) = token(kind, sql, at);
        match token {
            Token::Semicolon if !body.is_open() => {
                if has_words {
                    found.push(sql[begin..at].trim().to_owned());
                }
                (begin, has_words, body) = (at + len, false, Body::default());
            }
            Token::Word => {
                body.word(kind, &sql[at..at + len]);
                has_words = true;
            }
            Token::Comment => {}
            Token::Other if sql[at..].starts_with(char::is_whitespace) => {}
            Token::Opaque | Token::Semicolon | Token::Other => {
                body.other(token);
                has_words = true;
            }
        }
        at += len;
    }
    if has_words {
        found.push(sql[begin..].trim().to_owned());
    }
    found
}

/// Follows `CREATE TRIGGER … BEGIN …; …; END`.
#[derive(Debug, Default)]
struct Body {
    words: usize,
    is_create: bool,
    has_body: bool,
    depth: u32,
    after_end: bool,
}

impl Body {
    fn is_open(&self) -> bool {
        self.depth > 0
    }

    fn word(&mut self, kind: DatabaseKind, word: &str) {
        let word = word.to_ascii_uppercase();
        self.words += 1;
        if self.words == 1 {
            self.is_create = word == "CREATE";
        }
        if self.words <= 12 && ["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"].contains(&word.as_str()) {
            self.has_body = self.is_create;
        }
        if !self.has_body {
            return;
        }
        // `END IF`, `END LOOP`: only MySQL has them, and there each closes what its own word opened.
        let is_after_end = std::mem::take(&mut self.after_end);
        let closes_own = ["IF", "LOOP", "CASE", "WHILE", "REPEAT", "FOR"].contains(&word.as_str());
        match word.as_str() {
            "BEGIN" | "CASE" if !is_after_end => self.depth += 1,
            "END" => {
                self.depth = self.depth.saturating_sub(1);
                self.after_end = true;
            }
            // `IF … THEN`, but not the function `IF(…)` nor `IF EXISTS`: only what ends by `END IF` was not counted.
            _ if is_after_end && closes_own && word != "CASE" && kind == DatabaseKind::MySql => self.depth += 1,
            _ => {}
        }
    }

    fn other(&mut self, token: Token) {
        if token == Token::Semicolon {
            self.after_end = false;
        }
    }
}

/// Returns the first word of a statement, in capitals.
pub fn first_word(kind: DatabaseKind, sql: &str) -> String {
    let mut at = 0;
    while at < sql.len() {
        let (token, len) = token(kind, sql, at);
        if token == Token::Word {
            return sql[at..at + len].to_ascii_uppercase();
        }
        at += len;
    }
    String::new()
}

/// Finds the placeholders of one statement, and the value of each.
///
/// # Errors
///
/// When a value is missing, or one is left over.
pub(crate) fn bind(kind: DatabaseKind, sql: &str, parameters: &Parameters) -> Result<Bound> {
    let has_question_marks = match parameters {
        Parameters::None | Parameters::Map(_) => false,
        // On Postgres `?` is an operator of JSON; it is a placeholder where no other kind is.
        Parameters::List(_) => kind != DatabaseKind::Postgres || !places(kind, sql, parameters, false)?.has_places(),
    };
    places(kind, sql, parameters, has_question_marks)?.finish(parameters)
}

fn places<'a>(
    kind: DatabaseKind,
    sql: &'a str,
    parameters: &'a Parameters,
    has_question_marks: bool,
) -> Result<Places<'a>> {
    let mut found = Places {
        kind,
        parameters,
        pieces: Vec::new(),
        text: String::new(),
        values: Vec::new(),
        next: 0,
        named: Vec::new(),
    };
    let mut at = 0;
    while at < sql.len() {
        let rest = &sql[at..];
        let (token, mut len) = token(kind, sql, at);
        if token == Token::Other && *parameters != Parameters::None {
            match placeholder(sql, at, has_question_marks, parameters) {
                Some((Placeholder::Percent, width)) => {
                    found.text.push('%');
                    at += width;
                    continue;
                }
                Some((place, width)) => {
                    found.take(place)?;
                    at += width;
                    continue;
                }
                None => {
                    // `::type` is one thing: its second colon is no parameter.
                    if rest.starts_with("::") {
                        len = 2;
                    }
                }
            }
        }
        found.text.push_str(&sql[at..at + len]);
        at += len;
    }
    Ok(found)
}

#[derive(Debug)]
enum Placeholder<'a> {
    Next,
    Number(usize),
    Name(&'a str),
    /// `%%`
    Percent,
}

/// The placeholder at a place, and how long it is.
fn placeholder<'a>(
    sql: &'a str,
    at: usize,
    has_question_marks: bool,
    parameters: &Parameters,
) -> Option<(Placeholder<'a>, usize)> {
    let rest = &sql[at..];
    if rest.starts_with("%%") {
        return Some((Placeholder::Percent, 2));
    }
    if let Some(name) = rest.strip_prefix("%(").and_then(|rest| rest.split_once(")s")).map(|(name, _)| name)
        && name.bytes().all(|byte| byte != b'\n' && byte != b'(')
    {
        return Some((Placeholder::Name(name), name.len() + 4));
    }
    let follows_word = |len: usize| rest[len..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    match parameters {
        Parameters::None => None,
        Parameters::List(_) => {
            if rest.starts_with("%s") && !follows_word(2) {
                return Some((Placeholder::Next, 2));
            }
            if let Some(mark) = rest.strip_prefix(['$', '?'])
                && (has_question_marks || rest.starts_with('$'))
            {
                let digits = mark.bytes().take_while(u8::is_ascii_digit).count();
                return match mark[..digits].parse() {
                    Ok(number) => Some((Placeholder::Number(number), digits + 1)),
                    Err(_) if rest.starts_with('?') => Some((Placeholder::Next, 1)),
                    Err(_) => None,
                };
            }
            None
        }
        Parameters::Map(values) => {
            let name = rest.strip_prefix(':')?;
            let len = name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len());
            let name = &name[..len];
            let before = sql[..at].chars().next_back();
            if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || before == Some(':') {
                return None;
            }
            // A slice of an array, `list[a:b]`, is none, unless there is such a value.
            let is_slice = before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ')' || c == ']');
            (!is_slice || values.contains_key(name)).then_some((Placeholder::Name(name), len + 1))
        }
    }
}

struct Places<'a> {
    kind: DatabaseKind,
    parameters: &'a Parameters,
    pieces: Vec<Piece>,
    text: String,
    values: Vec<Cell>,
    /// The next of a list.
    next: usize,
    /// Where the value of a name or number is.
    named: Vec<(String, usize)>,
}

impl Places<'_> {
    fn has_places(&self) -> bool {
        !self.values.is_empty()
    }

    fn take(&mut self, place: Placeholder<'_>) -> Result<()> {
        let (name, value) = match (place, self.parameters) {
            (Placeholder::Next, Parameters::List(values)) => {
                self.next += 1;
                (self.next.to_string(), values.get(self.next - 1))
            }
            (Placeholder::Number(number), Parameters::List(values)) => {
                (number.to_string(), number.checked_sub(1).and_then(|at| values.get(at)))
            }
            (Placeholder::Name(name), Parameters::Map(values)) => (name.to_owned(), values.get(name)),
            (Placeholder::Name(name), Parameters::List(_)) => {
                return Err(ClientError::settings(format!(
                    "the statement asks for the parameter `{name}`, and `parameters` is a list: make it a map"
                )));
            }
            (_, _) => {
                return Err(ClientError::settings(
                    "the statement asks for a list of parameters, and `parameters` is a map",
                ));
            }
        };
        let Some(value) = value else {
            let has = match self.parameters {
                Parameters::None => "none".to_owned(),
                Parameters::List(values) => values.len().to_string(),
                Parameters::Map(values) => values.keys().cloned().collect::<Vec<_>>().join(", "),
            };
            return Err(ClientError::settings(format!(
                "the statement asks for the parameter `{name}`, which is not in `parameters` (there are: {has})"
            )));
        };
        // MySQL counts places, the others values.
        let known = self.named.iter().find(|(known, _)| *known == name).map(|(_, at)| *at);
        let at = match known.filter(|_| self.kind != DatabaseKind::MySql) {
            Some(at) => at,
            None => {
                self.values.push(Cell::from(value.clone()));
                self.named.push((name, self.values.len() - 1));
                self.values.len() - 1
            }
        };
        self.pieces.push(Piece::Text(std::mem::take(&mut self.text)));
        self.pieces.push(Piece::Value(at));
        Ok(())
    }

    fn finish(mut self, parameters: &Parameters) -> Result<Bound> {
        self.pieces.push(Piece::Text(self.text));
        if let Parameters::List(values) = parameters {
            let used = self.named.iter().filter_map(|(name, _)| name.parse::<usize>().ok()).max().unwrap_or(0);
            if used < values.len() && used > 0 {
                return Err(ClientError::settings(format!(
                    "`parameters` has {} values, and the statement has a place for {used}",
                    values.len()
                )));
            }
        }
        Ok(Bound { pieces: self.pieces, values: self.values })
    }
}

/// What stands at a place, and how many bytes it has; at least one.
fn token(kind: DatabaseKind, sql: &str, at: usize) -> (Token, usize) {
    let rest = &sql[at..];
    let first = rest.chars().next().unwrap_or(' ');
    let is_mysql = kind == DatabaseKind::MySql;
    match first {
        ';' => (Token::Semicolon, 1),
        '\'' => (Token::Opaque, quoted(rest, '\'', is_mysql)),
        '"' => (Token::Opaque, quoted(rest, '"', is_mysql)),
        '`' if kind != DatabaseKind::Postgres => (Token::Opaque, quoted(rest, '`', false)),
        '[' if kind == DatabaseKind::Sqlite => (Token::Opaque, rest.find(']').map_or(rest.len(), |end| end + 1)),
        '#' if is_mysql => (Token::Comment, line(rest)),
        '-' if rest.starts_with("--")
            && (!is_mysql || rest[2..].starts_with(char::is_whitespace) || rest.len() == 2) =>
        {
            (Token::Comment, line(rest))
        }
        '/' if rest.starts_with("/*") => (Token::Comment, block(rest, kind == DatabaseKind::Postgres)),
        '$' if kind == DatabaseKind::Postgres => match dollar_quoted(rest) {
            Some(len) => (Token::Opaque, len),
            None => (Token::Other, 1),
        },
        'e' | 'E' if kind == DatabaseKind::Postgres && rest[1..].starts_with('\'') => {
            (Token::Opaque, 1 + quoted(&rest[1..], '\'', true))
        }
        c if c.is_alphabetic() || c == '_' => {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
            (Token::Word, end)
        }
        c if c.is_ascii_digit() => {
            (Token::Opaque, rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len()))
        }
        c => (Token::Other, c.len_utf8()),
    }
}

/// A quoted text: its quote twice is one in it, and a backslash too where it counts.
fn quoted(text: &str, quote: char, has_backslashes: bool) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && has_backslashes {
            chars.next();
        } else if c == quote {
            match chars.peek() {
                Some((_, next)) if *next == quote => {
                    chars.next();
                }
                _ => return at + c.len_utf8(),
            }
        }
    }
    text.len()
}

fn line(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

fn block(text: &str, nests: bool) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") && (depth == 0 || nests) {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// `$tag$ … $tag$`
fn dollar_quoted(text: &str) -> Option<usize> {
    let tag_len = text[1..].find('$')? + 2;
    let tag = &text[..tag_len];
    let name = &tag[1..tag_len - 1];
    if name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    Some(text[tag_len..].find(tag).map_or(text.len(), |end| tag_len + end + tag_len))
}

#[cfg(test)]
mod tests {
    use DatabaseKind::{MySql, Postgres, Sqlite};
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_split(kind: DatabaseKind, sql: &str, expected: &[&str]) {
        assert_eq!(split(kind, sql), expected);
    }

    #[test]
    fn statements_end_at_semicolons_that_are_not_quoted() {
        for kind in [Postgres, MySql, Sqlite] {
            check_split(kind, "", &[]);
            check_split(kind, " ; ;; -- nothing\n /* ; */ ", &[]);
            check_split(kind, "SELECT 1; SELECT 2;", &["SELECT 1", "SELECT 2"]);
            check_split(
                kind,
                "SELECT ';', \";\" -- ;\n, 1 /* ; */; SELECT 'it''s;'",
                &["SELECT ';', \";\" -- ;\n, 1 /* ; */", "SELECT 'it''s;'"],
            );
            check_split(kind, "SELECT 'open; end", &["SELECT 'open; end"]);
        }
        check_split(
            Postgres,
            "DO $x$ BEGIN a; $$ ; END $x$; SELECT $$;$$",
            &["DO $x$ BEGIN a; $$ ; END $x$", "SELECT $$;$$"],
        );
        check_split(
            Postgres,
            "SELECT E'a\\';'; SELECT 'a\\'; /* /* ; */ ; */ SELECT 2",
            &["SELECT E'a\\';'", "SELECT 'a\\'", "/* /* ; */ ; */ SELECT 2"],
        );
        check_split(
            MySql,
            "SELECT 'a\\';', `;`; # ;\nSELECT 1--1; SELECT 2",
            &["SELECT 'a\\';', `;`", "# ;\nSELECT 1--1", "SELECT 2"],
        );
        check_split(Sqlite, "SELECT [;] FROM t; SELECT 1", &["SELECT [;] FROM t", "SELECT 1"]);
    }

    #[test]
    fn a_body_stays_whole() {
        let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET c = CASE WHEN 1 THEN 2 ELSE 3 END; DELETE FROM d; END";
        for kind in [Sqlite, MySql] {
            check_split(kind, &format!("{trigger}; SELECT 1"), &[trigger, "SELECT 1"]);
        }
        let procedure =
            "CREATE PROCEDURE p() BEGIN IF 1 THEN SELECT 1; END IF; WHILE 0 DO SELECT 2; END WHILE; SELECT 3; END";
        check_split(MySql, &format!("{procedure};\nCALL p()"), &[procedure, "CALL p()"]);
        check_split(Postgres, "BEGIN; SELECT 1; END; SELECT 2", &["BEGIN", "SELECT 1", "END", "SELECT 2"]);
    }

    #[track_caller]
    fn check_bind(
        kind: DatabaseKind,
        sql: &str,
        parameters: Value,
        expected: std::result::Result<(&str, Value), &str>,
    ) {
        let found = bind(kind, sql, &Parameters::of(parameters).unwrap());
        match (found, expected) {
            (Ok(bound), Ok((text, values))) => {
                assert_eq!(bound.write(|at| format!("<{at}>")), text);
                assert_eq!(bound.values.into_iter().map(Cell::into_json).collect::<Value>(), values);
            }
            (Err(error), Err(words)) => assert!(error.message.contains(words), "{error}"),
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    }

    #[test]
    fn placeholders_of_every_kind_are_found() {
        for kind in [Postgres, Sqlite] {
            check_bind(
                kind,
                "a = %(x)s, b = %(y)s, %(x)s",
                json!({"x": 1, "y": 2}),
                Ok(("a = <0>, b = <1>, <0>", json!([1, 2]))),
            );
            check_bind(kind, "a = $2 or b = $1", json!([1, 2]), Ok(("a = <0> or b = <1>", json!([2, 1]))));
        }
        check_bind(MySql, "%(x)s %(x)s", json!({"x": 1}), Ok(("<0> <1>", json!([1, 1]))));
        for kind in [Postgres, MySql, Sqlite] {
            check_bind(
                kind,
                "a = %s AND '%s' = %s -- %s",
                json!([1, 2]),
                Ok(("a = <0> AND '%s' = <1> -- %s", json!([1, 2]))),
            );
            check_bind(kind, "a = ? AND b = ?", json!([1, 2]), Ok(("a = <0> AND b = <1>", json!([1, 2]))));
            check_bind(kind, "a LIKE 'x%' AND 5 % 3 = 1", json!(null), Ok(("a LIKE 'x%' AND 5 % 3 = 1", json!([]))));
            check_bind(kind, "5 %% 3 = %s", json!([1]), Ok(("5 % 3 = <0>", json!([1]))));
            check_bind(kind, ":a + :b", json!({"a": 1, "b": null}), Ok(("<0> + <1>", json!([1, null]))));
            check_bind(kind, "%s", json!([]), Err("asks for the parameter `1`"));
            check_bind(kind, "%s %s", json!([1]), Err("asks for the parameter `2`"));
            check_bind(kind, "%s", json!([1, 2]), Err("has 2 values, and the statement has a place for 1"));
            check_bind(
                kind,
                ":b",
                json!({"a": 1}),
                Err("asks for the parameter `b`, which is not in `parameters` (there are: a)"),
            );
            check_bind(kind, "%(b)s", json!([1]), Err("is a list: make it a map"));
        }
        check_bind(
            Postgres,
            "x::text = :x AND l[1:n] = 1",
            json!({"x": "a"}),
            Ok(("x::text = <0> AND l[1:n] = 1", json!(["a"]))),
        );
        check_bind(Postgres, "j ? 'k' AND b = %s", json!([1]), Ok(("j ? 'k' AND b = <0>", json!([1]))));
        check_bind(Postgres, "$$ %s $1 $$, $1", json!([1]), Ok(("$$ %s $1 $$, <0>", json!([1]))));
    }

    #[test]
    fn the_first_word_is_behind_comments() {
        assert_eq!(first_word(Postgres, "-- x\n /* y */ (select 1)"), "SELECT");
        assert_eq!(first_word(Sqlite, "'a'"), "");
    }
}
