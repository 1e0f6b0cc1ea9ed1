"""What all FDSN web services have: a version, a description, and answers in plain text.

Source:
    FDSN Web Service Specifications, version 1.2, https://www.fdsn.org/webservices/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from xml.sax.saxutils import quoteattr

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from zilzal.app.display.holdings import Holdings
from zilzal.core.errors import StoreError, ZilzalError
from zilzal.core.time import Time
from zilzal.web.api.values import holdings_of
from zilzal.web.fdsn.parameters import Given, Parameter, bad_request, read_parameters
from zilzal.web.refusal import Refused

Answered = Callable[[Holdings, Given, str], Response | None]
"""What a method gives for its parameters and the service's address; None is no data."""
Posted = Callable[[Holdings, str], tuple[Given, Response | None]]
"""The same for the body of a POST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way to ask a service.

    Args:
        parameters: that it takes.
        answer: what it gives.
        post: what it gives for a body; None where it takes none.
    """

    parameters: Sequence[Parameter]
    answer: Answered
    post: Posted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A web service.

    Args:
        name: as "event".
        version: of this implementation: that of the specification, and a number of ours.
        methods: by name, as "query".
        texts: further fixed documents, by name: media type and content.
    """

    name: str
    version: str
    methods: Mapping[str, Method]
    texts: Mapping[str, tuple[str, str]]

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/fdsnws/{self.name}/1"


def router_of(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(prefix=service.path, include_in_schema=False)
    texts = {"version": ("text/plain", service.version), **service.texts}
    for name, (kind, content) in texts.items():
        router.add_api_route(f"/{name}", _fixed(kind, content), methods=["GET"])
    router.add_api_route("/application.wadl", _wadl(service), methods=["GET"])
    router.add_api_route("/", _help(service), methods=["GET"])
    for name, method in service.methods.items():
        router.add_api_route(f"/{name}", _get(service, method), methods=["GET"])
        if method.post is not None:
            router.add_api_route(f"/{name}", _post(service, method.post), methods=["POST"])
    return router


def _fixed(kind: str, content: str) -> Callable[[], Response]:
    return lambda: Response(content, media_type=kind)


def _get(service: Service, method: Method) -> Callable[[Request], Response]:
    def get(request: Request) -> Response:
        def answer() -> tuple[Given, Response | None]:
            given = read_parameters(method.parameters, request.query_params.multi_items())
            return given, method.answer(holdings_of(request), given, _base(request, service))

        return _answer(request, service, answer)

    return get


def _post(service: Service, post: Posted):
    async def posted(request: Request) -> Response:
        body = (await request.body()).decode("utf-8", "replace")

        def answer() -> tuple[Given, Response | None]:
            return post(holdings_of(request), body)

        return await run_in_threadpool(_answer, request, service, answer)

    return posted


def _base(request: Request, service: Service) -> str:
    return f"{str(request.base_url).rstrip('/')}{service.path}"


def _answer(
    request: Request, service: Service, make: Callable[[], tuple[Given, Response | None]]
) -> Response:
    """An answer, or why there is none, as the specification wants it told."""
    try:
        given, response = make()
    except Refused as error:
        return _told(request, service, error.status, error.detail)
    except StoreError as error:
        return _told(request, service, HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    except ZilzalError as error:
        return _told(request, service, HTTPStatus.BAD_REQUEST, str(error))
    if response is not None:
        return response
    if given["nodata"] == HTTPStatus.NOT_FOUND:
        return _told(request, service, HTTPStatus.NOT_FOUND, "nothing was found")
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _told(request: Request, service: Service, status: HTTPStatus, message: str) -> Response:
    """The text of an error, in the order of the specification."""
    now: Time = holdings_of(request).now()
    text = (
        f"Error {int(status)}: {status.phrase}\n\n{message}\n\n"
        f"Usage details are available from {_base(request, service)}/\n\n"
        f"Request:\n{request.url}\n\nRequest Submitted:\n{now}\n\n"
        f"Service version:\n{service.version}\n"
    )
    return Response(text, status, media_type="text/plain")


def _wadl(service: Service) -> Callable[[Request], Response]:
    def wadl(request: Request) -> Response:
        resources = [
            _resource(name, method.parameters, has_post=method.post is not None)
            for name, method in service.methods.items()
        ]
        plain = ["version", "application.wadl", *service.texts]
        resources += [
            f'<resource path="{name}"><method name="GET"><response><representation/>'
            "</response></method></resource>"
            for name in plain
        ]
        base = quoteattr(f"{_base(request, service)}/")
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<application xmlns="http://wadl.dev.java.net/2009/02" '
            'xmlns:xs="http://www.w3.org/2001/XMLSchema">'
            f"<resources base={base}>{''.join(resources)}</resources></application>\n"
        )
        return Response(text, media_type="application/xml")

    return wadl


def _resource(name: str, parameters: Sequence[Parameter], *, has_post: bool) -> str:
    listed = "".join(map(_parameter, parameters))
    post = (
        f'<method id="post{name}" name="POST"><request>'
        '<representation mediaType="text/plain"/></request></method>'
        if has_post
        else ""
    )
    return (
        f'<resource path="{name}"><method id="{name}" name="GET"><request>{listed}</request>'
        f"<response><representation/></response></method>{post}</resource>"
    )


def _parameter(parameter: Parameter) -> str:
    options = "".join(f"<option value={quoteattr(option)}/>" for option in parameter.options)
    default = parameter.default
    if isinstance(default, bool):
        default = str(default).lower()
    if isinstance(default, HTTPStatus):
        default = int(default)
    if isinstance(default, tuple):
        default = ",".join(default)
    stated = "" if default is None else f" default={quoteattr(str(default))}"
    attributes = f'name="{parameter.name}" style="query" type="{parameter.kind}"{stated}'
    return f"<param {attributes}>{options}</param>"


def _help(service: Service) -> Callable[[], Response]:
    lines = [f"fdsnws-{service.name} {service.version}, served by zilzal", ""]
    for name, method in service.methods.items():
        lines.append(f"{service.path}/{name}{'   (also POST)' if method.post else ''}")
        for parameter in method.parameters:
            short = f" or {parameter.alias}" if parameter.alias else ""
            options = f": {' | '.join(parameter.options)}" if parameter.options else ""
            lines.append(f"    {parameter.name}{short}{options}")
    lines += [f"{service.path}/{name}" for name in ("version", "application.wadl", *service.texts)]
    content = "\n".join(lines) + "\n"
    return lambda: Response(content, media_type="text/plain")


def split_body(body: str) -> tuple[list[tuple[str, str]], list[list[str]]]:
    """A POST's body: lines of name=value, then lines of six fields.

    Raises:
        Refused: a line is neither.
    """
    pairs: list[tuple[str, str]] = []
    lines: list[list[str]] = []
    for line in body.splitlines():
        text = line.strip()
        if not text:
            continue
        name, equals, value = text.partition("=")
        if equals:
            pairs.append((name.strip(), value))
        elif len(text.split()) == 6:
            lines.append(text.split())
        else:
            raise bad_request(
                f"{text[:80]!r} is neither name=value nor network station location channel "
                "starttime endtime"
            )
    if not lines:
        raise bad_request("the body has no line of network station location channel start end")
    return pairs, lines
