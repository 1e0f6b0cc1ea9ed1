"""Accounts in a file: names, roles, and hashes of passwords, never passwords."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from zilzal.core.errors import ConfigError
from zilzal.web.access.roles import Role

SHORTEST_PASSWORD = 10
LONGEST_NAME = 100
GIVEN = (Role.VIEWER, Role.ANALYST, Role.ADMIN)
"""Roles that an account can have."""


@dataclass(frozen=True, slots=True)
class Account:
    """One person's account.

    Args:
        role: what may be done.
        hash: of the password, by argon2id, with its parameters and salt.
    """

    role: Role
    hash: str


def read_accounts(path: Path) -> dict[str, Account]:
    """Accounts by name; none where there is no file.

    Raises:
        ConfigError: the file cannot be read, or is not one of accounts.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return {
            name: Account(_role(entry["role"]), str(entry["hash"]))
            for name, entry in content.get("accounts", {}).items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot read the accounts in {path}: {error}") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"{path} is not a file of accounts: {error!r}; see zilzal serve"
        ) from error


def add_account(path: Path, name: str, password: str, role: Role) -> None:
    """Make an account, or give one another password and role.

    Raises:
        ConfigError: the name or the password will not do, or the file cannot be written.
    """
    check_name(name)
    if len(password) < SHORTEST_PASSWORD:
        raise ConfigError(f"the password is shorter than {SHORTEST_PASSWORD} characters")
    accounts = read_accounts(path)
    accounts[name] = Account(_role(role), hash_password(password))
    _write(path, accounts)


def remove_account(path: Path, name: str) -> None:
    """Take an account away.

    Raises:
        ConfigError: there is none of that name, or the file cannot be written.
    """
    accounts = read_accounts(path)
    if name not in accounts:
        raise ConfigError(f"no account {name!r} in {path}; there are {sorted(accounts)}")
    del accounts[name]
    _write(path, accounts)


def check_name(name: str) -> None:
    """Refuse what is no name of a person.

    Raises:
        ConfigError: it is empty, too long, or has blanks at its ends or control characters.
    """
    if not 0 < len(name) <= LONGEST_NAME or name != name.strip() or not name.isprintable():
        raise ConfigError(f"not a name of an account: {name!r}; give up to {LONGEST_NAME} letters")


def hash_password(password: str) -> str:
    """A hash by argon2id with the library's parameters (RFC 9106, low memory)."""
    from argon2 import PasswordHasher

    return PasswordHasher().hash(password)


def is_right(account: Account | None, password: str) -> bool:
    """Whether a password is an account's; as slow for one that does not exist."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    hasher = PasswordHasher()
    if account is None:
        hasher.hash(password)
        return False
    try:
        return hasher.verify(account.hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _role(text: str) -> Role:
    role = Role(text)
    if role not in GIVEN:
        raise ValueError(f"an account cannot be {role}")
    return role


def _write(path: Path, accounts: Mapping[str, Account]) -> None:
    """Whole or not at all, for nobody but its owner to read."""
    content = {name: {"role": a.role.value, "hash": a.hash} for name, a in sorted(accounts.items())}
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(tomli_w.dumps({"accounts": content}).encode())
        unfinished.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write the accounts to {path}: {error.strerror}") from error
