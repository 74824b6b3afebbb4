//! Filters (RFC 7644 §3.4.2.2): read by `scim_v2`, here bound to what their names mean, so that one that cannot be answered
//! is refused before anything is looked for.

mod matches;

use super::failure::Failure;
use super::schema::{Attribute, Place, ResourceType, Shape};
use super::time;
use firstsight::domain::Timestamp;
use scim_v2::filter::{AttrExp, AttrPath, CompValue, CompareOp, Filter as Written, ValFilter};
use scim_v2::models::errors::ScimType;

/// A filter for one kind of resource.
#[derive(Debug)]
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// One of an attribute's values is like this.
    Within(Place, Box<Filter>),
    Test(Test),
}

/// One comparison.
#[derive(Debug)]
pub(super) struct Test {
    /// Where its value is; `None` if resources of this kind have no such attribute.
    pub(super) place: Option<Place>,
    pub(super) wants: Wants,
}

#[derive(Debug)]
pub(super) enum Wants {
    Present,
    Absent,
    Text(CompareOp, String),
    Boolean(CompareOp, bool),
    Time(CompareOp, Timestamp),
}

/// Reads a filter.
///
/// # Errors
/// 400 `invalidFilter` for what is none.
pub(super) fn parse(text: &str) -> Result<Written, Failure> {
    text.parse().map_err(|_| invalid("It is not a filter as RFC 7644 §3.4.2.2 has it."))
}

fn invalid(detail: impl Into<std::borrow::Cow<'static, str>>) -> Failure {
    Failure::bad(ScimType::InvalidFilter, detail)
}

impl Filter {
    /// Binds a filter to each of the kinds that are asked. Where several are, what one has no attribute for is without
    /// value there (RFC 7644 §3.4.2.1).
    ///
    /// # Errors
    /// 400 `invalidFilter` for attributes that none has, and comparisons that their values do not take.
    pub(super) fn bind(written: &Written, kinds: &[ResourceType]) -> Result<Vec<Self>, Failure> {
        let strict: Vec<_> = kinds.iter().map(|kind| Self::of(written, *kind, true)).collect();
        if kinds.len() == 1 || strict.iter().all(Result::is_err) {
            return strict.into_iter().collect();
        }
        let loose = |(kind, bound): (&ResourceType, Result<Self, _>)| {
            bound.or_else(|_| Self::of(written, *kind, false))
        };
        kinds.iter().zip(strict).map(loose).collect()
    }

    fn of(written: &Written, kind: ResourceType, strict: bool) -> Result<Self, Failure> {
        let all = |items: &[Written]| {
            items.iter().map(|item| Self::of(item, kind, strict)).collect::<Result<_, _>>()
        };
        Ok(match written {
            Written::And(items) => Self::All(all(items)?),
            Written::Or(items) => Self::Any(all(items)?),
            Written::Not(inner) => Self::Not(Self::of(inner, kind, strict)?.into()),
            Written::Attr(test) => Self::Test(Test::of(test, |path| place(kind, path, strict))?),
            Written::ValuePath(within) => match place(kind, &within.attr, strict)? {
                Some(place) => Self::within(place, &within.filter)?,
                None => Self::Any(Vec::new()),
            },
        })
    }

    fn within(place: Place, written: &ValFilter) -> Result<Self, Failure> {
        let attribute =
            place.attribute.filter(|attribute| place.below.is_none() && !attribute.below.is_empty());
        let attribute =
            attribute.ok_or_else(|| invalid("Brackets go with an attribute that has others below."))?;
        Ok(Self::Within(place, Self::value(attribute, written)?.into()))
    }

    /// Binds a filter for one value of `attribute`.
    ///
    /// # Errors
    /// 400 `invalidFilter`, as for others.
    pub(super) fn value(attribute: &'static Attribute, written: &ValFilter) -> Result<Self, Failure> {
        let all = |items: &[ValFilter]| {
            items.iter().map(|item| Self::value(attribute, item)).collect::<Result<_, _>>()
        };
        Ok(match written {
            ValFilter::And(items) => Self::All(all(items)?),
            ValFilter::Or(items) => Self::Any(all(items)?),
            ValFilter::Not(inner) => Self::Not(Self::value(attribute, inner)?.into()),
            ValFilter::Attr(test) => Self::Test(Test::of(test, |path| {
                let plain = path.uri.is_none() && path.sub_attr.is_none();
                let below = attribute.below.iter().find(|below| plain && below.is(&path.name));
                let below = below.ok_or_else(|| unknown(path))?;
                Ok(Some(Place { extension: None, attribute: Some(below), below: None }))
            })?),
        })
    }
}

fn place(kind: ResourceType, path: &AttrPath, strict: bool) -> Result<Option<Place>, Failure> {
    match kind.find(path).filter(|place| place.attribute.is_some()) {
        None if strict => Err(unknown(path)),
        found => Ok(found),
    }
}

fn unknown(path: &AttrPath) -> Failure {
    invalid(format!("{}: there is no such attribute here", path.name))
}

impl Test {
    fn of(
        written: &AttrExp,
        place: impl Fn(&AttrPath) -> Result<Option<Place>, Failure>,
    ) -> Result<Self, Failure> {
        let (path, wants) = match written {
            AttrExp::Present(path) => return Ok(Self { place: place(path)?, wants: Wants::Present }),
            AttrExp::Comparison(path, op, value) => (path, (op, value)),
        };
        let place = place(path)?;
        let Some(leaf) = place.and_then(|place| place.leaf()) else {
            // Nothing is there to compare with, so only a comparison with nothing matters.
            let wants = if matches!(wants, (CompareOp::Eq, CompValue::Null)) {
                Wants::Absent
            } else {
                Wants::Present
            };
            return Ok(Self { place: None, wants });
        };
        let unfit = || invalid(format!("{}: this comparison is not for its values", path.name));
        let wants = match (leaf.shape, wants) {
            (_, (CompareOp::Eq, CompValue::Null)) => Wants::Absent,
            (_, (CompareOp::Ne, CompValue::Null)) => Wants::Present,
            (Shape::Boolean, (op @ (CompareOp::Eq | CompareOp::Ne), CompValue::True)) => {
                Wants::Boolean(op.clone(), true)
            }
            (Shape::Boolean, (op @ (CompareOp::Eq | CompareOp::Ne), CompValue::False)) => {
                Wants::Boolean(op.clone(), false)
            }
            (Shape::Time, (op, CompValue::Str(text))) if !is_about_text(op) => {
                Wants::Time(op.clone(), time::parse(text).ok_or_else(unfit)?)
            }
            (Shape::Text, (op, CompValue::Str(text))) => Wants::Text(op.clone(), text.clone()),
            (Shape::Binary, (op @ (CompareOp::Eq | CompareOp::Ne), CompValue::Str(text))) => {
                Wants::Text(op.clone(), text.clone())
            }
            _ => return Err(unfit()),
        };
        Ok(Self { place, wants })
    }
}

fn is_about_text(op: &CompareOp) -> bool {
    matches!(op, CompareOp::Co | CompareOp::Sw | CompareOp::Ew)
}

impl Place {
    /// The attribute whose values are compared: of one that has others below, `value` (RFC 7644 §3.4.2.2).
    pub(super) fn leaf(&self) -> Option<&'static Attribute> {
        let named = self.below.or(self.attribute)?;
        match named.shape {
            Shape::Complex => named.below.iter().find(|below| below.is("value")).or(Some(named)),
            _ => Some(named),
        }
    }
}
