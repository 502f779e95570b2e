"""Published change data feeds of conformance tables: (set/name, from, to, {(change, version): rows}); rows are tuples of the table's columns, or
plain values when there is one. A text instead of rows: the range must be refused, and the reason says this. None: deltalake's
feed is the judge; ...: the table's versions are."""


def ids(*parts):
    return [i for part in parts for i in (part if isinstance(part, range) else [part])]


TEN = ids(range(10))
OLD = [(i, "old", i % 2) for i in range(6)]
FEEDS = [
    ("kernel/cdf-table-with-dv", 0, None, {
        ("insert", 0): TEN, ("delete", 1): [0, 9], ("insert", 2): [0, 9], ("delete", 3): [0, 1, 4, 5], ("insert", 4): [1, 4], ("delete", 5): [3], ("insert", 5): [0, 5],
        ("insert", 6): [3]}),
    ("kernel/cdf-table-simple", 0, 0, {("insert", 0): TEN}),
    ("kernel/cdf-table-simple", 1, 1, {("delete", 1): TEN}),
    ("kernel/cdf-table-simple", 0, 2, {("insert", 0): TEN, ("delete", 1): TEN, ("insert", 2): ids(range(20, 25))}),
    ("kernel/cdf-table-simple", 1, 0, "before they begin"),
    ("kernel/cdf-table-simple", 3, 4, "after the newest version"),
    ("kernel/cdf-table-update-ops", 0, 2, {("insert", 0): TEN, ("update_pre", 1): ids(range(20, 25)), ("update_post", 2): ids(range(30, 35))}),
    ("kernel/cdf-table-data-change", 0, 1, {("insert", 0): TEN}),
    ("kernel/cdf-table-partitioned", 0, 2, {
        ("insert", 0): OLD, ("delete", 1): [OLD[3]], ("update_preimage", 1): [OLD[1]], ("update_postimage", 1): [(1, "new", 1)], ("delete", 2): [OLD[0], OLD[2], OLD[4]]}),
    ("kernel/cdf-table-delete-conditional-all-rows", 0, None, {("insert", 0): TEN, ("delete", 1): TEN}),
    ("kernel/cdf-table-delete-conditional-two-rows", 0, None, {("insert", 0): TEN, ("delete", 1): [2, 8]}),
    ("kernel/cdf-column-mapping-name-mode", 1, None, ...),
    ("kernel/cdf-column-mapping-name-mode", 0, None, "is off in version 0"),
    ("delta-rs/checkpoint-cdf-table", 3, None, None),
    ("delta-rs/simple_table_with_cdc", 0, None, None),
    ("spark/cdf", 0, None, None),
    ("delta-rs/cdf-table-with-cdc-and-dvs", 0, None, {
        ("insert", 0): [(1, "initial")], ("insert", 1): [(2, "insert1"), (3, "insert1-delete1"), (4, "insert1-delete2"), (5, "insert1-delete2")],
        ("delete", 2): [(3, "insert1-delete1")], ("insert", 4): [(3, "insert1-delete1")], ("delete", 5): [(4, "insert1-delete2"), (5, "insert1-delete2")],
        ("insert", 7): [(4, "insert1-delete2")], ("insert", 8): [(5, "insert2")],
        ("update_preimage", 9): [(1, "initial"), (2, "insert1"), (3, "insert1-delete1")], ("update_postimage", 9): [(1, "update1"), (2, "update1"), (3, "update1")],
        ("delete", 10): [(1, "update1")], ("update_preimage", 12): [(2, "update1")], ("update_postimage", 12): [(2, "update2")],
        ("insert", 14): [(6, "insert3"), (7, "insert3")], ("insert", 15): [(8, "insert4"), (9, "insert4")], ("delete", 16): [(7, "insert3"), (8, "insert4")],
        ("insert", 18): [(10, "merge1-insert"), (11, "merge1-insert")], ("update_preimage", 18): [(9, "insert4")], ("update_postimage", 18): [(9, "merge1-update")],
        ("update_preimage", 20): [(11, "merge1-insert")], ("update_postimage", 20): [(11, "")], ("insert", 22): [(12, "merge2-insert")], ("delete", 22): [(11, "")],
        ("delete", 24): [(2, "update2"), (3, "update1"), (4, "insert1-delete2"), (5, "insert2"), (6, "insert3"), (9, "merge1-update")],
        ("insert", 25): [(0, "new"), (1, "after-large-delete"), (2, "")]}),
]
