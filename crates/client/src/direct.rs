//! Reads of a service in this process that are handed over as they are: nothing is encoded, and no connection is in between.

use std::fmt;

use braid_wire::proto;
use braid_wire::proto::object_service_server::ObjectService;
use tonic::{Request, Response, Status, async_trait};

/// The calls that are made most, as a service of this process answers them.
#[async_trait]
pub(crate) trait DirectReads: Send + Sync {
    async fn stat_object(
        &self,
        request: Request<proto::StatObjectRequest>,
    ) -> Result<Response<proto::Object>, Status>;

    async fn list_objects(
        &self,
        request: Request<proto::ListObjectsRequest>,
    ) -> Result<Response<proto::ListObjectsResponse>, Status>;

    async fn get_download_url(
        &self,
        request: Request<proto::GetDownloadUrlRequest>,
    ) -> Result<Response<proto::Download>, Status>;
}

#[async_trait]
impl<T: ObjectService> DirectReads for T {
    async fn stat_object(
        &self,
        request: Request<proto::StatObjectRequest>,
    ) -> Result<Response<proto::Object>, Status> {
        ObjectService::stat_object(self, request).await
    }

    async fn list_objects(
        &self,
        request: Request<proto::ListObjectsRequest>,
    ) -> Result<Response<proto::ListObjectsResponse>, Status> {
        ObjectService::list_objects(self, request).await
    }

    async fn get_download_url(
        &self,
        request: Request<proto::GetDownloadUrlRequest>,
    ) -> Result<Response<proto::Download>, Status> {
        ObjectService::get_download_url(self, request).await
    }
}

impl fmt::Debug for dyn DirectReads {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DirectReads")
    }
}
