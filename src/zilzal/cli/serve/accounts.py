"""`zilzal serve accounts`: who may log in to a console."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from zilzal.core.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="Accounts of a console: add, remove, list.")

File = Annotated[Path, typer.Option("--accounts", help="The file of accounts.")]
DEFAULT = Path("accounts.toml")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Of the account.")],
    *,
    role: Annotated[str, typer.Option(help="viewer, analyst or admin.")] = "viewer",
    accounts: File = DEFAULT,
) -> None:
    """Make an account, or give it another password and role; the password is asked for.

    Where the input is no terminal, its first line is the password.
    """
    from zilzal.web.access.accounts import GIVEN, add_account, check_name
    from zilzal.web.access.roles import Role

    check_name(name)
    if role not in GIVEN:
        raise ConfigError(f"--role is {role!r}; give one of {', '.join(GIVEN)}")
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    add_account(accounts, name, password, Role(role))
    Console().print(f"{name} is {role} in {accounts}", highlight=False, markup=False)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="Of the account.")], *, accounts: File = DEFAULT
) -> None:
    """Take an account away; its sessions end at once."""
    from zilzal.web.access.accounts import remove_account

    remove_account(accounts, name)


@app.command("list")
def list_accounts(*, accounts: File = DEFAULT) -> None:
    """Show names and roles."""
    from zilzal.web.access.accounts import read_accounts

    known = sorted(read_accounts(accounts).items())
    if not known:
        text = f"no accounts in {accounts}; zilzal serve accounts add NAME makes one"
        Console(soft_wrap=True).print(text, markup=False, highlight=False)
        return
    table = Table("name", "role")
    for name, account in known:
        table.add_row(name, account.role)
    Console().print(table)
