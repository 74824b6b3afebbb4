//! A request's body that is JSON: read in one go, and what is wrong with it told without repeating it.

use super::problem::Problem;
use serde::de::DeserializeOwned;

/// # Errors
/// 400 for what is no JSON; 422 for another shape.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let found =
        serde_path_to_error::deserialize(&mut json).map_err(|error| match error.inner().is_data() {
            true => Problem::misshapen(&error),
            false => Problem::no_json(),
        })?;
    json.end().map_err(|_| Problem::no_json())?;
    Ok(found)
}
