//! Tests that cross rooms.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod door;
#[cfg(test)]
mod lake;
#[cfg(test)]
mod process;
#[cfg(test)]
mod traffic;
