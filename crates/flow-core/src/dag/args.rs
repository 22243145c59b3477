//! Checks an operator's arguments against the type that takes them, before there is a run.
//!
//! The operator's own struct is the check: it is deserialised from the arguments as they stand in the document.
//! What is known only when an attempt starts (templates, upstream results) satisfies whatever is asked for. One
//! deserialisation stops at the first mistake, so it is repeated with the mistake put aside until nothing is left
//! to complain about. `item` is the deserializer, `error` its mistakes and their words.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use crate::{catalog::ArgError, dag::Arg};

mod error;
mod item;

use error::{Kind, Mistake};
use item::{Arguments, Item};

/// More mistakes than this in one task's arguments help nobody.
const MOST: usize = 64;

/// Checks arguments against the type that takes them: unknown keys, missing keys, values of a wrong type.
///
/// Reports every unknown and missing key, and the first mistake inside each argument.
pub fn check_args<T: DeserializeOwned>(args: &[(String, Arg)]) -> Vec<ArgError> {
    let mut items: Vec<(String, Item<'_>)> = args.iter().map(|(key, arg)| (key.clone(), Item::Arg(arg))).collect();
    let mut errors: Vec<ArgError> = Vec::new();
    // Arguments that have been complained about, or whose value is open and fits no stand-in.
    let mut put_aside: BTreeSet<String> = BTreeSet::new();
    for _ in 0..MOST {
        let Err(mistake) = read::<T>(&items) else { break };
        let mistake = with_culprit::<T>(mistake, &items);
        let Some(argument) = mistake.route.first().cloned() else {
            let Kind::Missing(key) = &mistake.kind else {
                // A rule across several arguments; it says nothing while some of them are stand-ins.
                if !mistake.is_open && put_aside.is_empty() {
                    errors.push(mistake.explain());
                }
                break;
            };
            let key = key.clone();
            if !put_aside.insert(key.clone()) {
                break;
            }
            errors.push(mistake.explain());
            items.push((key, Item::Open));
            continue;
        };
        let Some(at) = items.iter().position(|(name, _)| *name == argument) else { break };
        let is_unknown_key = mistake.route.len() == 1 && matches!(mistake.kind, Kind::Unknown { .. });
        if is_unknown_key || matches!(items[at].1, Item::Open) {
            items.remove(at);
        } else {
            items[at].1 = Item::Open;
        }
        if !mistake.is_open {
            errors.push(mistake.explain());
        }
        put_aside.insert(argument);
    }
    errors
}

fn read<T: DeserializeOwned>(items: &[(String, Item<'_>)]) -> Result<(), Mistake> {
    T::deserialize(Arguments::new(items)).map(|_| ())
}

/// Finds the argument of a mistake without a route, as types that flatten others make them: the one without
/// which the mistake is gone.
fn with_culprit<T: DeserializeOwned>(mut mistake: Mistake, items: &[(String, Item<'_>)]) -> Mistake {
    if !mistake.route.is_empty() || matches!(mistake.kind, Kind::Missing(_)) {
        return mistake;
    }
    for at in 0..items.len().min(MOST) {
        let mut others = items.to_vec();
        let was_open = std::mem::replace(&mut others[at].1, Item::Open).is_open();
        let is_gone = !was_open && !matches!(read::<T>(&others), Err(other) if other.kind == mistake.kind);
        if is_gone {
            mistake.route = vec![items[at].0.clone()];
            break;
        }
    }
    mistake
}
