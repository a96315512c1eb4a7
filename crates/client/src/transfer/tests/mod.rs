mod download;
mod store;
mod upload;
