//! Tests that cross rooms.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod checkout;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod door;
#[cfg(test)]
mod lake;
#[cfg(test)]
mod large_uploads;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod power_loss;
#[cfg(test)]
mod process;
#[cfg(test)]
mod rest;
#[cfg(test)]
mod s3_endpoint;
#[cfg(test)]
mod s3_gateway;
#[cfg(test)]
mod traffic;
