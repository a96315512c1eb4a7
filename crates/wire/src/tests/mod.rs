mod contract;
mod conversion;
mod samples;
mod status;
