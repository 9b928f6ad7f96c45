"""When a page shows what is asked for, measured inside the page by its own clock.

What is shown is told by an expression of JavaScript with ``visible(selector)``, ``text(selector)`` and
``drawn(selector, top)``, the text that stands on a canvas; nothing is shown yet while it is false or empty. It is
looked at in every frame of the browser and counts as painted in the frame after the one in which it came true.
"""

from types import TracebackType
from typing import Final, Self

from playwright.sync_api import Browser, Locator, Page, ViewportSize

VIEW: Final[ViewportSize] = {"width": 1440, "height": 1000}
LONGEST: Final = 60.0
"""Seconds after which what is waited for will not come."""

_WATCH: Final = """
(() => {
    const visible = selector => [...document.querySelectorAll(selector)].some(element => {
        const box = element.getBoundingClientRect();
        if (element.tagName === 'IMG' && !(element.complete && element.naturalWidth)) return false;
        return box.width + box.height > 0 && getComputedStyle(element).visibility === 'visible';
    });
    const text = selector => visible(selector) ? document.querySelector(selector).textContent : '';
    // A sum over the pixels at the left below the head of the table; none while nothing dark stands there.
    const drawn = (selector, top) => {
        const canvas = document.querySelector(selector);
        if (!canvas?.width) return '';
        const { data } = canvas.getContext('2d').getImageData(0, top, Math.min(canvas.width, 240), 80);
        let sum = 0, dark = false;
        for (let at = 0; at < data.length; at += 4) {
            dark ||= data[at + 3] > 128 && data[at] + data[at + 1] + data[at + 2] < 384;
            sum = (sum * 31 + data[at] * data[at + 3]) % 1000000007;
        }
        return dark ? String(sum) : '';
    };
    let pressed = 0;
    addEventListener('pointerdown', event => { pressed = event.timeStamp; }, true);
    window.painted = (show, before) => new Promise((tell, fail) => {
        setTimeout(() => fail(new Error('not painted: ' + show)), LONGEST);
        const look = () => requestAnimationFrame(() => {
            const shown = show({ visible, text, drawn });
            if (shown && shown !== before) {
                requestAnimationFrame(() => tell(performance.now() - pressed));
            } else {
                look();
            }
        });
        look();
    });
    window.shown = show => show({ visible, text, drawn });
})();
""".replace("LONGEST", f"{LONGEST * 1000:.0f}")


class Painted:
    """A page in a new profile, its cache empty.

    Args:
        browser: a running one.
        url: the link to open.
        shown: the expression that tells what is shown.

    Attributes:
        page: the page, for what is done in it between two measurements.
        opening: seconds from the start of the navigation until something is shown.
    """

    page: Page
    opening: float

    def __init__(self, browser: Browser, url: str, shown: str) -> None:
        self._context = browser.new_context(viewport=VIEW)
        self._url = url
        self._show = f"({{ visible, text, drawn }}) => {shown}"

    def __enter__(self) -> Self:
        self.page = self._context.new_page()
        self.page.add_init_script(f"{_WATCH} window.first = painted({self._show});")
        self.page.goto(self._url, wait_until="commit")
        self.opening = self._told("first")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._context.close()

    def press(self, target: Locator) -> float:
        """Click on something: seconds from the press of the pointer until something else is shown."""
        self.page.evaluate(f"window.next = painted({self._show}, shown({self._show})); 0")
        target.click()
        return self._told("next")

    def _told(self, promise: str) -> float:
        return float(self.page.evaluate(f"window.{promise}")) / 1000


def cold(browser: Browser, url: str, shown: str) -> float:
    """Seconds that opening a link takes in a new profile."""
    with Painted(browser, url, shown) as page:
        return page.opening
