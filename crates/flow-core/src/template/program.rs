//! Compiles a template and runs it.
//!
//! Built on minijinja's machinery rather than its `Template`, for three things that `Template` cannot do:
//! operators on times (`logical_date - macros.timedelta(days=1)`), complaints about unknown filters, tests and
//! functions before anything runs, and a bound on all text, also that between the expressions. What a
//! template may see is in [`super::scope`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use minijinja::{
    AutoEscape, Environment, Error, UndefinedBehavior, Value,
    machinery::{self, CodeGenerator, Instruction, Instructions, ast},
};

use super::{
    OUTPUT_BYTES_MAX, TemplateError,
    args::bad,
    complaint::{self, Suspect},
    constants, filters, json, limits, operators, python, scope,
};

/// How many steps a rendering may take.
const STEPS_MAX: u64 = 1_000_000;

/// The function that stored values go through; no template can name it.
const KEEP: &str = "=";

/// The function that results go through, to be counted.
const COUNT: &str = "#";

/// A compiled template or expression.
pub(super) struct Program<'s> {
    source: &'s str,
    instructions: Instructions<'s>,
    blocks: BTreeMap<&'s str, Instructions<'s>>,
    /// It leaves a value, not text.
    pub(super) is_expression: bool,
}

/// The engine's settings and functions, made once.
pub(super) fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(STEPS_MAX));
        environment.set_recursion_limit(100);
        // Undefined values remember what they were called only in debug mode.
        environment.set_debug(true);
        environment.remove_global("debug");
        environment.set_unknown_method_callback(filters::unknown_method);
        environment.set_formatter(|out, state, value| {
            let mut text = String::new();
            python::write_str(&mut text, value)?;
            operators::count(state, text.len())?;
            out.write_str(&text).map_err(Error::from)
        });
        environment.add_function(KEEP, limits::keep);
        environment.add_function(COUNT, operators::counted);
        operators::register(&mut environment);
        filters::register(&mut environment);
        environment
    })
}

/// Compiles a template. When it is one `{{ … }}` and `native` is wanted, to an expression.
pub(super) fn compile(source: &str, native: bool) -> Result<Program<'_>, TemplateError> {
    bounded(source, false)?;
    let complain = |error: &Error| complaint::explain(error, source, &Suspect::Nothing);
    let tree = machinery::parse(source, "template", Default::default()).map_err(|error| complain(&error))?;
    modest(constants::too_much(&tree))?;
    let mut generator = CodeGenerator::new("template", source);
    if native
        && let ast::Stmt::Template(template) = &tree
        && let [ast::Stmt::EmitExpr(only)] = template.children.as_slice()
    {
        generator.compile_expr(&only.expr);
        return finish(generator, source, true);
    }
    generator.compile_stmt(&tree);
    finish(generator, source, false)
}

/// Compiles a bare expression.
pub(super) fn compile_expression(source: &str) -> Result<Program<'_>, TemplateError> {
    bounded(source, true)?;
    let tree = machinery::parse_expr(source).map_err(|error| complaint::explain(&error, source, &Suspect::Nothing))?;
    modest(constants::too_much_in(&tree))?;
    let mut generator = CodeGenerator::new("expression", source);
    generator.compile_expr(&tree);
    finish(generator, source, true)
}

/// Refuses what would exhaust the stack.
fn bounded(source: &str, in_expression: bool) -> Result<(), TemplateError> {
    limits::too_long(source, in_expression).map_or(Ok(()), |(message, line, range)| {
        Err(TemplateError { message, line, range: Some(range), argument: None, help: None })
    })
}

/// Refuses constants that would fill the memory while they are compiled.
fn modest(found: Option<machinery::Span>) -> Result<(), TemplateError> {
    found.map_or(Ok(()), |span| {
        let range = span.start_offset as usize..span.end_offset as usize;
        let message = operators::too_much().detail().unwrap_or_default().to_owned();
        Err(TemplateError { message, line: span.start_line.into(), range: Some(range), argument: None, help: None })
    })
}

fn finish<'s>(
    generator: CodeGenerator<'s>,
    source: &'s str,
    is_expression: bool,
) -> Result<Program<'s>, TemplateError> {
    let (instructions, blocks) = generator.finish();
    let mut known = BTreeSet::new();
    for part in std::iter::once(&instructions).chain(blocks.values()) {
        collect_names(part, &mut known);
    }
    for part in std::iter::once(&instructions).chain(blocks.values()) {
        check(part, source, &known)?;
    }
    let mut own = BTreeSet::from(["loop", "caller", "super"]);
    for part in std::iter::once(&instructions).chain(blocks.values()) {
        own.extend(each(part).filter_map(|(_, instruction)| {
            if let Instruction::BuildMacro(name, _, _) = instruction { Some(*name) } else { None }
        }));
    }
    let blocks = blocks.into_iter().map(|(name, part)| (name, rewrite(&part, source, &own))).collect();
    Ok(Program { source, instructions: rewrite(&instructions, source, &own), blocks, is_expression })
}

impl Program<'_> {
    /// Renders the template to text.
    pub(super) fn text(&self, root: &Value) -> Result<String, TemplateError> {
        let (text, _) = self.run(root)?;
        Ok(text)
    }

    /// Evaluates the expression.
    pub(super) fn value(&self, root: &Value) -> Result<Value, TemplateError> {
        let (_, value) = self.run(root)?;
        Ok(value.unwrap_or_default())
    }

    /// Evaluates the expression to JSON.
    pub(super) fn json(&self, root: &Value) -> Result<serde_json::Value, TemplateError> {
        let value = self.value(root)?;
        json::to_json(&value).map_err(|error| complaint::explain(&error, self.source, &Suspect::Nothing))
    }

    fn run(&self, root: &Value) -> Result<(String, Option<Value>), TemplateError> {
        let mut text = String::new();
        let mut output = machinery::make_string_output(&mut text);
        let result = machinery::eval(
            environment(),
            &self.instructions,
            root.clone(),
            &self.blocks,
            &mut output,
            AutoEscape::None,
        );
        let value = result
            .map(|(value, _)| value)
            .and_then(|value| match &value {
                Some(value) if value.is_undefined() => Err(super::args::undefined(value)),
                Some(_) | None => Ok(value),
            })
            .map_err(|error| complaint::explain(&error, self.source, &Suspect::Root(root)))?;
        drop(output);
        if text.len() > OUTPUT_BYTES_MAX {
            let error = bad(format!("result is longer than {} MiB", OUTPUT_BYTES_MAX >> 20));
            return Err(complaint::explain(&error, self.source, &Suspect::Nothing));
        }
        Ok((text, value))
    }
}

/// Walks over instructions with their places.
fn each<'a, 's>(part: &'a Instructions<'s>) -> impl Iterator<Item = (u32, &'a Instruction<'s>)> {
    (0..).map_while(|at| part.get(at).map(|instruction| (at, instruction)))
}

/// Collects the names that a template makes itself: loop variables, `set`, macros and their parameters.
fn collect_names<'s>(part: &Instructions<'s>, known: &mut BTreeSet<&'s str>) {
    for (_, instruction) in each(part) {
        if let Instruction::StoreLocal(name) | Instruction::BuildMacro(name, _, _) = instruction {
            known.insert(name);
        }
    }
    known.extend(["loop", "caller", "self", "super", "varargs", "kwargs"]);
}

/// Complains about the first thing that cannot work whatever the run.
#[expect(clippy::wildcard_enum_match_arm, reason = "the instructions are another crate's, and open")]
fn check(part: &Instructions<'_>, source: &str, known: &BTreeSet<&str>) -> Result<(), TemplateError> {
    for (at, instruction) in each(part) {
        let suspect = match instruction {
            Instruction::ApplyFilter(name, _, _) if !exists("filter", name) => Suspect::Filter(name),
            Instruction::PerformTest(name, _, _) if !exists("test", name) => Suspect::Test(name),
            Instruction::CallFunction(name, _) if !known.contains(name) && !is_function(name) => {
                Suspect::Function(name)
            }
            Instruction::Include(_) => Suspect::Statement("include"),
            Instruction::LoadBlocks => Suspect::Statement("extends"),
            Instruction::ExportLocals => Suspect::Statement("import"),
            _ => continue,
        };
        let line = part.get_line(at).unwrap_or(1);
        let range = part.get_span(at).map(|span| span.start_offset as usize..span.end_offset as usize);
        return Err(complaint::unknown(&suspect, source, line, range));
    }
    Ok(())
}

/// Says whether there is a filter or test of this name.
pub(super) fn exists(kind: &str, name: &str) -> bool {
    let name: String = name.split_whitespace().collect();
    environment().empty_state().perform_test(kind, &[Value::from(name)]).unwrap_or(false)
}

/// Says whether a name that is called is one of ours.
fn is_function(name: &str) -> bool {
    scope::NAMES.contains(&name) || environment().globals().any(|(global, _)| global == name)
}

/// Says whether an instruction makes a value that may be long and is not counted yet. `own`: what the template
/// itself makes callable; its text is counted where it is written.
#[expect(clippy::wildcard_enum_match_arm, reason = "the instructions are another crate's, and open")]
fn makes(instruction: &Instruction<'_>, own: &BTreeSet<&str>) -> bool {
    match instruction {
        Instruction::ApplyFilter(..)
        | Instruction::CallMethod(..)
        | Instruction::CallObject(_)
        | Instruction::Slice => true,
        Instruction::CallFunction(name, _) => !own.contains(name),
        _ => false,
    }
}

/// Puts our operators in the place of the engine's, sends raw text through the counting formatter, stored values
/// through [`limits::keep`], and results through [`operators::counted`].
///
/// One instruction may become several, so jumps are moved along.
#[expect(clippy::wildcard_enum_match_arm, reason = "the instructions are another crate's, and open")]
fn rewrite<'s>(part: &Instructions<'s>, source: &'s str, own: &BTreeSet<&str>) -> Instructions<'s> {
    let mut moved = Vec::new();
    let mut next: u32 = 0;
    for (_, instruction) in each(part) {
        moved.push(next);
        next += match instruction {
            Instruction::EmitRaw(_) | Instruction::StoreLocal(_) => 2,
            Instruction::SetAttr(_) => 4,
            made if makes(made, own) => 2,
            _ => 1,
        };
    }
    let to = |target: u32| moved.get(target as usize).copied().unwrap_or(next);
    let mut out = Instructions::new(part.name(), source);
    for (at, instruction) in each(part) {
        let before = match instruction {
            Instruction::EmitRaw(text) => vec![Instruction::LoadConst(Value::from(*text))],
            Instruction::StoreLocal(_) => vec![Instruction::CallFunction(KEEP, Some(1))],
            // The object lies above the value it gets.
            Instruction::SetAttr(_) => {
                vec![Instruction::Swap, Instruction::CallFunction(KEEP, Some(1)), Instruction::Swap]
            }
            _ => Vec::new(),
        };
        for instruction in before {
            add(&mut out, part, at, instruction);
        }
        add(&mut out, part, at, replaced(instruction, to));
        if makes(instruction, own) {
            add(&mut out, part, at, Instruction::CallFunction(COUNT, Some(1)));
        }
    }
    out
}

/// What stands for one instruction, with its jump moved.
#[expect(clippy::wildcard_enum_match_arm, reason = "the instructions are another crate's, and open")]
fn replaced<'s>(instruction: &Instruction<'s>, to: impl Fn(u32) -> u32) -> Instruction<'s> {
    let call = |name| Instruction::CallFunction(name, Some(2));
    match instruction {
        Instruction::EmitRaw(_) => Instruction::Emit,
        Instruction::Add => call("+"),
        Instruction::Sub => call("-"),
        Instruction::Mul => call("*"),
        Instruction::Rem => call("%"),
        Instruction::StringConcat => call("~"),
        Instruction::Lt => call("<"),
        Instruction::Lte => call("<="),
        Instruction::Gt => call(">"),
        Instruction::Gte => call(">="),
        Instruction::Jump(target) => Instruction::Jump(to(*target)),
        Instruction::JumpIfFalse(target) => Instruction::JumpIfFalse(to(*target)),
        Instruction::JumpIfFalseOrPop(target) => Instruction::JumpIfFalseOrPop(to(*target)),
        Instruction::JumpIfTrueOrPop(target) => Instruction::JumpIfTrueOrPop(to(*target)),
        Instruction::Iterate(target) => Instruction::Iterate(to(*target)),
        Instruction::BuildMacro(name, target, flags) => Instruction::BuildMacro(name, to(*target), *flags),
        other => other.clone(),
    }
}

/// Adds an instruction with the place of the one it stands for.
fn add<'s>(out: &mut Instructions<'s>, part: &Instructions<'s>, at: u32, instruction: Instruction<'s>) {
    match (part.get_span(at), part.get_line(at)) {
        (Some(span), _) => out.add_with_span(instruction, span),
        (None, Some(line)) => out.add_with_line(instruction, u16::try_from(line).unwrap_or(u16::MAX)),
        (None, None) => out.add(instruction),
    };
}
