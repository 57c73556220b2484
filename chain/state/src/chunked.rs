//! A list that grows without copying what it holds: millions of entries in pieces of one length.

use std::ops::{Index, IndexMut};

/// Entries of a piece.
const PIECE: usize = 1 << 14;

/// The list.
#[derive(Debug, Clone)]
pub(crate) struct Chunked<T> {
    /// All but the last are full; none is empty.
    pieces: Vec<Vec<T>>,
}

impl<T> Chunked<T> {
    /// An empty list.
    pub(crate) const fn new() -> Self {
        Self { pieces: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        let last = self.pieces.last().map_or(0, Vec::len);
        self.pieces.len().saturating_sub(1) * PIECE + last
    }

    pub(crate) fn push(&mut self, entry: T) {
        match self.pieces.last_mut() {
            Some(last) if last.len() < PIECE => last.push(entry),
            // Most chains have few users: the first piece grows as a list does.
            None => self.pieces.push(vec![entry]),
            Some(_) => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(entry);
                self.pieces.push(piece);
            }
        }
    }

    /// Takes an entry out; the last one takes its place.
    pub(crate) fn swap_remove(&mut self, at: usize) {
        let Some(piece) = self.pieces.last_mut() else { return };
        let last = piece.pop();
        if piece.is_empty() {
            self.pieces.pop();
        }
        if let Some(entry) = last.filter(|_| at < self.len()) {
            self[at] = entry;
        }
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pieces.iter().flatten()
    }
}

impl<T> IntoIterator for Chunked<T> {
    type Item = T;
    type IntoIter = std::iter::Flatten<std::vec::IntoIter<Vec<T>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.pieces.into_iter().flatten()
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
        for entry in 0..2 * PIECE + 3 {
            list.push(entry);
            expected.push(entry);
        }
        assert_eq!(
            (list.len(), list[PIECE], list[2 * PIECE + 2]),
            (2 * PIECE + 3, PIECE, 2 * PIECE + 2)
        );
        // Across the end of a piece, and its own last entry.
        for at in [0, PIECE - 1, PIECE, 2 * PIECE - 1, 2 * PIECE - 2, PIECE + 1, 2 * PIECE - 4] {
            list.swap_remove(at);
            expected.swap_remove(at);
            list[7] += at;
            expected[7] += at;
            assert_eq!(list.len(), expected.len());
        }
        list.push(1);
        expected.push(1);
        assert!(list.iter().eq(&expected));
        assert!(list.clone().into_iter().eq(expected));
        let mut single = Chunked::new();
        single.push('a');
        single.swap_remove(0);
        assert_eq!((single.len(), single.iter().count()), (0, 0));
    }
}
