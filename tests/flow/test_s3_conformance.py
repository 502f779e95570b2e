"""The conformance tables of other engines, read from a bucket over TLS and from one over plain http: the rows are those that the same table gives from a folder (which
interop/test_delta_conformance.py holds against the published ones), and what is refused there is refused here."""
import concurrent.futures, json, os, pathlib, sys, tarfile

import pyarrow.fs

from s3_flow import ROOT, Bucket, Minio, run_cases

SHARED = pathlib.Path(os.environ.get("TARN_SHARED", ROOT.parent / "shared"))
ARCHIVES = sorted((SHARED / "conformance/delta").glob("*.tar.gz"))


def upload(b, folder, place):
    """Everything below folder as objects, empty files too."""
    secure = {"scheme": "https", "tls_ca_file_path": str(b.minio.ca)} if b.minio.tls else {"scheme": "http"}
    s3 = pyarrow.fs.S3FileSystem(access_key=Minio.KEY, secret_key=Minio.SECRET, endpoint_override=f"127.0.0.1:{b.minio.port}", region="us-east-1", **secure)

    def one(path):
        with s3.open_output_stream(f"{place}/{path.relative_to(folder)}", compression=None) as out:
            out.write(path.read_bytes())
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(one, [p for p in folder.rglob("*") if p.is_file()]))


def read(b, lake, schema, table):
    """What a table gives: (True, its rows summed up) or (False, why without the place)."""
    p = b.start(lake, "sql", "--format", "json", f'select count(*) n, sum(hash(t)::hugeint)::varchar h from "{schema}"."{table}" t')
    out, err = p.communicate(timeout=600)
    return (True, json.loads(out)) if p.returncode == 0 else (False, err.replace(lake, "LAKE").strip())


def tables_in_a_bucket(b):
    plain = Bucket(tls=False)
    try:
        compare(b, plain)
    finally:
        plain.close()


def compare(b, plain):
    misses, read_well, refused = [], 0, 0
    near_lake, far_lake = b.work / "conf", "s3://lake/conf"
    for archive in ARCHIVES:
        name = archive.name.removesuffix(".tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(b.work, filter="data")
        tables = sorted(p for p in (b.work / name).iterdir() if (p / "delta").is_dir())
        assert tables, name
        for table in tables:
            (near_lake / name).mkdir(parents=True, exist_ok=True)
            (table / "delta").rename(near_lake / name / table.name)
        for bucket in (b, plain):
            upload(bucket, near_lake / name, f"lake/conf/{name}")

        def judge(table):
            return table.name, read(b, str(near_lake), name, table.name), read(b, far_lake, name, table.name), read(plain, far_lake, name, table.name)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for table, near, *fars in pool.map(judge, tables):
                for far, where in zip(fars, ("bucket", "bucket over plain http")):
                    if near[0] != far[0] or (near[0] and near[1] != far[1]):
                        misses.append(f"{name}/{table}:\n    folder {near}\n    {where} {far}")
                read_well += near[0] and all(far[0] for far in fars)
                refused += not near[0] and not any(far[0] for far in fars)
    print(f"{read_well} tables read alike, {refused} refused alike")
    assert not misses, "\n".join(misses)
    assert read_well > 100, read_well


if __name__ == "__main__":
    if not ARCHIVES:
        print(f"SKIPPED: no conformance tables in {SHARED}\n0 passed, 0 failed, 1 skipped")
        sys.exit(0)
    sys.exit(run_cases([tables_in_a_bucket], sys.argv[1] if len(sys.argv) > 1 else ""))
