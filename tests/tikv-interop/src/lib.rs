//! Braid's client of TiKV and the published one, at work on the same keys of the same cluster: what either writes the other
//! reads, what either leaves locked the other clears away, and both keep their promises at the same time.

#[cfg(test)]
mod increments;
#[cfg(test)]
mod locks;
#[cfg(test)]
mod support;
#[cfg(test)]
mod values;
