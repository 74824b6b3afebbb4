//! What is written in the file of `--config`: sections, each read by the room it is for. Whatever is wrong with it is told
//! at once, each problem with its place. Knows none of the sections.

use serde::de::DeserializeOwned;
use std::fmt::{self, Display};
use std::path::Path;
use toml::{Table, Value};

/// The sections that nobody has read yet, and what is wrong with those that were.
pub(super) struct Settings {
    sections: Table,
    problems: Vec<String>,
}

/// Why the directory does not start: the file cannot be read, or everything that is wrong with it.
#[derive(Debug, thiserror::Error)]
pub(super) struct Unusable {
    name: String,
    problems: Vec<String>,
}

impl Settings {
    /// Reads the file; without one every section is as if it were not written.
    ///
    /// # Errors
    /// If it cannot be read, or is no TOML.
    pub(super) fn read(path: Option<&Path>) -> Result<Self, Unusable> {
        let unusable = |problem: String| Unusable { name: name(path), problems: vec![problem] };
        let text = path.map(std::fs::read_to_string).transpose();
        let text = text.map_err(|error| unusable(format!("cannot be read: {error}")))?.unwrap_or_default();
        // The parser's message shows the line, which may hold a secret; its place is enough.
        let table = text.parse::<Table>().map_err(|error| {
            let line = error.span().map(|span| text[..span.start].lines().count().max(1));
            unusable(format!("line {}: {}", line.unwrap_or_default(), error.message()))
        });
        Ok(Self { sections: table?, problems: Vec::new() })
    }

    /// The section of this name, or list of tables; the default if it is not written or wrong.
    pub(super) fn section<T: DeserializeOwned + Default>(&mut self, name: &str) -> T {
        let Some(value) = self.sections.remove(name) else { return T::default() };
        self.value(name, value)
    }

    /// The tables of this name, each read by itself, so that one that is wrong does not hide another; with their places.
    pub(super) fn sections<T: DeserializeOwned>(&mut self, name: &str) -> Vec<(String, T)> {
        let values = match self.sections.remove(name) {
            None => return Vec::new(),
            Some(Value::Array(values)) => values,
            Some(_) => {
                self.problem(name, &format!("is a list of tables: [[{name}]]"));
                return Vec::new();
            }
        };
        let read = |(index, value)| {
            let place = format!("{name}[{index}]");
            self.value::<Option<T>>(&place, value).map(|section| (place, section))
        };
        values.into_iter().enumerate().filter_map(read).collect()
    }

    /// Something is wrong at `place`.
    pub(super) fn problem(&mut self, place: &str, what: &str) {
        self.problems.push(format!("{place}: {what}"));
    }

    /// # Errors
    /// Everything that is wrong, sections that nobody reads among it.
    pub(super) fn finish(mut self, path: Option<&Path>) -> Result<(), Unusable> {
        let unknown: Vec<_> = self.sections.keys().cloned().collect();
        unknown.iter().for_each(|section| self.problem(section, "there is no such section"));
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(Unusable { name: name(path), problems: self.problems })
    }

    fn value<T: DeserializeOwned + Default>(&mut self, place: &str, value: Value) -> T {
        serde_path_to_error::deserialize(value).unwrap_or_else(|error| {
            let within = error.path().to_string();
            let joint = if within.starts_with('[') { "" } else { "." };
            let place = if within == "." { place.to_owned() } else { format!("{place}{joint}{within}") };
            self.problem(&place, error.inner().message());
            T::default()
        })
    }
}

fn name(path: Option<&Path>) -> String {
    path.map_or_else(|| "the settings".to_owned(), |path| path.display().to_string())
}

impl Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be used:", self.name)?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Port {
        number: u16,
    }

    fn read(text: &str) -> Result<(Port, Vec<(String, Port)>), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("directory.toml");
        std::fs::write(&path, text).unwrap();
        let told = |unusable: Unusable| unusable.to_string().replace(&path.display().to_string(), "FILE");
        let mut settings = Settings::read(Some(&path)).map_err(told)?;
        let read = (settings.section("port"), settings.sections("ports"));
        settings.finish(Some(&path)).map_err(told)?;
        Ok(read)
    }

    #[test]
    fn sections_are_read_and_those_that_are_not_written_are_the_default() {
        assert_eq!(read(""), Ok((Port::default(), vec![])));
        let written = read("[port]\nnumber = 1\n[[ports]]\nnumber = 2\n");
        assert_eq!(written, Ok((Port { number: 1 }, vec![("ports[0]".into(), Port { number: 2 })])));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_each_with_its_place() {
        let text = "[port]\nnumber = -1\n[[ports]]\nnumbr = 2\n[[ports]]\n[harbour]\n";
        let told = read(text).unwrap_err();
        let places: Vec<_> = told.lines().map(|line| line.split(": ").next().unwrap().trim()).collect();
        assert_eq!(places, ["FILE cannot be used:", "port.number", "ports[0].numbr", "ports[1]", "harbour"]);
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line_and_without_what_is_in_it() {
        let told = read("[port]\nnumber = secret\n").unwrap_err();
        assert!(told.contains("line 2") && !told.contains("= secret"), "{told}");
    }
}
