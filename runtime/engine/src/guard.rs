//! Guards: short CEL conditions on what is known of a referral, compiled when the workflow is read.

use std::sync::{Arc, LazyLock};

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, Env, Program, Value};

use crate::problem::{Code, did_you_mean};

mod variables;

pub use variables::{GuardView, VARIABLES, Variable};

/// A condition longer than this belongs into two handlers.
pub const GUARD_CHARS_MAX: usize = 400;
/// Parentheses, brackets and unary operators in a row: keeps the parser's recursion shallow.
const NESTING_MAX: usize = 24;
/// `all`, `exists` and their kin inside one another: three over thirty-two attempts are 32,768 turns already.
const LOOPS_MAX: usize = 2;

/// The standard functions, shared by all guards.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// A compiled condition.
pub struct Guard {
    source: String,
    program: Program,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Guard({})", self.source)
    }
}

/// Why a guard was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardFault {
    pub code: Code,
    pub message: String,
    pub help: String,
}

impl GuardFault {
    fn bad(message: impl Into<String>, help: impl Into<String>) -> GuardFault {
        GuardFault { code: Code::BAD_GUARD, message: message.into(), help: help.into() }
    }
}

impl Guard {
    pub fn compile(source: &str) -> Result<Guard, Vec<GuardFault>> {
        if source.chars().count() > GUARD_CHARS_MAX {
            let message = format!("the guard is longer than {GUARD_CHARS_MAX} characters");
            return Err(vec![GuardFault::bad(message, "split it into two handlers")]);
        }
        if nesting(source) > NESTING_MAX {
            let message = format!("the guard nests deeper than {NESTING_MAX} levels");
            return Err(vec![GuardFault::bad(message, "split it into two handlers")]);
        }
        let program = ENV.compile(source).map_err(|errors| {
            let faults = errors.errors.iter().map(|error| {
                let line = error.msg.lines().next().unwrap_or_default();
                GuardFault::bad(
                    format!("the guard does not compile: {line}"),
                    "guards are CEL: `attempts.size() < 3 && order.priority == \"urgent\"`",
                )
            });
            faults.collect::<Vec<_>>()
        })?;
        let mut survey = Survey::default();
        survey.visit(program.expression(), &mut Vec::new(), 0);
        if survey.faults.is_empty() { Ok(Guard { source: source.to_string(), program }) } else { Err(survey.faults) }
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the condition holds. One that reads something absent (`appointment.starts_at` without an appointment) or
    /// that gives no truth value does not hold.
    pub fn holds(&self, view: &GuardView<'_>) -> bool {
        let mut context = Context::with_env(Arc::clone(&ENV));
        context.set_variable_resolver(view);
        matches!(self.program.execute(&context), Ok(Value::Bool(true)))
    }
}

/// An upper bound of how deep the parser will descend.
fn nesting(source: &str) -> usize {
    let (mut depth, mut deepest, mut unary) = (0usize, 0usize, 0usize);
    for c in source.chars() {
        match c {
            '(' | '[' | '{' | '?' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '!' | '-' => unary += 1,
            c if c.is_whitespace() => {}
            _ => unary = 0,
        }
        deepest = deepest.max(depth + unary);
    }
    deepest
}

/// Walks an expression for names that do not exist and for loops within loops.
#[derive(Default)]
struct Survey {
    faults: Vec<GuardFault>,
}

impl Survey {
    fn visit<'e>(&mut self, node: &'e IdedExpr, bound: &mut Vec<&'e str>, loops: usize) {
        match &node.expr {
            Expr::Ident(name) => self.check_variable(name, bound),
            Expr::Select(select) => {
                if let Expr::Ident(name) = &select.operand.expr
                    && !bound.contains(&name.as_str())
                {
                    self.check_field(name, &select.field);
                }
                self.visit(&select.operand, bound, loops);
            }
            Expr::Call(call) => {
                if let Some(target) = &call.target {
                    self.visit(target, bound, loops);
                }
                call.args.iter().for_each(|argument| self.visit(argument, bound, loops));
            }
            Expr::List(list) => list.elements.iter().for_each(|element| self.visit(element, bound, loops)),
            Expr::Map(map) => {
                for entry in &map.entries {
                    match &entry.expr {
                        EntryExpr::MapEntry(entry) => {
                            self.visit(&entry.key, bound, loops);
                            self.visit(&entry.value, bound, loops);
                        }
                        EntryExpr::StructField(field) => self.visit(&field.value, bound, loops),
                    }
                }
            }
            Expr::Comprehension(inner) => {
                if loops == LOOPS_MAX {
                    let message = format!("the guard has more than {LOOPS_MAX} loops inside one another");
                    self.faults.push(GuardFault::bad(message, "split it into two handlers"));
                    return;
                }
                self.visit(&inner.iter_range, bound, loops);
                let outer = bound.len();
                bound.push(&inner.iter_var);
                bound.extend(inner.iter_var2.as_deref());
                bound.push(&inner.accu_var);
                for part in [&inner.accu_init, &inner.loop_cond, &inner.loop_step, &inner.result] {
                    self.visit(part, bound, loops + 1);
                }
                bound.truncate(outer);
            }
            Expr::Struct(made) => {
                let message = format!("the guard makes a `{}`; there are no such types here", made.type_name);
                self.faults.push(GuardFault::bad(message, "compare with plain values"));
            }
            Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    fn check_variable(&mut self, name: &str, bound: &[&str]) {
        let known = bound.contains(&name) || Variable::named(name).is_some() || TYPE_NAMES.contains(&name);
        if !known {
            self.faults.push(GuardFault {
                code: Code::UNKNOWN_VARIABLE,
                message: format!("the guard reads `{name}`, which nobody knows"),
                help: did_you_mean(name, VARIABLES.iter().map(|variable| variable.name)),
            });
        }
    }

    fn check_field(&mut self, name: &str, field: &str) {
        if let Some(variable) = Variable::named(name)
            && !variable.fields().any(|known| known == field)
        {
            self.faults.push(GuardFault {
                code: Code::UNKNOWN_VARIABLE,
                message: format!("the guard reads `{name}.{field}`; `{name}` has no `{field}`"),
                help: did_you_mean(field, variable.fields()),
            });
        }
    }
}

/// CEL's own words that stand where a variable could: `type(x) == int`.
const TYPE_NAMES: &[&str] = &["bool", "int", "uint", "double", "string", "list", "map", "null_type", "optional"];
