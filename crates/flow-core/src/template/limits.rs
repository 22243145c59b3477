//! Keeps templates from exhausting the stack.
//!
//! The engine compiles, runs and drops by recursion. Brackets it counts itself; chains (`a + b + c…`,
//! `x.y.z…`) and values that a loop nests ever deeper it does not, so they are bounded here.

use minijinja::{
    Error, State, Value,
    machinery::{self, Token},
    value::ValueKind,
};

use super::{args::bad, operators::count};

/// Most operators that may hang together in one expression.
const LINKS_MAX: usize = 250;
/// Most branches of all `elif` chains of a template.
const BRANCHES_MAX: usize = 250;
/// How deep lists and maps may be nested.
pub(super) const DEPTH_MAX: usize = 100;

/// Complains about expressions that are too long; returns the sentence and its place.
#[expect(clippy::wildcard_enum_match_arm, reason = "the tokens are another crate's; most do not link")]
pub(super) fn too_long(source: &str, in_expression: bool) -> Option<(String, usize, std::ops::Range<usize>)> {
    // Links of the expression at hand, one count for each open bracket.
    let mut links = vec![0_usize];
    let mut branches = 0;
    let mut at_tag_start = false;
    // A broken token is the parser's to explain.
    for (token, span) in machinery::tokenize(source, in_expression, Default::default()).map_while(Result::ok) {
        let was_tag_start = std::mem::replace(&mut at_tag_start, matches!(token, Token::BlockStart));
        let linked = match token {
            Token::VariableStart | Token::BlockStart => {
                links = vec![0];
                0
            }
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                links.push(0);
                1
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                if links.len() > 1 {
                    links.pop();
                }
                // What follows a closed bracket continues the chain it was opened in.
                1
            }
            Token::Comma => {
                if let Some(last) = links.last_mut() {
                    *last = 0;
                }
                0
            }
            Token::Ident("elif") if was_tag_start => {
                branches += 1;
                0
            }
            Token::Ident("and" | "or" | "not" | "if" | "is" | "in") => 1,
            Token::Ident(_)
            | Token::Str(_)
            | Token::String(_)
            | Token::Int(_)
            | Token::Int128(_)
            | Token::Float(_)
            | Token::TemplateData(_)
            | Token::VariableEnd
            | Token::BlockEnd
            | Token::Colon
            | Token::Assign => 0,
            _ => 1,
        };
        if let Some(last) = links.last_mut() {
            *last += linked;
        }
        let message = if links.iter().sum::<usize>() > LINKS_MAX {
            format!("expression has more than {LINKS_MAX} operators")
        } else if branches > BRANCHES_MAX {
            format!("template has more than {BRANCHES_MAX} `elif`")
        } else {
            continue;
        };
        let range = span.start_offset as usize..span.end_offset as usize;
        return Some((message, span.start_line.into(), range));
    }
    None
}

/// What is stored under a name: lazy lists are made real, and nothing may be nested too deep.
///
/// Only stored values outlive an expression, so only they can grow from step to step.
pub(super) fn keep(state: &mut State<'_, '_>, value: Value) -> Result<Value, Error> {
    let value = if value.kind() == ValueKind::Iterable {
        let items: Vec<Value> = value.try_iter()?.checked().collect::<Result<_, _>>()?;
        count(state, items.len().saturating_mul(size_of::<Value>()))?;
        Value::from(items)
    } else {
        value
    };
    measure(state, &value, 0)?;
    Ok(value)
}

fn measure(state: &mut State<'_, '_>, value: &Value, depth: usize) -> Result<(), Error> {
    let (is_map, is_list) = (value.kind() == ValueKind::Map, value.kind() == ValueKind::Seq);
    if !is_map && !is_list {
        return Ok(());
    }
    if depth >= DEPTH_MAX {
        return Err(bad(format!("value is nested more than {DEPTH_MAX} deep")));
    }
    count(state, size_of::<Value>())?;
    for item in value.try_iter()?.checked() {
        let item = item?;
        let inner = if is_map { value.get_item(&item)? } else { item };
        measure(state, &inner, depth + 1)?;
    }
    Ok(())
}
