"""One Spark session with Delta Lake, made small: it judges tables of some hundred rows, and what costs is starting and planning."""
import os
import sys
import tempfile

os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
os.environ["TZ"] = "UTC"
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))

from delta_judges import Refused, Rows, filled  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402

SETTINGS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.sources.default": "delta",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.driver.memory": "3g",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -Duser.timezone=UTC",
    # One task a stage: planning anew between stages finds nothing better.
    "spark.sql.adaptive.enabled": "false",
    # Compiling a plan costs more than running it over so few rows.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    # VACUUM RETAIN 0 HOURS is tried here, with nobody else writing.
    "spark.databricks.delta.retentionDurationCheck.enabled": "false",
}


class Spark:
    name = "Spark"

    def __init__(self, folder):
        b = SparkSession.builder.master("local[2]").config("spark.jars", os.environ["TARN_SPARK_JARS"])
        for k, v in {**SETTINGS, "spark.sql.warehouse.dir": str(folder), "spark.local.dir": tempfile.mkdtemp(dir=folder)}.items():
            b = b.config(k, v)
        self.session = b.getOrCreate()
        self.session.sparkContext.setLogLevel("OFF")
        self.versions = f"Spark {self.session.version}"

    def stop(self):
        self.session.stop()

    def frame(self, text, path):
        try:
            return self.session.sql(filled(text, path))
        except Exception as e:  # py4j has many kinds of them
            raise Refused(message(e)) from None

    def append_once(self, text, path):
        """@app version SELECT.."""
        app, version, select = text[1:].split(" ", 2)
        rows = self.session.sql(select).write.format("delta").mode("append")
        rows.option("txnAppId", app).option("txnVersion", version).save(str(path))

    def statement(self, text, path):
        try:
            if text.startswith("@"):
                return self.append_once(text, path)
            return self.frame(text, path).collect()
        except Refused:
            raise
        except Exception as e:
            raise Refused(message(e)) from None

    def query(self, text, path):
        try:
            return self.frame(text, path).toArrow()
        except Refused:
            raise
        except Exception as e:
            raise Refused(message(e)) from None

    def rows(self, path, columns="*", at=None):
        return Rows(self.query(f"SELECT {columns} FROM {{t}}" + ("" if at is None else f" VERSION AS OF {at}"), path))


def message(e):
    """The part of a Java exception that says what happened."""
    lines = [line.strip() for line in str(e).splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by:")]
    return " | ".join(lines[:3] + causes[-1:])[:1500]
