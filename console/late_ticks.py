"""A tick that sets out from one page and arrives on the next is not run.

The browser asks for a live part's drawing in the name of the page that it shows. Where a person has gone on to another
page meanwhile, and the part is on both, as the strip is, Streamlit draws it in the name of the page that was left: the
browser takes that for a change of pages and throws away what it has just been given. An empty page stays behind, which
breaks at its own next tick ("Bad delta path"). The slower the machine, the likelier. The part's next tick comes by
itself, in the name of the right page.
"""

from typing import Any

from streamlit.runtime.scriptrunner import ScriptRunner

_MARK = "_late_ticks_are_left_out"


def leave_out() -> None:
    """Let Streamlit run a part of a page only while that page is the one shown; it has no setting for it."""
    runner: Any = ScriptRunner
    if getattr(runner, _MARK, False):
        return
    if not hasattr(runner, "_run_script"):
        raise RuntimeError("Streamlit runs its scripts elsewhere now: see console/late_ticks.py")
    run = runner._run_script

    def run_of_this_page(self: Any, asked: Any) -> None:
        if not (asked.fragment_id_queue and is_late(asked.page_script_hash, self._pages_manager)):
            run(self, asked)

    runner._run_script = run_of_this_page
    setattr(runner, _MARK, True)


def is_late(page: str, pages: Any) -> bool:
    """Whether this page is another one than the session was last drawn as; an unnamed one is not."""
    return page not in ("", pages.current_page_script_hash)
