//! Measures what the engine works out while it compiles: `'x' * 100000000` is text before anything is counted.
//!
//! Walks over a parsed template, and estimates each expression of constants from above without evaluating it.

use minijinja::{
    Value,
    machinery::{Span, ast},
};

use super::operators::TEXT_MAX;

/// A constant, as far as it matters here.
#[derive(Clone, Copy)]
enum Constant {
    /// A number; how far it is from zero at most, and whether it is known to be whole.
    Number(f64, bool),
    /// A text, list or map; how many bytes it takes at most.
    Long(f64),
}

use Constant::{Long, Number};

impl Constant {
    fn bytes(self) -> f64 {
        match self {
            Number(..) => size_of::<Value>() as f64,
            Long(bytes) => bytes,
        }
    }
}

/// Returns where the constants of a template become too much.
pub(super) fn too_much(tree: &ast::Stmt<'_>) -> Option<Span> {
    let mut walk = Walk { total: 0.0, found: None };
    walk.statement(tree);
    walk.found
}

/// Returns where the constants of an expression become too much.
pub(super) fn too_much_in(tree: &ast::Expr<'_>) -> Option<Span> {
    let mut walk = Walk { total: 0.0, found: None };
    walk.expression(tree);
    walk.found
}

struct Walk {
    /// Bytes of constants so far.
    total: f64,
    found: Option<Span>,
}

impl Walk {
    fn statements(&mut self, list: &[ast::Stmt<'_>]) {
        list.iter().for_each(|statement| self.statement(statement));
    }

    fn expressions<'a: 'e, 'e>(&mut self, list: impl IntoIterator<Item = &'e ast::Expr<'a>>) {
        for expression in list {
            self.expression(expression);
        }
    }

    fn statement(&mut self, statement: &ast::Stmt<'_>) {
        match statement {
            ast::Stmt::Template(template) => self.statements(&template.children),
            ast::Stmt::EmitExpr(emit) => self.expressions([&emit.expr]),
            ast::Stmt::EmitRaw(_) => {}
            ast::Stmt::ForLoop(each) => {
                self.expressions([&each.iter].into_iter().chain(&each.filter_expr));
                self.statements(&each.body);
                self.statements(&each.else_body);
            }
            ast::Stmt::IfCond(choice) => {
                self.expressions([&choice.expr]);
                self.statements(&choice.true_body);
                self.statements(&choice.false_body);
            }
            ast::Stmt::WithBlock(with) => {
                self.expressions(with.assignments.iter().map(|(_, value)| value));
                self.statements(&with.body);
            }
            ast::Stmt::Set(set) => self.expressions([&set.target, &set.expr]),
            ast::Stmt::SetBlock(set) => {
                self.expressions(&set.filter);
                self.statements(&set.body);
            }
            ast::Stmt::AutoEscape(escape) => {
                self.expressions([&escape.enabled]);
                self.statements(&escape.body);
            }
            ast::Stmt::FilterBlock(filter) => {
                self.expressions([&filter.filter]);
                self.statements(&filter.body);
            }
            ast::Stmt::Block(block) => self.statements(&block.body),
            ast::Stmt::Import(import) => self.expressions([&import.expr]),
            ast::Stmt::FromImport(import) => self.expressions([&import.expr]),
            ast::Stmt::Extends(extends) => self.expressions([&extends.name]),
            ast::Stmt::Include(include) => self.expressions([&include.name]),
            ast::Stmt::Macro(made) => self.made(made),
            ast::Stmt::CallBlock(block) => {
                self.call(&block.call);
                self.made(&block.macro_decl);
            }
            ast::Stmt::Do(done) => self.call(&done.call),
        }
    }

    fn made(&mut self, made: &ast::Macro<'_>) {
        self.expressions(&made.defaults);
        self.statements(&made.body);
    }

    fn call(&mut self, call: &ast::Call<'_>) {
        self.expression(&call.expr);
        self.arguments(&call.args);
    }

    fn arguments(&mut self, arguments: &[ast::CallArg<'_>]) {
        self.expressions(arguments.iter().map(|argument| match argument {
            ast::CallArg::Pos(value)
            | ast::CallArg::Kwarg(_, value)
            | ast::CallArg::PosSplat(value)
            | ast::CallArg::KwargSplat(value) => value,
        }));
    }

    /// Returns what an expression comes to, if it is of constants only.
    fn expression(&mut self, expression: &ast::Expr<'_>) -> Option<Constant> {
        match expression {
            ast::Expr::Const(constant) => Some(measure(&constant.value)),
            ast::Expr::List(list) => self.several(list.items.iter()),
            ast::Expr::Tuple(tuple) => self.several(tuple.items.iter()),
            ast::Expr::Map(map) => self.several(map.keys.iter().chain(&map.values)),
            ast::Expr::UnaryOp(unary) => self.expression(&unary.expr),
            ast::Expr::BinOp(binary) => {
                let (left, right) = (self.expression(&binary.left), self.expression(&binary.right));
                let result = combine(&binary.op, left?, right?);
                if let Long(bytes) = result {
                    self.total += bytes;
                    if self.total > TEXT_MAX as f64 {
                        self.found.get_or_insert(expression.span());
                    }
                }
                Some(result)
            }
            ast::Expr::Compare(compare) => {
                self.expression(&compare.expr);
                self.expressions(compare.ops.iter().map(|part| &part.expr));
                Some(Number(1.0, true))
            }
            ast::Expr::Var(_) => None,
            ast::Expr::Slice(slice) => {
                let parts = [&slice.start, &slice.stop, &slice.step].into_iter().flatten();
                self.expressions([&slice.expr].into_iter().chain(parts));
                None
            }
            ast::Expr::IfExpr(choice) => {
                self.expressions([&choice.test_expr, &choice.true_expr].into_iter().chain(&choice.false_expr));
                None
            }
            ast::Expr::Filter(filter) => {
                self.expressions(&filter.expr);
                self.arguments(&filter.args);
                None
            }
            ast::Expr::Test(test) => {
                self.expression(&test.expr);
                self.arguments(&test.args);
                None
            }
            ast::Expr::GetAttr(attribute) => {
                self.expression(&attribute.expr);
                None
            }
            ast::Expr::GetItem(item) => {
                self.expressions([&item.expr, &item.subscript_expr]);
                None
            }
            ast::Expr::Call(call) => {
                self.call(call);
                None
            }
        }
    }

    fn several<'a: 'e, 'e>(&mut self, items: impl Iterator<Item = &'e ast::Expr<'a>>) -> Option<Constant> {
        let mut bytes = 0.0;
        let mut is_constant = true;
        for item in items {
            match self.expression(item) {
                Some(constant) => bytes += constant.bytes() + size_of::<Value>() as f64,
                None => is_constant = false,
            }
        }
        is_constant.then_some(Long(bytes))
    }
}

fn measure(value: &Value) -> Constant {
    match (value.as_str(), f64::try_from(value.clone())) {
        (Some(text), _) => Long(text.len() as f64),
        (None, Ok(number)) => Number(number.abs(), value.is_integer()),
        (None, Err(_)) => Number(1.0, true),
    }
}

fn combine(operator: &ast::BinOpKind, left: Constant, right: Constant) -> Constant {
    use ast::BinOpKind::{Concat, Div, FloorDiv, Mul, Pow};
    match (operator, left, right) {
        (Mul, Number(a, x), Number(b, y)) => Number(known(a * b), x && y),
        (Mul, Long(bytes), Number(times, _)) | (Mul, Number(times, _), Long(bytes)) => Long(known(bytes * times)),
        (Pow, Number(a, _), Number(b, _)) => Number(known(a.max(1.0).powf(b)), false),
        // By a whole number it gets smaller; by a fraction there is no telling.
        (Div | FloorDiv, Number(a, x), Number(_, true)) => Number(a, x && matches!(operator, FloorDiv)),
        (Div | FloorDiv, Number(..), Number(_, false)) => Number(f64::INFINITY, false),
        (Concat, a, b) => Long(a.bytes() + b.bytes()),
        (_, Number(a, x), Number(b, y)) => Number(a + b, x && y),
        (_, a, b) => Long(a.bytes() + b.bytes()),
    }
}

/// Infinity times nothing is not known.
fn known(number: f64) -> f64 {
    if number.is_nan() { f64::INFINITY } else { number }
}
