//! Tests that cross rooms.

#[cfg(test)]
mod architecture;
