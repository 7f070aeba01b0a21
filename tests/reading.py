"""Pages as a person reads them: words without markup."""

import html
import re

from django.http import HttpResponse

# What stands twice: in a column of its own on a wide screen, in a line of its row on a narrow one.
ONLY_WHEN_NARROW = re.compile(
    r'<(\w+) class="[^"]*\b(?:d-md-none|list-narrow)\b[^"]*">.*?</\1>', re.DOTALL
)
ERROR = r'(?:class="errorlist.*?<li>|class="invalid-feedback[^>]*>)(.*?)</'


def words(markup: str) -> str:
    markup = ONLY_WHEN_NARROW.sub("", markup)
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())
    return re.sub(r" (?=[,.](?: |$))", "", text)


def text_of(response: HttpResponse) -> str:
    return words(response.content.decode())


def errors_of(response: HttpResponse) -> list[str]:
    """What stands beside the fields of a form."""
    return [words(found) for found in re.findall(ERROR, response.content.decode(), re.DOTALL)]
