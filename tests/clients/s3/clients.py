"""Published S3 clients, each behind the same few calls. A key is `ref/path`."""

import os
import shutil
import subprocess

import pytest

BUCKET = "lake"
MIB = 1 << 20


class Boto3:
    def __init__(self, lake, folder):
        import boto3
        from botocore.config import Config

        session = boto3.Session(lake.key_id, lake.secret, region_name="us-east-1")
        # Checksums as the SDK comes: CRC32 of every upload, in a trailer of streams.
        config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
        self.s3 = session.client("s3", endpoint_url=lake.endpoint, config=config)

    def copy(self, source, key):
        from boto3.s3.transfer import TransferConfig

        # Parts of 8 MiB, each an UploadPartCopy.
        self.s3.copy({"Bucket": BUCKET, "Key": source}, BUCKET, key, Config=TransferConfig(multipart_threshold=8 * MIB))

    def put(self, key, file):
        self.s3.upload_file(str(file), BUCKET, key)

    def get(self, key, file):
        self.s3.download_file(BUCKET, key, str(file))

    def list(self, prefix):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return sorted(found["Key"] for page in pages for found in page.get("Contents", []))

    def delete(self, prefix):
        keys = self.list(prefix)
        for start in range(0, len(keys), 1000):
            objects = [{"Key": key} for key in keys[start : start + 1000]]
            answer = self.s3.delete_objects(Bucket=BUCKET, Delete={"Objects": objects})
            assert not answer.get("Errors"), answer

    def sync(self, folder, prefix):
        from concurrent.futures import ThreadPoolExecutor

        files = [file for file in folder.rglob("*") if file.is_file()]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda file: self.put(prefix + str(file.relative_to(folder)), file), files))


class Command:
    """A program that is run."""

    program = ""

    def __init__(self, lake, folder):
        if shutil.which(self.program) is None:
            pytest.skip(f"{self.program} is not installed")
        self.folder = folder
        # What the machine says of AWS is not for these tests.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.env = dict(kept, HOME=str(folder))
        self.configure(lake, folder)

    def run(self, *arguments, fine=(0,)):
        command = [self.program, *map(str, arguments)]
        run = subprocess.run(command, env=self.env, capture_output=True, text=True)
        assert run.returncode in fine, f"{command}: {run.stdout[-2000:]}{run.stderr[-2000:]}"
        return run.stdout


class AwsCli(Command):
    program = "aws"

    def configure(self, lake, folder):
        self.env.update(
            AWS_ACCESS_KEY_ID=lake.key_id,
            AWS_SECRET_ACCESS_KEY=lake.secret,
            AWS_DEFAULT_REGION="us-east-1",
            AWS_ENDPOINT_URL=lake.endpoint,
            AWS_MAX_ATTEMPTS="1",
        )

    def put(self, key, file):
        self.run("s3", "cp", "--no-progress", file, f"s3://{BUCKET}/{key}")

    def get(self, key, file):
        self.run("s3", "cp", "--no-progress", f"s3://{BUCKET}/{key}", file)

    def copy(self, source, key):
        # Above 8 MiB it copies by parts of its own accord.
        self.run("s3", "cp", "--no-progress", f"s3://{BUCKET}/{source}", f"s3://{BUCKET}/{key}")

    def list(self, prefix):
        # It ends with 1 when it finds nothing.
        lines = self.run("s3", "ls", "--recursive", f"s3://{BUCKET}/{prefix}", fine=(0, 1)).splitlines()
        return sorted(line.split(maxsplit=3)[3] for line in lines)

    def delete(self, prefix):
        self.run("s3", "rm", "--recursive", "--quiet", f"s3://{BUCKET}/{prefix}")

    def sync(self, folder, prefix):
        self.run("s3", "sync", "--quiet", folder, f"s3://{BUCKET}/{prefix}")
        assert self.run("s3", "sync", folder, f"s3://{BUCKET}/{prefix}") == "", "a second time there is nothing to do"


class S3Cmd(Command):
    program = "s3cmd"

    def configure(self, lake, folder):
        host = lake.endpoint.removeprefix("http://")
        self.config = folder / "s3cfg"
        lines = [
            "[default]",
            f"access_key = {lake.key_id}",
            f"secret_key = {lake.secret}",
            f"host_base = {host}",
            f"host_bucket = {host}",
            "use_https = False",
            "max_retries = 1",
            "multipart_copy_chunk_size_mb = 8",
        ]
        self.config.write_text("\n".join(lines))

    def run(self, *arguments):
        return super().run("-c", self.config, "--no-progress", *arguments)

    def put(self, key, file):
        self.run("put", file, f"s3://{BUCKET}/{key}")

    def get(self, key, file):
        self.run("get", "--force", f"s3://{BUCKET}/{key}", file)

    def copy(self, source, key):
        self.run("cp", f"s3://{BUCKET}/{source}", f"s3://{BUCKET}/{key}")

    def list(self, prefix):
        lines = self.run("ls", "--recursive", f"s3://{BUCKET}/{prefix}").splitlines()
        return sorted(line.split(maxsplit=3)[3].removeprefix(f"s3://{BUCKET}/") for line in lines)

    def delete(self, prefix):
        self.run("del", "--recursive", "--force", f"s3://{BUCKET}/{prefix}")

    def sync(self, folder, prefix):
        self.run("sync", "--quiet", f"{folder}/", f"s3://{BUCKET}/{prefix}")


class Rclone(Command):
    program = "rclone"

    def configure(self, lake, folder):
        self.env.update(
            RCLONE_CONFIG="",
            RCLONE_CONFIG_LAKE_TYPE="s3",
            RCLONE_CONFIG_LAKE_PROVIDER="Other",
            RCLONE_CONFIG_LAKE_ACCESS_KEY_ID=lake.key_id,
            RCLONE_CONFIG_LAKE_SECRET_ACCESS_KEY=lake.secret,
            RCLONE_CONFIG_LAKE_ENDPOINT=lake.endpoint,
            RCLONE_CONFIG_LAKE_REGION="us-east-1",
            RCLONE_RETRIES="1",
            RCLONE_LOW_LEVEL_RETRIES="1",
        )

    def put(self, key, file):
        self.run("copyto", "--s3-chunk-size", "8M", "--s3-upload-cutoff", "8M", file, f"lake:{BUCKET}/{key}")

    def get(self, key, file):
        self.run("copyto", f"lake:{BUCKET}/{key}", file)

    def copy(self, source, key):
        parts = ["--s3-copy-cutoff", "8M", "--s3-chunk-size", "8M"]
        self.run("copyto", *parts, f"lake:{BUCKET}/{source}", f"lake:{BUCKET}/{key}")

    def list(self, prefix):
        lines = self.run("lsf", "--recursive", "--files-only", f"lake:{BUCKET}/{prefix}").splitlines()
        return sorted(prefix + line for line in lines)

    def delete(self, prefix):
        self.run("delete", f"lake:{BUCKET}/{prefix}")

    def sync(self, folder, prefix):
        self.run("sync", "--transfers", "8", folder, f"lake:{BUCKET}/{prefix}")
        self.run("check", folder, f"lake:{BUCKET}/{prefix}")


class S3Fs:
    def __init__(self, lake, folder):
        import s3fs

        options = {"endpoint_url": lake.endpoint, "region_name": "us-east-1"}
        self.fs = s3fs.S3FileSystem(
            key=lake.key_id, secret=lake.secret, client_kwargs=options, use_listings_cache=False, skip_instance_cache=True
        )

    def put(self, key, file):
        self.fs.put_file(str(file), f"{BUCKET}/{key}")

    def get(self, key, file):
        self.fs.get_file(f"{BUCKET}/{key}", str(file))

    def copy(self, source, key):
        from fsspec.asyn import sync

        # What `copy` does above 150 MiB, in parts of 50 MiB.
        size = self.fs.info(f"{BUCKET}/{source}")["size"]
        block = 8 * MIB
        sync(self.fs.loop, self.fs._copy_managed, f"{BUCKET}/{source}", f"{BUCKET}/{key}", size, block=block)

    def list(self, prefix):
        return sorted(path.removeprefix(f"{BUCKET}/") for path in self.fs.find(f"{BUCKET}/{prefix}"))

    def delete(self, prefix):
        self.fs.rm(f"{BUCKET}/{prefix}".rstrip("/"), recursive=True)

    def sync(self, folder, prefix):
        self.fs.put(f"{folder}/", f"{BUCKET}/{prefix}", recursive=True)


class PyArrow:
    def __init__(self, lake, folder):
        from pyarrow import fs

        self.module = fs
        self.fs = fs.S3FileSystem(
            access_key=lake.key_id,
            secret_key=lake.secret,
            region="us-east-1",
            scheme="http",
            endpoint_override=lake.endpoint.removeprefix("http://"),
        )

    def put(self, key, file):
        with open(file, "rb") as source, self.fs.open_output_stream(f"{BUCKET}/{key}") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)

    def get(self, key, file):
        with self.fs.open_input_stream(f"{BUCKET}/{key}") as source, open(file, "wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)

    def copy(self, source, key):
        # It knows no copy in parts.
        self.fs.copy_file(f"{BUCKET}/{source}", f"{BUCKET}/{key}")

    def list(self, prefix):
        selector = self.module.FileSelector(f"{BUCKET}/{prefix}".rstrip("/"), recursive=True, allow_not_found=True)
        found = self.fs.get_file_info(selector)
        return sorted(info.path.removeprefix(f"{BUCKET}/") for info in found if info.is_file)

    def delete(self, prefix):
        for key in self.list(prefix):
            self.fs.delete_file(f"{BUCKET}/{key}")

    def sync(self, folder, prefix):
        self.module.copy_files(str(folder), f"{BUCKET}/{prefix}".rstrip("/"), destination_filesystem=self.fs)


CLIENTS = {
    "boto3": Boto3,
    "awscli": AwsCli,
    "s3cmd": S3Cmd,
    "rclone": Rclone,
    "s3fs": S3Fs,
    "pyarrow": PyArrow,
}
