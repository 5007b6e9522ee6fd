//! Reads a mail as its reader would see it: subject and plain text. RFC 5322, 2045, 2047.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

#[derive(Debug, Default, PartialEq)]
pub(super) struct Letter {
    pub message_id: String,
    pub subject: String,
    pub text: String,
}

pub(super) fn read(message: &[u8]) -> Letter {
    let part = Part::read(message);
    Letter {
        message_id: part.header("message-id").trim_matches(['<', '>']).to_string(),
        subject: words(part.header("subject")),
        text: part.plain_text(0).replace("\r\n", "\n").trim_end().to_string(),
    }
}

/// Deeper nesting than alternatives within a mixed mail says nothing that a patient reads.
const NESTING_MAX: u32 = 4;

struct Part {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Part {
    fn read(bytes: &[u8]) -> Part {
        // A part may have no headers at all.
        if let Some(body) = bytes.strip_prefix(b"\r\n") {
            return Part { headers: Vec::new(), body: body.to_vec() };
        }
        let end = find(bytes, b"\r\n\r\n");
        let head = String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned();
        let body = end.map(|end| bytes[end + 4..].to_vec()).unwrap_or_default();
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let headers = unfolded
            .split("\r\n")
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_string()))
            .collect();
        Part { headers, body }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The first plain text within.
    fn plain_text(&self, depth: u32) -> String {
        let kind = self.header("content-type").to_ascii_lowercase();
        if kind.starts_with("multipart/") && depth < NESTING_MAX {
            let texts = self.parts().into_iter().map(|part| part.plain_text(depth + 1));
            return texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        }
        if !kind.is_empty() && !kind.starts_with("text/plain") {
            return String::new();
        }
        let decoded = match self.header("content-transfer-encoding").to_ascii_lowercase().as_str() {
            "base64" => base64(&self.body),
            "quoted-printable" => quoted_printable(&self.body, false),
            _ => self.body.clone(),
        };
        String::from_utf8_lossy(&decoded).into_owned()
    }

    fn parts(&self) -> Vec<Part> {
        let kind = self.header("content-type");
        // The boundary's case matters; its name's does not.
        let Some(place) = kind.to_ascii_lowercase().find("boundary=") else { return Vec::new() };
        let boundary = kind[place + 9..].split(';').next().unwrap_or_default().trim().trim_matches('"');
        let body = [b"\r\n", self.body.as_slice()].concat();
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        let mut parts = Vec::new();
        let mut rest = body.as_slice();
        while let Some(start) = find(rest, &delimiter) {
            rest = &rest[start + delimiter.len()..];
            if rest.starts_with(b"--") {
                break;
            }
            let part = rest.strip_prefix(b"\r\n").unwrap_or(rest);
            parts.push(Part::read(&part[..find(part, &delimiter).unwrap_or(part.len())]));
        }
        parts
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn base64(text: &[u8]) -> Vec<u8> {
    let packed: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(packed).unwrap_or_default()
}

/// RFC 2045 section 6.7; in headers `_` is a space (RFC 2047 section 4.2).
fn quoted_printable(text: &[u8], in_header: bool) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'=' if after.starts_with(b"\r\n") => rest = &after[2..],
            b'=' => match after.get(..2).and_then(hex) {
                Some(value) => {
                    decoded.push(value);
                    rest = &after[2..];
                }
                None => decoded.push(b'='),
            },
            b'_' if in_header => decoded.push(b' '),
            other => decoded.push(*other),
        }
    }
    decoded
}

fn hex(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Encoded words (`=?utf-8?Q?…?=`), with the space between two of them taken out.
fn words(text: &str) -> String {
    let mut read = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("=?") {
        let Some((decoded, after)) = encoded_word(&rest[start..]) else { break };
        let gap = &rest[..start];
        if !gap.trim().is_empty() || read.is_empty() {
            read.push_str(gap);
        }
        read.push_str(&decoded);
        rest = after;
    }
    read + rest
}

fn encoded_word(text: &str) -> Option<(String, &str)> {
    let mut fields = text.strip_prefix("=?")?.splitn(3, '?');
    let (_, encoding, rest) = (fields.next()?, fields.next()?, fields.next()?);
    let (payload, after) = rest.split_once("?=")?;
    let decoded = match encoding {
        "B" | "b" => base64(payload.as_bytes()),
        "Q" | "q" => quoted_printable(payload.as_bytes(), true),
        _ => return None,
    };
    Some((String::from_utf8_lossy(&decoded).into_owned(), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_are_read_as_their_reader_sees_them() {
        for (mail, subject, text) in [
            ("Subject: Hi\r\n\r\nplain\r\n", "Hi", "plain"),
            (
                "Subject: =?utf-8?Q?Su_cita_m=C3=A9dica?=\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nest=C3=A1 =\r\nbien=\r\n",
                "Su cita médica",
                "está bien",
            ),
            (
                "Subject: =?utf-8?B?5L2g?=\r\n =?utf-8?B?5aW9?=\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n5L2g\r\n5aW9\r\n",
                "你好",
                "你好",
            ),
            (
                "Content-Type: multipart/alternative;\r\n boundary=\"Ab\"\r\n\r\n--Ab\r\nContent-Type: text/html\r\n\r\n<b>x</b>\r\n--Ab\r\n\r\nthe text\r\n--Ab--\r\n",
                "",
                "the text",
            ),
            ("", "", ""),
            ("Subject: =?utf-8?Q?broken", "=?utf-8?Q?broken", ""),
        ] {
            let letter = read(mail.as_bytes());
            assert_eq!((letter.subject.as_str(), letter.text.as_str()), (subject, text), "{mail:?}");
        }
    }
}
