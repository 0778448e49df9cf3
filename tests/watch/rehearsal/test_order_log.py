"""Reading an order log: every field as it is written, every fault named with its place."""

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tidegate.watch.rehearsal.contracts import Dialect, Kind
from tidegate.watch.rehearsal.errors import LogNotReadable
from tidegate.watch.rehearsal.order_log import fingerprint, invoices, parse_map, read_lines

SMALL = Path(__file__).with_name("small_log.csv")
DIALECT = Dialect()
HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "log.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_first_line_is_read_field_by_field() -> None:
    line = next(read_lines(SMALL, DIALECT))
    assert (line.row, line.invoice, line.code, line.quantity) == (2, "700001", "AB10", 6)
    assert line.price == Decimal("2.55")
    assert line.money == Decimal("15.30")
    assert line.at == datetime(2011, 3, 1, 8, 26, tzinfo=UTC)
    assert line.customer == "17850"


def test_a_packed_log_reads_the_same(tmp_path: Path) -> None:
    packed = tmp_path / "log.csv.gz"
    packed.write_bytes(gzip.compress(SMALL.read_bytes()))
    assert list(read_lines(packed, DIALECT)) == list(read_lines(SMALL, DIALECT))
    assert fingerprint(packed) != fingerprint(SMALL)


def test_progress_ends_at_the_size_of_the_file() -> None:
    told: list[int] = []
    list(read_lines(SMALL, DIALECT, told.append))
    assert told[-1] == SMALL.stat().st_size


def test_invoices_are_sales_cancellations_and_adjustments() -> None:
    kinds = [invoice.kind for invoice in invoices(read_lines(SMALL, DIALECT), DIALECT)]
    assert (kinds.count(Kind.SALE), kinds.count(Kind.CANCELLATION), kinds.count(Kind.ADJUSTMENT)) == (6, 7, 2)


def test_the_limit_counts_whole_invoices() -> None:
    first = list(invoices(read_lines(SMALL, DIALECT), DIALECT, limit=2))
    assert [(each.number, len(each.lines)) for each in first] == [("700001", 3), ("700002", 1)]


def test_an_invoice_number_that_comes_back_is_an_order_of_its_own(tmp_path: Path) -> None:
    log = written(tmp_path, HEAD + "1,A,x,1,2011-03-01,1.00,7\n2,A,x,1,2011-03-01,1.00,7\n1,A,x,1,2011-03-02,1.00,7\n")
    assert [each.key for each in invoices(read_lines(log, DIALECT), DIALECT)] == ["1", "2", "1_again2"]


def test_columns_can_be_named_otherwise(tmp_path: Path) -> None:
    log = written(tmp_path, "no,item,text,pieces,day,each,who\n9,A,x,2,12/1/2010 8:26,1.50,\n")
    dialect = parse_map("invoice=no,code=item,description=text,quantity=pieces, at=day,price=each,customer=who")
    line = next(read_lines(log, dialect))
    assert (line.invoice, line.money, line.customer) == ("9", Decimal("3.00"), "")
    assert line.at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


@pytest.mark.parametrize("text", ["invoice", "invoice=", "colour=Red", "invoice:no"])
def test_a_mapping_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(LogNotReadable, match="form name=column"):
        parse_map(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no column InvoiceNo"),
        ("a,b\n1,2\n", "it has a, b"),
        (HEAD + "1,A,x,one,2011-03-01,1.00,7\n", "Row 2 of the log"),
        (HEAD + "1,A,x,1,yesterday,1.00,7\n", "Row 2 of the log"),
        (HEAD + "1,A,x,1,2011-03-01,nan,7\n", "Row 2 of the log"),
        (HEAD + "1,A,x,1,2011-03-01,1.00,7\n1,A\n", "Row 3 of the log"),
        (HEAD + "1,A,x,1,2011-03-01,1e40,7\n", "Row 2 of the log .*price '1e40'"),
        (HEAD + "1,A,x,1,2011-03-01,1e-40,7\n", "Row 2 of the log"),
        (HEAD + "1,A,x,1,2011-03-01,1e1000000,7\n", "Row 2 of the log"),
        (HEAD + f"1,A,x,{10**30},2011-03-01,1.00,7\n", "Row 2 of the log .*quantity beyond 1,000,000,000"),
        (HEAD + f"1,A,x,{'9' * 5_000},2011-03-01,1.00,7\n", "Row 2 of the log"),
        (HEAD + "1,A,x,1,0001-01-01T00:00:00+05:00,1.00,7\n", "Row 2 of the log"),
    ],
)
def test_a_faulty_log_names_the_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(LogNotReadable, match=words):
        list(read_lines(written(tmp_path, text), DIALECT))


def test_empty_rows_are_no_lines(tmp_path: Path) -> None:
    log = written(tmp_path, HEAD + "1,A,x,1,2011-03-01,1.00,7\n\n2,A,x,1,2011-03-01,1.00,7\n,,,,,,\n \n\n")
    assert [(line.row, line.invoice) for line in read_lines(log, DIALECT)] == [(2, "1"), (4, "2")]


def test_characters_that_no_database_keeps_are_left_out(tmp_path: Path) -> None:
    line = next(read_lines(written(tmp_path, HEAD + "1,A,Ca\0fé,1,2011-03-01,1.00,\0\n"), DIALECT))
    assert (line.description, line.customer) == ("Café", "")
    escaped = tmp_path / "escaped.csv"
    escaped.write_text(HEAD + "1,A,half\\ud800,1,2011-03-01,1.00,7\n", encoding="ascii")
    assert next(read_lines(escaped, Dialect(encoding="unicode_escape"))).description == "half"


@pytest.mark.parametrize("encoding", ["bogus", "hex"])
def test_an_encoding_that_does_not_exist_is_named(encoding: str) -> None:
    with pytest.raises(LogNotReadable, match=f"no encoding '{encoding}'"):
        list(read_lines(SMALL, Dialect(encoding=encoding)))


def test_a_packed_log_with_other_bytes_in_it_says_so(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(SMALL.read_bytes()))
    broken = tmp_path / "broken.csv.gz"
    for place in range(10, len(packed) - 8):
        broken.write_bytes(packed[:place] + bytes([packed[place] ^ 0xFF]) + packed[place + 1 :])
        with pytest.raises(LogNotReadable):
            list(read_lines(broken, DIALECT))


def test_a_missing_file_and_a_wrong_encoding_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LogNotReadable, match="cannot be read"):
        list(read_lines(tmp_path / "none.csv", DIALECT))
    other = tmp_path / "latin.csv"
    other.write_bytes((HEAD + "1,A,Caf\xe9,1,2011-03-01,1.00,7\n").encode("latin-1"))
    with pytest.raises(LogNotReadable, match="--encoding latin-1"):
        list(read_lines(other, DIALECT))
    torn = tmp_path / "torn.csv.gz"
    torn.write_bytes(gzip.compress(SMALL.read_bytes())[:80])
    with pytest.raises(LogNotReadable, match="cannot be read"):
        list(read_lines(torn, DIALECT))
