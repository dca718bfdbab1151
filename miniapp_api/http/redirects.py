"""The application with redirects that name a path and never the host of the request."""

from typing import NoReturn
from urllib.parse import urlsplit, urlunsplit

from apiflask import APIFlask
from flask import Request
from werkzeug.routing import RequestRedirect


class Application(APIFlask):
    """Werkzeug redirects (`/api/docs` to `/api/docs/`, two slashes to one) to the host that the caller named.

    A cache in front of the server could keep such an answer for others.
    """

    def raise_routing_exception(self, request: Request) -> NoReturn:
        """As Flask does, but a redirect within this server names the path only."""
        redirect = request.routing_exception
        if isinstance(redirect, RequestRedirect):
            to = urlsplit(redirect.new_url)
            # Two slashes at the beginning would name a host.
            redirect.new_url = urlunsplit(("", "", f"/{to.path.lstrip('/')}", to.query, ""))
        super().raise_routing_exception(request)
