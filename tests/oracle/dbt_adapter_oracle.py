"""A fast part of dbt's own adapter tests against tarn (tests/README.md, "dbt's own tests")."""
import os, pathlib, subprocess, sys

if __name__ == "__main__":  # dbt imports what is named dbt_* beside its caller
    sys.exit(subprocess.run([sys.executable, str(pathlib.Path(os.environ.get("TARN_ROOT", pathlib.Path(__file__).resolve().parents[2])) / "tests/dbt_adapter/run"), "--fast"]).returncode)
