"""Pages as a person reads them: words without markup."""

import html
import re

from django.http import HttpResponse

ERROR = r'(?:class="errorlist.*?<li>|class="invalid-feedback[^>]*>)(.*?)</'


def words(markup: str) -> str:
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())
    return re.sub(r" (?=[,.](?: |$))", "", text)


def text_of(response: HttpResponse) -> str:
    return words(response.content.decode())


def errors_of(response: HttpResponse) -> list[str]:
    """What stands beside the fields of a form."""
    return [words(found) for found in re.findall(ERROR, response.content.decode(), re.DOTALL)]
