//! Finding the master key: a file that is given, a systemd credential, or one made at first start in the data directory.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use tollgate_core::Random;
use tollgate_core::master::{MasterKey, MasterKeys};
use zeroize::Zeroizing;

use super::start::StartError;
use crate::config::Config;

/// The credential's name for systemd's `LoadCredential=`.
const CREDENTIAL: &str = "tollgate-master-key";

/// The keys that a configuration gives. Nothing is made yet: a start that is refused leaves nothing behind.
pub(super) struct Given {
    present: Option<Zeroizing<[u8; 32]>>,
    older: Vec<MasterKey>,
}

/// Reads the files that are given.
pub(super) fn given(config: &Config) -> Result<Given, StartError> {
    let present = given_file(config).map(|path| read(&path)).transpose()?;
    if present.is_none() && (config.database.url.is_some() || config.database.url_file.is_some()) {
        return Err(StartError::MasterKeyMissing);
    }
    let older = config.older_master_key_files.iter().map(|path| read(path).map(|bytes| MasterKey::new(&bytes)));
    Ok(Given { present, older: older.collect::<Result<_, _>>()? })
}

impl Given {
    /// Whether the configuration names the present key.
    pub(super) fn is_present(&self) -> bool {
        self.present.is_some()
    }

    /// The master keys. Where none is given, the one in the data directory, made if there is none.
    pub(super) fn or_own(self, directory: &Path, random: &dyn Random) -> Result<MasterKeys, StartError> {
        let own = || read_or_make(&directory.join("master.key"), random);
        let present = self.present.map_or_else(own, Ok)?;
        Ok(MasterKeys::new(MasterKey::new(&present), self.older))
    }
}

fn given_file(config: &Config) -> Option<PathBuf> {
    if let Some(path) = &config.master_key_file {
        return Some(path.clone());
    }
    let directory = std::env::var_os("CREDENTIALS_DIRECTORY")?;
    let path = Path::new(&directory).join(CREDENTIAL);
    path.exists().then_some(path)
}

fn read_or_make(path: &Path, random: &dyn Random) -> Result<Zeroizing<[u8; 32]>, StartError> {
    if path.exists() {
        return read(path);
    }
    let bytes = MasterKey::generate(random);
    let mut text = Zeroizing::new(String::with_capacity(65));
    for byte in bytes.iter() {
        use std::fmt::Write as _;
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    text.push('\n');
    // Written whole under another name first: a master key that was cut off by a crash would lock the data for good.
    let unfinished = path.with_extension("key.new");
    let failed = |cause| StartError::Unwritable { path: path.to_owned(), cause };
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&unfinished, path).map_err(failed)?;
    let directory = path.parent().map(std::fs::File::open);
    directory.map(|opened| opened.and_then(|directory| directory.sync_all())).transpose().map_err(failed)?;
    Ok(bytes)
}

fn read(path: &Path) -> Result<Zeroizing<[u8; 32]>, StartError> {
    let unreadable = |cause| StartError::MasterKeyUnreadable { path: path.to_owned(), cause };
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(unreadable)?);
    parse(text.trim()).ok_or_else(|| StartError::MasterKeyMalformed(path.to_owned()))
}

fn parse(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_key_is_64_hex_digits() {
        assert!(parse(&"0f".repeat(32)).is_some());
        for wrong in ["", "0f", &"0g".repeat(32), &"é0".repeat(22), &"0f".repeat(33)] {
            assert!(parse(wrong).is_none());
        }
    }
}
