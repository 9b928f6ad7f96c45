"""What a session remembers of the pages it showed."""

from streamlit.testing.v1 import AppTest


def _visit_models() -> None:
    from paiview.ui import url  # noqa: PLC0415 - a script of its own

    url.begin_run("versions")
    for number in range(250):
        url.write("model", f"model-{number}")
        url.write("sort", "-created")


def test_a_session_keeps_the_view_of_a_bounded_number_of_models() -> None:
    app = AppTest.from_function(_visit_models).run()
    assert not app.exception
    views = app.session_state["url-views"]
    assert [*views] == [f"versions model-{number}" for number in range(150, 250)]
    assert views["versions model-249"] == {"sort": ["-created"]}
