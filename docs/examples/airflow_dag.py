"""An Airflow DAG of a dbt project in a lake: one task a model, run side by side as far as the graph allows, on any number of workers.

    TARN_PROJECT   folder of the project, profiles.yml in it (type: tarn)
    TARN           the program (default: tarn on the PATH)

`tarn ls` gives the graph when the file is parsed. Each task is a `tarn build` of one model with its tests: it publishes what passed by itself, waits when another run is at the
same model, and needs nothing from the other tasks but the lake.
"""
import json
import os
import subprocess

import pendulum
from airflow.sdk import dag, task

PROJECT = os.environ.get("TARN_PROJECT", "/opt/project")
COMMON = ["--project-dir", PROJECT, "--profiles-dir", PROJECT]


def tarn(*words):
    done = subprocess.run([os.environ.get("TARN", "tarn"), *words, *COMMON], capture_output=True, text=True)
    print(done.stdout, done.stderr)
    if done.returncode:
        raise RuntimeError(f"tarn {words[0]} ended with status {done.returncode}")
    return done.stdout


def graph():
    """unique id -> (name, ids of what it reads), for everything that is built."""
    lines = tarn("ls", "--quiet", "--resource-type", "model", "seed", "snapshot", "--output", "json", "--output-keys", "unique_id", "name", "depends_on")
    nodes = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
    return {n["unique_id"]: (n["name"], n["depends_on"]["nodes"]) for n in nodes}


@dag(dag_id="tarn_project", schedule=None, start_date=pendulum.datetime(2026, 1, 1), catchup=False, max_active_tasks=8, tags=["tarn"])
def tarn_project():
    def builder(name):
        @task(task_id=name, retries=1)
        def build():
            target = os.path.join(os.environ.get("TARN_TARGETS", "/tmp/tarn-targets"), name)  # artifacts of tasks that run at once stay apart
            tarn("build", "--select", name, "--target-path", target, "--log-path", target)

        return build()

    nodes = graph()
    tasks = {uid: builder(name) for uid, (name, _) in nodes.items()}
    for uid, (_, parents) in nodes.items():
        for parent in parents:
            if parent in tasks:
                tasks[parent] >> tasks[uid]


tarn_project()
