//! A bank's logo: a 152×152 one-bit PNG, drawn from the bank's name so that no image file is needed.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::seed::Seed;

const SIDE: usize = 152;
const CELLS: usize = 5;

/// The logo as base64, in the institution's colour.
pub(crate) fn draw(name: &str, colour: &str) -> String {
    let (red, green, blue) = rgb(colour);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(
        &mut png,
        *b"IHDR",
        &[0, 0, 0, 152, 0, 0, 0, 152, 1, 3, 0, 0, 0],
    );
    chunk(&mut png, *b"PLTE", &[255, 255, 255, red, green, blue]);
    chunk(&mut png, *b"IDAT", &stored(&bitmap(name)));
    chunk(&mut png, *b"IEND", &[]);
    BASE64_STANDARD.encode(png)
}

/// A mirrored five-by-five pattern with a margin, the first byte of each line being its filter (none).
fn bitmap(name: &str) -> Vec<u8> {
    let chance = Seed(0).of(name);
    let cell = SIDE / (CELLS + 1);
    let margin = (SIDE - cell * CELLS) / 2;
    let filled = |x: usize, y: usize| {
        let (Some(x), Some(y)) = (x.checked_sub(margin), y.checked_sub(margin)) else {
            return false;
        };
        let (column, row) = (x / cell, y / cell);
        let mirrored = column.min((CELLS - 1).saturating_sub(column));
        column < CELLS && row < CELLS && chance.at((row * CELLS + mirrored) as u64).below(2) == 1
    };
    let mut bytes = Vec::with_capacity(SIDE * (SIDE / 8 + 1));
    for y in 0..SIDE {
        bytes.push(0);
        for byte in 0..SIDE / 8 {
            bytes.push((0..8).fold(0, |bits, bit| {
                bits << 1 | u8::from(filled(byte * 8 + bit, y))
            }));
        }
    }
    bytes
}

/// A zlib stream of one stored block; the bitmap is small enough for it.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(0);
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(bytes);
    let (low, high) = bytes.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    stream.extend((high << 16 | low).to_be_bytes());
    stream
}

fn chunk(png: &mut Vec<u8>, kind: [u8; 4], body: &[u8]) {
    let length = u32::try_from(body.len()).unwrap_or(0);
    png.extend(length.to_be_bytes());
    let start = png.len();
    png.extend(kind);
    png.extend(body);
    let checked = crc(&png[start..]);
    png.extend(checked.to_be_bytes());
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    })
}

fn rgb(colour: &str) -> (u8, u8, u8) {
    let part = |at: usize| {
        colour
            .get(at..at + 2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            .unwrap_or(0)
    };
    (part(1), part(3), part(5))
}

#[cfg(test)]
mod tests {
    #[test]
    fn checksums_are_the_png_ones() {
        assert_eq!(super::crc(b"IEND"), 0xae42_6082);
        assert_eq!(
            &super::stored(b"abc")[3 + 4 + 3..],
            [0x02, 0x4d, 0x01, 0x27]
        );
    }
}
