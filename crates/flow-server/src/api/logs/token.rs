//! Where to read on, as a text that callers hand back. Pure.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::{ApiError, LogName};

/// A place in a log. It is no secret: whoever may read the log may read any part of it. The check is against tokens
/// of another log, and against typing errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) offset: u64,
    /// Lines before it, when they were counted.
    pub(super) line: u64,
    /// All of the log was asked for at once.
    pub(super) is_full: bool,
}

impl Token {
    pub(super) fn write(self, name: &LogName) -> String {
        let mut bytes = self.bytes().to_vec();
        bytes.extend_from_slice(&check(&bytes, name));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// # Errors
    ///
    /// When it is none of this log's.
    pub(super) fn read(text: &str, name: &LogName) -> Result<Self, ApiError> {
        // Airflow's words.
        let refuse = || ApiError::bad_request("Bad Signature. Please use only the tokens provided by the API.");
        if text.len() > 64 {
            return Err(refuse());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refuse())?;
        let (body, signature) = bytes.split_first_chunk::<17>().ok_or_else(refuse)?;
        if signature != check(body, name) {
            return Err(refuse());
        }
        let number = |at: usize| body[at..at + 8].iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        let token = Self { offset: number(0), line: number(8), is_full: body[16] == 1 };
        // Whoever makes one up: a line has at least its end.
        if token.line > token.offset { Err(refuse()) } else { Ok(token) }
    }

    fn bytes(self) -> [u8; 17] {
        let mut bytes = [0; 17];
        bytes[..8].copy_from_slice(&self.offset.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.line.to_be_bytes());
        bytes[16] = u8::from(self.is_full);
        bytes
    }
}

fn check(body: &[u8], name: &LogName) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(body);
    hash.update(format!("{name:?}"));
    let mut check = [0; 8];
    check.copy_from_slice(&hash.finalize()[..8]);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_own_log_only() {
        let name = |try_number| LogName {
            dag_id: "d".into(),
            run_id: "r".into(),
            task_id: "t".into(),
            map_index: -1,
            try_number,
            worker: None,
        };
        let token = Token { offset: 1 << 40, line: 7, is_full: true };
        let text = token.write(&name(1));
        assert_eq!(Token::read(&text, &name(1)).unwrap(), token);
        assert!(Token::read(&text, &name(2)).is_err());
        for bad in ["", "x", "ö", &text[1..], &"A".repeat(1_000), &format!("{text}A")] {
            assert!(Token::read(bad, &name(1)).is_err(), "{bad}");
        }
        let made_up = Token { offset: 9, line: u64::MAX, is_full: false };
        assert!(Token::read(&made_up.write(&name(1)), &name(1)).is_err());
    }
}
