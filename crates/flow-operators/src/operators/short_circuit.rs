//! Stops here unless a condition holds.

use flow_core::run::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    context::{Stream, TaskContext},
    operator::{Done, Operator, OperatorError},
};

/// `uses: short_circuit`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShortCircuit {
    /// What must hold. These do not: `false`, null, 0, an empty text, list or map, and the words `false`, `none`,
    /// `null`, `no`, `off`, `0`, `0.0`, `[]`, `{}` in a rendered text, in any case.
    condition: Value,
    /// Skip everything downstream; with false only the direct downstream tasks, and trigger rules decide on.
    #[serde(default = "yes")]
    ignore_downstream_trigger_rules: bool,
}

fn yes() -> bool {
    true
}

impl Operator for ShortCircuit {
    const NAME: &'static str = "short_circuit";
    const SUMMARY: &'static str = "Skips what is downstream unless a condition holds.";
    const TEMPLATED: &'static [&'static str] = &["condition"];
    const EXAMPLE: &'static str = "\
id: is_month_end
uses: short_circuit
with:
  condition: \"{{ logical_date.add(days=1).day == 1 }}\"
";

    async fn run(self, cx: &mut TaskContext) -> Result<Done, OperatorError> {
        let holds = is_truthy(&self.condition);
        let sentence = match (holds, cx.downstream.is_empty()) {
            (true, _) => "the condition holds: going on\n",
            (false, true) => "the condition does not hold; there is nothing downstream\n",
            (false, false) => "the condition does not hold: skipping what is downstream\n",
        };
        cx.log.write(Stream::Info, sentence.as_bytes());
        let done = if holds || cx.downstream.is_empty() {
            Done::success(self.condition)
        } else {
            Done::new(Outcome::ShortCircuit { ignore_trigger_rules: self.ignore_downstream_trigger_rules })
        };
        std::future::ready(Ok(done)).await
    }
}

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is) => *is,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(
            text.trim().to_ascii_lowercase().as_str(),
            "" | "false" | "none" | "null" | "no" | "off" | "0" | "0.0" | "[]" | "{}"
        ),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::World;

    #[test]
    fn python_and_json_agree_on_what_is_false() {
        for falsy in [json!(null), json!(false), json!(0), json!(0.0), json!(""), json!([]), json!({})] {
            assert!(!is_truthy(&falsy), "{falsy}");
        }
        for falsy in ["False", "None", " 0 ", "[]", "\n", "OFF"] {
            assert!(!is_truthy(&json!(falsy)), "{falsy}");
        }
        for truthy in [json!(true), json!(1), json!(-0.5), json!("x"), json!("True"), json!([0]), json!("00")] {
            assert!(is_truthy(&truthy), "{truthy}");
        }
    }

    #[tokio::test]
    async fn a_condition_that_holds_is_the_result() {
        let mut world = World::new();
        world.downstream(&["a"]);
        let finished = world.run("short_circuit", json!({ "condition": "True" })).await;
        assert_eq!(finished.outcome(), &Outcome::Success);
        assert_eq!(finished.result(), Some(&json!("True")));
    }

    #[tokio::test]
    async fn one_that_does_not_hold_skips() {
        let mut world = World::new();
        world.downstream(&["a"]);
        let finished = world.run("short_circuit", json!({ "condition": false })).await;
        assert_eq!(finished.outcome(), &Outcome::ShortCircuit { ignore_trigger_rules: true });
        assert_eq!(finished.result(), None);
        let finished =
            world.run("short_circuit", json!({ "condition": false, "ignore_downstream_trigger_rules": false })).await;
        assert_eq!(finished.outcome(), &Outcome::ShortCircuit { ignore_trigger_rules: false });
    }

    #[tokio::test]
    async fn with_nothing_downstream_it_just_succeeds() {
        let finished = World::new().run("short_circuit", json!({ "condition": false })).await;
        assert_eq!(finished.outcome(), &Outcome::Success);
        assert_eq!(finished.result(), Some(&json!(false)));
    }
}
