//! Query parameters, as the many clients write them.

use std::borrow::Cow;
use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::de::value::Error as WordError;
use serde::de::{DeserializeOwned, IntoDeserializer};
use utoipa::IntoParams;

use super::error::ApiError;

/// How many items a page has when nothing is said.
const DEFAULT_AMOUNT: u32 = 100;

/// Most items on a page.
pub(crate) const MAX_AMOUNT: u32 = 1000;

/// A page of a list, as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// What the names begin with.
    #[param(required = false)]
    pub(crate) prefix: String,
    /// The name that the page begins after.
    pub(crate) after: Option<String>,
    /// How many items there are at most; -1 and 0 leave it to the server.
    #[param(required = false, value_type = i32, minimum = -1, maximum = 1000)]
    pub(crate) amount: u32,
}

/// The parameters of a request in their order. Blanks come as `+` or as `%20`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, Result<String, String>)>);

impl Query {
    fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(decoded).collect())
    }

    /// A parameter's value; an empty one is none.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let found = self.0.iter().find(|(key, _)| key == name);
        let Some((_, value)) = found else { return Ok(None) };
        let value = value.as_ref().map_err(|raw| not_utf8(name, raw))?;
        Ok(Some(value.as_str()).filter(|value| !value.is_empty()))
    }

    /// A parameter that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        let missing = || ApiError::bad_request(format!("query parameter '{name}' is required"));
        self.text(name)?.ok_or_else(missing)
    }

    /// All values of a parameter that may be repeated.
    pub(crate) fn all(&self, name: &str) -> Result<Vec<&str>, ApiError> {
        let named = self.0.iter().filter(|(key, _)| key == name);
        named
            .map(|(_, value)| value.as_ref().map(String::as_str).map_err(|raw| not_utf8(name, raw)))
            .collect()
    }

    /// A parameter that is one of few words or follows a rule.
    pub(crate) fn parsed<T>(&self, name: &str) -> Result<Option<T>, ApiError>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let parsed = text
            .parse()
            .map_err(|error| ApiError::bad_request(format!("query parameter '{name}' is '{text}': {error}")));
        parsed.map(Some)
    }

    /// A parameter that is one of few words.
    pub(crate) fn word<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let unknown = |error: WordError| {
            ApiError::bad_request(format!("query parameter '{name}' is '{text}': {error}"))
        };
        T::deserialize(text.into_deserializer()).map(Some).map_err(unknown)
    }

    /// A yes or no, `false` if it is not there: in every form that Go's `ParseBool` takes.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        self.flag_or(name, false)
    }

    /// A yes or no with its default.
    pub(crate) fn flag_or(&self, name: &str, default: bool) -> Result<bool, ApiError> {
        match self.text(name)? {
            None => Ok(default),
            Some("1" | "t" | "T" | "true" | "True" | "TRUE") => Ok(true),
            Some("0" | "f" | "F" | "false" | "False" | "FALSE") => Ok(false),
            Some(other) => {
                Err(ApiError::bad_request(format!("query parameter '{name}' is '{other}', not a boolean")))
            }
        }
    }

    /// The page that is wanted of a list of names.
    pub(crate) fn page(&self) -> Result<PageQuery, ApiError> {
        Ok(PageQuery {
            prefix: self.text("prefix")?.unwrap_or_default().to_owned(),
            after: self.text("after")?.map(str::to_owned),
            amount: self.amount()?,
        })
    }

    /// How many items are wanted: 1 to [`MAX_AMOUNT`].
    pub(crate) fn amount(&self) -> Result<u32, ApiError> {
        let asked: Option<i64> = self.parsed("amount")?;
        match asked {
            None | Some(-1..=0) => Ok(DEFAULT_AMOUNT),
            Some(amount) => match u32::try_from(amount) {
                Ok(amount) if amount <= MAX_AMOUNT => Ok(amount),
                _ => Err(ApiError::bad_request(format!(
                    "query parameter 'amount' is {amount}; it must be -1 to {MAX_AMOUNT}"
                ))),
            },
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

/// A pair without its encoding; a value that is not UTF-8 stays as it came.
fn decoded((name, value): (&str, &str)) -> (String, Result<String, String>) {
    let plain = |text: &str| {
        let blanks = text.replace('+', " ");
        percent_decode_str(&blanks).decode_utf8().map(Cow::into_owned)
    };
    (plain(name).unwrap_or_else(|_| name.to_owned()), plain(value).map_err(|_| value.to_owned()))
}

fn not_utf8(name: &str, raw: &str) -> ApiError {
    ApiError::bad_request(format!("query parameter '{name}' is '{raw}', which is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_slashes_and_signs_come_in_both_encodings() {
        for query in ["path=a%20b/%C3%A7%2B%26%23%3F.txt", "path=a+b%2F%C3%A7%2B%26%23%3F.txt"] {
            assert_eq!(Query::parse(query).required("path").unwrap(), "a b/ç+&#?.txt");
        }
        let repeated = Query::parse("objects=a&objects=b&prefixes=p/");
        assert_eq!(repeated.all("objects").unwrap(), ["a", "b"]);
    }

    #[test]
    fn booleans_come_in_every_form() {
        for (text, is) in
            [("True", true), ("1", true), ("t", true), ("False", false), ("0", false), ("", false)]
        {
            assert_eq!(Query::parse(&format!("presign={text}")).flag("presign").unwrap(), is, "{text}");
        }
        assert_eq!(Query::parse("presign=yes").flag("presign").unwrap_err().status(), 400);
    }

    #[test]
    fn amounts_have_their_default_and_their_bounds() {
        for (query, amount) in [("", 100), ("amount=0", 100), ("amount=-1", 100), ("amount=1000", 1000)] {
            assert_eq!(Query::parse(query).amount().unwrap(), amount, "{query}");
        }
        for wrong in ["amount=1001", "amount=-2", "amount=x", "amount=1.5", "amount=99999999999999999999"] {
            assert_eq!(Query::parse(wrong).amount().unwrap_err().status(), 400, "{wrong}");
        }
    }

    #[test]
    fn what_is_not_utf8_or_missing_is_refused_by_name() {
        let error = Query::parse("path=%FF").required("path").unwrap_err();
        assert!(error.message().contains("'path' is '%FF'"), "{error:?}");
        for absent in ["", "path", "path=", "pat=h"] {
            let error = Query::parse(absent).required("path").unwrap_err();
            assert_eq!(
                (error.status().as_u16(), error.message()),
                (400, "query parameter 'path' is required")
            );
        }
    }
}
