//! Users and their access keys.

use braid_auth::{KeyInfo, Span, User};
use braid_types::Error;
use braid_wire::proto::auth_service_server::AuthService;
use braid_wire::{self as wire, proto};
use tonic::{Request, async_trait};

use super::Core;
use crate::front::{Answer, span};

#[async_trait]
impl AuthService for Core {
    async fn create_user(&self, request: Request<proto::CreateUserRequest>) -> Answer<proto::User> {
        let answer =
            |asked: wire::CreateUser| async move { Ok(user(self.keys.create_user(&asked.name).await?)) };
        self.front.change(span!("grpc.auth.create_user"), request, answer).await
    }

    async fn get_user(&self, request: Request<proto::GetUserRequest>) -> Answer<proto::User> {
        let answer = |asked: wire::GetUser| async move { Ok(user(self.keys.user(&asked.name).await?)) };
        self.front.read(span!("grpc.auth.get_user"), request, answer).await
    }

    async fn list_users(
        &self,
        request: Request<proto::ListUsersRequest>,
    ) -> Answer<proto::ListUsersResponse> {
        let answer = |asked: wire::ListUsers| async move {
            let limit = wire::page_items(asked.page_size);
            let part = self.keys.users(Span { prefix: &asked.prefix, after: &asked.after, limit }).await?;
            Ok(wire::Users { users: part.items.into_iter().map(user).collect(), more: part.more })
        };
        self.front.read(span!("grpc.auth.list_users"), request, answer).await
    }

    async fn delete_user(
        &self,
        request: Request<proto::DeleteUserRequest>,
    ) -> Answer<proto::DeleteUserResponse> {
        let answer = |asked: wire::DeleteUser| async move {
            self.keys.delete_user(&asked.name).await?;
            Ok(proto::DeleteUserResponse {})
        };
        self.front.change(span!("grpc.auth.delete_user"), request, answer).await
    }

    async fn create_access_key(
        &self,
        request: Request<proto::CreateAccessKeyRequest>,
    ) -> Answer<proto::NewAccessKey> {
        let answer = |asked: wire::CreateAccessKey| async move {
            let made = self.keys.create_key_of(&asked.user).await?;
            let info = self.keys.key_of(&asked.user, &made.id).await;
            let info = info.map_err(|error| Error::from(error).that_may_have_happened())?;
            Ok(wire::NewAccessKey { key: key(info), secret: made.secret.expose().to_owned() })
        };
        self.front.change(span!("grpc.auth.create_access_key"), request, answer).await
    }

    async fn get_access_key(&self, request: Request<proto::GetAccessKeyRequest>) -> Answer<proto::AccessKey> {
        let answer = |asked: wire::GetAccessKey| async move {
            Ok(key(self.keys.key_of(&asked.user, &asked.id).await?))
        };
        self.front.read(span!("grpc.auth.get_access_key"), request, answer).await
    }

    async fn list_access_keys(
        &self,
        request: Request<proto::ListAccessKeysRequest>,
    ) -> Answer<proto::ListAccessKeysResponse> {
        let answer = |asked: wire::ListAccessKeys| async move {
            let limit = wire::page_items(asked.page_size);
            let span = Span { prefix: &asked.prefix, after: &asked.after, limit };
            let part = self.keys.keys_of(&asked.user, span).await?;
            Ok(wire::AccessKeys { keys: part.items.into_iter().map(key).collect(), more: part.more })
        };
        self.front.read(span!("grpc.auth.list_access_keys"), request, answer).await
    }

    async fn delete_access_key(
        &self,
        request: Request<proto::DeleteAccessKeyRequest>,
    ) -> Answer<proto::DeleteAccessKeyResponse> {
        let answer = |asked: wire::DeleteAccessKey| async move {
            self.keys.delete_key(&asked.user, &asked.id).await?;
            Ok(proto::DeleteAccessKeyResponse {})
        };
        self.front.change(span!("grpc.auth.delete_access_key"), request, answer).await
    }
}

fn user(user: User) -> wire::User {
    wire::User { name: user.name, created_at: user.created }
}

fn key(key: KeyInfo) -> wire::AccessKey {
    wire::AccessKey { id: key.id, user: key.user, created_at: key.created }
}
