"""The values reference is generated, complete and current."""

import importlib
import sys

import pytest
import yaml

from tests.helm import chart


@pytest.fixture(scope="module")
def reference():
    sys.path.insert(0, str(chart.HELM / "tools"))
    try:
        return importlib.import_module("reference")
    finally:
        sys.path.pop(0)


def test_readme_is_what_its_generator_writes(reference) -> None:
    assert (chart.HELM / "README.md").read_text() == reference.render(), "python helm/tools/reference.py"


def test_reference_names_every_section_of_the_values(reference) -> None:
    values = yaml.safe_load((chart.HELM / "values.yaml").read_text())

    assert list(values) == list(dict.fromkeys(value.path[0] for value in reference.read_values()))


def test_generator_refuses_a_value_without_a_description(reference, tmp_path) -> None:
    (tmp_path / "values.yaml").write_text("# -- Known.\nimage:\n  tag: ''\nhosts: []\n")
    (tmp_path / "values.schema.json").write_text((chart.HELM / "values.schema.json").read_text())

    with pytest.raises(ValueError, match="no description above hosts"):
        reference.read_values(tmp_path)
