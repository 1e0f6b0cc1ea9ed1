"""Where alerts go: a web address, e-mail, ntfy, a command. Each hands a message over, or raises."""

from __future__ import annotations

import json
import smtplib
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from zilzal.core.alert import AlertRule, Message
from zilzal.core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSink:
    """Posts a message as JSON.

    Args:
        url: http or https.
        rule: which events.
        headers: further ones, as for a token.
        timeout_s: for an answer.
    """

    url: str
    rule: AlertRule = field(default_factory=AlertRule)
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    timeout_s: float = 10.0

    def __post_init__(self) -> None:
        _check_url(self.url)

    @property
    def name(self) -> str:
        """The address."""
        return f"webhook {self.url}"

    def send(self, message: Message) -> None:
        """Post it; any answer but 2xx is a failure."""
        whole = {"key": message.key, "subject": message.subject, **message.content}
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.key}
        _post(self.url, json.dumps(whole).encode(), {**headers, **self.headers}, self.timeout_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class NtfySink:
    """Publishes to a topic of an ntfy server.

    Args:
        url: of the topic, as https://ntfy.sh/my-network.
        rule: which events.
        priority: 1 to 5.
        token: of the server; empty for none.
        timeout_s: for an answer.
    """

    url: str
    rule: AlertRule = field(default_factory=AlertRule)
    priority: int = 3
    token: str = ""
    timeout_s: float = 10.0

    def __post_init__(self) -> None:
        _check_url(self.url)
        if not 1 <= self.priority <= 5:
            raise ConfigError(f"priority is {self.priority}; give 1 to 5")

    @property
    def name(self) -> str:
        """The topic."""
        return f"ntfy {self.url}"

    def send(self, message: Message) -> None:
        """Publish it."""
        headers = {"Title": message.subject, "Priority": str(self.priority)}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        _post(self.url, message.text.encode(), headers, self.timeout_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSink:
    """Sends e-mail through an SMTP server.

    Args:
        server: "host:port".
        sender: address.
        recipients: addresses.
        rule: which events.
        is_encrypted: STARTTLS is asked for.
        user: to log in as; empty for no login.
        password_file: that holds the password and nothing else.
        timeout_s: for each answer.
    """

    server: str
    sender: str
    recipients: tuple[str, ...]
    rule: AlertRule = field(default_factory=AlertRule)
    is_encrypted: bool = True
    user: str = ""
    password_file: str = ""
    timeout_s: float = 20.0

    def __post_init__(self) -> None:
        host, _, port = self.server.rpartition(":")
        if not host or not port.isdecimal() or not self.recipients:
            raise ConfigError(f"server is {self.server!r}; write host:port, and name recipients")

    @property
    def name(self) -> str:
        """The recipients."""
        return f"mail {','.join(self.recipients)}"

    def send(self, message: Message) -> None:
        """Send it to all recipients."""
        mail = EmailMessage()
        mail["Subject"], mail["From"] = message.subject, self.sender
        mail["To"] = ", ".join(self.recipients)
        mail["Message-ID"] = f"<{message.key.replace('/', '.')}@zilzal>"
        mail.set_content(message.text)
        host, _, port = self.server.rpartition(":")
        try:
            with smtplib.SMTP(host, int(port), timeout=self.timeout_s) as server:
                if self.is_encrypted:
                    server.starttls()
                if self.user:
                    server.login(self.user, Path(self.password_file).read_text().strip())
                server.send_message(mail)
        except smtplib.SMTPException as error:
            raise OSError(f"{self.server}: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSink:
    """Runs a command with the message as JSON on its standard input.

    Args:
        command: program and arguments; no shell looks at them.
        rule: which events.
        timeout_s: after which it is ended.
    """

    command: tuple[str, ...]
    rule: AlertRule = field(default_factory=AlertRule)
    timeout_s: float = 30.0

    def __post_init__(self) -> None:
        if not self.command:
            raise ConfigError("command is empty; give a program and its arguments")

    @property
    def name(self) -> str:
        """The command."""
        return f"command {' '.join(self.command)}"

    def send(self, message: Message) -> None:
        """Run it; any exit status but 0 is a failure."""
        whole = {"key": message.key, "subject": message.subject, **message.content}
        try:
            done = subprocess.run(  # noqa: S603  the operator's own command
                self.command,
                input=json.dumps({**whole, "text": message.text}).encode(),
                capture_output=True,
                timeout=self.timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise OSError(f"{self.command[0]} took longer than {self.timeout_s:g} s") from error
        if done.returncode:
            told = done.stderr.decode(errors="replace").strip()[-200:]
            raise OSError(f"{self.command[0]} ended with {done.returncode}: {told}")


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"url is {url!r}; it begins with http:// or https://")


def _post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> None:
    request = urllib.request.Request(url, body, dict(headers), method="POST")  # noqa: S310  checked
    try:
        with urllib.request.urlopen(request, timeout=timeout_s):  # noqa: S310  checked
            pass
    except urllib.error.HTTPError as error:
        raise OSError(f"{url} answered {error.code} {error.reason}") from error
