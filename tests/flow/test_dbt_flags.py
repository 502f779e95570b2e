"""Flags of dbt_project.yml that change what a project means: both settings of each, with the words of dbt."""
import json, sys

from dbt_flow import case, equal, has, lacks, main


def with_flags(p, more="", **flags):
    p.file("dbt_project.yml", f"name: p\nprofile: p\n{more}flags: {json.dumps(flags)}\n")


def package(p, files):
    p.file("packages.yml", "packages: [{local: pkg}]\n")
    p.file("pkg/dbt_project.yml", "name: pkg\nprofile: p\n")
    for name, text in files.items():
        p.file(f"pkg/{name}", text)
    p.run("deps")


def parents(p, name):
    return json.loads((p.dir / "target/manifest.json").read_text())["parent_map"][name]


@case
def ref_of_a_package_looks_in_the_project_first(p):
    p.file("models/a.sql", "{{ config(alias='a_of_p') }} select 1 as id")
    package(p, {"models/a.sql": "select 2 as id", "models/b.sql": "select * from {{ ref('a') }}"})
    out = p.run("parse")
    has(out, "The node 'b'in package 'pkg' depends on the root project node 'model.p.a'.")
    equal(parents(p, "model.pkg.b"), ["model.p.a"])
    has(p.run("parse", "--warn-error-options", "{error: [PackageNodeDependsOnRootProjectNode]}", status=2), "root project node")
    with_flags(p, require_ref_searches_node_package_before_root=True)
    lacks(p.run("parse"), "root project node")
    equal(parents(p, "model.pkg.b"), ["model.pkg.a"])


@case
def one_name_for_two_resources(p):
    p.file("models/x.sql", "{{ config(alias='y') }} select 1 as id")
    p.file("seeds/x.csv", "id\n1\n")
    out = " ".join(p.run("parse").split())
    has(out, "[WARNING][DuplicateNameDistinctNodeTypesDeprecation]: Deprecated functionality Found resources with the same name 'x' in package 'p': '")
    has(out, "Please update one of the resources to have a unique name.")
    with_flags(p, require_unique_project_resource_names=True)
    has(p.run("parse", status=2), 'dbt found two resources with the name "x".')


@case
def sources_with_spaces(p):
    p.file("models/m.sql", "select 1 as id")
    p.file("models/s.yml", "sources:\n  - name: my source\n    tables: [{name: a}, {name: b}]\n")
    out = p.run("parse")
    has(out, "Found spaces in the name of `source.p.my source`")
    has(out, "Spaces found in 1 resource name(s).")
    with_flags(p, require_source_and_semantic_model_names_without_spaces=True)
    out = p.run("parse", status=2)
    has(out, "Resource names cannot contain spaces:\n    * 'source.p.my source' (models/s.yml)")
    has(out, "Please rename the invalid resource(s)")


@case
def packages_do_not_replace_what_is_built_in(p):
    p.file("models/m.sql", "select 1 as id")
    package(p, {"macros/v.sql": "{% materialization view, default %}{{ log('the package', info=True) }}\n"
                "{% call statement('main') %}create or replace view {{ this }} as {{ sql }}{% endcall %}\n"
                "{{ return({'relations': [this]}) }}{% endmaterialization %}"})
    lacks(p.run("run"), "the package")
    with_flags(p, require_explicit_package_overrides_for_builtin_materializations=False)
    has(p.run("run"), "the package")
    with_flags(p)
    p.file("macros/v.sql", "{% materialization view, default %}{{ return(pkg.materialization_view_default()) }}{% endmaterialization %}")
    has(p.run("run"), "the package")


@case
def arguments_of_macros(p):
    p.file("macros/m.sql", "{% macro good(a, b) %}{% endmacro %}{% macro bad(a, b) %}{% endmacro %}")
    p.file("macros/m.yml", """macros:
  - {name: good, arguments: [{name: a, type: 'dict[str, list[int]]'}, {name: b, type: 'optional[relation]'}]}
  - {name: bad, arguments: [{name: z, type: 'list'}]}
""")
    out = p.run("parse")
    has(out, "[WARNING]: Argument z in yaml for macro bad does not match the jinja definition.")
    has(out, "[WARNING]: The number of arguments in the yaml for macro bad does not match the jinja definition.")
    has(out, "[WARNING]: Argument z in the yaml for macro bad has an invalid type.")
    lacks(out, "macro good")
    has(p.run("parse", "--warn-error-options", "{error: [InvalidMacroAnnotation]}", status=2), "macro bad")
    with_flags(p, validate_macro_args=False)
    lacks(p.run("parse"), "macro bad")


@case
def sources_are_compared_as_written(p):
    p.file("models/m.sql", "select * from {{ source('s', 't') }}")
    p.file("models/s.yml", "sources:\n  - name: s\n    schema: \"{{ var('place', 'main') }}\"\n    tables: [{name: t}]\n")
    p.run("parse")
    manifest = json.loads((p.dir / "target/manifest.json").read_text())
    equal([manifest["sources"]["source.p.s.t"][k] for k in ("schema", "unrendered_schema", "unrendered_database")], ["main", "{{ var('place', 'main') }}", None])
    (p.dir / "state").mkdir()
    (p.dir / "target/manifest.json").rename(p.dir / "state/manifest.json")
    look = ("ls", "--quiet", "--resource-type", "source", "--select", "state:modified", "--state", "state", "--vars", "{place: other}")
    lacks(p.run(*look), "source:p.s.t")
    with_flags(p, state_modified_compare_more_unrendered_values=False)
    has(p.run(*look), "source:p.s.t")


if __name__ == "__main__":
    sys.exit(main())
