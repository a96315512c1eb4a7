//! Calls about users and their access keys.

use braid_types::Error;
use braid_wire::{
    AccessKey, AccessKeys, CreateAccessKey, CreateUser, DeleteAccessKey, DeleteUser, GetAccessKey, GetUser,
    ListAccessKeys, ListUsers, NewAccessKey, User, Users, proto,
};

use crate::call::{answer, done};
use crate::client::Client;

impl Client {
    /// Makes a user without a key. It is asked for once: an error that may have happened is not tried again.
    ///
    /// # Errors
    /// `user_exists`, `invalid_name`.
    pub async fn create_user(&self, name: &str) -> Result<User, Error> {
        let request = CreateUser { name: name.to_owned() };
        let call = |request| async { self.auth_service().create_user(request).await };
        done(self.once(proto::CreateUserRequest::from(request), call).await?)
    }

    /// One user.
    ///
    /// # Errors
    /// `user_not_found`, as all calls that name a user.
    pub async fn get_user(&self, name: &str) -> Result<User, Error> {
        let request = GetUser { name: name.to_owned() };
        let call = |request| async { self.auth_service().get_user(request).await };
        answer(self.read(proto::GetUserRequest::from(request), call).await?)
    }

    /// Some users, by name.
    pub async fn list_users(&self, request: ListUsers) -> Result<Users, Error> {
        let call = |request| async { self.auth_service().list_users(request).await };
        answer(self.read(proto::ListUsersRequest::from(request), call).await?)
    }

    /// Deletes a user and all their keys.
    pub async fn delete_user(&self, name: &str) -> Result<(), Error> {
        let request = DeleteUser { name: name.to_owned() };
        let call = |request| async { self.auth_service().delete_user(request).await };
        self.once(proto::DeleteUserRequest::from(request), call).await?;
        Ok(())
    }

    /// Makes a key for a user. It is asked for once.
    ///
    /// # Errors
    /// `limit_exceeded`.
    pub async fn create_access_key(&self, user: &str) -> Result<NewAccessKey, Error> {
        let request = CreateAccessKey { user: user.to_owned() };
        let call = |request| async { self.auth_service().create_access_key(request).await };
        done(self.once(proto::CreateAccessKeyRequest::from(request), call).await?)
    }

    /// One of a user's keys.
    ///
    /// # Errors
    /// `key_not_found`.
    pub async fn get_access_key(&self, user: &str, id: &str) -> Result<AccessKey, Error> {
        let request = GetAccessKey { user: user.to_owned(), id: id.to_owned() };
        let call = |request| async { self.auth_service().get_access_key(request).await };
        answer(self.read(proto::GetAccessKeyRequest::from(request), call).await?)
    }

    /// Some of a user's keys, by id.
    pub async fn list_access_keys(&self, request: ListAccessKeys) -> Result<AccessKeys, Error> {
        let call = |request| async { self.auth_service().list_access_keys(request).await };
        answer(self.read(proto::ListAccessKeysRequest::from(request), call).await?)
    }

    /// Deletes one of a user's keys.
    ///
    /// # Errors
    /// `key_not_found`.
    pub async fn delete_access_key(&self, user: &str, id: &str) -> Result<(), Error> {
        let request = DeleteAccessKey { user: user.to_owned(), id: id.to_owned() };
        let call = |request| async { self.auth_service().delete_access_key(request).await };
        self.once(proto::DeleteAccessKeyRequest::from(request), call).await?;
        Ok(())
    }
}
