from tidegate.base.db import Database
async def test_db(db: Database) -> None:
    async with db.transaction() as tx:
        assert (await (await tx.execute("select 1")).fetchone())[0] == 1
