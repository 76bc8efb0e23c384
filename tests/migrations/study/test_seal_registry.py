"""Every column of the schema is sealed, or on the list of what can be computed again."""

from migrations.study.schema import Base
from migrations.study.seal.registry import COMPUTED, OWN, VERSION, columns_of, sealed_tables


def test_every_column_is_sealed_or_said_to_be_computed_again() -> None:
    for table in Base.metadata.sorted_tables:
        if table.name == OWN or COMPUTED.get(table.name) == "*":
            continue
        computed = set(COMPUTED.get(table.name, "").split())
        sealed = set(columns_of(table.name, VERSION))
        assert sealed | computed == set(table.columns.keys()), table.name
        assert not sealed & computed


def test_the_registry_names_no_table_that_is_not_there() -> None:
    assert set(sealed_tables()) < {table.name for table in Base.metadata.sorted_tables}
