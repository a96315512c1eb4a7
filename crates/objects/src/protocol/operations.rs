//! The operations that endpoints do, by their names in the protocol; the library answers NotImplemented to others.

/// Makes a type the protocol library's `S3`: each operation is done by a method of the type. What has no line here is not
/// done by any endpoint.
#[macro_export]
macro_rules! s3_operations {
    ($service:ty) => {
        $crate::s3_operations! { @of $service:
            get_object => get(GetObjectInput) -> GetObjectOutput;
            head_object => head(HeadObjectInput) -> HeadObjectOutput;
            put_object => put(PutObjectInput) -> PutObjectOutput;
            copy_object => copy(CopyObjectInput) -> CopyObjectOutput;
            delete_object => delete(DeleteObjectInput) -> DeleteObjectOutput;
            delete_objects => delete_many(DeleteObjectsInput) -> DeleteObjectsOutput;
            list_objects => list_v1(ListObjectsInput) -> ListObjectsOutput;
            list_objects_v2 => list_v2(ListObjectsV2Input) -> ListObjectsV2Output;
            create_multipart_upload => start_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput;
            upload_part => put_part(UploadPartInput) -> UploadPartOutput;
            upload_part_copy => copy_part(UploadPartCopyInput) -> UploadPartCopyOutput;
            complete_multipart_upload =>
                complete_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput;
            abort_multipart_upload => abort_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput;
            list_parts => list_parts_of(ListPartsInput) -> ListPartsOutput;
            list_multipart_uploads => list_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput;
            list_buckets => all_buckets(ListBucketsInput) -> ListBucketsOutput;
            create_bucket => new_bucket(CreateBucketInput) -> CreateBucketOutput;
            head_bucket => bucket_head(HeadBucketInput) -> HeadBucketOutput;
            get_bucket_location => bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput;
            get_bucket_versioning => bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput;
        }
    };
    (@of $service:ty: $($operation:ident => $method:ident($input:ident) -> $output:ident;)*) => {
        #[async_trait::async_trait]
        impl s3s::S3 for $service {
            $(
                async fn $operation(
                    &self,
                    request: s3s::S3Request<s3s::dto::$input>,
                ) -> s3s::S3Result<s3s::S3Response<s3s::dto::$output>> {
                    self.$method(request).await
                }
            )*
        }
    };
}
