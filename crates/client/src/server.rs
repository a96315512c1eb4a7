//! Calls about the server itself.

use braid_types::Error;
use braid_wire::{Identity, ServerInfo, proto};

use crate::call::answer;
use crate::client::Client;

impl Client {
    /// What the server is: its version, storage and limits.
    pub async fn server_info(&self) -> Result<ServerInfo, Error> {
        let call = |request| async { self.server_service().get_server_info(request).await };
        answer(self.read(proto::GetServerInfoRequest {}, call).await?)
    }

    /// As whom the server takes this client.
    pub async fn who_am_i(&self) -> Result<Identity, Error> {
        let call = |request| async { self.server_service().who_am_i(request).await };
        answer(self.read(proto::WhoAmIRequest {}, call).await?)
    }
}
