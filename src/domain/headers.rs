//! Headers as a proxy hands them over: one block of bytes, looked into where it lies.

/// The headers of a message in order, duplicates included. Names are lower case, values are raw bytes, as a client may
/// send what is no text. Pseudo-headers (`:path`) are among them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    block: Vec<u8>,
    fields: Vec<Field>,
}

#[derive(Clone, PartialEq, Eq)]
struct Field {
    start: usize,
    name: usize,
    value: usize,
}

impl Headers {
    /// Reads the block in which a Proxy-Wasm host writes headers (ABI 0.2.1): how many there are; the lengths of each
    /// name and value; then each name and value, with a zero byte behind it. Numbers are 32 bits, little-endian. `None`
    /// if the block is anything else.
    pub fn read(block: Vec<u8>) -> Option<Self> {
        let number = |at: usize| {
            let bytes = block.get(at..at.checked_add(4)?)?;
            bytes.try_into().map(u32::from_le_bytes).ok().and_then(|number| usize::try_from(number).ok())
        };
        let count = number(0)?;
        let mut start = count.checked_mul(8)?.checked_add(4)?;
        if start > block.len() {
            return None;
        }
        let mut fields = Vec::with_capacity(count);
        for index in 0..count {
            let (name, value) = (number(4 + 8 * index)?, number(8 + 8 * index)?);
            fields.push(Field { start, name, value });
            start = start.checked_add(name)?.checked_add(value)?.checked_add(2)?;
        }
        (start <= block.len()).then_some(Self { block, fields })
    }

    /// Whether there is none, which a request never has: it has a method.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Every name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let bytes = |start: usize, length| self.block.get(start..start + length).unwrap_or_default();
        self.fields.iter().map(move |field| {
            (bytes(field.start, field.name), bytes(field.start + field.name + 1, field.value))
        })
    }

    /// Every value of the header `name` (lower case), in order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.iter().filter(move |(key, _)| *key == name.as_bytes()).map(|(_, value)| value)
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(pairs: T) -> Self {
        let mut headers = Self::default();
        for (name, value) in pairs {
            let (name, value) = (name.as_ref(), value.as_ref());
            headers.fields.push(Field { start: headers.block.len(), name: name.len(), value: value.len() });
            headers.block.extend([name, b"\0", value, b"\0"].concat());
        }
        headers
    }
}

/// Whether the text can be a header's value as it stands: it is not empty, not padded with blanks, and holds no control
/// characters.
pub fn is_header_text(text: &str) -> bool {
    let is_plain = || text.bytes().all(|byte| byte.is_ascii_graphic());
    !text.is_empty() && (is_plain() || text.trim() == text && !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The block of these pairs.
    fn block(pairs: &[(&str, &[u8])]) -> Vec<u8> {
        let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
        let mut block = number(pairs.len()).to_vec();
        for (name, value) in pairs {
            block.extend([number(name.len()), number(value.len())].concat());
        }
        for (name, value) in pairs {
            block.extend([name.as_bytes(), b"\0", value, b"\0"].concat());
        }
        block
    }

    #[test]
    fn a_block_is_read_as_it_was_written() {
        let pairs: [(&str, &[u8]); 4] =
            [(":path", b"/"), ("x-a", b"\xff\0"), ("x-empty", b""), ("x-a", b"2")];
        let headers = Headers::read(block(&pairs)).unwrap();
        let read: Vec<_> = headers.iter().collect();
        assert_eq!(read, pairs.map(|(name, value)| (name.as_bytes(), value)));
        assert_eq!(headers.all("x-a").collect::<Vec<_>>(), [b"\xff\0".as_slice(), b"2"]);
        let made: Headers = pairs.into_iter().collect();
        assert!(made.iter().eq(headers.iter()));
        assert_eq!(Headers::read(block(&[])).unwrap().iter().count(), 0);
    }

    #[test]
    fn a_block_that_says_more_than_it_holds_is_nothing() {
        let whole = block(&[("x-a", b"1"), ("x-b", b"2")]);
        for length in 0..whole.len() {
            assert!(Headers::read(whole[..length].to_vec()).is_none(), "{length}");
        }
        for at in (0..20).step_by(4) {
            let mut lying = whole.clone();
            lying[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
            assert!(Headers::read(lying).is_none(), "{at}");
        }
    }
}
