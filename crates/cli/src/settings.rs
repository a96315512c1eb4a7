//! Which server to call and as whom: default, then configuration file, then environment, then flags.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::{fs, io};

use braid_client::{ClientConfig, Credentials, TlsOptions};
use serde::Deserialize;

use crate::failure::Failure;
use crate::io::Environment;
use crate::options::GlobalOptions;

/// The server that commands call unless they are told otherwise.
pub const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:8001";

/// One layer of settings; also what the configuration file may hold.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layer {
    endpoint: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    secret_access_key_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

/// How to call the service, as the options, the environment and the configuration file say: for commands beside those of
/// this library.
///
/// # Errors
/// What is wrong with one of them.
pub fn configured(
    options: &GlobalOptions,
    environment: &Environment,
) -> Result<ClientConfig, impl std::error::Error + Send + Sync + 'static> {
    client_config(options, environment)
}

/// How to call the service, as the options, the environment and the configuration file say.
///
/// # Errors
/// [`Failure::ConfigFile`], [`Failure::Setting`], [`Failure::Local`] if a file that was named cannot be read.
pub(crate) fn client_config(
    options: &GlobalOptions,
    environment: &Environment,
) -> Result<ClientConfig, Failure> {
    let file = from_file(options.config.as_deref(), environment)?;
    let settings = from_options(options).over(from_environment(environment)).over(file);
    let mut config = ClientConfig::new(settings.endpoint.as_deref().unwrap_or(DEFAULT_ENDPOINT));
    config.tls =
        TlsOptions { ca_certificates: settings.ca_file.as_deref().map(read).transpose()?, ..config.tls };
    config.credentials = settings.credentials()?;
    Ok(config)
}

fn from_options(options: &GlobalOptions) -> Layer {
    Layer {
        endpoint: options.endpoint.clone(),
        access_key_id: options.access_key_id.clone(),
        secret_access_key: None,
        secret_access_key_file: options.secret_access_key_file.clone(),
        ca_file: options.ca_file.clone(),
    }
}

fn from_environment(environment: &Environment) -> Layer {
    let text = |name| environment.get(name).map(str::to_owned);
    Layer {
        endpoint: text("BRAID_ENDPOINT"),
        access_key_id: text("BRAID_ACCESS_KEY_ID"),
        secret_access_key: text("BRAID_SECRET_ACCESS_KEY"),
        secret_access_key_file: None,
        ca_file: text("BRAID_CA_FILE").map(PathBuf::from),
    }
}

/// A file that was asked for must be there; the default one need not.
fn from_file(named: Option<&Path>, environment: &Environment) -> Result<Layer, Failure> {
    let named = named.map(Path::to_owned).or_else(|| environment.get("BRAID_CONFIG").map(PathBuf::from));
    let required = named.is_some();
    let Some(path) = named.or_else(|| default_file(environment)) else { return Ok(Layer::default()) };
    match fs::read_to_string(&path) {
        Ok(text) => parse(&path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !required => Ok(Layer::default()),
        Err(error) => Err(Failure::ConfigFile { path, reason: error.to_string() }),
    }
}

fn default_file(environment: &Environment) -> Option<PathBuf> {
    let xdg = environment.get("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = xdg.or_else(|| environment.get("HOME").map(|home| Path::new(home).join(".config")))?;
    Some(folder.join("braid/config.toml"))
}

/// The parser's own account of an error would show the line, and with it perhaps the secret.
fn parse(path: &Path, text: &str) -> Result<Layer, Failure> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        Failure::ConfigFile { path: path.to_owned(), reason: format!("{place}{}", error.message()) }
    })
}

impl Layer {
    /// This layer's settings, and those of `below` where it has none. Both ways to give the secret are one setting.
    fn over(self, below: Self) -> Self {
        let has_secret = self.secret_access_key.is_some() || self.secret_access_key_file.is_some();
        let secret = if has_secret { &self } else { &below };
        let secret_access_key = secret.secret_access_key.clone();
        let secret_access_key_file = secret.secret_access_key_file.clone();
        Self {
            endpoint: self.endpoint.or(below.endpoint),
            access_key_id: self.access_key_id.or(below.access_key_id),
            secret_access_key,
            secret_access_key_file,
            ca_file: self.ca_file.or(below.ca_file),
        }
    }

    fn credentials(self) -> Result<Option<Credentials>, Failure> {
        let secret = self.secret()?;
        match (self.access_key_id, secret) {
            (Some(id), Some(secret)) => Ok(Some(Credentials::new(id, secret)?)),
            (None, None) => Ok(None),
            (Some(id), None) => {
                Err(Failure::Setting(format!("access key '{id}' has no secret: set BRAID_SECRET_ACCESS_KEY")))
            }
            (None, Some(_)) => Err(Failure::Setting(
                "a secret is given without its access key: set BRAID_ACCESS_KEY_ID".into(),
            )),
        }
    }

    fn secret(&self) -> Result<Option<String>, Failure> {
        match (&self.secret_access_key, &self.secret_access_key_file) {
            (Some(_), Some(_)) => Err(Failure::Setting(
                "'secret_access_key' and 'secret_access_key_file' are both given".into(),
            )),
            (Some(secret), None) => Ok(Some(secret.clone())),
            (None, Some(path)) => secret_in(path).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// The file's content without the end of its line.
fn secret_in(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let text = String::from_utf8(read(path)?)
        .map_err(|_| Failure::Setting(format!("secret file '{shown}' is not UTF-8")))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(Failure::Setting(format!("secret file '{shown}' is empty"))),
        secret => Ok(secret.to_owned()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(Failure::local(format!("read '{}'", path.display())))
}
