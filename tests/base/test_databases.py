"""The tests' own ground: a database that is lent again is as the migrations left it."""

import psycopg

from tests.databases import Databases, _read_pristine


def test_what_a_test_left_is_gone_for_the_next(databases: Databases) -> None:
    name = databases.lend()
    with psycopg.connect(databases.url(name), autocommit=True) as connection:
        before = _read_pristine(connection)
        connection.execute("update catalogue.revision set number = 7")
        connection.execute("insert into base.migration (module, name, sha256) values ('a', 'b', 'c')")
        connection.execute("select nextval(format('%I.%I', schemaname, sequencename)) from pg_sequences")
        assert _read_pristine(connection) != before
    assert lent_after(databases, name) == name
    with psycopg.connect(databases.url(name), autocommit=True) as connection:
        assert _read_pristine(connection) == before


def test_one_whose_schema_was_changed_is_not_lent_again(databases: Databases) -> None:
    for change in (
        "create table base.probe (number int)",
        "alter table points.entry disable trigger all",
        "alter table catalogue.goods add column probe int",
    ):
        name = databases.lend()
        with psycopg.connect(databases.url(name), autocommit=True) as connection:
            connection.execute(change)
        assert lent_after(databases, name) != name


def test_one_with_very_many_rows_is_not_lent_again(databases: Databases) -> None:
    name = databases.lend()
    with psycopg.connect(databases.url(name), autocommit=True) as connection:
        connection.execute("insert into base.migration select 'a', n::text, 'c' from generate_series(1, 6000) n")
    assert lent_after(databases, name) != name


def lent_after(databases: Databases, name: str) -> str:
    """Give one back and return the name of the next."""
    databases.take_back(name)
    following = databases.lend()
    databases.take_back(following)
    return following
