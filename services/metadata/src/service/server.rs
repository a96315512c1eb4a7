//! The server itself.

use braid_types::Error;
use braid_wire::proto::server_service_server::ServerService;
use braid_wire::{Identity, Limits, ServerInfo, proto};
use tonic::{Request, async_trait};

use super::Core;
use crate::front::{Answer, principal, span};

/// A request without fields.
struct Nothing;

macro_rules! nothing {
    ($($proto:ident),*) => {$(
        impl TryFrom<proto::$proto> for Nothing {
            type Error = Error;

            fn try_from(_: proto::$proto) -> Result<Self, Error> {
                Ok(Self)
            }
        }
    )*};
}

nothing!(GetServerInfoRequest, WhoAmIRequest);

#[async_trait]
impl ServerService for Core {
    async fn get_server_info(
        &self,
        request: Request<proto::GetServerInfoRequest>,
    ) -> Answer<proto::ServerInfo> {
        let answer = |_: Nothing| async {
            Ok(ServerInfo {
                version: self.settings.version.clone(),
                storage_kind: self.settings.storage_kind.clone(),
                limits: Limits::current(self.settings.upload_bytes),
            })
        };
        self.front.read(span!("grpc.server.get_server_info"), request, answer).await
    }

    async fn who_am_i(&self, request: Request<proto::WhoAmIRequest>) -> Answer<proto::Identity> {
        let caller = principal(&request).clone();
        let answer = |_: Nothing| async { Ok(Identity { user: caller.user, access_key_id: caller.key_id }) };
        self.front.read(span!("grpc.server.who_am_i"), request, answer).await
    }
}
