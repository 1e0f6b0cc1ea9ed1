"""What alembic runs; the connection comes from `migrate.upgrade`."""

from alembic import context

from zilzal.io.store.migrate import VERSION_TABLE
from zilzal.io.store.schema import METADATA


def run() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=METADATA,
        version_table=VERSION_TABLE,
    )
    with context.begin_transaction():
        context.run_migrations()


# Alembic executes this file under this name; an import must do nothing.
if __name__ == "env_py":
    run()
