"""The application, bent so that it redirects to a path and never to the host that it was asked by."""

from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

from apiflask import APIFlask
from flask import Request
from werkzeug.routing import RequestRedirect


class Application(APIFlask):
    """Werkzeug redirects (`/api/docs` to `/api/docs/`, two slashes to one) to whatever host the caller named:
    a cache before the server could keep that for others."""

    def raise_routing_exception(self, request: Request) -> NoReturn:
        """As Flask does; a redirect within this server says no more than the path."""
        redirect = request.routing_exception
        if isinstance(redirect, RequestRedirect):
            to = urlsplit(redirect.new_url)
            # Two slashes at the beginning would name a host.
            redirect.new_url = urlunsplit(("", "", f"/{to.path.lstrip('/')}", to.query, ""))
        super().raise_routing_exception(request)
