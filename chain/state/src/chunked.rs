//! A list that grows without copying what it holds: a million entries in pieces of one length.

use std::ops::{Index, IndexMut};

/// Entries of a piece.
const PIECE: usize = 1 << 12;

/// A list in pieces of one length, which grows without being copied.
#[derive(Debug, Clone)]
pub(crate) struct Chunked<T> {
    /// All but the last are full; none is empty.
    pieces: Vec<Vec<T>>,
}

impl<T> Chunked<T> {
    /// Makes a list without entries.
    pub(crate) const fn new() -> Self {
        Self { pieces: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        let last = self.pieces.last().map_or(0, Vec::len);
        self.pieces.len().saturating_sub(1) * PIECE + last
    }

    pub(crate) fn first(&self) -> Option<&T> {
        self.pieces.first()?.first()
    }

    pub(crate) fn push(&mut self, entry: T) {
        match self.pieces.last_mut() {
            Some(last) if last.len() < PIECE => last.push(entry),
            // Most lists are short: the first piece grows as a list does.
            None => self.pieces.push(vec![entry]),
            Some(_) => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(entry);
                self.pieces.push(piece);
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pieces.iter().flatten()
    }
}

impl<T> Index<usize> for Chunked<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.pieces[at / PIECE][at % PIECE]
    }
}

impl<T> IndexMut<usize> for Chunked<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.pieces[at / PIECE][at % PIECE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_list_across_its_pieces() {
        let (mut list, mut expected) = (Chunked::new(), Vec::new());
        assert_eq!((list.len(), list.first()), (0, None));
        for entry in 0..2 * PIECE + 3 {
            list.push(entry);
            expected.push(entry);
        }
        for at in [0, PIECE - 1, PIECE, 2 * PIECE - 1, 2 * PIECE, 2 * PIECE + 2] {
            list[at] += at;
            expected[at] += at;
            assert_eq!(list[at], expected[at]);
        }
        assert!(list.iter().eq(&expected));
        assert_eq!((list.len(), list.first()), (expected.len(), Some(&0)));
    }
}
