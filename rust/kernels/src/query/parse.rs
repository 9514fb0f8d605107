//! Reads a boolean query: texts, quoted or single words, `AND`, `OR` and parentheses.
//!
//! ```text
//! or   = and ("OR" and)*
//! and  = atom ("AND" atom)*
//! atom = "(" or ")" | 'text' | "text" | word
//! ```

use winnow::ascii::multispace0;
use winnow::combinator::{
    alt, cut_err, delimited, eof, not, opt, peek, preceded, repeat, terminated,
};
use winnow::error::{ContextError, ErrMode, StrContext, StrContextValue};
use winnow::prelude::*;
use winnow::stream::Stateful;
use winnow::token::{any, none_of, take_while};

use super::boolean::{Expression, Node};
use crate::corpus::Rows;
use crate::error::{Error, Result};
use crate::symbol::Patterns;

/// Parentheses within parentheses; deeper ones would exhaust the stack, and help nobody.
const MAX_DEPTH: usize = 100;

const KEYWORDS: [&str; 3] = ["AND", "OR", "NOT"];

type Input<'a> = Stateful<&'a str, usize>;

enum Tree {
    Text(String),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// Reads a query; see the module's grammar. `AND` binds tighter than `OR`.
///
/// # Errors
/// [`Error::InvalidInput`], saying where and what was expected.
///
/// # Examples
/// ```
/// assert!(bowstring::parse("'red apple' AND (pear OR plum)").is_ok());
/// assert!(bowstring::parse("red AND").is_err());
/// ```
pub fn parse(query: &str) -> Result<Expression> {
    let input = Stateful { input: query, state: 0 };
    let tree = terminated(or, end).parse(input).map_err(|error| {
        let at = query.get(..error.offset()).map_or(0, |before| before.chars().count());
        Error::InvalidInput(format!(
            "query does not parse at character {at}, before {:?}: {}",
            query.chars().skip(at).take(20).collect::<String>(),
            error.inner()
        ))
    })?;
    let mut terms = Patterns::bytes();
    let root = number(tree, &mut terms)?;
    Ok(Expression { root, terms })
}

fn number(tree: Tree, terms: &mut Patterns) -> Result<Node> {
    let mut all = |trees: Vec<Tree>| -> Result<Vec<Node>> {
        trees.into_iter().map(|tree| number(tree, terms)).collect()
    };
    Ok(match tree {
        Tree::And(trees) => Node::And(all(trees)?),
        Tree::Or(trees) => Node::Or(all(trees)?),
        Tree::Text(text) => {
            terms.push_bytes(Some(text.as_bytes()))?;
            Node::Term(terms.len() - 1)
        }
    })
}

fn expected(what: &'static str) -> StrContext {
    StrContext::Expected(StrContextValue::Description(what))
}

fn is_word(character: char) -> bool {
    !character.is_whitespace() && !"()'\"".contains(character)
}

fn keyword<'a>(word: &'static str) -> impl Parser<Input<'a>, &'a str, ErrMode<ContextError>> {
    preceded(multispace0, terminated(word, not(take_while(1, is_word))))
}

fn end<'a>(input: &mut Input<'a>) -> ModalResult<&'a str> {
    preceded(multispace0, eof)
        .context(expected("AND, OR or the end of the query (a text of several words needs quotes)"))
        .parse_next(input)
}

fn or(input: &mut Input<'_>) -> ModalResult<Tree> {
    chain(input, "OR", and, Tree::Or)
}

fn and(input: &mut Input<'_>) -> ModalResult<Tree> {
    chain(input, "AND", atom, Tree::And)
}

fn chain(
    input: &mut Input<'_>,
    word: &'static str,
    mut operand: impl FnMut(&mut Input<'_>) -> ModalResult<Tree>,
    join: fn(Vec<Tree>) -> Tree,
) -> ModalResult<Tree> {
    let first = operand(input)?;
    if opt(keyword(word)).parse_next(input)?.is_none() {
        return Ok(first);
    }
    let mut operands = vec![first, operand(input)?];
    while opt(keyword(word)).parse_next(input)?.is_some() {
        operands.push(operand(input)?);
    }
    Ok(join(operands))
}

fn atom(input: &mut Input<'_>) -> ModalResult<Tree> {
    multispace0.parse_next(input)?;
    if opt('(').parse_next(input)?.is_some() {
        if input.state == MAX_DEPTH {
            return cut_err(winnow::combinator::fail)
                .context(expected("at most 100 parentheses within one another"))
                .parse_next(input);
        }
        input.state += 1;
        let inner = or(input)?;
        input.state -= 1;
        cut_err(preceded(multispace0, ')'))
            .context(expected("AND, OR or a closing parenthesis"))
            .parse_next(input)?;
        return Ok(inner);
    }
    cut_err(alt((quoted('\''), quoted('"'), word)).map(Tree::Text))
        .context(expected("a text in quotes, a word (AND and OR stand between two texts; NOT is not supported) or a parenthesis"))
        .parse_next(input)
}

fn quoted<'a>(quote: char) -> impl Parser<Input<'a>, String, ErrMode<ContextError>> {
    delimited(
        quote,
        repeat(0.., alt((none_of([quote, '\\']), preceded('\\', any)))),
        cut_err(quote).context(expected("a closing quote")),
    )
}

fn word(input: &mut Input<'_>) -> ModalResult<String> {
    peek(not(alt(KEYWORDS.map(keyword)))).parse_next(input)?;
    take_while(1.., is_word).map(str::to_owned).parse_next(input)
}
