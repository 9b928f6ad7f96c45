"""What the README shows works as it stands."""

import re
from pathlib import Path

from paiview.decisions.contracts import load
from paiview.decisions.policy import NoRegression

README = Path(__file__).resolve().parents[1] / "README.md"


def test_the_configuration_of_the_readme_can_be_used(tmp_path: Path) -> None:
    [example] = re.findall(r"```toml\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    file = tmp_path / "paiview.toml"
    file.write_text(example, encoding="utf-8")
    contracts = load(file)
    assert contracts.metrics["quality"].direction == "higher"
    assert contracts.aliases == {"oss://bucket/aishell/test.tsv": "d-aishell1"}
    assert contracts.datasets["d-aishell1"].n == {"cer": 104765}
    assert [type(rule) for rule in contracts.rules] == [NoRegression]
