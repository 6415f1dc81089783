//! A map in key order for the client: its code is a tenth of a `BTreeMap`'s, which counts in a download.
//!
//! The entries are in sorted chunks of at most [`CHUNK`], so an insertion or a removal moves at most one chunk, and where a
//! chunk is split or becomes empty the list of chunks. Chunks are not merged. Look-ups are two binary searches. What this module does not know:
//! what is kept in the map.

use core::borrow::Borrow;
use core::cmp::Ordering;

/// Largest number of entries of a chunk.
const CHUNK: usize = 64;

/// A map in key order.
#[derive(Debug, Clone)]
pub struct SortedMap<K, V> {
    /// Sorted, none of them empty.
    chunks: Vec<Vec<(K, V)>>,
    len: usize,
}

/// The chunk and the position in it of a key, or where it belongs.
type Place = (usize, Result<usize, usize>);

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }
}

impl<K, V> SortedMap<K, V> {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The entries, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.chunks.iter().flatten().map(|(key, value)| (key, value))
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// The values, in key order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Keeps only the entries for which `keep` returns true.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.len = 0;
        self.chunks.retain_mut(|chunk| {
            chunk.retain_mut(|(key, value)| keep(key, value));
            self.len += chunk.len();
            !chunk.is_empty()
        });
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Place
    where
        K: Borrow<Q>,
    {
        // By hand: the search of slices has no branches to predict, which makes it up to three times slower here.
        let (mut low, mut high) = (0, self.chunks.len());
        while low < high {
            let middle = low.midpoint(high);
            let Some((first, _)) = self.chunks.get(middle).and_then(|chunk| chunk.first()) else { break };
            match first.borrow().cmp(key) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return (middle, Ok(0)),
                Ordering::Greater => high = middle,
            }
        }
        let chunk = low.saturating_sub(1);
        let entries = self.chunks.get(chunk).map_or(&[][..], Vec::as_slice);
        let (mut low, mut high) = (0, entries.len());
        while low < high {
            let middle = low.midpoint(high);
            let Some((other, _)) = entries.get(middle) else { break };
            match other.borrow().cmp(key) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return (chunk, Ok(middle)),
                Ordering::Greater => high = middle,
            }
        }
        (chunk, Err(low))
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let (chunk, at) = self.find(key);
        self.chunks.get(chunk)?.get(at.ok()?).map(|(_, value)| value)
    }

    /// The value of a key, for changing it.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let (chunk, at) = self.find(key);
        self.chunks.get_mut(chunk)?.get_mut(at.ok()?).map(|(_, value)| value)
    }

    /// Whether the key has a value.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).1.is_ok()
    }

    /// Sets the value of a key. Returns the previous one.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            (chunk, Ok(at)) => Some(core::mem::replace(self.value_at(chunk, at), value)),
            (chunk, Err(at)) => {
                self.add(chunk, at, key, value);
                None
            }
        }
    }

    /// The value of a key, set to the default one if there is none.
    pub fn get_or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        let (chunk, at) = match self.find(&key) {
            (chunk, Ok(at)) => (chunk, at),
            (chunk, Err(at)) => self.add(chunk, at, key, V::default()),
        };
        self.value_at(chunk, at)
    }

    /// Removes a key. Returns its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (chunk, at) = self.find(key);
        let at = at.ok()?;
        let entries = self.chunks.get_mut(chunk)?;
        let (_, value) = entries.remove(at);
        if entries.is_empty() {
            self.chunks.remove(chunk);
        }
        self.len -= 1;
        Some(value)
    }

    #[expect(clippy::indexing_slicing, reason = "only called with the place of an entry")]
    fn value_at(&mut self, chunk: usize, at: usize) -> &mut V {
        &mut self.chunks[chunk][at].1
    }

    /// Adds an entry where [`find`](Self::find) found that it belongs. Returns where it is then.
    fn add(&mut self, chunk: usize, at: usize, key: K, value: V) -> (usize, usize) {
        self.len += 1;
        let last = chunk + 1 == self.chunks.len();
        let Some(entries) = self.chunks.get_mut(chunk) else {
            self.chunks.push(vec![(key, value)]);
            return (chunk, 0);
        };
        if entries.len() < CHUNK {
            entries.insert(at, (key, value));
            return (chunk, at);
        }
        // Keys that come in order leave full chunks behind.
        let cut = if last && at == CHUNK { CHUNK } else { CHUNK / 2 };
        let mut upper = entries.split_off(cut);
        let place = if at > cut || at == CHUNK {
            upper.insert(at - cut, (key, value));
            (chunk + 1, at - cut)
        } else {
            entries.insert(at, (key, value));
            (chunk, at)
        };
        self.chunks.insert(chunk + 1, upper);
        place
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = core::iter::Flatten<std::vec::IntoIter<Vec<(K, V)>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.chunks.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn entries(map: &SortedMap<u16, u32>) -> Vec<(u16, u32)> {
        map.iter().map(|(&key, &value)| (key, value)).collect()
    }

    fn check_chunks(map: &SortedMap<u16, u32>) {
        assert!(map.chunks.iter().all(|chunk| (1..=CHUNK).contains(&chunk.len())));
        assert_eq!(map.len(), map.iter().count());
    }

    proptest! {
        #[test]
        fn it_holds_what_a_b_tree_map_holds(steps in prop::collection::vec((0_u8..8, 0_u16..600, any::<u32>()), 0..3_000)) {
            let (mut map, mut model) = (SortedMap::default(), BTreeMap::new());
            for (step, key, value) in steps {
                match step {
                    0..=3 => prop_assert_eq!(map.insert(key, value), model.insert(key, value)),
                    4 => {
                        *map.get_or_default(key) ^= value;
                        *model.entry(key).or_default() ^= value;
                    }
                    5 => prop_assert_eq!(map.get_mut(&key), model.get_mut(&key)),
                    _ => prop_assert_eq!(map.remove(&key), model.remove(&key)),
                }
                prop_assert_eq!(map.get(&key), model.get(&key));
                prop_assert_eq!(map.contains_key(&key), model.contains_key(&key));
                prop_assert_eq!(map.is_empty(), model.is_empty());
            }
            check_chunks(&map);
            map.retain(|key, value| {
                *value ^= 1;
                key % 3 == 0
            });
            model.retain(|key, value| {
                *value ^= 1;
                key % 3 == 0
            });
            check_chunks(&map);
            let model: Vec<_> = model.into_iter().collect();
            prop_assert_eq!(&entries(&map), &model);
            prop_assert_eq!(map.into_iter().collect::<Vec<_>>(), model);
        }
    }

    #[test]
    fn ascending_and_descending_keys_fill_chunks_at_least_by_half() {
        for keys in [(0..10_000).collect::<Vec<u16>>(), (0..10_000).rev().collect()] {
            let mut map = SortedMap::default();
            // The first key splits the rest: they come in the middle, too.
            map.insert(20_000, 0);
            for key in keys {
                map.insert(key, u32::from(key));
            }
            check_chunks(&map);
            assert!(map.chunks.len() <= 10_000 / (CHUNK / 2) + 2);
            assert!(map.keys().copied().eq((0..10_000).chain([20_000])));
        }
    }
}
