# The front door. Every target works from an empty clone; what it needs is fetched once (deps.lock).
PREFIX ?= /usr/local
JOBS   ?= $(shell nproc)
export DUCKDB_DIR TARN_DEPS_DIR
CMAKE  = cmake --preset release -DTARN_WERROR=OFF $(if $(DUCKDB_DIR),-DDUCKDB_DIR=$(abspath $(DUCKDB_DIR))) \
         $(if $(TARN_DEPS_DIR),-DTARN_DEPS_DIR=$(abspath $(TARN_DEPS_DIR)))

.PHONY: all setup test test-spark test-airflow test-orchestrators test-projects test-dbt-adapter fuzz asan lint fmt check demo bench install clean
all: setup
	@$(CMAKE) >build/configure.log || { cat build/configure.log; exit 1; }
	@nice -n 5 cmake --build build/release --target tarn capi -j $(JOBS)
	@ln -sfn release/tarn build/tarn
setup:
	@mkdir -p build && tools/setup
test: all
	@tools/run-tests
# Spark with Delta Lake as a judge; ONLY=TEXT picks cases. What is missing is fetched once: a JDK, pyspark, Delta's jars.
test-spark: all
	@nice -n 10 tools/spark --run tests/spark/test_spark.py $(if $(ONLY),--only "$(ONLY)") $(if $(REPORT),--report "$(REPORT)")
# The example DAG (docs/examples/airflow_dag.py) and DAGs of astronomer-cosmos in a real Airflow, fetched once.
test-airflow: all
	@nice -n 10 python3 tests/airflow/test_airflow.py
# dbt's own adapter tests, each call of dbt a run of tarn, held against what real dbt passes; SIDE=control runs real dbt, ONLY=TEXT picks tests.
test-dbt-adapter: all
	@tests/dbt_adapter/run --side $(or $(SIDE),tarn) $(if $(ONLY),--only "$(ONLY)")
# Cosmos', dagster-dbt's and Elementary's own code with tarn under the name dbt, held against the same with dbt; fetched once.
test-orchestrators: all
	@nice -n 10 python3 tests/orchestrators/test_orchestrators.py
# Public dbt projects through dbt and tarn, fetched once; ONLY=NAME picks one, REPORT=FILE writes the table.
test-projects: all
	@nice -n 10 tools/projects $(if $(ONLY),--only $(ONLY)) $(if $(REPORT),--report "$(REPORT)")
# Fuzzers, sanitized: FUZZ_SECONDS each (60); what they find is left in build/fuzz. Real libFuzzer when clang is there.
fuzz: setup
	@tools/fuzz
asan: setup
	@tools/run-tests asan
lint: setup
	@tools/lint
fmt: setup
	@tools/lint --fix
check: all
	@tools/check
demo: all
	@demo/run
bench: all
	@tests/bench/run
install: all
	@cmake --install build/release --prefix $(PREFIX) >/dev/null && echo "installed into $(PREFIX)"
clean:
	@find build -mindepth 1 -maxdepth 1 ! -name deps -exec rm -rf {} +
