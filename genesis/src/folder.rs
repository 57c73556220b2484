//! Folders that only their owner may read, and the configuration files in them.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use serde::Serialize;

use crate::fault::ConfigFault;

/// Makes a folder of mode 0700, and those above it that are missing.
pub(crate) fn create_folder(path: &Path) -> Result<(), ConfigFault> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).map_err(|source| ConfigFault::Write { path: path.to_owned(), source })
}

/// [`create_folder`], refusing one that holds something.
pub(crate) fn create_empty_folder(path: &Path) -> Result<(), ConfigFault> {
    create_folder(path)?;
    let fault = |source| ConfigFault::Write { path: path.to_owned(), source };
    if std::fs::read_dir(path).map_err(fault)?.next().is_some() {
        return Err(ConfigFault::FolderNotEmpty { path: path.to_owned() });
    }
    Ok(())
}

/// Writes a configuration file.
pub(crate) fn write_toml(path: &Path, value: &impl Serialize) -> Result<(), ConfigFault> {
    let fault = |source| ConfigFault::Write { path: path.to_owned(), source };
    let text = toml::to_string(value).map_err(|error| fault(std::io::Error::other(error)))?;
    std::fs::write(path, text).map_err(fault)
}
