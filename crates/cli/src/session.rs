//! What every command works with.

use std::sync::Arc;

use braid_client::Client;
use braid_types::Random;
use tokio::io::AsyncRead;

use crate::console::Console;
use crate::farewell::Farewell;

/// What every command works with.
pub(crate) struct Session<'a> {
    pub(crate) client: Client,
    pub(crate) console: &'a mut Console,
    pub(crate) stdin: Box<dyn AsyncRead + Send + Unpin>,
    /// Whether somebody is there to answer questions.
    pub(crate) may_ask: bool,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) farewell: Farewell,
}
