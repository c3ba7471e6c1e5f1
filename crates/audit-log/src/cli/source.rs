//! Text of input files, as auditors keep them: with a byte order mark or gzip. Files in another
//! encoding are rejected with the reason.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;

/// Maximum length of a line, in bytes. A line of an export is far shorter.
const MAX_LINE: u64 = 16 * 1024 * 1024;

const UTF_16: &str = "the file is UTF-16. In Windows PowerShell `>` writes UTF-16 and changes \
                      characters: download the file again with `curl -o FILE` or \
                      `Invoke-WebRequest -OutFile FILE`";

/// Opens a file; `-` is standard input. Returns its size too, if it is known.
pub fn open(path: &Path) -> Result<(Box<dyn BufRead>, Option<u64>), String> {
    if path.as_os_str() == "-" {
        return Ok((Box::new(BufReader::new(io::stdin())), None));
    }
    let error = |error: io::Error| in_file(path, error);
    let file = File::open(path).map_err(error)?;
    let metadata = file.metadata().map_err(error)?;
    if metadata.is_dir() {
        return Err(in_file(path, "is a directory"));
    }
    Ok((Box::new(BufReader::new(file)), metadata.is_file().then_some(metadata.len())))
}

/// An error in a file.
pub fn in_file(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

/// Unpacks gzip, and removes a byte order mark. Rejects UTF-16 and other formats of compression.
pub fn decode<'a>(reader: impl BufRead + 'a) -> Result<Box<dyn BufRead + 'a>, String> {
    let (head, reader) = split_head(reader)?;
    if head.starts_with(&[0x1f, 0x8b]) {
        let packed = Cursor::new(head).chain(reader);
        return plain(BufReader::new(MultiGzDecoder::new(packed)));
    }
    plain(Cursor::new(head).chain(reader))
}

/// Checks the encoding of a text and removes a byte order mark.
fn plain<'a>(reader: impl BufRead + 'a) -> Result<Box<dyn BufRead + 'a>, String> {
    let (mut head, reader) = split_head(reader)?;
    match head.as_slice() {
        [] => return Err("the file is empty".to_owned()),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => {
            return Err(UTF_16.to_owned());
        }
        [b'P', b'K', 3, 4] | [0x28, 0xb5, 0x2f, 0xfd] | [0xfd, b'7', b'z', b'X'] => {
            return Err("the file is compressed: unpack it first (gzip is read as it is)".into());
        }
        [0xef, 0xbb, 0xbf, ..] => drop(head.drain(..3)),
        _ => {}
    }
    Ok(Box::new(Cursor::new(head).chain(reader)))
}

/// Reads the first 4 bytes.
fn split_head<R: BufRead>(mut reader: R) -> Result<(Vec<u8>, R), String> {
    let mut head = Vec::new();
    reader.by_ref().take(4).read_to_end(&mut head).map_err(|error| error.to_string())?;
    Ok((head, reader))
}

/// Reads a small text file; `-` is standard input. Lines end with a line feed, without space before
/// it, and there are no empty lines at the end.
pub fn read(path: &Path) -> Result<String, String> {
    let (reader, _) = open(path)?;
    let mut lines = Lines::new(decode(reader).map_err(|error| in_file(path, error))?);
    let mut text = String::new();
    while let Some(line) = lines.next().map_err(|error| in_file(path, error))? {
        text.push_str(line.trim_end());
        text.push('\n');
        if text.len() as u64 > MAX_LINE {
            return Err(in_file(path, "the file is too large"));
        }
    }
    let end = text.trim_end().len();
    text.truncate(end);
    text.push('\n');
    Ok(text)
}

/// Reader of lines. Errors name the line.
pub struct Lines<R> {
    reader: R,
    number: u64,
    /// Number of bytes read.
    pub bytes: u64,
}

impl<R: BufRead> Lines<R> {
    pub const fn new(reader: R) -> Self {
        Self { reader, number: 0, bytes: 0 }
    }

    /// The next line, without its end. A file that is cut off in the middle ends there.
    pub fn next(&mut self) -> Result<Option<String>, String> {
        let mut line = Vec::new();
        let read = self.reader.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut line);
        self.number += 1;
        let number = self.number;
        match read {
            Ok(_) => {}
            // A compressed file, or a download, that was cut off.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            Err(error) => return Err(format!("line {number}: {error}")),
        }
        if line.is_empty() {
            return Ok(None);
        }
        self.bytes += line.len() as u64;
        if line.len() as u64 > MAX_LINE {
            return Err(format!("line {number} has more than {MAX_LINE} bytes: not a text file"));
        }
        while let Some(b'\n' | b'\r') = line.last() {
            line.pop();
        }
        match String::from_utf8(line) {
            Ok(line) => Ok(Some(line)),
            // A character that the end of the file cuts off.
            Err(error) if self.is_at_end() && error.utf8_error().error_len().is_none() => {
                Ok(Some(String::from_utf8_lossy(error.as_bytes()).into_owned()))
            }
            Err(error) => Err(format!(
                "line {number}, byte {}: not UTF-8: the file was converted to another encoding, or \
                 is not a text file",
                error.utf8_error().valid_up_to() + 1
            )),
        }
    }

    fn is_at_end(&mut self) -> bool {
        self.reader.fill_buf().map_or(true, <[u8]>::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn lines(bytes: &[u8]) -> Result<Vec<String>, String> {
        let mut lines = Lines::new(decode(bytes)?);
        let mut all = Vec::new();
        while let Some(line) = lines.next()? {
            all.push(line);
        }
        Ok(all)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        io::Write::write_all(&mut encoder, bytes).expect("the bytes are compressed");
        encoder.finish().expect("the bytes are compressed")
    }

    #[test]
    fn lines_do_not_depend_on_line_endings_byte_order_mark_and_compression() {
        let expected = Ok(vec!["{\"é\":1}".to_owned(), String::new(), "—".to_owned()]);
        for text in ["{\"é\":1}\n\n—\n", "{\"é\":1}\r\n\r\n—", "\u{feff}{\"é\":1}\r\r\n\n—\r\n"]
        {
            assert_eq!(lines(text.as_bytes()), expected, "{text:?}");
            assert_eq!(lines(&gzip(text.as_bytes())), expected, "compressed: {text:?}");
        }
    }

    #[test]
    fn a_file_that_is_cut_off_ends_there() {
        let text = "first line\nsecond é";
        assert_eq!(lines(&text.as_bytes()[..text.len() - 1]).map(|lines| lines.len()), Ok(2));
        let random: Vec<u8> =
            (0..9_000_u32).map(|n| b' ' + (n.wrapping_mul(2_654_435_761) >> 26) as u8).collect();
        let packed = gzip(&random);
        let cut = lines(&packed[..packed.len() / 2]).expect("the beginning is read");
        assert!(random.starts_with(cut.concat().as_bytes()), "{cut:?}");
    }

    #[test]
    fn other_encodings_are_rejected_with_the_reason() {
        let utf_16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let with_mark = [&[0xff, 0xfe], utf_16.as_slice()].concat();
        for (bytes, reason) in [
            (with_mark.as_slice(), "UTF-16"),
            (&utf_16, "UTF-16"),
            (b"", "is empty"),
            (b"PK\x03\x04...", "unpack it first"),
            (b"first\nJos\xe9 second", "line 2, byte 4: not UTF-8"),
        ] {
            let error = lines(bytes).expect_err("the bytes are rejected");
            assert!(error.contains(reason), "{error}");
        }
    }
}
