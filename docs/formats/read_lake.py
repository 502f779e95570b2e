"""Reads a lake on disk without tarn: prints the tables that an environment pins, or counts their rows.

    python read_lake.py /mnt/lake [ENVIRONMENT [count]]

The log is a folder of JSON objects; the newest one says which commit is the environment's; that one has all pins. Tables are plain Delta.
"""
import json, pathlib, sys


def head(root, env):
    log = sorted(p for p in (root / "_tarn/log").glob("*.json"))
    newest = json.loads(log[-1].read_text())
    number = newest["heads"][env]
    return json.loads((root / f"_tarn/log/{number:020d}.json").read_text())


def main(root, env="prod", what=""):
    root = pathlib.Path(root)
    commit = head(root, env)
    for pin in commit["pins"]:
        if pin["kind"] == "delta":
            place = pin["location"] if pin["location"].startswith(("/", "s3:")) else str(root / pin["location"])
            line = [f"{pin['schema']}.{pin['name']}", place, pin["version"]]
            if what == "count":
                from deltalake import DeltaTable, QueryBuilder
                import pyarrow
                rows = QueryBuilder().register("t", DeltaTable(place, version=pin["version"])).execute("select count(*) from t")
                line.append(pyarrow.table(rows.read_all()).column(0)[0].as_py())
            print(*line, sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
