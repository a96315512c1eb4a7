//! Uploads in parts: what is asked of them, and the answers.

use s3s::dto::{
    Checksum, CompletedMultipartUpload, CopyObjectOutput, CopyObjectResult, CopyPartResult,
    ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload,
    Part, PutObjectOutput, UploadPartCopyOutput, UploadPartOutput,
};
use s3s::{S3Result, s3_error as refuse};

use super::{Names, etag, page_limit, part_number, timestamp};

/// The parts, by number and entity tag, that an object is to be made of: one at least.
///
/// # Errors
/// `MalformedXML`, `InvalidArgument`.
pub fn asked_parts(asked: Option<CompletedMultipartUpload>) -> S3Result<Vec<(u16, String)>> {
    let asked = asked.and_then(|upload| upload.parts).unwrap_or_default();
    if asked.is_empty() {
        return Err(refuse!(MalformedXML, "an object is made of one part at least"));
    }
    let part = |part: s3s::dto::CompletedPart| {
        let number = part_number(part.part_number.unwrap_or_default())?;
        let tag =
            part.e_tag.ok_or_else(|| refuse!(MalformedXML, "part {number} is named without its etag"))?;
        Ok((number, tag.into_value()))
    };
    asked.into_iter().map(part).collect()
}

/// An answer to a write. A macro, because the answers for objects and for parts have these fields in common and no trait.
macro_rules! written {
    ($output:ident, $tag:expr, $checksum:expr) => {{
        let checksum: Checksum = $checksum;
        $output {
            e_tag: Some(etag($tag)),
            checksum_crc32: checksum.checksum_crc32,
            checksum_crc32c: checksum.checksum_crc32c,
            checksum_crc64nvme: checksum.checksum_crc64nvme,
            checksum_sha1: checksum.checksum_sha1,
            checksum_sha256: checksum.checksum_sha256,
            ..$output::default()
        }
    }};
}

/// The answer to the write of an object with this entity tag, by which these checksums were declared.
#[must_use]
pub fn put_output(tag: &str, checksum: Checksum) -> PutObjectOutput {
    written!(PutObjectOutput, tag, checksum)
}

/// The same for a part.
#[must_use]
pub fn part_output(tag: &str, checksum: Checksum) -> UploadPartOutput {
    written!(UploadPartOutput, tag, checksum)
}

/// The answer to a copy that got this entity tag now, in seconds since 1970.
#[must_use]
pub fn copied_output(tag: &str, now: i64) -> CopyObjectOutput {
    let result = CopyObjectResult {
        e_tag: Some(etag(tag)),
        last_modified: Some(timestamp(now)),
        ..CopyObjectResult::default()
    };
    CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() }
}

/// The same for a part.
#[must_use]
pub fn copied_part_output(tag: &str, now: i64) -> UploadPartCopyOutput {
    let result = CopyPartResult {
        e_tag: Some(etag(tag)),
        last_modified: Some(timestamp(now)),
        ..CopyPartResult::default()
    };
    UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() }
}

/// A part as a listing has it.
#[must_use]
pub fn listed_part(number: i32, size: i64, tag: &str, modified: i64) -> Part {
    Part {
        part_number: Some(number),
        size: Some(size),
        e_tag: Some(etag(tag)),
        last_modified: Some(timestamp(modified)),
        ..Part::default()
    }
}

/// An upload as a listing has it; the key is as the answer writes it.
#[must_use]
pub fn listed_upload(key: String, upload: String, started: i64) -> MultipartUpload {
    MultipartUpload {
        key: Some(key),
        upload_id: Some(upload),
        initiated: Some(timestamp(started)),
        ..MultipartUpload::default()
    }
}

/// The part after which a listing goes on.
///
/// # Errors
/// `InvalidArgument`.
pub fn part_marker(input: &ListPartsInput) -> S3Result<u16> {
    let marker = input.part_number_marker.unwrap_or(0);
    u16::try_from(marker).map_err(|_| refuse!(InvalidArgument, "part-number-marker is a number of a part"))
}

/// The answer to a listing of parts, of which there may be more.
///
/// # Errors
/// `InvalidArgument`.
pub fn parts_output(input: ListPartsInput, parts: Vec<Part>, more: bool) -> S3Result<ListPartsOutput> {
    Ok(ListPartsOutput {
        is_truncated: Some(more),
        max_parts: i32::try_from(page_limit(input.max_parts)?).ok(),
        part_number_marker: Some(part_marker(&input)?.into()),
        next_part_number_marker: parts.last().and_then(|last| last.part_number),
        parts: Some(parts),
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        ..ListPartsOutput::default()
    })
}

/// The answer to a listing of uploads; `last` is the key, as it is, and the id after which it goes on.
///
/// # Errors
/// `InvalidArgument`.
pub fn uploads_output(
    input: ListMultipartUploadsInput,
    names: Names,
    uploads: Vec<MultipartUpload>,
    last: Option<(String, String)>,
) -> S3Result<ListMultipartUploadsOutput> {
    let (next_key, next_upload) = last.unzip();
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: Some(names.write(input.prefix.unwrap_or_default())),
        encoding_type: input.encoding_type,
        key_marker: input.key_marker.map(|marker| names.write(marker)),
        upload_id_marker: input.upload_id_marker,
        is_truncated: Some(next_key.is_some()),
        max_uploads: i32::try_from(page_limit(input.max_uploads)?).ok(),
        next_key_marker: next_key.map(|key| names.write(key)),
        next_upload_id_marker: next_upload,
        uploads: Some(uploads),
        ..ListMultipartUploadsOutput::default()
    })
}

#[cfg(test)]
mod tests {
    use s3s::dto::CompletedPart;

    use super::*;

    fn code(parts: Vec<CompletedPart>) -> String {
        let asked = CompletedMultipartUpload { parts: Some(parts) };
        asked_parts(Some(asked)).unwrap_err().code().as_str().to_owned()
    }

    #[test]
    fn parts_have_numbers_and_tags_and_there_is_one() {
        let part = |number, tag: Option<&str>| CompletedPart {
            part_number: Some(number),
            e_tag: tag.map(etag),
            ..CompletedPart::default()
        };
        let asked = CompletedMultipartUpload { parts: Some(vec![part(2, Some("b")), part(1, Some("a"))]) };
        let expected = [(2, "b".to_owned()), (1, "a".to_owned())];
        assert_eq!(asked_parts(Some(asked)).unwrap(), expected, "their order is for the store to judge");
        assert_eq!(code(Vec::new()), "MalformedXML");
        assert_eq!(code(vec![part(1, None)]), "MalformedXML");
        assert_eq!(code(vec![part(0, Some("a"))]), "InvalidArgument");
        assert!(asked_parts(None).is_err());
    }
}
