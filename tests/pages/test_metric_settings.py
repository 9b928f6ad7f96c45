"""The form that sets the direction and tolerances of a metric for a session."""

from streamlit.testing.v1 import AppTest

from tests.harness.service import Service, version
from tests.pages.conftest import Run, page_text


def opened(app: AppTest) -> AppTest:
    """The page with the section of the form open."""
    app.session_state["meanings"] = True
    return app.run()


def test_the_metric_that_was_set_stays_the_one_in_the_form(run: Run, service: Service) -> None:
    names = ("blobs", "quality", "size", "cer")
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": dict.fromkeys(names, 1.0)}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-01-02", {"d": dict.fromkeys(names, 2.0)}),
    ]
    app = run("compare", model="model-asr")
    assert app.selectbox("metric-to-set").options == [*names[:3], "cer"]
    app.selectbox("metric-to-set").set_value("quality").run()
    app.selectbox("direction-quality").set_value("higher")
    next(button for button in app.button if button.label == "Apply to this session").click()
    app.run()
    assert app.selectbox("metric-to-set").options == ["blobs", "size", "cer", "quality"]
    assert app.selectbox("metric-to-set").value == "quality"
    assert app.selectbox("direction-quality").value == "higher"


def test_a_tolerance_is_the_number_that_was_typed(run: Run, service: Service) -> None:
    """0.7 / 100 is less than 0.007, and a change of exactly 0.7 % would be above it."""
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"psnr": 100}}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-01-02", {"d": {"psnr": 99.3}}),
    ]
    app = opened(run("compare", model="model-asr"))
    app.number_input("relative-psnr").set_value(0.7)
    next(button for button in app.button if button.label == "Apply to this session").click()
    app.run()
    assert "Too close to call" in page_text(app)
    assert any(code.value.endswith("relative = 0.007") for code in app.code)
    assert app.number_input("relative-psnr").value == 0.7


def test_limits_name_their_units(run: Run) -> None:
    app = run("compare", model="model-asr")
    assert not app.number_input
    opened(app)
    labels = [field.label for field in app.number_input]
    assert labels == ["A change counts above, in %", "and above, in units of the metric"]


def test_the_form_opens_for_a_metric_without_direction_and_keeps_what_is_typed(run: Run, service: Service) -> None:
    service.versions["model-asr"] = [
        version("0.1.0", "2024-01-01", {"d": {"cer": 0.1}}, ApprovalStatus="Approved"),
        version("0.2.0", "2024-01-02", {"d": {"cer": 0.2}}),
        version("0.3.0", "2024-01-03", {"d": {"cer": 0.2, "size": 2.0}}),
    ]
    app = run("compare", model="model-asr", candidate="0.2.0")
    assert not app.number_input
    opened(app).session_state["meanings"] = False
    assert len(app.run().number_input) == 2, "A control that is not drawn loses what was typed into it."
    app.query_params["candidate"] = "0.3.0"
    app.run()
    assert app.session_state["meanings"]
    assert app.selectbox("metric-to-set").options == ["size", "cer"]
    app.session_state["meanings"] = False
    app.run()
    assert not app.session_state["meanings"], "It opens again though it was closed."
