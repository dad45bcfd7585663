//! Protocol Buffers by hand, for tests: the numbers of fields are checked against Envoy's definitions, not against our types.

/// A message that is being written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    pub(crate) fn text(self, number: u8, text: &str) -> Self {
        self.bytes(number, text.as_bytes())
    }

    pub(crate) fn bytes(mut self, number: u8, bytes: &[u8]) -> Self {
        self.0.push(number << 3 | 2);
        let mut length = bytes.len();
        while length > 0x7f {
            self.0.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        self.0.push(length as u8);
        self.0.extend(bytes);
        self
    }

    pub(crate) fn message(self, number: u8, inner: &Self) -> Self {
        self.bytes(number, &inner.0)
    }

    /// With the five bytes that gRPC puts before each message.
    pub(crate) fn framed(&self) -> Vec<u8> {
        let length = u32::try_from(self.0.len()).expect("short");
        [&[0][..], &length.to_be_bytes(), &self.0].concat()
    }
}

/// A message that was read: numbers with what they held.
#[derive(Debug, Clone)]
pub(crate) struct Fields(Vec<(u8, Field)>);

#[derive(Debug, Clone)]
enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

impl Fields {
    /// Reads the one message of a gRPC body.
    pub(crate) fn framed(body: &[u8]) -> Self {
        assert_eq!(body.first(), Some(&0), "not compressed");
        let length = u32::from_be_bytes(body[1..5].try_into().expect("four bytes"));
        assert_eq!(body.len() - 5, length as usize, "one message");
        Self::read(&body[5..])
    }

    fn read(mut bytes: &[u8]) -> Self {
        let mut fields = Vec::new();
        while let Some((&tag, rest)) = bytes.split_first() {
            bytes = rest;
            let number = varint(&mut bytes);
            let field = match tag & 7 {
                0 => Field::Number(number),
                2 => {
                    let (inner, rest) = bytes.split_at(number as usize);
                    bytes = rest;
                    Field::Bytes(inner.to_vec())
                }
                other => panic!("wire type {other}"),
            };
            fields.push((tag >> 3, field));
        }
        Self(fields)
    }

    fn all(&self, number: u8) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter(move |(known, _)| *known == number).filter_map(|(_, field)| match field {
            Field::Bytes(bytes) => Some(&**bytes),
            Field::Number(_) => None,
        })
    }

    pub(crate) fn has(&self, number: u8) -> bool {
        self.0.iter().any(|(known, _)| *known == number)
    }

    pub(crate) fn messages(&self, number: u8) -> Vec<Self> {
        self.all(number).map(Self::read).collect()
    }

    #[track_caller]
    pub(crate) fn message(&self, number: u8) -> Self {
        self.all(number).map(Self::read).next().unwrap_or_else(|| panic!("no field {number} in {self:?}"))
    }

    pub(crate) fn text(&self, number: u8) -> String {
        self.all(number).map(|bytes| String::from_utf8(bytes.to_vec()).expect("text")).next().unwrap_or_default()
    }

    /// What is 0 is left out on the wire.
    pub(crate) fn number(&self, number: u8) -> u64 {
        let found = self.0.iter().find_map(|(known, field)| match field {
            Field::Number(value) if *known == number => Some(*value),
            _ => None,
        });
        found.unwrap_or(0)
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().expect("more bytes");
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}
