"""Somebody at a browser: follows redirects, keeps cookies, sends back the forms of pages. It is at KEYCLOAK's address, by
whatever name a page calls that: not everything that asks for *.localhost is told that it is this machine."""
import urllib.parse
from html.parser import HTMLParser
from http.cookies import SimpleCookie

from show.web import Unexpected, fetch


class Browser:
    def __init__(self, address):
        self.address, self.cookies = address, {}

    def open(self, url):
        """The page that is there in the end."""
        return self.request("GET", url)

    def submit(self, page, **fields):
        """Sends a page's form: what it holds already, and `fields`, among them the button that is pressed."""
        if not set(fields) <= {*page.fields, *page.buttons}:
            raise Unexpected(f"a page of Keycloak's does not ask for {' and '.join(fields)}: {page}", "keycloak")
        return self.request("POST", urllib.parse.urljoin(page.url, page.action), urllib.parse.urlencode({**page.fields, **fields}))

    def request(self, method, url, body=None):
        for _ in range(10):
            parts = urllib.parse.urlsplit(url)
            headers = {"host": parts.netloc, "cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
            if body is not None:
                headers["content-type"] = "application/x-www-form-urlencoded"
            answer = fetch(parts._replace(netloc=self.address).geturl(), method, headers, body, timeout=30)
            for line in answer.all("set-cookie"):
                self.cookies.update({name: cookie.coded_value for name, cookie in SimpleCookie(line).items()})
            if answer.status not in (302, 303):
                return Page(url, answer)
            method, url, body = "GET", urllib.parse.urljoin(url, answer.headers["location"]), None
        raise Unexpected(f"Keycloak sends a browser in circles, to {url}", "keycloak")


class Page(HTMLParser):
    """What a page says, and its form: where that goes, the fields with what they hold, and the buttons."""

    def __init__(self, url, answer):
        super().__init__()
        self.url, self.status, self.action = url, answer.status, ""
        self.fields, self.buttons, self.words, self.within = {}, set(), [], None
        self.feed(answer.body.decode(errors="replace"))

    def handle_starttag(self, tag, attributes):
        attributes, self.within = dict(attributes), tag
        name = attributes.get("name")
        if tag == "form":
            self.action = attributes.get("action", "")
        elif name and (tag == "button" or attributes.get("type") == "submit"):
            self.buttons.add(name)
        elif name and tag == "input":
            self.fields[name] = attributes.get("value") or ""

    def handle_data(self, data):
        if self.within not in ("script", "style"):
            self.words += data.split()

    def __str__(self):
        return f"{self.status} {' '.join(self.words)[:200]!r}"
